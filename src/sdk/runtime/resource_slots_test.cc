#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "sdk/runtime/single_thread_testing.h"
#include "stele/errors.h"
#include "stele/tuner.h"

namespace stele {
namespace {

using namespace std::chrono_literals;

class ResourceSlotsTest : public ::testing::Test {
protected:
    Tuner make(ResourceTunerOptions options = {}) {
        options.reader = [this] { return use_; };
        return make_resource_tuner({.memory = 0.8, .cpu = 0.9}, options);
    }
    /// The suppliers look at the machine ten times a second at most.
    Runtime::Time later() { return now_ += 200ms; }

    ResourceUse use_;
    Runtime::Time now_{std::chrono::hours(1)};
};

TEST_F(ResourceSlotsTest, IdleMachineGivesSlotsUpToTheMaximum) {
    const Tuner tuner = make({.activities = {.slots_min = 1, .slots_max = 3}});
    EXPECT_TRUE(tuner.activities->allows(2, later()));
    EXPECT_FALSE(tuner.activities->allows(3, later()));
}

TEST_F(ResourceSlotsTest, MemoryNearItsTargetLeavesTheMinimum) {
    const Tuner tuner = make({.activities = {.slots_min = 2, .slots_max = 100}});
    use_.memory = 0.79;
    EXPECT_TRUE(tuner.activities->allows(1, later()));
    EXPECT_FALSE(tuner.activities->allows(2, later()));
    use_.memory = 0.5;
    EXPECT_TRUE(tuner.activities->allows(2, later()));
}

TEST_F(ResourceSlotsTest, BusyProcessorLeavesTheMinimum) {
    const Tuner tuner = make({.activities = {.slots_min = 2, .slots_max = 100}});
    use_.cpu = 0.95;
    EXPECT_FALSE(tuner.activities->allows(2, later()));
    use_.cpu = 0.5;
    EXPECT_TRUE(tuner.activities->allows(2, later()));
}

TEST_F(ResourceSlotsTest, JumpTowardsTheTargetHoldsBackWhatASlowRiseDoesNot) {
    const Tuner jumping = make();
    (void)jumping.activities->allows(5, later());
    use_.memory = 0.7;
    EXPECT_FALSE(jumping.activities->allows(5, later()));
    EXPECT_TRUE(jumping.activities->allows(5, later())) << "it has come to rest";
}

TEST_F(ResourceSlotsTest, SlotsAreTakenOneAfterTheOther) {
    const Tuner tuner = make({.activities = {.ramp_throttle = 50ms}});
    const Runtime::Time begin = later();
    EXPECT_TRUE(tuner.activities->allows(1, begin));
    tuner.activities->on_taken(begin);
    EXPECT_FALSE(tuner.activities->allows(2, begin + 49ms));
    EXPECT_TRUE(tuner.activities->allows(2, begin + 50ms));
    EXPECT_GT(tuner.activities->ask_again_after(), 0ms) << "or nobody would ask at that time";
}

TEST_F(ResourceSlotsTest, WhatCannotBeMeantIsRefused) {
    EXPECT_THROW(make_resource_tuner({.memory = 0}), ConfigurationError);
    EXPECT_THROW(make_resource_tuner({.cpu = 1.1}), ConfigurationError);
    EXPECT_THROW(make({.activities = {.slots_min = 3, .slots_max = 2}}), ConfigurationError);
    EXPECT_THROW(make({.workflow_tasks = {.slots_min = 0}}), ConfigurationError);
    EXPECT_THROW(make_fixed_slots(0), ConfigurationError);
}

/// A file system that holds what the kernel tells.
class SystemResourcesTest : public ::testing::Test {
protected:
    SystemResourcesTest()
        : root_(::testing::TempDir() + "stele_system_resources_" +
                ::testing::UnitTest::GetInstance()->current_test_info()->name()) {
        std::filesystem::remove_all(root_);
    }
    ~SystemResourcesTest() override { std::filesystem::remove_all(root_); }

    void write(const std::string& path, const std::string& text) {
        const std::filesystem::path file = root_ + path;
        std::filesystem::create_directories(file.parent_path());
        std::ofstream(file) << text;
    }

