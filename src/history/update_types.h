#pragma once

#include "temporal/api/update/v1/message.pb.h"

#include <absl/status/status.h>

#include <memory>
#include <string>
#include <vector>

// What a run remembers of an update before there is a trace of it in the history, and what a
// transition tells about updates. Plain values.
namespace stele::history {

/// An update that no worker has accepted yet. It lives in memory only: who waits for it when the
/// process ends is told to try again.
struct PendingUpdate {
    std::string update_id;
    /// Shared, because a draft copies what it changes.
    std::shared_ptr<const temporal::api::update::v1::Request> request;
    /// A worker has been given it with a workflow task, and has not answered.
    bool sent = false;
    /// The same update from other callers, who want to be told of its end too.
    std::vector<std::shared_ptr<const temporal::api::update::v1::Request>> joined{};
};

/// What became of an update in a transition. Of several about one update the last is the whole truth.
struct UpdateChange {
    enum class Kind {
        kAccepted,   // there is an accepted event
        kCompleted,  // with `outcome`, which is also that of one whose run closed under it
        kRejected,   // `outcome` is the failure; nothing remains of the update
        kAborted,    // `error` says why; nothing remains of the update
    };
    std::string update_id;
    Kind kind = Kind::kAccepted;
    temporal::api::update::v1::Outcome outcome{};
    absl::Status error{};
};

}  // namespace stele::history
