#include "history/invariants_testing.h"
#include "history/scenario_testing.h"

#include <gtest/gtest.h>

#include <random>

// Random sequences of everything that can happen to activities. After every step the history must
// keep what was promised; the promises are read off the events alone, not off the rows.
namespace stele::history {
namespace {

namespace enums = temporal::api::enums::v1;
using namespace testing;
using api::history::v1::History;
using std::chrono::milliseconds;

using Scheduled = api::history::v1::ActivityTaskScheduledEventAttributes;

/// What a reader of the history knows of one activity.
struct Seen {
    Scheduled scheduled;
    Timestamp scheduled_at;
    std::optional<Timestamp> started_at;
    std::int32_t attempt = 0;
};

/// How long the policy makes attempt `attempt + 1` wait, told once more from its definition.
Duration policy_backoff(const api::common::v1::RetryPolicy& policy, std::int32_t attempt) {
    double nanos = static_cast<double>(from_proto(policy.initial_interval()).count());
    for (std::int32_t i = 1; i < attempt; ++i) nanos *= policy.backoff_coefficient();
    return std::min(Duration(static_cast<std::int64_t>(nanos)),
                    from_proto(policy.maximum_interval()));
}

/// Invariants 8 and 12: nothing early, never more attempts than allowed, backoff respected.
class PromiseChecker {
public:
    void read(const HistoryEvent& event) {
        const Timestamp at = from_proto(event.event_time());
        switch (event.event_type()) {
            case enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
                seen_[event.event_id()] = {
                    event.activity_task_scheduled_event_attributes(), at, {}, 0};
                return;
            case enums::EVENT_TYPE_ACTIVITY_TASK_STARTED:
                return read_start(event.activity_task_started_event_attributes(), at);
            case enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
                return read_timeout(event.activity_task_timed_out_event_attributes(), at);
            default: return;
        }
    }

private:
    void read_start(const api::history::v1::ActivityTaskStartedEventAttributes& started,
                    Timestamp at) {
        Seen& seen = seen_.at(started.scheduled_event_id());
        ASSERT_FALSE(seen.started_at.has_value()) << "two starts of one activity";
        const auto& policy = seen.scheduled.retry_policy();
        if (policy.maximum_attempts() > 0) {
            ASSERT_LE(started.attempt(), policy.maximum_attempts());
        }
        Timestamp earliest = seen.scheduled_at;
        for (std::int32_t i = 1; i < started.attempt(); ++i) earliest += policy_backoff(policy, i);
        // A completion by id may cut the last backoff short, so that one does not count.
        if (started.request_id().empty() && started.attempt() > 1) {
            earliest -= policy_backoff(policy, started.attempt() - 1);
        }
        ASSERT_GE(at, earliest) << "attempt " << started.attempt() << " began too early";
        ASSERT_EQ(started.has_last_failure(), started.attempt() > 1);
        seen.started_at = at;
        seen.attempt = started.attempt();
    }

    void read_timeout(const api::history::v1::ActivityTaskTimedOutEventAttributes& timed_out,
                      Timestamp at) {
        const Seen& seen = seen_.at(timed_out.scheduled_event_id());
        const Duration whole = from_proto(seen.scheduled.schedule_to_close_timeout());
        switch (timed_out.failure().timeout_failure_info().timeout_type()) {
            case enums::TIMEOUT_TYPE_START_TO_CLOSE:
                ASSERT_TRUE(seen.started_at.has_value());
                ASSERT_GE(at,
                          *seen.started_at + from_proto(seen.scheduled.start_to_close_timeout()));
                return;
            case enums::TIMEOUT_TYPE_HEARTBEAT:
                ASSERT_TRUE(seen.started_at.has_value());
                ASSERT_GE(at, *seen.started_at + from_proto(seen.scheduled.heartbeat_timeout()));
                return;
            case enums::TIMEOUT_TYPE_SCHEDULE_TO_START:
                ASSERT_FALSE(seen.started_at.has_value());
                ASSERT_GE(
                    at, seen.scheduled_at + from_proto(seen.scheduled.schedule_to_start_timeout()));
                return;
            default: break;
        }
        // Out of time: either it is over, or another attempt would begin after the end.
        ASSERT_GT(whole, Duration::zero());
        const Duration backoff = seen.attempt == 0
                                     ? Duration::zero()
                                     : policy_backoff(seen.scheduled.retry_policy(), seen.attempt);
        ASSERT_GE(at + backoff, seen.scheduled_at + whole);
    }

    std::map<std::int64_t, Seen> seen_;
};

class RandomRun : public Scenario {
public:
    explicit RandomRun(std::uint64_t seed) : random_(seed) {}

    void play(int steps) {
        start();
        for (int i = 0; i < steps && run().is_open(); ++i) {
            step();
            check();
            if (::testing::Test::HasFatalFailure()) return;
        }
        if (run().is_open()) terminate();
        check();
    }

private:
    std::int64_t below(std::int64_t limit) {
        return std::uniform_int_distribution<std::int64_t>(0, limit - 1)(random_);
    }
    bool chance(int percent) { return below(100) < percent; }

