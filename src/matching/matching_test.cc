#include <gtest/gtest.h>

#include "matching/matching.h"

#include "env/sim/sim_env.h"
#include "matching/queue_settings_testing.h"
#include "shard/server_testing.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace stele::matching {
namespace {

using shard::PolledActivityTask;
using shard::PolledWorkflowTask;
using shard::QueryOffer;
using shard::QueueId;
using shard::TaskOffer;
using shard::testing::Answer;
using shard::testing::Caller;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// Shards that start what they are asked to, unless told otherwise. Not thread safe.
class FakeShards final : public shard::TaskStarter {
public:
    void start_workflow_task(const TaskOffer& offer, history::StartWorkflowTaskInput,
                             Reply<PolledWorkflowTask> reply) override {
        started.push_back(offer.sequence);
        if (hold) return held.push_back(std::move(reply));
        const absl::Status status = next_outcome();
        if (!status.ok()) return reply(status);
        reply(task_of(offer));
    }
    void start_activity(const TaskOffer& offer, history::StartActivityInput,
                        Reply<PolledActivityTask> reply) override {
        started.push_back(offer.sequence);
        reply(PolledActivityTask());
    }
    void start_query(const QueryOffer& offer, Reply<PolledWorkflowTask> reply) override {
        PolledWorkflowTask task;
        task.direct_query.emplace(offer.query_id, temporal::api::query::v1::WorkflowQuery());
        reply(std::move(task));
    }
    void give_up_sticky(const TaskOffer& offer) override { given_up.push_back(offer.sequence); }
    void return_task(const PolledWorkflowTask& task) override {
        returned.push_back(task.run.run_id);
    }
    void return_task(const PolledActivityTask& task) override {
        returned.push_back(task.run.run_id);
    }
    void refill(const QueueId& queue) override { refilled.push_back(queue.name); }
    void count_backlog(const QueueId&, Reply<shard::QueueBacklog> reply) override {
        reply(backlog);
    }

    static PolledWorkflowTask task_of(const TaskOffer& offer) {
        PolledWorkflowTask task;
        task.run.run_id = std::to_string(offer.sequence);
        return task;
    }

    std::deque<absl::Status> outcomes;  // of the next starts; then all are fine
    bool hold = false;                  // leave workflow tasks unanswered, in `held`
    std::vector<Reply<PolledWorkflowTask>> held;
    std::vector<std::int64_t> started;
    std::vector<std::int64_t> given_up;
    std::vector<std::string> returned;
    std::vector<std::string> refilled;
    shard::QueueBacklog backlog;

private:
    absl::Status next_outcome() {
        if (outcomes.empty()) return absl::OkStatus();
        absl::Status status = outcomes.front();
        outcomes.pop_front();
        return status;
    }
};

class MatchingTest : public ::testing::Test {
protected:
    using WorkflowAnswer = Answer<std::optional<PolledWorkflowTask>>;
    using ActivityAnswer = Answer<std::optional<PolledActivityTask>>;

    void use(MatchingOptions options) {
        matching_ = make_matching(sim_, shards_, settings_, options);
    }
    void settle() { sim_.run_for(milliseconds(1)); }

    static QueueId queue(const std::string& name = "queue") { return {"namespace", name}; }
    static QueueId activities() { return {"namespace", "queue", shard::QueueKind::kActivity}; }

    Poll poll_of(const QueueId& id) {
        Poll poll;
        poll.queue = id;
        poll.identity = "worker";
        poll.request_id = "request";
        poll.expires = sim_.now() + seconds(60);
        return poll;
    }
    WorkflowAnswer poll(const QueueId& id = queue(), CallScopePtr scope = nullptr) {
        return poll(poll_of(id), std::move(scope));
    }
    WorkflowAnswer poll(Poll poll, CallScopePtr scope = nullptr) {
        WorkflowAnswer answer;
        matching_->poll_workflow(std::move(poll), std::move(scope), answer.reply());
        settle();
        return answer;
    }
    WorkflowAnswer poll_sticky() {
        Poll sticky = poll_of(queue("sticky"));
        sticky.normal_queue = "queue";
        return poll(std::move(sticky));
    }
    ActivityAnswer poll_activity(double rate) {
        Poll poll = poll_of(activities());
        poll.max_tasks_per_second = rate;
        ActivityAnswer answer;
        matching_->poll_activity(std::move(poll), nullptr, answer.reply());
        settle();
        return answer;
    }

