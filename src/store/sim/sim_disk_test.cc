#include "store/sim/sim_disk.h"

#include "store/dump.h"

#include <gtest/gtest.h>

#include <set>

namespace stele::store {
namespace {

WriteBatch row(int number) {
    WriteBatch batch;
    batch.put("a" + std::to_string(number), "v");
    batch.put("b" + std::to_string(number), "v");
    return batch;
}

bool holds(Store& store, int number) {
    const bool first = store.get("a" + std::to_string(number)).value().has_value();
    EXPECT_EQ(first, store.get("b" + std::to_string(number)).value().has_value())
        << "half of batch " << number;
    return first;
}

TEST(SimDisk, CrashKeepsAPrefixOfWholeBatchesAndAllThatWasSynced) {
    std::set<int> kept_counts;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        env::SimRandom random(seed);
        SimDisk disk;
        auto process = disk.open();
        for (int i = 0; i < 8; ++i) {
            ASSERT_TRUE(process->write(row(i), i == 3 ? Sync::kYes : Sync::kNo).ok());
        }
        EXPECT_EQ(disk.unsynced(), 4u);
        const std::size_t lost = disk.lose_power(random);
        const int kept = 8 - static_cast<int>(lost);
        EXPECT_GE(kept, 4);
        kept_counts.insert(kept);
        const auto next = disk.open();
        for (int i = 0; i < 8; ++i) EXPECT_EQ(holds(*next, i), i < kept) << i;
    }
    EXPECT_EQ(kept_counts, (std::set<int>{4, 5, 6, 7, 8}));
}

TEST(SimDisk, AKilledProcessLosesNothingThatItWrote) {
    SimDisk disk;
    const auto process = disk.open();
    ASSERT_TRUE(process->write(row(1), Sync::kNo).ok());
    disk.kill_process();
    const auto next = disk.open();
    EXPECT_TRUE(holds(*next, 1));
    EXPECT_EQ(disk.unsynced(), 1u);  // the power may still go
}

TEST(SimDisk, ADeadProcessChangesNothing) {
    SimDisk disk;
    const auto dead = disk.open();
    ASSERT_TRUE(dead->write(row(1), Sync::kYes).ok());
    disk.kill_process();
    const auto next = disk.open();
    const std::string before = dump(*next).value();
    EXPECT_TRUE(dead->write(row(2), Sync::kYes).ok());
    EXPECT_EQ(dead->get("a1").value(), std::nullopt);
    EXPECT_FALSE(dead->scan("", "\xff")->valid());
    EXPECT_EQ(dump(*next).value(), before);
}

TEST(SimDisk, AFailedWriteIsLostOrWrittenAsAsked) {
    for (const SimDisk::Fate fate : {SimDisk::Fate::kLost, SimDisk::Fate::kWritten}) {
        SimDisk disk;
        const auto process = disk.open();
        disk.fail_write(2, fate, unavailable("the disk is gone"));
        EXPECT_TRUE(process->write(row(1), Sync::kYes).ok());
        EXPECT_EQ(message_of(process->write(row(2), Sync::kYes)), "the disk is gone");
        EXPECT_FALSE(process->write(row(3), Sync::kYes).ok());
        EXPECT_EQ(holds(*process, 2), fate == SimDisk::Fate::kWritten);
        disk.heal();
        EXPECT_TRUE(process->write(row(4), Sync::kYes).ok());
    }
}

}  // namespace
}  // namespace stele::store
