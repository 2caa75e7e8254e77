#include "shard/namespace_purge.h"

#include "shard/run_deletion.h"

#include <utility>

namespace stele::shard {
namespace {

/// So that others get their turn on the executor.
constexpr std::size_t kRunsAtOnce = 500;

history::TerminateInput termination() {
    history::TerminateInput input;
    input.reason = "Delete workflow execution";
    input.identity = "history-service";
    return input;
}

/// Ends an open run, asks for the deletion of a closed one.
void purge(Shard& shard, LoadedRun& run) {
    if (run.run->is_open()) {
        const CommandContext context = shard.context_of(run);
        auto ended = history::terminate_workflow(*run.run, termination(), context.context);
        if (!ended.ok()) return;
        shard.commit(run, ended->transition);
    }
    request_deletion(shard, run);
}

/// Purges the runs of one slot; returns how many were found.
absl::StatusOr<std::size_t> purge_slot(Shard& shard, Slot slot, const std::string& namespace_id,
                                       std::size_t limit) {
    const std::string begin = store::encode(store::RunRowKey{slot, {namespace_id, "", ""}});
    const std::string end =
        store::table_range(store::Table::kRun, {slot, static_cast<Slot>(slot + 1)}).end;
    const auto cursor = shard.around().store.scan(begin, end);
    std::size_t found = 0;
    for (; cursor->valid() && found < limit; cursor->next(), ++found) {
        STELE_ASSIGN_OR_RETURN(const store::RunRowKey key, store::decode_run_key(cursor->key()));
        if (key.run.namespace_id != namespace_id) break;
        const absl::StatusOr<LoadedRun*> run = shard.find(key.run);
        if (run.ok()) purge(shard, **run);  // else it is being erased
    }
    STELE_RETURN_IF_ERROR(cursor->status());
    return found;
}

}  // namespace

std::size_t purge_runs(Shard& shard, const std::string& namespace_id) {
    std::size_t found = 0;
    for (int slot = shard.slots().begin; slot < shard.slots().end && found < kRunsAtOnce; ++slot) {
        const auto purged =
            purge_slot(shard, static_cast<Slot>(slot), namespace_id, kRunsAtOnce - found);
        STELE_CHECK(purged.ok(),
                    "the runs of a namespace could not be read: " + message_of(purged.status()));
        found += *purged;
    }
    return found;
}

}  // namespace stele::shard
