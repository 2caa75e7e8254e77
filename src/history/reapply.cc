#include "history/reapply.h"

#include "base/probe.h"
#include "history/options.h"
#include "history/reset.h"
#include "history/update.h"

#include <algorithm>
#include <utility>

namespace stele::history {

namespace enums = api::enums::v1;

namespace {

void reapply_signal(Builder& builder, const HistoryEvent& event) {
    const auto& attributes = event.workflow_execution_signaled_event_attributes();
    // Sent again to the run that this one had continued as, while the history in front of the reset
    // point has it already.
    if (!attributes.request_id().empty() &&
        builder.draft().request_ids.find_named(attributes.request_id()) != nullptr) {
        STELE_PROBE("history.signal-not-reapplied-twice");
        return;
    }
    if (STELE_BUG("reset.signals-not-reapplied")) return;
    STELE_PROBE("history.signal-reapplied");
    SignalInput input;
    input.name = attributes.signal_name();
    input.input = attributes.input();
    input.header = attributes.header();
    input.identity = attributes.identity();
    input.request_id = attributes.request_id();
    input.links.assign(event.links().begin(), event.links().end());
    record_signal(builder, input);
}

/// Of those who joined updates, the ones whose update the new run has, and whom it does not know yet.
void keep_joined(const Draft& draft,
                 api::history::v1::WorkflowExecutionOptionsUpdatedEventAttributes& attributes) {
    auto& joined = *attributes.mutable_workflow_update_options();
    joined.erase(std::remove_if(joined.begin(), joined.end(),
                                [&draft](const auto& one) {
                                    return draft.updates.find_named(one.update_id()) == nullptr ||
                                           draft.request_ids.find_named(
                                               one.attached_request_id()) != nullptr;
                                }),
                 joined.end());
}

void reapply_options(Builder& builder, const HistoryEvent& event) {
    const auto& attributes = event.workflow_execution_options_updated_event_attributes();
    const bool attached = attributes.attached_completion_callbacks_size() > 0 &&
                          !attributes.attached_request_id().empty();
    // Callbacks that the history in front of the reset point has attached already.
    if (attached && builder.draft().request_ids.find_named(attributes.attached_request_id()))
        return;
    HistoryEvent copy;
    *copy.mutable_workflow_execution_options_updated_event_attributes() = attributes;
    keep_joined(builder.draft(),
                *copy.mutable_workflow_execution_options_updated_event_attributes());
    *copy.mutable_links() = event.links();
    add_options_updated(builder, std::move(copy));
}

}  // namespace

bool is_reapplied(const HistoryEvent& event, const ReapplyExclusions& excluded) {
    switch (event.event_type()) {
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED: return !excluded.signals;
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED: return true;
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED:
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
            return !excluded.updates && request_of_update(event) != nullptr;
        default: return false;
    }
}

void reapply(Builder& builder, const HistoryEvent& event) {
    switch (event.event_type()) {
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED: return reapply_signal(builder, event);
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED:
            return reapply_options(builder, event);
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED:
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
            return reapply_update(builder, *request_of_update(event),
                                  enums::UPDATE_ADMITTED_EVENT_ORIGIN_REAPPLY);
        default: return;
    }
}

}  // namespace stele::history
