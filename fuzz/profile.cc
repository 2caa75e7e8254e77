#include "fuzz/target.h"

#include "stele/errors.h"
#include "stele/profile.h"

// A profile file (a block) and variables (the lines behind it) as a client reads them: options come of
// it, or ConfigurationError names what is wrong.
namespace {

using namespace stele;

bool reads_files(const ClientProfile& profile) {
    return profile.client_certificate.path || profile.client_key.path ||
           profile.server_ca_certificate.path;
}

void check_options(const ClientProfile& profile) {
    if (reads_files(profile)) return;  // the input shall not choose files of this machine
    const ClientOptions options = profile.client_options();
    STELE_CHECK(options.use_tls || options.tls.client_key.empty(), "a key without TLS");
    STELE_CHECK(options.tls.client_certificate.empty() == options.tls.client_key.empty(),
                "a certificate without its key");
    for (const auto& [name, value] : profile.grpc_meta) {
        STELE_CHECK(name.find('_') == std::string::npos, "a name of metadata that was not mended");
    }
}

}  // namespace

STELE_FUZZ_TARGET(profile) {
    stele::fuzz::Pieces pieces(input);
    ProfileSource source;
    const std::uint8_t flags = pieces.byte();
    source.strict = (flags & 1) != 0;
    if ((flags & 2) != 0) source.profile = "other";
    source.toml = std::string(pieces.block());
    source.environment.emplace();
    while (!pieces.empty()) {
        const std::string_view line = pieces.line();
        const std::size_t equals = line.find('=');
        if (equals == std::string_view::npos) continue;
        (*source.environment)[std::string(line.substr(0, equals))] = line.substr(equals + 1);
    }
    try {
        check_options(load_client_profile(source));
    } catch (const ConfigurationError& error) {
        STELE_CHECK(*error.what() != '\0', "no word about what is wrong");
    }
}
