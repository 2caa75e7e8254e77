#include "sdk/workflow/run_context.h"

#include <algorithm>
#include <typeinfo>
#include <utility>

#include "base/probe.h"
#include "sdk/core/errors.h"
#include "sdk/data/class_name.h"
#include "sdk/data/convert.h"
#include "sdk/workflow/child.h"
#include "temporal/api/enums/v1/command_type.pb.h"

namespace stele::wf::detail {

namespace enums = temporal::api::enums::v1;

namespace {

// Workflow code finds its run through the thread that works on it. It is set for the length of one
// activation, query or eviction, and never across a suspension.
thread_local RunContext* current_run = nullptr;

class EnterRun {
public:
    explicit EnterRun(RunContext& run) : previous_(std::exchange(current_run, &run)) {}
    ~EnterRun() { current_run = previous_; }
    EnterRun(const EnterRun&) = delete;

private:
    RunContext* previous_;
};

Time to_time(std::int64_t nanoseconds) { return Time(std::chrono::nanoseconds(nanoseconds)); }

[[noreturn]] void fail_task_with(const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const core::WorkflowTaskFailure&) {
        throw;
    } catch (const std::exception& exception) {
        core::fail_task("workflow code threw " + sdk::class_name_of(exception) + ": " +
                        exception.what());
    } catch (...) {
        core::fail_task("workflow code threw something that is not a std::exception");
    }
}

}  // namespace

RunContext::RunContext(std::shared_ptr<const Definition> definition, sdk::Surroundings surroundings)
    : definition_(std::move(definition)),
      surroundings_(std::move(surroundings)),
      random_(surroundings_.run_id),
      messages_(*this, definition_) {}

RunContext::~RunContext() {
    EnterRun enter(*this);
    evicting_ = true;
    ready_.clear();
    messages_.clear();
    main_ = {};
    body_.reset();
}

RunContext* RunContext::current_or_null() { return current_run; }

RunContext& RunContext::current() {
    if (current_run == nullptr)
        throw IllegalCallError("this function may be called from workflow code only");
    return *current_run;
}

void RunContext::require_writable() const {
    if (read_only_)
        throw IllegalCallError("a query, a validator or a condition must not change the workflow");
}

void RunContext::make_ready(std::coroutine_handle<> waiter,
                            std::shared_ptr<const WorkContext> work) {
    if (!evicting_) ready_.push_back({waiter, std::move(work)});
}

void RunContext::log(LogLevel level, std::string_view message) const {
    if (replaying_ || evicting_ || !surroundings_.logger) return;
    surroundings_.logger({level,
                          std::string(message),
                          {{"namespace", surroundings_.namespace_name},
                           {"workflow_id", surroundings_.workflow_id},
                           {"run_id", surroundings_.run_id},
                           {"workflow_type", info_.workflow_type},
                           {"task_queue", info_.task_queue}}});
}

void RunContext::call(core::Call call) {
    if (!evicting_) calls_.push_back(std::move(call));
}

std::vector<core::Call> RunContext::activate(core::Activation activation) {
    EnterRun enter(*this);
    calls_.clear();
    replaying_ = activation.replaying;
    if (!replaying_ || !STELE_BUG("sdk.clock-stands-in-replay"))
        now_ = to_time(activation.time_nanoseconds);
    info_.history_length = activation.history_length;
    info_.history_bytes = activation.history_bytes;
    info_.continue_as_new_suggested = activation.continue_as_new_suggested;
    info_.continue_as_new_reasons.clear();
    for (const int reason : activation.continue_as_new_reasons)
        info_.continue_as_new_reasons.push_back(static_cast<ContinueAsNewReason>(reason));
    info_.target_version_changed = activation.target_version_changed;
    info_.deployment_version =
        replaying_ ? activation.completed_by : surroundings_.deployment_version;
    try {
        for (core::Job& job : activation.jobs)
            std::visit([this](auto& concrete) { apply(concrete); }, job);
        // The main routine goes last: signals that came with the start are handled before it.
        if (main_.handle() && main_.handle().promise().scope == nullptr) {
            main_.handle().promise().scope = &root_scope_;
            make_ready(main_.handle(), nullptr);
        }
        const bool had_ended = ended_;
        run_until_idle();
        messages_.reject_unclaimed();
        if (ended_ && !had_ended) warn_of_unfinished_handlers();
    } catch (const core::WorkflowTaskFailure&) {
        throw;
    } catch (...) {
        fail_task_with(std::current_exception());
    }
    return std::exchange(calls_, {});
}

void RunContext::run_until_idle() {
    do {
        drain_ready_queue();
    } while (release_first_condition());
}

void RunContext::drain_ready_queue() {
    while (!ready_.empty()) {
        const Ready next = std::move(ready_.front());
        ready_.pop_front();
        work_ = next.work;
        next.coroutine.resume();
        work_.reset();
        finish_handlers();
        finish_main();
    }
}

bool RunContext::release_first_condition() {
    for (auto* condition : conditions_) {
        const ReadOnly guard = forbid_changes();
        if (condition->check()) return true;
    }
    return false;
}

