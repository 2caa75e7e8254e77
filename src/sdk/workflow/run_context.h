#pragma once

#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "sdk/core/activation.h"
#include "sdk/workflow/random.h"
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
    struct Identity {
        std::string namespace_name;
        std::string workflow_id;
        std::string run_id;
    };

    RunContext(std::shared_ptr<const Definition> definition, Identity identity);
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
    /// Throws IllegalCallError inside a query or a predicate.
    void require_writable() const;

    void make_ready(std::coroutine_handle<> waiter);
    void call(core::Call call);

    core::Sequence add_activity(ResolutionTarget& target);
    void remove_activity(core::Sequence sequence) { activities_.erase(sequence); }
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
    void set_signal_handler(std::string_view name, SignalFunction handler);
    void set_query_handler(std::string_view name, QueryFunction handler);

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

    void run_until_idle();
    void drain_ready_queue();
    bool release_first_condition();
    void deliver_signal(const std::string& name, const Payloads& input);
    void dispatch(const std::function<std::optional<task<void>>()>& handler,
                  const std::string& name);
    void finish_main();
    void finish_handlers();
    void fail_workflow(const std::exception_ptr& error);
    Payload handlers_metadata() const;

    std::shared_ptr<const Definition> definition_;
    Identity identity_;
    Info info_;
    Time now_{};
    bool replaying_ = false;
    bool read_only_ = false;
    bool evicting_ = false;
    bool ended_ = false;
    Random random_;

    CancelScope root_scope_{nullptr};
    std::deque<std::coroutine_handle<>> ready_;
    std::list<ConditionTarget*> conditions_;
    std::vector<core::Call> calls_;

    Targets activities_;
    Targets external_signals_;
    Targets external_cancels_;
    std::unordered_map<core::Sequence, TimerTarget*> timers_;
    std::unordered_map<core::Sequence, Child*> children_;
    core::Sequence last_activity_ = 0;
    core::Sequence last_timer_ = 0;
    core::Sequence last_external_signal_ = 0;
    core::Sequence last_external_cancel_ = 0;
    core::Sequence last_child_ = 0;

    std::map<std::string, bool, std::less<>> patches_;
    std::vector<std::string> notified_patches_;
    std::map<std::string, SignalFunction, std::less<>> signal_handlers_;
    std::map<std::string, QueryFunction, std::less<>> query_handlers_;
    std::vector<std::pair<std::string, Payloads>> unhandled_signals_;

    std::unique_ptr<Body> body_;
    task<std::optional<Payload>> main_;
    bool main_finished_ = false;
    std::list<task<void>> handlers_;
};

}  // namespace stele::wf::detail
