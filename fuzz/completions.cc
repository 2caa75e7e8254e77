#include "fuzz/target.h"
#include "fuzz/world.h"

#include "temporal/api/workflowservice/v1/request_response.pb.h"

#include <map>
#include <optional>
#include <string>

// What a worker answers: any commands, messages of updates and queries, several tasks in a row of a run
// that an update waits for. The answer is obeyed or refused; a task that failed can be tried again, and
// the store keeps its invariants.
namespace {

namespace service = temporal::api::workflowservice::v1;
using stele::fuzz::World;

template <typename Request>
Request request_of() {
    Request request;
    request.set_namespace_("mine");
    return request;
}

void start_run(World& world) {
    auto start = request_of<service::StartWorkflowExecutionRequest>();
    start.set_workflow_id("w");
    start.mutable_workflow_type()->set_name("type");
    start.mutable_task_queue()->set_name("queue");
    STELE_CHECK(world.call(World::method("StartWorkflowExecution"), start).ok(), "not started");
}

/// Nobody waits for the answer: the update is admitted, and its caller gone.
void send_update(World& world) {
    auto update = request_of<service::UpdateWorkflowExecutionRequest>();
    update.mutable_workflow_execution()->set_workflow_id("w");
    update.mutable_request()->mutable_meta()->set_update_id("u");
    update.mutable_request()->mutable_input()->set_name("add");
    world.parts().frontend->dispatch(
        World::method("UpdateWorkflowExecution"),
        std::make_shared<stele::frontend::BytesCall>(update.SerializeAsString()));
}

void poll_task(World& world) {
    auto poll = request_of<service::PollWorkflowTaskQueueRequest>();
    poll.mutable_task_queue()->set_name("queue");
    poll.set_identity("worker");
    world.call_raw("PollWorkflowTaskQueue", poll.SerializeAsString());
}

}  // namespace

// Blocks: what RespondWorkflowTaskCompleted has beside the token.
STELE_FUZZ_TARGET(completions) {
    constexpr int kTasksMax = 3;
    World world;
    world.must_not_see_other = input.find("other") == std::string_view::npos &&
                               input.find(World::kCanary) == std::string_view::npos;
    start_run(world);
    send_update(world);
    stele::fuzz::Pieces pieces(input);
    for (int i = 0; i < kTasksMax && !pieces.empty(); ++i) {
        poll_task(world);
        service::RespondWorkflowTaskCompletedRequest completion;
        const std::string bytes(pieces.block());
        if (!completion.ParseFromString(bytes)) continue;
        completion.set_namespace_("mine");
        completion.set_task_token("t");
        world.call_raw("RespondWorkflowTaskCompleted", completion.SerializeAsString());
    }
    world.settle();
}