void RunContext::apply(core::InitializeJob& job) {
    const auto& attributes = job.attributes;
    info_.workflow_id = surroundings_.workflow_id;
    info_.run_id = surroundings_.run_id;
    info_.namespace_name = surroundings_.namespace_name;
    info_.first_run_id = attributes.first_execution_run_id();
    info_.workflow_type = attributes.workflow_type().name();
    info_.task_queue = attributes.task_queue().name();
    info_.attempt = attributes.attempt();
    info_.start_time = to_time(job.start_time_nanoseconds);
    info_.continued_from_run_id = attributes.continued_execution_run_id();
    info_.continuation = static_cast<Continuation>(static_cast<int>(attributes.initiator()));
    info_.parent_workflow_id = attributes.parent_workflow_execution().workflow_id();
    info_.parent_run_id = attributes.parent_workflow_execution().run_id();
    info_.root_workflow_id = attributes.root_workflow_execution().workflow_id();
    upsert_memo(attributes.memo());
    upsert_search_attributes(attributes.search_attributes());
    if (!attributes.last_completion_result().payloads().empty())
        last_result_ = attributes.last_completion_result().payloads(0);
    if (attributes.has_continued_failure())
        last_failure_ = failure_to_error(attributes.continued_failure());
    info_.cron_schedule = attributes.cron_schedule();
    info_.run_timeout = sdk::from_duration(attributes.workflow_run_timeout());
    info_.execution_timeout = sdk::from_duration(attributes.workflow_execution_timeout());
    info_.task_timeout = sdk::from_duration(attributes.workflow_task_timeout());
    // A reset makes a new run with the same past: it must draw what the original drew.
    if (!attributes.original_execution_run_id().empty())
        random_.reseed(attributes.original_execution_run_id());
    info_.headers = sdk::to_headers(attributes.header());
    note_call(InterceptedCall::Kind::kWorkflow, info_.workflow_type, attributes.header());
    body_ = definition_->make();
    main_ = body_->run(sdk::to_vector(attributes.input()));
}

namespace {

template <class Fields>
void upsert(const Fields& changes, PayloadFields& fields) {
    for (const auto& [name, value] : changes) {
        if (stele::detail::is_null(value))
            fields.erase(name);
        else
            fields[name] = value;
    }
}

}  // namespace

void RunContext::upsert_memo(const temporal::api::common::v1::Memo& memo) {
    upsert(memo.fields(), info_.memo);
}

void RunContext::upsert_search_attributes(
    const temporal::api::common::v1::SearchAttributes& attributes) {
    upsert(attributes.indexed_fields(), info_.search_attributes);
}

void RunContext::apply(core::PatchJob& job) { notified_patches_.push_back(job.id); }

void RunContext::apply(core::ReseedJob& job) { random_.reseed(job.run_id); }

void RunContext::apply(core::CancelJob& job) { root_scope_.cancel(job.reason); }

void RunContext::apply(core::SignalJob& job) {
    note_call(InterceptedCall::Kind::kSignal, job.attributes.signal_name(),
              job.attributes.header());
    messages_.deliver_signal(job.attributes.signal_name(), sdk::to_vector(job.attributes.input()));
}

void RunContext::note_call(InterceptedCall::Kind kind, const std::string& name,
                           const temporal::api::common::v1::Header& header) const {
    if (surroundings_.interceptors.empty()) return;
    const InterceptedCall call{kind, name, info_.workflow_id};
    const Headers headers = sdk::to_headers(header);
    for (const auto& interceptor : surroundings_.interceptors)
        interceptor->workflow_is_called(call, headers);
}

void RunContext::apply(core::UpdateJob& job) {
    note_call(InterceptedCall::Kind::kUpdate, job.request.input().name(),
              job.request.input().header());
    messages_.deliver_update(std::move(job));
}

void RunContext::apply(core::TimerFiredJob& job) {
    const auto found = timers_.find(job.sequence);
    if (found == timers_.end()) return;
    TimerTarget* target = found->second;
    timers_.erase(found);
    target->on_timer();
}

namespace {

void resolve(std::unordered_map<core::Sequence, ResolutionTarget*>& targets,
             core::Sequence sequence, core::Resolution& resolution) {
    const auto found = targets.find(sequence);
    if (found == targets.end()) return;
    ResolutionTarget* target = found->second;
    targets.erase(found);
    target->on_resolution(std::move(resolution));
}

}  // namespace

void RunContext::apply(core::ActivityResolvedJob& job) {
    resolve(activities_, job.sequence, job.resolution);
}

void RunContext::apply(core::SignalExternalResolvedJob& job) {
    resolve(external_signals_, job.sequence, job.resolution);
}

void RunContext::apply(core::CancelExternalResolvedJob& job) {
    resolve(external_cancels_, job.sequence, job.resolution);
}

void RunContext::apply(core::ChildStartedJob& job) {
    const auto found = children_.find(job.sequence);
    if (found == children_.end()) return;
    Child* child = found->second;
    if (job.resolution.kind != core::Resolution::Kind::kCompleted) children_.erase(found);
    child->on_started(std::move(job.run_id), std::move(job.resolution));
}

