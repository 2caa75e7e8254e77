// As the simulator has it.
#define STELE_SIMULATION
#define STELE_BUG_BANK
#include "base/probe.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace stele::probe {
namespace {

const Site* find(std::string_view name) {
    const auto found = std::find_if(sites().begin(), sites().end(),
                                    [&](const Site* site) { return site->name() == name; });
    return found == sites().end() ? nullptr : *found;
}

/// Not called by any test.
void never_reached() { STELE_PROBE("probe_test.never"); }

bool first_fault() { return STELE_FAULT("probe_test.first"); }
bool second_fault() { return STELE_FAULT("probe_test.second"); }

/// When the first fault happens in a run of a hundred chances.
std::string history_of(std::uint64_t seed, bool with_the_second) {
    begin_run(seed, true);
    std::string history;
    for (int i = 0; i < 100; ++i) {
        history += first_fault() ? 'x' : '.';
        if (with_the_second) second_fault();
    }
    return history;
}

TEST(ProbeTest, AProbeThatWasNeverReachedIsKnown) {
    ASSERT_NE(find("probe_test.never"), nullptr);
    EXPECT_EQ(find("probe_test.never")->count(), 0u);
    EXPECT_EQ(find("probe_test.missing"), nullptr);
    static_cast<void>(never_reached);
}

TEST(ProbeTest, AProbeCountsWhenItsConditionHolds) {
    for (const bool condition : {true, false, true}) {
        STELE_PROBE_IF("probe_test.conditional", condition);
    }
    EXPECT_EQ(find("probe_test.conditional")->count(), 2u);
}

TEST(ProbeTest, AFaultDependsOnTheSeedAndItsNameAlone) {
    std::size_t active = 0;
    std::vector<std::string> histories;
    for (std::uint64_t seed = 1; seed <= 400; ++seed) {
        const std::string history = history_of(seed, false);
        EXPECT_EQ(history, history_of(seed, true));
        if (history.find('x') == std::string::npos) continue;
        ++active;
        histories.push_back(history);
    }
    // A quarter of the runs, within five standard deviations.
    EXPECT_GT(active, 55u);
    EXPECT_LT(active, 145u);
    std::sort(histories.begin(), histories.end());
    EXPECT_EQ(std::adjacent_find(histories.begin(), histories.end()), histories.end());
}

TEST(ProbeTest, NoFaultHappensWithoutARunOrAfterItsEnd) {
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        begin_run(seed, false);
        EXPECT_FALSE(first_fault());
        begin_run(seed, true);
        end_faults();
        for (int i = 0; i < 10; ++i) EXPECT_FALSE(first_fault());
    }
}

TEST(ProbeTest, OneBugIsPlantedAtATime) {
    const auto planted = [] {
        return std::pair(STELE_BUG("probe_test.bug"), STELE_BUG("probe_test.other-bug"));
    };
    EXPECT_EQ(planted(), std::pair(false, false));
    EXPECT_TRUE(plant("probe_test.bug"));
    EXPECT_EQ(planted(), std::pair(true, false));
    EXPECT_TRUE(plant("probe_test.other-bug"));
    EXPECT_EQ(planted(), std::pair(false, true));
    EXPECT_FALSE(plant("probe_test.never"));  // a probe
    EXPECT_EQ(planted(), std::pair(false, false));
    EXPECT_TRUE(plant(""));
}

}  // namespace
}  // namespace stele::probe
