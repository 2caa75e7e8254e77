#pragma once

#include "frontend/services.h"
#include "frontend/validation.h"

// What all polls for tasks have in common.
namespace stele::frontend {

/// The answer leaves this long before the caller's deadline, so that it still arrives.
inline constexpr Duration kPollTailRoom = std::chrono::seconds(1);

/// The poll that a request asks for, answered empty if it finds nothing in time.
template <typename Request>
matching::Poll make_poll(Services& services, const RequestContext& context,
                         const AuthorizedNamespace& space, shard::QueueKind kind,
                         const Request& request) {
    const api::taskqueue::v1::TaskQueue& queue = request.task_queue();
    matching::Poll poll;
    poll.queue = {space->id, queue.name(), kind};
    poll.identity = request.identity();
    poll.worker_instance_key = request.worker_instance_key();
    if constexpr (requires { request.worker_control_task_queue(); }) {
        poll.control_task_queue = request.worker_control_task_queue();
    }
    poll.request_id = env::new_uuid(services.env.random());
    if (queue.kind() == api::enums::v1::TASK_QUEUE_KIND_STICKY) {
        poll.normal_queue = queue.normal_name();
    }
    poll.expires = context.call->deadline() - kPollTailRoom;
    poll.worker_version = request.worker_version_capabilities();
    poll.deployment = request.deployment_options();
    return poll;
}

}  // namespace stele::frontend
