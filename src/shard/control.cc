#include "shard/control.h"

#include "base/probe.h"
#include "shard/children.h"
#include "shard/run_deletion.h"
#include "shard/starts.h"

#include <utility>

namespace stele::shard::control {
namespace {

/// The run that a request means: with a first run id, the current run if it belongs to that chain.
absl::StatusOr<LoadedRun*> find_in_chain(Shard& shard, const NamespaceView& space,
                                         const api::common::v1::WorkflowExecution& execution,
                                         const std::string& first_run_id) {
    RunRef ref{space.id, execution.workflow_id(), execution.run_id()};
    if (!first_run_id.empty()) ref.run_id.clear();
    STELE_ASSIGN_OR_RETURN(LoadedRun * run, shard.find(ref));
    const bool open = run->run->is_open();
    if (open && !first_run_id.empty() && run->run->info.first_execution_run_id() != first_run_id) {
        return not_found("workflow execution not found");
    }
    return run;
}

bool is_child_of(const LoadedRun& run, const RunRef& parent) {
    const storage::InfoRow& info = run.run->info;
    return info.parent_namespace_id() == parent.namespace_id &&
           info.parent().workflow_id() == parent.workflow_id &&
           info.parent().run_id() == parent.run_id;
}

}  // namespace

void signal(Shard& shard, const NamespacePtr& space,
            service::SignalWorkflowExecutionRequest request, Reply<history::None> reply) {
    const api::common::v1::WorkflowExecution& execution = request.workflow_execution();
    const auto run = shard.find({space->id, execution.workflow_id(), execution.run_id()});
    if (!run.ok()) return reply(run.status());
    history::SignalInput input;
    input.name = request.signal_name();
    input.input = std::move(*request.mutable_input());
    input.header = std::move(*request.mutable_header());
    input.identity = request.identity();
    input.request_id = request.request_id();
    input.links.assign(request.links().begin(), request.links().end());
    const CommandContext context = shard.context_for(space);
    shard.conclude<history::None>(
        **run, history::signal_workflow(*(*run)->run, input, context.context), std::move(reply));
}

void request_cancel(Shard& shard, const NamespacePtr& space,
                    const service::RequestCancelWorkflowExecutionRequest& request,
                    Reply<history::None> reply) {
    const auto run = find_in_chain(shard, *space, request.workflow_execution(),
                                   request.first_execution_run_id());
    if (!run.ok()) return reply(run.status());
    history::CancelInput input;
    input.reason = request.reason();
    input.identity = request.identity();
    input.request_id = request.request_id();
    input.links.assign(request.links().begin(), request.links().end());
    const CommandContext context = shard.context_for(space);
    shard.conclude<history::None>(
        **run, history::request_cancel(*(*run)->run, input, context.context), std::move(reply));
}

void terminate(Shard& shard, const NamespacePtr& space,
               const service::TerminateWorkflowExecutionRequest& request,
               Reply<history::None> reply) {
    const auto run = find_in_chain(shard, *space, request.workflow_execution(),
                                   request.first_execution_run_id());
    if (!run.ok()) return reply(run.status());
    history::TerminateInput input;
    input.reason = request.reason();
    input.details = request.details();
    input.identity = request.identity();
    input.links.assign(request.links().begin(), request.links().end());
    const CommandContext context = shard.context_for(space);
    shard.conclude<history::None>(
        **run, history::terminate_workflow(*(*run)->run, input, context.context), std::move(reply));
}

void remove(Shard& shard, const NamespacePtr& space, const RunRef& ref,
            Reply<history::None> reply) {
    const auto run = shard.find(ref);
    if (!run.ok()) return reply(run.status());
    LoadedRun& loaded = **run;
    if (loaded.run->is_open()) {
        history::TerminateInput input;
        input.reason = "Delete workflow execution";
        input.identity = "history-service";
        STELE_PROBE("control.open-run-deleted");
        const CommandContext context = shard.context_for(space);
        auto ended = history::terminate_workflow(*loaded.run, input, context.context);
        if (!ended.ok()) return reply(ended.status());
        shard.commit(loaded, ended->transition);
    }
    const Position position = request_deletion(shard, loaded);
    shard.reply_at<history::None>(position, std::move(reply), history::None());
}

namespace {

/// A workflow can not reach itself, whatever run of it is meant.
bool is_to_itself(const Delivery& delivery) {
    return delivery.source.namespace_id == delivery.target.namespace_id &&
           delivery.source.workflow_id == delivery.target.workflow_id;
}

void receive_request(Shard& shard, const Delivery& delivery, Reply<history::None> reply) {
    if (is_to_itself(delivery)) {
        STELE_PROBE("control.signals-itself");
        return reply(not_found("a workflow can not signal or cancel itself"));
    }
    const auto run = shard.find(delivery.target);
    if (!run.ok()) return reply(run.status());
    LoadedRun& loaded = **run;
    if (delivery.child_workflow_only && !is_child_of(loaded, delivery.source)) {
        return shard.reply_at<history::None>(loaded.last_synced, std::move(reply),
                                             not_found("workflow parent does not match"));
    }
    const CommandContext context = shard.context_for(delivery.space);
    if (const auto* input = std::get_if<history::SignalInput>(&delivery.what)) {
        return shard.conclude<history::None>(
            loaded, history::signal_workflow(*loaded.run, *input, context.context),
            std::move(reply));
    }
    const auto& input = std::get<history::CancelInput>(delivery.what);
    shard.conclude<history::None>(
        loaded, history::request_cancel(*loaded.run, input, context.context), std::move(reply));
}

}  // namespace

void receive(Shard& shard, const Delivery& delivery, Reply<history::None> reply) {
    if (const auto* start = std::get_if<history::ChildStart>(&delivery.what)) {
        return shard.starts().start_child(delivery.space, *start, std::move(reply));
    }
    if (std::holds_alternative<ReleaseChild>(delivery.what)) {
        return children::release(shard, delivery, std::move(reply));
    }
    if (const auto* order = std::get_if<EndChild>(&delivery.what)) {
        return children::end(shard, delivery, *order, std::move(reply));
    }
    if (const auto* report = std::get_if<history::ChildReport>(&delivery.what)) {
        return children::report(shard, delivery, *report, std::move(reply));
    }
    receive_request(shard, delivery, std::move(reply));
}

}  // namespace stele::shard::control
