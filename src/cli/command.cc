#include "cli/command.h"

#include <unistd.h>

#include <cstdlib>
#include <iostream>

namespace stele::cli {
namespace {

constexpr char kHidden[] = "";  // CLI11 shows no group of this name

template <class Value>
void add_choice(CLI::App& app, const std::string& name, Value& target,
                const std::map<std::string, Value>& choices, const std::string& type,
                const std::string& description, const std::string& help_group) {
    app.add_option(name, target, description)
        ->transform(CLI::CheckedTransformer(choices, CLI::ignore_case).description(""))
        ->type_name(type)
        ->group(help_group);
}

bool wants_color(const CommonFlags& flags) {
    if (flags.color == "always") return true;
    return flags.color == "auto" && isatty(STDOUT_FILENO) != 0 &&
           std::getenv("NO_COLOR") == nullptr;
}

}  // namespace

CLI::App& CommandSet::group(CLI::App& parent, const std::string& name,
                            const std::string& description) {
    CLI::App* group = parent.add_subcommand(name, description);
    group->require_subcommand(1);
    // Flags may stand before the command as well as behind it.
    add_common_flags(*group, kHidden);
    add_client_flags(*group, kHidden);
    return *group;
}

CLI::App& CommandSet::command(CLI::App& parent, const std::string& name,
                              const std::string& description, const std::string& examples,
                              Command command) {
    CLI::App* app = parent.add_subcommand(name, description);
    app->footer("Examples:\n" + examples);
    add_client_flags(*app, "Server");
    add_common_flags(*app, "Output and configuration");
    app->callback([this, command = std::move(command)] { chosen_ = command; });
    return *app;
}

void CommandSet::add_common_flags(CLI::App& app, const std::string& help_group) {
    add_choice<OutputFormat>(app, "-o,--output", flags_.output,
                             {{"text", OutputFormat::kText},
                              {"json", OutputFormat::kJson},
                              {"jsonl", OutputFormat::kJsonLines},
                              {"none", OutputFormat::kNone}},
                             "FORMAT", "text, json, jsonl (one line per value) or none",
                             help_group);
    add_choice<TimeFormat>(
        app, "--time-format", flags_.time_format,
        {{"relative", TimeFormat::kRelative}, {"iso", TimeFormat::kIso}, {"raw", TimeFormat::kRaw}},
        "FORMAT", "relative, iso or raw (nanoseconds)", help_group);
    app.add_option("--color", flags_.color, "always, never or auto")
        ->check(CLI::IsMember({"always", "never", "auto"}).description(""))
        ->type_name("WHEN")
        ->group(help_group);
    app.add_flag("--no-json-shorthand-payloads", flags_.no_shorthand_payloads,
                 "In JSON, show payloads as they are stored instead of their values")
        ->group(help_group);
    add_duration(app, "--command-timeout", flags_.command_timeout, "Give up after this time")
        ->group(help_group);
    app.add_option("--config-file", flags_.config_file, "TOML file with profiles")
        ->type_name("FILE")
        ->group(help_group);
    app.add_option("--profile", flags_.profile, "Profile of the file (default)")
        ->type_name("NAME")
        ->group(help_group);
    app.add_flag("--disable-config-file", flags_.disable_config_file, "Read no file of profiles")
        ->group(help_group);
    app.add_flag("--disable-config-env", flags_.disable_config_env, "Ignore TEMPORAL_* variables")
        ->group(help_group);
}

void CommandSet::add_client_flags(CLI::App& app, const std::string& help_group) {
    ClientFlags& client = flags_.client;
    app.add_option("--address", client.address,
                   "Where the server is (TEMPORAL_ADDRESS; 127.0.0.1:7233)")
        ->type_name("HOST:PORT")
        ->group(help_group);
    app.add_option("-n,--namespace", client.namespace_name,
                   "Namespace (TEMPORAL_NAMESPACE; default)")
        ->type_name("NAME")
        ->group(help_group);
    app.add_option("--api-key", client.api_key, "Sent as a bearer token (TEMPORAL_API_KEY)")
        ->type_name("KEY")
        ->group(help_group);
    app.add_option("--identity", client.identity, "Who asks, as histories will say")
        ->type_name("NAME")
        ->group(help_group);
    add_repeatable(app, "--grpc-meta", flags_.grpc_meta,
                   "Header of every call, KEY=VALUE; repeatable")
        ->type_name("KEY=VALUE")
        ->group(help_group);
    add_tls_flags(app, help_group);
}

void CommandSet::add_tls_flags(CLI::App& app, const std::string& help_group) {
    ClientFlags& client = flags_.client;
    app.add_flag_callback(
           "--tls", [&client] { client.tls = true; },
           "Use TLS (TEMPORAL_TLS); implied by an API key or a certificate")
        ->group(help_group);
    app.add_flag_callback(
           "--no-tls", [&client] { client.tls = false; }, "Use no TLS")
        ->group(help_group);
    app.add_option("--tls-cert-path", client.tls_certificate_path, "Own certificate, PEM")
        ->type_name("FILE")
        ->group(help_group);
    app.add_option("--tls-key-path", client.tls_key_path, "Own private key, PEM")
        ->type_name("FILE")
        ->group(help_group);
    app.add_option("--tls-ca-path", client.tls_authority_path,
                   "Certificates that the server's must be signed with, PEM")
        ->type_name("FILE")
        ->group(help_group);
    app.add_option("--tls-server-name", client.tls_server_name,
                   "Name that the server's certificate must have")
        ->type_name("NAME")
        ->group(help_group);
}

std::optional<int> CommandSet::run_chosen() {
    if (!chosen_) return std::nullopt;
    const absl::Status status = run(chosen_);
    std::cout.flush();
    if (status.ok()) return EXIT_SUCCESS;
    std::cerr << "Error: " << message_of(status) << "\n";
    return EXIT_FAILURE;
}

absl::Status CommandSet::run(const Command& command) {
    STELE_ASSIGN_OR_RETURN(Settings settings, resolve_settings(flags_));
    Printer printer(std::cout, flags_.output, wants_color(flags_));
    Session session(std::move(settings), flags_, printer);
    return command(session);
}

CLI::Option* add_duration(CLI::App& app, const std::string& name, Duration& target,
                          const std::string& description) {
    return app
        .add_option_function<std::string>(
            name,
            [name, &target](const std::string& text) {
                const auto duration = parse_duration(text);
                if (!duration.ok()) {
                    throw CLI::ValidationError(name, message_of(duration.status()));
                }
                target = *duration;
            },
            description)
        ->type_name("DURATION");
}

CLI::Option* add_repeatable(CLI::App& app, const std::string& name,
                            std::vector<std::string>& target, const std::string& description) {
    return app.add_option(name, target, description)->allow_extra_args(false);
}

}  // namespace stele::cli