    std::string root_;
};

TEST_F(SystemResourcesTest, MachineIsReadWhereThereIsNoLimit) {
    write("/proc/meminfo", "MemTotal:  1000 kB\nMemFree: 100 kB\nMemAvailable:   400 kB\n");
    write("/proc/uptime", "100.0 50.0\n");
    write("/proc/stat", "cpu  0 0 0 9 0 0 0 0\ncpu0 0 0 0 9\ncpu1 0 0 0 9\nctxt 5\n");
    const ResourceReader read = read_system_resources(root_);
    EXPECT_DOUBLE_EQ(read().memory, 0.6);
    EXPECT_EQ(read().cpu, 0) << "nothing to compare with";
    // In ten seconds of two processors, five seconds' worth of ticks.
    const long ticks = sysconf(_SC_CLK_TCK);
    write("/proc/uptime", "110.0 60.0\n");
    write("/proc/stat", "cpu  " + std::to_string(3 * ticks) + " 0 " + std::to_string(2 * ticks) +
                            " 99 7 0 0 0\ncpu0 0\ncpu1 0\n");
    EXPECT_NEAR(read().cpu, 0.25, 0.01);
}

TEST_F(SystemResourcesTest, ControlGroupOfTheProcessCountsWhereItHasLimits) {
    write("/proc/meminfo", "MemTotal:  1000 kB\nMemAvailable:   999 kB\n");
    write("/proc/uptime", "100.0 50.0\n");
    write("/proc/self/cgroup", "0::/box\n");
    write("/sys/fs/cgroup/box/memory.max", "1000\n");
    write("/sys/fs/cgroup/box/memory.current", "800\n");
    write("/sys/fs/cgroup/box/memory.stat", "anon 1\ninactive_file 300\n");
    write("/sys/fs/cgroup/box/cpu.max", "50000 100000\n");
    write("/sys/fs/cgroup/box/cpu.stat", "usage_usec 1000000\nuser_usec 1\n");
    const ResourceReader read = read_system_resources(root_);
    EXPECT_DOUBLE_EQ(read().memory, 0.5);
    // Half a processor for ten seconds, of which four seconds were used.
    write("/proc/uptime", "110.0 60.0\n");
    write("/sys/fs/cgroup/box/cpu.stat", "usage_usec 5000000\n");
    EXPECT_DOUBLE_EQ(read().cpu, 0.8);
}

TEST_F(SystemResourcesTest, GroupWithoutLimitsLeavesTheMachine) {
    write("/proc/meminfo", "MemTotal:  1000 kB\nMemAvailable:   250 kB\n");
    write("/sys/fs/cgroup/memory.max", "max\n");
    write("/sys/fs/cgroup/memory.current", "800\n");
    EXPECT_DOUBLE_EQ(read_system_resources(root_)().memory, 0.75);
}

TEST_F(SystemResourcesTest, FirstVersionOfControlGroupsIsKnown) {
    write("/proc/meminfo", "MemTotal:  1000 kB\nMemAvailable:   999 kB\n");
    write("/proc/uptime", "10.0 5.0\n");
    write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "1000\n");
    write("/sys/fs/cgroup/memory/memory.usage_in_bytes", "400\n");
    write("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "200000\n");
    write("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    write("/sys/fs/cgroup/cpuacct/cpuacct.usage", "0\n");
    const ResourceReader read = read_system_resources(root_);
    EXPECT_DOUBLE_EQ(read().memory, 0.4);
    write("/proc/uptime", "12.0 6.0\n");
    write("/sys/fs/cgroup/cpuacct/cpuacct.usage", "1000000000\n");
    EXPECT_DOUBLE_EQ(read().cpu, 0.25);
}

TEST_F(SystemResourcesTest, NothingToReadIsNothingInUse) {
    const ResourceUse use = read_system_resources(root_)();
    EXPECT_EQ(use.memory, 0);
    EXPECT_EQ(use.cpu, 0);
}

TEST(ThisMachineTest, IsReadable) {
    const ResourceUse use = read_system_resources()();
    EXPECT_GT(use.memory, 0);
    EXPECT_LE(use.memory, 1);
}

}  // namespace
}  // namespace stele
