#include "shard/queries.h"

#include "base/probe.h"
#include "shard/history_pages.h"

#include "temporal/api/errordetails/v1/message.pb.h"

#include <algorithm>
#include <utility>

namespace stele::shard {
namespace {

namespace enums = api::enums::v1;
using service::QueryWorkflowResponse;

/// Queries that wait for one workflow task.
constexpr std::size_t kBufferedPerRun = 1;
constexpr std::size_t kWaitingPerShard = 10'000;
/// A run whose workflow task has failed this often can not answer either.
constexpr int kFailingAttempt = 3;
/// For a caller who did not say how long it waits.
constexpr Duration kLongestWait = std::chrono::seconds(30);

absl::Status not_ready(std::string message) {
    return make_error(absl::StatusCode::kFailedPrecondition, std::move(message),
                      api::errordetails::v1::WorkflowNotReadyFailure());
}

absl::Status too_many(std::string message) {
    api::errordetails::v1::ResourceExhaustedFailure detail;
    detail.set_cause(enums::RESOURCE_EXHAUSTED_CAUSE_BUSY_WORKFLOW);
    detail.set_scope(enums::RESOURCE_EXHAUSTED_SCOPE_NAMESPACE);
    return make_error(absl::StatusCode::kResourceExhausted, std::move(message), detail);
}

absl::Status query_failed(const std::string& message, const api::failure::v1::Failure& failure) {
    api::errordetails::v1::QueryFailedFailure detail;
    *detail.mutable_failure() = failure;
    return make_error(absl::StatusCode::kInvalidArgument, message, detail);
}

bool has_task(const history::Run& run) {
    return run.header.task().kind() != storage::TASK_KIND_NONE;
}
bool has_completed_task(const history::Run& run) {
    return run.header.last_completed_task_started_event_id() != 0;
}
bool can_ask_directly(const history::Run& run) {
    return has_completed_task(run) && (!run.is_open() || !has_task(run));
}

bool is_rejected(const history::Run& run, enums::QueryRejectCondition condition) {
    const auto status = run.header.status();
    if (status == enums::WORKFLOW_EXECUTION_STATUS_PAUSED) return true;
    if (status == enums::WORKFLOW_EXECUTION_STATUS_RUNNING) return false;
    if (condition == enums::QUERY_REJECT_CONDITION_NOT_OPEN) return true;
    return condition == enums::QUERY_REJECT_CONDITION_NOT_COMPLETED_CLEANLY &&
           status != enums::WORKFLOW_EXECUTION_STATUS_COMPLETED;
}

absl::Status check_answerable(const history::Run& run, Timestamp deadline) {
    if (!run.is_open() && !has_completed_task(run)) {
        return not_ready("Workflow execution closed before WorkflowTaskStarted event");
    }
    if (run.header.first_task_pending() && from_proto(run.header.execution_time()) > deadline) {
        return not_ready("Workflow task is not scheduled yet.");
    }
    if (run.header.task().attempt() >= kFailingAttempt) {
        return not_ready("Unable to query workflow due to Workflow Task in failed state.");
    }
    return absl::OkStatus();
}

QueryWorkflowResponse answered(api::common::v1::Payloads answer) {
    QueryWorkflowResponse response;
    *response.mutable_query_result() = std::move(answer);
    return response;
}

}  // namespace

void Queries::query(const NamespacePtr& space, service::QueryWorkflowRequest request,
                    CallScopePtr scope, Reply<QueryWorkflowResponse> reply) {
    const api::common::v1::WorkflowExecution& execution = request.execution();
    const absl::StatusOr<LoadedRun*> found =
        shard_.find({space->id, execution.workflow_id(), execution.run_id()});
    if (!found.ok()) return reply(found.status());
    LoadedRun& loaded = **found;
    const history::Run& run = *loaded.run;
    if (is_rejected(run, request.query_reject_condition())) {
        QueryWorkflowResponse rejected;
        rejected.mutable_query_rejected()->set_status(run.header.status());
        return shard_.reply_at<QueryWorkflowResponse>(loaded.last_synced, std::move(reply),
                                                      std::move(rejected));
    }
    Timestamp deadline = add_saturating(shard_.now(), kLongestWait);
    if (scope != nullptr && scope->deadline() != kNever) deadline = scope->deadline();
    const absl::Status answerable = check_answerable(run, deadline);
    if (!answerable.ok()) {
        return shard_.reply_at<QueryWorkflowResponse>(loaded.last_synced, std::move(reply),
                                                      answerable);
    }
    const bool direct = can_ask_directly(run);
    if (!direct && buffered(loaded.address) >= kBufferedPerRun) {
        STELE_PROBE("queries.buffer-full");
        return reply(too_many(
            "consistent query buffer is full, this may be caused by too many queries and workflow "
            "not able to process query fast enough"));
    }
    if (queries_.size() >= kWaitingPerShard || STELE_FAULT("queries.too-many"))
        return reply(too_many("too many queries wait"));

    const Id id = env::new_uuid(shard_.around().env.random());
    Query query;
    query.run = loaded.address;
    query.ref = run.ref();
    query.space = space;
    query.request = std::move(request);
    query.scope = std::move(scope);
    query.reply = std::move(reply);
    query.deadline = deadline;
    hold(id, std::move(query));
    if (direct) ask_directly(id);
}

absl::StatusOr<LoadedRun*> Queries::load(RunAddress address) {
    STELE_ASSIGN_OR_RETURN(LoadedRun * run, shard_.load(address));
    if (run == nullptr) return not_found("workflow execution has been deleted");
    return run;
}

void Queries::hold(const Id& id, Query query) {
    by_run_[query.run].push_back(id);
    const CallScopePtr scope = query.scope;
    queries_.emplace(id, std::move(query));
    set_timer(id, queries_.at(id).deadline);
    if (scope == nullptr) return;
    scope->on_cancel([this, id] {
        shard_.executor().post(
            [this, id] { finish(id, canceled("the caller has gone"), Position()); });
    });
}

std::size_t Queries::buffered(RunAddress run) const {
    const auto ids = by_run_.find(run);
    if (ids == by_run_.end()) return 0;
    return static_cast<std::size_t>(
        std::count_if(ids->second.begin(), ids->second.end(),
                      [this](const Id& id) { return queries_.at(id).stage == Stage::kBuffered; }));
}

void Queries::set_timer(const Id& id, Timestamp when) {
    Query& query = queries_.at(id);
    if (query.timer != 0) shard_.executor().cancel(query.timer);
    query.timer = shard_.executor().run_at(when, [this, id] { expired(id); });
}

void Queries::expired(const Id& id) {
    const auto found = queries_.find(id);
    if (found == queries_.end()) return;
    Query& query = found->second;
    query.timer = 0;
    if (query.stage == Stage::kSticky && shard_.now() < query.deadline) return leave_sticky(id);
    finish(id, deadline_exceeded("context deadline exceeded"), Position());
}

// ---- Direct ----------------------------------------------------------------------------------

void Queries::ask_directly(const Id& id) {
    Query& query = queries_.at(id);
    const absl::StatusOr<LoadedRun*> run = load(query.run);
    if (!run.ok()) return finish(id, run.status(), Position());
    const storage::HeaderRow& header = (*run)->run->header;
    if (header.sticky_task_queue().empty() || STELE_FAULT("queries.not-sticky")) {
        query.stage = Stage::kNormal;
        const QueueId queue{query.ref.namespace_id, (*run)->run->info.task_queue(),
                            QueueKind::kWorkflow};
        return offer(id, queue, false, query.deadline);
    }
    query.stage = Stage::kSticky;
    const QueueId queue{query.ref.namespace_id, header.sticky_task_queue(), QueueKind::kWorkflow};
    const Timestamp until =
        std::min(query.deadline,
                 add_saturating(shard_.now(), from_proto(header.sticky_schedule_to_start())));
    set_timer(id, until);
    offer(id, queue, true, until);
}

void Queries::offer(const Id& id, const QueueId& queue, bool sticky, Timestamp until) {
    Query& query = queries_.at(id);
    query.taken = false;
    const Stage stage = query.stage;
    const absl::StatusOr<LoadedRun*> run = load(query.run);
    if (!run.ok()) return finish(id, run.status(), Position());
    QueryOffer offered{queue, sticky, query.ref, id, (*run)->run->info.workflow_type(), until};
    shard_.around().sink->offer_query(std::move(offered), [this, id, stage](absl::Status status) {
        shard_.executor().post(
            [this, id, stage, status = std::move(status)] { unmatched(id, stage, status); });
    });
}

void Queries::unmatched(const Id& id, Stage stage, absl::Status status) {
    const auto found = queries_.find(id);
    if (found == queries_.end() || found->second.stage != stage) return;
    if (stage == Stage::kSticky && shard_.now() < found->second.deadline) return leave_sticky(id);
    finish(id, std::move(status), Position());
}

void Queries::leave_sticky(const Id& id) {
    STELE_PROBE("queries.left-sticky");
    Query& query = queries_.at(id);
    const absl::StatusOr<LoadedRun*> run = load(query.run);
    if (!run.ok()) return finish(id, run.status(), Position());
    if ((*run)->run->is_open()) {
        const CommandContext context = shard_.context_for(query.space);
        auto applied = history::reset_sticky(*(*run)->run, context.context);
        if (applied.ok()) shard_.commit(**run, applied->transition);
    }
    query.stage = Stage::kNormal;
    set_timer(id, query.deadline);
    const QueueId queue{query.ref.namespace_id, (*run)->run->info.task_queue(),
                        QueueKind::kWorkflow};
    offer(id, queue, false, query.deadline);
}

void Queries::start(const QueryOffer& offer, Reply<PolledWorkflowTask> reply) {
    const auto found = queries_.find(offer.query_id);
    const bool wanted = found != queries_.end() && found->second.stage != Stage::kBuffered &&
                        (found->second.stage == Stage::kSticky) == offer.sticky;
    STELE_PROBE_IF("queries.unwanted", !wanted);
    if (!wanted) return reply(not_found("nobody waits for this query any more"));
    Query& query = found->second;
    const absl::StatusOr<LoadedRun*> run = load(query.run);
    if (!run.ok()) return reply(run.status());
    LoadedRun& loaded = **run;
    const EventId previous(loaded.run->header.last_completed_task_started_event_id());
    // A worker that keeps the run answers from what it keeps. Events would make it run ahead of its
    // workflow tasks: one may have been scheduled since the query was offered.
    absl::StatusOr<HistoryPage> page{HistoryPage()};
    if (!offer.sticky) {
        PageLimits limits;
        limits.events = shard_.context_of(loaded).context.limits->query_history_page;
        if (STELE_FAULT("queries.tiny-page")) limits.events = 1;
        const bool stale = STELE_BUG("queries.stale-state") && previous != kNoEvent;
        const EventId last = stale ? previous : last_event(loaded);
        page = read_page(shard_.around().store, loaded, kFirstEvent, last.next(), limits);
    }
    if (!page.ok()) return reply(page.status());
    query.taken = true;
    PolledWorkflowTask polled;
    polled.run = query.ref;
    polled.workflow_type = offer.workflow_type;
    polled.task_queue = loaded.run->info.task_queue();
    polled.task.previous_started = previous;
    polled.task.attempt = 1;
    polled.task.sticky = offer.sticky;
    polled.task.last_stored = last_event(loaded);
    polled.history = *std::move(page);
    polled.direct_query = {offer.query_id, query.request.query()};
    loaded.revealed = last_event(loaded);
    shard_.reply_at<PolledWorkflowTask>(loaded.last, std::move(reply), std::move(polled));
}

void Queries::respond(const RunRef& run, const std::string& query_id,
                      service::RespondQueryTaskCompletedRequest request,
                      Reply<history::None> reply) {
    const auto found = queries_.find(query_id);
    if (found == queries_.end() || found->second.ref != run || !found->second.taken) {
        STELE_PROBE("queries.answered-late");
        return reply(not_found("query task not found, or already expired"));
    }
    if (request.completed_type() == enums::QUERY_RESULT_TYPE_FAILED) {
        finish(query_id, query_failed(request.error_message(), request.failure()), Position());
    } else {
        finish(query_id, answered(std::move(*request.mutable_query_result())), Position());
    }
    reply(history::None());
}

// ---- With a workflow task --------------------------------------------------------------------

Queries::Attached Queries::attach(RunAddress run) {
    Attached attached;
    const auto ids = by_run_.find(run);
    if (ids == by_run_.end()) return attached;
    for (const Id& id : ids->second) {
        const Query& query = queries_.at(id);
        STELE_PROBE_IF("queries.attached", query.stage == Stage::kBuffered);
        if (query.stage == Stage::kBuffered) attached.emplace_back(id, query.request.query());
    }
    return attached;
}

void Queries::answer(const LoadedRun& run, Results& results) {
    const auto ids = by_run_.find(run.address);
    if (ids == by_run_.end()) return;
    const std::vector<Id> waiting = ids->second;  // finish takes them out
    for (const Id& id : waiting) {
        const auto result = results.find(id);
        if (result == results.end()) continue;
        api::query::v1::WorkflowQueryResult& given = result->second;
        // The answer may tell of what the completion does: not before that is durable.
        if (given.result_type() == enums::QUERY_RESULT_TYPE_FAILED) {
            finish(id, query_failed(given.error_message(), given.failure()), run.last_synced);
        } else {
            finish(id, answered(std::move(*given.mutable_answer())), run.last_synced);
        }
    }
}

void Queries::changed(const LoadedRun& run) {
    const auto ids = by_run_.find(run.address);
    if (ids == by_run_.end()) return;
    if (run.run->is_open() && has_task(*run.run)) return;
    for (const Id& id : ids->second) {
        Query& query = queries_.at(id);
        if (query.stage != Stage::kBuffered) continue;
        // Not in place: the commit under way is still being announced.
        shard_.executor().post([this, id] {
            const auto found = queries_.find(id);
            if (found == queries_.end() || found->second.stage != Stage::kBuffered) return;
            const absl::StatusOr<LoadedRun*> loaded = load(found->second.run);
            if (!loaded.ok()) return finish(id, loaded.status(), Position());
            const history::Run& now = *(*loaded)->run;
            const absl::Status status = check_answerable(now, found->second.deadline);
            if (!status.ok()) return finish(id, status, (*loaded)->last_synced);
            STELE_PROBE_IF("queries.buffered-becomes-direct", can_ask_directly(now));
            if (can_ask_directly(now)) ask_directly(id);
        });
    }
}

void Queries::finish(Id id, absl::StatusOr<QueryWorkflowResponse> result, Position position) {
    const auto found = queries_.find(id);
    if (found == queries_.end()) return;
    Query query = std::move(found->second);
    queries_.erase(found);
    std::vector<Id>& ids = by_run_.at(query.run);
    std::erase(ids, id);
    if (ids.empty()) by_run_.erase(query.run);
    if (query.timer != 0) shard_.executor().cancel(query.timer);
    if (query.scope != nullptr) query.scope->on_cancel({});
    shard_.reply_at<QueryWorkflowResponse>(position, std::move(query.reply), std::move(result));
}

void Queries::drain() {
    while (!queries_.empty()) {
        finish(queries_.begin()->first, unavailable("the server is shutting down"), Position());
    }
}

}  // namespace stele::shard
