#include "env/sim/sim_env.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace stele::env {
namespace {

using namespace std::chrono_literals;

SimOptions with_seed(std::uint64_t seed) {
    SimOptions options;
    options.seed = seed;
    return options;
}

/// Three executors that post to each other at random for a while.
class Chatter {
public:
    explicit Chatter(std::uint64_t seed) : sim_(with_seed(seed)) {
        for (int i = 0; i < 3; ++i) executors_.push_back(sim_.make_executor("chat"));
        executors_.push_back(sim_.make_blocking_executor("disk"));
    }

    std::uint64_t run() {
        for (std::size_t i = 0; i < executors_.size(); ++i) speak(i, 6);
        while (sim_.run_one()) continue;
        return sim_.trace_hash();
    }

    const std::vector<std::size_t>& order() const { return order_; }

private:
    void speak(std::size_t to, int more) {
        auto heard = [this, to, more] {
            order_.push_back(to);
            if (more == 0) return;
            speak(sim_.random().next() % executors_.size(), more - 1);
            speak(sim_.random().next() % executors_.size(), more - 1);
        };
        if (sim_.random().next() % 3 == 0) {
            executors_[to]->run_at(sim_.now() + 1ms, std::move(heard));
        } else {
            executors_[to]->post(std::move(heard));
        }
    }

    SimEnv sim_;
    std::vector<std::unique_ptr<Executor>> executors_;
    std::vector<std::size_t> order_;
};

TEST(SimEnv, OneSeedGivesOneTrace) {
    Chatter first(5);
    const std::uint64_t hash = first.run();
    EXPECT_GT(first.order().size(), 100u);
    for (int i = 0; i < 20; ++i) {
        Chatter again(5);
        EXPECT_EQ(again.run(), hash);
        EXPECT_EQ(again.order(), first.order());
    }
}

TEST(SimEnv, AnotherSeedGivesAnotherOrder) {
    std::set<std::uint64_t> hashes;
    std::set<std::vector<std::size_t>> orders;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        Chatter chatter(seed);
        hashes.insert(chatter.run());
        orders.insert(chatter.order());
    }
    EXPECT_EQ(hashes.size(), 20u);
    EXPECT_EQ(orders.size(), 20u);
}

TEST(SimEnv, EachExecutorKeepsItsOrderWhileTheyInterleave) {
    std::set<std::vector<int>> interleavings;
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        SimEnv sim(with_seed(seed));
        const auto left = sim.make_executor("left");
        const auto right = sim.make_executor("right");
        std::vector<int> seen;
        for (int i = 0; i < 3; ++i) {
            left->post([&seen, i] { seen.push_back(i); });
            right->post([&seen, i] { seen.push_back(10 + i); });
        }
        while (sim.run_one()) continue;
        interleavings.insert(seen);
        std::stable_sort(seen.begin(), seen.end(), [](int a, int b) { return a / 10 < b / 10; });
        EXPECT_EQ(seen, (std::vector<int>{0, 1, 2, 10, 11, 12}));
    }
    EXPECT_GT(interleavings.size(), 10u);  // of 20 possible ones
}

TEST(SimEnv, TimeGoesToTheNextTimerAndNoFurther) {
    SimEnv sim(with_seed(1));
    const auto executor = sim.make_executor("timers");
    const Timestamp start = sim.now();
    std::vector<Duration> fired;
    for (const Duration delay : {Duration(48h), Duration(1s), Duration(0)}) {
        executor->run_at(start + delay, [&, start] { fired.push_back(sim.now() - start); });
    }
    executor->run_at(kNever, [] { FAIL(); });
    while (sim.run_one()) continue;
    EXPECT_EQ(fired, (std::vector<Duration>{0s, 1s, 48h}));
}

TEST(SimEnv, RunForIncludesWhatIsDueAtItsEnd) {
    SimEnv sim(with_seed(1));
    const auto executor = sim.make_executor("timers");
    int fired = 0;
    const Timestamp start = sim.now();
    executor->run_at(start + 10ms, [&] { ++fired; });
    executor->run_at(start + 11ms, [&] { ++fired; });
    sim.run_for(10ms);
    EXPECT_EQ(fired, 1);
    EXPECT_EQ(sim.now(), start + 10ms + sim.options().step);
    sim.run_until(start + 1h);
    EXPECT_EQ(fired, 2);
    EXPECT_EQ(sim.now(), start + 1h);
}

TEST(SimEnv, RunUntilAConditionStopsAtOnce) {
    SimEnv sim(with_seed(1));
    const auto executor = sim.make_executor("work");
    int count = 0;
    for (int i = 0; i < 10; ++i) executor->post([&] { ++count; });
    EXPECT_TRUE(sim.run_until([&] { return count == 4; }, 1s));
    EXPECT_EQ(count, 4);
    EXPECT_FALSE(sim.run_until([&] { return count == 99; }, 1s));
    EXPECT_EQ(count, 10);
}

TEST(SimEnv, APastTimerRunsBehindWhatIsQueued) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        SimEnv sim(with_seed(seed));
        const auto executor = sim.make_executor("past");
        std::vector<int> order;
        executor->post([&] { order.push_back(1); });
        executor->run_at(kUnset, [&] { order.push_back(2); });
        while (sim.run_one()) continue;
        EXPECT_EQ(order, (std::vector<int>{1, 2}));
    }
}

