#include "cli/settings.h"

#include "cli/profile_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <iterator>

namespace stele::cli {
namespace {

std::optional<std::string> variable(const char* name) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') return std::nullopt;
    return value;
}

/// The first of the variables that is set: a name of today, then one of old.
std::optional<std::string> variable(const char* name, const char* old_name) {
    auto value = variable(name);
    return value ? value : variable(old_name);
}

/// TEMPORAL_GRPC_META_SOME_KEY is the header "some-key".
std::map<std::string, std::string> metadata_variables() {
    constexpr std::string_view kPrefix = "TEMPORAL_GRPC_META_";
    std::map<std::string, std::string> result;
    for (char** at = environ; *at != nullptr; ++at) {
        const std::string_view entry = *at;
        const std::size_t equals = entry.find('=');
        if (!entry.starts_with(kPrefix) || equals == std::string_view::npos) continue;
        std::string key(entry.substr(kPrefix.size(), equals - kPrefix.size()));
        std::transform(key.begin(), key.end(), key.begin(), [](unsigned char c) {
            return c == '_' ? '-' : static_cast<char>(std::tolower(c));
        });
        result[key] = entry.substr(equals + 1);
    }
    return result;
}

absl::StatusOr<ClientFlags> read_variables() {
    ClientFlags flags;
    flags.address = variable("TEMPORAL_ADDRESS");
    flags.namespace_name = variable("TEMPORAL_NAMESPACE");
    flags.api_key = variable("TEMPORAL_API_KEY");
    flags.identity = variable("TEMPORAL_IDENTITY");
    if (const auto tls = variable("TEMPORAL_TLS")) {
        if (*tls != "true" && *tls != "false" && *tls != "1" && *tls != "0") {
            return invalid_argument("TEMPORAL_TLS must be true or false, not " + *tls);
        }
        flags.tls = *tls == "true" || *tls == "1";
    }
    flags.tls_certificate_path = variable("TEMPORAL_TLS_CLIENT_CERT_PATH", "TEMPORAL_TLS_CERT");
    flags.tls_certificate_data = variable("TEMPORAL_TLS_CLIENT_CERT_DATA");
    flags.tls_key_path = variable("TEMPORAL_TLS_CLIENT_KEY_PATH", "TEMPORAL_TLS_KEY");
    flags.tls_key_data = variable("TEMPORAL_TLS_CLIENT_KEY_DATA");
    flags.tls_authority_path = variable("TEMPORAL_TLS_SERVER_CA_CERT_PATH", "TEMPORAL_TLS_CA");
    flags.tls_authority_data = variable("TEMPORAL_TLS_SERVER_CA_CERT_DATA");
    flags.tls_server_name = variable("TEMPORAL_TLS_SERVER_NAME");
    flags.grpc_meta = metadata_variables();
    return flags;
}

absl::StatusOr<std::map<std::string, std::string>> split_pairs(
    const std::string& flag, const std::vector<std::string>& texts) {
    std::map<std::string, std::string> result;
    for (const std::string& text : texts) {
        STELE_ASSIGN_OR_RETURN(auto pair, split_pair(flag, text));
        result.insert_or_assign(std::move(pair.first), std::move(pair.second));
    }
    return result;
}

/// What `layer` sets replaces what weaker sources said.
void overlay(const ClientFlags& layer, ClientFlags& flags) {
    const auto take = [&](auto member) {
        if (layer.*member) flags.*member = layer.*member;
    };
    take(&ClientFlags::address);
    take(&ClientFlags::namespace_name);
    take(&ClientFlags::api_key);
    take(&ClientFlags::identity);
    take(&ClientFlags::tls);
    take(&ClientFlags::tls_certificate_path);
    take(&ClientFlags::tls_certificate_data);
    take(&ClientFlags::tls_key_path);
    take(&ClientFlags::tls_key_data);
    take(&ClientFlags::tls_authority_path);
    take(&ClientFlags::tls_authority_data);
    take(&ClientFlags::tls_server_name);
    for (const auto& [key, value] : layer.grpc_meta) flags.grpc_meta[key] = value;
}

absl::StatusOr<std::string> pem(const std::optional<std::string>& data,
                                const std::optional<std::string>& path) {
    if (data) return *data;
    if (path) return read_file(*path);
    return std::string();
}

std::string own_identity() {
    char host[256] = "unknown";
    gethostname(host, sizeof(host) - 1);
    return fmt::format("stele-cli:{}@{}", getpid(), host);
}

}  // namespace

absl::StatusOr<Settings> resolve_settings(const CommonFlags& common) {
    ClientFlags flags;
    if (!common.disable_config_file) {
        const bool use_variables = !common.disable_config_env;
        auto file = common.config_file;
        auto profile = common.profile;
        if (!file && use_variables) file = variable("TEMPORAL_CONFIG_FILE");
        if (!profile && use_variables) profile = variable("TEMPORAL_PROFILE");
        STELE_ASSIGN_OR_RETURN(flags, read_profile(file, profile));
    }
    if (!common.disable_config_env) {
        STELE_ASSIGN_OR_RETURN(const ClientFlags variables, read_variables());
        overlay(variables, flags);
    }
    ClientFlags given = common.client;
    STELE_ASSIGN_OR_RETURN(given.grpc_meta, split_pairs("--grpc-meta", common.grpc_meta));
    overlay(given, flags);

    Settings settings;
    settings.address = flags.address.value_or(settings.address);
    settings.namespace_name = flags.namespace_name.value_or(settings.namespace_name);
    settings.api_key = flags.api_key.value_or("");
    settings.identity = flags.identity.value_or(own_identity());
    STELE_ASSIGN_OR_RETURN(settings.certificate,
                           pem(flags.tls_certificate_data, flags.tls_certificate_path));
    STELE_ASSIGN_OR_RETURN(settings.key, pem(flags.tls_key_data, flags.tls_key_path));
    STELE_ASSIGN_OR_RETURN(settings.authority,
                           pem(flags.tls_authority_data, flags.tls_authority_path));
    settings.server_name = flags.tls_server_name.value_or("");
    // As the official tools: a key or certificate is never sent in the clear unless asked for.
    settings.use_tls = flags.tls.value_or(
        !settings.api_key.empty() || !settings.certificate.empty() || !settings.authority.empty());
    settings.metadata = std::move(flags.grpc_meta);
    return settings;
}

absl::StatusOr<std::pair<std::string, std::string>> split_pair(const std::string& flag,
                                                               const std::string& text) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
        return invalid_argument(fmt::format("{} {}: expected KEY=VALUE", flag, text));
    }
    return std::pair(text.substr(0, equals), text.substr(equals + 1));
}

absl::StatusOr<std::string> read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return not_found(fmt::format("can not read the file {}", path));
    return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace stele::cli
