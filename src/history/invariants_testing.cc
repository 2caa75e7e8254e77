#include "history/invariants_testing.h"

#include "history/rebuild.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <sstream>

namespace stele::history::testing {
namespace {

namespace enums = api::enums::v1;
using api::history::v1::History;

template <typename Row>
void append_rows(std::ostringstream& text, const std::string& name, const Table<Row>& table) {
    for (const auto& [id, row] : table.rows()) {
        text << name << " " << id << ": " << row.ShortDebugString() << "\n";
    }
}

bool closes_run(EventType type) {
    return type == enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED ||
           type == enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED ||
           type == enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED ||
           type == enums::EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED ||
           type == enums::EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT ||
           type == enums::EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW;
}

/// Reads a history from its start, as somebody would who knows nothing but its events.
class Reader {
public:
    void read(const HistoryEvent& event) {
        ASSERT_FALSE(closed_) << "event " << event.event_id() << " stands after the closing event";
        ASSERT_EQ(event.event_id(), ++last_);
        ASSERT_TRUE(event.has_event_time());
        closed_ = closes_run(event.event_type());
        read_task(event);
        read_timer(event);
        read_activity(event);
        read_update(event);
    }

    const std::map<std::int64_t, std::string>& timers() const { return timers_; }
    const std::set<std::int64_t>& activities() const { return activities_; }
    const std::map<std::string, std::int64_t>& accepted() const { return accepted_; }
    const std::map<std::string, std::int64_t>& completed() const { return completed_; }
    std::int64_t last() const { return last_; }
    std::int64_t completed_start() const { return completed_start_; }
    std::int64_t task_scheduled() const { return task_scheduled_; }
    std::int64_t task_started() const { return task_started_; }
    std::int64_t signals() const { return signals_; }
    bool closed() const { return closed_; }

private:
    void read_task(const HistoryEvent& event) {
        switch (event.event_type()) {
            case enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED:
                ASSERT_EQ(task_scheduled_, 0) << "two workflow tasks at once";
                task_scheduled_ = event.event_id();
                return;
            case enums::EVENT_TYPE_WORKFLOW_TASK_STARTED:
                ASSERT_EQ(event.workflow_task_started_event_attributes().scheduled_event_id(),
                          task_scheduled_);
                ASSERT_EQ(task_started_, 0);
                task_started_ = event.event_id();
                return;
            case enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
                return end_task(event.workflow_task_completed_event_attributes(), true);
            case enums::EVENT_TYPE_WORKFLOW_TASK_FAILED:
                return end_task(event.workflow_task_failed_event_attributes(), false);
            case enums::EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT:
                return end_task(event.workflow_task_timed_out_event_attributes(), false);
            case enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
                ASSERT_EQ(task_started_, 0) << "a signal stands inside a workflow task";
                ++signals_;
                return;
            default: return;
        }
    }

    template <typename Attributes>
    void end_task(const Attributes& attributes, bool completed) {
        ASSERT_EQ(attributes.scheduled_event_id(), task_scheduled_);
        ASSERT_EQ(attributes.started_event_id(), task_started_);
        if (completed) {
            ASSERT_NE(task_started_, 0);
            completed_start_ = task_started_;
        }
        task_scheduled_ = 0;
        task_started_ = 0;
    }

    void read_timer(const HistoryEvent& event) {
        if (event.event_type() == enums::EVENT_TYPE_TIMER_STARTED) {
            const auto& started = event.timer_started_event_attributes();
            timers_[event.event_id()] = started.timer_id();
        } else if (event.event_type() == enums::EVENT_TYPE_TIMER_FIRED) {
            const auto& fired = event.timer_fired_event_attributes();
            end_timer(fired.started_event_id(), fired.timer_id());
        } else if (event.event_type() == enums::EVENT_TYPE_TIMER_CANCELED) {
            const auto& canceled = event.timer_canceled_event_attributes();
            end_timer(canceled.started_event_id(), canceled.timer_id());
        }
    }

    void end_timer(std::int64_t started, const std::string& id) {
        ASSERT_EQ(timers_[started], id) << "a timer that is not pending ended";
        timers_.erase(started);
    }

    void read_activity(const HistoryEvent& event) {
        switch (event.event_type()) {
            case enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
                activities_.insert(event.event_id());
                return;
            case enums::EVENT_TYPE_ACTIVITY_TASK_STARTED:
                ASSERT_TRUE(activities_.contains(
                    event.activity_task_started_event_attributes().scheduled_event_id()));
                return;
            case enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
                return end_activity(event.activity_task_completed_event_attributes(), event);
            case enums::EVENT_TYPE_ACTIVITY_TASK_FAILED:
                return end_activity(event.activity_task_failed_event_attributes(), event);
            case enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
                return end_activity(event.activity_task_timed_out_event_attributes(), event);
            case enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED:
                return end_activity(event.activity_task_canceled_event_attributes(), event);
            default: return;
        }
    }

    template <typename Attributes>
    void end_activity(const Attributes& attributes, const HistoryEvent& event) {
        ASSERT_EQ(activities_.erase(attributes.scheduled_event_id()), 1U)
            << "event " << event.event_id() << " ends an activity that is not pending";
        ASSERT_LT(attributes.started_event_id(), event.event_id());
    }

    void read_update(const HistoryEvent& event) {
        if (event.has_workflow_execution_update_accepted_event_attributes()) {
            const std::string& update_id =
                event.workflow_execution_update_accepted_event_attributes().protocol_instance_id();
            ASSERT_TRUE(accepted_.emplace(update_id, event.event_id()).second)
                << update_id << " is accepted twice";
        } else if (event.has_workflow_execution_update_completed_event_attributes()) {
            const auto& attributes = event.workflow_execution_update_completed_event_attributes();
            ASSERT_EQ(accepted_[attributes.meta().update_id()], attributes.accepted_event_id());
            ASSERT_TRUE(completed_.emplace(attributes.meta().update_id(), event.event_id()).second)
                << attributes.meta().update_id() << " is completed twice";
        }
    }

