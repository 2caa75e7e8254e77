#include "shard/starts.h"

#include "base/probe.h"
#include "history/attach.h"
#include "shard/tasks.h"

#include "temporal/api/errordetails/v1/message.pb.h"

#include <utility>

namespace stele::shard {
namespace {

namespace enums = api::enums::v1;

RunRef workflow_of(const NamespaceView& space, const std::string& workflow_id) {
    return {space.id, workflow_id, {}};
}

bool is_open(const storage::CurrentRow& row) {
    return row.status() == enums::WORKFLOW_EXECUTION_STATUS_RUNNING ||
           row.status() == enums::WORKFLOW_EXECUTION_STATUS_PAUSED;
}

bool ended_badly(const storage::CurrentRow& row) {
    switch (row.status()) {
        case enums::WORKFLOW_EXECUTION_STATUS_FAILED:
        case enums::WORKFLOW_EXECUTION_STATUS_CANCELED:
        case enums::WORKFLOW_EXECUTION_STATUS_TERMINATED:
        case enums::WORKFLOW_EXECUTION_STATUS_TIMED_OUT: return true;
        default: return false;
    }
}

absl::Status already_started(const std::string& what, const std::string& workflow_id,
                             const storage::CurrentRow& row, const std::string& why) {
    api::errordetails::v1::WorkflowExecutionAlreadyStartedFailure detail;
    detail.set_start_request_id(row.create_request_id());
    detail.set_run_id(row.run_id());
    detail.set_first_execution_run_id(row.first_execution_run_id());
    return make_error(absl::StatusCode::kAlreadyExists,
                      what + " WorkflowId: " + workflow_id + ", RunId: " + row.run_id() + "." + why,
                      detail);
}

StartReply existing(const storage::CurrentRow& row, bool started) {
    StartReply reply;
    reply.run_id = row.run_id();
    reply.first_execution_run_id = row.first_execution_run_id();
    reply.started = started;
    reply.status = row.status();
    return reply;
}

/// Policies that the caller left open, and the old one that says two things at once.
void settle_policies(service::StartWorkflowExecutionRequest& request,
                     enums::WorkflowIdConflictPolicy otherwise) {
    if (request.workflow_id_reuse_policy() ==
        enums::WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING) {
        request.set_workflow_id_conflict_policy(
            enums::WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING);
        request.set_workflow_id_reuse_policy(enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE);
    }
    if (request.workflow_id_reuse_policy() == enums::WORKFLOW_ID_REUSE_POLICY_UNSPECIFIED) {
        request.set_workflow_id_reuse_policy(enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE);
    }
    if (request.workflow_id_conflict_policy() == enums::WORKFLOW_ID_CONFLICT_POLICY_UNSPECIFIED) {
        request.set_workflow_id_conflict_policy(otherwise);
    }
}

history::TerminateInput termination_for(const std::string& new_run_id) {
    history::TerminateInput input;
    input.reason = "TerminateIfRunning WorkflowIdReusePolicy";
    auto& payload = *input.details.add_payloads();
    (*payload.mutable_metadata())["encoding"] = "json/plain";
    payload.set_data("\"terminated by new runID: " + new_run_id + "\"");
    input.identity = "history-service";
    return input;
}

history::AttachInput attachment(const service::StartWorkflowExecutionRequest& request) {
    const auto& options = request.on_conflict_options();
    history::AttachInput input;
    if (options.attach_request_id()) input.request_id = request.request_id();
    if (options.attach_completion_callbacks()) {
        input.callbacks.assign(request.completion_callbacks().begin(),
                               request.completion_callbacks().end());
    }
    if (options.attach_links()) {
        input.links.assign(request.links().begin(), request.links().end());
    }
    return input;
}

service::StartWorkflowExecutionRequest start_part(
    service::SignalWithStartWorkflowExecutionRequest& from) {
    service::StartWorkflowExecutionRequest to;
    to.set_namespace_(from.namespace_());
    to.set_workflow_id(from.workflow_id());
    to.mutable_workflow_type()->Swap(from.mutable_workflow_type());
    to.mutable_task_queue()->Swap(from.mutable_task_queue());
    if (from.has_input()) to.mutable_input()->Swap(from.mutable_input());
    if (from.has_workflow_execution_timeout()) {
        *to.mutable_workflow_execution_timeout() = from.workflow_execution_timeout();
    }
    if (from.has_workflow_run_timeout()) {
        *to.mutable_workflow_run_timeout() = from.workflow_run_timeout();
    }
    if (from.has_workflow_task_timeout()) {
        *to.mutable_workflow_task_timeout() = from.workflow_task_timeout();
    }
    to.set_identity(from.identity());
    to.set_request_id(from.request_id());
    to.set_workflow_id_reuse_policy(from.workflow_id_reuse_policy());
    to.set_workflow_id_conflict_policy(from.workflow_id_conflict_policy());
    if (from.has_retry_policy()) to.mutable_retry_policy()->Swap(from.mutable_retry_policy());
    to.set_cron_schedule(from.cron_schedule());
    if (from.has_memo()) to.mutable_memo()->Swap(from.mutable_memo());
    if (from.has_search_attributes()) {
        to.mutable_search_attributes()->Swap(from.mutable_search_attributes());
    }
    if (from.has_header()) *to.mutable_header() = from.header();
    if (from.has_workflow_start_delay()) {
        *to.mutable_workflow_start_delay() = from.workflow_start_delay();
    }
    if (from.has_user_metadata()) to.mutable_user_metadata()->Swap(from.mutable_user_metadata());
    *to.mutable_links() = from.links();
    if (from.has_priority()) to.mutable_priority()->Swap(from.mutable_priority());
    return to;
}

history::SignalInput signal_part(const service::SignalWithStartWorkflowExecutionRequest& from) {
    history::SignalInput signal;
    signal.name = from.signal_name();
    signal.input = from.signal_input();
    signal.header = from.header();
    signal.identity = from.identity();
    signal.request_id = from.request_id();
    signal.links.assign(from.links().begin(), from.links().end());
    signal.skip_start_delay = true;
    return signal;
}

}  // namespace

void Starts::start(NamespacePtr space, service::StartWorkflowExecutionRequest request,
                   Reply<StartReply> reply, absl::AnyInvocable<void(LoadedRun&)> created) {
    settle_policies(request, enums::WORKFLOW_ID_CONFLICT_POLICY_FAIL);
    // A task that is still to be delayed can not be handed over now.
    if (from_proto(request.workflow_start_delay()) > Duration::zero() ||
        !request.cron_schedule().empty()) {
        request.set_request_eager_execution(false);
    }
    decide(
        {std::move(space), std::move(request), std::nullopt, std::move(reply), std::move(created)});
}

void Starts::signal_with_start(NamespacePtr space,
                               service::SignalWithStartWorkflowExecutionRequest request,
                               Reply<StartReply> reply) {
    history::SignalInput signal = signal_part(request);
    Call call{std::move(space), start_part(request), std::move(signal), std::move(reply)};
    settle_policies(call.request, enums::WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING);
    decide(std::move(call));
}

void Starts::signal_with_start_once(NamespacePtr space,
                                    service::SignalWithStartWorkflowExecutionRequest request,
                                    std::string run_id, Reply<StartReply> reply) {
    const RunRef made{space->id, request.workflow_id(), run_id};
    if (const auto run = shard_.find(made);
        run.ok() && !STELE_BUG("starts.signalled-run-not-recognised")) {
        STELE_PROBE("starts.signalled-run-known");
        const history::Run& started = *(*run)->run;
        return shard_.reply_at<StartReply>(
            (*run)->last_synced, std::move(reply),
            existing(make_current(started.info, started.header), true));
    }
    // A run that took the signal and has closed since must not be followed by another.
    const auto current = shard_.find(workflow_of(*space, request.workflow_id()));
    if (current.ok() && (*current)->run->request_ids.id_of(request.request_id())) {
        const history::Run& signalled = *(*current)->run;
        return shard_.reply_at<StartReply>(
            (*current)->last_synced, std::move(reply),
            existing(make_current(signalled.info, signalled.header), false));
    }
    history::SignalInput signal = signal_part(request);
    Call call{std::move(space), start_part(request), std::move(signal), std::move(reply)};
    call.run_id = std::move(run_id);
    settle_policies(call.request, enums::WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING);
    decide(std::move(call));
}

void Starts::start_child(NamespacePtr space, history::ChildStart start,
                         Reply<history::None> reply) {
    const absl::StatusOr<LoadedRun*> started =
        shard_.find({space->id, start.request.workflow_id(), start.run_id});
    if (started.ok() && !STELE_BUG("starts.child-not-recognised")) {
        STELE_PROBE("starts.child-started-before");
        return shard_.reply_at<history::None>((*started)->last_synced, std::move(reply),
                                              history::None{});
    }
    settle_policies(start.request, enums::WORKFLOW_ID_CONFLICT_POLICY_FAIL);
    Reply<StartReply> answer = [reply =
                                    std::move(reply)](absl::StatusOr<StartReply> result) mutable {
        if (!result.ok()) return reply(result.status());
        reply(history::None{});
    };
    Call call{std::move(space), std::move(start.request), std::nullopt, std::move(answer)};
    call.parent = std::move(start.parent);
    call.run_id = std::move(start.run_id);
    decide(std::move(call));
}

void Starts::decide(Call call) {
    if (STELE_FAULT("starts.busy")) return call.reply(unavailable("not now"));
    const auto current = shard_.current(workflow_of(*call.space, call.request.workflow_id()));
    if (!current.ok()) return call.reply(current.status());
    if (!*current) return create(std::move(call), nullptr);
    const storage::CurrentRow& row = **current;
    // A signal that comes again finds its own request id in the run, or wants another run whatever
    // became of the last.
    const bool own_rule =
        call.signal && (is_open(row) || call.request.workflow_id_conflict_policy() ==
                                            enums::WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING);
    const bool repeated = !call.request.request_id().empty() &&
                          row.create_request_id() == call.request.request_id() && !own_rule &&
                          !STELE_BUG("starts.request-id-ignored");
    STELE_PROBE_IF("starts.repeated", repeated);
    if (repeated) return answer_repeated(std::move(call), row);
    const absl::StatusOr<LoadedRun*> run = load_current(call, row);
    if (!run.ok()) return call.reply(run.status());
    if (!call.signal && history::is_attached(*(*run)->run, call.request.request_id())) {
        return answer_existing(std::move(call), row, **run, true);
    }
    if (is_open(row) && STELE_BUG("starts.two-open-runs")) return create(std::move(call), nullptr);
    if (is_open(row)) return meet_open(std::move(call), row);
    meet_closed(std::move(call), row);
}

absl::StatusOr<LoadedRun*> Starts::load_current(const Call& call,
                                                const storage::CurrentRow& current) {
    return shard_.find({call.space->id, call.request.workflow_id(), current.run_id()});
}

void Starts::answer_repeated(Call call, const storage::CurrentRow& current) {
    const absl::StatusOr<LoadedRun*> run = load_current(call, current);
    if (!run.ok()) return call.reply(run.status());
    LoadedRun& loaded = **run;
    StartReply reply = existing(current, true);
    const storage::WorkflowTask& task = loaded.run->header.task();
    if (call.request.request_eager_execution() && task.started_event_id() == 3 &&
        task.attempt() == 1 && task.request_id() == call.request.request_id()) {
        reply.eager_task = start_eagerly(call, loaded);
    }
    shard_.reply_at<StartReply>(loaded.last_synced, std::move(call.reply), std::move(reply));
}

void Starts::meet_open(Call call, const storage::CurrentRow& current) {
    const absl::StatusOr<LoadedRun*> run = load_current(call, current);
    if (!run.ok()) return call.reply(run.status());
    switch (call.request.workflow_id_conflict_policy()) {
        case enums::WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING:
            return use_existing(std::move(call), current, **run);
        case enums::WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING:
            return create(std::move(call), *run);
        default:
            STELE_PROBE("starts.met-open-run");
            return shard_.reply_at<StartReply>(
                (*run)->last_synced, std::move(call.reply),
                already_started("Workflow execution is already running.",
                                call.request.workflow_id(), current, ""));
    }
}

void Starts::answer_existing(Call call, const storage::CurrentRow& current, LoadedRun& run,
                             bool attached) {
    StartReply reply = existing(current, false);
    reply.attached = attached;
    shard_.reply_at<StartReply>(run.last_synced, std::move(call.reply), std::move(reply));
}

void Starts::use_existing(Call call, const storage::CurrentRow& current, LoadedRun& run) {
    const bool attaches = call.request.has_on_conflict_options();
    if (!call.signal && !attaches) return answer_existing(std::move(call), current, run, false);
    const CommandContext context = shard_.context_for(call.space);
    auto applied =
        call.signal ? history::signal_workflow(*run.run, *call.signal, context.context)
                    : history::attach_to_run(*run.run, attachment(call.request), context.context);
    if (!applied.ok()) {
        return shard_.reply_at<StartReply>(run.last_synced, std::move(call.reply),
                                           applied.status());
    }
    shard_.commit(run, applied->transition);
    const bool attached = attaches && call.request.on_conflict_options().attach_request_id();
    answer_existing(std::move(call), current, run, attached);
}

void Starts::meet_closed(Call call, const storage::CurrentRow& current) {
    absl::Status refusal;
    if (call.request.workflow_id_reuse_policy() ==
        enums::WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE) {
        refusal =
            already_started("Workflow execution already finished.", call.request.workflow_id(),
                            current, " Workflow Id reuse policy: reject duplicate workflow Id.");
    } else if (call.request.workflow_id_reuse_policy() ==
                   enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY &&
               !ended_badly(current)) {
        refusal = already_started(
            "Workflow execution already finished successfully.", call.request.workflow_id(),
            current, " Workflow Id reuse policy: allow duplicate workflow Id if last run failed.");
    }
    STELE_PROBE("starts.met-closed-run");
    if (refusal.ok()) return create(std::move(call), nullptr);
    const absl::StatusOr<LoadedRun*> run = load_current(call, current);
    if (!run.ok()) return call.reply(run.status());
    shard_.reply_at<StartReply>((*run)->last_synced, std::move(call.reply), std::move(refusal));
}

void Starts::create(Call call, LoadedRun* terminated) {
    const CommandContext context = shard_.context_for(call.space);
    const RunAddress address =
        shard_.allocate(workflow_of(*call.space, call.request.workflow_id()));
    history::StartInput input;
    input.namespace_id = call.space->id;
    input.namespace_name = call.space->name;
    input.request = call.request;
    input.run_id = call.run_id.empty() ? context.context.new_id() : call.run_id;
    input.run_key = address.key;
    input.signal = call.signal;
    input.parent = call.parent;
    const std::string run_id = input.run_id;
    auto created = history::start_workflow(std::move(input), context.context);
    if (!created.ok()) return call.reply(created.status());

    std::vector<Change> changes;
    std::optional<history::Applied<history::None>> termination;
    if (terminated != nullptr) {
        auto applied =
            history::terminate_workflow(*terminated->run, termination_for(run_id), context.context);
        if (!applied.ok()) return call.reply(applied.status());
        termination.emplace(*std::move(applied));
        changes.push_back({terminated, &termination->transition});
    }
    LoadedRun& run = shard_.adopt(address, *created);
    Change change{&run, created->transition.get(), true};
    change.offer = !call.request.request_eager_execution();
    changes.push_back(std::move(change));
    shard_.commit(std::move(changes));
    if (call.created) call.created(run);
    reply_started(std::move(call), run);
}

void Starts::reply_started(Call call, LoadedRun& run) {
    StartReply reply;
    reply.run_id = run.run->info.run_id();
    reply.first_execution_run_id = run.run->info.first_execution_run_id();
    reply.started = true;
    reply.status = run.run->header.status();
    const bool has_task = run.run->header.task().kind() != storage::TASK_KIND_NONE;
    if (call.request.request_eager_execution() && has_task) {
        reply.eager_task = start_eagerly(call, run);
    }
    if (STELE_FAULT("starts.unanswered")) return call.reply(unavailable("the answer was lost"));
    shard_.reply_at<StartReply>(run.last_synced, std::move(call.reply), std::move(reply));
}

std::optional<PolledWorkflowTask> Starts::start_eagerly(const Call& call, LoadedRun& run) {
    const storage::WorkflowTask& task = run.run->header.task();
    history::StartWorkflowTaskInput input;
    input.scheduled = EventId(task.scheduled_event_id());
    input.stamp = task.stamp();
    input.request_id = call.request.request_id();
    input.identity = call.request.identity();
    input.task_queue = run.run->info.task_queue();
    const CommandContext context = shard_.context_for(call.space);
    auto started = history::start_workflow_task(*run.run, input, context.context);
    if (!started.ok()) return std::nullopt;
    shard_.commit(run, started->transition);
    if (!run.run->is_open()) return std::nullopt;
    auto polled = shard_.tasks().polled(run, std::move(started->reply), *context.context.limits);
    if (!polled.ok()) return std::nullopt;
    return *std::move(polled);
}

}  // namespace stele::shard
