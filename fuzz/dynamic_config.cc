#include "fuzz/target.h"

#include "config/yaml.h"
#include "server/settings.h"

// Any bytes as a file of settings, or (behind a first byte '=') as a setting of the command line: errors
// name the file and the line, or the setting; what is taken can be asked for.
namespace {

using namespace stele;

const config::Registry& registry() {
    static const config::Registry instance = server::known_settings();
    return instance;
}

void check_usable(const config::Values& values) {
    config::DynamicConfig config(registry());
    config.set_file(values);
    const auto settings = server::settings_of(config, "space", {});
    STELE_CHECK(server::operator_settings(config).endpoint_page == 100 || !values.empty(),
                "a setting came from nowhere");
    static_cast<void>(settings);
}

}  // namespace

STELE_FUZZ_TARGET(dynamic_config) {
    if (input.starts_with('=')) {
        const std::string text(input.substr(1));
        const auto parsed = config::parse_assignments(registry(), {text});
        if (parsed.ok()) return check_usable(parsed->values);
        STELE_CHECK(message_of(parsed.status()).starts_with(text.substr(0, text.find('='))),
                    "the error does not begin with the setting");
        return;
    }
    const auto parsed = config::parse_yaml(registry(), "settings.yaml", std::string(input));
    if (parsed.ok()) return check_usable(parsed->values);
    STELE_CHECK(message_of(parsed.status()).starts_with("settings.yaml:"),
                "the error does not begin with the file: " + message_of(parsed.status()));
}
