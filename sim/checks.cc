#include "sim/checks.h"

#include "base/time.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace stele::sim {
namespace {

namespace enums = temporal::api::enums::v1;
using temporal::api::history::v1::HistoryEvent;

/// Follows one history and collects complaints.
class Check {
public:
    Check(const std::string& run_id, const History& history, bool operated,
          Duration longest_heartbeat)
        : run_(run_id),
          history_(history),
          operated_(operated),
          longest_heartbeat_(longest_heartbeat) {}

    std::vector<std::string> run() {
        for (std::size_t i = 0; i < history_.size(); ++i) {
            const HistoryEvent& event = history_[i];
            if (event.event_id() != static_cast<std::int64_t>(i) + 1) {
                complain(3, fmt::format("event {} stands at place {}", event.event_id(), i + 1));
                return std::move(faults_);
            }
            if (is_closing(event) && i + 1 != history_.size()) {
                complain(3, fmt::format("events follow the closing event {}", event.event_id()));
            }
            look(event);
        }
        if (history_.empty() || !is_closing(history_.back())) complain(3, "no closing event");
        return std::move(faults_);
    }

private:
    void complain(int invariant, const std::string& what) {
        faults_.push_back(fmt::format("invariant {}: run {}: {}", invariant, run_, what));
    }

    void look(const HistoryEvent& event) {
        look_at_tasks(event);
        look_at_activities(event);
        look_at_timers(event);
        look_at_children(event);
        look_at_requests(event);
        look_at_end(event);
    }

    /// Invariant 9: one workflow task at a time, and 7: what it points at lies before it.
    void look_at_tasks(const HistoryEvent& event) {
        switch (event.event_type()) {
            case enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED:
                if (task_ != 0) complain(9, fmt::format("two tasks at event {}", event.event_id()));
                task_ = event.event_id();
                note_scheduled(event);
                task_timeout_ = from_proto(
                    event.workflow_task_scheduled_event_attributes().start_to_close_timeout());
                started_ = 0;
                break;
            case enums::EVENT_TYPE_WORKFLOW_TASK_STARTED:
                expect_task(event,
                            event.workflow_task_started_event_attributes().scheduled_event_id());
                started_ = event.event_id();
                started_time_ = from_proto(event.event_time());
                break;
            case enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
                expect_task(event,
                            event.workflow_task_completed_event_attributes().scheduled_event_id());
                if (event.workflow_task_completed_event_attributes().started_event_id() !=
                    started_) {
                    complain(7, fmt::format("event {} names another start", event.event_id()));
                }
                task_ = 0;
                completed_time_ = from_proto(event.event_time());
                failed_time_.reset();
                break;
            case enums::EVENT_TYPE_WORKFLOW_TASK_FAILED:
                expect_task(event,
                            event.workflow_task_failed_event_attributes().scheduled_event_id());
                task_ = 0;
                failed_time_ = from_proto(event.event_time());
                break;
            case enums::EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT:
                expect_task(event,
                            event.workflow_task_timed_out_event_attributes().scheduled_event_id());
                if (started_ != 0 &&
                    from_proto(event.event_time()) < started_time_ + task_timeout_ &&
                    from_proto(event.event_time()) <= heartbeats_since_ + longest_heartbeat_) {
                    complain(8, fmt::format("task {} timed out early", task_));
                }
                task_ = 0;
                failed_time_ = from_proto(event.event_time());
                break;
            default: break;
        }
    }
    /// From when on its worker may keep a task by heartbeats. One that is scheduled as another is
    /// completed may be what a heartbeat has asked for. One behind a failed task may have waited, and
    /// is then written anew when it is started.
    void note_scheduled(const HistoryEvent& event) {
        const Timestamp now = from_proto(event.event_time());
        if (now != completed_time_) heartbeats_since_ = failed_time_.value_or(now);
    }
    void expect_task(const HistoryEvent& event, std::int64_t scheduled) {
        if (task_ == scheduled) return;
        complain(9, fmt::format("event {} is of task {}, but task {} is open", event.event_id(),
                                scheduled, task_));
    }

