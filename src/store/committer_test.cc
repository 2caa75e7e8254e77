#include "store/committer.h"

#include "env/posix/posix_env.h"
#include "env/sim/sim_env.h"
#include "store/dump.h"
#include "store/forwarding_store.h"
#include "store/memory/memory_store.h"
#include "store/sim/sim_disk.h"

#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <utility>

namespace stele::store {
namespace {

using namespace std::chrono_literals;

WriteBatch row(std::int64_t number, std::size_t bytes = 8) {
    WriteBatch batch;
    batch.put("row" + std::to_string(number), std::string(bytes, 'v'));
    return batch;
}

/// Counts what reaches a store.
class CountingStore final : public ForwardingStore {
public:
    using ForwardingStore::ForwardingStore;

    absl::Status write(const WriteBatch& batch, Sync sync) override {
        ++(sync == Sync::kYes ? synced : unsynced);
        largest = std::max(largest, batch.bytes());
        if (const auto hook = std::exchange(during_next_write, nullptr)) hook();
        return ForwardingStore::write(batch, sync);
    }

    int synced = 0;
    int unsynced = 0;
    std::size_t largest = 0;
    std::function<void()> during_next_write;
};

env::SimOptions steady(std::uint64_t seed) {
    env::SimOptions options;
    options.seed = seed;
    options.blocking_min = options.blocking_max = 100us;
    options.slow_one_in = 0;
    return options;
}

class CommitterTest : public testing::Test {
protected:
    explicit CommitterTest(std::uint64_t seed = 1) : sim_(steady(seed)) {}

    /// Four batches are a load, unless the options say otherwise.
    void make(const CommitterOptions& options = {.load_batches = 4}) {
        committer_ = make_committer(
            *process_, counting_, [this](const absl::Status& status) { failure_ = status; },
            options);
    }

    void on_durable(Position position) {
        committer_->when_durable(position, *shard_,
                                 [this, position] { durable_.push_back(position.value()); });
    }
    void on_readable(Position position) {
        committer_->when_readable(position, *shard_,
                                  [this, position] { readable_.push_back(position.value()); });
    }

    /// Submits rows from the first on, and lets them be written at once.
    void write_together(std::int64_t count, Duration takes) {
        counting_.during_next_write = [this, takes] { process_->jump_clock(takes); };
        for (std::int64_t i = 1; i <= count; ++i) {
            on_durable(committer_->submit(row(i), Urgency::kSynced));
        }
        sim_.run_until([&] { return committer_->durable() == Position(count); }, 1s);
    }

    bool stored(std::int64_t number) {
        return disk_.content().get("row" + std::to_string(number)).value().has_value();
    }