    void check() {
        check_history(history());
        check_rows_against_history(run(), history());
        for (; checked_ < history().events_size(); ++checked_) {
            promises_.read(history().events(checked_));
        }
    }

    void step() {
        switch (below(8)) {
            case 0:
            case 1: return work_on_workflow_task();
            case 2: return signal("s" + std::to_string(below(5)), "r" + std::to_string(below(30)));
            case 3: return start_any();
            case 4:
            case 5: return report_on_any();
            case 6: return stale_report();
            default: return advance(milliseconds(below(4000)));
        }
    }

    void work_on_workflow_task() {
        if (run().header.task().started_event_id() != 0) {
            complete_task(random_commands());
        } else if (workflow_task_is_queued()) {
            start_task();
        }
    }

    std::vector<Command> random_commands() {
        std::vector<Command> commands;
        std::vector<std::int64_t> cancellable;
        for (const auto& [id, row] : run().activities.rows()) {
            if (!row.cancel_requested()) cancellable.push_back(id);
        }
        if (!cancellable.empty() && chance(30)) {
            commands.push_back(testing::cancel_activity(
                cancellable[static_cast<std::size_t>(below(std::ssize(cancellable)))]));
        }
        for (std::int64_t i = below(3); i > 0; --i) commands.push_back(random_activity());
        return commands;
    }

    Command random_activity() {
        Command command =
            schedule_activity("a" + std::to_string(++scheduled_), milliseconds(500 + below(3000)));
        auto& attributes = *command.mutable_schedule_activity_task_command_attributes();
        auto& policy = *attributes.mutable_retry_policy();
        *policy.mutable_initial_interval() = to_proto(milliseconds(100 + below(900)));
        policy.set_backoff_coefficient(1.0 + static_cast<double>(below(3)));
        policy.set_maximum_attempts(static_cast<std::int32_t>(below(4)));
        if (chance(40)) {
            *attributes.mutable_schedule_to_close_timeout() = to_proto(milliseconds(below(8000)));
        }
        if (chance(40))
            *attributes.mutable_heartbeat_timeout() = to_proto(milliseconds(below(900)));
        if (chance(30)) {
            *attributes.mutable_schedule_to_start_timeout() = to_proto(milliseconds(below(3000)));
        }
        return command;
    }

    void start_any() {
        for (const auto& [id, row] : run().activities.rows()) {
            if (row.dispatch_sequence() == 0 || chance(30)) continue;
            const StartedActivity started = start_activity(row.activity_id());
            tokens_.push_back(started.token);
            return;
        }
    }

    void report_on_any() {
        for (const auto& [id, row] : run().activities.rows()) {
            if (chance(40)) continue;
            if (!row.has_started_time()) {
                if (chance(10)) complete_activity(by_id(row.activity_id()));
                return;
            }
            return report({EventId(id), row.attempt(), row.stamp(), row.activity_id()},
                          row.cancel_requested());
        }
    }

    void report(const ActivityToken& token, bool cancel_requested) {
        switch (below(cancel_requested ? 4 : 3)) {
            case 0: return complete_activity(token);
            case 1: return fail_activity(token, application_failure("boom", chance(10)));
            case 2:
                apply(record_heartbeat(run(), token, payloads("beat"), "worker", context()));
                return;
            default: apply(history::cancel_activity(run(), token, {}, "worker", context())); return;
        }
    }

    /// A token that was given out for another attempt must change nothing.
    void stale_report() {
        if (tokens_.empty()) return;
        const ActivityToken token = tokens_[static_cast<std::size_t>(below(std::ssize(tokens_)))];
        const storage::ActivityRow* row = run().activities.find(token.scheduled.value());
        const bool current = row != nullptr && row->has_started_time() &&
                             row->attempt() == token.attempt && row->stamp() == token.stamp;
        if (current) return;
        EXPECT_EQ(history::complete_activity(run(), token, {}, "worker", context()).status().code(),
                  absl::StatusCode::kNotFound);
        EXPECT_EQ(record_heartbeat(run(), token, {}, "worker", context()).status().code(),
                  absl::StatusCode::kNotFound);
    }

    std::mt19937_64 random_;
    std::vector<ActivityToken> tokens_;
    PromiseChecker promises_;
    int scheduled_ = 0;
    int checked_ = 0;
};

TEST(ActivityProperties, RandomRunsKeepEveryPromise) {
    int events = 0;
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        RandomRun run(seed);
        run.play(80);
        events += run.history().events_size();
        if (::testing::Test::HasFailure()) {
            std::cout << run.text();
            return;
        }
    }
    EXPECT_GT(events, 300 * 15) << "the runs are long enough to mean something";
}

TEST(ActivityProperties, TheSameSeedGivesTheSameHistory) {
    const auto play = [] {
        RandomRun run(42);
        run.play(200);
        return run.history().SerializeAsString();
    };
    EXPECT_EQ(play(), play());
}

}  // namespace
}  // namespace stele::history
