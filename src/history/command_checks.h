#pragma once

#include "history/command.h"
#include "history/start_request.h"

#include "temporal/api/taskqueue/v1/message.pb.h"

// What commands of several families are checked for. Functions of their arguments. Thread safe.
namespace stele::history {

/// Fills in the kind, and `otherwise` for a name that is left open. INVALID_ARGUMENT for a name that is
/// too long, reserved, or that of the server's own workers unless the run's own queue
/// (`own`) is one of theirs.
absl::Status validate_user_task_queue(api::taskqueue::v1::TaskQueue& queue,
                                      const std::string& otherwise, const std::string& own,
                                      const Limits& limits);

/// Refuses one more of `what` when the run has as many as it may have.
CommandResult check_pending(std::size_t pending, std::size_t limit, const std::string& what,
                            WorkflowTaskFailedCause cause);

struct TargetNamespace {
    std::string id;
    const SearchAttributeSchema* search_attributes;
    std::shared_ptr<const SearchAttributeSchema> owner;  // of another namespace's; keeps it alive
};
/// The namespace that a command names; an empty name is the run's own. INVALID_ARGUMENT for another
/// one that does not exist, or that commands may not reach.
absl::StatusOr<TargetNamespace> target_namespace(const std::string& name_space,
                                                 const Builder& builder);

/// How a task queue shows in messages.
std::string describe(const api::taskqueue::v1::TaskQueue& queue);

}  // namespace stele::history