    env::SimEnv sim_;
    SimDisk disk_;
    std::unique_ptr<env::SimProcess> process_ = sim_.make_process("server");
    std::unique_ptr<env::Executor> shard_ = process_->make_executor("shard");
    std::unique_ptr<Store> store_ = disk_.open();
    CountingStore counting_{*store_};
    absl::Status failure_;
    std::unique_ptr<Committer> committer_;
    std::vector<std::int64_t> durable_;
    std::vector<std::int64_t> readable_;
};

TEST_F(CommitterTest, PositionsCountBatches) {
    make();
    EXPECT_EQ(committer_->submit(row(1), Urgency::kSynced), Position(1));
    EXPECT_EQ(committer_->submit(row(2), Urgency::kLazy), Position(2));
    EXPECT_EQ(committer_->submit(row(3), Urgency::kSynced), Position(3));
    EXPECT_EQ(committer_->durable(), Position(0));
    EXPECT_EQ(committer_->readable(), Position(0));
}

TEST_F(CommitterTest, NothingIsAnsweredBeforeItIsDurable) {
    make();
    on_durable(committer_->submit(row(1), Urgency::kSynced));
    EXPECT_FALSE(stored(1));
    EXPECT_TRUE(sim_.run_until([&] { return !durable_.empty(); }, 1s));
    EXPECT_EQ(disk_.unsynced(), 0u);
    EXPECT_TRUE(stored(1));
    EXPECT_EQ(committer_->durable(), Position(1));
}

TEST_F(CommitterTest, BatchesThatWaitBecomeOneWrite) {
    make();
    on_durable(committer_->submit(row(1), Urgency::kSynced));
    sim_.run_one();  // the first write takes what is there: one batch
    for (int i = 2; i <= 50; ++i) on_durable(committer_->submit(row(i), Urgency::kSynced));
    sim_.run_for(1s);
    EXPECT_EQ(counting_.synced, 2);
    EXPECT_EQ(durable_.size(), 50u);
    EXPECT_EQ(committer_->pending_bytes(), 0u);
}

TEST_F(CommitterTest, UnderLoadTheNextWriteRestsAsLongAsTheLastOneTook) {
    make();
    write_together(4, /*takes=*/1ms);
    EXPECT_EQ(counting_.synced, 1);
    on_durable(committer_->submit(row(5), Urgency::kSynced));
    sim_.run_for(900us);
    EXPECT_EQ(counting_.synced, 1);
    on_durable(committer_->submit(row(6), Urgency::kSynced));
    sim_.run_for(1ms);
    EXPECT_EQ(counting_.synced, 2);
    EXPECT_EQ(durable_.size(), 6u);
}

TEST_F(CommitterTest, NoRestIsLongerThanItsLimit) {
    make({.rest_max = 3ms, .load_batches = 4});
    write_together(4, /*takes=*/1h);
    on_durable(committer_->submit(row(5), Urgency::kSynced));
    sim_.run_for(4ms);
    EXPECT_EQ(durable_.size(), 5u);
}

TEST_F(CommitterTest, FewBatchesDoNotMakeTheNextOneWait) {
    make();
    write_together(3, /*takes=*/2ms);
    on_durable(committer_->submit(row(4), Urgency::kSynced));
    sim_.run_for(500us);
    EXPECT_EQ(durable_.size(), 4u);
}

TEST_F(CommitterTest, ARestEndsWhenTheClockIsSetBack) {
    make();
    write_together(4, /*takes=*/2ms);
    process_->jump_clock(-1h);
    on_durable(committer_->submit(row(5), Urgency::kSynced));
    sim_.run_for(500us);
    EXPECT_EQ(durable_.size(), 5u);
}

TEST_F(CommitterTest, RepliesLeaveInOrderOfPosition) {
    make();
    for (int i = 1; i <= 20; ++i) committer_->submit(row(i), Urgency::kSynced);
    for (const std::int64_t position : {7, 3, 20, 3, 1, 12}) on_durable(Position(position));
    for (const std::int64_t position : {9, 2}) on_readable(Position(position));
    sim_.run_for(1s);
    EXPECT_EQ(durable_, (std::vector<std::int64_t>{1, 3, 3, 7, 12, 20}));
    EXPECT_EQ(readable_, (std::vector<std::int64_t>{2, 9}));
}

TEST_F(CommitterTest, RepliesToOnePositionLeaveInTheOrderOfTheirWaiting) {
    make();
    const Position position = committer_->submit(row(1), Urgency::kSynced);
    std::vector<int> order;
    for (int i = 0; i < 5; ++i) {
        committer_->when_durable(position, *shard_, [&order, i] { order.push_back(i); });
    }
    sim_.run_for(1s);
    EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST_F(CommitterTest, APositionThatIsReachedAnswersAtOnce) {
    make();
    const Position position = committer_->submit(row(1), Urgency::kSynced);
    sim_.run_for(1s);
    on_durable(position);
    on_durable(Position(0));
    on_readable(position);
    EXPECT_TRUE(durable_.empty()) << "ran in place";
    sim_.run_for(1ms);
    EXPECT_EQ(durable_, (std::vector<std::int64_t>{1, 0}));
    EXPECT_EQ(readable_, (std::vector<std::int64_t>{1}));
    EXPECT_EQ(counting_.synced, 1);
}

TEST_F(CommitterTest, LazyBatchRidesOnNextSyncedWrite) {
    make();
    committer_->submit(row(1), Urgency::kLazy);
    committer_->submit(row(2), Urgency::kSynced);
    sim_.run_for(1s);
    EXPECT_EQ(counting_.synced, 1);
    EXPECT_EQ(counting_.unsynced, 0);
    EXPECT_EQ(committer_->durable(), Position(2));
}

TEST_F(CommitterTest, LazyBatchAloneIsWrittenSoonAndNotSynced) {
    make();
    const Position position = committer_->submit(row(1), Urgency::kLazy);
    on_readable(position);
    sim_.run_for(10ms);
    EXPECT_FALSE(stored(1));
    sim_.run_for(20ms);
    EXPECT_TRUE(stored(1));
    EXPECT_EQ(counting_.unsynced, 1);
    EXPECT_EQ(counting_.synced, 0);
    EXPECT_EQ(readable_, (std::vector<std::int64_t>{1}));
    EXPECT_EQ(committer_->durable(), Position(0));
}

TEST_F(CommitterTest, LazyBatchesThatComeTogetherAreOneWrite) {
    make();
    for (int i = 1; i <= 30; ++i) committer_->submit(row(i), Urgency::kLazy);
    sim_.run_for(1s);
    EXPECT_EQ(counting_.unsynced, 1);
    committer_->submit(row(31), Urgency::kLazy);
    sim_.run_for(1s);
    EXPECT_EQ(counting_.unsynced, 2);
    EXPECT_TRUE(stored(31));
}

TEST_F(CommitterTest, LazyBatchSubmittedDuringAWriteIsWrittenToo) {
    make();
    counting_.during_next_write = [this] { committer_->submit(row(2), Urgency::kLazy); };
    committer_->submit(row(1), Urgency::kSynced);
    sim_.run_for(1s);
    EXPECT_TRUE(stored(2));
    EXPECT_EQ(counting_.unsynced, 1);
}

TEST_F(CommitterTest, SyncedBatchSubmittedDuringAWriteIsTheNextWrite) {
    make();
    counting_.during_next_write = [this] {
        on_durable(committer_->submit(row(2), Urgency::kSynced));
        on_durable(Position(1));
        EXPECT_EQ(committer_->readable(), Position(0));
    };
    committer_->submit(row(1), Urgency::kSynced);
    sim_.run_for(1s);
    EXPECT_EQ(counting_.synced, 2);
    EXPECT_EQ(durable_, (std::vector<std::int64_t>{1, 2}));
}

TEST_F(CommitterTest, LazyBatchesThatDoNotFitAreWrittenLater) {
    CommitterOptions options;
    options.write_bytes_max = 1000;
    make(options);
    committer_->submit(row(1, 400), Urgency::kSynced);
    committer_->submit(row(2, 900), Urgency::kLazy);
    sim_.run_for(1s);
    EXPECT_TRUE(stored(2));
    EXPECT_EQ(counting_.synced, 1);
    EXPECT_EQ(counting_.unsynced, 1);
}

TEST_F(CommitterTest, WaitingForALazyBatchSyncsIt) {
    make();
    on_durable(committer_->submit(row(1), Urgency::kLazy));
    sim_.run_for(1ms);
    EXPECT_EQ(durable_, (std::vector<std::int64_t>{1}));
    EXPECT_EQ(counting_.synced, 1);
}

TEST_F(CommitterTest, WaitingForALazyBatchThatWasWrittenSyncsItWithoutANewOne) {
    make();
    const Position position = committer_->submit(row(1), Urgency::kLazy);
    sim_.run_for(1s);
    EXPECT_EQ(disk_.unsynced(), 1u);
    on_durable(position);
    sim_.run_for(1s);
    EXPECT_EQ(disk_.unsynced(), 0u);
    EXPECT_EQ(durable_, (std::vector<std::int64_t>{1}));
}

TEST_F(CommitterTest, WaitingToReadDoesNotSync) {
    make();
    on_readable(committer_->submit(row(1), Urgency::kLazy));
    sim_.run_for(1s);
    EXPECT_EQ(counting_.synced, 0);
    EXPECT_EQ(readable_, (std::vector<std::int64_t>{1}));
}

TEST_F(CommitterTest, AMergedWriteIsBoundedButOneBatchIsNeverDivided) {
    CommitterOptions options;
    options.write_bytes_max = 1000;
    make(options);
    for (int i = 1; i <= 10; ++i) committer_->submit(row(i, 400), Urgency::kSynced);
    on_durable(committer_->submit(row(11, 5000), Urgency::kSynced));
    EXPECT_GT(committer_->pending_bytes(), 9000u);
    sim_.run_for(1s);
    EXPECT_EQ(counting_.synced, 6);
    EXPECT_EQ(counting_.largest, row(11, 5000).bytes());
    EXPECT_EQ(durable_, (std::vector<std::int64_t>{11}));
    EXPECT_EQ(committer_->pending_bytes(), 0u);
}

TEST_F(CommitterTest, AFailedWriteIsReportedOnceAndAnswersNobody) {
    make();
    disk_.fail_write(1, SimDisk::Fate::kWritten, unavailable("input/output error"));
    on_durable(committer_->submit(row(1), Urgency::kSynced));
    on_readable(Position(1));
    sim_.run_for(1s);
    EXPECT_EQ(message_of(failure_), "input/output error");
    failure_ = absl::OkStatus();
    committer_->submit(row(2), Urgency::kSynced);
    committer_->submit(row(3), Urgency::kLazy);
    sim_.run_for(1s);
    committer_.reset();
    sim_.run_for(1s);
    EXPECT_TRUE(failure_.ok());
    EXPECT_EQ(disk_.writes(), 1u);
    EXPECT_TRUE(durable_.empty());
    EXPECT_TRUE(readable_.empty());
}

TEST_F(CommitterTest, DestructionCommitsWhatIsLeft) {
    make();
    const auto held = std::make_shared<int>();
    committer_->submit(row(1), Urgency::kSynced);
    committer_->submit(row(2), Urgency::kLazy);
    committer_->when_durable(Position(2), *shard_, [held] { FAIL(); });
    shard_.reset();  // a closure that still waits must not be posted to it
    committer_.reset();
    EXPECT_TRUE(stored(1));
    EXPECT_TRUE(stored(2));
    EXPECT_EQ(disk_.unsynced(), 0u);
    EXPECT_EQ(held.use_count(), 1);
}

TEST_F(CommitterTest, DestructionSyncsWhatWasWrittenLazily) {
    make();
    committer_->submit(row(1), Urgency::kLazy);
    sim_.run_for(1s);
    EXPECT_EQ(disk_.unsynced(), 1u);
    committer_.reset();
    EXPECT_EQ(disk_.unsynced(), 0u);
}

TEST_F(CommitterTest, AForgottenExecutorGetsNothingAnyMore) {
    make();
    auto doomed = process_->make_executor("doomed");
    const auto held = std::make_shared<int>();
    const Position position = committer_->submit(row(1), Urgency::kSynced);
    committer_->when_durable(position, *doomed, [held] { FAIL(); });
    committer_->when_readable(position, *doomed, [held] { FAIL(); });
    on_durable(position);
    committer_->forget(*doomed);
    EXPECT_EQ(held.use_count(), 1);
    doomed.reset();
    sim_.run_for(1s);
    EXPECT_EQ(durable_, (std::vector<std::int64_t>{1}));
}

/// A client that submits at random, and remembers what it was promised.
class PowerLossTest : public CommitterTest, public testing::WithParamInterface<std::uint64_t> {
protected:
    PowerLossTest() : CommitterTest(GetParam()) {}
};

TEST_P(PowerLossTest, WhatWasAnsweredSurvivesAndTheRestIsAPrefix) {
    make();
    env::SimRandom& random = sim_.fault_random();
    const std::uint64_t end = 1 + random.below(400);
    std::int64_t submitted = 0;
    for (std::uint64_t step = 0; step < end; ++step) {
        if (random.one_in(3)) {
            const Urgency urgency = random.one_in(2) ? Urgency::kSynced : Urgency::kLazy;
            on_durable(committer_->submit(row(++submitted), urgency));
        }
        if (!sim_.run_one()) sim_.run_for(Duration(random.below(3'000'000)));
    }
    const std::int64_t promised = durable_.empty() ? 0 : durable_.back();
    process_->kill();
    committer_.reset();
    disk_.lose_power(random);

    std::int64_t survived = 0;
    while (stored(survived + 1)) ++survived;
    EXPECT_GE(survived, promised);
    for (std::int64_t i = survived + 1; i <= submitted; ++i) EXPECT_FALSE(stored(i)) << i;
}

INSTANTIATE_TEST_SUITE_P(Seeds, PowerLossTest, testing::Range<std::uint64_t>(0, 300));

TEST(CommitterOnThreads, ManySubmittersAllGetTheirAnswersInOrder) {
    const auto env = env::make_posix_env();
    const auto store = make_memory_store();
    constexpr int kShards = 4;
    constexpr std::int64_t kBatches = 2000;
    std::vector<std::unique_ptr<env::Executor>> shards;
    std::vector<std::promise<void>> done(kShards);
    const auto committer = make_committer(*env, *store, [](const absl::Status&) { FAIL(); });
    std::vector<std::vector<Position>> answered(kShards);
    for (int shard = 0; shard < kShards; ++shard) {
        shards.push_back(env->make_executor("shard"));
        env::Executor& executor = *shards.back();
        auto& answers = answered[static_cast<std::size_t>(shard)];
        auto& finished = done[static_cast<std::size_t>(shard)];
        executor.post([&, shard] {
            for (std::int64_t i = 0; i < kBatches; ++i) {
                const Position position = committer->submit(
                    row(shard * kBatches + i), i % 3 == 0 ? Urgency::kLazy : Urgency::kSynced);
                committer->when_durable(position, executor, [&, position] {
                    EXPECT_GE(committer->durable(), position);
                    answers.push_back(position);
                    if (answers.size() == kBatches) finished.set_value();
                });
            }
        });
    }
    for (auto& finished : done) finished.get_future().wait();
    std::size_t rows = 0;
    for (const auto all = store->scan("row", "rox"); all->valid(); all->next()) ++rows;
    EXPECT_EQ(rows, kShards * static_cast<std::size_t>(kBatches));
    for (const auto& answers : answered)
        EXPECT_TRUE(std::is_sorted(answers.begin(), answers.end()));
    EXPECT_EQ(committer->pending_bytes(), 0u);
}

}  // namespace
}  // namespace stele::store
