#pragma once

#include <coroutine>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>

#include "stele/options.h"
#include "stele/payload.h"

// The untyped half of the workflow API: what the templates of task.h and workflow.h stand on.
// Everything here belongs to the one thread that runs the workflow's current activation.
namespace stele::wf::detail {

class RunContext;
/// What a coroutine works for, beyond its own code: at present the update whose handler it belongs
/// to. Handed on from what waits to what it resumes.
struct WorkContext;

/// Something that hears of the cancellation of the scope that it was started in, at most once, in
/// the order of starting.
class Cancellable {
public:
    Cancellable() = default;
    Cancellable(const Cancellable&) = delete;
    Cancellable& operator=(const Cancellable&) = delete;

protected:
    virtual ~Cancellable() { unlink(); }
    virtual void on_cancel(const std::string& reason) = 0;
    void unlink();

private:
    friend class CancelScope;
    Cancellable* previous_ = nullptr;
    Cancellable* next_ = nullptr;
};

/// A region of a workflow that is cancelled as a whole. The run has one; combinators add nested
/// ones; a scope without a parent is a shield.
class CancelScope final : public Cancellable {
public:
    explicit CancelScope(CancelScope* parent);
    ~CancelScope() override;

    bool cancelled() const { return cancelled_; }
    const std::string& reason() const { return reason_; }
    /// Later calls change nothing.
    void cancel(const std::string& reason);
    void add(Cancellable& member);

private:
    void on_cancel(const std::string& reason) override { cancel(reason); }

    struct Anchor final : Cancellable {
        void on_cancel(const std::string&) override {}
    };
    Anchor anchor_;
    bool cancelled_ = false;
    std::string reason_;
};

/// Where a coroutine stands, and who waits for it: what a stack trace is made of.
struct Frame {
    std::source_location where;
    const Frame* caller = nullptr;
};

/// One thing that a coroutine can wait for. It starts when it is awaited, not before, so that
/// operations start in program order.
class PendingOperation : public Cancellable {
public:
    PendingOperation() = default;
    ~PendingOperation() override { leave_waiting_list(); }

    /// Starts it in the current run. True when its result is there already.
    bool start(CancelScope& scope);
    void wait(std::coroutine_handle<> waiter, const Frame& frame);
    /// Throws what the operation failed with. An absent payload means void.
    const std::optional<Payload>& result() const;

    bool resolved() const { return resolved_; }
    void resolve(std::optional<Payload> result);
    void fail(std::exception_ptr error);

protected:
    virtual void begin(RunContext& run) = 0;
    /// Whether it is begun even in a scope that has been cancelled, and then hears of that at once.
    virtual bool begins_when_cancelled() const { return false; }

private:
    friend class RunContext;
    void finish();
    void leave_waiting_list();

    /// The run's list of what is waited for, in the order of waiting.
    RunContext* run_waiting_ = nullptr;
    PendingOperation* previous_waiting_ = nullptr;
    PendingOperation* next_waiting_ = nullptr;
    const Frame* frame_ = nullptr;
    bool started_ = false;
    bool resolved_ = false;
    std::coroutine_handle<> waiter_;
    std::shared_ptr<const WorkContext> work_;
    std::optional<Payload> result_;
    std::exception_ptr error_;
};

using OperationPointer = std::unique_ptr<PendingOperation>;

OperationPointer make_activity(std::string_view type, Payloads input,
                               const ActivityOptions& options);
OperationPointer make_local_activity(std::string_view type, Payloads input,
                                     const LocalActivityOptions& options);
OperationPointer make_timer(Milliseconds duration, const TimerOptions& options);
/// Resolves to true when the predicate holds, to false when the timeout comes first.
OperationPointer make_condition(std::function<bool()> predicate,
                                std::optional<Milliseconds> timeout);
OperationPointer make_external_signal(std::string_view workflow_id, std::string_view run_id,
                                      std::string_view signal, Payloads input);
OperationPointer make_external_cancel(std::string_view workflow_id, std::string_view run_id,
                                      std::string_view reason);
/// A child workflow that has been asked for. Shared by the operations that wait for its start and for
/// its end.
class Child;
std::shared_ptr<Child> make_child(std::string_view type, Payloads input,
                                  const ChildOptions& options);
/// Begins it when awaited; resolves to a payload with the run id.
OperationPointer make_child_start(std::shared_ptr<Child> child);
OperationPointer make_child_result(std::shared_ptr<Child> child);
const std::string& child_workflow_id(const Child& child);

void issue_upsert_search_attributes(std::vector<std::pair<std::string, Payload>> attributes);
void issue_upsert_memo(std::vector<std::pair<std::string, Payload>> fields);
void issue_continue_as_new(std::string_view type, Payloads input,
                           const ContinueAsNewOptions& options);

/// Puts a suspended coroutine at the end of the current run's ready queue. It goes on working for
/// what its caller works for.
void make_ready(std::coroutine_handle<> waiter);

}  // namespace stele::wf::detail