    /// Invariants 5 (one outcome), 7 (order) and 12 (attempts).
    void look_at_activities(const HistoryEvent& event) {
        switch (event.event_type()) {
            case enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
                activities_.emplace(event.event_id(), &event);
                break;
            case enums::EVENT_TYPE_ACTIVITY_TASK_STARTED: {
                const auto& started = event.activity_task_started_event_attributes();
                const auto scheduled = activities_.find(started.scheduled_event_id());
                if (scheduled == activities_.end()) {
                    complain(
                        7, fmt::format("event {} starts what was not scheduled", event.event_id()));
                    break;
                }
                // Operators may start an activity over, go on after its last attempt, and end a wait.
                if (!operated_) check_attempt(*scheduled->second, event);
                activity_starts_[started.scheduled_event_id()] = &event;
                break;
            }
            case enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
                outcome(event, event.activity_task_completed_event_attributes());
                break;
            case enums::EVENT_TYPE_ACTIVITY_TASK_FAILED:
                outcome(event, event.activity_task_failed_event_attributes());
                break;
            case enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
                check_timeout(event);
                outcome(event, event.activity_task_timed_out_event_attributes());
                break;
            case enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED:
                outcome(event, event.activity_task_canceled_event_attributes());
                break;
            default: break;
        }
    }
    /// Invariant 12: no more attempts than the policy allows, and no sooner than it allows them.
    void check_attempt(const HistoryEvent& scheduled, const HistoryEvent& event) {
        const auto& policy = scheduled.activity_task_scheduled_event_attributes().retry_policy();
        const int attempt = event.activity_task_started_event_attributes().attempt();
        const int most = policy.maximum_attempts();
        if (most != 0 && attempt > most) {
            complain(12, fmt::format("attempt {} of at most {}", attempt, most));
        }
        Timestamp earliest = from_proto(scheduled.event_time());
        Duration interval = from_proto(policy.initial_interval());
        for (int before = 1; before < attempt; ++before) {
            earliest += interval;
            interval =
                std::min(from_proto(policy.maximum_interval()),
                         Duration(static_cast<Duration::rep>(static_cast<double>(interval.count()) *
                                                             policy.backoff_coefficient())));
        }
        if (from_proto(event.event_time()) < earliest) {
            complain(12, fmt::format("attempt {} of activity {} began before its backoff was over",
                                     attempt, scheduled.event_id()));
        }
    }
    /// Invariant 8: an attempt has all the time that it was promised.
    void check_timeout(const HistoryEvent& event) {
        const auto& attributes = event.activity_task_timed_out_event_attributes();
        const auto type = attributes.failure().timeout_failure_info().timeout_type();
        const auto scheduled = activities_.find(attributes.scheduled_event_id());
        const auto started = activity_starts_.find(attributes.scheduled_event_id());
        if (operated_ || type != enums::TIMEOUT_TYPE_START_TO_CLOSE) return;
        if (scheduled == activities_.end() || started == activity_starts_.end()) return;
        const Timestamp due =
            from_proto(started->second->event_time()) +
            from_proto(scheduled->second->activity_task_scheduled_event_attributes()
                           .start_to_close_timeout());
        if (from_proto(event.event_time()) >= due) return;
        complain(8, fmt::format("activity {} timed out early", attributes.scheduled_event_id()));
    }
    template <typename Attributes>
    void outcome(const HistoryEvent& event, const Attributes& attributes) {
        const std::int64_t scheduled = attributes.scheduled_event_id();
        const auto start = activity_starts_.find(scheduled);
        const std::int64_t started =
            start == activity_starts_.end() ? 0 : start->second->event_id();
        if (attributes.started_event_id() != started) {
            complain(7, fmt::format("event {} names start {} of activity {}, which is {}",
                                    event.event_id(), attributes.started_event_id(), scheduled,
                                    started));
        }
        if (!activities_.contains(scheduled)) {
            complain(7, fmt::format("event {} ends what was not scheduled", event.event_id()));
        }
        if (!closed_.insert(scheduled).second) {
            complain(5, fmt::format("event {} is a second outcome of activity {}", event.event_id(),
                                    scheduled));
        }
    }

