// A gRPC server that answers the calls of the raw load and does nothing else: no engine, no store.
// Workflows exist as numbers in queues, so that every call waits for what it would wait for and gets
// an answer of the usual size. What it reaches is the ceiling of any server on this machine.
#include "temporal/api/workflowservice/v1/request_response.pb.h"

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/impl/codegen/server_callback_handlers.h>
#include <grpcpp/impl/codegen/service_type.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdlib>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace stele::bench {
namespace {

namespace service = temporal::api::workflowservice::v1;

constexpr std::int64_t kFirstStarted = 3;
constexpr std::int64_t kEventsPerActivity = 6;
constexpr std::size_t kEventBytes = 120;  // of a small event, as the engine stores it

/// A unary call as bytes, answered from any thread.
class Call final : public grpc::ServerUnaryReactor {
public:
    Call(const grpc::ByteBuffer* request, grpc::ByteBuffer* response)
        : request_(request), response_(response) {}

    template <typename Request>
    Request read() const {
        grpc::ByteBuffer bytes(*request_);
        Request request;
        (void)grpc::GenericDeserialize<grpc::ProtoBufferReader, google::protobuf::MessageLite>(
            &bytes, &request);
        return request;
    }
    void answer(const google::protobuf::Message& message) {
        const grpc::Slice slice(message.SerializeAsString());
        *response_ = grpc::ByteBuffer(&slice, 1);
        Finish(grpc::Status::OK);
    }
    /// A call may have been cancelled while it waited; answering it is then without effect.
    void OnDone() override { delete this; }

private:
    const grpc::ByteBuffer* request_;
    grpc::ByteBuffer* response_;
};

/// Tasks and polls of one queue; one of both is always empty.
struct Queue {
    std::deque<std::string> tasks;
    std::deque<Call*> polls;
};

class EmptyServer final : public grpc::Service {
public:
    EmptyServer() {
        add("StartWorkflowExecution", [this](Call* call) { start(call); });
        add("GetWorkflowExecutionHistory", [this](Call* call) { await_close(call); });
        add("PollWorkflowTaskQueue", [this](Call* call) {
            const auto request = call->read<service::PollWorkflowTaskQueueRequest>();
            poll("workflow " + request.task_queue().name(), call);
        });
        add("RespondWorkflowTaskCompleted", [this](Call* call) { complete_task(call); });
        add("PollActivityTaskQueue", [this](Call* call) {
            const auto request = call->read<service::PollActivityTaskQueueRequest>();
            poll("activity " + request.task_queue().name(), call);
        });
        add("RespondActivityTaskCompleted", [this](Call* call) { complete_activity(call); });
    }

private:
    using Handler = grpc::internal::CallbackUnaryHandler<grpc::ByteBuffer, grpc::ByteBuffer>;

    struct Workflow {
        std::string queue;
        std::string sticky;
        std::int64_t started = kFirstStarted;
        bool closed = false;
        Call* waiter = nullptr;
    };

    void add(const std::string& method, std::function<void(Call*)> handle) {
        names_.push_back("/temporal.api.workflowservice.v1.WorkflowService/" + method);
        AddMethod(new grpc::internal::RpcServiceMethod(
            names_.back().c_str(), grpc::internal::RpcMethod::NORMAL_RPC, nullptr));
        MarkMethodRawCallback(
            static_cast<int>(names_.size()) - 1,
            new Handler([handle = std::move(handle)](grpc::CallbackServerContext*,
                                                     const grpc::ByteBuffer* request,
                                                     grpc::ByteBuffer* response) {
                auto* call = new Call(request, response);
                handle(call);
                return static_cast<grpc::ServerUnaryReactor*>(call);
            }));
    }

    void start(Call* call) {
        const auto request = call->read<service::StartWorkflowExecutionRequest>();
        service::StartWorkflowExecutionResponse response;
        response.set_run_id(request.workflow_id());
        response.set_started(true);
        call->answer(response);
        std::lock_guard lock(mutex_);
        workflows_[request.workflow_id()].queue = request.task_queue().name();
        offer("workflow " + request.task_queue().name(), request.workflow_id());
    }

