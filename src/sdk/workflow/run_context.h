#pragma once

#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "sdk/core/activation.h"
#include "sdk/core/queue.h"
#include "sdk/data/headers.h"
#include "sdk/workflow/messages.h"
#include "sdk/workflow/random.h"
#include "sdk/workflow/surroundings.h"
#include "stele/detail/definition.h"
#include "stele/detail/operation.h"
#include "stele/workflow.h"

namespace stele::wf::detail {

/// Hears when a timer is over.
class TimerTarget {
public:
    virtual void on_timer() = 0;

protected:
    ~TimerTarget() = default;
};

/// Hears what an activity or an external call came to.
class ResolutionTarget {
public:
    virtual void on_resolution(core::Resolution resolution) = 0;

protected:
    ~ResolutionTarget() = default;
};

/// Hears what a local activity came to.
class LocalActivityTarget {
public:
    virtual void on_local_outcome(core::LocalActivityOutcome outcome) = 0;

protected:
    ~LocalActivityTarget() = default;
};

core::Command make_timer_command(core::Sequence sequence, Milliseconds duration,
                                 const Payload& summary);

/// A predicate that a coroutine waits for.
class ConditionTarget {
public:
    /// True when it holds and the waiter has been released.
    virtual bool check() = 0;

protected:
    ~ConditionTarget() = default;
};

/// The coroutines of one run, and the deterministic executor that drives them: one FIFO queue of
/// ready coroutines, emptied on every activation; then the first condition that holds is released,
/// and so on until nothing moves.
///
/// Belongs to one run. Entered by one thread at a time; while it is, current() finds it.
class RunContext final : public core::WorkflowCode {
public:
    RunContext(std::shared_ptr<const Definition> definition, sdk::Surroundings surroundings);
    /// Destroys all coroutines; what their destructors call is ignored.
    ~RunContext() override;

    std::vector<core::Call> activate(core::Activation activation) override;
    Payload query(const std::string& name,
                  const temporal::api::common::v1::Payloads& arguments) override;

    /// The run that this thread is working on. Throws IllegalCallError when there is none.
    static RunContext& current();
    static RunContext* current_or_null();

    const Info& info() const { return info_; }
    Time now() const { return now_; }
    bool replaying() const { return replaying_; }
    CancelScope& root_scope() { return root_scope_; }
    Random& random() { return random_; }
    bool evicting() const { return evicting_; }
    /// Throws IllegalCallError inside a query, a validator or a predicate.
    void require_writable() const;
    /// Makes require_writable() throw as long as it lives.
    class ReadOnly {
    public:
        explicit ReadOnly(bool& flag) : flag_(flag), previous_(std::exchange(flag, true)) {}
        ~ReadOnly() { flag_ = previous_; }
        ReadOnly(const ReadOnly&) = delete;

    private:
        bool& flag_;
        bool previous_;
    };
    ReadOnly forbid_changes() { return ReadOnly(read_only_); }

    /// What the coroutine at hand works for; null for the main routine.
    const std::shared_ptr<const WorkContext>& work() const { return work_; }
    void make_ready(std::coroutine_handle<> waiter, std::shared_ptr<const WorkContext> work);
    void call(core::Call call);

    core::Sequence add_activity(ResolutionTarget& target);
    void remove_activity(core::Sequence sequence) { activities_.erase(sequence); }
    core::Sequence add_local_activity(LocalActivityTarget& target);
    void remove_local_activity(core::Sequence sequence) { local_activities_.erase(sequence); }
    core::Sequence add_timer(TimerTarget& target);
    void remove_timer(core::Sequence sequence) { timers_.erase(sequence); }
    core::Sequence add_external_signal(ResolutionTarget& target);
    void remove_external_signal(core::Sequence sequence) { external_signals_.erase(sequence); }
    core::Sequence add_external_cancel(ResolutionTarget& target);
    void remove_external_cancel(core::Sequence sequence) { external_cancels_.erase(sequence); }

    core::Sequence add_child(Child& child);
    void remove_child(core::Sequence sequence) { children_.erase(sequence); }

    using ConditionHandle = std::list<ConditionTarget*>::iterator;
    ConditionHandle add_condition(ConditionTarget& target);
    void remove_condition(ConditionHandle handle) { conditions_.erase(handle); }

