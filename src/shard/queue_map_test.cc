#include "shard/queue_map.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

namespace stele::shard {
namespace {

QueueId queue(std::uint32_t number) {
    return {number % 2 == 0 ? "space" : "other", "queue-" + std::to_string(number / 4),
            number % 4 < 2 ? QueueKind::kWorkflow : QueueKind::kActivity};
}

TEST(QueueMapTest, HoldsWhatAMapHolds) {
    QueueMap<int> queues;
    std::map<QueueId, int> model;
    std::mt19937 random(11);
    for (int round = 0; round < 20'000; ++round) {
        const QueueId id = queue(static_cast<std::uint32_t>(random() % 200));
        const auto place = queues.find(id);
        const auto expected = model.find(id);
        ASSERT_EQ(place == queues.end(), expected == model.end());
        switch (random() % 3) {
            case 0:
                if (place == queues.end()) break;
                ASSERT_EQ(place->second, expected->second);
                queues.erase(place);
                model.erase(expected);
                break;
            default: {
                const auto [made, is_new] = queues.try_emplace(id, round);
                ASSERT_EQ(is_new, model.try_emplace(id, round).second);
                ASSERT_EQ(made->first, id);
                break;
            }
        }
    }
    ASSERT_GT(model.size(), 50u);
    // In the same order, too.
    EXPECT_EQ((std::vector<std::pair<QueueId, int>>(queues.begin(), queues.end())),
              (std::vector<std::pair<QueueId, int>>(model.begin(), model.end())));
}

TEST(QueueMapTest, ValuesKeepTheirPlaces) {
    QueueMap<int> queues;
    const int* const first = &queues.try_emplace(queue(0), 7).first->second;
    for (std::uint32_t number = 1; number < 1'000; ++number) queues.try_emplace(queue(number), 0);
    EXPECT_EQ(&queues.find(queue(0))->second, first);
    EXPECT_EQ(*first, 7);
}

TEST(QueueMapTest, CanBeThinnedOutWhileItIsWalked) {
    QueueMap<std::uint32_t> queues;
    for (std::uint32_t number = 0; number < 100; ++number)
        queues.try_emplace(queue(number), number);
    for (auto place = queues.begin(); place != queues.end();)
        place = place->second % 3 == 0 ? queues.erase(place) : std::next(place);
    for (std::uint32_t number = 0; number < 100; ++number)
        EXPECT_EQ(queues.find(queue(number)) == queues.end(), number % 3 == 0) << number;
}

}  // namespace
}  // namespace stele::shard
