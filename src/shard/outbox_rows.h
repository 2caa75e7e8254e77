#pragma once

#include "shard/shard.h"

// What an outbox row has to say and to whom, and what an answer means for the run that sent it.
// Functions of their arguments.
namespace stele::shard {

/// Whether the row says all that is needed, so that it may outlive what its source knows.
bool is_self_contained(const storage::OutboxRow& row);

/// The message of a row, without the namespace of its target. `source` may be null for a
/// self-contained row. nullopt when nobody waits for its effect any more.
std::optional<Delivery> delivery_of(const storage::OutboxRow& row, const LoadedRun* source);

/// When the row may go out: a callback that backs off waits, all others go at once. `source` may be
/// null.
Timestamp due_time(const storage::OutboxRow& row, const LoadedRun* source);

/// What the target of a row has answered; most have nothing to say but that they have taken it.
using Answer = absl::StatusOr<history::NexusOutcome>;

/// What becomes of a row that was answered.
struct Conclusion {
    enum class Kind {
        kRetry,   // the answer may be another one later
        kDone,    // nothing is to be recorded: the row is erased
        kRecord,  // `record` makes the transition of the source
    };
    Kind kind = Kind::kRetry;
    /// The transition puts another row in the place of this one.
    bool replaced = false;
    std::function<absl::StatusOr<history::Applied<history::None>>(const history::Run&,
                                                                  const history::Context&)>
        record = {};
};
/// `failures`: how often the row was answered with an error before.
Conclusion conclusion_of(const storage::OutboxRow& row, const Answer& answer, int failures);

}  // namespace stele::shard
