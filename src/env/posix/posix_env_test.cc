#include "env/posix/posix_env.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <set>
#include <thread>
#include <vector>

namespace stele::env {
namespace {

using namespace std::chrono_literals;

class PosixEnvTest : public testing::Test {
protected:
    /// Waits until everything that was posted so far has run.
    static void drain(Executor& executor) {
        std::promise<void> done;
        executor.post([&done] { done.set_value(); });
        done.get_future().wait();
    }

    std::unique_ptr<Env> env_ = make_posix_env(2);
};

TEST_F(PosixEnvTest, ClosuresRunInTheOrderOfTheirPosts) {
    const auto executor = env_->make_executor("order");
    std::vector<int> seen;
    for (int i = 0; i < 1000; ++i) executor->post([&seen, i] { seen.push_back(i); });
    drain(*executor);
    ASSERT_EQ(seen.size(), 1000u);
    for (int i = 0; i < 1000; ++i) EXPECT_EQ(seen[static_cast<std::size_t>(i)], i);
}

TEST_F(PosixEnvTest, ClosuresOfOneExecutorNeverOverlap) {
    const auto executor = env_->make_executor("serial");
    std::atomic<int> inside = 0;
    int runs = 0;  // not atomic: the executor is what protects it
    std::vector<std::thread> posters;
    for (int i = 0; i < 4; ++i) {
        posters.emplace_back([&] {
            for (int post = 0; post < 1000; ++post) {
                executor->post([&] {
                    EXPECT_EQ(inside.fetch_add(1), 0);
                    ++runs;
                    inside.fetch_sub(1);
                });
            }
        });
    }
    for (std::thread& poster : posters) poster.join();
    drain(*executor);
    EXPECT_EQ(runs, 4000);
}

TEST_F(PosixEnvTest, APostNeverRunsInPlace) {
    const auto executor = env_->make_executor("later");
    std::vector<int> order;
    executor->post([&] {
        executor->post([&] { order.push_back(2); });
        order.push_back(1);
    });
    drain(*executor);
    drain(*executor);
    EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

TEST_F(PosixEnvTest, SeveralClosuresAtOnceRunInTheirOrderBehindWhatIsQueued) {
    for (const auto& executor :
         {env_->make_executor("loop"), env_->make_blocking_executor("own")}) {
        std::vector<int> order;
        executor->post([&] { order.push_back(0); });
        std::vector<Closure> closures;
        for (int i = 1; i <= 3; ++i) closures.push_back([&order, i] { order.push_back(i); });
        executor->post_all(std::move(closures));
        drain(*executor);
        EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3}));
    }
}

TEST_F(PosixEnvTest, SeveralClosuresWakeALoopThatSleeps) {
    const auto executor = env_->make_executor("asleep");
    drain(*executor);
    std::this_thread::sleep_for(20ms);
    std::promise<void> ran;
    std::vector<Closure> closures;
    closures.push_back([&] { ran.set_value(); });
    executor->post_all(std::move(closures));
    ran.get_future().wait();
}

TEST_F(PosixEnvTest, ATimerNeverFiresEarly) {
    const auto executor = env_->make_executor("timer");
    for (const Duration delay : {Duration(0), Duration(1ms), Duration(20ms)}) {
        std::promise<Timestamp> fired;
        const Timestamp due = env_->now() + delay;
        executor->run_at(due, [&] { fired.set_value(env_->now()); });
        EXPECT_GE(fired.get_future().get(), due);
    }
}

