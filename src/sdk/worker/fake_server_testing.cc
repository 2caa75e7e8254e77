#include "sdk/worker/fake_server_testing.h"

#include <algorithm>

namespace stele::testing {

namespace api = temporal::api::workflowservice::v1;
namespace enums = temporal::api::enums::v1;

void FakeServer::dispatch(const std::string& name, const PendingPointer& call) {
    if (!call->done) return;
    // The same call is not refused twice in a row, so that retries get through.
    if (refuse_every > 0 && ++calls_ % refuse_every == 0 && refused_ != name) {
        refused_ = name;
        call->finish({14, "refused for the test", {}});
        return;
    }
    refused_.clear();
    if (name == "StartWorkflowExecution")
        start(call);
    else if (name == "PollWorkflowTaskQueue")
        poll_workflow_task(call);
    else if (name == "PollActivityTaskQueue")
        poll_activity(call);
    else if (name == "RespondWorkflowTaskCompleted")
        complete_workflow_task(call);
    else if (name == "RespondActivityTaskCompleted")
        complete_activity(call);
    else if (name == "GetWorkflowExecutionHistory")
        read_history(call);
    else if (name == "RespondWorkflowTaskFailed")
        fail_workflow_task(call);
    else if (name == "UpdateWorkflowExecution")
        update(call);
    else if (name == "PollWorkflowExecutionUpdate")
        poll_update(call);
    else if (name == "ExecuteMultiOperation")
        start_with_update(call);
    else if ((name == "RecordWorkerHeartbeat" && heartbeats_known) || name == "ShutdownWorker")
        record_worker(call);
    else if (name == "GetSystemInfo")
        call->finish();
    else
        call->finish({12, "unknown method " + name, {}});
    match();
}

void FakeServer::record_worker(const PendingPointer& call) {
    if (const auto* heartbeat =
            dynamic_cast<const api::RecordWorkerHeartbeatRequest*>(call->request.get()))
        worker_heartbeats.push_back(heartbeat->worker_heartbeat(0));
    else
        worker_heartbeats.push_back(
            request_of<api::ShutdownWorkerRequest>(call).worker_heartbeat());
    call->finish();
}

void FakeServer::poll_workflow_task(const PendingPointer& call) {
    workflow_polls_.push_back(call);
    const auto open =
        std::count_if(workflow_polls_.begin(), workflow_polls_.end(),
                      [](const PendingPointer& poll) { return poll->done != nullptr; });
    workflow_polls_max = std::max(workflow_polls_max, static_cast<int>(open));
}

void FakeServer::start(const PendingPointer& call) {
    const auto& request = request_of<api::StartWorkflowExecutionRequest>(call);
    std::vector<std::string> input;
    for (const auto& payload : request.input().payloads()) input.push_back(payload.data());
    // The workflow before it, if there was one, is gone with all that belongs to it.
    writer_.emplace(request.workflow_type().name(), input);
    activities_.clear();
    timers_.clear();
    task_running_ = false;
    sticky_queue_.clear();
    last_completed_ = 0;
    *writer_->history().mutable_events(0)->mutable_event_time() =
        sdk::to_timestamp(runtime_->now());
    *writer_->history()
         .mutable_events(0)
         ->mutable_workflow_execution_started_event_attributes()
         ->mutable_header() = request.header();
    task_due_ = true;
    auto& reply = reply_of<api::StartWorkflowExecutionResponse>(call);
    reply.set_run_id("run");
    if (request.request_eager_execution() && brings_first_tasks) {
        ++eager_starts;
        fill(*reply.mutable_eager_workflow_task());
    }
    call->finish();
}

void FakeServer::complete_workflow_task(const PendingPointer& call) {
    const auto& request = request_of<api::RespondWorkflowTaskCompletedRequest>(call);
    if (!task_running_) {
        call->finish({5, "no such task", {}});
        return;
    }
    task_running_ = false;
    if (request.force_create_new_workflow_task()) {
        task_due_ = true;
        ++heartbeats;
    }
    sticky_queue_ = request.sticky_attributes().worker_task_queue().name();
    last_completed_ = writer_->history().events_size();
    const std::vector<core::Command> commands(request.commands().begin(), request.commands().end());
    const std::set<std::int64_t> before = writer_->activities();
    writer_->complete_task(commands, {}, read_messages(request));
    auto scheduled = writer_->activities().begin();
    for (const core::Command& command : commands) {
        end_ = command;
        if (command.has_start_timer_command_attributes()) {
            const auto& timer = command.start_timer_command_attributes();
            const auto delay = Milliseconds(timer.start_to_fire_timeout().seconds() * 1000);
            timers_.push_back(
                runtime_->start_timer(delay, executor_, [this, id = timer.timer_id()] {
                    if (!writer_->timers().contains(id)) return;
                    writer_->fire(id);
                    task_due_ = true;
                    match();
                }));
        } else if (command.has_schedule_activity_task_command_attributes()) {
            while (before.contains(*scheduled)) ++scheduled;
            const ActivityTask task{*scheduled++, command};
            if (command.schedule_activity_task_command_attributes().request_eager_execution()) {
                ++eager_activities;
                fill(
                    *reply_of<api::RespondWorkflowTaskCompletedResponse>(call).add_activity_tasks(),
                    task);
            } else {
                activities_.push_back(task);
            }
        }
    }
    call->finish();
    answer_waiting_readers();
    answer_update_callers();
}

void FakeServer::fail_workflow_task(const PendingPointer& call) {
    const auto& request = request_of<api::RespondWorkflowTaskFailedRequest>(call);
    failed_tasks.push_back(request.failure().message());
    sticky_queue_.clear();
    if (task_running_) {
        writer_->fail_task();
        task_running_ = false;
        task_due_ = true;
    }
    call->finish();
}

void FakeServer::complete_activity(const PendingPointer& call) {
    const auto& request = request_of<api::RespondActivityTaskCompletedRequest>(call);
    const std::int64_t scheduled = std::stoll(request.task_token());
    if (writer_->activities().contains(scheduled)) {
        writer_->complete_activity(scheduled, request.result().payloads(0).data());
        task_due_ = true;
    }
    call->finish();
}

void FakeServer::read_history(const PendingPointer& call) {
    const auto& request = request_of<api::GetWorkflowExecutionHistoryRequest>(call);
    if (request.wait_new_event()) {
        readers_.push_back(call);
        answer_waiting_readers();
        return;
    }
    auto& reply = reply_of<api::GetWorkflowExecutionHistoryResponse>(call);
    const int begin = request.next_page_token().empty() ? 0 : std::stoi(request.next_page_token());
    const int end = std::min(begin + page_events, writer_->history().events_size());
    for (int i = begin; i < end; ++i)
        *reply.mutable_history()->add_events() = writer_->history().events(i);
    if (end < writer_->history().events_size()) reply.set_next_page_token(std::to_string(end));
    call->finish();
}

void FakeServer::answer_waiting_readers() {
    if (!writer_->closed()) return;
    for (const PendingPointer& call : std::exchange(readers_, {})) {
        auto& reply = reply_of<api::GetWorkflowExecutionHistoryResponse>(call);
        auto& event = *reply.mutable_history()->add_events();
        event = writer_->history().events(writer_->history().events_size() - 1);
        if (!end_.has_complete_workflow_execution_command_attributes()) {
            *event.mutable_workflow_execution_failed_event_attributes()->mutable_failure() =
                end_.fail_workflow_execution_command_attributes().failure();
            call->finish();
            continue;
        }
        *event.mutable_workflow_execution_completed_event_attributes()->mutable_result() =
            end_.complete_workflow_execution_command_attributes().result();
        call->finish();
    }
}

FakeServer::PendingPointer FakeServer::take(std::list<PendingPointer>& polls, bool sticky) {
    for (auto poll = polls.begin(); poll != polls.end();) {
        const PendingPointer candidate = *poll;
        if (!candidate->done) {
            poll = polls.erase(poll);
            continue;
        }
        const auto* workflow =
            dynamic_cast<const api::PollWorkflowTaskQueueRequest*>(candidate->request.get());
        const bool is_sticky =
            workflow != nullptr && workflow->task_queue().kind() == enums::TASK_QUEUE_KIND_STICKY;
        if (is_sticky == sticky) {
            polls.erase(poll);
            return candidate;
        }
        ++poll;
    }
    return nullptr;
}

void FakeServer::match() {
    if (task_due_ && !task_running_ && !writer_->closed()) {
        if (const PendingPointer poll = take(workflow_polls_, !sticky_queue_.empty()))
            give_workflow_task(poll);
    }
    while (!activities_.empty()) {
        const PendingPointer poll = take(activity_polls_, false);
        if (!poll) break;
        give_activity_task(poll);
    }
}

void FakeServer::give_workflow_task(const PendingPointer& call) {
    fill(reply_of<api::PollWorkflowTaskQueueResponse>(call));
    call->finish();
}

void FakeServer::fill(api::PollWorkflowTaskQueueResponse& reply) {
    const bool sticky = !sticky_queue_.empty();
    task_due_ = false;
    task_running_ = true;
    ++workflow_tasks;
    sticky_tasks += sticky;
    reply.set_task_token("token");
    reply.mutable_workflow_execution()->set_workflow_id("workflow");
    reply.mutable_workflow_execution()->set_run_id("run");
    reply.set_attempt(1);
    reply.set_previous_started_event_id(last_completed_);
    reply.mutable_workflow_type()->set_name(writer_->history()
                                                .events(0)
                                                .workflow_execution_started_event_attributes()
                                                .workflow_type()
                                                .name());
    if (poll_advice != 0)
        reply.mutable_poller_scaling_decision()->set_poll_request_delta_suggestion(poll_advice);
    reply.set_started_event_id(writer_->start_task());
    attach_updates(reply);
    const std::int64_t first = sticky ? last_completed_ + 1 : 1;
    const auto events = writer_->from(first);
    for (std::size_t i = 0; i < events.size() && static_cast<int>(i) < page_events; ++i)
        *reply.mutable_history()->add_events() = events[i];
    if (static_cast<int>(events.size()) > page_events)
        reply.set_next_page_token(std::to_string(first - 1 + page_events));
}

void FakeServer::give_activity_task(const PendingPointer& call) {
    fill(reply_of<api::PollActivityTaskQueueResponse>(call), activities_.front());
    activities_.pop_front();
    call->finish();
}

void FakeServer::poll_activity(const PendingPointer& call) {
    const auto& metadata =
        request_of<api::PollActivityTaskQueueRequest>(call).task_queue_metadata();
    if (metadata.has_max_tasks_per_second())
        activities_per_second = metadata.max_tasks_per_second().value();
    activity_polls_.push_back(call);
}

void FakeServer::fill(api::PollActivityTaskQueueResponse& reply, const ActivityTask& task) {
    const auto& attributes = task.command.schedule_activity_task_command_attributes();
    reply.set_task_token(std::to_string(task.scheduled));
    reply.mutable_workflow_execution()->set_workflow_id("workflow");
    reply.mutable_workflow_execution()->set_run_id("run");
    reply.set_activity_id(attributes.activity_id());
    *reply.mutable_activity_type() = attributes.activity_type();
    *reply.mutable_input() = attributes.input();
    *reply.mutable_header() = attributes.header();
    *reply.mutable_start_to_close_timeout() = attributes.start_to_close_timeout();
    reply.set_attempt(1);
    for (auto* time : {reply.mutable_scheduled_time(), reply.mutable_started_time(),
                       reply.mutable_current_attempt_scheduled_time()})
        *time = sdk::to_timestamp(runtime_->now());
}

}  // namespace stele::testing
