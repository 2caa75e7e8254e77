#pragma once

#include "cli/session.h"

#include <CLI/CLI.hpp>

#include <functional>
#include <string>

// How commands are declared: a name, flags and what to do with them. Parsing only chooses; the
// command runs when the whole line has been understood.
namespace stele::cli {

using Command = std::function<absl::Status(Session& session)>;

/// Adds the client's flags to every command that it declares, and remembers which one the user
/// chose. Must outlive the parsing and the command.
class CommandSet {
public:
    explicit CommandSet(CLI::App& app) : app_(app) {}

    /// A name that only groups commands, such as "workflow".
    CLI::App& group(CLI::App& parent, const std::string& name, const std::string& description);
    CLI::App& root() { return app_; }
    /// A command. `examples` ends its help text.
    CLI::App& command(CLI::App& parent, const std::string& name, const std::string& description,
                      const std::string& examples, Command command);

    /// Runs what was chosen, if it is a command of this set; the exit code of the process.
    std::optional<int> run_chosen();

private:
    void add_common_flags(CLI::App& app, const std::string& help_group);
    void add_client_flags(CLI::App& app, const std::string& help_group);
    void add_tls_flags(CLI::App& app, const std::string& help_group);
    absl::Status run(const Command& command);

    CLI::App& app_;
    CommonFlags flags_;
    Command chosen_;
};

// Flags of kinds that CLI11 does not know. `target` must outlive the parsing.
CLI::Option* add_duration(CLI::App& app, const std::string& name, Duration& target,
                          const std::string& description);
/// A flag that may be given again and again, each time with one value, taken as it stands.
CLI::Option* add_repeatable(CLI::App& app, const std::string& name,
                            std::vector<std::string>& target, const std::string& description);

}  // namespace stele::cli
