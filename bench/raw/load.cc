#include "load.h"

#include "link.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <utility>

namespace stele::bench {
namespace {

namespace api = temporal::api;
namespace service = temporal::api::workflowservice::v1;
using Clock = Link::Clock;

constexpr char kIdentity[] = "raw-load";
constexpr char kActivityType[] = "raw-activity";
constexpr std::chrono::seconds kEndTimeout{30};
constexpr int kPollersMax = 32;

/// Processor time of a process so far, in user and system mode together, with that of children that
/// have ended.
double seconds_of(int process) {
    std::ifstream file("/proc/" + std::to_string(process) + "/stat");
    std::string line;
    std::getline(file, line);
    const std::size_t name_end = line.rfind(')');
    if (name_end == std::string::npos) return 0;
    // Fields are counted behind the program's name, which may hold anything.
    std::istringstream fields(line.substr(name_end + 1));
    std::string field;
    for (int i = 0; i < 11; ++i) fields >> field;
    double ticks = 0;
    for (int i = 0; i < 4; ++i) {
        double some = 0;
        fields >> some;
        ticks += some;
    }
    return ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

/// The same with that of all processes that it has started: a server may bring its database along.
double process_seconds(int process) {
    double seconds = seconds_of(process);
    std::error_code gone;
    const std::filesystem::path threads = "/proc/" + std::to_string(process) + "/task";
    for (const auto& thread : std::filesystem::directory_iterator(threads, gone)) {
        std::ifstream children(thread.path() / "children");
        for (int child = 0; children >> child;) seconds += process_seconds(child);
    }
    return seconds;
}

double own_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::string path_of(const char* method) {
    return std::string("/temporal.api.workflowservice.v1.WorkflowService/") + method;
}

// Views of them are kept while a call is under way.
const std::string kStart = path_of("StartWorkflowExecution");
const std::string kHistory = path_of("GetWorkflowExecutionHistory");
const std::string kPollWorkflow = path_of("PollWorkflowTaskQueue");
const std::string kPollActivity = path_of("PollActivityTaskQueue");
const std::string kCompleteTask = path_of("RespondWorkflowTaskCompleted");
const std::string kCompleteActivity = path_of("RespondActivityTaskCompleted");

class Load {
public:
    Load(Link& link, const LoadOptions& options) : link_(link), options_(options) {
        // Names of this run alone, so that what an earlier one left behind is not met.
        run_ = std::to_string(getpid()) + "-" +
               std::to_string(Clock::now().time_since_epoch().count());
    }

    LoadResult run() {
        const int pollers = std::clamp(options_.in_flight, 2, kPollersMax);
        for (int i = 0; i < pollers; ++i) {
            poll_workflow(false, i);
            poll_workflow(true, i);
            poll_activity(i);
        }
        for (int i = 0; i < options_.in_flight; ++i) start_workflow(i);
        link_.serve_until(Clock::now() + options_.warm_up, [] { return false; });
        const double server_before = server_seconds();
        const double client_before = own_seconds();
        const Clock::time_point begin = Clock::now();
        measuring_ = true;
        link_.serve_until(begin + options_.measure, [] { return false; });
        measuring_ = false;
        result_.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
        result_.server_seconds = server_seconds() - server_before;
        result_.client_seconds = own_seconds() - client_before;
        stop();
        return std::move(result_);
    }

private:
    double server_seconds() const {
        return options_.server_process > 0 ? process_seconds(options_.server_process) : 0;
    }

    /// Lets every call end: workflows by themselves, polls by being cancelled.
    void stop() {
        stopping_ = true;
        link_.serve_until(Clock::now() + kEndTimeout, [this] { return working_ == 0; });
        polling_ = false;
        for (const auto& [lane, poll] : std::set(polls_)) link_.cancel(lane, poll);
        link_.serve_until(Clock::now() + kEndTimeout, [this] { return polls_.empty(); });
    }

    /// Makes one call; `then` has its answer, or null when it failed.
    template <typename Response, typename Request, typename Then>
    Link::CallId call(const std::string& path, Request request, int lane, Then then) {
        auto response = std::make_shared<Response>();
        Response& filled = *response;
        return link_.call(lane, path, std::make_shared<const Request>(std::move(request)),
                          std::move(response),
                          [this, &path, &filled, then = std::move(then)](const Ended& ended) {
                              if (ended.status == 0) return then(&filled);
                              if (polling_) note_failure(path, ended);
                              then(static_cast<Response*>(nullptr));
                          });
    }

    /// A call that waits for a task, and is not a failure when it ends without one.
    template <typename Response, typename Request, typename Then>
    void poll(const std::string& path, Request request, int lane, Then then) {
        const auto id = std::make_shared<Link::CallId>();
        *id = call<Response>(path, std::move(request), lane,
                             [this, lane, id, then = std::move(then)](const Response* response) {
                                 polls_.erase({lane, *id});
                                 then(response);
                             });
        polls_.insert({lane, *id});
    }

    void note_failure(const std::string& path, const Ended& ended) {
        ++result_.failures;
        if (result_.first_failure.empty()) {
            result_.first_failure = path + ": " + std::to_string(ended.status) + " " + ended.error;
        }
    }

    // ---- The client: a workflow is started, and its end waited for ------------------------------

    void start_workflow(int lane) {
        if (stopping_) return;
        ++working_;
        service::StartWorkflowExecutionRequest request;
        request.set_namespace_(options_.name_space);
        const std::string workflow_id = "raw-" + run_ + "-" + std::to_string(++last_workflow_);
        request.set_workflow_id(workflow_id);
        request.set_request_id(workflow_id);
        request.mutable_workflow_type()->set_name("raw-workflow");
        request.mutable_task_queue()->set_name("raw-" + run_);
        request.set_identity(kIdentity);
        request.set_request_eager_execution(options_.eager);
        auto& input = *request.mutable_input()->add_payloads();
        (*input.mutable_metadata())["encoding"] = "json/plain";
        input.set_data("\"input\"");
        const Clock::time_point begin = Clock::now();
        call<service::StartWorkflowExecutionResponse>(
            kStart, std::move(request), lane,
            [this, lane, begin,
             workflow_id](const service::StartWorkflowExecutionResponse* response) {
                if (response == nullptr) return end_workflow(lane, std::nullopt);
                if (measuring_) result_.start.add(Clock::now() - begin);
                if (response->has_eager_workflow_task()) {
                    complete_task(response->eager_workflow_task(), lane);
                }
                await_close(lane, begin, workflow_id, response->run_id());
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
            kHistory, std::move(request), lane,
            [=, this](const service::GetWorkflowExecutionHistoryResponse* response) {
                if (response != nullptr && response->history().events_size() == 0) {
                    return await_close(lane, begin, workflow_id, run_id);
                }
                end_workflow(lane, response != nullptr ? std::optional(begin) : std::nullopt);
            });
    }

    void end_workflow(int lane, std::optional<Clock::time_point> begin) {
        if (begin && measuring_) {
            ++result_.workflows;
            result_.workflow.add(Clock::now() - *begin);
        }
        --working_;
        start_workflow(lane);
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
        poll<service::PollWorkflowTaskQueueResponse>(
            kPollWorkflow, std::move(request), lane,
            [=, this](const service::PollWorkflowTaskQueueResponse* response) {
                if (response != nullptr && !response->task_token().empty()) {
                    complete_task(*response, lane);
                }
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
            attributes.set_request_eager_execution(options_.eager);
        } else {
            command.set_command_type(api::enums::v1::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION);
            command.mutable_complete_workflow_execution_command_attributes();
        }
        call<service::RespondWorkflowTaskCompletedResponse>(
            kCompleteTask, std::move(request), lane,
            [this, lane](const service::RespondWorkflowTaskCompletedResponse* response) {
                if (response == nullptr) return;
                for (const auto& activity : response->activity_tasks())
                    complete_activity(activity, lane);
            });
    }

    void poll_activity(int lane) {
        if (!polling_) return;
        service::PollActivityTaskQueueRequest request;
        request.set_namespace_(options_.name_space);
        request.mutable_task_queue()->set_name("raw-" + run_);
        request.set_identity(kIdentity);
        poll<service::PollActivityTaskQueueResponse>(
            kPollActivity, std::move(request), lane,
            [=, this](const service::PollActivityTaskQueueResponse* response) {
                if (response != nullptr && !response->task_token().empty()) {
                    complete_activity(*response, lane);
                }
                poll_activity(lane);
            });
    }

    void complete_activity(const service::PollActivityTaskQueueResponse& task, int lane) {
        service::RespondActivityTaskCompletedRequest request;
        request.set_namespace_(options_.name_space);
        request.set_task_token(task.task_token());
        request.set_identity(kIdentity);
        call<service::RespondActivityTaskCompletedResponse>(kCompleteActivity, std::move(request),
                                                            lane, [](const auto*) {});
    }

    Link& link_;
    const LoadOptions options_;
    std::string run_;
    std::uint64_t last_workflow_ = 0;
    bool measuring_ = false;
    bool stopping_ = false;                         // no more workflows are started
    bool polling_ = true;                           // until the last of them has ended
    std::set<std::pair<int, Link::CallId>> polls_;  // under way, by lane
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

LoadResult run_load(Link& link, const LoadOptions& options) { return Load(link, options).run(); }

}  // namespace stele::bench
