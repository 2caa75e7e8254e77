#include "base/probe.h"
#include "history/families.h"
#include "history/unchanged.h"

namespace stele::history {
namespace {

namespace enums = temporal::api::enums::v1;

HistoryEvent cancel_requested_event(const CancelInput& input) {
    HistoryEvent event;
    event.set_event_type(enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED);
    auto& attributes = *event.mutable_workflow_execution_cancel_requested_event_attributes();
    attributes.set_cause(input.reason);
    attributes.set_identity(input.identity);
    attributes.set_external_initiated_event_id(input.external_initiated_event_id);
    if (!input.external_source.workflow_id().empty()) {
        *attributes.mutable_external_workflow_execution() = input.external_source;
    }
    *event.mutable_links() = {input.links.begin(), input.links.end()};
    return event;
}

void record_request(Builder& builder, const CancelInput& input) {
    if (builder.header().cancel_requested()) return;
    if (STELE_BUG("history.cancel-request-lost"))
        return builder.header().set_cancel_requested(true);
    builder.add_or_buffer_event(cancel_requested_event(input));
    builder.header().set_cancel_requested(true);
    builder.header().set_cancel_request_id(input.request_id);
    // The workflow is to learn of it now, even if its start was meant to be later.
    builder.header().set_first_task_pending(false);
}

}  // namespace

absl::StatusOr<Applied<None>> request_cancel(const Run& run, const CancelInput& input,
                                             const Context& context) {
    STELE_PROBE_IF("history.cancel-requested-again",
                   run.is_open() && run.header.cancel_requested());
    if (!run.is_open() || run.header.cancel_requested()) return unchanged(run);
    Builder builder(run, context);
    record_request(builder, input);
    builder.schedule_workflow_task_if_needed();
    return Applied<None>{std::move(builder).finish(), {}};
}

absl::StatusOr<Applied<None>> cancel_left_child(const Run& child, const CancelInput& input,
                                                const Context& context) {
    if (!child.is_open()) return unchanged(child);
    if (child.header.cancel_requested() && !child.header.awaits_parent()) {
        return unchanged(child);
    }
    Builder builder(child, context);
    builder.header().clear_awaits_parent();
    record_request(builder, input);
    builder.schedule_workflow_task_if_needed();
    return Applied<None>{std::move(builder).finish(), {}};
}

}  // namespace stele::history
