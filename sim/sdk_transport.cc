#include "sim/sdk_transport.h"

#include "embedded/transport.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace stele::sim {
namespace {

namespace enums = temporal::api::enums::v1;
namespace service = temporal::api::workflowservice::v1;

/// While messages are lost a connection is given up earlier than the SDK would have it, as gRPC does
/// it when nothing comes back: or most of the time would be spent waiting.
constexpr Duration kPollPatience = std::chrono::seconds(12);
constexpr Duration kCallPatience = std::chrono::seconds(3);

bool is_poll(std::string_view method) { return method.find("/Poll") != std::string_view::npos; }

template <typename Message>
const Message* as(const google::protobuf::Message& message) {
    return google::protobuf::DynamicCastToGenerated<Message>(&message);
}

}  // namespace

/// What the SDK holds of a call.
class SdkTransport::CallUnderWay final : public Transport::Call {
public:
    CallUnderWay(std::weak_ptr<SdkTransport> transport, std::uint64_t number)
        : transport_(std::move(transport)), number_(number) {}

    void cancel() override {
        const auto transport = transport_.lock();
        if (!transport) return;
        const auto found = transport->open_.find(number_);
        if (found != transport->open_.end()) transport->network_.abandon(found->second.id);
    }

private:
    std::weak_ptr<SdkTransport> transport_;
    std::uint64_t number_;
};

std::shared_ptr<Transport::Call> SdkTransport::call(
    std::string_view method, std::shared_ptr<const google::protobuf::Message> request,
    std::shared_ptr<google::protobuf::Message> reply, const CallOptions& options, Callback done) {
    look_at_request(*request);
    const Duration patience = network_.healed() ? Duration::max()
                              : is_poll(method) ? kPollPatience
                                                : kCallPatience;
    const std::uint64_t number = ++last_number_;
    Open& open = open_[number];
    open.request = std::move(request);
    open.reply = std::move(reply);
    open.done = std::move(done);
    open.patient = options.timeout <= patience;
    open.id = network_.call(std::string(method), *open.request,
                            std::min<Duration>(options.timeout, patience),
                            Network::Done([weak = weak_from_this(),
                                           number](const absl::StatusOr<std::string>& response) {
                                if (const auto self = weak.lock()) self->answered(number, response);
                            }),
                            options.metadata);
    return std::make_shared<CallUnderWay>(weak_from_this(), number);
}

void SdkTransport::answered(std::uint64_t number, const absl::StatusOr<std::string>& response) {
    const auto found = open_.find(number);
    if (found == open_.end()) return;
    const Open open = std::move(found->second);
    open_.erase(found);
    if (response.ok()) {
        const bool parsed = open.reply->ParseFromString(*response);
        if (!parsed) record_.violation("an answer to the SDK does not parse");
        look_at_answer(*open.request, *open.reply);
        return open.done({});
    }
    Status status = embedded::to_transport_status(response.status());
    if (status.code == kRpcDeadlineExceeded && !open.patient) {
        status = {kRpcUnavailable, "keepalive watchdog timeout", {}};
    }
    open.done(status);
}

void SdkTransport::close() {
    std::vector<Network::CallId> calls;
    for (const auto& [number, open] : open_) calls.push_back(open.id);
    forget();
    for (const Network::CallId call : calls) {
        if (network_.random().next() % 2 == 0) network_.abandon(call);
    }
}

/// No run of the SDK's ever finds its code and its history different.
void SdkTransport::look_at_request(const google::protobuf::Message& request) {
    enums::WorkflowTaskFailedCause cause{};
    std::string message;
    if (const auto* failed = as<service::RespondWorkflowTaskFailedRequest>(request)) {
        cause = failed->cause();
        message = failed->failure().message();
    } else if (const auto* query = as<service::RespondQueryTaskCompletedRequest>(request)) {
        cause = query->cause();
        message = query->error_message();
    }
    if (cause != enums::WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR) return;
    record_.violation("invariant 21: a worker of the SDK finds nondeterminism: " + message);
}

template <typename Task>
void SdkTransport::given_activity(const Task& task) {
    if (task.task_token().empty()) return;
    record_.task_given(task);
    activities_[task.task_token()] = {task.workflow_execution().run_id(), task.activity_id(),
                                      task.attempt()};
}

void SdkTransport::look_at_answer(const google::protobuf::Message& request,
                                  const google::protobuf::Message& reply) {
    if (const auto* task = as<service::PollWorkflowTaskQueueResponse>(reply)) {
        if (!task->task_token().empty() && !task->has_query()) {
            record_.task_given(*task);
        }
    } else if (const auto* activity = as<service::PollActivityTaskQueueResponse>(reply)) {
        given_activity(*activity);
    } else if (const auto* answer = as<service::RespondWorkflowTaskCompletedResponse>(reply)) {
        record_.task_completed(
            as<service::RespondWorkflowTaskCompletedRequest>(request)->task_token());
        if (!answer->workflow_task().task_token().empty()) {
            record_.task_given(answer->workflow_task());
        }
        for (const auto& eager : answer->activity_tasks()) given_activity(eager);
    } else if (const auto* done = as<service::RespondActivityTaskCompletedRequest>(request)) {
        const auto found = activities_.find(done->task_token());
        if (found == activities_.end()) {
            return record_.violation("the SDK completes an activity that it was not given");
        }
        std::apply([this](const auto&... names) { record_.activity_completed(names...); },
                   found->second);
    }
}

}  // namespace stele::sim
