#include "stele/profile.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <utility>

#include "base/toml.h"

namespace stele {

namespace {

using Environment = std::map<std::string, std::string>;

constexpr std::string_view kMetaPrefix = "TEMPORAL_GRPC_META_";

Environment process_environment() {
    Environment result;
    for (char** at = environ; *at != nullptr; ++at) {
        const std::string_view entry = *at;
        const std::size_t equals = entry.find('=');
        if (equals != std::string_view::npos)
            result.emplace(entry.substr(0, equals), entry.substr(equals + 1));
    }
    return result;
}

/// A variable without a value counts as one that is not set.
std::optional<std::string> variable(const Environment& environment, const std::string& name) {
    const auto found = environment.find(name);
    if (found == environment.end() || found->second.empty()) return std::nullopt;
    return found->second;
}

std::optional<bool> flag_variable(const Environment& environment, const std::string& name) {
    const auto text = variable(environment, name);
    if (!text) return std::nullopt;
    std::string lower = *text;
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (lower == "true" || lower == "1") return true;
    if (lower == "false" || lower == "0") return false;
    throw ConfigurationError(name + " must be true or false, not " + *text);
}

std::string metadata_name(std::string_view key) {
    std::string name(key);
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) {
        return c == '_' ? '-' : static_cast<char>(std::tolower(c));
    });
    return name;
}

std::string default_file(const Environment& environment) {
    constexpr char kBelow[] = "/temporalio/temporal.toml";
    if (const auto directory = variable(environment, "XDG_CONFIG_HOME")) return *directory + kBelow;
    const auto home = variable(environment, "HOME");
    return home ? *home + "/.config" + kBelow : std::string();
}

std::string read_all(std::ifstream& file) {
    return std::string(std::istreambuf_iterator<char>(file), {});
}

/// Reads one table of the file, and remembers which keys it was asked for.
class Section {
public:
    Section(const toml::table& table, std::string name) : table_(table), name_(std::move(name)) {}

    std::optional<std::string> text(const char* key) { return read<std::string>(key, "text"); }
    std::optional<bool> flag(const char* key) { return read<bool>(key, "true or false"); }

    std::optional<Section> section(const char* key) {
        const toml::node* node = look_up(key);
        if (node == nullptr) return std::nullopt;
        if (!node->is_table()) throw_wrong(key, "a table");
        return Section(*node->as_table(), name_ + "." + key);
    }

    bool is_flag(const char* key) const { return table_[key].is_boolean(); }
    const toml::table& table() const { return table_; }

    void refuse_unknown_keys() const {
        for (const auto& [key, node] : table_)
            if (!known_.contains(key.str()))
                throw ConfigurationError(name_ + "." + std::string(key.str()) +
                                         " is not a key that is known");
    }

    [[noreturn]] void throw_wrong(std::string_view key, std::string_view wanted) const {
        throw ConfigurationError(name_ + "." + std::string(key) + " must be " +
                                 std::string(wanted));
    }

private:
    const toml::node* look_up(const char* key) {
        known_.insert(key);
        return table_.get(key);
    }

    template <class T>
    std::optional<T> read(const char* key, const char* wanted) {
        const toml::node* node = look_up(key);
        if (node == nullptr) return std::nullopt;
        const auto value = node->value_exact<T>();
        if (!value) throw_wrong(key, wanted);
        return value;
    }

    const toml::table& table_;
    std::string name_;
    std::set<std::string, std::less<>> known_;
};

void read_tls(Section& profile, bool strict, ClientProfile& result) {
    if (profile.is_flag("tls")) {
        result.tls = profile.flag("tls");
        return;
    }
    auto tls = profile.section("tls");
    if (!tls) return;
    result.tls = !tls->flag("disabled").value_or(false);
    result.client_certificate = {tls->text("client_cert_path"), tls->text("client_cert_data")};
    result.client_key = {tls->text("client_key_path"), tls->text("client_key_data")};
    result.server_ca_certificate = {tls->text("server_ca_cert_path"),
                                    tls->text("server_ca_cert_data")};
    result.server_name = tls->text("server_name");
    result.disable_host_verification = tls->flag("disable_host_verification");
    if (strict) tls->refuse_unknown_keys();
}

