#include "sdk/workflow/child.h"

#include <utility>

#include "sdk/data/convert.h"
#include "sdk/data/versioning.h"
#include "sdk/workflow/settle.h"
#include "stele/errors.h"
#include "temporal/api/enums/v1/command_type.pb.h"
#include "temporal/api/enums/v1/workflow.pb.h"

namespace stele::wf::detail {

namespace enums = temporal::api::enums::v1;

Child::Child(core::Command command, ChildCancellation cancellation)
    : command_(std::move(command)), cancellation_(cancellation) {
    const auto& attributes = command_.start_child_workflow_execution_command_attributes();
    workflow_id_ = attributes.workflow_id();
    type_ = attributes.workflow_type().name();
}

Child::~Child() {
    if (run_ != nullptr) run_->remove_child(sequence_);
}

void Child::begin(RunContext& run) {
    run_ = &run;
    sequence_ = run.add_child(*this);
    auto& attributes = *command_.mutable_start_child_workflow_execution_command_attributes();
    run.intercept_call({InterceptedCall::Kind::kWorkflow, type_, workflow_id_},
                       [&] { return attributes.mutable_header(); });
    run.call(core::StartChildCall{sequence_, std::move(command_), cancellation_});
}

void Child::request_cancel(const std::string& reason) {
    cancel_reason_ = reason;
    if (run_ != nullptr) run_->call(core::CancelChildCall{sequence_, reason});
}

void Child::on_started(std::string run_id, core::Resolution resolution) {
    started_ = resolution.kind == core::Resolution::Kind::kCompleted;
    run_id_ = std::move(run_id);
    if (!started_) {
        run_ = nullptr;
        ending_ = resolution;
    }
    PendingOperation* waiter = std::exchange(start_waiter_, nullptr);
    if (waiter == nullptr) return;
    if (started_)
        waiter->resolve(encode_value(run_id_));
    else
        settle(*waiter, std::move(resolution));
}

void Child::on_ended(core::Resolution resolution) {
    run_ = nullptr;
    ending_ = std::move(resolution);
    if (PendingOperation* waiter = std::exchange(end_waiter_, nullptr)) settle(*waiter, *ending_);
}

namespace {

std::exception_ptr make_child_canceled(const Child& child, const std::string& reason) {
    core::Failure failure;
    failure.set_message("Child workflow execution failed");
    auto& info = *failure.mutable_child_workflow_execution_failure_info();
    info.mutable_workflow_execution()->set_workflow_id(child.workflow_id());
    info.mutable_workflow_execution()->set_run_id(child.run_id());
    info.mutable_workflow_type()->set_name(child.type());
    *failure.mutable_cause() = workflow_canceled(reason);
    return make_exception(failure);
}

}  // namespace

// Who waits only for this goes on; the child may still take its time.
void Child::on_cancel_requested() {
    if (cancellation_ != ChildCancellation::kWaitRequested) return;
    for (PendingOperation** waiter : {&start_waiter_, &end_waiter_})
        if (PendingOperation* waiting = std::exchange(*waiter, nullptr))
            waiting->fail(make_child_canceled(*this, cancel_reason_));
}

namespace {

class ChildStartOperation final : public PendingOperation {
public:
    explicit ChildStartOperation(std::shared_ptr<Child> child) : child_(std::move(child)) {}
    ~ChildStartOperation() override { child_->set_start_waiter(nullptr); }

private:
    void begin(RunContext& run) override {
        child_->set_start_waiter(this);
        child_->begin(run);
    }
    void on_cancel(const std::string& reason) override {
        child_->request_cancel(reason);
        if (child_->waits_when_cancelled()) return;
        child_->set_start_waiter(nullptr);
        fail(make_child_canceled(*child_, reason));
    }

    std::shared_ptr<Child> child_;
};

class ChildResultOperation final : public PendingOperation {
public:
    explicit ChildResultOperation(std::shared_ptr<Child> child) : child_(std::move(child)) {}
    ~ChildResultOperation() override { child_->set_end_waiter(nullptr); }

private:
    // The child may have been started before the cancellation; how it ends still counts.
    bool begins_when_cancelled() const override { return true; }
    void begin(RunContext&) override {
        if (child_->ending())
            settle(*this, *child_->ending());
        else
            child_->set_end_waiter(this);
    }
    void on_cancel(const std::string& reason) override {
        child_->request_cancel(reason);
        if (child_->waits_when_cancelled()) return;
        child_->set_end_waiter(nullptr);
        fail(make_child_canceled(*child_, reason));
    }

    std::shared_ptr<Child> child_;
};

}  // namespace

std::shared_ptr<Child> make_child(std::string_view type, Payloads input,
                                  const ChildOptions& options) {
    RunContext& run = RunContext::current();
    run.require_writable();
    core::Command command;
    command.set_command_type(enums::COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION);
    auto& attributes = *command.mutable_start_child_workflow_execution_command_attributes();
    attributes.set_namespace_(run.info().namespace_name);
    attributes.set_workflow_id(options.id.empty() ? uuid() : std::string(options.id));
    attributes.mutable_workflow_type()->set_name(std::string(type));
    attributes.mutable_task_queue()->set_name(
        options.task_queue.empty() ? run.info().task_queue : std::string(options.task_queue));
    *attributes.mutable_input() = sdk::to_message(std::move(input));
    *attributes.mutable_workflow_execution_timeout() = sdk::to_duration(options.execution_timeout);
    *attributes.mutable_workflow_run_timeout() = sdk::to_duration(options.run_timeout);
    *attributes.mutable_workflow_task_timeout() = sdk::to_duration(options.task_timeout);
    attributes.set_parent_close_policy(
        static_cast<enums::ParentClosePolicy>(static_cast<int>(options.parent_close)));
    if (options.versioning_override)
        *attributes.mutable_versioning_override() = sdk::to_message(*options.versioning_override);
    attributes.set_workflow_id_reuse_policy(
        static_cast<enums::WorkflowIdReusePolicy>(static_cast<int>(options.id_reuse)));
    if (options.retry) *attributes.mutable_retry_policy() = sdk::to_message(*options.retry);
    attributes.set_cron_schedule(std::string(options.cron_schedule));
    if (const auto priority = sdk::to_message(options.priority))
        *attributes.mutable_priority() = *priority;
    for (const auto& [name, value] : options.memo)
        (*attributes.mutable_memo()->mutable_fields())[name] = value;
    for (const auto& [name, value] : options.search_attributes)
        (*attributes.mutable_search_attributes()->mutable_indexed_fields())[name] = value;
    if (!options.summary.empty())
        *command.mutable_user_metadata()->mutable_summary() = sdk::json_string(options.summary);
    if (!options.details.empty())
        *command.mutable_user_metadata()->mutable_details() = sdk::json_string(options.details);
    return std::make_shared<Child>(std::move(command), options.cancellation);
}

OperationPointer make_child_start(std::shared_ptr<Child> child) {
    return std::make_unique<ChildStartOperation>(std::move(child));
}

OperationPointer make_child_result(std::shared_ptr<Child> child) {
    return std::make_unique<ChildResultOperation>(std::move(child));
}

const std::string& child_workflow_id(const Child& child) { return child.workflow_id(); }

}  // namespace stele::wf::detail
