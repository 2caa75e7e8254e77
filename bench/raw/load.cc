#include "load.h"

#include "temporal/api/workflowservice/v1/request_response.pb.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <sstream>
#include <thread>
#include <utility>

namespace stele::bench {
namespace {

namespace api = temporal::api;
namespace service = temporal::api::workflowservice::v1;
using Clock = std::chrono::steady_clock;

constexpr char kIdentity[] = "raw-load";
constexpr char kActivityType[] = "raw-activity";
constexpr std::chrono::seconds kPollTimeout{70};
constexpr std::chrono::seconds kCallTimeout{30};
constexpr int kPollersMax = 32;

/// Processor time of a process so far, in user and system mode together.
double process_seconds(int process) {
    std::ifstream file("/proc/" + std::to_string(process) + "/stat");
    std::string line;
    std::getline(file, line);
    const std::size_t name_end = line.rfind(')');
    if (name_end == std::string::npos) return 0;
    // Fields are counted behind the program's name, which may hold anything.
    std::istringstream fields(line.substr(name_end + 1));
    std::string field;
    for (int i = 0; i < 11; ++i) fields >> field;
    double user = 0;
    double system = 0;
    fields >> user >> system;
    return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

double own_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

template <typename Request, typename Response>
struct Rpc {
    grpc::ClientContext context;
    Request request;
    Response response;
};

/// The context, held together with the call that it belongs to.
template <typename Call>
std::shared_ptr<grpc::ClientContext> context_of(const std::shared_ptr<Call>& call) {
    return {call, &call->context};
}

class Load {
public:
    explicit Load(const LoadOptions& options) : options_(options) {
        // Names of this run alone, so that what an earlier one left behind is not met.
        run_ = std::to_string(getpid()) + "-" +
               std::to_string(Clock::now().time_since_epoch().count());
        for (int i = 0; i < std::max(1, options.connections); ++i) {
            grpc::ChannelArguments arguments;
            arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
            channels_.push_back(grpc::CreateCustomChannel(
                options.address, grpc::InsecureChannelCredentials(), arguments));
        }
    }

    LoadResult run() {
        const int pollers = std::clamp(options_.in_flight, 2, kPollersMax);
        for (int i = 0; i < pollers; ++i) {
            poll_workflow(false, i);
            poll_workflow(true, i);
            poll_activity(i);
        }
        for (int i = 0; i < options_.in_flight; ++i) start_workflow(i);
        std::this_thread::sleep_for(options_.warm_up);
        const double server_before = server_seconds();
        const double client_before = own_seconds();
        const Clock::time_point begin = Clock::now();
        measuring_ = true;
        std::this_thread::sleep_for(options_.measure);
        measuring_ = false;
        const Clock::time_point end = Clock::now();
        LoadResult result;
        {
            std::lock_guard lock(mutex_);
            result = std::move(result_);
        }
        result.seconds = std::chrono::duration<double>(end - begin).count();
        result.server_seconds = server_seconds() - server_before;
        result.client_seconds = own_seconds() - client_before;
        stop();
        return result;
    }

private:
    double server_seconds() const {
        return options_.server_process > 0 ? process_seconds(options_.server_process) : 0;
    }

    /// Lets every call end: workflows by themselves, polls by being cancelled.
    void stop() {
        stopping_ = true;
        std::unique_lock lock(mutex_);
        quiet_.wait_for(lock, kCallTimeout, [this] { return working_ == 0; });
        polling_ = false;
        const auto polls = polls_;
        lock.unlock();  // a call that is cancelled may end on this thread
        for (const auto& poll : polls) poll->TryCancel();
        lock.lock();
        quiet_.wait(lock, [this] { return calls_ == 0; });
    }

    /// Makes one call; `then` runs on a thread of gRPC.
    template <typename Response, typename Request>
    void call(const char* method, Request request, std::chrono::seconds timeout, int lane,
              bool is_poll, std::function<void(const grpc::Status&, Response&)> then) {
        using Call = Rpc<Request, Response>;
        auto rpc = std::make_shared<Call>();
        rpc->request = std::move(request);
        rpc->context.set_deadline(std::chrono::system_clock::now() + timeout);
        {
            std::lock_guard lock(mutex_);
            ++calls_;
            if (is_poll) polls_.insert(context_of(rpc));
        }
        auto& channel = channels_[static_cast<std::size_t>(lane) % channels_.size()];
        grpc::TemplatedGenericStub<Request, Response> stub(channel);
        stub.UnaryCall(&rpc->context,
                       std::string("/temporal.api.workflowservice.v1.WorkflowService/") + method,
                       grpc::StubOptions(), &rpc->request, &rpc->response,
                       [this, rpc, is_poll, method, then = std::move(then)](grpc::Status status) {
                           if (!status.ok() && polling_) note_failure(method, status);
                           then(status, rpc->response);
                           std::lock_guard lock(mutex_);
                           if (is_poll) polls_.erase(context_of(rpc));
                           if (--calls_ == 0) quiet_.notify_all();
                       });
    }

    void note_failure(const char* method, const grpc::Status& status) {
        std::lock_guard lock(mutex_);
        ++result_.failures;
        if (result_.first_failure.empty()) {
            result_.first_failure = std::string(method) + ": " + status.error_message();
        }
    }

    // ---- The client: a workflow is started, and its end waited for ------------------------------

    void start_workflow(int lane) {
        if (stopping_) return;
        {
            std::lock_guard lock(mutex_);
            ++working_;
        }
        service::StartWorkflowExecutionRequest request;
        request.set_namespace_(options_.name_space);
        request.set_workflow_id("raw-" + run_ + "-" + std::to_string(++last_workflow_));
        request.set_request_id(request.workflow_id());
        request.mutable_workflow_type()->set_name("raw-workflow");
        request.mutable_task_queue()->set_name("raw-" + run_);
        request.set_identity(kIdentity);
        auto& input = *request.mutable_input()->add_payloads();
        (*input.mutable_metadata())["encoding"] = "json/plain";
        input.set_data("\"input\"");
        const Clock::time_point begin = Clock::now();
        const std::string workflow_id = request.workflow_id();
        call<service::StartWorkflowExecutionResponse>(
            "StartWorkflowExecution", std::move(request), kCallTimeout, lane, false,
            [this, lane, begin, workflow_id](const grpc::Status& status, auto& response) {
                if (!status.ok()) return end_workflow(lane, std::nullopt);
                if (measuring_) {
                    std::lock_guard lock(mutex_);
                    result_.start.add(Clock::now() - begin);
                }
                await_close(lane, begin, workflow_id, response.run_id());
            });
    }

    void await_close(int lane, Clock::time_point begin, const std::string& workflow_id,
                     const std::string& run_id) {
        service::GetWorkflowExecutionHistoryRequest request;
        request.set_namespace_(options_.name_space);
        request.mutable_execution()->set_workflow_id(workflow_id);
        request.mutable_execution()->set_run_id(run_id);
        request.set_wait_new_event(true);
        request.set_history_event_filter_type(
            api::enums::v1::HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT);
        call<service::GetWorkflowExecutionHistoryResponse>(
            "GetWorkflowExecutionHistory", std::move(request), kPollTimeout, lane, false,
            [=, this](const grpc::Status& status, auto& response) {
                if (status.ok() && response.history().events_size() == 0) {
                    return await_close(lane, begin, workflow_id, run_id);
                }
                end_workflow(lane, status.ok() ? std::optional(begin) : std::nullopt);
            });
    }

    void end_workflow(int lane, std::optional<Clock::time_point> begin) {
        if (begin && measuring_) {
            std::lock_guard lock(mutex_);
            ++result_.workflows;
            result_.workflow.add(Clock::now() - *begin);
        }
        start_workflow(lane);
        std::lock_guard lock(mutex_);
        if (--working_ == 0) quiet_.notify_all();
    }

    // ---- The worker ----------------------------------------------------------------------------

    std::string sticky_queue() const { return "raw-sticky-" + run_; }

    void poll_workflow(bool sticky, int lane) {
        if (!polling_) return;
        service::PollWorkflowTaskQueueRequest request;
        request.set_namespace_(options_.name_space);
        auto& queue = *request.mutable_task_queue();
        queue.set_name(sticky ? sticky_queue() : "raw-" + run_);
        if (sticky) {
            queue.set_kind(api::enums::v1::TASK_QUEUE_KIND_STICKY);
            queue.set_normal_name("raw-" + run_);
        }
        request.set_identity(kIdentity);
        call<service::PollWorkflowTaskQueueResponse>(
            "PollWorkflowTaskQueue", std::move(request), kPollTimeout, lane, true,
            [=, this](const grpc::Status& status, auto& response) {
                if (status.ok() && !response.task_token().empty()) complete_task(response, lane);
                poll_workflow(sticky, lane);
            });
    }

    /// The workflow's code: an activity for each task until there were enough of them. Three events
    /// begin a run, and each activity adds six.
    void complete_task(const service::PollWorkflowTaskQueueResponse& task, int lane) {
        constexpr std::int64_t kFirstStarted = 3;
        constexpr std::int64_t kEventsPerActivity = 6;
        const auto done = (task.started_event_id() - kFirstStarted) / kEventsPerActivity;
        service::RespondWorkflowTaskCompletedRequest request;
        request.set_namespace_(options_.name_space);
        request.set_task_token(task.task_token());
        request.set_identity(kIdentity);
        auto& sticky = *request.mutable_sticky_attributes();
        sticky.mutable_worker_task_queue()->set_name(sticky_queue());
        sticky.mutable_worker_task_queue()->set_kind(api::enums::v1::TASK_QUEUE_KIND_STICKY);
        sticky.mutable_schedule_to_start_timeout()->set_seconds(5);
        auto& command = *request.add_commands();
        if (done < options_.activities) {
            command.set_command_type(api::enums::v1::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK);
            auto& attributes = *command.mutable_schedule_activity_task_command_attributes();
            attributes.set_activity_id(std::to_string(done + 1));
            attributes.mutable_activity_type()->set_name(kActivityType);
            attributes.mutable_task_queue()->set_name("raw-" + run_);
            attributes.mutable_start_to_close_timeout()->set_seconds(60);
        } else {
            command.set_command_type(api::enums::v1::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION);
            command.mutable_complete_workflow_execution_command_attributes();
        }
        call<service::RespondWorkflowTaskCompletedResponse>(
            "RespondWorkflowTaskCompleted", std::move(request), kCallTimeout, lane, false,
            [](const grpc::Status&, auto&) {});
    }

    void poll_activity(int lane) {
        if (!polling_) return;
        service::PollActivityTaskQueueRequest request;
        request.set_namespace_(options_.name_space);
        request.mutable_task_queue()->set_name("raw-" + run_);
        request.set_identity(kIdentity);
        call<service::PollActivityTaskQueueResponse>(
            "PollActivityTaskQueue", std::move(request), kPollTimeout, lane, true,
            [=, this](const grpc::Status& status, auto& response) {
                if (status.ok() && !response.task_token().empty()) {
                    service::RespondActivityTaskCompletedRequest completion;
                    completion.set_namespace_(options_.name_space);
                    completion.set_task_token(response.task_token());
                    completion.set_identity(kIdentity);
                    call<service::RespondActivityTaskCompletedResponse>(
                        "RespondActivityTaskCompleted", std::move(completion), kCallTimeout, lane,
                        false, [](const grpc::Status&, auto&) {});
                }
                poll_activity(lane);
            });
    }

    const LoadOptions options_;
    std::string run_;
    std::vector<std::shared_ptr<grpc::Channel>> channels_;
    std::atomic<std::uint64_t> last_workflow_ = 0;
    std::atomic<bool> measuring_ = false;
    std::atomic<bool> stopping_ = false;  // no more workflows are started
    std::atomic<bool> polling_ = true;    // until the last of them has ended

    std::mutex mutex_;  // guards what follows
    std::condition_variable quiet_;
    std::set<std::shared_ptr<grpc::ClientContext>> polls_;
    int calls_ = 0;
    int working_ = 0;  // workflows that were started and have not ended
    LoadResult result_;
};

}  // namespace

double Latencies::percentile(double part) {
    if (values_.empty()) return 0;
    std::sort(values_.begin(), values_.end());
    const auto last = static_cast<double>(values_.size() - 1);
    return static_cast<double>(values_[static_cast<std::size_t>(part * last)]) / 1e6;
}

LoadResult run_load(const LoadOptions& options) { return Load(options).run(); }

}  // namespace stele::bench
