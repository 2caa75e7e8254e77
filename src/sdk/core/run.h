#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "sdk/core/activation.h"
#include "sdk/core/activity_machine.h"
#include "sdk/core/child_machine.h"
#include "sdk/core/external_machines.h"
#include "sdk/core/flags.h"
#include "sdk/core/history_buffer.h"
#include "sdk/core/local_activity_machine.h"
#include "sdk/core/machine.h"
#include "sdk/core/patch_machine.h"
#include "sdk/core/queue.h"
#include "sdk/core/timer_machine.h"
#include "sdk/core/update_inbox.h"
#include "sdk/core/update_machine.h"

namespace stele::core {

/// One workflow run inside a worker: history in, commands out, nothing else. It reads no clock,
/// does no I/O and draws no random numbers, so the same history gives the same commands for ever.
///
/// Use: begin() a task, feed history(), advance() until it is caught up, take_commands(). Each of
/// them throws WorkflowTaskFailure when the task cannot be completed; the run is then unusable and
/// must be thrown away, which does no harm: it is rebuilt from its history.
/// Not thread safe.
class Run {
public:
    using CodeFactory = std::function<std::unique_ptr<WorkflowCode>(const InitializeJob& job)>;

    explicit Run(CodeFactory factory) : factory_(std::move(factory)) {}
    ~Run();

    struct Task {
        /// Up to here the past is replayed; what lies behind runs live.
        std::int64_t replay_until_event_id = 0;
        /// The started event of the task, or of the last completed one for a query.
        std::int64_t target_event_id = 0;
        /// The updates that the task's messages bring.
        std::vector<UpdateRequest> updates = {};
    };
    void begin(Task task) { task_ = std::move(task); }

    HistoryBuffer& history() { return history_; }

    enum class Progress { kNeedsHistory, kCaughtUp };
    Progress advance();
    /// Matches what lies behind the last workflow task; for replayers.
    void finish_replay();

    /// The commands of the live task, in order. Once; the machines remember them.
    std::vector<Command> take_commands();
    /// What the worker has to do about local activities for the live task. An activity may be in both
    /// lists: begun, and cancelled at once.
    struct LocalWork {
        std::vector<LocalActivity> start;
        std::vector<Sequence> cancel;
    };
    LocalWork take_local_work();
    /// A local activity that was asked for has come to its end. The code goes on within the same
    /// task; one outcome at a time, so that a replay sees the same turns.
    void resolve_local_activity(Sequence sequence, LocalActivityOutcome outcome);
    bool waits_for_local_activities() const { return !local_activities_.empty() && !ended_; }
    /// How long a workflow task of this run may take.
    Milliseconds task_timeout() const { return task_timeout_; }

    /// What the live task answers about updates; goes with the commands.
    std::vector<UpdateMessage> take_messages() { return std::exchange(messages_, {}); }
    /// The server has dropped the task at hand, which has changed nothing; the one that counts is the
    /// one started by `last_started_event_id`.
    void forget_task(std::int64_t last_started_event_id);
    /// The flags to record with them.
    std::vector<std::uint32_t> take_flags() { return flags_.take_fresh(); }
    /// True until the first completion has been recorded: it carries the SDK's name.
    bool first_completion() const { return !any_completed_; }

    /// By the server's clock; 0 before the first task.
    std::int64_t start_time_nanoseconds() const { return start_time_; }
    std::int64_t last_started_event_id() const { return last_started_; }
    /// The last event that the run has seen.
    std::int64_t last_read_event_id() const { return history_.last_read_event_id(); }
    /// The workflow code has come to its end.
    bool ended() const { return ended_; }
    /// Null before the first task.
    WorkflowCode* code() { return code_.get(); }

private:
    struct Queued {
        std::shared_ptr<Machine> machine;
        Command command;
    };

    void process(HistoryBuffer::Chunk chunk);
    void absorb_completion(const HistoryEvent& completed);
    void look_ahead(const HistoryBuffer::Chunk& chunk);
    void begin_update(UpdateRequest request, bool replaying);
    void feed(const HistoryEvent& event);
    void feed_command_event(const HistoryEvent& event);
    bool skip_unpaired(const HistoryEvent& event);
    void drop_optional_front(const HistoryEvent& event);
    bool feed_consequence(const HistoryEvent& event);
    void feed_timer_fired(const HistoryEvent& event);
    void feed_workflow_task_failed(const HistoryEvent& event);
    void require_empty_queue() const;
    /// In replay with the build that completed the task then, where it is known.
    void activate(const HistoryEvent& started, bool replaying,
                  std::optional<DeploymentVersion> completed_by);
    void run_code();
    void settle_local_activity(LocalActivityOutcome outcome,
                               std::shared_ptr<LocalActivityMachine> machine);
    void replay_local_activities();
    void enqueue_end();
    void apply(std::vector<Call> calls);

    void on_call(ScheduleActivityCall call);
    void on_call(CancelActivityCall call);
    void on_call(StartTimerCall call);
    void on_call(CancelTimerCall call);
    void on_call(SignalExternalCall call);
    void on_call(DropSignalExternalCall call);
    void on_call(CancelExternalCall call);
    void on_call(StartChildCall call);
    void on_call(CancelChildCall call);
    void on_call(PatchCall call);
    void on_call(UpsertCall call);
    void on_call(EndCall call);
    void on_call(ScheduleLocalActivityCall call);
    void on_call(CancelLocalActivityCall call);
    void on_call(AcceptUpdateCall call);
    void on_call(RejectUpdateCall call);
    void on_call(CompleteUpdateCall call);
    void say(std::shared_ptr<Machine> machine, UpdateMessage message);

    void enqueue(std::shared_ptr<Machine> machine, Command command);
    void drop_commands_of(const Machine* machine);

    CodeFactory factory_;
    HistoryBuffer history_;
    Task task_;
    FlagSet flags_;
    std::unique_ptr<WorkflowCode> code_;

    Queue<Queued> queue_;
    std::unordered_map<Sequence, std::shared_ptr<ActivityMachine>> activities_;
    std::unordered_map<Sequence, std::shared_ptr<TimerMachine>> timers_;
    std::unordered_map<Sequence, std::shared_ptr<SignalExternalMachine>> external_signals_;
    std::unordered_map<Sequence, std::shared_ptr<ChildMachine>> children_;
    std::unordered_map<std::string, std::shared_ptr<TimerMachine>> timers_by_id_;
    /// By the event that a command left: the target of everything that follows from it.
    std::unordered_map<std::int64_t, std::shared_ptr<Machine>> by_event_;
    /// Those without an outcome, in the order of their calls.
    std::map<Sequence, std::shared_ptr<LocalActivityMachine>> local_activities_;
    std::vector<Sequence> local_cancellations_;
    /// Outcomes that the task at hand recorded when it was lived, in their order.
    Queue<LocalActivityMarker> local_markers_;
    std::unordered_map<std::string, std::shared_ptr<UpdateMachine>> updates_;
    UpdateInbox updates_due_;
    std::set<std::string> patches_;

    std::vector<Job> jobs_;
    /// Resolutions that the machines know at once, without an event.
    std::vector<Job> immediate_;
    std::vector<UpdateMessage> messages_;
    bool replaying_ = false;
    /// The turn at hand, without its jobs.
    Activation turn_;
    Milliseconds task_timeout_{0};
    std::int64_t start_time_ = 0;
    bool cancel_delivered_ = false;
    std::optional<Command> end_;
    bool ended_ = false;
    bool any_completed_ = false;
    std::int64_t last_started_ = 0;
};

}  // namespace stele::core
