#include "sdk/worker/run_shard.h"

#include <utility>

#include "base/probe.h"
#include "sdk/data/codec.h"
#include "sdk/data/convert.h"
#include "sdk/data/limits.h"
#include "sdk/data/versioning.h"
#include "sdk/version.h"
#include "sdk/worker/deadlock_watch.h"
#include "sdk/worker/update_messages.h"

namespace stele::sdk {

namespace api = temporal::api::workflowservice::v1;
namespace enums = temporal::api::enums::v1;

namespace {

// What a run weighs before any of its history has been read.
constexpr std::int64_t kRunBytes = 4'096;

}  // namespace

void RunShard::post(TaskPointer task, std::function<void()> finished) {
    executor_->post([self = shared_from_this(),
                     pending = Pending{std::move(task), std::move(finished)}]() mutable {
        self->accept(std::move(pending));
    });
}

void RunShard::set_eager_activities(std::shared_ptr<const EagerActivities> eager) {
    executor_->post([self = shared_from_this(), eager = std::move(eager)]() mutable {
        self->eager_ = std::move(eager);
    });
}

void RunShard::clear() {
    executor_->post([self = shared_from_this()] { self->abandon(); });
}

void RunShard::abandon() {
    for (auto found = runs_.begin(); found != runs_.end();) found = forget(found);
}

void RunShard::accept(Pending pending) {
    const std::string& run_id = pending.task->workflow_execution().run_id();
    auto [found, inserted] = runs_.try_emplace(run_id);
    Entry& entry = found->second;
    if (inserted) {
        entry.position = recency_.insert(recency_.end(), run_id);
        context_->metrics->cache_changed(1);
    }
    if (entry.busy) {
        STELE_PROBE("sdk.task-waits-for-another");
        entry.waiting.push_back(std::move(pending));
        return;
    }
    begin(entry, std::move(pending));
}

SerializationContext RunShard::data_context(const Entry& entry) const {
    return context_->client->context_of(entry.current.task->workflow_execution().workflow_id());
}

void RunShard::use(Entry& entry) { recency_.splice(recency_.end(), recency_, entry.position); }

namespace {

// The task fails at once; what the code comes to later is refused, and the run is rebuilt.
void fail_deadlocked(const WorkerContext& context, const RunShard::Task& task,
                     const std::string& message) {
    if (task.has_query() || task.attempt() > 1) return;
    auto request = std::make_shared<api::RespondWorkflowTaskFailedRequest>();
    request->set_namespace_(context.client->namespace_name());
    request->set_task_token(task.task_token());
    request->set_identity(context.client->identity());
    request->set_cause(enums::WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE);
    request->mutable_failure()->set_message(message);
    request->mutable_failure()->set_source("CppSDK");
    request->mutable_failure()->mutable_application_failure_info()->set_type("PotentialDeadlock");
    tell_deployment(context.options.deployment, *request);
    context.client->rpc().call("RespondWorkflowTaskFailed", request,
                               std::make_shared<api::RespondWorkflowTaskFailedResponse>(),
                               default_retries(), [](const Transport::Status&) {});
}

void report_deadlock(const WorkerContext& context, const RunShard::Task& task) {
    const std::string message =
        "[TMPRL1101] potential deadlock: the workflow code has kept its thread for more than " +
        std::to_string(context.options.deadlock_timeout.count()) + " ms";
    fail_deadlocked(context, task, message);
    if (const Logger& logger = context.client->options().logger)
        logger({LogLevel::kError,
                message,
                {{"workflow_id", task.workflow_execution().workflow_id()},
                 {"run_id", task.workflow_execution().run_id()},
                 {"workflow_type", task.workflow_type().name()}}});
}

}  // namespace

// Whatever goes wrong with a run spoils that run only: the task fails and the run is forgotten.
void RunShard::guarded(Entry& entry, const std::function<void()>& step) {
    const DeadlockWatch watch(
        context_->client->runtime(), context_->options.deadlock_timeout,
        [context = context_, task = entry.current.task] { report_deadlock(*context, *task); });
    try {
        step();
    } catch (const core::WorkflowTaskFailure& failure) {
        fail(entry, failure.cause(), failure.what());
    } catch (const PayloadTooLargeError& error) {
        fail(entry, enums::WORKFLOW_TASK_FAILED_CAUSE_PAYLOADS_TOO_LARGE, error.what());
    } catch (const std::exception& error) {
        fail(entry, enums::WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE,
             error.what());
    }
}

void RunShard::begin(Entry& entry, Pending pending) {
    entry.busy = true;
    entry.current = std::move(pending);
    use(entry);
    measure_begin(entry);
    guarded(entry, [&] {
        decode_incoming(context_->client->converter(), *entry.current.task, data_context(entry),
                        &entry.activities);
        entry.updates = read_updates(*context_->client, *entry.current.task);
        prepare(entry);
    });
}

void RunShard::new_run(Entry& entry) {
    abandon_local_activities(entry);
    weigh(entry, kRunBytes - entry.bytes);
    entry.repeats_past = entry.current.task->previous_started_event_id() > 0;
    const auto& execution = entry.current.task->workflow_execution();
    entry.run =
        std::make_unique<core::Run>([context = context_, workflow_id = execution.workflow_id(),
                                     run_id = execution.run_id()](const core::InitializeJob& job) {
            return context->registry->make_code(
                job, {context->client->namespace_name(), workflow_id, run_id,
                      context->client->options().logger, context->options.fails_workflow,
                      context->client->options().interceptors, context->deployment_version()});
        });
}

// A history from the first event makes a new run; a later part continues a cached one, when it
// continues exactly there; otherwise the whole history is fetched.
void RunShard::prepare(Entry& entry) {
    Task& task = *entry.current.task;
    auto& events = *task.mutable_history()->mutable_events();
    const std::int64_t first = events.empty() ? 0 : events.Get(0).event_id();
    const bool from_start = first == 1;
    // A query brings no events; the run must be where the server thinks that it is.
    const std::int64_t seen = entry.run ? entry.run->last_started_event_id() : -1;
    const bool continues =
        first == 0 ? seen == task.previous_started_event_id() : first == seen + 1;
    if (!from_start && !continues) {
        context_->metrics->cache_miss();
        refetch(entry);
        return;
    }
    if (from_start)
        new_run(entry);
    else
        context_->metrics->cache_hit();
    if (cache_.bytes_max > 0)
        weigh(entry, static_cast<std::int64_t>(task.history().ByteSizeLong()));
    core::HistoryBuffer& history = entry.run->history();
    history.reset(entry.run->last_read_event_id());
    history.add(events);
    events.Clear();
    entry.next_page_token = std::move(*task.mutable_next_page_token());
    if (entry.next_page_token.empty() || STELE_BUG("sdk.first-page-only")) history.finish();
    advance(entry);
}

void RunShard::refetch(Entry& entry) {
    STELE_PROBE("sdk.history-refetched");
    new_run(entry);
    entry.activities.clear();
    entry.run->history().reset(0);
    entry.next_page_token.clear();
    fetch_page(entry);
}

void RunShard::fetch_page(Entry& entry) {
    auto request = std::make_shared<api::GetWorkflowExecutionHistoryRequest>();
    request->set_namespace_(context_->client->namespace_name());
    *request->mutable_execution() = entry.current.task->workflow_execution();
    request->set_next_page_token(entry.next_page_token);
    auto reply = std::make_shared<api::GetWorkflowExecutionHistoryResponse>();
    context_->client->rpc().call(
        "GetWorkflowExecutionHistory", request, reply, default_retries(),
        [self = shared_from_this(), reply,
         run_id = request->execution().run_id()](const Transport::Status& status) {
            self->executor_->post(
                [self, reply, run_id, status] { self->on_page(run_id, status, *reply); });
        });
}

void RunShard::on_page(const std::string& run_id, const Transport::Status& status,
                       api::GetWorkflowExecutionHistoryResponse& page) {
    Entry& entry = runs_.at(run_id);
    guarded(entry, [&] {
        if (!status.ok()) core::fail_task("the history cannot be read: " + status.message);
        decode_incoming(context_->client->converter(), page, data_context(entry),
                        &entry.activities);
        if (cache_.bytes_max > 0)
            weigh(entry, static_cast<std::int64_t>(page.history().ByteSizeLong()));
        core::HistoryBuffer& history = entry.run->history();
        history.add(*page.mutable_history()->mutable_events());
        entry.next_page_token = page.next_page_token();
        if (entry.next_page_token.empty()) history.finish();
        advance(entry);
    });
}

void RunShard::advance(Entry& entry) {
    const Task& task = *entry.current.task;
    core::Run::Task target;
    target.replay_until_event_id = task.previous_started_event_id();
    target.target_event_id =
        task.has_query() ? task.previous_started_event_id() : task.started_event_id();
    target.updates = entry.updates;
    entry.run->begin(std::move(target));
    if (entry.run->advance() == core::Run::Progress::kNeedsHistory) {
        fetch_page(entry);
        return;
    }
    answer(entry);
}

void RunShard::answer(Entry& entry) {
    if (std::exchange(entry.repeats_past, false))
        instruments_of(entry).task_replay.record(context_->client->runtime()->now() - entry.begun);
    if (entry.current.task->has_query())
        answer_legacy_query(entry);
    else
        work_on_local_activities(entry);
}

void RunShard::answer_legacy_query(Entry& entry) {
    STELE_PROBE("sdk.query-alone");
    const Task& task = *entry.current.task;
    auto request = std::make_shared<api::RespondQueryTaskCompletedRequest>();
    request->set_namespace_(context_->client->namespace_name());
    request->set_task_token(task.task_token());
    try {
        if (entry.run->code() == nullptr) throw IllegalCallError("the workflow has not begun yet");
        *request->mutable_query_result()->add_payloads() =
            entry.run->code()->query(task.query().query_type(), task.query().query_args());
        request->set_completed_type(enums::QUERY_RESULT_TYPE_ANSWERED);
    } catch (const std::exception& error) {
        request->set_completed_type(enums::QUERY_RESULT_TYPE_FAILED);
        request->set_error_message(error.what());
        *request->mutable_failure() = error_to_failure(std::current_exception());
    }
    context_->client->encode(*request, data_context(entry));
    auto reply = std::make_shared<api::RespondQueryTaskCompletedResponse>();
    context_->client->rpc().call(
        "RespondQueryTaskCompleted", request, reply, default_retries(),
        [self = shared_from_this(),
         run_id = task.workflow_execution().run_id()](const Transport::Status&) {
            self->executor_->post([self, run_id] { self->finish(run_id, true); });
        });
}

void RunShard::answer_queries(Entry& entry, api::RespondWorkflowTaskCompletedRequest& request) {
    for (const auto& [id, query] : entry.current.task->queries()) {
        STELE_PROBE("sdk.query-with-a-task");
        auto& result = (*request.mutable_query_results())[id];
        try {
            *result.mutable_answer()->add_payloads() =
                entry.run->code()->query(query.query_type(), query.query_args());
            result.set_result_type(enums::QUERY_RESULT_TYPE_ANSWERED);
            // Here, so that it costs the query and not the workflow task.
            check_limits(context_->client->options().payload_limits, result.answer(), {});
        } catch (const std::exception& error) {
            result.clear_answer();
            result.set_result_type(enums::QUERY_RESULT_TYPE_FAILED);
            result.set_error_message(error.what());
            *result.mutable_failure() = error_to_failure(std::current_exception());
        }
    }
}

void RunShard::complete(Entry& entry, bool heartbeat) {
    entry.heartbeat_timer.reset();
    const Task& task = *entry.current.task;
    auto request = std::make_shared<api::RespondWorkflowTaskCompletedRequest>();
    request->set_namespace_(context_->client->namespace_name());
    request->set_task_token(task.task_token());
    request->set_identity(context_->client->identity());
    request->set_worker_instance_key(context_->instance_key);
    if (const auto& deployment = context_->options.deployment) {
        tell_deployment(deployment, *request);
        const VersioningBehavior behavior =
            context_->registry->versioning(task.workflow_type().name());
        request->set_versioning_behavior(static_cast<enums::VersioningBehavior>(static_cast<int>(
            behavior == VersioningBehavior::kUnspecified ? deployment->default_behavior
                                                         : behavior)));
    }
    for (auto& command : entry.run->take_commands()) *request->add_commands() = std::move(command);
    if (entry.run->ended() && !request->commands().empty())
        entry.end = request->commands().rbegin()->attributes_case();
    if (!heartbeat)
        instruments_of(entry).task_execution.record(context_->client->runtime()->now() -
                                                    entry.begun);
    write_updates(*context_->client, data_context(entry), entry.run->take_messages(), *request);
    answer_queries(entry, *request);
    auto& metadata = *request->mutable_sdk_metadata();
    for (const std::uint32_t flag : entry.run->take_flags()) metadata.add_lang_used_flags(flag);
    if (entry.run->first_completion()) {
        metadata.set_sdk_name(kSdkName);
        metadata.set_sdk_version(kSdkVersion);
    }
    if (cache_.runs_max > 0 && !entry.run->ended()) {
        auto& sticky = *request->mutable_sticky_attributes();
        auto& queue = *sticky.mutable_worker_task_queue();
        queue.set_name(context_->sticky_queue);
        queue.set_kind(enums::TASK_QUEUE_KIND_STICKY);
        queue.set_normal_name(context_->task_queue);
        *sticky.mutable_schedule_to_start_timeout() =
            to_duration(context_->options.sticky_schedule_to_start);
    }
    request->set_return_new_workflow_task(true);
    request->set_force_create_new_workflow_task(heartbeat);
    if (const int later = std::exchange(entry.later_attempts, 0); later > 0)
        request->mutable_metering_metadata()->set_nonfirst_local_activity_execution_attempts(
            static_cast<std::uint32_t>(later));
    context_->client->encode(*request, data_context(entry));
    if (eager_ && !stopping_) entry.eager_slots = eager_->request(*request);
    auto reply = std::make_shared<api::RespondWorkflowTaskCompletedResponse>();
    context_->client->rpc().call(
        "RespondWorkflowTaskCompleted", request, reply, answer_retries(),
        [self = shared_from_this(), reply,
         run_id = task.workflow_execution().run_id()](const Transport::Status& status) {
            self->executor_->post(
                [self, reply, run_id, status] { self->on_completed(run_id, status, *reply); });
        });
}

void RunShard::on_completed(const std::string& run_id, const Transport::Status& status,
                            api::RespondWorkflowTaskCompletedResponse& reply) {
    Entry& entry = runs_.at(run_id);
    if (eager_)
        eager_->receive(std::exchange(entry.eager_slots, 0), status.ok() ? &reply : nullptr);
    // Refused, for instance because new events have arrived meanwhile: the server gives out
    // another task, and the run is rebuilt for it.
    if (!status.ok()) {
        STELE_PROBE("sdk.completion-refused");
        finish(run_id, false);
        return;
    }
    measure_end(entry);
    if (reply.reset_history_event_id() != 0) {
        STELE_PROBE("sdk.task-dropped");
        entry.run->forget_task(reply.reset_history_event_id());
    }
    if (reply.has_workflow_task() && !reply.workflow_task().task_token().empty()) {
        STELE_PROBE("sdk.next-task-with-the-answer");
        auto next = std::make_shared<Task>();
        next->Swap(reply.mutable_workflow_task());
        begin(entry, Pending{std::move(next), std::move(entry.current.finished)});
        return;
    }
    finish(run_id, !entry.run->ended());
}

void RunShard::fail(Entry& entry, core::WorkflowTaskFailure::Cause cause,
                    const std::string& message) {
    const Task& task = *entry.current.task;
    const std::string run_id = task.workflow_execution().run_id();
    context_->metrics->workflow_task_failed();
    instruments_of(entry).task_failed(
        cause == enums::WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR ? "NonDeterminismError"
                                                                           : "WorkflowError");
    const auto done = [self = shared_from_this(), run_id](const Transport::Status&) {
        self->executor_->post([self, run_id] { self->finish(run_id, false); });
    };
    // A codec that fails must not keep the failure from being told; then it goes without its text.
    const auto encode = [&](auto& request) {
        try {
            context_->client->encode(request, data_context(entry));
        } catch (const std::exception&) {
            request.mutable_failure()->Clear();
            request.mutable_failure()->set_message("the failure cannot be encoded");
            request.mutable_failure()->mutable_application_failure_info();
        }
    };
    core::Failure failure;
    failure.set_message(message);
    failure.set_source("CppSDK");
    failure.mutable_application_failure_info()->set_type(
        cause == enums::WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR ? "NondeterminismError"
                                                                           : "WorkflowTaskError");
    if (task.has_query()) {
        auto request = std::make_shared<api::RespondQueryTaskCompletedRequest>();
        request->set_namespace_(context_->client->namespace_name());
        request->set_task_token(task.task_token());
        request->set_completed_type(enums::QUERY_RESULT_TYPE_FAILED);
        request->set_error_message(message);
        request->set_cause(cause);
        *request->mutable_failure() = std::move(failure);
        encode(*request);
        context_->client->rpc().call("RespondQueryTaskCompleted", request,
                                     std::make_shared<api::RespondQueryTaskCompletedResponse>(),
                                     default_retries(), done);
        return;
    }
    // Later attempts time out instead, which slows the retries down.
    if (task.attempt() > 1) {
        finish(run_id, false);
        return;
    }
    auto request = std::make_shared<api::RespondWorkflowTaskFailedRequest>();
    request->set_namespace_(context_->client->namespace_name());
    request->set_task_token(task.task_token());
    request->set_identity(context_->client->identity());
    request->set_cause(cause);
    tell_deployment(context_->options.deployment, *request);
    *request->mutable_failure() = std::move(failure);
    encode(*request);
    context_->client->rpc().call("RespondWorkflowTaskFailed", request,
                                 std::make_shared<api::RespondWorkflowTaskFailedResponse>(),
                                 default_retries(), done);
}

void RunShard::finish(const std::string& run_id, bool keep) {
    const auto found = runs_.find(run_id);
    Entry& entry = found->second;
    Pending done = std::exchange(entry.current, {});
    entry.busy = false;
    if (!keep || STELE_FAULT("sdk.early-eviction")) {
        abandon_local_activities(entry);
        entry.run.reset();
        weigh(entry, -entry.bytes);
    }
    if (!entry.waiting.empty()) {
        Pending next = std::move(entry.waiting.front());
        entry.waiting.pop_front();
        begin(entry, std::move(next));
    } else if (!entry.run) {
        forget(found);
    }
    evict_surplus();
    done.finished();
}

std::unordered_map<std::string, RunShard::Entry>::iterator RunShard::forget(
    std::unordered_map<std::string, Entry>::iterator found) {
    abandon_local_activities(found->second);
    weigh(found->second, -found->second.bytes);
    recency_.erase(found->second.position);
    context_->metrics->cache_changed(-1);
    return runs_.erase(found);
}

void RunShard::weigh(Entry& entry, std::int64_t bytes) {
    entry.bytes += bytes;
    bytes_ += bytes;
}

bool RunShard::has_surplus() const {
    return static_cast<int>(runs_.size()) > cache_.runs_max ||
           (cache_.bytes_max > 0 && bytes_ > cache_.bytes_max);
}

void RunShard::evict_surplus() {
    auto oldest = recency_.begin();
    while (has_surplus() && oldest != recency_.end()) {
        const auto found = runs_.find(*oldest++);
        if (found->second.busy) continue;
        STELE_PROBE("sdk.run-evicted");
        context_->metrics->forced_evictions.add();
        forget(found);
    }
}

const WorkflowInstruments& RunShard::instruments_of(const Entry& entry) {
    return instruments_.of(entry.current.task->workflow_type().name());
}

void RunShard::measure_begin(Entry& entry) {
    entry.begun = context_->client->runtime()->now();
    entry.end = {};
    const Task& task = *entry.current.task;
    if (task.has_scheduled_time() && task.has_started_time() && !task.has_query())
        instruments_of(entry).task_schedule_to_start.record(from_timestamp(task.started_time()) -
                                                            from_timestamp(task.scheduled_time()));
}

// Once the server has taken what ends the run.
void RunShard::measure_end(const Entry& entry) {
    using Command = core::Command;
    const WorkflowInstruments& instruments = instruments_of(entry);
    switch (entry.end) {
        case Command::kCompleteWorkflowExecutionCommandAttributes:
            instruments.completed.add();
            break;
        case Command::kFailWorkflowExecutionCommandAttributes: instruments.failed.add(); break;
        case Command::kCancelWorkflowExecutionCommandAttributes: instruments.cancelled.add(); break;
        case Command::kContinueAsNewWorkflowExecutionCommandAttributes:
            instruments.continued_as_new.add();
            break;
        default: return;
    }
    const Runtime::Time start(std::chrono::nanoseconds(entry.run->start_time_nanoseconds()));
    instruments.end_to_end.record(context_->client->runtime()->now() - start);
}

}  // namespace stele::sdk
