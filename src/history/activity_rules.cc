#include "history/activity.h"
#include "history/pause.h"
#include "history/rule_condition.h"
#include "temporal/api/rules/v1/message.pb.h"

// Rules of the namespace that pause an activity before an attempt of it begins.
namespace stele::history {
namespace {

using api::rules::v1::WorkflowRule;

const char* state_of(const storage::ActivityRow& row) {
    if (row.has_pause()) return "Paused";
    if (row.cancel_requested()) return "CancelRequested";
    return is_started(row) ? "Started" : "Scheduled";
}

std::optional<RuleValue> activity_field(const storage::ActivityRow& row, std::string_view name) {
    if (name == "ActivityId") return RuleValue(row.activity_id());
    if (name == "ActivityType") return RuleValue(row.activity_type());
    if (name == "ActivityState") return RuleValue(std::string(state_of(row)));
    if (name == "TaskQueue") return RuleValue(row.task_queue());
    if (name == "Attempts") return RuleValue(std::int64_t{row.attempt()});
    if (name == "BackoffInterval") {
        if (row.attempt() < 2) return RuleValue();
        return RuleValue(std::chrono::duration_cast<std::chrono::seconds>(
                             from_proto(row.current_retry_interval()))
                             .count());
    }
    if (name == "LastFailure") {
        if (row.last_failure().message().empty()) return RuleValue();
        return RuleValue(row.last_failure().message());
    }
    if (name == "StartedTime") {
        return row.has_started_time() ? RuleValue(from_proto(row.started_time())) : RuleValue();
    }
    return std::nullopt;
}

std::optional<RuleValue> workflow_field(const Builder& builder, std::string_view name) {
    const storage::InfoRow& info = builder.info();
    if (name == "WorkflowId") return RuleValue(info.workflow_id());
    if (name == "WorkflowType") return RuleValue(info.workflow_type());
    if (name == "StartTime") return RuleValue(from_proto(info.start_time()));
    if (name == "ExecutionStatus") {
        return RuleValue(std::string(is_paused(builder.header()) ? "Paused" : "Running"));
    }
    return std::nullopt;
}

bool pauses(const WorkflowRule& rule) {
    for (const auto& action : rule.spec().actions()) {
        if (action.has_activity_pause()) return true;
    }
    return false;
}

/// A condition that can not be read matches nothing: a rule must not stop what it does not mean.
bool matches(const Builder& builder, const storage::ActivityRow& row, const WorkflowRule& rule) {
    const auto& spec = rule.spec();
    if (!spec.has_activity_start()) return false;
    if (spec.has_expiration_time() && from_proto(spec.expiration_time()) < builder.now()) {
        return false;
    }
    if (!spec.visibility_query().empty()) {
        const auto workflow =
            evaluate_condition(spec.visibility_query(), [&](std::string_view name) {
                return workflow_field(builder, name);
            });
        if (!workflow.ok() || !*workflow) return false;
    }
    const auto activity = evaluate_condition(
        spec.activity_start().predicate(),
        [&](std::string_view name) { return activity_field(row, name); });
    return activity.ok() && *activity;
}

}  // namespace

bool pause_by_rule(Builder& builder, storage::ActivityRow& row) {
    const auto* rules = builder.context().rules;
    if (rules == nullptr || row.has_pause()) return false;
    for (const WorkflowRule& rule : *rules) {
        if (!pauses(rule) || !matches(builder, row, rule)) continue;
        storage::ActivityPause pause;
        *pause.mutable_time() = to_proto(builder.now());
        pause.set_rule_id(rule.spec().id());
        pause_activity(builder, row, std::move(pause));
        update_pause_info(builder);
        return true;
    }
    return false;
}

}  // namespace stele::history