    bool patched(std::string_view id, bool deprecated);
    void end(core::Command command);
    /// Ends the run, or throws what must not end it.
    void fail_workflow(const std::exception_ptr& error);

    void note_waiting(PendingOperation& operation);
    void forget_waiting(PendingOperation& operation);
    /// What every coroutine waits for and where, outermost last. For people.
    std::string stack_trace() const;
    /// The same for programs: a temporal.api.sdk.v1.EnhancedStackTrace in JSON.
    Payload enhanced_stack_trace() const;

    /// Lets the interceptors add to the header that `field` gives, before this run calls something.
    template <class Field>
    void intercept_call(const InterceptedCall& call, Field field) const {
        sdk::add_headers(
            surroundings_.interceptors,
            [&](const Interceptor& interceptor, Headers& headers) {
                interceptor.workflow_calls(call, headers);
            },
            field);
    }
    /// Tells the interceptors that this run is called.
    void note_call(InterceptedCall::Kind kind, const std::string& name,
                   const temporal::api::common::v1::Header& header) const;

    Messages& messages() { return messages_; }
    void* object() const { return body_->object(); }
    void upsert_memo(const temporal::api::common::v1::Memo& memo);
    void upsert_search_attributes(const temporal::api::common::v1::SearchAttributes& attributes);
    const std::optional<Payload>& last_result() const { return last_result_; }
    const std::shared_ptr<const FailureError>& last_failure() const { return last_failure_; }
    const std::string& current_details() const { return current_details_; }
    void set_current_details(std::string text) { current_details_ = std::move(text); }
    /// Says nothing while the past is repeated.
    void log(LogLevel level, std::string_view message) const;

private:
    using Targets = std::unordered_map<core::Sequence, ResolutionTarget*>;

    void apply(core::InitializeJob& job);
    void apply(core::PatchJob& job);
    void apply(core::ReseedJob& job);
    void apply(core::SignalJob& job);
    void apply(core::CancelJob& job);
    void apply(core::TimerFiredJob& job);
    void apply(core::ActivityResolvedJob& job);
    void apply(core::SignalExternalResolvedJob& job);
    void apply(core::CancelExternalResolvedJob& job);
    void apply(core::ChildStartedJob& job);
    void apply(core::ChildResolvedJob& job);
    void apply(core::UpdateJob& job);
    void apply(core::LocalActivityResolvedJob& job);
    void apply(core::ChildCancelRequestedJob& job);

    void run_until_idle();
    void drain_ready_queue();
    bool release_first_condition();
    void finish_main();
    void finish_handlers();
    void warn_of_unfinished_handlers() const;

    std::shared_ptr<const Definition> definition_;
    sdk::Surroundings surroundings_;
    Info info_;
    Time now_{};
    bool replaying_ = false;
    bool read_only_ = false;
    bool evicting_ = false;
    bool ended_ = false;
    Random random_;

    CancelScope root_scope_{nullptr};
    struct Ready {
        std::coroutine_handle<> coroutine;
        std::shared_ptr<const WorkContext> work;
    };
    core::Queue<Ready> ready_;
    PendingOperation* first_waiting_ = nullptr;
    PendingOperation* last_waiting_ = nullptr;
    std::shared_ptr<const WorkContext> work_;
    std::list<ConditionTarget*> conditions_;
    std::vector<core::Call> calls_;

    Targets activities_;
    Targets external_signals_;
    Targets external_cancels_;
    std::unordered_map<core::Sequence, TimerTarget*> timers_;
    std::unordered_map<core::Sequence, LocalActivityTarget*> local_activities_;
    std::unordered_map<core::Sequence, Child*> children_;
    core::Sequence last_activity_ = 0;
    core::Sequence last_timer_ = 0;
    core::Sequence last_local_activity_ = 0;
    core::Sequence last_external_signal_ = 0;
    core::Sequence last_external_cancel_ = 0;
    core::Sequence last_child_ = 0;

    std::map<std::string, bool, std::less<>> patches_;
    std::vector<std::string> notified_patches_;
    Messages messages_;
    std::string current_details_;
    std::optional<Payload> last_result_;
    std::shared_ptr<const FailureError> last_failure_;

    std::unique_ptr<Body> body_;
    task<std::optional<Payload>> main_;
    bool main_finished_ = false;
};

}  // namespace stele::wf::detail
