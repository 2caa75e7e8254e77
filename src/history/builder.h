#pragma once

#include "base/status.h"
#include "history/context.h"
#include "history/transition.h"

#include <functional>

// Makes a transition step by step: what all event families share. An event family (one file each)
// validates against the draft, then adds events and changes rows through a builder. A builder that
// is dropped leaves no trace, which is how a refused command changes nothing.
namespace stele::history {

using temporal::api::enums::v1::EventType;
using temporal::api::history::v1::HistoryEvent;

/// Not thread safe; lives for one transition. The run and the context must outlive it.
class Builder {
public:
    Builder(const Run& run, const Context& context);

    const Context& context() const { return context_; }
    Timestamp now() const { return context_.now; }
    Draft& draft() { return transition_.draft; }
    const Draft& draft() const { return transition_.draft; }
    storage::HeaderRow& header() { return transition_.draft.header; }
    const storage::HeaderRow& header() const { return transition_.draft.header; }
    const storage::InfoRow& info() const { return transition_.draft.run_info(); }
    Transition& transition() { return transition_; }
    bool is_open() const;

    /// Appends an event: gives it the next id and the time, keeps it for the batch. `event` holds
    /// type and attributes. Returns its id.
    EventId add_event(HistoryEvent event);

    /// The event that was appended last; there must be one.
    const HistoryEvent& last_event() const { return *history_.events().rbegin(); }

    /// Appends an event that came from outside, or buffers it when a workflow task is started or
    /// commands are being obeyed (it then gets its id when that is over). Returns kNoEvent for a
    /// buffered one.
    EventId add_or_buffer_event(HistoryEvent event);

    /// Gives the buffered events their ids, in order of arrival with completions after their
    /// starts, and appends them. Returns whether there were any.
    bool flush_buffered_events();
    bool has_buffered_events() const { return !draft().buffered.empty(); }
    /// The first buffered event that `matches` likes, by its id among the buffered, or nullopt.
    std::optional<ItemId> find_buffered(
        const std::function<bool(const HistoryEvent&)>& matches) const;
    /// Forgets one buffered event.
    void remove_buffered(ItemId id);
    /// While commands are obeyed, what is not made by a command itself stands after all commands.
    void hold_outside_events(bool hold) { hold_outside_events_ = hold; }

    bool has_workflow_task() const { return header().task().kind() != storage::TASK_KIND_NONE; }
    bool has_started_workflow_task() const {
        return has_workflow_task() && header().task().started_event_id() != 0;
    }
    /// Schedules a workflow task if none is scheduled or started and the run is open (and its first
    /// task is not being delayed). With a started task this does nothing: buffered events make
    /// its end schedule the next.
    void schedule_workflow_task_if_needed();
    /// While several things happen in one transition, the task that they call for waits until the
    /// last: with `defer` set, schedule_workflow_task_if_needed is only remembered; clearing it does
    /// what was remembered.
    void defer_workflow_task(bool defer);

    /// Puts an activity attempt into its queue. Its dispatch row expires with its schedule-to-start
    /// timeout.
    void dispatch_activity(storage::ActivityRow& activity,
                           const temporal::api::common::v1::Priority& priority);
    /// Withdraws the dispatch row, if the attempt has one.
    void withdraw_activity_dispatch(storage::ActivityRow& activity);
    /// Puts the scheduled workflow task into its queue, or takes it out if it is there.
    void dispatch_workflow_task();
    void withdraw_workflow_task_dispatch();

    /// A speculative task can not stand beside anything that is written: this writes the events that
    /// it would have, and it is a normal task from now on. Nothing for any other task. Adding an event
    /// and finishing do it of their own accord. `identity` is who started it, where that is known.
    void write_speculative_task(const std::string& identity = {});
    /// Whatever this transition does stays in memory (see Transition::in_memory). It may add no event.
    void keep_in_memory() { transition_.in_memory = true; }
    /// Tells whoever waits for an update what became of it.
    void note_update(UpdateChange change) { transition_.updates.push_back(std::move(change)); }

    /// Closes the run: status, close time, withdraws every dispatch row, forgets pending items.
    /// The closing event has been added by the caller and is the last one.
    void close_run(temporal::api::enums::v1::WorkflowExecutionStatus status);

    /// The next id for rows that no event numbers.
    ItemId next_item();

    /// Remembers that this request id was acted on. `event` is kNoEvent while its event is buffered.
    void remember_request(const std::string& request_id, EventId event, EventType event_type);

    /// Events of this transition that came from outside: no command and no task made them.
    std::int64_t outside_events() const { return outside_events_; }

    /// Ends updates that the run's close leaves open, serialises the events, computes the earliest
    /// deadline and hands over the transition; or, when it goes over a limit of the run, one that
    /// terminates the run instead.
    Transition finish() &&;

private:
    Transition seal() &&;
    /// A child whose started event is flushed knows its id from now on.
    void note_started_child(const HistoryEvent& event, EventId id);
    void dispatch(DispatchTask task);
    DispatchTask workflow_dispatch_task() const;
    void withdraw(DispatchRef row);

    const Context& context_;
    Transition transition_;
    temporal::api::history::v1::History history_;  // of this transition
    std::int64_t outside_events_ = 0;
    bool hold_outside_events_ = false;
    bool defer_workflow_task_ = false;
    bool workflow_task_wanted_ = false;
};

/// What the task ids of a run's events count from.
std::int64_t event_task_base(const storage::InfoRow& info);

/// The earliest moment at which fire_due would do something; kNever when there is none.
Timestamp earliest_deadline(const Draft& draft);

}  // namespace stele::history
