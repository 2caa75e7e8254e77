#include "history/begin_run.h"

#include "history/attributes.h"
#include "history/build_ids.h"
#include "history/callback_family.h"
#include "history/reset_points.h"

#include <algorithm>
#include <utility>

namespace stele::history {

namespace enums = temporal::api::enums::v1;

namespace {

using Started = api::history::v1::WorkflowExecutionStartedEventAttributes;

/// Run timeouts count from the first task; nothing outlives the execution. The end of the execution
/// is known in whole milliseconds: a run that is to last as long ends with it, not just before it.
void set_expirations(storage::InfoRow& info, const Started& started, Timestamp now) {
    Timestamp expiration = kNever;
    const Duration run_timeout = from_proto(started.workflow_run_timeout());
    if (run_timeout > Duration::zero()) {
        expiration = add_saturating(add_saturating(now, run_timeout),
                                    from_proto(started.first_workflow_task_backoff()));
    }
    if (started.has_workflow_execution_expiration_time()) {
        *info.mutable_execution_expiration() = started.workflow_execution_expiration_time();
        const Timestamp execution = from_proto(started.workflow_execution_expiration_time());
        const bool together = execution < add_saturating(expiration, std::chrono::milliseconds(1));
        if (together) expiration = execution;
    }
    if (expiration != kNever) *info.mutable_run_expiration() = to_proto(expiration);
}

/// Behind every event that the old run may still get as it ends.
std::int64_t next_event_task_base(const Builder& builder) {
    constexpr std::int64_t kLastEvents = 1 << 16;
    return event_task_base(builder.info()) + builder.header().next_event_id() + kLastEvents;
}

}  // namespace

storage::InfoRow make_info(const RunBirth& birth, Timestamp now) {
    const Started& started = birth.started;
    storage::InfoRow info;
    info.set_namespace_id(birth.namespace_id);
    info.set_namespace_(birth.namespace_name);
    info.set_workflow_id(started.workflow_id());
    info.set_run_id(birth.run_id);
    info.set_sequence(birth.run_key.value());
    info.set_event_task_base(birth.event_task_base);
    info.set_workflow_type(started.workflow_type().name());
    info.set_task_queue(started.task_queue().name());
    if (started.has_workflow_execution_timeout()) {
        *info.mutable_execution_timeout() = started.workflow_execution_timeout();
    }
    if (started.has_workflow_run_timeout()) {
        *info.mutable_run_timeout() = started.workflow_run_timeout();
    }
    *info.mutable_task_timeout() = started.workflow_task_timeout();
    *info.mutable_start_time() = to_proto(now);
    if (started.has_first_workflow_task_backoff()) {
        *info.mutable_first_task_backoff() = started.first_workflow_task_backoff();
    }
    set_expirations(info, started, now);
    info.set_first_execution_run_id(started.first_execution_run_id());
    info.set_original_execution_run_id(started.original_execution_run_id());
    info.set_continued_run_id(started.continued_execution_run_id());
    info.set_create_request_id(birth.request_id);
    info.set_attempt(started.attempt());
    info.set_cron_schedule(started.cron_schedule());
    if (started.has_retry_policy()) *info.mutable_retry_policy() = started.retry_policy();
    const bool may_begin_again = started.has_retry_policy() || !started.cron_schedule().empty();
    if (may_begin_again) *info.mutable_started() = started;
    *info.mutable_links() = birth.links;
    info.set_parent_namespace_id(started.parent_workflow_namespace_id());
    info.set_parent_namespace(started.parent_workflow_namespace());
    if (started.has_parent_workflow_execution()) {
        *info.mutable_parent() = started.parent_workflow_execution();
        info.set_parent_initiated_event_id(started.parent_initiated_event_id());
    }
    if (started.has_root_workflow_execution()) {
        *info.mutable_root() = started.root_workflow_execution();
    } else {
        info.mutable_root()->set_workflow_id(started.workflow_id());
        info.mutable_root()->set_run_id(birth.run_id);
    }
    if (birth.has_user_metadata) *info.mutable_user_metadata() = birth.user_metadata;
    if (started.has_priority()) *info.mutable_priority() = started.priority();
    return info;
}

void fill_header(storage::HeaderRow& header, const Started& started, Timestamp now) {
    const Duration backoff = from_proto(started.first_workflow_task_backoff());
    header.set_status(enums::WORKFLOW_EXECUTION_STATUS_RUNNING);
    header.set_next_event_id(kFirstEvent.value());
    header.set_first_task_pending(backoff > Duration::zero());
    *header.mutable_execution_time() = to_proto(add_saturating(now, backoff));
    if (started.has_prev_auto_reset_points()) {
        *header.mutable_reset_points() = started.prev_auto_reset_points();
    }
    if (started.has_source_version_stamp()) {
        *header.mutable_most_recent_worker_version() = started.source_version_stamp();
    }
    header.mutable_task()->set_attempt(1);
}

storage::AttributesRow make_attributes(const Started& started, const Limits& limits) {
    storage::AttributesRow row;
    if (started.has_memo()) *row.mutable_memo() = started.memo();
    if (started.has_search_attributes()) {
        *row.mutable_search_attributes() = started.search_attributes();
    }
    const WorkerVersionStamp& version = started.source_version_stamp();
    if (version.use_versioning() && !version.build_id().empty()) {
        auto& fields = *row.mutable_search_attributes()->mutable_indexed_fields();
        if (auto builds = add_build_id(fields, version, limits.search_attribute_bytes)) {
            fields[kBuildIds] = *std::move(builds);
        }
    }
    return row;
}

Duration effective_run_timeout(Duration run_timeout, Duration execution_timeout) {
    if (execution_timeout == Duration::zero()) return run_timeout;
    if (run_timeout == Duration::zero()) return execution_timeout;
    return std::min(run_timeout, execution_timeout);
}

Duration effective_task_timeout(Duration requested, Duration run_timeout, const Limits& limits) {
    if (requested == Duration::zero()) requested = limits.default_task_timeout;
    requested = std::min(requested, limits.max_task_timeout);
    return run_timeout == Duration::zero() ? requested : std::min(requested, run_timeout);
}

Birth begin_run(RunBirth birth, const Context& context) {
    Birth made;
    made.run = std::make_unique<Run>();
    made.builder = std::make_unique<Builder>(*made.run, context);
    Builder& builder = *made.builder;
    Started& started = birth.started;
    drop_empty_attributes(started);
    started.set_original_execution_run_id(birth.run_id);
    if (started.first_execution_run_id().empty()) started.set_first_execution_run_id(birth.run_id);

    Draft& draft = builder.draft();
    draft.info = make_info(birth, context.now);
    fill_header(draft.header, started, context.now);
    // Most runs begin without any: then there is no row until they get some.
    storage::AttributesRow attributes = make_attributes(started, *context.limits);
    if (attributes.has_memo() || attributes.has_search_attributes())
        draft.attributes = std::move(attributes);
    attach_callbacks(builder, {birth.request_id}, started.completion_callbacks());
    HistoryEvent event;
    event.set_event_type(enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED);
    *event.mutable_workflow_execution_started_event_attributes() = std::move(started);
    if (birth.has_user_metadata) *event.mutable_user_metadata() = std::move(birth.user_metadata);
    *event.mutable_links() = std::move(birth.links);
    builder.add_event(std::move(event));
    return made;
}

NewRun finish_birth(Birth birth) {
    birth.builder->schedule_workflow_task_if_needed();
    NewRun made;
    made.run = std::move(birth.run);
    made.transition = std::make_unique<Transition>(std::move(*birth.builder).finish());
    return made;
}

Duration spaced_backoff(const Builder& builder, Duration wanted) {
    const Duration shortest = builder.context().limits->continue_as_new_interval;
    Duration lifetime = builder.now() - from_proto(builder.header().execution_time());
    if (lifetime < Duration::zero()) {
        lifetime =
            std::max(Duration::zero(), builder.now() - from_proto(builder.info().start_time()));
    }
    return lifetime + wanted < shortest ? shortest - lifetime : wanted;
}

void add_successor(Builder& builder, const std::string& new_run_id, Started started) {
    const storage::InfoRow& info = builder.info();
    RunBirth birth;
    birth.namespace_id = info.namespace_id();
    birth.namespace_name = info.namespace_();
    birth.run_id = new_run_id;
    birth.request_id = builder.context().new_id();
    birth.links = info.links();
    birth.event_task_base = next_event_task_base(builder);
    started.set_workflow_id(info.workflow_id());
    started.set_continued_execution_run_id(info.run_id());
    started.set_first_execution_run_id(info.first_execution_run_id());
    if (info.has_execution_timeout()) {
        *started.mutable_workflow_execution_timeout() = info.execution_timeout();
    }
    if (info.has_execution_expiration()) {
        *started.mutable_workflow_execution_expiration_time() = info.execution_expiration();
    }
    if (info.has_parent()) {
        started.set_parent_workflow_namespace_id(info.parent_namespace_id());
        started.set_parent_workflow_namespace(info.parent_namespace());
        *started.mutable_parent_workflow_execution() = info.parent();
        started.set_parent_initiated_event_id(info.parent_initiated_event_id());
        *started.mutable_root_workflow_execution() = info.root();
    }
    if (info.has_priority()) *started.mutable_priority() = info.priority();
    *started.mutable_prev_auto_reset_points() = carried_reset_points(
        builder.header().reset_points(), info.run_id(), builder.now(), builder.context().retention);
    birth.started = std::move(started);
    builder.header().set_successor_run_id(new_run_id);
    builder.transition().successor.push_back(
        finish_birth(begin_run(std::move(birth), builder.context())));
}

}  // namespace stele::history
