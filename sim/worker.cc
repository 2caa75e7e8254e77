#include "sim/worker.h"

#include "base/probe.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

namespace stele::sim {
namespace {

namespace api = temporal::api;
namespace service = temporal::api::workflowservice::v1;

/// Short while answers are lost, so that there are many polls; then as the SDKs have it.
constexpr Duration kPollTimeout = std::chrono::seconds(12);
constexpr Duration kLongPollTimeout = std::chrono::seconds(70);
constexpr Duration kCallTimeout = std::chrono::seconds(5);
constexpr Duration kPause = std::chrono::milliseconds(200);
/// Longer than a poll is on its way, so that no poll brings a queue that was closed back to life.
constexpr Duration kUntilToldOfEnd = std::chrono::seconds(2);
constexpr Duration kOnTheWay = std::chrono::milliseconds(5);  // where nothing is slow

}  // namespace

Worker::Worker(Network& network, Record& record, const Options& options, std::string namespace_name,
               std::string identity)
    : network_(network),
      record_(record),
      options_(options),
      namespace_(std::move(namespace_name)),
      identity_(std::move(identity)) {}

void Worker::start(int polls) {
    for (int i = 0; i < polls; ++i) {
        poll_workflow();
        if (options_.sticky) poll_workflow();
        poll_activity();
    }
}

std::string Worker::sticky_queue() const { return fmt::format("{}-sticky-{}", identity_, life_); }

void Worker::poll_workflow() {
    const bool sticky =
        options_.sticky && (own_backlog_ > 0 || polls_of_own_queue_ <= polls_of_common_queue_);
    service::PollWorkflowTaskQueueRequest request;
    request.set_namespace_(namespace_);
    request.set_identity(identity_);
    request.mutable_task_queue()->set_name(sticky ? sticky_queue() : kQueue);
    if (sticky) {
        request.mutable_task_queue()->set_kind(api::enums::v1::TASK_QUEUE_KIND_STICKY);
        request.mutable_task_queue()->set_normal_name(kQueue);
    }
    int& under_way = sticky ? polls_of_own_queue_ : polls_of_common_queue_;
    ++under_way;
    maybe_abandon(network_.call<PollTask>(
        "PollWorkflowTaskQueue", request, poll_timeout(),
        [this, sticky, &under_way](absl::StatusOr<PollTask> task) {
            --under_way;
            if (sticky) own_backlog_ = task.ok() ? task->backlog_count_hint() : 0;
            if (task.ok() && !task->task_token().empty()) take(*std::move(task), sticky);
            network_.after(task.ok() ? Duration::zero() : kPause, [this] { poll_workflow(); });
        }));
}

void Worker::maybe_abandon(Network::CallId poll) {
    // Workers go also when nothing fails.
    const bool leaves =
        options_.abandon_poll != 0 && network_.random().next() % options_.abandon_poll == 0;
    if (!leaves) return;
    const auto patience = std::chrono::microseconds(network_.random().next() % 300'000);
    network_.after(patience, [this, poll] {
        if (!network_.healed()) return network_.abandon(poll);
        if (network_.abandon_unanswered(poll)) record_.poll_left(network_.now());
    });
}

Duration Worker::poll_timeout() {
    // Hardly longer than the server asks for.
    if (STELE_FAULT("worker.polls-briefly")) {
        return std::chrono::milliseconds(2'100 + network_.random().next() % 400);
    }
    return network_.healed() ? kLongPollTimeout : kPollTimeout;
}

void Worker::take(PollTask task, bool sticky) {
    if (!task.has_query()) record_.task_given(task);
    const bool partial =
        task.history().events_size() > 0 && task.history().events(0).event_id() > 1;
    if (partial && !sticky) {
        record_.violation(fmt::format(
            "invariant 9: a worker without run {} was given the end of its history only",
            task.workflow_execution().run_id()));
    }
    if (STELE_FAULT("worker.forgets-run")) cache_.erase(task.workflow_execution().run_id());
    if (STELE_FAULT("worker.slow")) {
        return network_.after(std::chrono::seconds(2),
                              [this, task = std::move(task)] { take_now(task); });
    }
    take_now(std::move(task));
}

void Worker::take_now(PollTask task) {
    if (network_.chance(options_.forget_cache)) {
        begin_again(kUntilToldOfEnd);
    }
    if (network_.chance(options_.drop_task)) return;
    const std::string run_id = task.workflow_execution().run_id();
    const auto& page = task.history().events();
    Events events(page.begin(), page.end());
    const bool from_start = !events.empty() && events.front().event_id() == 1;
    if (!from_start) {
        const auto cached = cache_.find(run_id);
        const std::int64_t next = events.empty() ? 0 : events.front().event_id();
        const bool fits = cached != cache_.end() && !events.empty() &&
                          static_cast<std::int64_t>(cached->second.size()) + 1 >= next;
        if (!fits) {
            STELE_PROBE("worker.history-not-cached");
            return read_on(std::move(task), {}, "");  // from the beginning
        }
        Events whole(cached->second.begin(), std::next(cached->second.begin(), next - 1));
        whole.insert(whole.end(), events.begin(), events.end());
        events = std::move(whole);
    }
    const std::string token = task.next_page_token();
    if (!token.empty()) return read_on(std::move(task), std::move(events), token);
    obey(std::move(task), events);
}

void Worker::read_on(PollTask task, Events events, std::string token) {
    service::GetWorkflowExecutionHistoryRequest request;
    request.set_namespace_(namespace_);
    *request.mutable_execution() = task.workflow_execution();
    request.set_next_page_token(token);
    using Response = service::GetWorkflowExecutionHistoryResponse;
    network_.call<Response>(
        "GetWorkflowExecutionHistory", request, kCallTimeout,
        [this, task = std::move(task),
         events = std::move(events)](absl::StatusOr<Response> page) mutable {
            STELE_PROBE("worker.reads-on");
            if (!page.ok()) return;  // the task times out
            events.insert(events.end(), page->history().events().begin(),
                          page->history().events().end());
            if (!page->next_page_token().empty()) {
                return read_on(std::move(task), std::move(events), page->next_page_token());
            }
            obey(std::move(task), events);
        },
        Network::program());
}

void Worker::obey(PollTask task, const Events& events) {
    const std::string& run_id = task.workflow_execution().run_id();
    for (std::size_t i = 0; i < events.size(); ++i) {
        if (events[i].event_id() == static_cast<std::int64_t>(i) + 1) continue;
        return record_.violation(
            fmt::format("invariant 3: a worker of run {} was given event {} as "
                        "number {}",
                        run_id, events[i].event_id(), i + 1));
    }
    if (task.has_query()) return answer_query(task, events);
    // Read past the task's own start, the history may tell of a later moment than the task.
    if (events.empty() || events.back().event_id() != task.started_event_id()) {
        STELE_PROBE("worker.reads-past-its-task");
        return;
    }
    if (options_.sticky) cache_[run_id] = events;
    if (network_.chance(options_.fail_workflow_task)) return fail(task);
    const std::vector<Message> updates = updates_of(task, events);
    UpdateAnswers answers = answer_updates(events, updates);
    kept_updates_[run_id] = updates;
    const std::vector<Command> commands = decide(events);
    answers.commands.insert(answers.commands.end(), commands.begin(), commands.end());
    complete(task, answers);
}

std::vector<Message> Worker::updates_of(const PollTask& task, const Events& events) {
    std::vector<Message> updates(task.messages().begin(), task.messages().end());
    const auto kept = kept_updates_.find(task.workflow_execution().run_id());
    if (kept == kept_updates_.end()) return updates;
    std::set<std::string> known;  // sent again, or accepted from another worker
    for (const Message& update : updates) known.insert(update.protocol_instance_id());
    for (const HistoryEvent& event : events) {
        known.insert(
            event.workflow_execution_update_accepted_event_attributes().protocol_instance_id());
    }
    for (Message& update : kept->second) {
        if (!known.contains(update.protocol_instance_id())) updates.push_back(std::move(update));
    }
    return updates;
}

void Worker::answer_query(const PollTask& task, const Events& events) {
    service::RespondQueryTaskCompletedRequest request;
    request.set_namespace_(namespace_);
    request.set_task_token(task.task_token());
    if (STELE_FAULT("worker.leaves-query")) return;
    request.set_completed_type(api::enums::v1::QUERY_RESULT_TYPE_ANSWERED);
    if (STELE_FAULT("worker.fails-query")) {
        request.set_completed_type(api::enums::v1::QUERY_RESULT_TYPE_FAILED);
    }
    request.mutable_query_result()->add_payloads()->set_data(std::to_string(events.size()));
    network_.call("RespondQueryTaskCompleted", request, kCallTimeout,
                  [](absl::StatusOr<std::string>) {});
}

void Worker::complete(const PollTask& task, const UpdateAnswers& answers) {
    service::RespondWorkflowTaskCompletedRequest request;
    request.set_namespace_(namespace_);
    request.set_task_token(task.task_token());
    request.set_identity(identity_);
    request.set_return_new_workflow_task(true);
    for (const Command& command : answers.commands) *request.add_commands() = command;
    if (STELE_FAULT("worker.bad-command")) {
        request.add_commands()->set_command_type(api::enums::v1::COMMAND_TYPE_START_TIMER);
    }
    if (STELE_FAULT("worker.repeats-command")) {
        const auto has_id = [](const Command& command) {
            return command.has_start_timer_command_attributes() ||
                   command.has_schedule_activity_task_command_attributes();
        };
        const auto repeated =
            std::find_if(answers.commands.begin(), answers.commands.end(), has_id);
        if (repeated != answers.commands.end()) *request.add_commands() = *repeated;
    }
    for (const Message& message : answers.messages) *request.add_messages() = message;
    request.mutable_capabilities()->set_discard_speculative_workflow_task_with_events(
        options_.sticky);
    if (options_.sticky) {
        auto& sticky = *request.mutable_sticky_attributes();
        sticky.mutable_worker_task_queue()->set_name(sticky_queue());
        sticky.mutable_worker_task_queue()->set_kind(api::enums::v1::TASK_QUEUE_KIND_STICKY);
        sticky.mutable_worker_task_queue()->set_normal_name(kQueue);
        *sticky.mutable_schedule_to_start_timeout() = to_proto(std::chrono::seconds(2));
    }
    if (options_.heartbeat_tasks && network_.chance(5)) {
        request.set_force_create_new_workflow_task(true);
    }
    for (const auto& [id, query] : task.queries()) {
        auto& result = (*request.mutable_query_results())[id];
        result.set_result_type(api::enums::v1::QUERY_RESULT_TYPE_ANSWERED);
        result.mutable_answer()->add_payloads()->set_data(kAttachedAnswer);
    }
    if (STELE_FAULT("worker.heartbeats-instead")) {
        // It stays at the updates that it was given.
        request.clear_commands();
        request.clear_messages();
        request.set_force_create_new_workflow_task(true);
    } else {
        kept_updates_.erase(task.workflow_execution().run_id());
    }
    send_completion(request);
    if (STELE_FAULT("worker.completes-twice")) send_completion(request);
    if (STELE_FAULT("worker.completes-again-later")) {
        network_.after(std::chrono::seconds(1), [this, request] { send_completion(request); });
    }
}

void Worker::send_completion(const service::RespondWorkflowTaskCompletedRequest& request) {
    using Response = service::RespondWorkflowTaskCompletedResponse;
    network_.call<Response>(
        "RespondWorkflowTaskCompleted", request, kCallTimeout,
        [this, token = request.task_token()](absl::StatusOr<Response> response) {
            if (!response.ok()) return;
            record_.task_completed(token);
            if (!response->has_workflow_task()) return;
            if (response->workflow_task().task_token().empty()) return;
            STELE_PROBE("worker.given-the-next-task");
            take(std::move(*response->mutable_workflow_task()), true);
        });
}

void Worker::fail(const PollTask& task) {
    service::RespondWorkflowTaskFailedRequest request;
    request.set_namespace_(namespace_);
    request.set_task_token(task.task_token());
    request.set_cause(api::enums::v1::WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE);
    request.set_identity(identity_);
    network_.call("RespondWorkflowTaskFailed", request, kCallTimeout,
                  [](absl::StatusOr<std::string>) {});
}

void Worker::poll_activity() {
    service::PollActivityTaskQueueRequest request;
    request.set_namespace_(namespace_);
    request.set_identity(identity_);
    request.mutable_task_queue()->set_name(kQueue);
    if (options_.activities_per_second > 0) {
        request.mutable_task_queue_metadata()->mutable_max_tasks_per_second()->set_value(
            options_.activities_per_second);
    }
    maybe_abandon(network_.call<PollActivity>(
        "PollActivityTaskQueue", request, poll_timeout(),
        [this](absl::StatusOr<PollActivity> task) {
            if (task.ok() && !task->task_token().empty()) {
                record_.task_given(*task);
                work(*task);
            }
            network_.after(task.ok() ? Duration::zero() : kPause, [this] { poll_activity(); });
        }));
}

void Worker::work(const PollActivity& task) {
    if (network_.chance(options_.drop_task)) return;
    if (network_.chance(options_.fail_activity)) return fail_activity(task);
    if (STELE_FAULT("worker.intrudes")) intrude(task);
    if (STELE_FAULT("worker.cancels-unasked")) {
        service::RespondActivityTaskCanceledRequest request;
        request.set_namespace_(namespace_);
        request.set_task_token(task.task_token());
        network_.call("RespondActivityTaskCanceled", request, kCallTimeout,
                      [](absl::StatusOr<std::string>) {});
    }
    service::RecordActivityTaskHeartbeatRequest heartbeat;
    heartbeat.set_namespace_(namespace_);
    heartbeat.set_task_token(task.task_token());
    using Response = service::RecordActivityTaskHeartbeatResponse;
    network_.call<Response>("RecordActivityTaskHeartbeat", heartbeat, kCallTimeout,
                            [this, task](absl::StatusOr<Response> response) {
                                if (!response.ok() || !response->cancel_requested()) {
                                    if (!STELE_FAULT("worker.slow-activity"))
                                        return complete_activity(task);
                                    return network_.after(
                                        std::chrono::milliseconds(3500),
                                        [this, task] { complete_activity(task); });
                                }
                                STELE_PROBE("worker.told-to-cancel");
                                service::RespondActivityTaskCanceledRequest request;
                                request.set_namespace_(namespace_);
                                request.set_task_token(task.task_token());
                                network_.call("RespondActivityTaskCanceled", request, kCallTimeout,
                                              [](absl::StatusOr<std::string>) {});
                            });
}

void Worker::complete_activity(const PollActivity& task) {
    service::RespondActivityTaskCompletedRequest request;
    request.set_namespace_(namespace_);
    request.set_task_token(task.task_token());
    request.mutable_result()->add_payloads()->set_data("done");
    const int times = STELE_FAULT("worker.completes-activity-twice") ? 2 : 1;
    for (int i = 0; i < times; ++i) {
        network_.call("RespondActivityTaskCompleted", request, kCallTimeout,
                      [this, run = task.workflow_execution().run_id(), id = task.activity_id(),
                       attempt = task.attempt()](absl::StatusOr<std::string> response) {
                          if (response.ok()) record_.activity_completed(run, id, attempt);
                      });
    }
}

void Worker::fail_activity(const PollActivity& task) {
    service::RespondActivityTaskFailedRequest request;
    request.set_namespace_(namespace_);
    request.set_task_token(task.task_token());
    request.mutable_failure()->set_message("simulated");
    auto& failure = *request.mutable_failure()->mutable_application_failure_info();
    failure.set_type("Simulated");
    if (STELE_FAULT("worker.fails-for-good")) failure.set_non_retryable(true);
    const auto send = [this, request] {
        network_.call("RespondActivityTaskFailed", request, kCallTimeout,
                      [](absl::StatusOr<std::string>) {});
    };
    if (!STELE_FAULT("worker.fails-slowly")) return send();
    // Slow enough for an operator to look at it.
    if (namespace_ == kNamespace) pause_if_operated(task);
    network_.after(std::chrono::seconds(1), send);
}

void Worker::pause_if_operated(const PollActivity& task) {
    if (!record_.operated.contains(task.workflow_execution().workflow_id())) return;
    service::PauseActivityRequest request;
    request.set_namespace_(namespace_);
    *request.mutable_execution() = task.workflow_execution();
    request.set_identity("operator");
    request.set_id(task.activity_id());
    network_.call("PauseActivity", request, kCallTimeout, [](absl::StatusOr<std::string>) {});
}

void Worker::end_soon() {
    const auto when = std::chrono::milliseconds(50 + network_.random().next() % 500);
    network_.after(when, [this] { begin_again(kOnTheWay); });
}

void Worker::begin_again(Duration told_after) {
    if (options_.sticky) {
        network_.after(told_after, [this, queue = sticky_queue()] { tell_of_end(queue); });
    }
    cache_.clear();
    ++life_;
}

void Worker::tell_of_end(const std::string& queue) {
    service::ShutdownWorkerRequest request;
    request.set_namespace_(namespace_);
    request.set_identity(identity_);
    request.set_sticky_task_queue(queue);
    request.set_reason("simulated");
    network_.call("ShutdownWorker", request, kCallTimeout, [](absl::StatusOr<std::string>) {});
}

void Worker::intrude(const PollActivity& task) {
    service::RespondActivityTaskCompletedRequest request;
    request.set_namespace_(namespace_ == kNamespace ? kOtherNamespace : kNamespace);
    request.set_task_token(task.task_token());
    request.mutable_result()->add_payloads()->set_data("intruder");
    const auto refused = [this](const absl::StatusOr<std::string>& response) {
        if (response.ok()) record_.violation("invariant 16: a token was accepted that must not be");
    };
    network_.call("RespondActivityTaskCompleted", request, kCallTimeout, refused);
    // The token's last bytes are its authentication.
    request.set_namespace_(namespace_);
    request.mutable_task_token()->back() ^= 1;
    network_.call("RespondActivityTaskCompleted", request, kCallTimeout, refused);
}

}  // namespace stele::sim
