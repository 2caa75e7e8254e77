#include "shard/children.h"

#include "base/probe.h"

#include <utility>

namespace stele::shard::children {
namespace {

constexpr char kIdentity[] = "history-service";
/// One reset follows another seldom; a circle would be a fault.
constexpr int kLongestChainOfResets = 100;

void terminate(Shard& shard, const Delivery& delivery, LoadedRun& child,
               Reply<history::None> reply) {
    history::TerminateInput input;
    input.reason = "by parent close policy";
    input.identity = kIdentity;
    const CommandContext context = shard.context_for(delivery.space);
    shard.conclude<history::None>(
        child, history::terminate_workflow(*child.run, input, context.context), std::move(reply));
}

void request_cancel(Shard& shard, const Delivery& delivery, LoadedRun& child,
                    Reply<history::None> reply) {
    history::CancelInput input;
    input.identity = kIdentity;
    input.external_source.set_workflow_id(delivery.source.workflow_id);
    input.external_source.set_run_id(delivery.source.run_id);
    const CommandContext context = shard.context_for(delivery.space);
    shard.conclude<history::None>(
        child, history::cancel_left_child(*child.run, input, context.context), std::move(reply));
}

absl::StatusOr<LoadedRun*> find_parent(Shard& shard, RunRef parent) {
    for (int i = 0; i < kLongestChainOfResets; ++i) {
        STELE_ASSIGN_OR_RETURN(LoadedRun * run, shard.find(parent));
        const std::string& reset_run_id = run->run->header.reset_run_id();
        if (run->run->is_open() || reset_run_id.empty()) return run;
        STELE_PROBE("children.parent-was-reset");
        parent.run_id = reset_run_id;
    }
    return not_found("the parent has been reset too often to be found");
}

}  // namespace

void release(Shard& shard, const Delivery& delivery, Reply<history::None> reply) {
    const absl::StatusOr<LoadedRun*> child = shard.find(delivery.target);
    if (!child.ok()) return reply(child.status());
    const CommandContext context = shard.context_for(delivery.space);
    shard.conclude<history::None>(**child, history::release_child(*(*child)->run, context.context),
                                  std::move(reply));
}

void end(Shard& shard, const Delivery& delivery, const EndChild& order,
         Reply<history::None> reply) {
    const RunRef current{delivery.target.namespace_id, delivery.target.workflow_id, {}};
    const absl::StatusOr<LoadedRun*> child = shard.find(current);
    if (!child.ok()) return reply(child.status());
    const history::Run& run = *(*child)->run;
    const bool of_chain = run.info.first_execution_run_id() == delivery.target.run_id;
    STELE_PROBE_IF("children.id-is-of-another", !of_chain);
    if (!of_chain || !run.is_open()) {
        return shard.reply_at<history::None>((*child)->last_synced, std::move(reply),
                                             history::None{});
    }
    if (order.policy == api::enums::v1::PARENT_CLOSE_POLICY_REQUEST_CANCEL) {
        return request_cancel(shard, delivery, **child, std::move(reply));
    }
    terminate(shard, delivery, **child, std::move(reply));
}

void report(Shard& shard, const Delivery& delivery, const history::ChildReport& report,
            Reply<history::None> reply) {
    const absl::StatusOr<LoadedRun*> parent = find_parent(shard, delivery.target);
    if (!parent.ok()) return reply(parent.status());
    const CommandContext context = shard.context_for(delivery.space);
    shard.conclude<history::None>(
        **parent, history::record_child_closed(*(*parent)->run, report, context.context),
        std::move(reply));
}

}  // namespace stele::shard::children
