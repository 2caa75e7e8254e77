#include "history/transition.h"

#include <utility>

namespace stele::history {

Draft::Draft(const Run& run)
    : base(&run),
      header(run.header),
      activities(run.activities),
      timers(run.timers),
      children(run.children),
      external_signals(run.external_signals),
      external_cancels(run.external_cancels),
      nexus_operations(run.nexus_operations),
      buffered(run.buffered),
      request_ids(run.request_ids),
      updates(run.updates),
      callbacks(run.callbacks),
      pending_updates(run.pending_updates) {}

std::size_t Draft::bytes() const {
    return (info ? info->ByteSizeLong() : base->info_bytes()) + header.ByteSizeLong() +
           (attributes ? attributes->ByteSizeLong() : base->attributes_bytes()) +
           activities.bytes() + timers.bytes() + children.bytes() + external_signals.bytes() +
           external_cancels.bytes() + nexus_operations.bytes() + buffered.bytes() +
           request_ids.bytes() + callbacks.bytes();
}

void apply(Run& run, Transition& transition) {
    Draft& draft = transition.draft;
    STELE_CHECK(draft.base == &run, "a transition was applied to a run that it was not made from");
    if (transition.empty) return;
    run.header = std::move(draft.header);
    if (draft.info) run.set_info(*std::move(draft.info));
    if (draft.attributes) run.set_attributes(*std::move(draft.attributes));
    std::move(draft.activities).apply_to(run.activities);
    std::move(draft.timers).apply_to(run.timers);
    std::move(draft.children).apply_to(run.children);
    std::move(draft.external_signals).apply_to(run.external_signals);
    std::move(draft.external_cancels).apply_to(run.external_cancels);
    std::move(draft.nexus_operations).apply_to(run.nexus_operations);
    std::move(draft.buffered).apply_to(run.buffered);
    std::move(draft.request_ids).apply_to(run.request_ids);
    std::move(draft.updates).apply_to(run.updates);
    std::move(draft.callbacks).apply_to(run.callbacks);
    std::move(draft.pending_updates).apply_to(run.pending_updates);
}

}  // namespace stele::history