ClientProfile read_profile(const toml::table& table, const std::string& name, bool strict) {
    ClientProfile result;
    Section profile(table, name);
    result.address = profile.text("address");
    result.namespace_name = profile.text("namespace");
    result.api_key = profile.text("api_key");
    read_tls(profile, strict, result);
    if (auto codec = profile.section("codec")) {
        result.codec_endpoint = codec->text("endpoint");
        result.codec_auth = codec->text("auth");
        if (strict) codec->refuse_unknown_keys();
    }
    if (const auto metadata = profile.section("grpc_meta")) {
        for (const auto& [key, node] : metadata->table()) {
            const auto value = node.value_exact<std::string>();
            if (!value) metadata->throw_wrong(key.str(), "text");
            result.grpc_meta[metadata_name(key.str())] = *value;
        }
    }
    if (strict) profile.refuse_unknown_keys();
    return result;
}

struct Toml {
    std::string text;
    /// For messages.
    std::string name;
};

Toml read_toml(const ProfileSource& source, const Environment& environment) {
    if (source.toml) {
        if (!source.file.empty())
            throw ConfigurationError("a profile cannot come from a file and from a text at once");
        return {*source.toml, "the configuration"};
    }
    std::string path = source.file;
    if (path.empty()) path = variable(environment, "TEMPORAL_CONFIG_FILE").value_or("");
    if (path.empty()) path = default_file(environment);
    if (path.empty()) return {"", "the configuration"};
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        const int error = errno;
        if (error == ENOENT || error == ENOTDIR) return {"", path};
        throw ConfigurationError("the file " + path + " cannot be read: " + std::strerror(error));
    }
    return {read_all(file), path};
}

toml::table parse(const Toml& toml) {
    try {
        return toml::parse(toml.text);
    } catch (const toml::parse_error& error) {
        std::ostringstream text;
        text << toml.name << ", line " << error.source().begin.line << ": " << error.description();
        throw ConfigurationError(text.str());
    }
}

/// The tables that the profile stands in are checked as well: a file that has "profiles" in place of
/// "profile" is a mistake that strictness is there to find.
ClientProfile find_profile(const ProfileSource& source, const Environment& environment) {
    const Toml toml = read_toml(source, environment);
    const toml::table content = parse(toml);
    std::optional<std::string> wanted = source.profile;
    if (wanted->empty()) wanted = variable(environment, "TEMPORAL_PROFILE");
    const std::string name = wanted.value_or("default");
    try {
        if (source.strict) {
            for (const auto& [key, node] : content)
                if (key.str() != "profile")
                    throw ConfigurationError(std::string(key.str()) +
                                             " is not a key that is known");
        }
        const toml::node* profiles = content.get("profile");
        if (profiles != nullptr && !profiles->is_table())
            throw ConfigurationError("profile must be a table of profiles");
        const toml::node* profile = profiles == nullptr ? nullptr : profiles->as_table()->get(name);
        if (profile == nullptr) {
            if (!wanted) return {};
            throw ConfigurationError("there is no profile \"" + name + "\"");
        }
        if (!profile->is_table()) throw ConfigurationError("profile." + name + " must be a table");
        return read_profile(*profile->as_table(), "profile." + name, source.strict);
    } catch (const ConfigurationError& error) {
        throw ConfigurationError(toml.name + ": " + error.what());
    }
}

/// A path in the environment takes the place of data in the file, and the other way round.
void apply_pem(const Environment& environment, const std::string& name, ClientProfile::Pem& pem,
               bool& any) {
    ClientProfile::Pem found{variable(environment, name + "_PATH"),
                             variable(environment, name + "_DATA")};
    if (!found.path && !found.data) return;
    if (found.path && found.data)
        throw ConfigurationError(name + "_PATH and " + name + "_DATA cannot both be set");
    pem = std::move(found);
    any = true;
}

