#include "history/parent_close.h"

#include "base/probe.h"
#include "history/children.h"

#include <utility>

namespace stele::history {

namespace enums = temporal::api::enums::v1;

namespace {

/// What the child is told, which takes the place of whatever it was still to be told; nullopt when it
/// is to be left alone and has been told all that it needs.
std::optional<storage::OutboxRow> last_word(const Builder& builder,
                                            const storage::ChildRow& child) {
    const bool was_reset = builder.header().was_reset();
    const bool abandoned = !was_reset && !STELE_BUG("parent-close.abandoned-ended") &&
                           child.parent_close_policy() == enums::PARENT_CLOSE_POLICY_ABANDON;
    if ((abandoned || was_reset) && is_started(child)) return std::nullopt;
    // An abandoned child whose start is under way is on its own from now on, if it comes to exist.
    STELE_PROBE_IF("history.child-abandoned-before-it-started", abandoned);
    if (STELE_BUG("parent-close.unstarted-forgotten") && !is_started(child)) return std::nullopt;
    storage::OutboxRow row = outbox_row(
        builder,
        abandoned ? storage::OutboxRow::KIND_RELEASE_CHILD : storage::OutboxRow::KIND_END_CHILD,
        EventId(child.initiated_event_id()));
    row.set_target_namespace_id(child.namespace_id());
    row.set_target_workflow_id(child.workflow_id());
    row.set_target_run_id(child.create_request_id());
    row.set_parent_close_policy(was_reset ? enums::PARENT_CLOSE_POLICY_TERMINATE
                                          : child.parent_close_policy());
    return row;
}

}  // namespace

storage::OutboxRow outbox_row(const Builder& builder, storage::OutboxRow::Kind kind,
                              EventId number) {
    storage::OutboxRow row;
    row.set_kind(kind);
    row.set_namespace_id(builder.info().namespace_id());
    row.set_run_key(builder.info().sequence());
    row.set_initiated_event_id(number.value());
    row.set_workflow_id(builder.info().workflow_id());
    row.set_run_id(builder.info().run_id());
    return row;
}

void apply_parent_close_policy(Builder& builder) {
    builder.draft().children.for_each([&](ItemId, const storage::ChildRow& child) {
        if (auto row = last_word(builder, child)) {
            builder.transition().outbox.push_back(*std::move(row));
        }
    });
}

void report_to_parent(Builder& builder, const HistoryEvent& closing) {
    const storage::InfoRow& info = builder.info();
    const storage::HeaderRow& header = builder.header();
    const bool last = (header.successor_run_id().empty() || STELE_BUG("parent.told-too-early")) &&
                      !header.was_reset();
    STELE_PROBE_IF("history.child-goes-on", info.has_parent() && !last);
    if (!info.has_parent() || !last) return;
    storage::OutboxRow row =
        outbox_row(builder, storage::OutboxRow::KIND_REPORT_TO_PARENT, EventId(closing.event_id()));
    row.set_target_namespace_id(info.parent_namespace_id());
    row.set_target_workflow_id(info.parent().workflow_id());
    row.set_target_run_id(info.parent().run_id());
    row.set_target_initiated_event_id(info.parent_initiated_event_id());
    row.set_chain_run_id(info.first_execution_run_id());
    *row.mutable_closing_event() = closing;
    builder.transition().outbox.push_back(std::move(row));
}

void ask_for_child(Builder& builder, EventId initiated, std::string run_id) {
    if (run_id.empty()) run_id = builder.context().new_id();
    // Also the request id: see history/children.h.
    builder.draft().children.edit(initiated.value()).set_create_request_id(std::move(run_id));
    builder.transition().outbox.push_back(
        outbox_row(builder, storage::OutboxRow::KIND_START_CHILD, initiated));
}

}  // namespace stele::history
