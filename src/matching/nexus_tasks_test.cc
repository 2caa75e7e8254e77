#include "matching/nexus_tasks.h"

#include "env/sim/sim_env.h"
#include "matching/queue_settings_testing.h"
#include "shard/server_testing.h"

#include <gtest/gtest.h>

#include <utility>

namespace stele::matching {
namespace {

using history::NexusAnswer;
using shard::testing::Answer;
using shard::testing::Caller;
using std::chrono::seconds;

class NexusTasksTest : public ::testing::Test {
protected:
    NexusTasksTest() { tasks_ = make_nexus_tasks(sim_, settings_, options()); }

    static MatchingOptions options() {
        MatchingOptions options;
        options.window = 3;
        options.polls_per_queue = 3;
        return options;
    }
    Answer<std::optional<NexusTask>> poll(const std::string& key = "",
                                          CallScopePtr scope = nullptr) {
        Poll poll;
        poll.queue = queue_;
        poll.identity = "worker";
        poll.worker_instance_key = key;
        poll.expires = sim_.now() + seconds(60);
        Answer<std::optional<NexusTask>> answer;
        tasks_->poll(std::move(poll), std::move(scope), answer.reply());
        settle();
        return answer;
    }
    Answer<NexusAnswer> dispatch(const std::string& operation) {
        shard::NexusRequest request;
        request.queue = queue_;
        request.request.mutable_start_operation()->set_operation(operation);
        request.deadline = sim_.now() + seconds(10);
        Answer<NexusAnswer> answer;
        tasks_->dispatch(std::move(request), answer.reply());
        settle();
        return answer;
    }
    absl::Status respond(const std::string& id) {
        Answer<history::None> answer;
        tasks_->respond(id, temporal::api::nexus::v1::Response(), answer.reply());
        settle();
        return answer.get().status();
    }
    void settle() { sim_.run_for(std::chrono::milliseconds(1)); }

    env::SimEnv sim_{env::SimOptions{.seed = 1}};
    FixedQueueSettings settings_;
    shard::QueueId queue_{"ns", "queue", shard::QueueKind::kNexus};
    std::unique_ptr<NexusTasks> tasks_;
};

TEST_F(NexusTasksTest, ARequestMeetsAPollAndItsAnswerComesBackOnce) {
    auto request = dispatch("op");
    auto task = poll();
    ASSERT_TRUE(task.arrived());
    EXPECT_EQ((*task.get())->request.start_operation().operation(), "op");
    EXPECT_FALSE(request.arrived());
    const std::string id = (*task.get())->id;
    EXPECT_TRUE(respond(id).ok());
    ASSERT_TRUE(request.arrived());
    EXPECT_TRUE(request.get().ok());
    EXPECT_EQ(message_of(respond(id)), "Nexus task not found or already expired");
}

TEST_F(NexusTasksTest, APollWaitsForARequest) {
    auto task = poll();
    EXPECT_FALSE(task.arrived());
    dispatch("op");
    EXPECT_TRUE(task.arrived());
}

TEST_F(NexusTasksTest, ARequestThatNobodyAnswersEndsWithItsDeadline) {
    auto waiting = dispatch("waiting");
    auto task = poll();
    auto held = dispatch("held");
    sim_.run_for(seconds(10));
    ASSERT_TRUE(waiting.arrived() && held.arrived());
    EXPECT_EQ(waiting.get().status().code(), absl::StatusCode::kDeadlineExceeded);
    EXPECT_EQ(respond((*task.get())->id).code(), absl::StatusCode::kNotFound);
    EXPECT_FALSE(poll().arrived()) << "nothing is left of it";
}

TEST_F(NexusTasksTest, ACallerThatHasGoneGetsNothing) {
    const auto caller = std::make_shared<Caller>(sim_.now() + seconds(60));
    auto gone = poll("", caller);
    caller->cancel();
    settle();
    dispatch("op");
    EXPECT_FALSE(gone.arrived() && gone.get().ok() && gone.get()->has_value());
    EXPECT_TRUE((*poll().get()).has_value());
}

TEST_F(NexusTasksTest, PollsEndEmptyByThemselvesAndWhenTheWorkerStops) {
    auto first = poll("stopping");
    auto second = poll("other");
    tasks_->shutdown_worker(queue_, "stopping");
    settle();
    ASSERT_TRUE(first.arrived());
    EXPECT_FALSE(first.get()->has_value());
    EXPECT_FALSE(second.arrived());
    EXPECT_TRUE(poll("stopping").arrived()) << "a poll that comes late";
    sim_.run_for(seconds(60));
    EXPECT_TRUE(second.arrived());
}

TEST_F(NexusTasksTest, APollWaitsNoLongerThanIsSetForTheQueue) {
    settings_.now.long_poll = seconds(5);
    auto task = poll();
    sim_.run_for(seconds(4));
    EXPECT_FALSE(task.arrived());
    sim_.run_for(seconds(1));
    ASSERT_TRUE(task.arrived());
    EXPECT_FALSE(task.get()->has_value());
}

TEST_F(NexusTasksTest, OnlySoManyRequestsAndPollsWait) {
    for (int i = 0; i < 3; ++i) EXPECT_FALSE(dispatch("op").arrived());
    auto refused = dispatch("op");
    ASSERT_TRUE(refused.arrived());
    EXPECT_EQ(refused.get().status().code(), absl::StatusCode::kResourceExhausted);
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(poll().arrived());
    for (int i = 0; i < 3; ++i) EXPECT_FALSE(poll().arrived());
    EXPECT_EQ(poll().get().status().code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(NexusTasksTest, DrainingAnswersEveryWait) {
    auto task = poll();
    tasks_->drain();
    settle();
    ASSERT_TRUE(task.arrived());
    EXPECT_EQ(dispatch("op").get().status().code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace stele::matching
