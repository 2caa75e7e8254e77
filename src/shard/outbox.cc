#include "shard/outbox.h"

#include "base/probe.h"
#include "shard/outbox_send.h"

#include <algorithm>
#include <utility>

namespace stele::shard {
namespace {

constexpr Duration kFirstRetry = std::chrono::milliseconds(50);
constexpr Duration kLongestRetry = std::chrono::seconds(30);

Duration backoff(int failures) {
    const int doublings = std::min(failures - 1, 16);
    return std::min<Duration>(kFirstRetry * (1 << doublings), kLongestRetry);
}

}  // namespace

absl::Status Outbox::recover() {
    const store::KeyRange range = store::table_range(store::Table::kOutbox, shard_.slots());
    const auto cursor = shard_.around().store.scan(range.begin, range.end);
    for (; cursor->valid(); cursor->next()) {
        STELE_ASSIGN_OR_RETURN(const Id id, store::decode_outbox_key(cursor->key()));
        storage::OutboxRow row;
        STELE_RETURN_IF_ERROR(store::unwrap_message(store::Table::kOutbox, cursor->value(), row));
        const RunKey source(row.run_key());
        if (STELE_BUG("outbox.not-recovered")) continue;
        STELE_PROBE("outbox.recovered");
        put(id, {id.slot, source}, std::move(row), true);
    }
    return cursor->status();
}

void Outbox::begin() {
    for (const auto& [waiting, entry] : waiting_) {
        shard_.executor().post([this, id = waiting] { deliver(id); });
    }
}

void Outbox::put(Id id, RunAddress source, storage::OutboxRow row, bool durable) {
    Entry& entry = waiting_[id];
    entry.source = source;
    entry.row = std::move(row);
    entry.version = ++versions_;
    entry.durable = durable;
    entry.failures = 0;
}

void Outbox::added(RunAddress source, const std::vector<storage::OutboxRow>& rows,
                   Position position) {
    for (const storage::OutboxRow& row : rows) {
        const Id id{source.slot, row_sequence(source.key, row.initiated_event_id())};
        put(id, source, row, STELE_BUG("outbox.sent-before-durable"));
        if (STELE_BUG("outbox.sent-before-durable"))
            shard_.executor().post([this, id] { deliver(id); });
        // Not before it is durable: the target must never see an effect that a crash undoes. And
        // not in place: the transition that made it is still being announced.
        shard_.executor().post([this, id, version = versions_, position] {
            shard_.when_durable(position, [this, id, version] { became_durable(id, version); });
        });
    }
}

std::pair<Outbox::Waiting::iterator, Outbox::Waiting::iterator> Outbox::rows_of(RunAddress source) {
    return {waiting_.lower_bound({source.slot, row_sequence(source.key, 0)}),
            waiting_.lower_bound({source.slot, row_sequence(source.key.next(), 0)})};
}

bool Outbox::owes(RunAddress source) {
    const auto [begin, end] = rows_of(source);
    return std::any_of(begin, end, [](const auto& waiting) {
        return waiting.second.row.kind() != storage::OutboxRow::KIND_CALLBACK;
    });
}

void Outbox::give_up(RunAddress source, store::WriteBatch& batch) {
    const auto [begin, end] = rows_of(source);
    STELE_PROBE_IF("outbox.given-up", begin != end);
    for (auto row = begin; row != end; ++row) batch.erase(store::encode(row->first));
    waiting_.erase(begin, end);
}

void Outbox::became_durable(Id id, std::uint64_t version) {
    const auto found = waiting_.find(id);
    if (found == waiting_.end() || found->second.version != version) {
        STELE_PROBE("outbox.replaced-before-durable");
        return;
    }
    found->second.durable = true;
    if (STELE_FAULT("outbox.slow")) {
        shard_.executor().run_at(shard_.now() + std::chrono::milliseconds(300),
                                 [this, id] { deliver(id); });
        return;
    }
    deliver(id);
}

LoadedRun* Outbox::source_of(const Entry& entry) {
    const absl::StatusOr<LoadedRun*> source = shard_.load(entry.source);
    STELE_CHECK(source.ok(),
                "the source of an outbox row could not be read: " + message_of(source.status()));
    return *source;
}

void Outbox::deliver(Id id) {
    const auto found = waiting_.find(id);
    if (stopped_ || found == waiting_.end()) return;
    Entry& entry = found->second;
    if (!entry.durable || entry.under_way) return;
    LoadedRun* source = is_self_contained(entry.row) ? nullptr : source_of(entry);
    const Timestamp due = due_time(entry.row, source);
    if (due > shard_.now()) {
        shard_.executor().run_at(due, [this, id] { deliver(id); });
        return;
    }
    if (STELE_FAULT("outbox.sent-twice")) send(shard_, entry.row, source, [](const Answer&) {});
    const std::uint64_t version = entry.version;
    Reply<history::NexusOutcome> reply = [this, id, version](Answer answer) {
        env::Closure told = [this, id, version, answer = std::move(answer)] {
            answered(id, version, answer);
        };
        if (STELE_FAULT("outbox.answer-late")) {
            shard_.executor().run_at(shard_.now() + std::chrono::milliseconds(300),
                                     std::move(told));
        } else {
            shard_.executor().post(std::move(told));
        }
    };
    entry.under_way = true;
    // A run that has closed does not wait for the outcome any more.
    if (!send(shard_, entry.row, source, std::move(reply))) drop(id);
}

void Outbox::answered(Id id, std::uint64_t version, const Answer& answer) {
    const auto found = waiting_.find(id);
    if (stopped_ || found == waiting_.end()) return;
    Entry& entry = found->second;
    entry.under_way = false;
    if (entry.version != version) {
        STELE_PROBE("outbox.replaced-under-way");
        return deliver(id);
    }
    if (STELE_FAULT("outbox.answer-lost")) return retry(id, entry);
    conclude(id, entry, answer);
}

void Outbox::conclude(Id id, Entry& entry, const Answer& answer) {
    const Conclusion conclusion = conclusion_of(entry.row, answer, entry.failures);
    if (conclusion.kind == Conclusion::Kind::kRetry) {
        STELE_PROBE("outbox.tried-again");
        if (STELE_BUG("outbox.given-up-after-failure")) return drop(id);
        return retry(id, entry);
    }
    if (conclusion.kind == Conclusion::Kind::kDone) return drop(id);
    LoadedRun* source = source_of(entry);
    if (source == nullptr) return drop(id);
    const CommandContext context = shard_.context_of(*source);
    auto applied = conclusion.record(*source->run, context.context);
    if (!applied.ok() || applied->transition.empty) {
        STELE_PROBE("outbox.outcome-known");
        return drop(id);
    }
    Change change{source, &applied->transition};
    if (!conclusion.replaced) change.outbox_done = id;
    waiting_.erase(id);
    shard_.commit({std::move(change)});
}

void Outbox::retry(Id id, Entry& entry) {
    ++entry.failures;
    shard_.executor().run_at(add_saturating(shard_.now(), backoff(entry.failures)),
                             [this, id] { deliver(id); });
}

void Outbox::drop(Id id) {
    waiting_.erase(id);
    store::WriteBatch batch;
    batch.erase(store::encode(id));
    shard_.submit(std::move(batch), store::Urgency::kLazy, nullptr);
}

}  // namespace stele::shard