    TaskOffer task(std::int64_t sequence, const QueueId& id = queue()) {
        TaskOffer offer;
        offer.queue = id;
        offer.sequence = sequence;
        offer.created = sim_.now();
        return offer;
    }
    void offer(TaskOffer task) {
        matching_->offer(std::move(task));
        settle();
    }
    void offer_backlog(const std::vector<std::int64_t>& sequences, bool more = false,
                       const std::string& name = "queue") {
        shard::BacklogPart part{queue(name), {}, more};
        for (const std::int64_t sequence : sequences) {
            part.tasks.push_back(task(sequence, queue(name)));
            part.tasks.back().sticky = name == "sticky";
        }
        matching_->offer_backlog(std::move(part));
        settle();
    }
    void offer_sticky(std::int64_t sequence) {
        TaskOffer sticky = task(sequence, queue("sticky"));
        sticky.sticky = true;
        offer(std::move(sticky));
    }

    using Unmatched = std::shared_ptr<std::optional<absl::Status>>;
    Unmatched query(bool sticky = false) {
        QueryOffer offer;
        offer.queue = queue(sticky ? "sticky" : "queue");
        offer.sticky = sticky;
        offer.query_id = "query";
        offer.deadline = sim_.now() + seconds(30);
        auto result = std::make_shared<std::optional<absl::Status>>();
        matching_->offer_query(std::move(offer), [result](absl::Status status) {
            EXPECT_FALSE(result->has_value());
            result->emplace(std::move(status));
        });
        settle();
        return result;
    }

    static std::string run_of(const WorkflowAnswer& answer) {
        if (!answer.arrived()) return "waits";
        if (!answer.get().ok()) return message_of(answer.get().status());
        return *answer.get() ? (*answer.get())->run.run_id : "empty";
    }

