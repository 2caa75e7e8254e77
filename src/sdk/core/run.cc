#include "sdk/core/run.h"

#include <algorithm>
#include <utility>

#include "base/nanoseconds.h"
#include "sdk/core/errors.h"
#include "sdk/core/event_links.h"
#include "sdk/core/paired_machine.h"
#include "temporal/api/enums/v1/event_type.pb.h"

namespace stele::core {

namespace enums = temporal::api::enums::v1;

namespace {

// Patches first, then the new seed, then signals and updates, then everything else; within a class
// the order of the history.
int rank(const Job& job) {
    if (std::holds_alternative<InitializeJob>(job)) return 0;
    if (std::holds_alternative<PatchJob>(job)) return 1;
    if (std::holds_alternative<ReseedJob>(job)) return 2;
    if (std::holds_alternative<SignalJob>(job) || std::holds_alternative<UpdateJob>(job)) return 3;
    return 4;
}

}  // namespace

Run::~Run() = default;

Run::Progress Run::advance() {
    while (last_started_ < task_.target_event_id) {
        std::optional<HistoryBuffer::Chunk> chunk = history_.next(task_.target_event_id);
        if (!chunk) {
            if (!history_.complete()) return Progress::kNeedsHistory;
            fail_task("the history ends at event " + std::to_string(history_.last_event_id()) +
                      ", before the workflow task's event " +
                      std::to_string(task_.target_event_id));
        }
        process(std::move(*chunk));
    }
    return Progress::kCaughtUp;
}

void Run::finish_replay() {
    if (std::optional<HistoryBuffer::Chunk> rest = history_.rest()) process(std::move(*rest));
}

void Run::process(HistoryBuffer::Chunk chunk) {
    if (chunk.completed) absorb_completion(*chunk.completed);
    look_ahead(chunk);
    // The messages of the task at hand are delivered with it and never again.
    const bool at_hand = chunk.last && chunk.started_event_id == task_.target_event_id;
    updates_due_.fill(chunk,
                      at_hand ? std::exchange(task_.updates, {}) : std::vector<UpdateRequest>());
    const bool replaying = chunk.started_event_id <= task_.replay_until_event_id;
    for (const HistoryEvent& event : chunk.events) {
        while (auto update = updates_due_.take_before(event.event_id()))
            begin_update(std::move(*update), replaying);
        feed(event);
    }
    while (auto update = updates_due_.take()) begin_update(std::move(*update), replaying);
    const bool completed_before =
        chunk.events.front().event_type() == enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED;
    if (completed_before || chunk.started_event_id != 0) require_empty_queue();
    if (chunk.started_event_id == 0) return;

    last_started_ = chunk.started_event_id;
    std::optional<DeploymentVersion> completed_by;
    if (chunk.completed) {
        const auto& completed = chunk.completed->workflow_task_completed_event_attributes();
        if (completed.has_deployment_version())
            completed_by = {completed.deployment_version().deployment_name(),
                            completed.deployment_version().build_id()};
    }
    activate(chunk.events.back(), replaying, std::move(completed_by));
}

void Run::begin_update(UpdateRequest request, bool replaying) {
    UpdateJob job{request.update_id, request.request, !replaying};
    updates_[job.update_id] = std::make_shared<UpdateMachine>(std::move(request));
    jobs_.emplace_back(std::move(job));
}

// The server keeps nothing of a task that has only rejected updates: the next one begins again behind
// the task before, and its events get the same numbers.
void Run::forget_task(std::int64_t last_started_event_id) {
    constexpr std::int64_t kScheduledAndStarted = 2;
    history_.reset(history_.last_read_event_id() - kScheduledAndStarted);
    last_started_ = last_started_event_id;
}

void Run::absorb_completion(const HistoryEvent& completed) {
    any_completed_ = true;
    const auto& metadata = completed.workflow_task_completed_event_attributes().sdk_metadata();
    for (const std::uint32_t flag : metadata.lang_used_flags()) {
        if (flags_.absorb(flag)) continue;
        fail_nondeterminism(describe(completed) + " uses the SDK flag " + std::to_string(flag) +
                            ", which this version of the SDK does not know");
    }
}

// Patches that the coming code is going to ask for were decided when it first ran, and the local
// activities that it waits for have come to their end.
void Run::look_ahead(const HistoryBuffer::Chunk& chunk) {
    local_markers_.clear();
    for (const HistoryEvent& event : chunk.ahead) {
        if (std::optional<PatchMarker> patch = PatchMarker::parse(event))
            jobs_.emplace_back(PatchJob{patch->id});
        else if (std::optional<LocalActivityMarker> local = LocalActivityMarker::parse(event))
            local_markers_.push_back(std::move(*local));
    }
}

void Run::feed(const HistoryEvent& event) {
    if (is_command_event(event)) {
        feed_command_event(event);
        return;
    }
    if (feed_consequence(event)) return;
    switch (event.event_type()) {
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
            start_time_ = to_nanoseconds(event.event_time()).count();
            jobs_.emplace_back(
                InitializeJob{event.workflow_execution_started_event_attributes(), start_time_});
            return;
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
            jobs_.emplace_back(SignalJob{event.workflow_execution_signaled_event_attributes()});
            return;
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED:
            if (!std::exchange(cancel_delivered_, true))
                jobs_.emplace_back(CancelJob{
                    event.workflow_execution_cancel_requested_event_attributes().cause()});
            return;
        case enums::EVENT_TYPE_TIMER_FIRED: feed_timer_fired(event); return;
        case enums::EVENT_TYPE_WORKFLOW_TASK_FAILED: feed_workflow_task_failed(event); return;
        case enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED: any_completed_ = true; return;
        case enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED: {
            const auto& timeout =
                event.workflow_task_scheduled_event_attributes().start_to_close_timeout();
            task_timeout_ = std::chrono::duration_cast<Milliseconds>(to_nanoseconds(timeout));
            return;
        }
        case enums::EVENT_TYPE_WORKFLOW_TASK_STARTED:
        case enums::EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT:
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED:  // taken by the inbox
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED:
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_PAUSED:
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_UNPAUSED:
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED:
        case enums::EVENT_TYPE_ACTIVITY_PROPERTIES_MODIFIED_EXTERNALLY:
        case enums::EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED_EXTERNALLY: return;
        default:
            if (event.worker_may_ignore()) return;
            fail_nondeterminism(describe(event) + " is of a kind that this SDK does not know");
    }
}

void Run::feed_command_event(const HistoryEvent& event) {
    drop_optional_front(event);
    if (skip_unpaired(event)) return;
    if (queue_.empty())
        fail_nondeterminism(describe(event) +
                            " has no counterpart: the workflow code comes to no step here");
    Queued front = std::move(queue_.front());
    queue_.pop_front();
    front.machine->on_command_event(event);
    if (has_consequences(event)) by_event_[event.event_id()] = front.machine;
    if (event.event_type() == enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED)
        updates_.erase(
            event.workflow_execution_update_completed_event_attributes().meta().update_id());
}

// A deprecated patch and the upsert behind a patch may be missing in the history.
void Run::drop_optional_front(const HistoryEvent& event) {
    while (!queue_.empty()) {
        const Queued& front = queue_.front();
        const auto* patch = dynamic_cast<const PatchMachine*>(front.machine.get());
        const bool droppable_patch =
            patch != nullptr && patch->optional() && !PatchMarker::parse(event);
        const bool droppable_upsert = front.machine == nullptr && !is_change_version_upsert(event);
        if (!droppable_patch && !droppable_upsert) return;
        queue_.pop_front();
    }
}

// Events that need no counterpart: a deprecated patch whose call has been removed, and the upsert
// that belongs to a patch, on whichever side it stands alone.
bool Run::skip_unpaired(const HistoryEvent& event) {
    if (is_change_version_upsert(event)) {
        if (!queue_.empty() && queue_.front().machine == nullptr) queue_.pop_front();
        return true;
    }
    const std::optional<PatchMarker> marker = PatchMarker::parse(event);
    if (!marker || !marker->deprecated) return false;
    return queue_.empty() || dynamic_cast<PatchMachine*>(queue_.front().machine.get()) == nullptr;
}

bool Run::feed_consequence(const HistoryEvent& event) {
    const std::int64_t initiating = initiating_event(event);
    if (initiating == 0) return false;
    const auto found = by_event_.find(initiating);
    if (found == by_event_.end())
        fail_nondeterminism(describe(event) + " belongs to event " + std::to_string(initiating) +
                            ", which no step of the workflow code has led to");
    const std::shared_ptr<Machine> machine = found->second;
    if (std::optional<Job> job = machine->on_consequence(event)) jobs_.push_back(std::move(*job));
    if (!machine->done()) return true;
    by_event_.erase(found);
    if (auto* activity = dynamic_cast<ActivityMachine*>(machine.get()))
        activities_.erase(activity->sequence());
    if (auto* signal = dynamic_cast<SignalExternalMachine*>(machine.get()))
        external_signals_.erase(signal->sequence());
    if (auto* child = dynamic_cast<ChildMachine*>(machine.get()))
        children_.erase(child->sequence());
    return true;
}

void Run::feed_timer_fired(const HistoryEvent& event) {
    const auto& attributes = event.timer_fired_event_attributes();
    const auto found = timers_by_id_.find(attributes.timer_id());
    if (found == timers_by_id_.end())
        fail_nondeterminism(describe(event) + " fires timer \"" + attributes.timer_id() +
                            "\", which the workflow code has not started");
    const std::shared_ptr<TimerMachine> machine = found->second;
    if (std::optional<Job> job = machine->on_consequence(event)) jobs_.push_back(std::move(*job));
    timers_.erase(machine->sequence());
    timers_by_id_.erase(found);
}

void Run::feed_workflow_task_failed(const HistoryEvent& event) {
    const auto& attributes = event.workflow_task_failed_event_attributes();
    if (attributes.cause() == enums::WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW)
        jobs_.emplace_back(ReseedJob{attributes.new_run_id()});
}

void Run::require_empty_queue() const {
    for (const Queued& queued : queue_) {
        if (queued.machine == nullptr) continue;
        const auto* patch = dynamic_cast<const PatchMachine*>(queued.machine.get());
        if (patch != nullptr && patch->optional()) continue;
        fail_nondeterminism("the workflow code comes to " + queued.machine->describe() +
                            ", but the history has no such step before event " +
                            std::to_string(history_.last_read_event_id()));
    }
}

void Run::activate(const HistoryEvent& started, bool replaying,
                   std::optional<DeploymentVersion> completed_by) {
    queue_.clear();
    messages_.clear();
    replaying_ = replaying;
    const auto& attributes = started.workflow_task_started_event_attributes();
    std::stable_sort(jobs_.begin(), jobs_.end(),
                     [](const Job& a, const Job& b) { return rank(a) < rank(b); });
    if (!code_) {
        const InitializeJob* job =
            jobs_.empty() ? nullptr : std::get_if<InitializeJob>(&jobs_.front());
        if (job == nullptr) fail_task("the history does not begin with the workflow's start");
        code_ = factory_(*job);
    }
    flags_.use(Flag::kOrderedLoop, replaying);
    turn_ = {};
    turn_.time_nanoseconds = to_nanoseconds(started.event_time()).count();
    turn_.replaying = replaying;
    turn_.history_length = started.event_id();
    turn_.history_bytes = attributes.history_size_bytes();
    turn_.continue_as_new_suggested = attributes.suggest_continue_as_new();
    turn_.continue_as_new_reasons.assign(attributes.suggest_continue_as_new_reasons().begin(),
                                         attributes.suggest_continue_as_new_reasons().end());
    turn_.target_version_changed = attributes.target_worker_deployment_version_changed();
    turn_.completed_by = std::move(completed_by);
    run_code();
    replay_local_activities();
    enqueue_end();
}

void Run::run_code() {
    do {
        Activation activation = turn_;
        activation.jobs = std::exchange(jobs_, {});
        apply(code_->activate(std::move(activation)));
        jobs_ = std::exchange(immediate_, {});
    } while (!jobs_.empty() && !end_);
    jobs_.clear();
    for (auto& [sequence, machine] : local_activities_) machine->begin();
}

// Whatever else the code did in its last turn comes before the end.
void Run::enqueue_end() {
    if (!end_ || ended_) return;
    ended_ = true;
    auto machine = std::make_shared<PairedMachine>(*end_);
    enqueue(std::move(machine), std::move(*end_));
}

void Run::apply(std::vector<Call> calls) {
    if (ended_) return;
    for (Call& call : calls) {
        std::visit([this](auto& concrete) { on_call(std::move(concrete)); }, call);
    }
}

std::vector<Command> Run::take_commands() {
    std::vector<Command> commands;
    commands.reserve(queue_.size());
    for (Queued& queued : queue_) commands.push_back(std::exchange(queued.command, {}));
    return commands;
}

}  // namespace stele::core
