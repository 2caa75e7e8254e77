#include "shard/history_pages.h"

#include "store/keys.h"
#include "store/memory/memory_store.h"

#include <benchmark/benchmark.h>

#include <cstdlib>

// What a page of a long history takes, read from a store in memory or from the events that a run keeps.
namespace stele::shard {
namespace {

constexpr std::int64_t kEvents = 10'000;
constexpr std::int64_t kEventsPerBatch = 4;

std::string batch_from(std::int64_t first) {
    temporal::api::history::v1::History history;
    for (std::int64_t id = first; id < first + kEventsPerBatch; ++id) {
        history::HistoryEvent& event = *history.add_events();
        event.set_event_id(id);
        event.set_event_type(temporal::api::enums::v1::EVENT_TYPE_ACTIVITY_TASK_COMPLETED);
        event.mutable_event_time()->set_seconds(1'800'000'000);
        event.set_task_id(id);
        auto& attributes = *event.mutable_activity_task_completed_event_attributes();
        attributes.set_scheduled_event_id(id);
        attributes.set_identity("worker");
        attributes.mutable_result()->add_payloads()->set_data(std::string(100, 'r'));
    }
    return history.SerializeAsString();
}

/// A run of ten thousand events, all of them in the store.
class LongRun {
public:
    LongRun() : store_(store::make_memory_store()) {
        run_.address = {1, RunKey(1)};
        run_.run = std::make_unique<history::Run>();
        run_.run->header.set_next_event_id(kEvents + 1);
        store::WriteBatch batch;
        for (std::int64_t first = 1; first <= kEvents; first += kEventsPerBatch) {
            batch.put(store::encode(store::EventsKey{1, RunKey(1), EventId(first)}),
                      store::wrap_value(store::Table::kEvents, batch_from(first)));
        }
        if (!store_->write(batch, store::Sync::kNo).ok()) std::abort();
    }

    std::size_t read(std::int64_t first, std::int32_t events) {
        const absl::StatusOr<HistoryPage> page =
            read_page(*store_, run_, EventId(first), EventId(kEvents + 1), {.events = events});
        if (!page.ok() || page->batches.empty()) std::abort();
        std::size_t bytes = 0;
        for (const std::string& batch : page->batches) bytes += batch.size();
        return bytes;
    }

private:
    std::unique_ptr<store::Store> store_;
    LoadedRun run_;
};

void page_of_a_long_history(benchmark::State& state) {
    LongRun run;
    std::size_t bytes = 0;
    for (auto _ : state) {
        bytes += run.read(kEvents / 2 + 1, static_cast<std::int32_t>(state.range(0)));
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(page_of_a_long_history)->ArgName("events")->Arg(4)->Arg(256)->Arg(2048);

}  // namespace
}  // namespace stele::shard
