#include "shard/history_pages.h"

#include "base/probe.h"
#include "store/keys.h"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

namespace stele::shard {
namespace {

using temporal::api::history::v1::History;

/// A batch on its way into a page. The bytes live until the visit ends.
struct BatchView {
    EventId first;
    EventId last;
    std::string_view bytes;
};
/// Returns whether to go on.
using Visit = std::function<absl::StatusOr<bool>(const BatchView&)>;

absl::Status hole_at(EventId event) {
    return make_error(absl::StatusCode::kDataLoss,
                      "event " + std::to_string(event.value()) + " of a history is missing");
}

/// The stored batch that holds an event begins with this one.
absl::StatusOr<EventId> first_of_batch(store::Store& store, RunAddress address, EventId event) {
    const store::KeyRange range =
        store::events_range(address.slot, address.key, kFirstEvent, event.next());
    const auto cursor = store.scan_reverse(range.begin, range.end);
    if (!cursor->valid()) {
        STELE_RETURN_IF_ERROR(cursor->status());
        return hole_at(event);
    }
    STELE_ASSIGN_OR_RETURN(const store::EventsKey key, store::decode_events_key(cursor->key()));
    return key.first;
}

/// Stored batches from the one that begins with `first`, up to but without event `end`. Where a
/// batch ends is known from where the next one begins.
absl::StatusOr<bool> visit_stored(store::Store& store, RunAddress address, EventId first,
                                  EventId end, const Visit& visit) {
    const store::KeyRange range = store::events_range(address.slot, address.key, first, end);
    const auto cursor = store.scan(range.begin, range.end);
    EventId expected = first;
    std::string value;
    while (cursor->valid()) {
        STELE_ASSIGN_OR_RETURN(const store::EventsKey key, store::decode_events_key(cursor->key()));
        if (key.first != expected) return hole_at(expected);
        value = std::string(cursor->value());
        STELE_ASSIGN_OR_RETURN(const std::string_view bytes,
                               store::unwrap_value(store::Table::kEvents, value));
        cursor->next();
        expected = end;
        if (cursor->valid()) {
            STELE_ASSIGN_OR_RETURN(const store::EventsKey following,
                                   store::decode_events_key(cursor->key()));
            expected = following.first;
        }
        STELE_ASSIGN_OR_RETURN(const bool more, visit({key.first, expected.previous(), bytes}));
        if (!more) return false;
    }
    STELE_RETURN_IF_ERROR(cursor->status());
    if (expected != end) return hole_at(expected);
    return true;
}

absl::Status visit_batches(store::Store& store, const LoadedRun& run, EventId from, EventId end,
                           const Visit& visit) {
    const EventId tail = run.tail.first_or(EventId(run.run->header.next_event_id()));
    if (from < tail) {
        STELE_PROBE("pages.read-from-store");
        STELE_ASSIGN_OR_RETURN(const EventId first, first_of_batch(store, run.address, from));
        STELE_ASSIGN_OR_RETURN(const bool more,
                               visit_stored(store, run.address, first, tail, visit));
        if (!more) return absl::OkStatus();
    }
    for (const EventTail::Batch& batch : run.tail.batches()) {
        if (batch.events.last < from) continue;
        if (batch.events.first >= end) break;
        STELE_ASSIGN_OR_RETURN(const bool more,
                               visit({batch.events.first, batch.events.last, batch.events.bytes}));
        if (!more) break;
    }
    return absl::OkStatus();
}

absl::StatusOr<History> parse(std::string_view bytes) {
    History history;
    if (!history.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
        return make_error(absl::StatusCode::kDataLoss, "a batch of events can not be parsed");
    }
    return history;
}

/// The events of a batch that lie in [from, end).
absl::StatusOr<std::string> cut(const BatchView& batch, EventId from, EventId end) {
    if (batch.first >= from && batch.last < end) return std::string(batch.bytes);
    STELE_PROBE("pages.batch-cut");
    STELE_ASSIGN_OR_RETURN(History history, parse(batch.bytes));
    History part;
    for (auto& event : *history.mutable_events()) {
        const EventId id(event.event_id());
        if (id >= from && id < end) *part.add_events() = std::move(event);
    }
    return part.SerializeAsString();
}

absl::StatusOr<std::string> reversed(const BatchView& batch, EventId last) {
    STELE_ASSIGN_OR_RETURN(History history, parse(batch.bytes));
    History part;
    for (int i = history.events_size() - 1; i >= 0; --i) {
        if (EventId(history.events(i).event_id()) > last) continue;
        *part.add_events() = std::move(*history.mutable_events(i));
    }
    return part.SerializeAsString();
}

/// Batches in descending order from the one that holds `last`.
absl::Status visit_backwards(store::Store& store, const LoadedRun& run, EventId last,
                             const Visit& visit) {
    const auto& tail = run.tail.batches();
    for (auto batch = tail.rbegin(); batch != tail.rend(); ++batch) {
        if (batch->events.first > last) continue;
        STELE_ASSIGN_OR_RETURN(
            const bool more, visit({batch->events.first, batch->events.last, batch->events.bytes}));
        if (!more) return absl::OkStatus();
    }
    const EventId held = run.tail.first_or(EventId(run.run->header.next_event_id()));
    EventId end = std::min(held, last.next());
    const store::KeyRange range =
        store::events_range(run.address.slot, run.address.key, kFirstEvent, end);
    const auto cursor = store.scan_reverse(range.begin, range.end);
    for (; cursor->valid(); cursor->next()) {
        STELE_ASSIGN_OR_RETURN(const store::EventsKey key, store::decode_events_key(cursor->key()));
        STELE_ASSIGN_OR_RETURN(const std::string_view bytes,
                               store::unwrap_value(store::Table::kEvents, cursor->value()));
        STELE_ASSIGN_OR_RETURN(const bool more, visit({key.first, end.previous(), bytes}));
        if (!more) return absl::OkStatus();
        end = key.first;
    }
    STELE_RETURN_IF_ERROR(cursor->status());
    if (end != kFirstEvent) return hole_at(end.previous());
    return absl::OkStatus();
}

/// Counts what goes into a page.
class Filling {
public:
    explicit Filling(const PageLimits& limits) : limits_(limits) {}

