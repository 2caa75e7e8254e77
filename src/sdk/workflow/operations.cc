#include <utility>

#include "sdk/data/convert.h"
#include "sdk/workflow/run_context.h"
#include "sdk/workflow/settle.h"
#include "stele/detail/operation.h"
#include "stele/errors.h"
#include "temporal/api/enums/v1/command_type.pb.h"
#include "temporal/api/enums/v1/workflow.pb.h"

// One class for each thing that a workflow can wait for. An operation that is destroyed while it is
// pending takes itself out of its run; that happens when a run leaves the cache.
namespace stele::wf::detail {

namespace enums = temporal::api::enums::v1;

std::exception_ptr make_exception(const core::Failure& failure) {
    try {
        throw_failure(failure);
    } catch (...) {
        return std::current_exception();
    }
}

core::Failure workflow_canceled(const std::string& reason) {
    core::Failure failure;
    failure.set_message(reason.empty() ? "workflow canceled" : "workflow canceled: " + reason);
    failure.mutable_canceled_failure_info();
    return failure;
}

std::exception_ptr make_activity_canceled(const std::string& type, const std::string& activity_id,
                                          const std::string& reason) {
    core::Failure failure;
    failure.set_message("Activity task failed");
    auto& info = *failure.mutable_activity_failure_info();
    info.mutable_activity_type()->set_name(type);
    info.set_activity_id(activity_id);
    *failure.mutable_cause() = workflow_canceled(reason);
    return make_exception(failure);
}

void settle(PendingOperation& operation, core::Resolution resolution) {
    if (resolution.kind == core::Resolution::Kind::kCompleted) {
        std::optional<Payload> result;
        if (!resolution.result.payloads().empty()) result = resolution.result.payloads(0);
        operation.resolve(std::move(result));
    } else {
        operation.fail(make_exception(resolution.failure));
    }
}

core::Command make_timer_command(core::Sequence sequence, Milliseconds duration,
                                 const Payload& summary) {
    core::Command command;
    command.set_command_type(enums::COMMAND_TYPE_START_TIMER);
    auto& attributes = *command.mutable_start_timer_command_attributes();
    attributes.set_timer_id(std::to_string(sequence));
    *attributes.mutable_start_to_fire_timeout() = sdk::to_duration(duration);
    if (!summary.data().empty()) *command.mutable_user_metadata()->mutable_summary() = summary;
    return command;
}

namespace {

std::exception_ptr make_canceled(const std::string& reason) {
    return std::make_exception_ptr(CanceledError(workflow_canceled(reason).message()));
}

class ActivityOperation final : public PendingOperation, public ResolutionTarget {
public:
    ActivityOperation(std::string_view type, Payloads input, const ActivityOptions& options)
        : cancellation_(options.cancellation) {
        command_.set_command_type(enums::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK);
        auto& attributes = *command_.mutable_schedule_activity_task_command_attributes();
        attributes.mutable_activity_type()->set_name(std::string(type));
        attributes.mutable_task_queue()->set_name(std::string(options.task_queue));
        *attributes.mutable_input() = sdk::to_message(std::move(input));
        *attributes.mutable_start_to_close_timeout() = sdk::to_duration(options.start_to_close);
        *attributes.mutable_schedule_to_close_timeout() =
            sdk::to_duration(options.schedule_to_close);
        *attributes.mutable_schedule_to_start_timeout() =
            sdk::to_duration(options.schedule_to_start);
        *attributes.mutable_heartbeat_timeout() = sdk::to_duration(options.heartbeat);
        if (options.retry) *attributes.mutable_retry_policy() = sdk::to_message(*options.retry);
        if (const auto priority = sdk::to_message(options.priority))
            *attributes.mutable_priority() = *priority;
        if (!options.summary.empty())
            *command_.mutable_user_metadata()->mutable_summary() =
                sdk::json_string(options.summary);
    }
    ~ActivityOperation() override {
        if (run_ != nullptr) run_->remove_activity(sequence_);
    }

    void on_resolution(core::Resolution resolution) override {
        run_ = nullptr;
        settle(*this, std::move(resolution));
    }

private:
    void begin(RunContext& run) override {
        run_ = &run;
        sequence_ = run.add_activity(*this);
        auto& attributes = *command_.mutable_schedule_activity_task_command_attributes();
        attributes.set_activity_id(std::to_string(sequence_));
        type_ = attributes.activity_type().name();
        if (attributes.task_queue().name().empty())
            attributes.mutable_task_queue()->set_name(run.info().task_queue);
        run.intercept_call({InterceptedCall::Kind::kActivity, type_, run.info().workflow_id},
                           [&] { return attributes.mutable_header(); });
        run.call(core::ScheduleActivityCall{sequence_, std::move(command_), cancellation_});
    }

