#include "history/scenario_testing.h"

#include "history/invariants_testing.h"
#include "history/pause.h"

#include <gtest/gtest.h>

#include <set>
#include <sstream>

namespace stele::history::testing {
namespace {

namespace enums = api::enums::v1;
using api::history::v1::History;

std::string camel_case(const std::string& name, const std::string& prefix) {
    std::string result;
    bool upper = true;
    for (const char letter : name.substr(prefix.size())) {
        if (letter == '_') {
            upper = true;
            continue;
        }
        const auto byte = static_cast<unsigned char>(letter);
        result += static_cast<char>(upper ? byte : std::tolower(byte));
        upper = false;
    }
    return result;
}

std::string name_of(enums::EventType type) {
    return camel_case(enums::EventType_Name(type), "EVENT_TYPE_");
}

std::string name_of(enums::RetryState state) {
    return camel_case(enums::RetryState_Name(state), "RETRY_STATE_");
}

std::string quoted(const api::failure::v1::Failure& failure) {
    std::string text = "\"" + failure.message() + "\"";
    if (failure.has_timeout_failure_info()) {
        const auto& info = failure.timeout_failure_info();
        text += " " + camel_case(enums::TimeoutType_Name(info.timeout_type()), "TIMEOUT_TYPE_");
        if (info.has_last_heartbeat_details()) {
            text += " heartbeat=" + info.last_heartbeat_details().payloads(0).data();
        }
    }
    if (failure.has_cause()) text += " cause=" + quoted(failure.cause());
    return text;
}

template <typename Attributes>
std::string outcome(const Attributes& attributes) {
    return " of " + std::to_string(attributes.scheduled_event_id()) + " from " +
           std::to_string(attributes.started_event_id());
}

std::string activity_details(const HistoryEvent& event) {
    switch (event.event_type()) {
        case enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            return " " + event.activity_task_scheduled_event_attributes().activity_id();
        case enums::EVENT_TYPE_ACTIVITY_TASK_STARTED: {
            const auto& started = event.activity_task_started_event_attributes();
            std::string text = " of " + std::to_string(started.scheduled_event_id()) + " attempt " +
                               std::to_string(started.attempt());
            if (started.has_last_failure()) text += " after " + quoted(started.last_failure());
            return text;
        }
        case enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
            return outcome(event.activity_task_completed_event_attributes());
        case enums::EVENT_TYPE_ACTIVITY_TASK_FAILED: {
            const auto& failed = event.activity_task_failed_event_attributes();
            return outcome(failed) + " " + quoted(failed.failure()) + " " +
                   name_of(failed.retry_state());
        }
        case enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT: {
            const auto& timed_out = event.activity_task_timed_out_event_attributes();
            return outcome(timed_out) + " " + quoted(timed_out.failure()) + " " +
                   name_of(timed_out.retry_state());
        }
        case enums::EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED:
            return " of " + std::to_string(event.activity_task_cancel_requested_event_attributes()
                                               .scheduled_event_id());
        case enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED: {
            const auto& canceled = event.activity_task_canceled_event_attributes();
            return outcome(canceled) + " asked by " +
                   std::to_string(canceled.latest_cancel_requested_event_id());
        }
        default: return "";
    }
}

std::string other_details(const HistoryEvent& event) {
    switch (event.event_type()) {
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
            return " " + event.workflow_execution_signaled_event_attributes().signal_name();
        case enums::EVENT_TYPE_WORKFLOW_TASK_FAILED:
            return " " + camel_case(enums::WorkflowTaskFailedCause_Name(
                                        event.workflow_task_failed_event_attributes().cause()),
                                    "WORKFLOW_TASK_FAILED_CAUSE_");
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
            return " \"" + event.workflow_execution_terminated_event_attributes().reason() + "\"";
        default: return "";
    }
}

}  // namespace

std::string to_text(const History& history) {
    std::ostringstream text;
    for (const HistoryEvent& event : history.events()) {
        text << event.event_id() << " " << name_of(event.event_type()) << activity_details(event)
             << other_details(event) << "\n";
    }
    return text.str();
}

// ---- Commands ------------------------------------------------------------------------------

api::common::v1::Payloads payloads(const std::string& text) {
    api::common::v1::Payloads result;
    result.add_payloads()->set_data(text);
    return result;
}

api::failure::v1::Failure application_failure(const std::string& message, bool non_retryable) {
    api::failure::v1::Failure failure;
    failure.set_message(message);
    failure.mutable_application_failure_info()->set_type("Boom");
    failure.mutable_application_failure_info()->set_non_retryable(non_retryable);
    return failure;
}

Command schedule_activity(const std::string& id, Duration start_to_close) {
    Command command;
    command.set_command_type(enums::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK);
    auto& attributes = *command.mutable_schedule_activity_task_command_attributes();
    attributes.set_activity_id(id);
    attributes.mutable_activity_type()->set_name("work");
    attributes.mutable_task_queue()->set_name("queue");
    *attributes.mutable_start_to_close_timeout() = to_proto(start_to_close);
    *attributes.mutable_input() = payloads("input of " + id);
    return command;
}

Command cancel_activity(std::int64_t scheduled) {
    Command command;
    command.set_command_type(enums::COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK);
    command.mutable_request_cancel_activity_task_command_attributes()->set_scheduled_event_id(
        scheduled);
    return command;
}

Command start_timer(const std::string& id, Duration after) {
    Command command;
    command.set_command_type(enums::COMMAND_TYPE_START_TIMER);
    auto& attributes = *command.mutable_start_timer_command_attributes();
    attributes.set_timer_id(id);
    *attributes.mutable_start_to_fire_timeout() = to_proto(after);
    return command;
}

Command complete_workflow() {
    Command command;
    command.set_command_type(enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION);
    command.mutable_complete_workflow_execution_command_attributes();
    return command;
}

Command signal_external(const std::string& workflow_id, const std::string& signal) {
    Command command;
    command.set_command_type(enums::COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION);
    auto& attributes = *command.mutable_signal_external_workflow_execution_command_attributes();
    attributes.mutable_execution()->set_workflow_id(workflow_id);
    attributes.set_signal_name(signal);
    *attributes.mutable_input() = payloads("input");
    return command;
}

Command cancel_external(const std::string& workflow_id) {
    Command command;
    command.set_command_type(enums::COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION);
    auto& attributes =
        *command.mutable_request_cancel_external_workflow_execution_command_attributes();
    attributes.set_workflow_id(workflow_id);
    attributes.set_reason("no longer wanted");
    return command;
}

// ---- Scenario ------------------------------------------------------------------------------

Scenario::Scenario() = default;

Context Scenario::context() {
    Context context;
    context.now = now_;
    context.limits = &limits_;
    context.new_id = [this] { return "id-" + std::to_string(++ids_); };
    context.uniform = [] { return 0.5; };
    context.find_namespace = [this](const std::string& name) {
        const auto found = other_namespaces_.find(name);
        std::optional<OtherNamespace> other;
        if (found != other_namespaces_.end()) other = {found->second, nullptr};
        return other;
    };
    context.nexus_endpoints = endpoints_;
    return context;
}

void Scenario::expect_ok(const absl::Status& status) {
    ASSERT_TRUE(status.ok()) << message_of(status);
}

void Scenario::start(const std::function<void(StartInput&)>& change) {
    StartInput input;
    input.namespace_id = "namespace-id";
    input.namespace_name = "default";
    input.run_id = "run-1";
    input.run_key = RunKey(7);
    input.request.set_namespace_("default");
    input.request.set_workflow_id("workflow");
    input.request.mutable_workflow_type()->set_name("type");
    input.request.mutable_task_queue()->set_name("queue");
    input.request.set_request_id("start-request");
    if (change) change(input);
    absl::StatusOr<NewRun> made = start_workflow(std::move(input), context());
    ASSERT_TRUE(made.ok()) << message_of(made.status());
    run_ = std::move(made->run);
    take(*made->transition);
}

void Scenario::take(Transition& transition) {
    if (transition.empty) return;
    for (const EventBatch& batch : transition.events) {
        History events;
        ASSERT_TRUE(events.ParseFromString(batch.bytes));
        ASSERT_EQ(events.events(0).event_id(), batch.first.value());
        for (HistoryEvent& event : *events.mutable_events()) {
            *history_.add_events() = std::move(event);
        }
        ASSERT_EQ(history_.events_size(), batch.last.value());
        batches_.push_back(batch);
    }
    for (const DispatchRef& done : transition.dispatch_done) {
        ASSERT_EQ(queued_.erase(done.sequence), 1U) << "a row that is not there was withdrawn";
    }
    for (const DispatchTask& task : transition.dispatch) {
        if (transition.in_memory) {
            unwritten_ = task;
        } else {
            ASSERT_TRUE(queued_.emplace(task.sequence, task).second);
        }
    }
    outbox_.insert(outbox_.end(), transition.outbox.begin(), transition.outbox.end());
    alarm_ = transition.alarm;
    history::apply(*run_, transition);
    check_always_true();
}

/// Invariants 3 and 11 of the core: contiguous events of which only the last may close the run, and
/// a queue row or a deadline behind everything that is pending.
void Scenario::check_always_true() const {
    ASSERT_EQ(run_->header.next_event_id(), history_.events_size() + 1);
    for (int i = 0; i < history_.events_size(); ++i) {
        ASSERT_EQ(history_.events(i).event_id(), i + 1);
    }
    std::size_t queued_rows = 0;
    for (const auto& [id, row] : run_->activities.rows()) {
        ASSERT_EQ(row.scheduled_event_id(), id);
        const bool queued = row.dispatch_sequence() != 0;
        const bool waits = row.has_next_attempt_time();
        const int places = queued + waits + row.has_started_time();
        const bool held = row.has_pause() || is_paused(run_->header);
        ASSERT_TRUE(places == 1 || (places == 0 && held)) << row.DebugString();
        if (queued) {
            ASSERT_TRUE(queued_.contains(row.dispatch_sequence()));
            ++queued_rows;
        }
    }
    ASSERT_EQ(queued_rows, queued_activities());
    check_fold(*run_, batches_);
    if (!run_->is_open()) {
        ASSERT_TRUE(queued_.empty()) << "a closed run left something in a queue";
        ASSERT_TRUE(run_->activities.empty());
        ASSERT_EQ(alarm_, kNever);
    }
}

void Scenario::advance(Duration duration) {
    const Timestamp end = now_ + duration;
    while (alarm_ <= end) {
        now_ = std::max(now_, alarm_);
        const Timestamp before = alarm_;
        apply(fire_due(*run_, context()));
        ASSERT_GT(alarm_, before) << "a deadline fired without moving on";
    }
    now_ = end;
}

absl::StatusOr<Applied<None>> Scenario::try_fire() { return fire_due(*run_, context()); }

std::string Scenario::text_after(std::int64_t after) const {
    History rest;
    for (const HistoryEvent& event : history_.events()) {
        if (event.event_id() > after) *rest.add_events() = event;
    }
    return to_text(rest);
}

StartedWorkflowTask Scenario::start_task() {
    StartWorkflowTaskInput input;
    const auto take_from = [&input](const DispatchTask& task) {
        if (task.kind != QueueKind::kWorkflow) return;
        input.scheduled = EventId(task.row.scheduled_event_id());
        input.stamp = task.row.stamp();
        input.task_queue = task.task_queue;
    };
    if (run_->has_speculative_task() && unwritten_) take_from(*unwritten_);
    for (const auto& [sequence, task] : queued_) take_from(task);
    EXPECT_NE(input.scheduled, kNoEvent) << "no workflow task is queued";
    input.request_id = "poll-" + std::to_string(++ids_);
    input.identity = "worker";
    StartedWorkflowTask started = apply(start_workflow_task(*run_, input, context()));
    task_ = started.token;
    return started;
}

CompletedWorkflowTask Scenario::complete_task(std::vector<Command> commands) {
    service::RespondWorkflowTaskCompletedRequest request;
    request.set_identity("worker");
    for (Command& command : commands) *request.add_commands() = std::move(command);
    return complete_task_with(request);
}

CompletedWorkflowTask Scenario::complete_task_with(
    const service::RespondWorkflowTaskCompletedRequest& request) {
    return apply(complete_workflow_task(*run_, task_, request, context()));
}

CompletedWorkflowTask Scenario::run_task(std::vector<Command> commands) {
    start_task();
    return complete_task(std::move(commands));
}

StartedActivity Scenario::start_activity(const std::string& activity_id) {
    const storage::ActivityRow* row = activity(activity_id);
    EXPECT_TRUE(row != nullptr && activity_is_queued(activity_id))
        << activity_id << " is not queued";
    if (row == nullptr || !activity_is_queued(activity_id)) return {};
    StartActivityInput input;
    const storage::DispatchRow& queued = queued_.at(row->dispatch_sequence()).row;
    input.scheduled = EventId(queued.scheduled_event_id());
    input.stamp = queued.stamp();
    input.request_id = "poll-" + std::to_string(++ids_);
    input.identity = "activity worker";
    return apply(history::start_activity(*run_, input, context()));
}

void Scenario::complete_activity(const ActivityToken& token) {
    apply(
        history::complete_activity(*run_, token, payloads("result"), "activity worker", context()));
}

void Scenario::fail_activity(const ActivityToken& token, const api::failure::v1::Failure& failure) {
    apply(
        history::fail_activity(*run_, token, failure, std::nullopt, "activity worker", context()));
}

void Scenario::signal(const std::string& name, const std::string& request_id) {
    SignalInput input;
    input.name = name;
    input.request_id = request_id;
    apply(signal_workflow(*run_, input, context()));
}

void Scenario::terminate() {
    TerminateInput input;
    input.reason = "enough";
    input.identity = "operator";
    apply(terminate_workflow(*run_, input, context()));
}

const storage::ActivityRow* Scenario::activity(const std::string& activity_id) const {
    const std::optional<ItemId> id = run_->activities.id_of(activity_id);
    return id ? run_->activities.find(*id) : nullptr;
}

bool Scenario::activity_is_queued(const std::string& activity_id) const {
    const storage::ActivityRow* row = activity(activity_id);
    return row != nullptr && row->dispatch_sequence() != 0;
}

std::size_t Scenario::queued_activities() const {
    return static_cast<std::size_t>(
        std::count_if(queued_.begin(), queued_.end(),
                      [](const auto& entry) { return entry.second.kind == QueueKind::kActivity; }));
}

bool Scenario::workflow_task_is_queued() const {
    return std::any_of(queued_.begin(), queued_.end(),
                       [](const auto& entry) { return entry.second.kind == QueueKind::kWorkflow; });
}

ActivityToken Scenario::by_id(const std::string& activity_id) {
    ActivityToken token;
    token.activity_id = activity_id;
    token.by_id = true;
    return token;
}

}  // namespace stele::history::testing
