#include "shard/tasks.h"

#include "base/probe.h"
#include "history/update.h"
#include "shard/backlog.h"
#include "shard/completion_pages.h"
#include "shard/history_pages.h"
#include "shard/queries.h"

#include <utility>

namespace stele::shard {
namespace {

absl::Status obsolete() { return not_found("the task is obsolete"); }

}  // namespace

void Tasks::start_workflow_task(const TaskOffer& offer, history::StartWorkflowTaskInput input,
                                Reply<PolledWorkflowTask> reply) {
    const absl::StatusOr<LoadedRun*> run = shard_.load({offer.slot, offer.run_key});
    if (!run.ok()) return reply(run.status());
    STELE_PROBE_IF("tasks.run-gone", *run == nullptr);
    if (*run == nullptr) return reply(obsolete());
    if (STELE_FAULT("tasks.start-refused")) return reply(unavailable("not now"));
    LoadedRun& loaded = **run;
    const CommandContext context = shard_.context_of(loaded);
    auto started = history::start_workflow_task(*loaded.run, input, context.context);
    STELE_PROBE_IF("tasks.obsolete", !started.ok());
    if (!started.ok()) return reply(started.status());
    shard_.commit(loaded, started->transition);
    // The start itself may have gone over a limit of the run and closed it.
    if (!loaded.run->is_open()) return reply(obsolete());
    if (STELE_FAULT("tasks.start-unanswered")) return reply(unavailable("the answer was lost"));
    shard_.reply_at<PolledWorkflowTask>(
        loaded.last_synced, std::move(reply),
        polled(loaded, std::move(started->reply), *context.context.limits));
}

absl::StatusOr<PolledWorkflowTask> Tasks::polled(LoadedRun& run, history::StartedWorkflowTask task,
                                                 const history::Limits& limits) {
    const storage::InfoRow& info = run.run->info;
    PolledWorkflowTask polled;
    polled.run = run.run->ref();
    polled.workflow_type = info.workflow_type();
    polled.task_queue = info.task_queue();
    const bool partial = task.sticky && task.previous_started != kNoEvent;
    const EventId from = partial ? task.previous_started.next() : kFirstEvent;
    PageLimits page;
    page.events = STELE_FAULT("tasks.tiny-page") ? 1 : limits.history_page;
    STELE_PROBE_IF("tasks.partial-history", partial);
    STELE_ASSIGN_OR_RETURN(
        polled.history, read_page(shard_.around().store, run, from, task.last_stored.next(), page));
    polled.queries = shard_.queries().attach(run.address);
    polled.backlog_hint =
        shard_.backlog().size({info.namespace_id(), info.task_queue(), QueueKind::kWorkflow});
    polled.task = std::move(task);
    return polled;
}

void Tasks::start_activity(const TaskOffer& offer, history::StartActivityInput input,
                           Reply<PolledActivityTask> reply) {
    const absl::StatusOr<LoadedRun*> run = shard_.load({offer.slot, offer.run_key});
    if (!run.ok()) return reply(run.status());
    if (*run == nullptr) return reply(obsolete());
    if (STELE_FAULT("tasks.activity-refused")) return reply(unavailable("not now"));
    LoadedRun& loaded = **run;
    const CommandContext context = shard_.context_of(loaded);
    auto started = history::start_activity(*loaded.run, input, context.context);
    STELE_PROBE_IF("tasks.activity-obsolete", !started.ok());
    if (!started.ok()) return reply(started.status());
    shard_.commit(loaded, started->transition);
    if (STELE_FAULT("tasks.activity-unanswered")) return reply(unavailable("the answer was lost"));
    if (!started->transition.overruled.ok()) return reply(started->transition.overruled);
    if (!loaded.run->is_open()) return reply(obsolete());
    shard_.reply_at<PolledActivityTask>(loaded.last_synced, std::move(reply),
                                        polled(loaded, std::move(started->reply)));
}

PolledActivityTask Tasks::polled(const LoadedRun& run, history::StartedActivity activity) {
    PolledActivityTask polled;
    polled.run = run.run->ref();
    polled.namespace_name = run.run->info.namespace_();
    polled.workflow_type = run.run->info.workflow_type();
    polled.activity = std::move(activity);
    return polled;
}

void Tasks::give_up_sticky(const TaskOffer& offer) {
    const absl::StatusOr<LoadedRun*> run = shard_.load({offer.slot, offer.run_key});
    if (!run.ok() || *run == nullptr) return;
    const CommandContext context = shard_.context_of(**run);
    auto applied =
        history::give_up_sticky(*(*run)->run, offer.scheduled, offer.stamp, context.context);
    STELE_PROBE_IF("tasks.sticky-given-up-late", applied.ok() && applied->transition.empty);
    if (applied.ok()) shard_.commit(**run, applied->transition);
}

void Tasks::take_back(const RunRef& ref, const history::WorkflowTaskToken& token) {
    const absl::StatusOr<LoadedRun*> run = shard_.find(ref);
    if (!run.ok()) return;
    LoadedRun& loaded = **run;
    const CommandContext context = shard_.context_of(loaded);
    auto returned = history::return_workflow_task(*loaded.run, token, context.context);
    if (!returned.ok()) return;
    Change change{&loaded, &returned->transition};
    if (returned->transition.overruled.ok()) change.truncate_from = returned->reply;
    if (change.truncate_from != kNoEvent) {
        // A reader may have seen the start, or it shares its batch with events that must stay.
        const auto& batches = loaded.tail.batches();
        const bool alone = !batches.empty() && batches.back().events.first == change.truncate_from;
        if (!alone || loaded.revealed >= change.truncate_from) {
            STELE_PROBE("tasks.not-taken-back");
            return;
        }
    }
    shard_.commit({std::move(change)});
}

void Tasks::take_back(const RunRef& ref, const history::ActivityToken& token) {
    const absl::StatusOr<LoadedRun*> run = shard_.find(ref);
    if (!run.ok()) return;
    const CommandContext context = shard_.context_of(**run);
    auto returned = history::return_activity(*(*run)->run, token, context.context);
    if (returned.ok()) shard_.commit(**run, returned->transition);
}

void Tasks::complete(const NamespacePtr& space, const RunRef& ref,
                     const history::WorkflowTaskToken& token,
                     service::RespondWorkflowTaskCompletedRequest request,
                     Reply<CompletedTaskReply> reply) {
    const absl::StatusOr<LoadedRun*> run = shard_.find(ref);
    if (!run.ok()) return reply(run.status());
    LoadedRun& loaded = **run;
    const CommandContext context = shard_.context_for(space);
    absl::StatusOr<Paged> paged = take_page(loaded, token, *context.context.limits, request);
    if (!paged.ok()) {
        return shard_.reply_at<CompletedTaskReply>(loaded.last_synced, std::move(reply),
                                                   paged.status());
    }
    if (*paged == Paged::kKept) return reply(CompletedTaskReply());
    auto applied =
        *paged == Paged::kTooLarge
            ? history::refuse_completion(*loaded.run, request, context.context)
            : history::complete_workflow_task(*loaded.run, token, request, context.context);
    if (!applied.ok()) {
        return shard_.reply_at<CompletedTaskReply>(loaded.last_synced, std::move(reply),
                                                   applied.status());
    }
    history::CompletedWorkflowTask& completed = applied->reply;
    shard_.commit(loaded, applied->transition);
    if (completed.refusal.ok()) completed.refusal = applied->transition.overruled;
    if (!completed.refusal.ok()) {
        STELE_PROBE("tasks.completion-refused");
        return shard_.reply_at<CompletedTaskReply>(loaded.last_synced, std::move(reply),
                                                   completed.refusal);
    }
    if (completed.speculative_next) {
        STELE_PROBE("tasks.speculative-next");
        auto next =
            history::start_next_speculative_task(*loaded.run, request.identity(), context.context);
        if (next.ok()) {
            shard_.commit(loaded, next->transition);
            completed.next = std::move(next->reply);
        }
    }
    shard_.queries().answer(loaded, *request.mutable_query_results());
    shard_.reply_at<CompletedTaskReply>(loaded.last_synced, std::move(reply),
                                        completed_reply(loaded, completed, context.context));
}

absl::StatusOr<Tasks::Paged> Tasks::take_page(
    const LoadedRun& run, const history::WorkflowTaskToken& token, const history::Limits& limits,
    service::RespondWorkflowTaskCompletedRequest& request) {
    if (!request.intermediate_page() && request.page_number() == 0) return Paged::kComplete;
    STELE_RETURN_IF_ERROR(history::check_task_token(*run.run, token));
    if (!limits.completion_pages) {
        return failed_precondition(
            "workflow task completion pagination is disabled for this namespace " +
            run.run->info.namespace_());
    }
    if (!request.intermediate_page()) {
        STELE_RETURN_IF_ERROR(shard_.completion_pages().merge(run, token, request));
        return Paged::kComplete;
    }
    STELE_ASSIGN_OR_RETURN(const CompletionPages::Kept kept,
                           shard_.completion_pages().keep(run, token, limits, request));
    return kept == CompletionPages::Kept::kYes ? Paged::kKept : Paged::kTooLarge;
}

absl::StatusOr<CompletedTaskReply> Tasks::completed_reply(LoadedRun& run,
                                                          history::CompletedWorkflowTask& completed,
                                                          const history::Context& context) {
    CompletedTaskReply reply;
    reply.reset_history_event = completed.reset_history_event;
    for (const EventId scheduled : completed.eager_activities) {
        const storage::ActivityRow* row = run.run->activities.find(scheduled.value());
        STELE_CHECK(row != nullptr, "an activity that was started in place does not exist");
        // It has been started: the same request gets the same answer again and changes nothing.
        auto started = history::start_activity(
            *run.run, {scheduled, row->stamp(), row->request_id(), row->started_identity()},
            context);
        if (!started.ok()) return started.status();
        reply.eager_activities.push_back(polled(run, std::move(started->reply)));
    }
    if (completed.next) {
        STELE_ASSIGN_OR_RETURN(reply.next,
                               polled(run, *std::move(completed.next), *context.limits));
    }
    return reply;
}

}  // namespace stele::shard
