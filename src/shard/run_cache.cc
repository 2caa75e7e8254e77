#include "shard/run_cache.h"

#include "base/probe.h"

#include <algorithm>
#include <utility>

namespace stele::shard {
namespace {

/// Event batches that a run keeps for its next poll although the store has them.
constexpr std::size_t kTailBytes = 64 * 1024;
/// The part of the memory that closed runs may take.
constexpr std::size_t kShareOfClosed = 16;
/// Beside its values a run costs the nodes of the list and of the two indexes, the name of the run in one
/// of them, and the first block of the queue of batches.
constexpr std::size_t kRunOverhead = sizeof(LoadedRun) + sizeof(history::Run) + 1024;
/// An entry of a table beside its values: the nodes of its three orders.
constexpr std::size_t kRowOverhead = 256;
/// Of an activity also the messages that are nearly empty when serialised: times, timeouts, the policy.
template <typename Row>
constexpr std::size_t kEntryBytes = sizeof(Row) + kRowOverhead;
template <>
constexpr std::size_t kEntryBytes<storage::ActivityRow> =
    sizeof(storage::ActivityRow) + kRowOverhead + 512;

/// In memory short texts and times are objects of their own, each with a header and rounded up: a row takes
/// up three times its serialised size, but payloads what they are.
std::size_t in_memory(std::size_t serialised, std::size_t rows) {
    constexpr std::size_t kShortOfRow = 512;
    return serialised + 2 * std::min(serialised, rows * kShortOfRow);
}

std::size_t message_bytes(const google::protobuf::MessageLite& message) {
    return in_memory(message.ByteSizeLong(), 1);
}

template <typename Row>
std::size_t table_bytes(const history::Table<Row>& table) {
    return in_memory(table.bytes(), table.size()) + table.size() * kEntryBytes<Row>;
}

std::size_t pending_update_bytes(const history::Run& run) {
    std::size_t bytes = 0;
    for (const auto& [id, update] : run.pending_updates.rows()) {
        bytes += message_bytes(*update.request) + kEntryBytes<history::PendingUpdate>;
    }
    return bytes;
}

std::size_t tail_bytes(const EventTail& tail) {
    constexpr std::size_t kBatchOverhead = sizeof(EventTail::Batch) + 32;
    return tail.bytes() + tail.batches().size() * kBatchOverhead;
}

std::size_t row_count(const history::Run& run) {
    return run.activities.size() + run.timers.size() + run.children.size() +
           run.external_signals.size() + run.external_cancels.size() + run.nexus_operations.size() +
           run.buffered.size() + run.request_ids.size() + run.updates.size() +
           run.callbacks.size() + run.pending_updates.size();
}

std::size_t run_bytes(const history::Run& run) {
    return in_memory(run.info_bytes(), 1) + message_bytes(run.header) +
           in_memory(run.attributes_bytes(), 1) + table_bytes(run.activities) +
           table_bytes(run.timers) + table_bytes(run.children) + table_bytes(run.external_signals) +
           table_bytes(run.external_cancels) + table_bytes(run.nexus_operations) +
           table_bytes(run.buffered) + table_bytes(run.request_ids) + table_bytes(run.updates) +
           table_bytes(run.callbacks) + pending_update_bytes(run);
}

/// A run that its first transition has not filled yet has no status.
bool has_closed(const history::Run& run) {
    return !run.is_open() &&
           run.header.status() != temporal::api::enums::v1::WORKFLOW_EXECUTION_STATUS_UNSPECIFIED;
}

bool is_named(const storage::InfoRow& info, const RunRef& run) {
    return info.run_id() == run.run_id && info.workflow_id() == run.workflow_id &&
           info.namespace_id() == run.namespace_id;
}

}  // namespace

void EventTail::append(history::EventBatch events, Position position) {
    bytes_ += events.bytes.size();
    batches_.push_back({std::move(events), position});
}

void EventTail::trim(std::size_t bytes, Position readable) {
    while (bytes_ > bytes && !batches_.empty() && batches_.front().position <= readable) {
        bytes_ -= batches_.front().events.bytes.size();
        batches_.pop_front();
    }
}

void EventTail::truncate(EventId from) {
    while (!batches_.empty() && batches_.back().events.first >= from) {
        bytes_ -= batches_.back().events.bytes.size();
        STELE_PROBE("cache.tail-truncated");
        batches_.pop_back();
    }
}

LoadedRun* RunCache::touch(Order::iterator place) {
    Order& order = part_of(**place).order;
    if (place != order.begin()) order.splice(order.begin(), order, place);
    return place->get();
}

LoadedRun* RunCache::find(RunAddress address) {
    // One step of a run looks for it more than once.
    if (!open_.order.empty() && open_.order.front()->address == address) {
        return open_.order.front().get();
    }
    const auto found = runs_.find(address);
    return found == runs_.end() ? nullptr : touch(found->second);
}

LoadedRun* RunCache::find(const RunRef& run) {
    const auto named = by_run_id_.find(run.run_id);
    if (named == by_run_id_.end()) return nullptr;
    // Run ids are unique, but a caller may put any one beside any workflow id.
    return is_named((*named->second)->run->info, run) ? touch(named->second) : nullptr;
}

LoadedRun& RunCache::insert(std::unique_ptr<LoadedRun> run) {
    const RunAddress address = run->address;
    run->among_closed = has_closed(*run->run);
    Order& order = part_of(*run).order;
    order.push_front(std::move(run));
    const Order::iterator place = order.begin();
    runs_[address] = place;
    LoadedRun& loaded = **place;
    by_run_id_[loaded.run->info.run_id()] = place;
    changed(loaded, loaded.last);
    return loaded;
}

void RunCache::changed(LoadedRun& run, Position readable) {
    run.tail.trim(STELE_FAULT("cache.no-tail") ? 0 : kTailBytes, readable);
    // Counting costs as much as the run has rows, so a large run is counted less often.
    if (run.until_count == 0) {
        run.row_bytes = run_bytes(*run.run);
        run.until_count = 1 + row_count(*run.run) / 16;
    }
    --run.until_count;
    part_of(run).bytes -= run.bytes;
    if (has_closed(*run.run) != run.among_closed) sort_in(run);
    run.bytes = kRunOverhead + run.row_bytes + tail_bytes(run.tail);
    part_of(run).bytes += run.bytes;
}

void RunCache::sort_in(LoadedRun& run) {
    Order& from = part_of(run).order;
    run.among_closed = !run.among_closed;
    Order& to = part_of(run).order;
    // Iterators stay valid, so the indexes find it where it is now.
    to.splice(to.begin(), from, runs_.at(run.address));
}

void RunCache::evict(Position readable) {
    std::erase_if(deleted_, [&](RunAddress address) {
        const Order::iterator place = runs_.at(address);
        if ((*place)->last > readable) return false;
        STELE_PROBE("cache.deleted-run-forgotten");
        remove(place);
        return true;
    });
    evict_down_to(closed_, capacity_ / kShareOfClosed, readable);
    evict_down_to(open_, capacity_ - std::min(capacity_, closed_.bytes), readable);
}

void RunCache::evict_down_to(Part& part, std::size_t bytes, Position readable) {
    auto place = part.order.end();
    while ((part.bytes > bytes || STELE_FAULT("cache.early-eviction")) &&
           place != part.order.begin()) {
        --place;
        const LoadedRun& run = **place;
        const bool unwritten = run.last > readable && !STELE_BUG("cache.evicts-unwritten");
        STELE_PROBE_IF("cache.kept-unwritten", unwritten);
        STELE_PROBE_IF("cache.kept-for-updates", run.run->holds_unwritten());
        if (unwritten || run.deleted || run.run->holds_unwritten()) continue;
        STELE_PROBE("cache.evicted");
        place = remove(place);
    }
}

void RunCache::mark_deleted(LoadedRun& run) {
    run.deleted = true;
    deleted_.push_back(run.address);
}

RunCache::Order::iterator RunCache::remove(Order::iterator place) {
    LoadedRun& run = **place;
    Part& part = part_of(run);
    part.bytes -= run.bytes;
    runs_.erase(run.address);
    by_run_id_.erase(run.run->info.run_id());
    return part.order.erase(place);
}

}  // namespace stele::shard
