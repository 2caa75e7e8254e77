#include "shard/outbox.h"

#include <algorithm>
#include <utility>

namespace stele::shard {
namespace {

using api::enums::v1::CancelExternalWorkflowExecutionFailedCause;
using api::enums::v1::SignalExternalWorkflowExecutionFailedCause;

constexpr Duration kFirstRetry = std::chrono::milliseconds(50);
constexpr Duration kLongestRetry = std::chrono::seconds(30);

Duration backoff(int failures) {
    const int doublings = std::min(failures - 1, 16);
    return std::min<Duration>(kFirstRetry * (1 << doublings), kLongestRetry);
}

bool is_signal(const storage::OutboxRow& row) {
    return row.kind() == storage::OutboxRow::KIND_SIGNAL;
}

history::SignalInput signal_input(const storage::ExternalRow& row, const LoadedRun& source) {
    history::SignalInput input;
    input.name = row.signal_name();
    input.input = row.input();
    input.header = row.header();
    input.identity = "history-service";
    input.request_id = row.request_id();
    input.external_source.set_workflow_id(source.run->info.workflow_id());
    input.external_source.set_run_id(source.run->info.run_id());
    input.external_initiated_event_id = row.initiated_event_id();
    return input;
}

history::CancelInput cancel_input(const storage::ExternalRow& row, const LoadedRun& source) {
    history::CancelInput input;
    input.reason = row.reason();
    input.identity = "history-service";
    input.request_id = row.request_id();
    input.external_source.set_workflow_id(source.run->info.workflow_id());
    input.external_source.set_run_id(source.run->info.run_id());
    input.external_initiated_event_id = row.initiated_event_id();
    return input;
}

/// What an answer that will not change means for the history of the source; nullopt: try again.
std::optional<history::ExternalOutcome> outcome_of(const absl::Status& status, bool signal) {
    history::ExternalOutcome outcome;
    if (status.ok()) return outcome;
    switch (status.code()) {
        case absl::StatusCode::kNotFound:
            outcome.signal_failure = api::enums::v1::
                SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND;
            outcome.cancel_failure = api::enums::v1::
                CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND;
            break;
        case absl::StatusCode::kFailedPrecondition:
            outcome.signal_failure =
                api::enums::v1::SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_NAMESPACE_NOT_FOUND;
            outcome.cancel_failure =
                api::enums::v1::CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_NAMESPACE_NOT_FOUND;
            break;
        case absl::StatusCode::kInvalidArgument:
            if (!signal) return std::nullopt;
            outcome.signal_failure = api::enums::v1::
                SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_SIGNAL_COUNT_LIMIT_EXCEEDED;
            break;
        default: return std::nullopt;
    }
    if (signal) {
        outcome.cancel_failure.reset();
    } else {
        outcome.signal_failure.reset();
    }
    return outcome;
}

}  // namespace

absl::Status Outbox::recover() {
    const store::KeyRange range = store::table_range(store::Table::kOutbox, shard_.slots());
    const auto cursor = shard_.around().store.scan(range.begin, range.end);
    for (; cursor->valid(); cursor->next()) {
        STELE_ASSIGN_OR_RETURN(const Id id, store::decode_outbox_key(cursor->key()));
        Entry entry;
        STELE_RETURN_IF_ERROR(
            store::unwrap_message(store::Table::kOutbox, cursor->value(), entry.row));
        entry.source = {id.slot, RunKey(entry.row.run_key())};
        waiting_.emplace(id, std::move(entry));
    }
    return cursor->status();
}

void Outbox::begin() {
    for (const auto& [id, entry] : waiting_) {
        shard_.executor().post([this, id = id] { deliver(id); });
    }
}

void Outbox::added(RunAddress source, const std::vector<storage::OutboxRow>& rows,
                   Position position) {
    for (const storage::OutboxRow& row : rows) {
        const Id id{source.slot, row_sequence(source.key, row.initiated_event_id())};
        waiting_.emplace(id, Entry{source, row});
        // Not before it is durable: the target must never see an effect that a crash undoes. And
        // not in place: the transition that made it is still being announced.
        shard_.executor().post(
            [this, id, position] { shard_.when_durable(position, [this, id] { deliver(id); }); });
    }
}

bool Outbox::owes(RunAddress source) const {
    const auto first = waiting_.lower_bound({source.slot, row_sequence(source.key, 0)});
    return first != waiting_.end() && first->first.slot == source.slot &&
           first->first.sequence < row_sequence(source.key.next(), 0);
}

const storage::ExternalRow* Outbox::pending(const LoadedRun& source,
                                            const storage::OutboxRow& row) const {
    return is_signal(row) ? source.run->external_signals.find(row.initiated_event_id())
                          : source.run->external_cancels.find(row.initiated_event_id());
}

void Outbox::deliver(Id id) {
    const auto found = waiting_.find(id);
    if (stopped_ || found == waiting_.end()) return;
    const Entry& entry = found->second;
    const absl::StatusOr<LoadedRun*> source = shard_.load(entry.source);
    STELE_CHECK(source.ok(), "the source of an external request could not be read");
    const storage::ExternalRow* row = *source == nullptr ? nullptr : pending(**source, entry.row);
    // A run that has closed does not wait for the outcome any more.
    if (row == nullptr) return drop(id);

    Delivery delivery;
    delivery.space = shard_.around().namespaces.by_id(row->namespace_id());
    if (delivery.space == nullptr) {
        return answered(id, failed_precondition("the namespace does not exist"));
    }
    delivery.source = (*source)->run->ref();
    delivery.target = {row->namespace_id(), row->workflow_id(), row->run_id()};
    // A run can not signal its own workflow id: it would wait for itself.
    if (delivery.target.namespace_id == delivery.source.namespace_id &&
        delivery.target.workflow_id == delivery.source.workflow_id) {
        return answered(id, not_found("a run can not send to its own workflow id"));
    }
    delivery.child_workflow_only = row->child_workflow_only();
    if (is_signal(entry.row)) {
        delivery.what = signal_input(*row, **source);
    } else {
        delivery.what = cancel_input(*row, **source);
    }
    shard_.around().router->deliver(
        std::move(delivery), [this, id](absl::StatusOr<history::None> result) {
            shard_.executor().post([this, id, status = result.status()] { answered(id, status); });
        });
}

void Outbox::answered(Id id, absl::Status status) {
    const auto found = waiting_.find(id);
    if (stopped_ || found == waiting_.end()) return;
    Entry& entry = found->second;
    const absl::StatusOr<LoadedRun*> source = shard_.load(entry.source);
    STELE_CHECK(source.ok(), "the source of an external request could not be read");
    if (*source == nullptr || pending(**source, entry.row) == nullptr) return drop(id);
    finish(id, entry, **source, status);
}

void Outbox::finish(Id id, Entry& entry, LoadedRun& source, const absl::Status& status) {
    const bool signal = is_signal(entry.row);
    const std::optional<history::ExternalOutcome> outcome = outcome_of(status, signal);
    if (!outcome) return retry(id, entry);
    const CommandContext context = shard_.context_of(source);
    const EventId initiated(entry.row.initiated_event_id());
    auto applied =
        signal ? history::finish_external_signal(*source.run, initiated, *outcome, context.context)
               : history::finish_external_cancel(*source.run, initiated, *outcome, context.context);
    if (!applied.ok() || applied->transition.empty) return drop(id);
    Change change{&source, &applied->transition};
    change.outbox_done = id;
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