    void on_cancel(const std::string& reason) override {
        run_->call(core::CancelActivityCall{sequence_});
        if (cancellation_ == ActivityCancellation::kWaitCompleted) return;
        std::exchange(run_, nullptr)->remove_activity(sequence_);
        fail(make_activity_canceled(type_, std::to_string(sequence_), reason));
    }

    RunContext* run_ = nullptr;
    core::Sequence sequence_ = 0;
    core::Command command_;
    std::string type_;
    ActivityCancellation cancellation_;
};

class TimerOperation final : public PendingOperation, public TimerTarget {
public:
    TimerOperation(Milliseconds duration, const TimerOptions& options) : duration_(duration) {
        if (!options.summary.empty()) summary_ = sdk::json_string(options.summary);
    }
    ~TimerOperation() override {
        if (run_ != nullptr) run_->remove_timer(sequence_);
    }

    void on_timer() override {
        run_ = nullptr;
        resolve(std::nullopt);
    }

private:
    void begin(RunContext& run) override {
        if (duration_.count() <= 0) {
            resolve(std::nullopt);
            return;
        }
        run_ = &run;
        sequence_ = run.add_timer(*this);
        run.call(
            core::StartTimerCall{sequence_, make_timer_command(sequence_, duration_, summary_)});
    }

    void on_cancel(const std::string& reason) override {
        RunContext* run = std::exchange(run_, nullptr);
        run->remove_timer(sequence_);
        run->call(core::CancelTimerCall{sequence_});
        fail(make_canceled(reason));
    }

    RunContext* run_ = nullptr;
    core::Sequence sequence_ = 0;
    Milliseconds duration_;
    Payload summary_;
};

class ConditionOperation final : public PendingOperation,
                                 public TimerTarget,
                                 public ConditionTarget {
public:
    ConditionOperation(std::function<bool()> predicate, std::optional<Milliseconds> timeout)
        : predicate_(std::move(predicate)), timeout_(timeout) {}
    ~ConditionOperation() override { forget(); }

    bool check() override {
        if (!predicate_()) return false;
        RunContext* run = run_;
        const bool with_timer = timer_running_;
        forget();
        if (with_timer) run->call(core::CancelTimerCall{sequence_});
        resolve(encode_value(true));
        return true;
    }

    void on_timer() override {
        timer_running_ = false;
        forget();
        resolve(encode_value(false));
    }

private:
    void begin(RunContext& run) override {
        if (predicate_()) {
            resolve(encode_value(true));
            return;
        }
        if (timeout_ && timeout_->count() <= 0) {
            resolve(encode_value(false));
            return;
        }
        run_ = &run;
        handle_ = run.add_condition(*this);
        if (!timeout_) return;
        sequence_ = run.add_timer(*this);
        timer_running_ = true;
        run.call(core::StartTimerCall{sequence_, make_timer_command(sequence_, *timeout_, {})});
    }

    void on_cancel(const std::string& reason) override {
        RunContext* run = run_;
        const bool with_timer = timer_running_;
        forget();
        if (with_timer) run->call(core::CancelTimerCall{sequence_});
        fail(make_canceled(reason));
    }

    void forget() {
        if (run_ == nullptr) return;
        if (std::exchange(timer_running_, false)) run_->remove_timer(sequence_);
        std::exchange(run_, nullptr)->remove_condition(handle_);
    }

    std::function<bool()> predicate_;
    std::optional<Milliseconds> timeout_;
    RunContext* run_ = nullptr;
    RunContext::ConditionHandle handle_;
    core::Sequence sequence_ = 0;
    bool timer_running_ = false;
};

class ExternalSignalOperation final : public PendingOperation, public ResolutionTarget {
public:
    ExternalSignalOperation(std::string_view workflow_id, std::string_view run_id,
                            std::string_view signal, Payloads input) {
        command_.set_command_type(enums::COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION);
        auto& attributes =
            *command_.mutable_signal_external_workflow_execution_command_attributes();
        attributes.mutable_execution()->set_workflow_id(std::string(workflow_id));
        attributes.mutable_execution()->set_run_id(std::string(run_id));
        attributes.set_signal_name(std::string(signal));
        *attributes.mutable_input() = sdk::to_message(std::move(input));
    }
    ~ExternalSignalOperation() override {
        if (run_ != nullptr) run_->remove_external_signal(sequence_);
    }

