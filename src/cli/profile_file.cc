#include "cli/profile_file.h"

#include "base/toml.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

namespace stele::cli {
namespace {

std::string default_path() {
    constexpr char kBelow[] = "/temporalio/temporal.toml";
    if (const char* directory = std::getenv("XDG_CONFIG_HOME")) {
        if (*directory != '\0') return std::string(directory) + kBelow;
    }
    const char* home = std::getenv("HOME");
    return home == nullptr ? "" : std::string(home) + "/.config" + kBelow;
}

std::optional<std::string> text(const toml::table& table, const char* key) {
    return table[key].value<std::string>();
}

void read_tls(const toml::table& profile, ClientFlags& flags) {
    if (const auto enabled = profile["tls"].value<bool>()) flags.tls = *enabled;
    const toml::table* tls = profile["tls"].as_table();
    if (tls == nullptr) return;
    flags.tls = !(*tls)["disabled"].value_or(false);
    flags.tls_certificate_path = text(*tls, "client_cert_path");
    flags.tls_certificate_data = text(*tls, "client_cert_data");
    flags.tls_key_path = text(*tls, "client_key_path");
    flags.tls_key_data = text(*tls, "client_key_data");
    flags.tls_authority_path = text(*tls, "server_ca_cert_path");
    flags.tls_authority_data = text(*tls, "server_ca_cert_data");
    flags.tls_server_name = text(*tls, "server_name");
}

ClientFlags read_table(const toml::table& profile) {
    ClientFlags flags;
    flags.address = text(profile, "address");
    flags.namespace_name = text(profile, "namespace");
    flags.api_key = text(profile, "api_key");
    read_tls(profile, flags);
    if (const toml::table* metadata = profile["grpc_meta"].as_table()) {
        for (const auto& [key, value] : *metadata) {
            flags.grpc_meta[std::string(key.str())] = value.value_or(std::string());
        }
    }
    return flags;
}

}  // namespace

absl::StatusOr<ClientFlags> read_profile(const std::optional<std::string>& file,
                                         const std::optional<std::string>& profile) {
    const std::string path = file.value_or(default_path());
    const std::string name = profile.value_or("default");
    if (!std::filesystem::exists(path)) {
        if (file) return not_found(fmt::format("configuration file {} does not exist", path));
        if (!profile) return ClientFlags{};
        return not_found(fmt::format("profile \"{}\": there is no file {}", name, path));
    }
    toml::table content;
    try {
        content = toml::parse_file(path);
    } catch (const toml::parse_error& error) {
        return invalid_argument(fmt::format("{}, line {}: {}", path, error.source().begin.line,
                                            std::string(error.description())));
    }
    const toml::table* found = content["profile"][name].as_table();
    if (found != nullptr) return read_table(*found);
    if (!profile) return ClientFlags{};
    return not_found(fmt::format("{} has no profile \"{}\"", path, name));
}

}  // namespace stele::cli
