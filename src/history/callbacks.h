#pragma once

#include "history/commands.h"

// Completion callbacks: whom to tell how a run, or one update of it, ended. A start, a start that
// met an open run, or an update attaches them; each stands by until what it waits for has happened,
// and is then sent by the outbox, again and again, until its receiver has taken or refused it.
//
// Where another run tries again or continues, the callbacks go on to it and are told of its end. A
// run that a reset replaces tells nobody: the one in its place has the same callbacks. Pure, like all
// of history.
namespace stele::history {

/// The receiver of a callback has answered: taken, refused for good (FAILED_PRECONDITION), or to be
/// tried again after a while. Empty when nothing is known of it any more.
absl::StatusOr<Applied<None>> record_callback(const Run& run, ItemId item,
                                              const absl::Status& answer, const Context& context);

/// The number of the outbox row of a callback. Those of a run are numbered by its events; callbacks
/// stand behind all of them.
constexpr std::int64_t callback_number(ItemId item) { return (std::int64_t{1} << 25) + item; }

/// Whether it has been answered for good.
inline bool is_settled(const storage::CallbackRow& row) {
    return row.state() == storage::CallbackRow::STATE_FAILED ||
           row.state() == storage::CallbackRow::STATE_SUCCEEDED;
}

}  // namespace stele::history