    /// Invariants 5 and 7: a child is started once, ends once, and in this order.
    void look_at_children(const HistoryEvent& event) {
        switch (event.event_type()) {
            case enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
                pending_children_.insert(event.event_id());
                break;
            case enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED:
                take_child(event, pending_children_,
                           event.start_child_workflow_execution_failed_event_attributes());
                break;
            case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED: {
                const auto& a = event.child_workflow_execution_started_event_attributes();
                take_child(event, pending_children_, a);
                running_children_.insert(a.initiated_event_id());
                child_starts_[a.initiated_event_id()] = event.event_id();
                break;
            }
            case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED:
                take_child(event, running_children_,
                           event.child_workflow_execution_completed_event_attributes());
                break;
            case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED:
                take_child(event, running_children_,
                           event.child_workflow_execution_failed_event_attributes());
                break;
            case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED:
                take_child(event, running_children_,
                           event.child_workflow_execution_canceled_event_attributes());
                break;
            case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT:
                take_child(event, running_children_,
                           event.child_workflow_execution_timed_out_event_attributes());
                break;
            case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED:
                take_child(event, running_children_,
                           event.child_workflow_execution_terminated_event_attributes());
                break;
            default: break;
        }
    }
    template <typename Attributes>
    void take_child(const HistoryEvent& event, std::set<std::int64_t>& from,
                    const Attributes& attributes) {
        if constexpr (requires { attributes.started_event_id(); }) {
            if (attributes.started_event_id() != child_starts_[attributes.initiated_event_id()]) {
                complain(
                    7, fmt::format("event {} names another start of its child", event.event_id()));
            }
        }
        if (from.erase(attributes.initiated_event_id()) == 1) return;
        complain(5, fmt::format("event {} tells of child {} what can not be", event.event_id(),
                                attributes.initiated_event_id()));
    }

    /// Invariant 5: a request to another workflow, or to the server, has one outcome.
    void look_at_requests(const HistoryEvent& event) {
        if (event.has_signal_external_workflow_execution_initiated_event_attributes() ||
            event.has_nexus_operation_scheduled_event_attributes()) {
            requests_.insert(event.event_id());
        } else if (event.has_external_workflow_execution_signaled_event_attributes()) {
            end_request(
                event,
                event.external_workflow_execution_signaled_event_attributes().initiated_event_id());
        } else if (event.has_signal_external_workflow_execution_failed_event_attributes()) {
            end_request(event, event.signal_external_workflow_execution_failed_event_attributes()
                                   .initiated_event_id());
        } else if (event.has_nexus_operation_completed_event_attributes()) {
            end_request(event,
                        event.nexus_operation_completed_event_attributes().scheduled_event_id());
        } else if (event.has_nexus_operation_failed_event_attributes()) {
            end_request(event,
                        event.nexus_operation_failed_event_attributes().scheduled_event_id());
        }
    }
    void end_request(const HistoryEvent& event, std::int64_t id) {
        if (requests_.erase(id) == 1) return;
        complain(5, fmt::format("event {} is an outcome that request {} can not have",
                                event.event_id(), id));
    }

    /// Invariants 12 and 13: what the policy and the schedule promise follows the end.
    void look_at_end(const HistoryEvent& event) {
        if (!is_closing(event)) return;
        const auto& started = history_.front().workflow_execution_started_event_attributes();
        const bool by_itself = event.has_workflow_execution_completed_event_attributes() ||
                               event.has_workflow_execution_failed_event_attributes();
        if (!by_itself || !successor_of(history_).empty()) return;
        if (!started.cron_schedule().empty()) complain(13, "its cron schedule does not go on");
        if (!event.has_workflow_execution_failed_event_attributes()) return;
        const int most = started.retry_policy().maximum_attempts();
        if (started.attempt() < most) {
            complain(13, fmt::format("it failed in attempt {} of {}, and is not tried again",
                                     started.attempt(), most));
        }
    }

