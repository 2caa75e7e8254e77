#include "shard/history_reads.h"

#include "base/probe.h"
#include "shard/history_pages.h"

#include <algorithm>
#include <utility>

namespace stele::shard {
namespace {

bool wants_to_wait(const LoadedRun& run, const HistoryQuery& query) {
    if (!query.wait_new_event || !run.run->is_open()) return false;
    return query.close_event_only || query.from > last_event(run);
}

/// While somebody waited for it.
absl::Status deleted() { return not_found("workflow execution has been deleted"); }

/// Events of the task that a worker holds, if it writes them only on completion.
void append_transient(const history::Run& run, HistoryPage& page) {
    temporal::api::history::v1::History history;
    for (auto& event : history::transient_events(run)) *history.add_events() = std::move(event);
    if (history.events_size() > 0) page.batches.push_back(history.SerializeAsString());
}

HistoryReply empty_reply(const LoadedRun& run) {
    HistoryReply reply;
    reply.run_id = run.run->info.run_id();
    reply.running = run.run->is_open();
    reply.last = last_event(run);
    return reply;
}

}  // namespace

void HistoryReads::get_history(HistoryQuery query, CallScopePtr scope, Reply<HistoryReply> reply) {
    const absl::StatusOr<LoadedRun*> run = shard_.find(query.run);
    if (!run.ok()) return reply(run.status());
    Wait wait{std::move(query), std::move(scope), std::move(reply)};
    if (wants_to_wait(**run, wait.query)) return hold((*run)->address, std::move(wait));
    read((*run)->address, std::move(wait));
}

void HistoryReads::read(RunAddress address, Wait wait) {
    const absl::StatusOr<LoadedRun*> run = shard_.load(address);
    if (!run.ok()) return wait.reply(run.status());
    if (*run == nullptr) return wait.reply(deleted());
    absl::StatusOr<HistoryReply> result = make_page(**run, wait);
    (*run)->revealed = last_event(**run);
    shard_.reply_at<HistoryReply>(
        STELE_BUG("reads.shown-before-durable") ? Position() : (*run)->last, std::move(wait.reply),
        std::move(result));
}

absl::StatusOr<HistoryReply> HistoryReads::make_page(LoadedRun& run, const Wait& wait) {
    HistoryReply reply = empty_reply(run);
    STELE_ASSIGN_OR_RETURN(reply.page, page_of(run, wait));
    return reply;
}

absl::StatusOr<HistoryPage> HistoryReads::page_of(LoadedRun& run, const Wait& wait) {
    const HistoryQuery& query = wait.query;
    store::Store& store = shard_.around().store;
    if (query.close_event_only) {
        if (run.run->is_open()) return HistoryPage();
        return read_last_event(store, run);
    }
    PageLimits limits;
    if (STELE_FAULT("reads.tiny-page")) limits.events = 1;
    if (query.maximum_events > 0) limits.events = std::min(limits.events, query.maximum_events);
    if (query.reverse) {
        const EventId last =
            query.from == kNoEvent ? last_event(run) : std::min(query.from, last_event(run));
        return read_page_backwards(store, run, last, limits);
    }
    const EventId last =
        query.to == kNoEvent ? last_event(run) : std::min(query.to, last_event(run));
    STELE_ASSIGN_OR_RETURN(
        HistoryPage page,
        read_page(store, run, std::max(query.from, kFirstEvent), last.next(), limits));
    // Who names the end has the events of the task already.
    if (query.for_worker && query.to == kNoEvent && page.next == kNoEvent) {
        STELE_PROBE("reads.transient-events");
        append_transient(*run.run, page);
    }
    return page;
}

void HistoryReads::describe(const RunRef& ref,
                            Reply<service::DescribeWorkflowExecutionResponse> reply) {
    const absl::StatusOr<LoadedRun*> run = shard_.find(ref);
    if (!run.ok()) return reply(run.status());
    (*run)->revealed = last_event(**run);
    const CommandContext context = shard_.context_of(**run);
    shard_.reply_at<service::DescribeWorkflowExecutionResponse>(
        (*run)->last, std::move(reply), history::describe(*(*run)->run, *context.context.limits));
}

// ---- Waiting ---------------------------------------------------------------------------------

void HistoryReads::hold(RunAddress address, Wait wait) {
    const WaitId id = ++last_wait_;
    const bool soon = STELE_FAULT("reads.wait-ends-soon");
    const Duration longest =
        soon ? Duration(std::chrono::milliseconds(50)) : wait.query.longest_wait;
    const Timestamp end = add_saturating(shard_.now(), longest);
    wait.timer =
        shard_.executor().run_at(end, [this, address, id] { end_wait(address, id, true); });
    const CallScopePtr scope = wait.scope;
    waits_[address].emplace(id, std::move(wait));
    if (scope == nullptr) return;
    scope->on_cancel([this, address, id] {
        shard_.executor().post([this, address, id] { end_wait(address, id, false); });
    });
}

std::optional<HistoryReads::Wait> HistoryReads::take(RunAddress address, WaitId id) {
    const auto waits = waits_.find(address);
    if (waits == waits_.end()) return std::nullopt;
    const auto found = waits->second.find(id);
    if (found == waits->second.end()) return std::nullopt;
    std::optional<Wait> wait(std::move(found->second));
    waits->second.erase(found);
    if (waits->second.empty()) waits_.erase(waits);
    shard_.executor().cancel(wait->timer);
    if (wait->scope != nullptr) wait->scope->on_cancel({});
    return wait;
}

void HistoryReads::end_wait(RunAddress address, WaitId id, bool answer) {
    std::optional<Wait> wait = take(address, id);
    if (!wait) return;
    if (!answer) return wait->reply(canceled("the caller has gone"));
    const absl::StatusOr<LoadedRun*> run = shard_.load(address);
    if (!run.ok()) return wait->reply(run.status());
    if (*run == nullptr) return wait->reply(deleted());
    HistoryReply reply = empty_reply(**run);
    // The caller goes on where it stood: later events may not be durable yet.
    if (!wait->query.close_event_only) reply.last = wait->query.from.previous();
    wait->reply(std::move(reply));
}

void HistoryReads::changed(const LoadedRun& run) {
    const auto waits = waits_.find(run.address);
    if (waits == waits_.end()) return;
    std::vector<WaitId> ready;
    for (const auto& [id, wait] : waits->second) {
        if (!wants_to_wait(run, wait.query)) ready.push_back(id);
    }
    const RunAddress address = run.address;
    for (const WaitId id : ready) {
        std::optional<Wait> wait = take(address, id);
        // Not in place: the commit that brought the events is still being announced.
        shard_.executor().post([this, address, woken = *std::move(wait)]() mutable {
            read(address, std::move(woken));
        });
    }
}

void HistoryReads::drain() {
    while (!waits_.empty()) {
        const RunAddress address = waits_.begin()->first;
        end_wait(address, waits_.begin()->second.begin()->first, true);
    }
}

}  // namespace stele::shard