    std::map<std::string, std::int64_t> accepted_;   // update id to event
    std::map<std::string, std::int64_t> completed_;  // update id to event
    std::map<std::int64_t, std::string> timers_;     // by started event
    std::set<std::int64_t> activities_;              // scheduled events
    std::int64_t last_ = 0;
    std::int64_t task_scheduled_ = 0;
    std::int64_t task_started_ = 0;
    std::int64_t completed_start_ = 0;
    std::int64_t signals_ = 0;
    bool closed_ = false;
};

/// Outcomes that have happened but whose events still wait for a place in the history.
void forget_buffered_outcomes(const Run& run, std::map<std::int64_t, std::string>& timers,
                              std::set<std::int64_t>& activities) {
    for (const auto& [id, row] : run.buffered.rows()) {
        const HistoryEvent& event = row.event();
        switch (event.event_type()) {
            case enums::EVENT_TYPE_TIMER_FIRED:
                timers.erase(event.timer_fired_event_attributes().started_event_id());
                break;
            case enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
                activities.erase(
                    event.activity_task_completed_event_attributes().scheduled_event_id());
                break;
            case enums::EVENT_TYPE_ACTIVITY_TASK_FAILED:
                activities.erase(
                    event.activity_task_failed_event_attributes().scheduled_event_id());
                break;
            case enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
                activities.erase(
                    event.activity_task_timed_out_event_attributes().scheduled_event_id());
                break;
            case enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED:
                activities.erase(
                    event.activity_task_canceled_event_attributes().scheduled_event_id());
                break;
            default: break;
        }
    }
}

void check_task(const Run& run, const Reader& reader) {
    const storage::WorkflowTask& task = run.header.task();
    if (task.kind() != storage::TASK_KIND_NORMAL) {
        ASSERT_EQ(reader.task_scheduled(), 0) << "a workflow task is in the history only";
        return;
    }
    ASSERT_EQ(task.scheduled_event_id(), reader.task_scheduled());
    ASSERT_EQ(task.started_event_id(), reader.task_started());
}

/// Also of a closed run: outcomes can still be asked for.
void check_updates(const Run& run, const Reader& reader) {
    ASSERT_EQ(run.updates.size(), reader.accepted().size());
    for (const auto& [id, row] : run.updates.rows()) {
        const auto completed = reader.completed().find(row.update_id());
        ASSERT_EQ(reader.accepted().at(row.update_id()), row.accepted_event_id());
        ASSERT_EQ(completed == reader.completed().end() ? 0 : completed->second,
                  row.completed_event_id());
    }
}

}  // namespace

std::string rows_text(const Run& run) {
    std::ostringstream text;
    text << "info: " << run.info.ShortDebugString() << "\n"
         << "header: " << run.header.ShortDebugString() << "\n"
         << "attributes: " << run.attributes.ShortDebugString() << "\n";
    append_rows(text, "activity", run.activities);
    append_rows(text, "timer", run.timers);
    append_rows(text, "child", run.children);
    append_rows(text, "external signal", run.external_signals);
    append_rows(text, "external cancel", run.external_cancels);
    append_rows(text, "nexus operation", run.nexus_operations);
    append_rows(text, "buffered", run.buffered);
    append_rows(text, "request id", run.request_ids);
    append_rows(text, "update", run.updates);
    return text.str();
}

void check_history(const History& history) {
    Reader reader;
    for (const HistoryEvent& event : history.events()) {
        reader.read(event);
        if (::testing::Test::HasFatalFailure()) return;
    }
}

void check_rows_against_history(const Run& run, const History& history) {
    Reader reader;
    for (const HistoryEvent& event : history.events()) reader.read(event);
    ASSERT_EQ(run.header.next_event_id(), reader.last() + 1);
    ASSERT_EQ(run.is_open(), !reader.closed());
    ASSERT_EQ(run.header.last_completed_task_started_event_id(), reader.completed_start());
    check_updates(run, reader);
    if (!run.is_open()) {
        ASSERT_TRUE(run.timers.empty() && run.activities.empty() && run.buffered.empty());
        ASSERT_TRUE(run.pending_updates.empty());
        return;
    }
    check_task(run, reader);
    std::map<std::int64_t, std::string> timers = reader.timers();
    std::set<std::int64_t> activities = reader.activities();
    forget_buffered_outcomes(run, timers, activities);
    ASSERT_EQ(run.timers.size(), timers.size());
    for (const auto& [id, name] : timers) ASSERT_EQ(run.timers.id_of(name), id);
    ASSERT_EQ(run.activities.size(), activities.size());
    for (const std::int64_t id : activities) ASSERT_NE(run.activities.find(id), nullptr);
}

void check_fold(const Run& run, const std::vector<EventBatch>& history) {
    constexpr std::size_t kLongest = 50;
    if (history.size() > kLongest || !run.buffered.empty()) return;
    const storage::InfoRow& info = run.info;
    const Limits limits;
    Rebuild rebuild({info.namespace_id(), info.namespace_(), info.run_id(), RunKey(info.sequence()),
                     info.create_request_id(), from_proto(info.start_time())},
                    limits);
    for (const EventBatch& batch : history) {
        const absl::Status added = rebuild.add(batch.bytes);
        ASSERT_TRUE(added.ok()) << added.ToString();
    }
    ASSERT_EQ(rows_text(told_by_history(run)), rows_text(told_by_history(rebuild.run())));
}

}  // namespace stele::history::testing
