#include <utility>

#include "sdk/core/errors.h"
#include "sdk/core/paired_machine.h"
#include "sdk/core/run.h"
#include "temporal/api/enums/v1/command_type.pb.h"

// What the workflow code asks for, turned into machines and commands.
namespace stele::core {

namespace enums = temporal::api::enums::v1;

void Run::enqueue(std::shared_ptr<Machine> machine, Command command) {
    queue_.push_back({std::move(machine), std::move(command)});
}

void Run::drop_commands_of(const Machine* machine) {
    queue_.erase_if([&](const Queued& queued) { return queued.machine.get() == machine; });
}

void Run::on_call(ScheduleActivityCall call) {
    auto machine = std::make_shared<ActivityMachine>(call);
    activities_[call.sequence] = machine;
    enqueue(std::move(machine), std::move(call.command));
}

void Run::on_call(CancelActivityCall call) {
    const auto found = activities_.find(call.sequence);
    if (found == activities_.end()) return;
    const std::shared_ptr<ActivityMachine> machine = found->second;
    switch (machine->cancel()) {
        case ActivityMachine::CancelResult::kNothing: return;
        case ActivityMachine::CancelResult::kDropCommand: {
            drop_commands_of(machine.get());
            activities_.erase(found);
            if (machine->cancellation() != ActivityCancellation::kWaitCompleted) return;
            ActivityResolvedJob job;
            job.sequence = call.sequence;
            job.resolution.kind = Resolution::Kind::kCanceled;
            job.resolution.failure.set_message("activity canceled before it was scheduled");
            job.resolution.failure.mutable_canceled_failure_info();
            immediate_.emplace_back(std::move(job));
            return;
        }
        case ActivityMachine::CancelResult::kSendCommand: {
            Command command;
            command.set_command_type(enums::COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK);
            command.mutable_request_cancel_activity_task_command_attributes()
                ->set_scheduled_event_id(machine->scheduled_event_id());
            enqueue(machine, std::move(command));
        }
    }
}

void Run::on_call(StartTimerCall call) {
    auto machine = std::make_shared<TimerMachine>(call);
    timers_[call.sequence] = machine;
    timers_by_id_[machine->timer_id()] = machine;
    enqueue(std::move(machine), std::move(call.command));
}

void Run::on_call(CancelTimerCall call) {
    const auto found = timers_.find(call.sequence);
    if (found == timers_.end()) return;
    const std::shared_ptr<TimerMachine> machine = found->second;
    const TimerMachine::CancelResult result = machine->cancel();
    timers_.erase(found);
    timers_by_id_.erase(machine->timer_id());
    if (result == TimerMachine::CancelResult::kDropCommand) {
        drop_commands_of(machine.get());
    } else if (result == TimerMachine::CancelResult::kSendCommand) {
        Command command;
        command.set_command_type(enums::COMMAND_TYPE_CANCEL_TIMER);
        command.mutable_cancel_timer_command_attributes()->set_timer_id(machine->timer_id());
        enqueue(machine, std::move(command));
    }
}

void Run::on_call(SignalExternalCall call) {
    auto machine = std::make_shared<SignalExternalMachine>(call);
    external_signals_[call.sequence] = machine;
    enqueue(std::move(machine), std::move(call.command));
}

void Run::on_call(DropSignalExternalCall call) {
    const auto found = external_signals_.find(call.sequence);
    if (found == external_signals_.end() || !found->second->drop()) return;
    drop_commands_of(found->second.get());
    external_signals_.erase(found);
}

void Run::on_call(CancelExternalCall call) {
    auto machine = std::make_shared<CancelExternalMachine>(call);
    enqueue(std::move(machine), std::move(call.command));
}

void Run::on_call(StartChildCall call) {
    auto machine = std::make_shared<ChildMachine>(call);
    children_[call.sequence] = machine;
    enqueue(std::move(machine), std::move(call.command));
}

void Run::on_call(CancelChildCall call) {
    const auto found = children_.find(call.sequence);
    if (found == children_.end()) return;
    const std::shared_ptr<ChildMachine> machine = found->second;
    switch (machine->cancel()) {
        case ChildMachine::CancelResult::kNothing: return;
        case ChildMachine::CancelResult::kDropCommand: {
            drop_commands_of(machine.get());
            children_.erase(found);
            if (!waits_when_cancelled(machine->cancellation())) return;
            ChildStartedJob job;
            job.sequence = call.sequence;
            job.resolution = machine->canceled_before_start();
            immediate_.emplace_back(std::move(job));
            return;
        }
        case ChildMachine::CancelResult::kSendCommand: {
            CancelExternalCall cancel;
            cancel.command = machine->make_cancel_command(call.reason);
            cancel.child = call.sequence;
            on_call(std::move(cancel));
        }
    }
}

void Run::on_call(PatchCall call) {
    PatchMarker marker{std::move(call.id), call.deprecated};
    const bool known = !patches_.insert(marker.id).second;
    Command command = marker.to_command();
    const bool with_upsert = !marker.deprecated && !known;
    enqueue(std::make_shared<PatchMachine>(std::move(marker)), std::move(command));
    if (!with_upsert) return;
    if (std::optional<Command> upsert = make_change_version_upsert(patches_))
        enqueue(nullptr, std::move(*upsert));
}

void Run::on_call(UpsertCall call) {
    auto machine = std::make_shared<PairedMachine>(call.command);
    enqueue(std::move(machine), std::move(call.command));
}

void Run::on_call(EndCall call) {
    if (!end_) end_ = std::move(call.command);
}

void Run::on_call(AcceptUpdateCall call) {
    const auto found = updates_.find(call.update_id);
    if (found != updates_.end()) say(found->second, found->second->accept());
}

// While replaying there is nothing to say: a rejected update has left no trace.
void Run::on_call(RejectUpdateCall call) {
    const auto found = updates_.find(call.update_id);
    if (found == updates_.end()) return;
    if (replaying_)
        fail_nondeterminism("the history accepts the update \"" + call.update_id +
                            "\", which the workflow code rejects: " + call.failure.message());
    messages_.push_back(found->second->reject(std::move(call.failure)));
    updates_.erase(found);
}

void Run::on_call(CompleteUpdateCall call) {
    const auto found = updates_.find(call.update_id);
    if (found != updates_.end())
        say(found->second, found->second->complete(std::move(call.outcome)));
}

// The message goes beside the commands; one of these fixes its place among them.
void Run::say(std::shared_ptr<Machine> machine, UpdateMessage message) {
    enqueue(std::move(machine), make_message_command(message));
    messages_.push_back(std::move(message));
}

}  // namespace stele::core
