#pragma once

#include <memory>
#include <string>

#include "sdk/core/activation.h"
#include "sdk/workflow/run_context.h"
#include "stele/detail/operation.h"

namespace stele::wf::detail {

/// A child workflow as the parent's code sees it: first its start, then its end, each of which one
/// operation can wait for. Belongs to one run.
class Child {
public:
    Child(core::Command command, ChildCancellation cancellation);
    ~Child();
    Child(const Child&) = delete;

    const std::string& workflow_id() const { return workflow_id_; }
    const std::string& type() const { return type_; }

    /// Issues the command.
    void begin(RunContext& run);
    /// Asks for the cancellation, once.
    void request_cancel(const std::string& reason);

    void on_started(std::string run_id, core::Resolution resolution);
    void on_ended(core::Resolution resolution);
    void on_cancel_requested();
    bool waits_when_cancelled() const { return core::waits_when_cancelled(cancellation_); }

    bool started() const { return started_; }
    const std::string& run_id() const { return run_id_; }
    const std::optional<core::Resolution>& ending() const { return ending_; }
    void set_start_waiter(PendingOperation* waiter) { start_waiter_ = waiter; }
    void set_end_waiter(PendingOperation* waiter) { end_waiter_ = waiter; }

private:
    core::Command command_;
    std::string workflow_id_;
    std::string type_;
    ChildCancellation cancellation_;
    RunContext* run_ = nullptr;
    core::Sequence sequence_ = 0;
    bool started_ = false;
    std::string run_id_;
    std::string cancel_reason_;
    std::optional<core::Resolution> ending_;
    PendingOperation* start_waiter_ = nullptr;
    PendingOperation* end_waiter_ = nullptr;
};

}  // namespace stele::wf::detail
