#include <algorithm>
#include <utility>

#include "base/probe.h"
#include "sdk/worker/run_shard.h"

// Local activities of a shard's runs: a completion is held back while they are at work, and a
// heartbeat is sent in its place when the workflow task's time is nearly over.
namespace stele::sdk {

namespace {

// The share of the task's time after which a heartbeat must be on its way.
constexpr int kHeartbeatNumerator = 4;
constexpr int kHeartbeatDenominator = 5;
constexpr Milliseconds kDefaultTaskTimeout{10'000};

}  // namespace

// One outcome at a time: what the code does about it may ask for, or cancel, other local activities.
void RunShard::work_on_local_activities(Entry& entry) {
    for (;;) {
        begin_local_work(entry);
        if (entry.outcomes.empty()) break;
        auto [sequence, outcome] = std::move(entry.outcomes.front());
        entry.outcomes.pop_front();
        entry.later_attempts += outcome.attempt > 1 ? outcome.attempt - 1 : 0;
        entry.run->resolve_local_activity(sequence, std::move(outcome));
    }
    if (!entry.run->waits_for_local_activities()) {
        complete(entry, false);
    } else if (stopping_) {
        finish(entry.current.task->workflow_execution().run_id(), false);
    } else {
        hold(entry);
    }
}

void RunShard::begin_local_work(Entry& entry) {
    core::Run::LocalWork work = entry.run->take_local_work();
    const auto& execution = entry.current.task->workflow_execution();
    for (core::LocalActivity& activity : work.start) {
        const core::Sequence sequence = activity.sequence;
        const LocalActivityInstruments& instruments = local_instruments_.of(activity.type);
        auto attempts = std::make_shared<LocalActivityAttempts>(
            context_, executor_, std::move(activity),
            LocalActivityAttempts::RunIdentity{execution.workflow_id(), execution.run_id(),
                                               entry.current.task->workflow_type().name()},
            instruments,
            [weak = weak_from_this(), run_id = execution.run_id(),
             sequence](core::LocalActivityOutcome outcome) {
                if (const auto self = weak.lock())
                    self->on_local_outcome(run_id, sequence, std::move(outcome));
            });
        entry.local_activities[sequence] = attempts;
        attempts->start();
    }
    for (const core::Sequence sequence : work.cancel)
        if (const auto found = entry.local_activities.find(sequence);
            found != entry.local_activities.end())
            std::shared_ptr(found->second)->cancel();
}

// An outcome may come while no task is at hand, between a heartbeat and the task that follows it.
void RunShard::on_local_outcome(const std::string& run_id, core::Sequence sequence,
                                core::LocalActivityOutcome outcome) {
    const auto found = runs_.find(run_id);
    if (found == runs_.end()) return;
    Entry& entry = found->second;
    entry.local_activities.erase(sequence);
    STELE_PROBE_IF("sdk.local-outcome-between-tasks", !entry.holding);
    entry.outcomes.push_back({sequence, std::move(outcome)});
    if (!std::exchange(entry.holding, false)) return;
    guarded(entry, [&] { work_on_local_activities(entry); });
}

void RunShard::hold(Entry& entry) {
    entry.holding = true;
    if (entry.heartbeat_timer) return;
    Milliseconds timeout = entry.run->task_timeout();
    if (timeout.count() <= 0) timeout = kDefaultTaskTimeout;
    const Milliseconds delay = timeout * kHeartbeatNumerator / kHeartbeatDenominator;
    entry.heartbeat_timer = context_->client->runtime()->start_timer(
        delay, executor_,
        [weak = weak_from_this(), run_id = entry.current.task->workflow_execution().run_id()] {
            if (const auto self = weak.lock()) self->send_heartbeat(run_id);
        });
}

void RunShard::send_heartbeat(const std::string& run_id) {
    const auto found = runs_.find(run_id);
    if (found == runs_.end()) return;
    Entry& entry = found->second;
    entry.heartbeat_timer.reset();
    if (!std::exchange(entry.holding, false)) return;
    STELE_PROBE("sdk.local-heartbeat");
    guarded(entry, [&] { complete(entry, true); });
}

void RunShard::abandon_local_activities(Entry& entry) {
    for (const auto& [sequence, attempts] : std::exchange(entry.local_activities, {}))
        attempts->abandon();
    entry.outcomes.clear();
    entry.heartbeat_timer.reset();
    entry.holding = false;
}

void RunShard::stop_local_activities() {
    executor_->post([self = shared_from_this()] {
        self->stopping_ = true;
        std::vector<std::string> held;
        for (const auto& [run_id, entry] : self->runs_)
            if (entry.holding) held.push_back(run_id);
        // Nothing is answered: another worker gets the task when its time is over.
        for (const std::string& run_id : held) self->finish(run_id, false);
    });
}

}  // namespace stele::sdk