    /// Invariants 5 and 8: a timer fires once, and not before its time.
    void look_at_timers(const HistoryEvent& event) {
        if (event.event_type() == enums::EVENT_TYPE_TIMER_STARTED) {
            timers_[event.event_id()] = &event;
        } else if (event.event_type() == enums::EVENT_TYPE_TIMER_CANCELED) {
            end_timer(event, event.timer_canceled_event_attributes().started_event_id());
        } else if (event.event_type() == enums::EVENT_TYPE_TIMER_FIRED) {
            const std::int64_t id = event.timer_fired_event_attributes().started_event_id();
            const auto timer = timers_.find(id);
            if (timer == timers_.end()) {
                return complain(7, fmt::format("event {} fires no timer", event.event_id()));
            }
            const Timestamp due =
                from_proto(timer->second->event_time()) +
                from_proto(timer->second->timer_started_event_attributes().start_to_fire_timeout());
            if (from_proto(event.event_time()) < due) {
                complain(8, fmt::format("timer {} fired early", id));
            }
            end_timer(event, id);
        }
    }
    void end_timer(const HistoryEvent& event, std::int64_t id) {
        if (closed_timers_.insert(id).second) return;
        complain(5, fmt::format("event {} ends timer {} again", event.event_id(), id));
    }

    const std::string& run_;
    const History& history_;
    const bool operated_;
    const Duration longest_heartbeat_;
    std::vector<std::string> faults_;
    std::int64_t task_ = 0;
    Duration task_timeout_{};
    std::int64_t started_ = 0;
    Timestamp started_time_{};
    Timestamp heartbeats_since_{};
    Timestamp completed_time_{};            // of the last workflow task that was completed
    std::optional<Timestamp> failed_time_;  // of the last one, unless it was completed
    std::map<std::int64_t, const HistoryEvent*> activity_starts_;  // by scheduled event
    std::map<std::int64_t, std::int64_t> child_starts_;            // by initiated event
    std::set<std::int64_t> requests_;
    std::map<std::int64_t, const HistoryEvent*> activities_;
    std::set<std::int64_t> closed_;
    std::map<std::int64_t, const HistoryEvent*> timers_;
    std::set<std::int64_t> closed_timers_;
    std::set<std::int64_t> pending_children_;
    std::set<std::int64_t> running_children_;
};

}  // namespace

bool is_closing(const HistoryEvent& event) {
    switch (event.event_type()) {
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW: return true;
        default: return false;
    }
}

std::vector<std::string> check_history(const std::string& run_id, const History& history,
                                       bool operated, Duration longest_heartbeat) {
    return Check(run_id, history, operated, longest_heartbeat).run();
}

std::vector<std::string> check_successor(const History& before, const std::string& run_id,
                                         const History& after) {
    std::vector<std::string> faults;
    const auto expect = [&](bool holds, const char* what) {
        if (!holds) faults.push_back(fmt::format("invariant 13: run {}: {}", run_id, what));
    };
    const auto& old = before.front().workflow_execution_started_event_attributes();
    const auto& started = after.front().workflow_execution_started_event_attributes();
    expect(started.first_execution_run_id() == old.first_execution_run_id(),
           "it belongs to another chain than the run before");
    expect(from_proto(started.workflow_task_timeout()) == from_proto(old.workflow_task_timeout()),
           "it has another workflow task timeout than the run before");
    expect(started.parent_workflow_execution().run_id() == old.parent_workflow_execution().run_id(),
           "it has another parent than the run before");
    const HistoryEvent& end = before.back();
    if (end.has_workflow_execution_completed_event_attributes()) {
        const auto& result = end.workflow_execution_completed_event_attributes().result();
        expect(started.last_completion_result().SerializeAsString() == result.SerializeAsString(),
               "it does not know the result of the run before");
    }
    if (started.initiator() != enums::CONTINUE_AS_NEW_INITIATOR_RETRY) return faults;
    expect(started.attempt() == old.attempt() + 1,
           "it counts the attempts of its workflow wrongly");
    expect(started.attempt() <= started.retry_policy().maximum_attempts(),
           "it is one attempt too many");
    expect(from_proto(started.first_workflow_task_backoff()) >=
               from_proto(started.retry_policy().initial_interval()),
           "it is tried again without backoff");
    return faults;
}

std::string successor_of(const History& history) {
    if (history.empty()) return {};
    const HistoryEvent& last = history.back();
    switch (last.event_type()) {
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
            return last.workflow_execution_continued_as_new_event_attributes()
                .new_execution_run_id();
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
            return last.workflow_execution_completed_event_attributes().new_execution_run_id();
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
            return last.workflow_execution_failed_event_attributes().new_execution_run_id();
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:
            return last.workflow_execution_timed_out_event_attributes().new_execution_run_id();
        default: return {};
    }
}

}  // namespace stele::sim
