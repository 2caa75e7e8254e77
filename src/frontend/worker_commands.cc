#include "frontend/worker_commands.h"

#include "frontend/poll_responses.h"
#include "temporal/api/nexusservices/workerservice/v1/request_response.pb.h"

#include <utility>

namespace stele::frontend {
namespace {

using temporal::api::nexusservices::workerservice::v1::ExecuteCommandsRequest;

constexpr char kService[] = "temporal.api.nexusservices.workerservice.v1.WorkerService";
constexpr char kOperation[] = "ExecuteCommands";

}  // namespace

void WorkerCommands::send(shard::NexusRequest request, Reply<history::NexusAnswer> reply) {
    tasks_.dispatch(std::move(request), std::move(reply));
}

void WorkerCommands::send(shard::CancelActivities commands, Reply<history::NexusAnswer> reply) {
    ExecuteCommandsRequest message;
    for (const history::ActivityToken& activity : commands.activities) {
        message.add_commands()->mutable_cancel_activity()->set_task_token(
            tokens_.sign(wire_token(commands.run, activity)));
    }
    shard::NexusRequest request;
    request.queue = std::move(commands.queue);
    request.deadline = commands.deadline;
    auto& start = *request.request.mutable_start_operation();
    start.set_service(kService);
    start.set_operation(kOperation);
    // Read by the core of the SDKs, which knows this encoding only.
    (*start.mutable_payload()->mutable_metadata())["encoding"] = "binary/protobuf";
    start.mutable_payload()->set_data(message.SerializeAsString());
    tasks_.dispatch(std::move(request), std::move(reply));
}

}  // namespace stele::frontend
