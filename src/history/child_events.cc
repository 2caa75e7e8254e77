#include "base/probe.h"
#include "history/build_ids.h"
#include "history/children.h"
#include "history/families.h"
#include "history/parent_close.h"
#include "history/unchanged.h"

#include <utility>

// What a parent learns of its children, and the word that lets a child begin.
namespace stele::history {

namespace enums = temporal::api::enums::v1;

namespace {

/// The child whose start is waited for, or null.
const storage::ChildRow* find_pending(const Run& parent, EventId initiated) {
    const storage::ChildRow* child = parent.children.find(initiated.value());
    return !parent.is_open() || child == nullptr || is_started(*child) ? nullptr : child;
}

/// The priority of the child: its own where it says one, otherwise the parent's.
api::common::v1::Priority merge_priority(api::common::v1::Priority priority,
                                         const api::common::v1::Priority& own) {
    if (own.priority_key() != 0) priority.set_priority_key(own.priority_key());
    if (!own.fairness_key().empty()) priority.set_fairness_key(own.fairness_key());
    if (own.fairness_weight() != 0) priority.set_fairness_weight(own.fairness_weight());
    return priority;
}

void add_started_event(Builder& builder, EventId initiated) {
    storage::ChildRow& child = builder.draft().children.edit(initiated.value());
    HistoryEvent event;
    event.set_event_type(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED);
    auto& started = *event.mutable_child_workflow_execution_started_event_attributes();
    started.set_initiated_event_id(initiated.value());
    started.set_namespace_(child.namespace_());
    started.set_namespace_id(child.namespace_id());
    started.mutable_workflow_execution()->set_workflow_id(child.workflow_id());
    started.mutable_workflow_execution()->set_run_id(child.create_request_id());
    *started.mutable_workflow_type() = child.initiated().workflow_type();
    if (child.initiated().has_header()) *started.mutable_header() = child.initiated().header();
    child.set_run_id(child.create_request_id());
    child.clear_initiated();
    child.clear_user_metadata();
    const EventId id = builder.add_or_buffer_event(std::move(event));
    // The id of a buffered one is set when it gets it.
    builder.draft().children.edit(initiated.value()).set_started_event_id(id.value());
}

template <typename Attributes>
void name_child(Attributes& attributes, const storage::ChildRow& child, const ChildReport& report) {
    attributes.set_initiated_event_id(child.initiated_event_id());
    attributes.set_started_event_id(child.started_event_id());
    attributes.set_namespace_(child.namespace_());
    attributes.set_namespace_id(child.namespace_id());
    *attributes.mutable_workflow_execution() = report.execution;
    attributes.mutable_workflow_type()->set_name(child.workflow_type());
}

HistoryEvent outcome_event(const storage::ChildRow& child, const ChildReport& report) {
    HistoryEvent event;
    const HistoryEvent& closing = report.closing_event;
    switch (closing.event_type()) {
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: {
            event.set_event_type(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED);
            auto& to = *event.mutable_child_workflow_execution_completed_event_attributes();
            name_child(to, child, report);
            const auto& from = closing.workflow_execution_completed_event_attributes();
            if (from.has_result()) *to.mutable_result() = from.result();
            break;
        }
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED: {
            event.set_event_type(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED);
            auto& to = *event.mutable_child_workflow_execution_failed_event_attributes();
            name_child(to, child, report);
            const auto& from = closing.workflow_execution_failed_event_attributes();
            if (from.has_failure()) *to.mutable_failure() = from.failure();
            to.set_retry_state(from.retry_state());
            break;
        }
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED: {
            event.set_event_type(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED);
            auto& to = *event.mutable_child_workflow_execution_canceled_event_attributes();
            name_child(to, child, report);
            const auto& from = closing.workflow_execution_canceled_event_attributes();
            if (from.has_details()) *to.mutable_details() = from.details();
            break;
        }
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT: {
            event.set_event_type(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT);
            auto& to = *event.mutable_child_workflow_execution_timed_out_event_attributes();
            name_child(to, child, report);
            to.set_retry_state(
                closing.workflow_execution_timed_out_event_attributes().retry_state());
            break;
        }
        default:
            event.set_event_type(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED);
            name_child(*event.mutable_child_workflow_execution_terminated_event_attributes(), child,
                       report);
            break;
    }
    return event;
}

HistoryEvent not_started_event(const storage::ChildRow& child,
                               enums::StartChildWorkflowExecutionFailedCause cause) {
    HistoryEvent event;
    event.set_event_type(enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED);
    auto& failed = *event.mutable_start_child_workflow_execution_failed_event_attributes();
    failed.set_initiated_event_id(child.initiated_event_id());
    failed.set_namespace_(child.namespace_());
    failed.set_namespace_id(child.namespace_id());
    failed.set_workflow_id(child.workflow_id());
    *failed.mutable_workflow_type() = child.initiated().workflow_type();
    failed.set_control(child.initiated().control());
    failed.set_cause(cause);
    return event;
}

}  // namespace

ChildStart child_start(const Run& parent, const storage::ChildRow& child) {
    const auto& from = child.initiated();
    ChildStart start;
    start.parent.namespace_id = parent.info.namespace_id();
    start.parent.namespace_name = parent.info.namespace_();
    start.parent.execution.set_workflow_id(parent.info.workflow_id());
    start.parent.execution.set_run_id(parent.info.run_id());
    start.parent.initiated = EventId(child.initiated_event_id());
    start.parent.root = parent.info.root();
    if (from.inherit_build_id()) start.parent.worker_version = version_to_inherit(parent.header);
    start.run_id = child.create_request_id();

    service::StartWorkflowExecutionRequest& to = start.request;
    to.set_namespace_(from.namespace_());
    to.set_workflow_id(from.workflow_id());
    *to.mutable_workflow_type() = from.workflow_type();
    *to.mutable_task_queue() = from.task_queue();
    if (from.has_input()) *to.mutable_input() = from.input();
    if (from.has_header()) *to.mutable_header() = from.header();
    if (from.has_workflow_execution_timeout()) {
        *to.mutable_workflow_execution_timeout() = from.workflow_execution_timeout();
    }
    *to.mutable_workflow_run_timeout() = from.workflow_run_timeout();
    *to.mutable_workflow_task_timeout() = from.workflow_task_timeout();
    to.set_request_id(child.create_request_id());
    to.set_workflow_id_reuse_policy(from.workflow_id_reuse_policy());
    if (from.has_retry_policy()) *to.mutable_retry_policy() = from.retry_policy();
    to.set_cron_schedule(from.cron_schedule());
    if (from.has_memo()) *to.mutable_memo() = from.memo();
    if (from.has_search_attributes()) *to.mutable_search_attributes() = from.search_attributes();
    if (child.has_user_metadata()) *to.mutable_user_metadata() = child.user_metadata();
    if (from.has_versioning_override()) {
        *to.mutable_versioning_override() = from.versioning_override();
    }
    if (from.has_priority() || parent.info.has_priority()) {
        *to.mutable_priority() = merge_priority(parent.info.priority(), from.priority());
    }
    return start;
}

absl::StatusOr<Applied<None>> record_child_started(const Run& parent, EventId initiated,
                                                   const Context& context) {
    const storage::ChildRow* child = find_pending(parent, initiated);
    if (child == nullptr) return unchanged(parent);
    Builder builder(parent, context);
    storage::OutboxRow release =
        outbox_row(builder, storage::OutboxRow::KIND_RELEASE_CHILD, initiated);
    release.set_target_namespace_id(child->namespace_id());
    release.set_target_workflow_id(child->workflow_id());
    release.set_target_run_id(child->create_request_id());
    builder.transition().outbox.push_back(std::move(release));
    add_started_event(builder, initiated);
    builder.schedule_workflow_task_if_needed();
    return Applied<None>{std::move(builder).finish(), {}};
}

absl::StatusOr<Applied<None>> record_child_not_started(
    const Run& parent, EventId initiated, enums::StartChildWorkflowExecutionFailedCause cause,
    const Context& context) {
    const storage::ChildRow* child = find_pending(parent, initiated);
    if (child == nullptr) return unchanged(parent);
    Builder builder(parent, context);
    builder.add_or_buffer_event(not_started_event(*child, cause));
    STELE_PROBE("history.child-not-started");
    builder.draft().children.erase(initiated.value());
    builder.schedule_workflow_task_if_needed();
    return Applied<None>{std::move(builder).finish(), {}};
}

absl::StatusOr<Applied<None>> record_child_closed(const Run& parent, const ChildReport& report,
                                                  const Context& context) {
    const storage::ChildRow* child = parent.children.find(report.initiated.value());
    // Another child may be waited for under this id when the parent has been reset meanwhile.
    if (!parent.is_open() || child == nullptr ||
        child->create_request_id() != report.chain_run_id) {
        STELE_PROBE("history.child-report-repeated");
        return unchanged(parent);
    }
    Builder builder(parent, context);
    STELE_PROBE_IF("history.child-ended-before-its-start-was-told", !is_started(*child));
    if (!is_started(*child)) add_started_event(builder, report.initiated);
    builder.add_or_buffer_event(
        outcome_event(*builder.draft().children.find(report.initiated.value()), report));
    if (!STELE_BUG("history.child-outcome-repeated"))
        builder.draft().children.erase(report.initiated.value());
    builder.schedule_workflow_task_if_needed();
    return Applied<None>{std::move(builder).finish(), {}};
}

absl::StatusOr<Applied<None>> release_child(const Run& child, const Context& context) {
    STELE_PROBE_IF("history.child-released-again",
                   child.is_open() && !child.header.awaits_parent());
    if (!child.is_open() || !child.header.awaits_parent()) return unchanged(child);
    if (STELE_BUG("history.child-not-released")) return unchanged(child);
    Builder builder(child, context);
    builder.header().clear_awaits_parent();
    builder.schedule_workflow_task_if_needed();
    return Applied<None>{std::move(builder).finish(), {}};
}

}  // namespace stele::history