void RunContext::apply(core::ChildResolvedJob& job) {
    const auto found = children_.find(job.sequence);
    if (found == children_.end()) return;
    Child* child = found->second;
    children_.erase(found);
    child->on_ended(std::move(job.resolution));
}

void RunContext::apply(core::ChildCancelRequestedJob& job) {
    const auto found = children_.find(job.sequence);
    if (found != children_.end()) found->second->on_cancel_requested();
}

core::Sequence RunContext::add_child(Child& child) {
    children_[++last_child_] = &child;
    return last_child_;
}

core::Sequence RunContext::add_activity(ResolutionTarget& target) {
    activities_[++last_activity_] = &target;
    return last_activity_;
}

void RunContext::apply(core::LocalActivityResolvedJob& job) {
    const auto found = local_activities_.find(job.sequence);
    if (found == local_activities_.end()) return;
    LocalActivityTarget* target = found->second;
    local_activities_.erase(found);
    target->on_local_outcome(std::move(job.outcome));
}

core::Sequence RunContext::add_local_activity(LocalActivityTarget& target) {
    local_activities_[++last_local_activity_] = &target;
    return last_local_activity_;
}

core::Sequence RunContext::add_timer(TimerTarget& target) {
    timers_[++last_timer_] = &target;
    return last_timer_;
}

core::Sequence RunContext::add_external_signal(ResolutionTarget& target) {
    external_signals_[++last_external_signal_] = &target;
    return last_external_signal_;
}

core::Sequence RunContext::add_external_cancel(ResolutionTarget& target) {
    external_cancels_[++last_external_cancel_] = &target;
    return last_external_cancel_;
}

RunContext::ConditionHandle RunContext::add_condition(ConditionTarget& target) {
    return conditions_.insert(conditions_.end(), &target);
}

bool RunContext::patched(std::string_view id, bool deprecated) {
    require_writable();
    const auto known = patches_.find(id);
    if (known != patches_.end()) return known->second;
    const bool recorded = std::find(notified_patches_.begin(), notified_patches_.end(), id) !=
                          notified_patches_.end();
    const bool taken = deprecated || recorded || !replaying_;
    patches_.emplace(id, taken);
    // While replaying, a deprecated patch that was never recorded leaves no trace.
    if (taken && (recorded || !replaying_)) call(core::PatchCall{std::string(id), deprecated});
    return taken;
}

void RunContext::warn_of_unfinished_handlers() const {
    const std::vector<std::string> names = messages_.unfinished();
    if (names.empty()) return;
    std::string text =
        "the run ends while handlers are at work; wait for all_handlers_finished, or "
        "register them as Unfinished::kAbandon:";
    for (const std::string& name : names) text += " " + name;
    log(LogLevel::kWarning, text);
}

void RunContext::end(core::Command command) {
    if (std::exchange(ended_, true)) return;
    call(core::EndCall{std::move(command)});
}

void RunContext::finish_handlers() {
    if (const std::exception_ptr error = messages_.finish()) fail_workflow(error);
}

void RunContext::finish_main() {
    if (main_finished_ || !main_.done()) return;
    main_finished_ = true;
    auto& promise = main_.handle().promise();
    if (promise.error) {
        fail_workflow(promise.error);
        return;
    }
    core::Command command;
    command.set_command_type(enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION);
    auto& attributes = *command.mutable_complete_workflow_execution_command_attributes();
    if (std::optional<Payload> result = promise.take())
        *attributes.mutable_result()->add_payloads() = std::move(*result);
    end(std::move(command));
}

// Temporal failures end the workflow. Everything else is a bug: the task fails and is tried again
// until the code is repaired.
void RunContext::fail_workflow(const std::exception_ptr& error) {
    core::Command command;
    try {
        std::rethrow_exception(error);
    } catch (const FailureError& failure) {
        if (failure.is_cancellation() && root_scope_.cancelled()) {
            command.set_command_type(enums::COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION);
            command.mutable_cancel_workflow_execution_command_attributes();
        } else {
            command.set_command_type(enums::COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION);
            *command.mutable_fail_workflow_execution_command_attributes()->mutable_failure() =
                failure.proto();
        }
    } catch (const core::WorkflowTaskFailure&) {
        throw;
    } catch (const std::exception& exception) {
        if (!surroundings_.fails_workflow || !surroundings_.fails_workflow(exception))
            fail_task_with(std::current_exception());
        command.set_command_type(enums::COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION);
        *command.mutable_fail_workflow_execution_command_attributes()->mutable_failure() =
            error_to_failure(std::current_exception());
    } catch (...) {
        fail_task_with(std::current_exception());
    }
    end(std::move(command));
}

Payload RunContext::query(const std::string& name,
                          const temporal::api::common::v1::Payloads& arguments) {
    EnterRun enter(*this);
    const ReadOnly guard = forbid_changes();
    const Payloads input = sdk::to_vector(arguments);
    if (name == "__temporal_workflow_metadata") return messages_.metadata();
    if (name == "__stack_trace") return encode_value(stack_trace());
    if (name == "__enhanced_stack_trace") return enhanced_stack_trace();
    return messages_.answer(name, input);
}

}  // namespace stele::wf::detail