    env::SimEnv sim_{env::SimOptions{.seed = 1}};
    FakeShards shards_;
    FixedQueueSettings settings_;
    std::unique_ptr<Matching> matching_ = make_matching(sim_, shards_, settings_, {});
};

TEST_F(MatchingTest, TaskGoesToTheWaitingPollAtOnce) {
    const auto answer = poll();
    EXPECT_EQ(run_of(answer), "waits");
    offer(task(7));
    EXPECT_EQ(run_of(answer), "7");
}

TEST_F(MatchingTest, PollTakesAWaitingTaskAtOnce) {
    offer(task(7));
    EXPECT_TRUE(shards_.started.empty());
    EXPECT_EQ(run_of(poll()), "7");
}

TEST_F(MatchingTest, TaskOfAnotherQueueIsNotHandedOut) {
    offer(task(7, queue("other")));
    EXPECT_EQ(run_of(poll()), "waits");
}

TEST_F(MatchingTest, TasksLeaveInOrderWithinTheirPriority) {
    for (const auto& [sequence, priority] : {std::pair{1, 3}, {2, 1}, {3, 3}, {4, 1}}) {
        TaskOffer offered = task(sequence);
        offered.priority = priority;
        offer(std::move(offered));
    }
    for (const char* expected : {"2", "4", "1", "3"}) EXPECT_EQ(run_of(poll()), expected);
}

TEST_F(MatchingTest, TaskOfferedTwiceIsHandedOutOnce) {
    offer(task(7));
    offer(task(7));
    EXPECT_EQ(run_of(poll()), "7");
    EXPECT_EQ(run_of(poll()), "waits");
}

TEST_F(MatchingTest, PollIsAnsweredEmptyAtItsExpiryAndNotBefore) {
    const auto answer = poll();
    sim_.run_for(seconds(59));
    EXPECT_EQ(run_of(answer), "waits");
    sim_.run_for(seconds(1));
    EXPECT_EQ(run_of(answer), "empty");
}

TEST_F(MatchingTest, APollWaitsNoLongerThanIsSetForTheQueue) {
    settings_.now.long_poll = seconds(5);
    const auto answer = poll();
    sim_.run_for(seconds(4));
    EXPECT_EQ(run_of(answer), "waits");
    sim_.run_for(seconds(1));
    EXPECT_EQ(run_of(answer), "empty");
}

TEST_F(MatchingTest, TaskGoesBackWhenItsPollIsCancelledDuringTheStart) {
    shards_.hold = true;
    auto caller = std::make_shared<Caller>(kNever);
    const auto answer = poll(queue(), caller);
    offer(task(7));
    ASSERT_EQ(shards_.held.size(), 1U);
    caller->cancel();
    shards_.held[0](FakeShards::task_of(task(7)));
    settle();
    EXPECT_EQ(run_of(answer), "empty");
    EXPECT_EQ(shards_.returned, std::vector<std::string>{"7"});
}

TEST_F(MatchingTest, CancelledPollDoesNotUseUpATask) {
    auto caller = std::make_shared<Caller>(kNever);
    const auto gone = poll(queue(), caller);
    const auto next = poll();
    // Both are on their way to matching when it looks for a poll: the first one is still listed.
    matching_->offer(task(7));
    caller->cancel();
    settle();
    EXPECT_EQ(run_of(gone), "empty");
    EXPECT_EQ(run_of(next), "7");
    EXPECT_EQ(shards_.started, std::vector<std::int64_t>{7});
    EXPECT_TRUE(shards_.returned.empty());
}

TEST_F(MatchingTest, ObsoleteTaskIsSkippedForTheNext) {
    shards_.outcomes = {not_found("obsolete")};
    offer(task(1));
    offer(task(2));
    EXPECT_EQ(run_of(poll()), "2");
    sim_.run_for(seconds(5));
    EXPECT_EQ(run_of(poll()), "waits");
}

TEST_F(MatchingTest, TaskThatCouldNotBeStartedIsTriedAgainLater) {
    shards_.outcomes = {unavailable("busy")};
    offer(task(1));
    const auto answer = poll();
    EXPECT_EQ(run_of(answer), "waits");
    sim_.run_for(seconds(1));
    EXPECT_EQ(run_of(answer), "1");
    EXPECT_EQ(shards_.started, (std::vector<std::int64_t>{1, 1}));
}

TEST_F(MatchingTest, StickyTaskWithoutALiveWorkerIsGivenUpAtOnce) {
    offer_sticky(1);
    EXPECT_EQ(shards_.given_up, std::vector<std::int64_t>{1});
}

TEST_F(MatchingTest, StickyTaskWaitsForAWorkerThatPolledLately) {
    const auto first = poll_sticky();
    offer_sticky(1);
    EXPECT_EQ(run_of(first), "1");
    offer_sticky(2);
    EXPECT_TRUE(shards_.given_up.empty());
    EXPECT_EQ(run_of(poll_sticky()), "2");
}

TEST_F(MatchingTest, WorkerThatIsBeingServedAfterALongWaitCountsAsAlive) {
    const auto waiting = poll_sticky();
    sim_.run_for(seconds(30));
    EXPECT_TRUE(matching_->has_recent_poller(queue("sticky")));
    shards_.hold = true;
    offer_sticky(1);
    offer_sticky(2);
    EXPECT_TRUE(shards_.given_up.empty());
    shards_.held[0](FakeShards::task_of(task(1)));
    settle();
    EXPECT_EQ(run_of(waiting), "1");
    sim_.run_for(seconds(11));
    EXPECT_FALSE(matching_->has_recent_poller(queue("sticky")));
}

TEST_F(MatchingTest, ShutDownStickyQueueGivesItsTasksBack) {
    EXPECT_FALSE(poll_sticky().arrived());
    offer_sticky(1);
    offer_sticky(2);
    offer_sticky(3);
    matching_->shutdown_sticky(queue("sticky"));
    settle();
    EXPECT_EQ(shards_.given_up, (std::vector<std::int64_t>{2, 3}));
    offer_sticky(4);
    EXPECT_EQ(shards_.given_up.back(), 4);
}

TEST_F(MatchingTest, ShutDownStickyQueueAnswersItsPollsEmpty) {
    const auto answer = poll_sticky();
    matching_->shutdown_sticky(queue("sticky"));
    settle();
    EXPECT_EQ(run_of(answer), "empty");
}

TEST_F(MatchingTest, ShutDownStickyQueueIsNotKeptAliveByAPollThatIsBeingServed) {
    shards_.hold = true;
    const auto served = poll_sticky();
    offer_sticky(1);
    matching_->shutdown_sticky(queue("sticky"));
    settle();
    offer_sticky(2);
    ASSERT_EQ(shards_.held.size(), 1u);
    shards_.held.front()(FakeShards::task_of(task(1)));
    settle();
    EXPECT_EQ(run_of(served), "1");
    EXPECT_EQ(shards_.given_up, std::vector<std::int64_t>{2});
    offer_sticky(3);
    EXPECT_EQ(shards_.given_up.back(), 3);
}

TEST_F(MatchingTest, ShutDownStickyQueueAsksForWhatDidNotFit) {
    use({.window = 2});
    EXPECT_FALSE(poll_sticky().arrived());
    for (std::int64_t i = 1; i <= 4; ++i) offer_sticky(i);
    matching_->shutdown_sticky(queue("sticky"));
    settle();
    EXPECT_EQ(shards_.refilled, std::vector<std::string>{"sticky"});
}

TEST_F(MatchingTest, QueryIsMatchedBeforeTasks) {
    offer(task(1));
    const auto unmatched = query();
    const auto first = poll();
    ASSERT_EQ(run_of(first), "");  // an answer that is no run's task
    EXPECT_EQ((*first.get())->direct_query->first, "query");
    EXPECT_EQ(run_of(poll()), "1");
    sim_.run_for(seconds(60));
    EXPECT_FALSE(unmatched->has_value());
}

TEST_F(MatchingTest, QueryOnADeadStickyQueueIsUnmatchedAtOnce) {
    const auto unmatched = query(true);
    ASSERT_TRUE(unmatched->has_value());
    EXPECT_EQ((*unmatched)->code(), absl::StatusCode::kUnavailable);
}

TEST_F(MatchingTest, QueryWithoutAPollerFailsAtItsDeadline) {
    const auto unmatched = query();
    sim_.run_for(seconds(29));
    EXPECT_FALSE(unmatched->has_value());
    sim_.run_for(seconds(1));
    ASSERT_TRUE(unmatched->has_value());
    EXPECT_EQ((*unmatched)->code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(message_of(**unmatched),
              "no poller seen for task queue recently, worker may be down");
}

TEST_F(MatchingTest, QueryThatBusyWorkersDidNotTakeTimesOut) {
    offer(task(1));
    const auto unmatched = query();
    sim_.run_for(seconds(15));
    Poll poll_after_query = poll_of(queue());
    poll_after_query.expires = sim_.now();
    EXPECT_EQ(run_of(poll(std::move(poll_after_query))), "empty");
    sim_.run_for(seconds(15));
    ASSERT_TRUE(unmatched->has_value());
    EXPECT_EQ((*unmatched)->code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(MatchingTest, FullWindowLeavesTasksOutAndAsksForThemOnceItRunsLow) {
    use({.window = 4});
    for (std::int64_t i = 1; i <= 6; ++i) offer(task(i));
    EXPECT_EQ(run_of(poll()), "1");
    EXPECT_TRUE(shards_.refilled.empty());
    EXPECT_EQ(run_of(poll()), "2");
    EXPECT_EQ(shards_.refilled, std::vector<std::string>{"queue"});
    offer_backlog({3, 4, 5, 6});  // 3 and 4 are there already
    for (const char* expected : {"3", "4", "5", "6"}) EXPECT_EQ(run_of(poll()), expected);
    EXPECT_EQ(run_of(poll()), "waits");
}

TEST_F(MatchingTest, BacklogOfManyWindowsIsAskedForToItsEnd) {
    use({.window = 4});
    for (std::int64_t i = 1; i <= 40; ++i) offer(task(i));
    std::int64_t served = 0;
    for (int polls = 0; polls < 40; ++polls) {
        const auto answer = poll();
        ASSERT_TRUE(answer.arrived()) << "stalled after " << served << " tasks";
        EXPECT_EQ(run_of(answer), std::to_string(++served));
        if (std::exchange(shards_.refilled, {}).empty()) continue;
        // A whole window of the oldest, as the shards answer: half of them are on offer already.
        std::vector<std::int64_t> oldest;
        for (std::int64_t i = served + 1; i <= std::min<std::int64_t>(served + 4, 40); ++i) {
            oldest.push_back(i);
        }
        offer_backlog(oldest, oldest.back() < 40);
    }
}

TEST_F(MatchingTest, EveryShardIsAskedAgainWhileOneOfThemHasMore) {
    use({.window = 4});
    offer_backlog({1, 2}, true);
    offer_backlog({3});
    for (const char* expected : {"1", "2", "3"}) EXPECT_EQ(run_of(poll()), expected);
    EXPECT_EQ(shards_.refilled, std::vector<std::string>{"queue"});
}

TEST_F(MatchingTest, NewTaskDoesNotOvertakeTheBacklogThatDidNotFit) {
    use({.window = 4});
    for (std::int64_t i = 1; i <= 6; ++i) offer(task(i));
    EXPECT_EQ(run_of(poll()), "1");
    offer(task(7));  // there is room again, but 5 and 6 are older
    EXPECT_EQ(run_of(poll()), "2");
    offer_backlog({3, 4, 5, 6}, true);
    for (const char* expected : {"3", "4", "5", "6"}) EXPECT_EQ(run_of(poll()), expected);
    EXPECT_EQ(shards_.refilled.size(), 2U);
}

TEST_F(MatchingTest, WorkerHearsOfABacklogOnTheNormalQueueOnly) {
    for (std::int64_t i = 1; i <= 3; ++i) offer(task(i));
    EXPECT_EQ((*poll().get())->backlog_hint, 2);
    EXPECT_TRUE(run_of(poll_sticky()) == "waits");
    for (std::int64_t i = 11; i <= 13; ++i) offer_sticky(i);  // the first goes to the poll
    EXPECT_EQ((*poll_sticky().get())->backlog_hint, 0);
}

TEST_F(MatchingTest, BacklogOfADeadStickyQueueIsGivenUp) {
    offer_backlog({1, 2}, false, "sticky");
    EXPECT_EQ(shards_.given_up, (std::vector<std::int64_t>{1, 2}));
}

TEST_F(MatchingTest, RateOfZeroStopsTheQueueUntilItIsRaised) {
    offer(task(1, activities()));
    offer(task(2, activities()));
    const auto stopped = poll_activity(0);
    sim_.run_for(seconds(30));
    EXPECT_FALSE(stopped.arrived());
    const auto raised = poll_activity(100);
    sim_.run_for(seconds(1));
    EXPECT_TRUE(raised.arrived());
    EXPECT_TRUE(stopped.arrived());
}

TEST_F(MatchingTest, RateLimitsHowManyTasksLeaveInASecond) {
    std::vector<ActivityAnswer> polls;
    for (int i = 0; i < 50; ++i) polls.push_back(poll_activity(2));
    for (std::int64_t i = 0; i < 50; ++i) offer(task(i, activities()));
    sim_.run_for(seconds(1));
    const std::size_t burst = shards_.started.size();
    EXPECT_GE(burst, 2U);
    EXPECT_LE(burst, 6U);
    sim_.run_for(seconds(10));
    EXPECT_EQ(shards_.started.size(), burst + 20);
}

TEST_F(MatchingTest, DrainAnswersPollsEmptyAndTakesNoMore) {
    const auto waiting = poll();
    matching_->drain();
    settle();
    EXPECT_EQ(run_of(waiting), "empty");
    EXPECT_EQ(run_of(poll()), "empty");
    EXPECT_TRUE(query()->has_value());
}

}  // namespace
}  // namespace stele::matching