TEST_F(PosixEnvTest, AnEarlierTimerOvertakesALaterOne) {
    const auto executor = env_->make_executor("timers");
    std::promise<void> done;
    std::vector<int> order;
    const Timestamp start = env_->now();
    executor->run_at(start + 30ms, [&] {
        order.push_back(2);
        done.set_value();
    });
    executor->run_at(start + 10ms, [&] { order.push_back(1); });
    executor->run_at(kNever, [&] { order.push_back(3); });
    done.get_future().wait();
    EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

TEST_F(PosixEnvTest, APastTimerRunsBehindWhatIsQueued) {
    const auto executor = env_->make_executor("past");
    std::vector<int> order;
    std::promise<void> done;
    executor->post([&] {
        executor->post([&] { order.push_back(1); });
        executor->run_at(kUnset, [&] {
            order.push_back(2);
            done.set_value();
        });
    });
    done.get_future().wait();
    EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

TEST_F(PosixEnvTest, ACancelledTimerDoesNotRunAndReleasesItsClosure) {
    const auto executor = env_->make_executor("cancel");
    const auto held = std::make_shared<int>(0);
    bool ran = false;
    executor->post([&] {
        const TimerId due = executor->run_at(kUnset, [&ran, held] { ran = true; });
        executor->cancel(due);
        executor->cancel(due);
    });
    drain(*executor);
    drain(*executor);
    EXPECT_FALSE(ran);
    EXPECT_EQ(held.use_count(), 1);
}

TEST_F(PosixEnvTest, AnExecutorKnowsItsOwnClosures) {
    const auto executor = env_->make_executor("self");
    const auto other = env_->make_executor("other");
    EXPECT_FALSE(executor->is_current());
    executor->post([&] {
        EXPECT_TRUE(executor->is_current());
        EXPECT_FALSE(other->is_current());
    });
    drain(*executor);
}

TEST_F(PosixEnvTest, DestructionWaitsForTheRunningClosureAndDropsTheRest) {
    const auto held = std::make_shared<int>(0);
    std::promise<void> started;
    std::atomic<bool> finished = false;
    bool rest_ran = false;
    {
        const auto executor = env_->make_executor("end");
        executor->post([&] {
            started.set_value();
            std::this_thread::sleep_for(20ms);
            finished = true;
        });
        executor->post([&rest_ran, held] { rest_ran = true; });
        executor->run_at(kNever, [&rest_ran, held] { rest_ran = true; });
        started.get_future().wait();
    }
    EXPECT_TRUE(finished);
    EXPECT_FALSE(rest_ran);
    EXPECT_EQ(held.use_count(), 1);
}

TEST_F(PosixEnvTest, AStoppedExecutorDropsWhatIsPosted) {
    const auto executor = env_->make_executor("stopped");
    const auto held = std::make_shared<int>(0);
    drain(*executor);
    executor->stop();
    executor->stop();
    executor->post([held] { FAIL(); });
    std::vector<Closure> closures;
    closures.push_back([held] { FAIL(); });
    executor->post_all(std::move(closures));
    executor->cancel(executor->run_at(kUnset, [held] { FAIL(); }));
    EXPECT_EQ(held.use_count(), 1);
}

TEST_F(PosixEnvTest, ADroppedClosureMayPostWhileItIsDestroyed) {
    auto executor = env_->make_executor("goodbye");
    struct Poster {
        Executor* executor;
        ~Poster() {
            executor->post([] { FAIL() << "ran on a destroyed executor"; });
            executor->cancel(executor->run_at(kUnset, [] {}));
        }
    };
    executor->run_at(kNever, [poster = std::make_unique<Poster>(executor.get())] {});
    executor.reset();
}

TEST_F(PosixEnvTest, RandomNumbersDoNotRepeatAcrossThreads) {
    std::set<std::uint64_t> numbers;
    for (int i = 0; i < 3; ++i) {
        std::thread([&] {
            for (int draw = 0; draw < 100; ++draw) numbers.insert(env_->random().next());
        }).join();
    }
    EXPECT_EQ(numbers.size(), 300u);
    EXPECT_EQ(env_->random().secret_bytes(33).size(), 33u);
    EXPECT_NE(env_->random().secret_bytes(16), env_->random().secret_bytes(16));
}

TEST_F(PosixEnvTest, NowIsTheWallClock) {
    const auto wall = std::chrono::system_clock::now().time_since_epoch();
    const Duration difference = env_->now().time_since_epoch() - wall;
    EXPECT_LT(std::chrono::abs(difference), 1s);
}

}  // namespace
}  // namespace stele::env