    void add(HistoryPage& page, std::string bytes, std::int64_t events) {
        bytes_ += bytes.size();
        events_ += events;
        page.batches.push_back(std::move(bytes));
    }
    bool full() const { return events_ >= limits_.events || bytes_ >= limits_.bytes; }

private:
    const PageLimits& limits_;
    std::int64_t events_ = 0;
    std::size_t bytes_ = 0;
};

}  // namespace

EventId last_event(const LoadedRun& run) { return EventId(run.run->header.next_event_id() - 1); }

absl::StatusOr<HistoryPage> read_page(store::Store& store, const LoadedRun& run, EventId from,
                                      EventId end, const PageLimits& limits) {
    HistoryPage page;
    if (from >= end) return page;
    Filling filling(limits);
    const auto visit = [&](const BatchView& batch) -> absl::StatusOr<bool> {
        if (batch.first >= end) return false;
        STELE_ASSIGN_OR_RETURN(std::string bytes, cut(batch, from, end));
        const EventId last = std::min(batch.last, end.previous());
        filling.add(page, std::move(bytes), last.value() - std::max(batch.first, from).value() + 1);
        page.next = last.next() < end ? last.next() : kNoEvent;
        return !filling.full();
    };
    STELE_RETURN_IF_ERROR(visit_batches(store, run, from, end, visit));
    return page;
}

absl::Status read_batches(store::Store& store, const LoadedRun& run, EventId from, EventId end,
                          const VisitBatch& visit) {
    return visit_batches(store, run, from, end,
                         [&](const BatchView& batch) -> absl::StatusOr<bool> {
                             if (batch.first >= end) return false;
                             return visit({batch.first, batch.last, std::string(batch.bytes)});
                         });
}

absl::StatusOr<HistoryPage> read_page_backwards(store::Store& store, const LoadedRun& run,
                                                EventId last, const PageLimits& limits) {
    HistoryPage page;
    Filling filling(limits);
    const auto visit = [&](const BatchView& batch) -> absl::StatusOr<bool> {
        STELE_ASSIGN_OR_RETURN(std::string bytes, reversed(batch, last));
        filling.add(page, std::move(bytes),
                    std::min(batch.last, last).value() - batch.first.value() + 1);
        page.next = batch.first.previous();
        return !filling.full();
    };
    STELE_RETURN_IF_ERROR(visit_backwards(store, run, last, visit));
    return page;
}

absl::StatusOr<history::HistoryEvent> read_event(store::Store& store, const LoadedRun& run,
                                                 EventId id) {
    STELE_ASSIGN_OR_RETURN(const HistoryPage page,
                           read_page(store, run, id, id.next(), PageLimits()));
    for (const std::string& batch : page.batches) {
        temporal::api::history::v1::History stored;
        if (!stored.ParseFromString(batch)) break;
        for (history::HistoryEvent& event : *stored.mutable_events()) {
            if (event.event_id() == id.value()) return std::move(event);
        }
    }
    return internal_error("event " + std::to_string(id.value()) + " of a run can not be read");
}

absl::StatusOr<HistoryPage> read_last_event(store::Store& store, const LoadedRun& run) {
    HistoryPage page;
    const EventId last = last_event(run);
    const auto visit = [&](const BatchView& batch) -> absl::StatusOr<bool> {
        STELE_ASSIGN_OR_RETURN(std::string bytes, cut(batch, last, last.next()));
        page.batches.push_back(std::move(bytes));
        return false;
    };
    STELE_RETURN_IF_ERROR(visit_backwards(store, run, last, visit));
    return page;
}

}  // namespace stele::shard
