#include "matching/window.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace stele::matching {
namespace {

using shard::TaskOffer;

TaskOffer task(std::int64_t sequence, const std::string& key = "", float weight = 0,
               std::int32_t priority = history::kDefaultPriority) {
    TaskOffer offer;
    offer.sequence = sequence;
    offer.fairness_key = key;
    offer.fairness_weight = weight;
    offer.priority = priority;
    offer.created = Timestamp(std::chrono::seconds(sequence));
    return offer;
}

std::vector<std::int64_t> drain(Window& window) {
    std::vector<std::int64_t> order;
    while (auto offer = window.pop()) order.push_back(offer->sequence);
    return order;
}

using Order = std::vector<std::int64_t>;

TEST(Window, TasksOfAPriorityGoInTheOrderOfTheirArrival) {
    Window window(10);
    for (const std::int64_t i : {3, 1, 2}) window.push(task(i));
    EXPECT_EQ(drain(window), (Order{3, 1, 2}));
}

TEST(Window, LowerNumbersOfPriorityGoFirst) {
    Window window(10);
    window.push(task(1, "", 0, 5));
    window.push(task(2, "", 0, 1));
    window.push(task(3, "", 0, 3));
    EXPECT_EQ(drain(window), (Order{2, 3, 1}));
}

TEST(Window, KeysTakeTurnsWhenTheQueueIsFair) {
    Window window(10);
    window.share(true, {});
    for (const std::int64_t i : {1, 2, 3}) window.push(task(i, "busy"));
    window.push(task(4, "idle"));
    EXPECT_EQ(drain(window), (Order{1, 4, 2, 3}));
}

TEST(Window, KeysDoNotMatterWhenTheQueueIsNotFair) {
    Window window(10);
    for (const std::int64_t i : {1, 2, 3}) window.push(task(i, "busy"));
    window.push(task(4, "idle"));
    EXPECT_EQ(drain(window), (Order{1, 2, 3, 4}));
}

TEST(Window, AKeyOfDoubleWeightGetsTwoTurns) {
    Window window(20);
    window.share(true, {});
    for (std::int64_t i = 1; i <= 4; ++i) window.push(task(i, "light"));
    for (std::int64_t i = 11; i <= 18; ++i) window.push(task(i, "heavy", 2));
    const Order order = drain(window);
    const auto heavy = [&](std::size_t count) {
        std::int64_t sum = 0;
        for (std::size_t i = 0; i < count; ++i) sum += order[i] > 10 ? 1 : 0;
        return sum;
    };
    EXPECT_EQ(heavy(6), 4);
    EXPECT_EQ(heavy(12), 8);
}

TEST(Window, WeightsThatOperatorsSetGoBeforeThoseOfTasks) {
    Window window(10);
    window.share(true, {{"a", 4.0F}});
    EXPECT_EQ(window.weight_of(task(1, "a", 2)), 4);
    EXPECT_EQ(window.weight_of(task(1, "b", 2)), 2);
    EXPECT_EQ(window.weight_of(task(1, "c")), 1);
}

TEST(Window, AKeyThatWasIdleDoesNotCatchUp) {
    Window window(20);
    window.share(true, {});
    for (std::int64_t i = 1; i <= 4; ++i) window.push(task(i, "busy"));
    for (int i = 0; i < 3; ++i) window.pop();
    for (std::int64_t i = 11; i <= 13; ++i) window.push(task(i, "idle"));
    for (std::int64_t i = 5; i <= 6; ++i) window.push(task(i, "busy"));
    // Equal turns go in the order of arrival.
    EXPECT_EQ(drain(window), (Order{4, 11, 12, 5, 13, 6}));
}

TEST(Window, AKeyThatMayNotGoIsPassedOver) {
    Window window(10);
    window.share(true, {});
    window.push(task(1, "a"));
    window.push(task(2, "b"));
    const auto but_a = [](const TaskOffer& offer) { return offer.fairness_key != "a"; };
    EXPECT_EQ(window.pop(but_a)->sequence, 2);
    EXPECT_FALSE(window.any(but_a));
    EXPECT_FALSE(window.pop(but_a));
    EXPECT_EQ(window.size(), 1u);
}

TEST(Window, AFullWindowLeavesLaterTasksToTheBacklog) {
    Window window(2);
    EXPECT_TRUE(window.push(task(1)));
    EXPECT_TRUE(window.push(task(2)));
    EXPECT_FALSE(window.push(task(3)));
    window.pop();
    EXPECT_FALSE(window.push(task(4)));  // 3 would have to go first
    EXPECT_TRUE(window.take_refill());
    EXPECT_FALSE(window.take_refill());
    window.push_backlog({task(2), task(3), task(4)}, false);
    EXPECT_EQ(drain(window), (Order{2, 3}));
}

TEST(Window, ABetterPriorityEntersAFullWindowInPlaceOfTheLastTask) {
    Window window(2);
    window.push(task(1));
    window.push(task(2));
    EXPECT_TRUE(window.push(task(3, "", 0, 1)));
    EXPECT_EQ(window.size(), 2u);
    EXPECT_EQ(window.pop()->sequence, 3);
    EXPECT_TRUE(window.take_refill());
    window.push_backlog({task(1), task(2)}, false);
    EXPECT_EQ(drain(window), (Order{1, 2}));
}

TEST(Window, ATaskThatIsThereIsNotTakenTwice) {
    Window window(10);
    EXPECT_TRUE(window.push(task(1)));
    EXPECT_FALSE(window.push(task(1)));
    EXPECT_EQ(drain(window), (Order{1}));
}

TEST(Window, TellsTheAgeOfEachPriority) {
    Window window(10);
    window.push(task(5, "", 0, 1));
    window.push(task(7));
    window.push(task(6, "other"));
    const auto oldest = window.oldest();
    EXPECT_EQ(oldest.at(1), Timestamp(std::chrono::seconds(5)));
    EXPECT_EQ(oldest.at(3), Timestamp(std::chrono::seconds(6)));
}

TEST(Window, ManyKeysThatComeAndGoLeaveNothingLost) {
    Window window(10'000);
    window.share(true, {});
    std::int64_t sequence = 0;
    std::size_t taken = 0;
    for (int round = 0; round < 50; ++round) {
        for (int key = 0; key < 100; ++key) {
            window.push(task(++sequence, std::to_string(round * 50 + key)));
        }
        for (int i = 0; i < 60; ++i) taken += window.pop() ? 1 : 0;
    }
    taken += drain(window).size();
    EXPECT_EQ(taken, static_cast<std::size_t>(sequence));
}

}  // namespace
}  // namespace stele::matching
