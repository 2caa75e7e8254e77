#include "shard/run_cache.h"

#include <gtest/gtest.h>

#include <absl/strings/str_cat.h>

#include <malloc.h>

#include <functional>

namespace stele::shard {
namespace {

const char* const kUuid = "5e1c7ce5-3b1d-4f6a-9c0e-0123456789ab";

void set(google::protobuf::Timestamp* time) { time->set_seconds(1'800'000'000); }

/// A run as one of usual names and options is after it has closed.
std::unique_ptr<LoadedRun> usual_run(std::uint64_t number) {
    auto loaded = std::make_unique<LoadedRun>();
    loaded->address = {1, RunKey(number)};
    loaded->run = std::make_unique<history::Run>();
    storage::InfoRow& info = loaded->run->info;
    info.set_sequence(static_cast<std::int64_t>(number));
    info.set_namespace_id(kUuid);
    info.set_namespace_("default");
    info.set_workflow_id(
        absl::StrCat("order-", absl::Dec(number, absl::kZeroPad10), "-of-customer"));
    info.set_run_id(absl::StrCat("5e1c7ce5-3b1d-4f6a-9c0e-", absl::Dec(number, absl::kZeroPad12)));
    info.set_first_execution_run_id(info.run_id());
    info.set_original_execution_run_id(info.run_id());
    info.set_create_request_id(kUuid);
    info.set_workflow_type("ProcessOrderWorkflow");
    info.set_task_queue("orders-task-queue");
    info.mutable_task_timeout()->set_seconds(10);
    set(info.mutable_start_time());
    info.mutable_root()->set_workflow_id(info.workflow_id());
    info.mutable_root()->set_run_id(info.run_id());
    storage::HeaderRow& header = loaded->run->header;
    header.set_status(temporal::api::enums::v1::WORKFLOW_EXECUTION_STATUS_COMPLETED);
    header.set_next_event_id(12);
    header.set_sdk_name("temporal-go");
    header.set_sdk_version("1.40.0");
    header.set_sticky_task_queue(absl::StrCat(kUuid, ":a-host:", number));
    set(header.mutable_close_time());
    set(header.mutable_execution_time());
    for (int batch = 0; batch < 5; ++batch) {
        loaded->tail.append({EventId(1 + 2 * batch), EventId(2 + 2 * batch), std::string(300, 'e')},
                            {});
    }
    return loaded;
}

void add_timers(history::Run& run, int count) {
    for (int number = 1; number <= count; ++number) {
        storage::TimerRow timer;
        timer.set_started_event_id(number);
        timer.set_timer_id(absl::StrCat("timer-of-some-name-", number));
        set(timer.mutable_fire_time());
        run.timers.put(number, std::move(timer));
    }
}

void add_activities(history::Run& run, int count, std::size_t input_bytes) {
    for (int number = 1; number <= count; ++number) {
        storage::ActivityRow activity;
        activity.set_scheduled_event_id(number);
        activity.set_activity_id(std::to_string(number));
        activity.set_activity_type("ChargeCustomerActivity");
        activity.set_task_queue("payments-task-queue");
        set(activity.mutable_scheduled_time());
        set(activity.mutable_first_scheduled_time());
        activity.mutable_start_to_close()->set_seconds(10);
        activity.mutable_schedule_to_close()->set_seconds(60);
        activity.mutable_retry_policy()->mutable_initial_interval()->set_seconds(1);
        activity.mutable_input()->add_payloads()->set_data(std::string(input_bytes, 'i'));
        run.activities.put(number, std::move(activity));
    }
}

/// What the cache counts for each byte that it makes the allocator hand out.
double counted_share(std::uint64_t runs, const std::function<void(LoadedRun&)>& change) {
    RunCache cache(std::size_t{1} << 40);
    const std::size_t before = mallinfo2().uordblks;
    for (std::uint64_t number = 1; number <= runs; ++number) {
        std::unique_ptr<LoadedRun> run = usual_run(number);
        change(*run);
        cache.insert(std::move(run));
    }
    const std::size_t taken = mallinfo2().uordblks - before;
    return static_cast<double>(cache.bytes()) / static_cast<double>(taken);
}

// Its limit is one of memory, so what it counts must be near what runs really take.
TEST(RunCache, CountsWhatRunsTakeInMemory) {
    const std::size_t before = mallinfo2().uordblks;
    const std::unique_ptr<LoadedRun> one = usual_run(1);
    if (mallinfo2().uordblks == before) {
        GTEST_SKIP() << "the allocator of a sanitizer does not tell what it has handed out";
    }
    const struct {
        const char* what;
        std::uint64_t runs;
        std::function<void(LoadedRun&)> change;
    } cases[] = {
        {"closed", 20'000, [](LoadedRun&) {}},
        {"many timers", 100, [](LoadedRun& run) { add_timers(*run.run, 1'000); }},
        {"many activities", 100, [](LoadedRun& run) { add_activities(*run.run, 500, 20); }},
        {"large inputs", 100, [](LoadedRun& run) { add_activities(*run.run, 5, 100'000); }},
        {"large tail", 100,
         [](LoadedRun& run) {
             run.tail.append({EventId(11), EventId(12), std::string(60'000, 'e')}, {});
         }},
    };
    for (const auto& [what, runs, change] : cases) {
        const double share = counted_share(runs, change);
        EXPECT_GT(share, 0.85) << what;
        EXPECT_LT(share, 1.25) << what;
    }
}

std::unique_ptr<LoadedRun> open_run(std::uint64_t number) {
    std::unique_ptr<LoadedRun> run = usual_run(number);
    run->run->header.set_status(temporal::api::enums::v1::WORKFLOW_EXECUTION_STATUS_RUNNING);
    return run;
}

/// How many of the runs numbered [first, last] are in memory. None is touched.
int count_of(const RunCache& cache, std::uint64_t first, std::uint64_t last) {
    int count = 0;
    cache.for_each([&](const LoadedRun& run) {
        const auto number = static_cast<std::uint64_t>(run.address.key.value());
        count += number >= first && number <= last;
    });
    return count;
}

// Runs come, close and are seldom asked for again: they must not push out those that still wait for something.
TEST(RunCache, ClosedRunsLeaveOpenOnesAlone) {
    constexpr std::size_t kCapacity = 8U << 20;
    RunCache cache(kCapacity);
    for (std::uint64_t number = 1; number <= 200; ++number) cache.insert(open_run(number));
    cache.evict({});
    ASSERT_EQ(cache.size(), 200u);
    const std::size_t open_bytes = cache.bytes();
    for (std::uint64_t number = 1'001; number <= 4'000; ++number) {
        LoadedRun& run = cache.insert(open_run(number));
        run.run->header.set_status(temporal::api::enums::v1::WORKFLOW_EXECUTION_STATUS_FAILED);
        cache.changed(run, {});
        cache.evict({});
    }
    EXPECT_EQ(count_of(cache, 1, 200), 200);
    const std::size_t closed_bytes = cache.bytes() - open_bytes;
    EXPECT_LE(closed_bytes, kCapacity / 16);
    EXPECT_GT(closed_bytes, kCapacity / 32);
    // The last ones to close are there.
    EXPECT_EQ(count_of(cache, 3'991, 4'000), 10);
}

TEST(RunCache, OpenRunsHaveTheRestOfTheMemory) {
    constexpr std::size_t kCapacity = 4U << 20;
    RunCache cache(kCapacity);
    for (std::uint64_t number = 1; number <= 100; ++number) cache.insert(usual_run(number));
    for (std::uint64_t number = 1'001; number <= 2'000; ++number) cache.insert(open_run(number));
    ASSERT_GT(cache.bytes(), kCapacity);
    // Asked for, so it is not the first to go.
    ASSERT_NE(cache.find(RunAddress{1, RunKey(1'001)}), nullptr);
    cache.evict({});
    EXPECT_LE(cache.bytes(), kCapacity);
    EXPECT_GT(cache.bytes(), kCapacity - kCapacity / 16);
    EXPECT_NE(cache.find(RunAddress{1, RunKey(1'001)}), nullptr);
    EXPECT_EQ(cache.find(RunAddress{1, RunKey(1'002)}), nullptr);
    EXPECT_NE(cache.find(RunAddress{1, RunKey(100)}), nullptr);
    EXPECT_NE(cache.find(RunAddress{1, RunKey(2'000)}), nullptr);
}

}  // namespace
}  // namespace stele::shard
