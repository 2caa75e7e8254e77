#include "history/begin_run.h"
#include "history/callback_family.h"
#include "history/retry_policy.h"

#include "cron/schedule.h"

#include <utility>

// A client, or a parent, starts a workflow.
namespace stele::history {

namespace {

using Request = service::StartWorkflowExecutionRequest;
using Started = api::history::v1::WorkflowExecutionStartedEventAttributes;

/// A cron schedule and a delay exclude each other.
google::protobuf::Duration first_task_backoff(const Request& request, const Context& context) {
    if (request.cron_schedule().empty()) return request.workflow_start_delay();
    return to_proto(cron::backoff(request.cron_schedule(), context.now, context.now)
                        .value_or(Duration::zero()));
}

void name_parent(Started& started, const ParentLink& parent) {
    started.set_parent_workflow_namespace_id(parent.namespace_id);
    started.set_parent_workflow_namespace(parent.namespace_name);
    *started.mutable_parent_workflow_execution() = parent.execution;
    started.set_parent_initiated_event_id(parent.initiated.value());
    *started.mutable_root_workflow_execution() = parent.root;
    if (parent.worker_version) *started.mutable_source_version_stamp() = *parent.worker_version;
}

Started started_attributes(const Request& request, const Context& context) {
    Started started;
    started.set_workflow_id(request.workflow_id());
    *started.mutable_workflow_type() = request.workflow_type();
    *started.mutable_task_queue() = request.task_queue();
    if (request.has_header()) *started.mutable_header() = request.header();
    if (request.has_input()) *started.mutable_input() = request.input();
    if (request.has_retry_policy()) {
        *started.mutable_retry_policy() = request.retry_policy();
        fill_retry_policy(*started.mutable_retry_policy());
    }
    if (request.has_memo()) *started.mutable_memo() = request.memo();
    if (request.has_search_attributes()) {
        *started.mutable_search_attributes() = request.search_attributes();
    }
    if (request.has_continued_failure()) {
        *started.mutable_continued_failure() = request.continued_failure();
    }
    if (request.has_last_completion_result()) {
        *started.mutable_last_completion_result() = request.last_completion_result();
    }
    if (request.has_priority()) *started.mutable_priority() = request.priority();
    if (request.has_versioning_override()) {
        *started.mutable_versioning_override() = request.versioning_override();
    }
    *started.mutable_completion_callbacks() = request.completion_callbacks();
    started.set_identity(request.identity());
    started.set_attempt(1);
    started.set_eager_execution_accepted(request.request_eager_execution());
    *started.mutable_first_workflow_task_backoff() = first_task_backoff(request, context);
    started.set_cron_schedule(request.cron_schedule());
    if (!request.cron_schedule().empty()) {
        started.set_initiator(api::enums::v1::CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE);
    }

    const Duration execution_timeout = from_proto(request.workflow_execution_timeout());
    const Duration run_timeout =
        effective_run_timeout(from_proto(request.workflow_run_timeout()), execution_timeout);
    if (request.has_workflow_execution_timeout()) {
        *started.mutable_workflow_execution_timeout() = request.workflow_execution_timeout();
    }
    if (request.has_workflow_run_timeout() || run_timeout != Duration::zero()) {
        *started.mutable_workflow_run_timeout() = to_proto(run_timeout);
    }
    *started.mutable_workflow_task_timeout() = to_proto(effective_task_timeout(
        from_proto(request.workflow_task_timeout()), run_timeout, *context.limits));
    if (execution_timeout > Duration::zero()) {
        // Whole milliseconds, as clients of Temporal see it.
        const Timestamp exact = add_saturating(context.now, execution_timeout);
        const auto rounded = std::chrono::round<std::chrono::milliseconds>(exact - kUnset);
        *started.mutable_workflow_execution_expiration_time() = to_proto(Timestamp(rounded));
    }
    return started;
}

}  // namespace

absl::StatusOr<NewRun> start_workflow(StartInput input, const Context& context) {
    Request& request = input.request;
    STELE_RETURN_IF_ERROR(
        check_callback_count(0, request.completion_callbacks_size(), *context.limits));
    RunBirth birth;
    birth.started = started_attributes(request, context);
    if (input.parent) name_parent(birth.started, *input.parent);
    birth.namespace_id = std::move(input.namespace_id);
    birth.namespace_name = std::move(input.namespace_name);
    birth.run_id = std::move(input.run_id);
    birth.run_key = input.run_key;
    birth.request_id = request.request_id();
    birth.has_user_metadata = request.has_user_metadata();
    birth.user_metadata = std::move(*request.mutable_user_metadata());
    birth.links = std::move(*request.mutable_links());
    Birth made = begin_run(std::move(birth), context);
    made.builder->header().set_awaits_parent(input.parent.has_value());
    if (input.signal) record_signal(*made.builder, *input.signal);
    return finish_birth(std::move(made));
}

}  // namespace stele::history
