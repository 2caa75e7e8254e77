#pragma once

#include <CLI/CLI.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

// The commands `stele server …`: their flags. The server itself is the caller's.
namespace stele::cli {

enum class LogLevel { kDebug, kInfo, kWarn, kError, kNever };
enum class LogFormat { kText, kJson };

struct DevServerOptions {
    std::string ip = "127.0.0.1";
    bool allow_insecure_network = false;
    int port = 7233;  // 0: the system chooses one
    int http_port = 7243;
    int ui_port = 0;       // 0: a thousand above `port`
    int metrics_port = 0;  // 0: none
    bool headless = false;
    std::optional<std::string> directory;  // none: in memory
    std::vector<std::string> namespaces;
    std::vector<std::string> search_attributes;      // "name=Type"
    std::vector<std::string> dynamic_config_values;  // "key=JSON"
    std::optional<std::string> dynamic_config_file;
    std::optional<int> test_overrides_port;  // 0: the system chooses one
    LogLevel log_level = LogLevel::kWarn;
    LogFormat log_format = LogFormat::kText;
    int threads = 1;
    std::optional<int> shards;  // none: one for each thread
    std::size_t run_cache_mebibytes = 256;
};

/// Runs a server until it is asked to stop; the result is the exit code of the process.
using StartDevServer = std::function<int(const DevServerOptions& options)>;

/// Makes the visibility index of the store in a directory anew; the result is the exit code.
using RebuildVisibility = std::function<int(const std::string& directory)>;

/// What runs the commands that are not a client's.
struct ServerRunner {
    StartDevServer start_dev_server;
    RebuildVisibility rebuild_visibility;
};

/// Adds `server` and what is below it. `command` is set to what the user chose; nothing runs while
/// the command line is being parsed.
void add_server_commands(CLI::App& app, const ServerRunner& runner, std::function<int()>& command);

}  // namespace stele::cli