    void await_close(Call* call) {
        const auto request = call->read<service::GetWorkflowExecutionHistoryRequest>();
        std::lock_guard lock(mutex_);
        Workflow& workflow = workflows_[request.execution().workflow_id()];
        if (workflow.closed) {
            answer_close(call);
            workflows_.erase(request.execution().workflow_id());
        } else {
            workflow.waiter = call;
        }
    }

    static void answer_close(Call* call) {
        service::GetWorkflowExecutionHistoryResponse response;
        auto& event = *response.mutable_history()->add_events();
        event.set_event_id(kFirstStarted);
        event.mutable_workflow_execution_completed_event_attributes();
        call->answer(response);
    }

    void poll(const std::string& name, Call* call) {
        std::lock_guard lock(mutex_);
        Queue& queue = queues_[name];
        if (queue.tasks.empty()) {
            queue.polls.push_back(call);
            return;
        }
        hand_over(call, queue.tasks.front(), name);
        queue.tasks.pop_front();
    }

    void offer(const std::string& name, const std::string& workflow_id) {
        Queue& queue = queues_[name];
        if (queue.polls.empty()) {
            queue.tasks.push_back(workflow_id);
            return;
        }
        hand_over(queue.polls.front(), workflow_id, name);
        queue.polls.pop_front();
    }

    void hand_over(Call* call, const std::string& workflow_id, const std::string& queue) {
        if (queue.starts_with("activity")) {
            service::PollActivityTaskQueueResponse response;
            response.set_task_token(workflow_id);
            response.set_activity_id("1");
            response.mutable_workflow_execution()->set_workflow_id(workflow_id);
            return call->answer(response);
        }
        service::PollWorkflowTaskQueueResponse response;
        response.set_task_token(workflow_id);
        response.mutable_workflow_execution()->set_workflow_id(workflow_id);
        response.set_started_event_id(workflows_[workflow_id].started);
        for (std::int64_t i = 0; i < kFirstStarted; ++i) {
            auto& event = *response.mutable_history()->add_events();
            event.set_event_id(i + 1);
            event.mutable_workflow_execution_started_event_attributes()->set_identity(
                std::string(kEventBytes, 'x'));
        }
        call->answer(response);
    }

    void complete_task(Call* call) {
        const auto request = call->read<service::RespondWorkflowTaskCompletedRequest>();
        call->answer(service::RespondWorkflowTaskCompletedResponse());
        std::lock_guard lock(mutex_);
        Workflow& workflow = workflows_[request.task_token()];
        workflow.sticky = request.sticky_attributes().worker_task_queue().name();
        if (request.commands_size() == 1 &&
            request.commands(0).has_schedule_activity_task_command_attributes()) {
            return offer("activity " + workflow.queue, request.task_token());
        }
        workflow.closed = true;
        if (workflow.waiter == nullptr) return;
        answer_close(workflow.waiter);
        workflows_.erase(request.task_token());
    }

    void complete_activity(Call* call) {
        const auto request = call->read<service::RespondActivityTaskCompletedRequest>();
        call->answer(service::RespondActivityTaskCompletedResponse());
        std::lock_guard lock(mutex_);
        Workflow& workflow = workflows_[request.task_token()];
        workflow.started += kEventsPerActivity;
        offer("workflow " + workflow.sticky, request.task_token());
    }

    std::deque<std::string> names_;  // gRPC keeps pointers to them
    std::mutex mutex_;               // guards what follows
    std::unordered_map<std::string, Workflow> workflows_;
    std::map<std::string, Queue> queues_;
};

}  // namespace
}  // namespace stele::bench

int main(int argc, char** argv) {
    CLI::App app("Answers the calls of the raw load, and does nothing else");
    int port = 0;
    app.add_option("--port", port, "0 lets the system choose one")->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigprocmask(SIG_BLOCK, &ends, nullptr);  // before there are threads, so that all inherit it

    stele::bench::EmptyServer service;
    grpc::ServerBuilder builder;
    builder.AddListeningPort(fmt::format("127.0.0.1:{}", port), grpc::InsecureServerCredentials(),
                             &port);
    builder.RegisterService(&service);
    const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
    if (server == nullptr || port == 0) return EXIT_FAILURE;
    fmt::print("listening on port {}\n", port);
    std::fflush(stdout);
    int signal = 0;
    sigwait(&ends, &signal);
    std::_Exit(EXIT_SUCCESS);  // polls wait for tasks that never come
}
