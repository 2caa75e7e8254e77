#include "shard/completions.h"

#include "history/callbacks.h"
#include "history/update.h"
#include "shard/history_pages.h"

#include <utility>

namespace stele::shard {
namespace {

/// The outcome of an update that was accepted and that its run has closed under; no event tells it.
history::HistoryEvent outcome_without_event(const history::Run& run, const std::string& update_id) {
    history::HistoryEvent event;
    event.set_event_type(api::enums::v1::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED);
    *event.mutable_event_time() = run.header.close_time();
    auto& completed = *event.mutable_workflow_execution_update_completed_event_attributes();
    completed.mutable_meta()->set_update_id(update_id);
    const auto progress = history::find_update(run, update_id);
    if (progress && progress->outcome) *completed.mutable_outcome() = *progress->outcome;
    return event;
}

/// The start, or whatever request came later: its event may have had no id when it was answered.
api::common::v1::Link::WorkflowEvent link_to(const history::Run& run,
                                             const std::string& request_id) {
    api::common::v1::Link::WorkflowEvent link;
    link.set_namespace_(run.info.namespace_());
    link.set_workflow_id(run.info.workflow_id());
    link.set_run_id(run.info.run_id());
    const auto known = run.request_ids.id_of(request_id);
    if (!known || request_id == run.info.create_request_id()) {
        link.mutable_event_ref()->set_event_id(kFirstEvent.value());
        link.mutable_event_ref()->set_event_type(
            api::enums::v1::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED);
    } else {
        link.mutable_request_id_ref()->set_request_id(request_id);
        link.mutable_request_id_ref()->set_event_type(run.request_ids.find(*known)->event_type());
    }
    return link;
}

}  // namespace

absl::StatusOr<std::optional<Completion>> completion_of(store::Store& store, const LoadedRun& run,
                                                        const storage::CallbackRow& callback) {
    if (history::is_settled(callback)) return std::optional<Completion>();
    Completion completion;
    completion.callback = callback.callback();
    completion.run = run.run->ref();
    completion.link = link_to(*run.run, callback.request_id());
    completion.update_id = callback.update_id();
    completion.started = from_proto(run.run->info.start_time());
    if (callback.outcome_event_id() == 0) {
        completion.outcome = outcome_without_event(*run.run, callback.update_id());
    } else {
        STELE_ASSIGN_OR_RETURN(completion.outcome,
                               read_event(store, run, EventId(callback.outcome_event_id())));
    }
    completion.ended = from_proto(completion.outcome.event_time());
    return std::optional<Completion>(std::move(completion));
}

}  // namespace stele::shard