    void on_resolution(core::Resolution resolution) override {
        run_ = nullptr;
        settle(*this, std::move(resolution));
    }

private:
    void begin(RunContext& run) override {
        run_ = &run;
        sequence_ = run.add_external_signal(*this);
        command_.mutable_signal_external_workflow_execution_command_attributes()->set_namespace_(
            run.info().namespace_name);
        auto& attributes =
            *command_.mutable_signal_external_workflow_execution_command_attributes();
        run.intercept_call({InterceptedCall::Kind::kSignal, attributes.signal_name(),
                            attributes.execution().workflow_id()},
                           [&] { return attributes.mutable_header(); });
        run.call(core::SignalExternalCall{sequence_, std::move(command_)});
    }

    void on_cancel(const std::string& reason) override {
        RunContext* run = std::exchange(run_, nullptr);
        run->remove_external_signal(sequence_);
        run->call(core::DropSignalExternalCall{sequence_});
        fail(make_canceled(reason));
    }

    RunContext* run_ = nullptr;
    core::Sequence sequence_ = 0;
    core::Command command_;
};

class ExternalCancelOperation final : public PendingOperation, public ResolutionTarget {
public:
    ExternalCancelOperation(std::string_view workflow_id, std::string_view run_id,
                            std::string_view reason) {
        command_.set_command_type(enums::COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION);
        auto& attributes =
            *command_.mutable_request_cancel_external_workflow_execution_command_attributes();
        attributes.set_workflow_id(std::string(workflow_id));
        attributes.set_run_id(std::string(run_id));
        attributes.set_reason(std::string(reason));
    }
    ~ExternalCancelOperation() override {
        if (run_ != nullptr) run_->remove_external_cancel(sequence_);
    }

    void on_resolution(core::Resolution resolution) override {
        run_ = nullptr;
        settle(*this, std::move(resolution));
    }

private:
    void begin(RunContext& run) override {
        run_ = &run;
        sequence_ = run.add_external_cancel(*this);
        command_.mutable_request_cancel_external_workflow_execution_command_attributes()
            ->set_namespace_(run.info().namespace_name);
        run.call(core::CancelExternalCall{sequence_, std::move(command_)});
    }

    // The request is on its way; nothing can take it back. Its answer is not waited for.
    void on_cancel(const std::string& reason) override {
        std::exchange(run_, nullptr)->remove_external_cancel(sequence_);
        fail(make_canceled(reason));
    }

    RunContext* run_ = nullptr;
    core::Sequence sequence_ = 0;
    core::Command command_;
};

}  // namespace

bool PendingOperation::start(CancelScope& scope) {
    if (std::exchange(started_, true))
        throw IllegalCallError("an operation can be awaited once only");
    RunContext& run = RunContext::current();
    run.require_writable();
    if (scope.cancelled() && !begins_when_cancelled()) {
        error_ = make_canceled(scope.reason());
        resolved_ = true;
        return true;
    }
    work_ = run.work();
    begin(run);
    if (resolved_) return true;
    if (scope.cancelled())
        on_cancel(scope.reason());
    else
        scope.add(*this);
    return resolved_;
}

void PendingOperation::wait(std::coroutine_handle<> waiter, const Frame& frame) {
    waiter_ = waiter;
    frame_ = &frame;
    RunContext::current().note_waiting(*this);
}

void PendingOperation::leave_waiting_list() {
    if (run_waiting_ != nullptr) run_waiting_->forget_waiting(*this);
}

const std::optional<Payload>& PendingOperation::result() const {
    if (error_) std::rethrow_exception(error_);
    return result_;
}

void PendingOperation::resolve(std::optional<Payload> result) {
    result_ = std::move(result);
    finish();
}

void PendingOperation::fail(std::exception_ptr error) {
    error_ = std::move(error);
    finish();
}

void PendingOperation::finish() {
    resolved_ = true;
    unlink();
    leave_waiting_list();
    RunContext* run = RunContext::current_or_null();
    if (waiter_ && run != nullptr) run->make_ready(std::exchange(waiter_, {}), work_);
}

OperationPointer make_activity(std::string_view type, Payloads input,
                               const ActivityOptions& options) {
    return std::make_unique<ActivityOperation>(type, std::move(input), options);
}

OperationPointer make_timer(Milliseconds duration, const TimerOptions& options) {
    return std::make_unique<TimerOperation>(duration, options);
}

OperationPointer make_condition(std::function<bool()> predicate,
                                std::optional<Milliseconds> timeout) {
    return std::make_unique<ConditionOperation>(std::move(predicate), timeout);
}

OperationPointer make_external_signal(std::string_view workflow_id, std::string_view run_id,
                                      std::string_view signal, Payloads input) {
    return std::make_unique<ExternalSignalOperation>(workflow_id, run_id, signal, std::move(input));
}

OperationPointer make_external_cancel(std::string_view workflow_id, std::string_view run_id,
                                      std::string_view reason) {
    return std::make_unique<ExternalCancelOperation>(workflow_id, run_id, reason);
}

}  // namespace stele::wf::detail
