#include "cli/activity.h"

namespace stele::cli {

void add_activity_commands(CommandSet& commands) {
    CLI::App& group =
        commands.group(commands.root(), "activity", "End and control activities of workflows");
    add_activity_outcome_commands(commands, group);
    add_activity_control_commands(commands, group);
}

}  // namespace stele::cli
