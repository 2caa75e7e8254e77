#pragma once

#include "base/status.h"
#include "base/time.h"
#include "cli/printer.h"
#include "cli/text.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

// Where a command's server is and how to reach it: from flags, else TEMPORAL_* variables, else the
// profile in a TOML file, else the defaults. The names are those of the official tools, so that
// what is set up for them works here.
namespace stele::cli {

/// As flags, variables or the file give them; absent means that the next source decides.
struct ClientFlags {
    std::optional<std::string> address;
    std::optional<std::string> namespace_name;
    std::optional<std::string> api_key;
    std::optional<std::string> identity;
    std::optional<bool> tls;
    std::optional<std::string> tls_certificate_path;
    std::optional<std::string> tls_certificate_data;
    std::optional<std::string> tls_key_path;
    std::optional<std::string> tls_key_data;
    std::optional<std::string> tls_authority_path;
    std::optional<std::string> tls_authority_data;
    std::optional<std::string> tls_server_name;
    std::map<std::string, std::string> grpc_meta;
};

/// Flags of every command.
struct CommonFlags {
    OutputFormat output = OutputFormat::kText;
    TimeFormat time_format = TimeFormat::kRelative;
    std::string color = "auto";
    bool no_shorthand_payloads = false;
    Duration command_timeout = Duration::zero();  // zero: none
    std::optional<std::string> config_file;
    std::optional<std::string> profile;
    bool disable_config_file = false;
    bool disable_config_env = false;
    std::vector<std::string> grpc_meta;  // KEY=VALUE
    ClientFlags client;
};

struct Settings {
    std::string address = "127.0.0.1:7233";
    std::string namespace_name = "default";
    std::string api_key;
    std::string identity;
    bool use_tls = false;
    // PEM texts.
    std::string certificate;
    std::string key;
    std::string authority;
    std::string server_name;
    std::map<std::string, std::string> metadata;
};

/// INVALID_ARGUMENT names the flag, variable, file or profile that is wrong.
absl::StatusOr<Settings> resolve_settings(const CommonFlags& flags);

/// Splits at the first '='; INVALID_ARGUMENT names `flag` where there is none.
absl::StatusOr<std::pair<std::string, std::string>> split_pair(const std::string& flag,
                                                               const std::string& text);
/// The content of a file; NOT_FOUND names it.
absl::StatusOr<std::string> read_file(const std::string& path);

}  // namespace stele::cli
