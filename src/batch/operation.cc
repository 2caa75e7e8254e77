#include "batch/operation.h"

#include "base/probe.h"
#include "batch/reset_target.h"

#include <utility>

namespace stele::batch {
namespace {

using history::ActivitySelector;
using history::None;
namespace service = api::workflowservice::v1;

api::common::v1::WorkflowExecution execution_of(const RunRef& run) {
    api::common::v1::WorkflowExecution execution;
    execution.set_workflow_id(run.workflow_id);
    execution.set_run_id(run.run_id);
    return execution;
}

std::string request_id(const std::string& job, const RunRef& run) {
    if (STELE_BUG("batch.no-request-id")) return {};
    return job + ":" + run.run_id;
}

void terminate(shard::Engine& engine, const shard::NamespacePtr& space, const Request& request,
               const RunRef& run, Reply<None> reply) {
    service::TerminateWorkflowExecutionRequest order;
    *order.mutable_workflow_execution() = execution_of(run);
    order.set_reason(request.reason());
    order.set_identity(request.termination_operation().identity());
    if (request.termination_operation().has_details()) {
        *order.mutable_details() = request.termination_operation().details();
    }
    engine.terminate(space, std::move(order), std::move(reply));
}

void cancel(shard::Engine& engine, const shard::NamespacePtr& space, const Request& request,
            const std::string& job, const RunRef& run, Reply<None> reply) {
    service::RequestCancelWorkflowExecutionRequest order;
    *order.mutable_workflow_execution() = execution_of(run);
    order.set_reason(request.reason());
    order.set_identity(request.cancellation_operation().identity());
    order.set_request_id(request_id(job, run));
    engine.request_cancel(space, std::move(order), std::move(reply));
}

void signal(shard::Engine& engine, const shard::NamespacePtr& space, const Request& request,
            const std::string& job, const RunRef& run, Reply<None> reply) {
    const auto& from = request.signal_operation();
    service::SignalWorkflowExecutionRequest order;
    *order.mutable_workflow_execution() = execution_of(run);
    order.set_signal_name(from.signal());
    if (from.has_input()) *order.mutable_input() = from.input();
    if (from.has_header()) *order.mutable_header() = from.header();
    order.set_identity(from.identity());
    order.set_request_id(request_id(job, run));
    engine.signal(space, std::move(order), std::move(reply));
}

service::ResetWorkflowExecutionRequest reset_order(const Request& request, const std::string& job,
                                                   const RunRef& run, const ResetTarget& target) {
    const auto& from = request.reset_operation();
    service::ResetWorkflowExecutionRequest order;
    *order.mutable_workflow_execution() = execution_of(run);
    order.mutable_workflow_execution()->set_run_id(target.run_id);
    order.set_reason(request.reason());
    order.set_request_id(request_id(job, run));
    order.set_workflow_task_finish_event_id(target.event_id);
    if (from.has_options()) {
        order.set_reset_reapply_type(from.options().reset_reapply_type());
        *order.mutable_reset_reapply_exclude_types() = from.options().reset_reapply_exclude_types();
    } else {
        order.set_reset_reapply_type(from.reset_reapply_type());
    }
    *order.mutable_post_reset_operations() = from.post_reset_operations();
    order.set_identity(from.identity());
    return order;
}

void reset(shard::Engine& engine, const shard::NamespacePtr& space, const Request& request,
           const std::string& job, const RunRef& run, Timestamp now, Reply<None> reply) {
    find_reset_target(
        engine, space, run, request.reset_operation(), now,
        [&engine, space, request, job, run,
         reply = std::move(reply)](absl::StatusOr<ResetTarget> target) mutable {
            if (!target.ok()) return reply(std::move(target).status());
            engine.reset(space, reset_order(request, job, run, *target),
                         outcome_only<service::ResetWorkflowExecutionResponse>(std::move(reply)));
        });
}

template <typename Choice>
ActivitySelector selector_of(const Choice& operation) {
    if (operation.activity_case() == Choice::kType) {
        return {ActivitySelector::By::kType, operation.type()};
    }
    return {ActivitySelector::By::kAll, {}};
}

void update_activities(shard::Engine& engine, const shard::NamespacePtr& space,
                       const Request& request, const RunRef& run, Reply<None> reply) {
    const auto& from = request.update_activity_options_operation();
    history::UpdateActivityOptionsInput input;
    input.activities = selector_of(from);
    if (from.has_activity_options()) input.options = from.activity_options();
    if (from.has_update_mask()) input.mask = from.update_mask();
    input.restore_original = from.restore_original();
    engine.update_activity_options(space, run, std::move(input),
                                   outcome_only<history::ActivityOptions>(std::move(reply)));
}

}  // namespace

void operate(shard::Engine& engine, const shard::NamespacePtr& space, const Request& request,
             const std::string& job, const RunRef& run, Timestamp now, Reply<None> reply) {
    switch (request.operation_case()) {
        case Request::kTerminationOperation:
            return terminate(engine, space, request, run, std::move(reply));
        case Request::kCancellationOperation:
            return cancel(engine, space, request, job, run, std::move(reply));
        case Request::kSignalOperation:
            return signal(engine, space, request, job, run, std::move(reply));
        case Request::kDeletionOperation: return engine.remove(space, run, std::move(reply));
        case Request::kResetOperation:
            return reset(engine, space, request, job, run, now, std::move(reply));
        case Request::kUpdateWorkflowOptionsOperation: {
            const auto& from = request.update_workflow_options_operation();
            return engine.update_options(
                space, run,
                {from.workflow_execution_options(), from.update_mask(), from.identity()},
                outcome_only<history::WorkflowOptions>(std::move(reply)));
        }
        case Request::kUnpauseActivitiesOperation: {
            const auto& from = request.unpause_activities_operation();
            return engine.unpause_activities(space, run,
                                             {selector_of(from), from.reset_attempts(),
                                              from.reset_heartbeat(), from_proto(from.jitter())},
                                             std::move(reply));
        }
        case Request::kResetActivitiesOperation: {
            const auto& from = request.reset_activities_operation();
            return engine.reset_activities(
                space, run,
                {selector_of(from), from.reset_heartbeat(), from.keep_paused(),
                 from.restore_original_options(), from_proto(from.jitter())},
                std::move(reply));
        }
        case Request::kUpdateActivityOptionsOperation:
            return update_activities(engine, space, request, run, std::move(reply));
        default: return reply(unimplemented("unknown batch operation"));
    }
}

bool may_pass(const absl::Status& problem) {
    switch (problem.code()) {
        case absl::StatusCode::kUnavailable:
        case absl::StatusCode::kResourceExhausted:
        case absl::StatusCode::kAborted:
        case absl::StatusCode::kDeadlineExceeded: return true;
        default: return false;
    }
}

}  // namespace stele::batch
