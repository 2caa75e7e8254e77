#pragma once

#include "base/call.h"
#include "shard/engine.h"
#include "shard/run_cache.h"
#include "store/store.h"

#include <optional>
#include <string>

// Completion callbacks on their way out of the server: what is said, and the interface that says it.
// The outbox sends one for as long as it has not been answered for good.
namespace stele::shard {

/// How a run, or one update of it, ended.
struct Completion {
    api::common::v1::Callback callback;
    RunRef run;
    std::string update_id;  // empty: the run itself
    /// Where the receiver finds what asked for the callback.
    api::common::v1::Link::WorkflowEvent link;
    Timestamp started;  // of the run
    Timestamp ended;
    /// The closing event, or the completed event of the update.
    history::HistoryEvent outcome;
};

/// Sends completions to the addresses that their callbacks name. Thread safe.
class CompletionSender {
public:
    virtual ~CompletionSender() = default;
    /// Replies, on some executor, OK once the receiver has taken it, FAILED_PRECONDITION when it never
    /// will, and anything else when it may be tried again. It may be sent more than once.
    virtual void send(Completion completion, Reply<history::None> reply) = 0;
    /// Waits for what is under way; once it returns nothing more is sent or answered.
    virtual void close() = 0;
};

/// What a callback of the run is to be told now; nullopt when nothing any more. Belongs to the executor
/// of the run's shard.
absl::StatusOr<std::optional<Completion>> completion_of(store::Store& store, const LoadedRun& run,
                                                        const storage::CallbackRow& callback);

}  // namespace stele::shard
