#include "shard/updates.h"

#include "base/probe.h"
#include "shard/history_pages.h"

#include "temporal/api/errordetails/v1/message.pb.h"

#include <algorithm>

namespace stele::shard {
namespace {

namespace enums = api::enums::v1;
using api::history::v1::HistoryEvent;

constexpr std::size_t kWaitingPerShard = 10'000;

absl::Status too_many_wait() {
    api::errordetails::v1::ResourceExhaustedFailure detail;
    detail.set_cause(enums::RESOURCE_EXHAUSTED_CAUSE_SYSTEM_OVERLOADED);
    detail.set_scope(enums::RESOURCE_EXHAUSTED_SCOPE_SYSTEM);
    return make_error(absl::StatusCode::kResourceExhausted, "too many calls wait for updates",
                      detail);
}

}  // namespace

// ---- Calls -----------------------------------------------------------------------------------

void Updates::update(const NamespacePtr& space,
                     const service::UpdateWorkflowExecutionRequest& request, CallScopePtr scope,
                     Reply<UpdateReply> reply) {
    const auto& execution = request.workflow_execution();
    const absl::StatusOr<LoadedRun*> run =
        shard_.find({space->id, execution.workflow_id(), execution.run_id()});
    if (!run.ok()) return reply(run.status());
    const std::string& first = request.first_execution_run_id();
    if (!first.empty() && (*run)->run->info.first_execution_run_id() != first) {
        return shard_.reply_at<UpdateReply>((*run)->last_synced, std::move(reply),
                                            not_found("workflow execution not found"));
    }
    admit(space, **run, request, std::move(scope), std::move(reply));
}

void Updates::admit(const NamespacePtr& space, LoadedRun& run,
                    const service::UpdateWorkflowExecutionRequest& request, CallScopePtr scope,
                    Reply<UpdateReply> reply) {
    const CommandContext context = shard_.context_for(space);
    auto admitted = history::admit_update(*run.run, request.request(), context.context);
    if (!admitted.ok()) {
        return shard_.reply_at<UpdateReply>(run.last_synced, std::move(reply), admitted.status());
    }
    shard_.commit(run, admitted->transition);
    wait_for(run, request.request().meta().update_id(), request.wait_policy().lifecycle_stage(),
             std::move(scope), std::move(reply));
}

void Updates::poll(const NamespacePtr& space,
                   const service::PollWorkflowExecutionUpdateRequest& request, CallScopePtr scope,
                   Reply<UpdateReply> reply) {
    const auto& execution = request.update_ref().workflow_execution();
    const absl::StatusOr<LoadedRun*> run =
        shard_.find({space->id, execution.workflow_id(), execution.run_id()});
    if (!run.ok()) return reply(run.status());
    wait_for(**run, request.update_ref().update_id(), request.wait_policy().lifecycle_stage(),
             std::move(scope), std::move(reply));
}

// ---- Waiting ---------------------------------------------------------------------------------

void Updates::wait_for(LoadedRun& run, const std::string& update_id, Stage stage,
                       CallScopePtr scope, Reply<UpdateReply> reply) {
    const auto progress = history::find_update(*run.run, update_id);
    if (!progress) {
        return shard_.reply_at<UpdateReply>(run.last_synced, std::move(reply),
                                            not_found("update \"" + update_id + "\" not found"));
    }
    if (progress->stage >= stage) {
        return shard_.reply_at<UpdateReply>(run.last_synced, std::move(reply),
                                            describe(run, update_id, *progress));
    }
    if (waits_.size() >= kWaitingPerShard || STELE_FAULT("updates.too-many"))
        return reply(too_many_wait());
    Wait wait;
    wait.update = {run.address, update_id};
    wait.ref = run.run->ref();
    wait.stage = stage;
    wait.scope = std::move(scope);
    wait.reply = std::move(reply);
    hold(std::move(wait));
}

absl::StatusOr<UpdateReply> Updates::describe(LoadedRun& run, const std::string& update_id,
                                              const history::UpdateProgress& progress) {
    UpdateReply reply{run.run->ref(), update_id, progress.stage, progress.outcome};
    if (progress.completed_event != kNoEvent) {
        STELE_ASSIGN_OR_RETURN(HistoryEvent event,
                               read_event(shard_.around().store, run, progress.completed_event));
        reply.outcome =
            std::move(*event.mutable_workflow_execution_update_completed_event_attributes()
                           ->mutable_outcome());
    }
    return reply;
}

void Updates::hold(Wait wait) {
    const WaitId id = ++last_wait_;
    const bool soon = STELE_FAULT("updates.wait-ends-soon");
    const Duration longest =
        soon ? Duration(std::chrono::milliseconds(50)) : shard_.around().options.long_poll;
    const Timestamp end = add_saturating(shard_.now(), longest);
    wait.timer = shard_.executor().run_at(end, [this, id] { expire(id); });
    by_update_[wait.update].push_back(id);
    const CallScopePtr scope = wait.scope;
    waits_.emplace(id, std::move(wait));
    if (scope == nullptr) return;
    scope->on_cancel([this, id] {
        shard_.executor().post(
            [this, id] { finish(id, canceled("the caller has gone"), Position()); });
    });
}

void Updates::expire(WaitId id) {
    const auto found = waits_.find(id);
    if (found == waits_.end()) return;
    const auto [address, update_id] = found->second.update;
    const absl::StatusOr<LoadedRun*> run = shard_.load(address);
    if (!run.ok()) return finish(id, run.status(), Position());
    if (*run == nullptr) {
        return finish(id, not_found("workflow execution has been deleted"), Position());
    }
    const auto progress = history::find_update(*(*run)->run, update_id);
    if (!progress) {
        STELE_PROBE("updates.aborted-while-waiting");
        return finish(id, unavailable("workflow update was aborted"), (*run)->last_synced);
    }
    STELE_PROBE("updates.wait-expired");
    finish(id, describe(**run, update_id, *progress), (*run)->last_synced);
}

void Updates::finish(WaitId id, absl::StatusOr<UpdateReply> result, Position position) {
    const auto found = waits_.find(id);
    if (found == waits_.end()) return;
    Wait wait = std::move(found->second);
    waits_.erase(found);
    std::vector<WaitId>& ids = by_update_.at(wait.update);
    std::erase(ids, id);
    if (ids.empty()) by_update_.erase(wait.update);
    if (wait.timer != 0) shard_.executor().cancel(wait.timer);
    if (wait.scope != nullptr) wait.scope->on_cancel({});
    shard_.reply_at<UpdateReply>(position, std::move(wait.reply), std::move(result));
}

void Updates::drain() {
    while (!waits_.empty()) {
        finish(waits_.begin()->first, unavailable("the server is shutting down"), Position());
    }
    for (const auto& [run, deadline] : deadlines_) shard_.executor().cancel(deadline.timer);
    deadlines_.clear();
}

// ---- What commits tell -----------------------------------------------------------------------

void Updates::changed(const LoadedRun& run, std::vector<history::UpdateChange>& changes) {
    mind_speculative_task(run);
    // From the last, which is the whole truth about its update: who waits is gone after it.
    for (auto change = changes.rbegin(); change != changes.rend(); ++change) answer(run, *change);
}

void Updates::answer(const LoadedRun& run, history::UpdateChange& change) {
    const auto waiting = by_update_.find({run.address, change.update_id});
    if (waiting == by_update_.end()) return;
    UpdateReply reply{run.run->ref(), change.update_id,
                      enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED, std::nullopt};
    if (change.kind == history::UpdateChange::Kind::kAccepted) {
        reply.stage = enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED;
    } else {
        reply.outcome = change.outcome;
    }
    absl::StatusOr<UpdateReply> result(std::move(reply));
    if (change.kind == history::UpdateChange::Kind::kAborted) result = change.error;
    for (const WaitId id : waiting->second) {
        if (result.ok() && waits_.at(id).stage > result->stage) continue;
        // Not in place: the commit under way is still being announced.
        env::Closure tell = [this, id, result,
                             position = STELE_BUG("updates.told-before-durable")
                                            ? Position()
                                            : run.last_synced] { finish(id, result, position); };
        if (STELE_FAULT("updates.told-late")) {
            shard_.executor().run_at(shard_.now() + std::chrono::milliseconds(60), std::move(tell));
        } else {
            shard_.executor().post(std::move(tell));
        }
    }
}

void Updates::mind_speculative_task(const LoadedRun& run) {
    const Timestamp time = history::speculative_deadline(*run.run);
    const auto known = deadlines_.find(run.address);
    if (known == deadlines_.end() && time == kNever) return;
    if (known != deadlines_.end()) {
        if (known->second.time == time) return;
        shard_.executor().cancel(known->second.timer);
        deadlines_.erase(known);
    }
    if (time == kNever || shard_.draining()) return;
    const RunAddress address = run.address;
    const env::TimerId timer =
        shard_.executor().run_at(time, [this, address] { time_out_speculative_task(address); });
    deadlines_[address] = {time, timer};
}

void Updates::time_out_speculative_task(RunAddress address) {
    STELE_PROBE("updates.speculative-task-timed-out");
    deadlines_.erase(address);
    const absl::StatusOr<LoadedRun*> run = shard_.load(address);
    if (!run.ok() || *run == nullptr) return;
    const CommandContext context = shard_.context_of(**run);
    auto fired = history::fire_due(*(*run)->run, context.context);
    if (fired.ok()) shard_.commit(**run, fired->transition);
}

}  // namespace stele::shard
