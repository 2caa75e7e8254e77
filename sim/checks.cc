#include "sim/checks.h"

#include "base/time.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace stele::sim {
namespace {

namespace enums = temporal::api::enums::v1;
using temporal::api::history::v1::HistoryEvent;

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

/// Follows one history and collects complaints.
class Check {
public:
    Check(const std::string& run_id, const History& history, bool operated)
        : run_(run_id), history_(history), operated_(operated) {}

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
    }

    /// Invariant 9: one workflow task at a time, and 7: what it points at lies before it.
    void look_at_tasks(const HistoryEvent& event) {
        switch (event.event_type()) {
            case enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED:
                if (task_ != 0) complain(9, fmt::format("two tasks at event {}", event.event_id()));
                task_ = event.event_id();
                started_ = 0;
                break;
            case enums::EVENT_TYPE_WORKFLOW_TASK_STARTED:
                expect_task(event, event.workflow_task_started_event_attributes().scheduled_event_id());
                started_ = event.event_id();
                break;
            case enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
                expect_task(event,
                            event.workflow_task_completed_event_attributes().scheduled_event_id());
                if (event.workflow_task_completed_event_attributes().started_event_id() != started_) {
                    complain(7, fmt::format("event {} names another start", event.event_id()));
                }
                task_ = 0;
                break;
            case enums::EVENT_TYPE_WORKFLOW_TASK_FAILED:
                expect_task(event, event.workflow_task_failed_event_attributes().scheduled_event_id());
                task_ = 0;
                break;
            case enums::EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT:
                expect_task(event,
                            event.workflow_task_timed_out_event_attributes().scheduled_event_id());
                task_ = 0;
                break;
            default: break;
        }
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
                    complain(7, fmt::format("event {} starts what was not scheduled", event.event_id()));
                    break;
                }
                // Operators may start an activity over, go on after its last attempt, and end a wait.
                if (!operated_) check_attempt(*scheduled->second, event);
                break;
            }
            case enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
                outcome(event, event.activity_task_completed_event_attributes().scheduled_event_id());
                break;
            case enums::EVENT_TYPE_ACTIVITY_TASK_FAILED:
                outcome(event, event.activity_task_failed_event_attributes().scheduled_event_id());
                break;
            case enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
                outcome(event, event.activity_task_timed_out_event_attributes().scheduled_event_id());
                break;
            case enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED:
                outcome(event, event.activity_task_canceled_event_attributes().scheduled_event_id());
                break;
            default: break;
        }
    }
    /// Invariant 12: no more attempts than the policy allows, and no sooner than it allows them.
    void check_attempt(const HistoryEvent& scheduled, const HistoryEvent& event) {
        const auto& policy =
            scheduled.activity_task_scheduled_event_attributes().retry_policy();
        const int attempt = event.activity_task_started_event_attributes().attempt();
        const int most = policy.maximum_attempts();
        if (most != 0 && attempt > most) {
            complain(12, fmt::format("attempt {} of at most {}", attempt, most));
        }
        Timestamp earliest = from_proto(scheduled.event_time());
        Duration interval = from_proto(policy.initial_interval());
        for (int before = 1; before < attempt; ++before) {
            earliest += interval;
            interval = std::min(
                from_proto(policy.maximum_interval()),
                Duration(static_cast<Duration::rep>(static_cast<double>(interval.count()) *
                                                    policy.backoff_coefficient())));
        }
        if (from_proto(event.event_time()) < earliest) {
            complain(12, fmt::format("attempt {} of activity {} began before its backoff was over",
                                     attempt, scheduled.event_id()));
        }
    }
    void outcome(const HistoryEvent& event, std::int64_t scheduled) {
        if (!activities_.contains(scheduled)) {
            complain(7, fmt::format("event {} ends what was not scheduled", event.event_id()));
        }
        if (!closed_.insert(scheduled).second) {
            complain(5, fmt::format("event {} is a second outcome of activity {}", event.event_id(),
                                    scheduled));
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
    std::vector<std::string> faults_;
    std::int64_t task_ = 0;
    std::int64_t started_ = 0;
    std::map<std::int64_t, const HistoryEvent*> activities_;
    std::set<std::int64_t> closed_;
    std::map<std::int64_t, const HistoryEvent*> timers_;
    std::set<std::int64_t> closed_timers_;
};

}  // namespace

std::vector<std::string> check_history(const std::string& run_id, const History& history,
                                       bool operated) {
    return Check(run_id, history, operated).run();
}

std::string successor_of(const History& history) {
    if (history.empty()) return {};
    return history.back().workflow_execution_continued_as_new_event_attributes().new_execution_run_id();
}

}  // namespace stele::sim
