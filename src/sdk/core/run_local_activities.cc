#include <algorithm>
#include <utility>

#include "sdk/core/errors.h"
#include "sdk/core/run.h"

// Local activities: they run while the workflow task does, and only what they came to is recorded.
namespace stele::core {

void Run::on_call(ScheduleLocalActivityCall call) {
    const Sequence sequence = call.activity.sequence;
    local_activities_[sequence] = std::make_shared<LocalActivityMachine>(std::move(call.activity));
}

// What is cancelled in the turn that called it never began, so there is nobody who could answer. The
// same holds in a replay, which is why the turn decides and not what the worker has been asked for.
void Run::on_call(CancelLocalActivityCall call) {
    const auto found = local_activities_.find(call.sequence);
    if (found == local_activities_.end()) return;
    const std::shared_ptr<LocalActivityMachine> machine = found->second;
    if (machine->requested() && call.tell) local_cancellations_.push_back(call.sequence);
    machine->cancel();
    if (call.forget) {
        local_activities_.erase(found);
    } else if (!machine->begun()) {
        LocalActivityResolvedJob job;
        job.sequence = call.sequence;
        job.outcome.resolution.kind = Resolution::Kind::kCanceled;
        job.outcome.resolution.failure.set_message("local activity canceled before it began");
        job.outcome.resolution.failure.mutable_canceled_failure_info();
        local_activities_.erase(found);
        immediate_.emplace_back(std::move(job));
    }
}

Run::LocalWork Run::take_local_work() {
    LocalWork work;
    work.cancel = std::exchange(local_cancellations_, {});
    for (auto& [sequence, machine] : local_activities_) {
        if (ended_) {
            if (machine->requested()) work.cancel.push_back(sequence);
        } else if (machine->request()) {
            work.start.push_back(machine->activity());
            if (machine->cancelled()) work.cancel.push_back(sequence);
        }
    }
    if (ended_) local_activities_.clear();
    return work;
}

void Run::resolve_local_activity(Sequence sequence, LocalActivityOutcome outcome) {
    const auto found = local_activities_.find(sequence);
    if (found == local_activities_.end() || ended_) return;
    auto machine = std::move(found->second);
    local_activities_.erase(found);
    settle_local_activity(std::move(outcome), std::move(machine));
    enqueue_end();
}

// The marker takes its place among the commands before the code goes on, and the workflow's clock
// goes on to the moment of the end.
void Run::settle_local_activity(LocalActivityOutcome outcome,
                                std::shared_ptr<LocalActivityMachine> machine) {
    const LocalActivity& activity = machine->activity();
    turn_.time_nanoseconds = std::max(turn_.time_nanoseconds, outcome.complete_time_nanoseconds);
    jobs_.emplace_back(LocalActivityResolvedJob{activity.sequence, outcome});
    Command command = machine->marker(std::move(outcome)).to_command();
    if (!activity.summary.data().empty())
        *command.mutable_user_metadata()->mutable_summary() = activity.summary;
    enqueue(std::move(machine), std::move(command));
    run_code();
}

// A marker for something that the code has not asked for stays, and is found missing when its event
// comes.
void Run::replay_local_activities() {
    while (!local_markers_.empty() && !end_) {
        const auto found = local_activities_.find(local_markers_.front().sequence);
        if (found == local_activities_.end()) return;
        auto machine = std::move(found->second);
        local_activities_.erase(found);
        LocalActivityOutcome outcome = std::move(local_markers_.front().outcome);
        local_markers_.pop_front();
        settle_local_activity(std::move(outcome), std::move(machine));
    }
}

}  // namespace stele::core
