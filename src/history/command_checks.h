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

/// INVALID_ARGUMENT when a command reaches out of the run's namespace; an empty one is the run's own.
absl::Status check_namespace(const std::string& name_space, const Builder& builder);

/// How a task queue shows in messages.
std::string describe(const api::taskqueue::v1::TaskQueue& queue);

}  // namespace stele::history
