#pragma once

#include "frontend/validation.h"

#include <string>

// Names of task queues as callers may give them. Temporal spreads a queue over partitions, and the
// name of one of them, "/_sys/<queue>/<number>", may stand where a queue is described. Pure.
namespace stele::frontend {

struct PartitionName {
    std::string queue;
    int partition = 0;  // 0: the root, whose name is that of the queue
};

/// INVALID_ARGUMENT for a name that begins like that of a partition and is none.
absl::StatusOr<PartitionName> parse_partition(const std::string& name);

/// Checks the queue of a request and fills in its kind; partitions are allowed.
absl::StatusOr<PartitionName> validate_partition(bool set, api::taskqueue::v1::TaskQueue& queue);
template <typename Request>
absl::StatusOr<PartitionName> validate_partition(Request& request) {
    const bool set = request.has_task_queue();
    return validate_partition(set, *request.mutable_task_queue());
}

/// The same for a queue as a whole.
template <typename Request>
absl::StatusOr<PartitionName> validate_queue(Request& request) {
    STELE_RETURN_IF_ERROR(validate_task_queue(request));
    return PartitionName{request.task_queue().name(), 0};
}

}  // namespace stele::frontend