TEST(SimEnv, ACancelledTimerReleasesItsClosure) {
    SimEnv sim(with_seed(1));
    const auto executor = sim.make_executor("cancel");
    const auto held = std::make_shared<int>();
    const TimerId timer = executor->run_at(sim.now(), [held] { FAIL(); });
    executor->cancel(timer);
    executor->cancel(timer);
    EXPECT_EQ(held.use_count(), 1);
    EXPECT_FALSE(sim.run_one());
}

TEST(SimEnv, ABlockingClosureTakesTime) {
    SimEnv sim(with_seed(1));
    const auto disk = sim.make_blocking_executor("disk");
    std::vector<Duration> moments;
    for (int i = 0; i < 100; ++i) disk->post([&] { moments.push_back(sim.elapsed()); });
    while (sim.run_one()) continue;
    Duration last{};
    for (const Duration moment : moments) {
        EXPECT_GE(moment - last, sim.options().blocking_min);
        last = moment;
    }
}

TEST(SimEnv, AnExecutorKnowsItsOwnClosures) {
    SimEnv sim(with_seed(1));
    const auto left = sim.make_executor("left");
    const auto right = sim.make_executor("right");
    left->post([&] {
        EXPECT_TRUE(left->is_current());
        EXPECT_FALSE(right->is_current());
    });
    EXPECT_TRUE(sim.run_one());
    EXPECT_FALSE(left->is_current());
}

TEST(SimEnv, AStoppedExecutorDropsWhatItHasAndWhatIsPosted) {
    SimEnv sim(with_seed(1));
    const auto executor = sim.make_executor("stopped");
    const auto held = std::make_shared<int>();
    executor->post([held] { FAIL(); });
    executor->run_at(sim.now(), [held] { FAIL(); });
    executor->stop();
    executor->post([held] { FAIL(); });
    EXPECT_EQ(held.use_count(), 1);
    EXPECT_FALSE(sim.run_one());
}

TEST(SimProcess, AKilledProcessRunsNothingMore) {
    SimEnv sim(with_seed(1));
    auto process = sim.make_process("server");
    auto executor = process->make_executor("shard");
    const auto held = std::make_shared<int>();
    executor->post([held] { FAIL(); });
    executor->run_at(sim.now(), [held] { FAIL(); });
    process->kill();
    EXPECT_EQ(held.use_count(), 1);
    executor->post([held] { FAIL(); });
    executor->run_at(sim.now(), [held] { FAIL(); });
    EXPECT_EQ(held.use_count(), 1);
    EXPECT_FALSE(sim.run_one());
    EXPECT_FALSE(process->alive());
    executor.reset();
    process.reset();
}

TEST(SimProcess, KillingSparesTheOthers) {
    SimEnv sim(with_seed(1));
    const auto doomed = sim.make_process("doomed");
    const auto other = sim.make_process("other");
    const auto doomed_executor = doomed->make_executor("a");
    const auto other_executor = other->make_executor("b");
    int ran = 0;
    doomed_executor->post([] { FAIL(); });
    other_executor->post([&] { ++ran; });
    doomed->kill();
    while (sim.run_one()) continue;
    EXPECT_EQ(ran, 1);
}

TEST(SimProcess, ADroppedClosureMayOwnAnExecutor) {
    SimEnv sim(with_seed(1));
    const auto process = sim.make_process("server");
    const auto outer = process->make_executor("outer");
    outer->post([inner = process->make_executor("inner")] { FAIL(); });
    process->kill();
    EXPECT_FALSE(sim.run_one());
}

TEST(SimProcess, TimersFollowItsClock) {
    SimEnv sim(with_seed(1));
    const auto process = sim.make_process("server");
    const auto executor = process->make_executor("timers");
    const Timestamp start = process->now();
    int fired = 0;
    executor->run_at(start + 1h, [&] {
        ++fired;
        EXPECT_GE(process->now(), start + 1h);
    });
    process->jump_clock(-1h);
    sim.run_for(90min);
    EXPECT_EQ(fired, 0);
    process->jump_clock(30min);
    EXPECT_TRUE(sim.run_one());
    EXPECT_EQ(fired, 1);
    EXPECT_EQ(sim.now() - start, 90min + sim.options().step);
}

TEST(SimProcess, ProcessesDrawDifferentNumbersAndTheSameOnesAgain) {
    const auto draw = [] {
        SimEnv sim(with_seed(9));
        const auto a = sim.make_process("a");
        const auto b = sim.make_process("b");
        return std::vector{a->random().next(), b->random().next(), sim.random().next()};
    };
    EXPECT_EQ(draw(), draw());
    const auto numbers = draw();
    EXPECT_EQ(std::set(numbers.begin(), numbers.end()).size(), 3u);
}

TEST(SimEnv, TracedTextChangesTheHash) {
    SimEnv a(with_seed(1));
    SimEnv b(with_seed(1));
    a.trace("x");
    b.trace("y");
    EXPECT_NE(a.trace_hash(), b.trace_hash());
}

}  // namespace
}  // namespace stele::env
