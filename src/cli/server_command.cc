#include "cli/server_command.h"

#include <map>
#include <memory>

namespace stele::cli {
namespace {

constexpr int kMaximumPort = 65535;
constexpr int kMaximumThreads = 64;
constexpr int kMaximumShards = 1024;
constexpr std::size_t kMaximumRunCacheMebibytes = 1024 * 1024;

constexpr char kStartDevFooter[] = R"(Examples:
  stele server start-dev
      In memory: everything is gone when the server ends.
  stele server start-dev --db-filename ./data
      Durable: what was acknowledged is in ./data and survives a crash.
  stele server start-dev --port 7234 --namespace orders --namespace billing)";

constexpr char kRebuildFooter[] = R"(Examples:
  stele server rebuild-visibility --db-filename ./data
      While no server uses the directory. A server does the same by itself at its start where
      it finds no index, or one that does not belong to the store.)";

void add_network_flags(CLI::App& command, DevServerOptions& options) {
    const CLI::Range port(0, kMaximumPort);
    command.add_option("-p,--port", options.port, "Port of gRPC; 0 lets the system choose one")
        ->check(port)
        ->capture_default_str();
    command.add_option("--http-port", options.http_port, "Port of the HTTP API")
        ->check(port)
        ->capture_default_str();
    command
        .add_option("--ui-port", options.ui_port,
                    "Port of the web UI; a thousand above --port unless given")
        ->check(port);
    command
        .add_option("--metrics-port", options.metrics_port, "Port of /metrics; none unless given")
        ->check(port);
    command.add_option("--ip", options.ip, "Address to listen on")->capture_default_str();
    command.add_flag("--allow-insecure-network", options.allow_insecure_network,
                     "Listen on an --ip that other machines reach, without authentication or TLS");
    command
        .add_option("--test-overrides-port", options.test_overrides_port,
                    "Port, on loopback, where tests may change settings; none unless given")
        ->check(port);
    command.add_flag("--headless", options.headless, "Without the web UI");
}

void add_data_flags(CLI::App& command, DevServerOptions& options) {
    command
        .add_option("-f,--db-filename", options.directory,
                    "Directory of the store; without it everything is in memory only")
        ->type_name("DIRECTORY");
    command
        .add_option("-n,--namespace", options.namespaces,
                    "Namespace to create at start, besides `default`; repeatable")
        ->allow_extra_args(false);
    command
        .add_option("--search-attribute", options.search_attributes,
                    "Custom search attribute to register, NAME=TYPE; repeatable")
        ->allow_extra_args(false);
    command
        .add_option("--dynamic-config-value", options.dynamic_config_values,
                    "Setting of the server, KEY=JSON; repeatable")
        ->allow_extra_args(false);
    command
        .add_option("--dynamic-config-file", options.dynamic_config_file,
                    "File of settings of the server, in YAML; read again when it changes")
        ->type_name("FILE");
    command
        .add_option("--threads", options.threads,
                    "Threads that connections and shards are spread over; one does most with the "
                    "least processor time until it is busy all the time")
        ->check(CLI::Range(1, kMaximumThreads))
        ->capture_default_str();
    command
        .add_option("--shards", options.shards,
                    "Parts of the engine that work independently (one for each thread); may differ "
                    "from start to start")
        ->check(CLI::Range(1, kMaximumShards));
    command
        .add_option("--run-cache-mib", options.run_cache_mebibytes,
                    "MiB of memory for runs that were used lately, a sixteenth of it for closed "
                    "ones; what does not fit is read from the store again")
        ->check(CLI::Range(std::size_t{1}, kMaximumRunCacheMebibytes))
        ->capture_default_str();
}

void add_log_flags(CLI::App& command, DevServerOptions& options) {
    static const std::map<std::string, LogLevel> levels = {{"debug", LogLevel::kDebug},
                                                           {"info", LogLevel::kInfo},
                                                           {"warn", LogLevel::kWarn},
                                                           {"error", LogLevel::kError},
                                                           {"never", LogLevel::kNever}};
    static const std::map<std::string, LogFormat> formats = {
        {"text", LogFormat::kText}, {"pretty", LogFormat::kText}, {"json", LogFormat::kJson}};
    command
        .add_option("--log-level", options.log_level, "debug, info, warn, error or never (warn)")
        ->transform(CLI::CheckedTransformer(levels, CLI::ignore_case).description(""))
        ->type_name("LEVEL");
    command.add_option("--log-format", options.log_format, "text or json (text)")
        ->transform(CLI::CheckedTransformer(formats, CLI::ignore_case).description(""))
        ->type_name("FORMAT");
}

}  // namespace

void add_server_commands(CLI::App& app, const ServerRunner& runner, std::function<int()>& command) {
    CLI::App* server = app.add_subcommand("server", "Run a server");
    server->require_subcommand(1);
    CLI::App* start_dev =
        server->add_subcommand("start-dev", "Run a server for development: one process, one node");
    start_dev->footer(kStartDevFooter);
    const auto options = std::make_shared<DevServerOptions>();
    add_network_flags(*start_dev, *options);
    add_data_flags(*start_dev, *options);
    add_log_flags(*start_dev, *options);
    start_dev->callback([options, run = runner.start_dev_server, &command] {
        command = [options, run] { return run(*options); };
    });

    CLI::App* rebuild = server->add_subcommand(
        "rebuild-visibility", "Make the index behind list and count anew from the store");
    rebuild->footer(kRebuildFooter);
    const auto directory = std::make_shared<std::string>();
    rebuild->add_option("-f,--db-filename", *directory, "Directory of the store")
        ->required()
        ->type_name("DIRECTORY");
    rebuild->callback([directory, run = runner.rebuild_visibility, &command] {
        command = [directory, run] { return run(*directory); };
    });
}

}  // namespace stele::cli
