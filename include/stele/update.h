#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "stele/errors.h"
#include "stele/options.h"
#include "stele/payload.h"

// Updates as a client sees them: a request that a workflow's code accepts or rejects, works on, and
// answers.
namespace temporal::api::update::v1 {
class Outcome;
}

namespace stele {

namespace sdk {
class ClientCore;
}

/// How far an update must have come before a call returns.
enum class UpdateStage {
    kAccepted = 2,   ///< The workflow has taken it on; it is in the history.
    kCompleted = 3,  ///< It has a result, or has failed.
};

struct UpdateOptions {
    /// The same id means the same update: sending it again finds the first one. Empty: a new UUID.
    std::string id = {};
    UpdateStage wait = UpdateStage::kAccepted;
    /// Zero waits for ever; otherwise RpcError DEADLINE_EXCEEDED when the time is over. The update
    /// itself goes on.
    Milliseconds timeout{0};
};

/// An update was rejected, or its handler failed. `cause()` is what the workflow's code threw; an
/// ApplicationError most of the time.
class UpdateFailedError : public Error {
public:
    UpdateFailedError(std::string update_id, std::shared_ptr<const FailureError> cause);
    const std::string& update_id() const { return update_id_; }
    const FailureError& cause() const { return *cause_; }

private:
    std::string update_id_;
    std::shared_ptr<const FailureError> cause_;
};

/// An update that has been sent, or that was sent elsewhere and is known by its id. A cheap value;
/// safe to use from any thread.
class UntypedUpdateHandle {
public:
    UntypedUpdateHandle(std::shared_ptr<sdk::ClientCore> core, std::string workflow_id,
                        std::string run_id, std::string update_id)
        : core_(std::move(core)),
          workflow_id_(std::move(workflow_id)),
          run_id_(std::move(run_id)),
          id_(std::move(update_id)) {}

    const std::string& workflow_id() const { return workflow_id_; }
    /// The run that the update went to; empty when it is not known.
    const std::string& run_id() const { return run_id_; }
    const std::string& id() const { return id_; }

    /// Waits for the outcome. Throws UpdateFailedError when there is no result, NotFoundError when
    /// there is no such update, RpcError DEADLINE_EXCEEDED when `timeout` (zero: none) is over.
    Payloads result_payloads(Milliseconds timeout = Milliseconds(0)) const;

private:
    friend class UntypedHandle;
    friend class UntypedWithStart;
    /// What the server has answered already, so that nobody need ask again.
    struct Known {
        Payloads result;
        std::shared_ptr<const FailureError> failure;
    };
    void set_outcome(const temporal::api::update::v1::Outcome& outcome);

    std::shared_ptr<sdk::ClientCore> core_;
    std::string workflow_id_;
    std::string run_id_;
    std::string id_;
    std::shared_ptr<const Known> known_;
};

/// A handle that knows the type of the result.
template <class R>
class UpdateHandle : public UntypedUpdateHandle {
public:
    explicit UpdateHandle(UntypedUpdateHandle handle) : UntypedUpdateHandle(std::move(handle)) {}

    /// Waits for the result; see result_payloads().
    R result(Milliseconds timeout = Milliseconds(0)) const {
        return decode_argument<R>(result_payloads(timeout), 0);
    }
};

}  // namespace stele
