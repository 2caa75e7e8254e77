#include "frontend/poll_responses.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <limits>

namespace stele::frontend {
namespace {

using PollTask = service::PollWorkflowTaskQueueResponse;
using PollActivity = service::PollActivityTaskQueueResponse;

void set_run(const RunRef& run, api::common::v1::WorkflowExecution* execution) {
    execution->set_workflow_id(run.workflow_id);
    execution->set_run_id(run.run_id);
}

wire::TaskToken token_of(const shard::PolledWorkflowTask& task) {
    wire::TaskToken token;
    token.set_namespace_id(task.run.namespace_id);
    token.set_workflow_id(task.run.workflow_id);
    token.set_run_id(task.run.run_id);
    if (task.direct_query) {
        token.set_kind(wire::TaskToken::KIND_QUERY);
        token.set_query_id(task.direct_query->first);
        return token;
    }
    const history::WorkflowTaskToken& started = task.task.token;
    token.set_kind(wire::TaskToken::KIND_WORKFLOW_TASK);
    token.set_scheduled_event_id(started.scheduled.value());
    token.set_started_event_id(started.started.value());
    token.set_attempt(started.attempt);
    token.set_stamp(started.stamp);
    token.set_started_time_nanos(started.started_time.time_since_epoch().count());
    return token;
}

/// Where the rest of a task's history is read from when it did not fit.
wire::PageToken page_after(const shard::PolledWorkflowTask& task) {
    wire::PageToken token;
    token.set_namespace_id(task.run.namespace_id);
    token.set_workflow_id(task.run.workflow_id);
    token.set_run_id(task.run.run_id);
    token.set_next_event_id(task.history.next.value());
    token.set_end_event_id(task.task.last_stored.value());
    token.set_synthesised(serialize_events(task.task.synthesised));
    token.set_for_worker(true);
    return token;
}

}  // namespace

void append_field(std::string& out, int field, std::string_view bytes) {
    constexpr std::uint32_t kLengthDelimited = 2;
    google::protobuf::io::StringOutputStream stream(&out);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.WriteTag(static_cast<std::uint32_t>(field) << 3 | kLengthDelimited);
    coded.WriteVarint32(static_cast<std::uint32_t>(bytes.size()));
    coded.WriteRaw(bytes.data(), static_cast<int>(bytes.size()));
}

std::string join_history(const shard::HistoryPage& page, std::string_view tail) {
    std::size_t size = tail.size();
    for (const std::string& batch : page.batches) size += batch.size();
    std::string joined;
    joined.reserve(size);
    for (const std::string& batch : page.batches) joined += batch;
    joined += tail;
    return joined;
}

std::string serialize_events(const std::vector<history::HistoryEvent>& events) {
    api::history::v1::History history;
    for (const history::HistoryEvent& event : events) *history.add_events() = event;
    return history.SerializeAsString();
}

Spliced<PollTask> poll_response(const TokenSigner& tokens, shard::PolledWorkflowTask task) {
    Spliced<PollTask> response;
    PollTask& message = response.message;
    message.set_task_token(tokens.sign(token_of(task)));
    set_run(task.run, message.mutable_workflow_execution());
    message.mutable_workflow_type()->set_name(task.workflow_type);
    message.set_previous_started_event_id(task.task.previous_started.value());
    message.set_started_event_id(task.task.started.value());
    message.set_attempt(task.task.attempt);
    message.set_backlog_count_hint(task.backlog_hint);
    if (task.poller_advice != 0) {
        message.mutable_poller_scaling_decision()->set_poll_request_delta_suggestion(
            task.poller_advice);
    }
    message.mutable_workflow_execution_task_queue()->set_name(task.task_queue);
    message.mutable_workflow_execution_task_queue()->set_kind(
        api::enums::v1::TASK_QUEUE_KIND_NORMAL);
    if (task.direct_query) {
        *message.mutable_query() = task.direct_query->second;
    } else {
        *message.mutable_scheduled_time() = to_proto(task.task.scheduled_time);
        *message.mutable_started_time() = to_proto(task.task.started_time);
    }
    for (auto& update : task.task.messages) *message.add_messages() = std::move(update);
    for (auto& [id, query] : task.queries) (*message.mutable_queries())[id] = std::move(query);
    const bool complete = task.history.next == kNoEvent;
    if (!complete) message.set_next_page_token(tokens.sign(page_after(task)));
    append_field(
        response.raw, PollTask::kHistoryFieldNumber,
        join_history(task.history, complete ? serialize_events(task.task.synthesised) : ""));
    return response;
}

PollActivity poll_response(const TokenSigner& tokens, shard::PolledActivityTask task) {
    storage::ActivityRow& row = task.activity.row;
    PollActivity response;
    response.set_task_token(tokens.sign(wire_token(task.run, task.activity.token)));
    response.set_workflow_namespace(task.namespace_name);
    response.mutable_workflow_type()->set_name(task.workflow_type);
    set_run(task.run, response.mutable_workflow_execution());
    response.mutable_activity_type()->set_name(row.activity_type());
    response.set_activity_id(row.activity_id());
    if (row.has_header()) response.mutable_header()->Swap(row.mutable_header());
    if (row.has_input()) response.mutable_input()->Swap(row.mutable_input());
    if (row.has_last_heartbeat_details()) {
        response.mutable_heartbeat_details()->Swap(row.mutable_last_heartbeat_details());
    }
    *response.mutable_scheduled_time() = row.first_scheduled_time();
    *response.mutable_current_attempt_scheduled_time() = row.scheduled_time();
    *response.mutable_started_time() = row.started_time();
    response.set_attempt(row.attempt());
    *response.mutable_schedule_to_close_timeout() = row.schedule_to_close();
    *response.mutable_start_to_close_timeout() = row.start_to_close();
    *response.mutable_heartbeat_timeout() = row.heartbeat();
    if (row.has_retry_policy()) *response.mutable_retry_policy() = row.retry_policy();
    if (row.has_priority()) *response.mutable_priority() = row.priority();
    if (task.poller_advice != 0) {
        response.mutable_poller_scaling_decision()->set_poll_request_delta_suggestion(
            task.poller_advice);
    }
    return response;
}

wire::TaskToken wire_token(const RunRef& run, const history::ActivityToken& activity) {
    wire::TaskToken token;
    token.set_kind(wire::TaskToken::KIND_ACTIVITY);
    token.set_namespace_id(run.namespace_id);
    token.set_workflow_id(run.workflow_id);
    token.set_run_id(run.run_id);
    token.set_scheduled_event_id(activity.scheduled.value());
    token.set_attempt(activity.attempt);
    token.set_stamp(activity.stamp);
    token.set_activity_id(activity.activity_id);
    return token;
}

history::WorkflowTaskToken workflow_task_token(const wire::TaskToken& token) {
    return {EventId(token.scheduled_event_id()), EventId(token.started_event_id()), token.attempt(),
            token.stamp(), Timestamp(Duration(token.started_time_nanos()))};
}

history::ActivityToken activity_token(const wire::TaskToken& token) {
    history::ActivityToken result;
    result.scheduled = EventId(token.scheduled_event_id());
    result.attempt = token.attempt();
    result.stamp = token.stamp();
    result.activity_id = token.activity_id();
    return result;
}

RunRef run_ref(const wire::TaskToken& token) {
    return {token.namespace_id(), token.workflow_id(), token.run_id()};
}

}  // namespace stele::frontend