void apply_environment(const Environment& environment, ClientProfile& profile) {
    const auto take = [&](const char* name, std::optional<std::string>& value) {
        auto found = variable(environment, name);
        if (found) value = std::move(found);
        return value.has_value();
    };
    take("TEMPORAL_ADDRESS", profile.address);
    take("TEMPORAL_NAMESPACE", profile.namespace_name);
    take("TEMPORAL_API_KEY", profile.api_key);
    bool any_tls = false;
    apply_pem(environment, "TEMPORAL_TLS_CLIENT_CERT", profile.client_certificate, any_tls);
    apply_pem(environment, "TEMPORAL_TLS_CLIENT_KEY", profile.client_key, any_tls);
    apply_pem(environment, "TEMPORAL_TLS_SERVER_CA_CERT", profile.server_ca_certificate, any_tls);
    if (variable(environment, "TEMPORAL_TLS_SERVER_NAME")) any_tls = true;
    take("TEMPORAL_TLS_SERVER_NAME", profile.server_name);
    if (const auto flag = flag_variable(environment, "TEMPORAL_TLS_DISABLE_HOST_VERIFICATION")) {
        profile.disable_host_verification = flag;
        any_tls = true;
    }
    // A setting of TLS asks for it, but does not overrule a file that switches it off.
    if (any_tls && !profile.tls) profile.tls = true;
    if (const auto flag = flag_variable(environment, "TEMPORAL_TLS")) profile.tls = flag;
    take("TEMPORAL_CODEC_ENDPOINT", profile.codec_endpoint);
    take("TEMPORAL_CODEC_AUTH", profile.codec_auth);
    for (const auto& [name, value] : environment) {
        if (!name.starts_with(kMetaPrefix)) continue;
        const std::string key = metadata_name(std::string_view(name).substr(kMetaPrefix.size()));
        // Here alone an empty value says something: it takes away what the file has.
        if (value.empty())
            profile.grpc_meta.erase(key);
        else
            profile.grpc_meta[key] = value;
    }
}

std::string read_pem(const ClientProfile::Pem& pem, const char* what) {
    if (pem.path && pem.data)
        throw ConfigurationError(std::string("the ") + what +
                                 " is given both as a path and as data");
    if (pem.data) return *pem.data;
    if (!pem.path) return {};
    std::ifstream file(*pem.path, std::ios::binary);
    if (!file)
        throw ConfigurationError(std::string("the file of the ") + what +
                                 " cannot be read: " + *pem.path + ": " + std::strerror(errno));
    std::string text = read_all(file);
    if (text.empty())
        throw ConfigurationError(std::string("the file of the ") + what +
                                 " is empty: " + *pem.path);
    return text;
}

}  // namespace

ClientProfile load_client_profile(const ProfileSource& source) {
    if (!source.use_file && !source.use_environment)
        throw ConfigurationError("a profile must come from a file or from the environment");
    const Environment environment =
        source.environment ? *source.environment : process_environment();
    ClientProfile profile;
    if (source.use_file) profile = find_profile(source, environment);
    if (source.use_environment) apply_environment(environment, profile);
    return profile;
}

ClientOptions ClientProfile::client_options() const {
    ClientOptions options;
    if (address) options.address = *address;
    if (namespace_name) options.namespace_name = *namespace_name;
    options.api_key = api_key.value_or("");
    options.metadata = grpc_meta;
    const auto given = [](const Pem& pem) { return pem.path || pem.data; };
    options.use_tls =
        tls.value_or(!options.api_key.empty() || given(client_certificate) || given(client_key) ||
                     given(server_ca_certificate) || server_name || disable_host_verification);
    if (!options.use_tls) return options;
    options.tls.root_certificates = read_pem(server_ca_certificate, "server's CA certificate");
    options.tls.client_certificate = read_pem(client_certificate, "client certificate");
    options.tls.client_key = read_pem(client_key, "client key");
    if (options.tls.client_certificate.empty() != options.tls.client_key.empty())
        throw ConfigurationError("a client certificate and its key must be given together");
    options.tls.server_name = server_name.value_or("");
    options.tls.disable_host_verification = disable_host_verification.value_or(false);
    return options;
}

ClientOptions load_client_options(const ProfileSource& source) {
    return load_client_profile(source).client_options();
}

}  // namespace stele
