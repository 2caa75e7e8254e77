#pragma once

#include <map>
#include <optional>
#include <string>

#include "stele/client.h"

// Where a server is and how to reach it, from outside the program: from TEMPORAL_* variables, else
// from the profile in a TOML file, else as ClientOptions have it. File and variables are those of the
// official SDKs and tools.
//
//     [profile.default]                           TEMPORAL_...
//     address = "127.0.0.1:7233"                  ADDRESS
//     namespace = "orders"                        NAMESPACE
//     api_key = "..."                             API_KEY
//     tls = true                                  TLS
//     tls.client_cert_path = "client.pem"         TLS_CLIENT_CERT_PATH, or ..._cert_data
//     tls.client_key_path = "client.key"          TLS_CLIENT_KEY_PATH, or ..._key_data
//     tls.server_ca_cert_path = "ca.pem"          TLS_SERVER_CA_CERT_PATH, or ..._cert_data
//     tls.server_name = "stele.example"           TLS_SERVER_NAME
//     tls.disable_host_verification = false       TLS_DISABLE_HOST_VERIFICATION
//     codec.endpoint = "http://127.0.0.1:8081"    CODEC_ENDPOINT
//     codec.auth = "Bearer ..."                   CODEC_AUTH
//     grpc_meta.team = "blue"                     GRPC_META_TEAM
//
// Paths are relative to the working directory.
namespace stele {

struct ProfileSource {
    /// Empty: the file that TEMPORAL_CONFIG_FILE names, else temporalio/temporal.toml in the user's
    /// configuration directory. A file that does not exist has no profiles.
    std::string file = {};
    /// TOML that takes the place of a file.
    std::optional<std::string> toml = {};
    /// Empty: the one that TEMPORAL_PROFILE names, else "default", which alone may be missing.
    std::string profile = {};
    /// Refuse keys that are not known. Files of newer tools may have some.
    bool strict = false;
    bool use_file = true;
    /// Without it the variables may still name the file and the profile.
    bool use_environment = true;
    /// Takes the place of the process's variables.
    std::optional<std::map<std::string, std::string>> environment = {};
};

/// What a file and variables say, before certificates are read. What is absent was not said.
struct ClientProfile {
    std::optional<std::string> address = {};
    std::optional<std::string> namespace_name = {};
    std::optional<std::string> api_key = {};

    /// Whether to use TLS; absent: if there is an API key or any other setting of TLS.
    std::optional<bool> tls = {};
    /// A path or the PEM text itself.
    struct Pem {
        std::optional<std::string> path = {};
        std::optional<std::string> data = {};
    };
    Pem client_certificate = {};
    Pem client_key = {};
    Pem server_ca_certificate = {};
    std::optional<std::string> server_name = {};
    std::optional<bool> disable_host_verification = {};

    /// For tools that show payloads; a client of this SDK brings its own codecs.
    std::optional<std::string> codec_endpoint = {};
    std::optional<std::string> codec_auth = {};

    /// Names in lower case, with hyphens.
    std::map<std::string, std::string> grpc_meta = {};

    /// Reads the certificates. Throws ConfigurationError for a file that cannot be read, for both a
    /// path and data, and for a certificate without its key.
    ClientOptions client_options() const;
};

/// Throws ConfigurationError, which names the file and the line, the key or the variable that is wrong.
/// Safe to call from any thread as long as none changes the process's variables.
ClientProfile load_client_profile(const ProfileSource& source = {});

/// The same as options: `Client::connect(load_client_options())`. What they do not say of may be set
/// afterwards.
ClientOptions load_client_options(const ProfileSource& source = {});

}  // namespace stele
