#include "history/options.h"

#include "history/attributes.h"
#include "history/callback_family.h"

#include <google/protobuf/util/message_differencer.h>

#include <set>
#include <utility>

namespace stele::history {

namespace enums = api::enums::v1;

namespace {

using api::workflow::v1::VersioningOverride;
using google::protobuf::util::MessageDifferencer;

constexpr char kOverride[] = "versioning_override";

absl::Status partial_override(const std::set<std::string>& paths) {
    const std::string prefix = std::string(kOverride) + ".";
    const bool deployment = paths.contains(prefix + "deployment");
    const bool behavior = paths.contains(prefix + "behavior");
    if (deployment != behavior) {
        return invalid_argument(
            "error applying update_options: versioning_override fields must be updated together");
    }
    for (const std::string& path : paths) {
        const bool partial = path.starts_with(prefix) && path != prefix + "deployment" &&
                             path != prefix + "behavior";
        if (partial) {
            return invalid_argument(
                "error applying update_options: versioning_override doesn't support partial "
                "updates");
        }
    }
    return absl::OkStatus();
}

/// Lays the options that the mask names over `options`.
absl::Status merge(WorkflowOptions& options, const OptionsChange& change) {
    const std::set<std::string> paths(change.mask.paths().begin(), change.mask.paths().end());
    STELE_RETURN_IF_ERROR(partial_override(paths));
    const WorkflowOptions& wanted = change.options;
    const bool whole_override =
        paths.contains(kOverride) || paths.contains(std::string(kOverride) + ".behavior");
    if (whole_override) {
        options.clear_versioning_override();
        if (wanted.has_versioning_override()) {
            *options.mutable_versioning_override() = wanted.versioning_override();
        }
    }
    if (paths.contains("priority")) {
        options.clear_priority();
        if (wanted.has_priority()) *options.mutable_priority() = wanted.priority();
    }
    if (paths.contains("priority.priority_key")) {
        options.mutable_priority()->set_priority_key(wanted.priority().priority_key());
    }
    if (paths.contains("priority.fairness_key")) {
        options.mutable_priority()->set_fairness_key(wanted.priority().fairness_key());
    }
    if (paths.contains("priority.fairness_weight")) {
        options.mutable_priority()->set_fairness_weight(wanted.priority().fairness_weight());
    }
    return absl::OkStatus();
}

absl::Status not_in_queue(const api::deployment::v1::WorkerDeploymentVersion& version,
                          const std::string& task_queue) {
    return failed_precondition("Pinned version '" + version.deployment_name() + ":" +
                               version.build_id() + "' is not present in task queue '" +
                               task_queue + "' of type 'Workflow'");
}

/// The form that overrides had before they said what they are in one field.
absl::Status check_old_override(const VersioningOverride& wanted) {
    const bool named = wanted.has_deployment() || !wanted.pinned_version().empty();
    switch (wanted.behavior()) {
        case enums::VERSIONING_BEHAVIOR_PINNED:
            if (named) return absl::OkStatus();
            return invalid_argument(
                "must provide deployment (deprecated) or pinned version if behavior is 'PINNED'");
        case enums::VERSIONING_BEHAVIOR_AUTO_UPGRADE:
            if (wanted.has_deployment()) {
                return invalid_argument("only provide deployment if behavior is 'PINNED'");
            }
            if (named) {
                return invalid_argument("only provide pinned version if behavior is 'PINNED'");
            }
            return absl::OkStatus();
        default: return invalid_argument("override behavior is required");
    }
}

/// A version can be pinned to only where a worker of it has polled. As workers of deployments are
/// not kept account of, no task queue has any.
absl::Status check_override(const VersioningOverride& wanted, const std::string& task_queue) {
    switch (wanted.override_case()) {
        case VersioningOverride::kAutoUpgrade:
            return wanted.auto_upgrade() ? absl::OkStatus()
                                         : invalid_argument("auto-upgrade override must be true");
        case VersioningOverride::kPinned:
            if (!wanted.pinned().has_version()) {
                return invalid_argument("must provide version if override is pinned.");
            }
            if (wanted.pinned().behavior() ==
                VersioningOverride::PINNED_OVERRIDE_BEHAVIOR_UNSPECIFIED) {
                return invalid_argument(
                    "must specify pinned override behavior if override is pinned.");
            }
            return not_in_queue(wanted.pinned().version(), task_queue);
        case VersioningOverride::kOneTime:
            if (!wanted.one_time().has_target_deployment_version()) {
                return invalid_argument(
                    "must provide target deployment version if override is one-time.");
            }
            return not_in_queue(wanted.one_time().target_deployment_version(), task_queue);
        case VersioningOverride::OVERRIDE_NOT_SET: return check_old_override(wanted);
    }
    return absl::OkStatus();
}

/// A run that is pinned to nothing can not be told to stay where it is.
absl::Status check_pinned_to_something(const WorkflowOptions& wanted, const std::string& workflow) {
    const auto& pinned = wanted.versioning_override().pinned();
    const bool stay =
        pinned.behavior() != VersioningOverride::PINNED_OVERRIDE_BEHAVIOR_UNSPECIFIED &&
        !pinned.has_version();
    if (!stay) return absl::OkStatus();
    return failed_precondition(
        "must specify a specific pinned override version because workflow with id " + workflow +
        " has behavior Unspecified and is not yet pinned to any version");
}

/// The old form of an override, in the field where it is now.
void modernise(VersioningOverride& wanted) {
    if (wanted.behavior() != enums::VERSIONING_BEHAVIOR_AUTO_UPGRADE) return;
    wanted.set_auto_upgrade(true);
    wanted.clear_behavior();
}

/// A task that waits may belong elsewhere now; the row that it has in its queue is stale.
void requeue_task(Builder& builder) {
    if (!builder.has_workflow_task() || builder.has_started_workflow_task()) return;
    storage::WorkflowTask& task = *builder.header().mutable_task();
    if (task.dispatch_sequence() == 0) return;
    builder.withdraw_workflow_task_dispatch();
    builder.header().set_task_stamp(builder.header().task_stamp() + 1);
    task.set_stamp(builder.header().task_stamp());
    builder.dispatch_workflow_task();
}

}  // namespace

WorkflowOptions options_of(const storage::InfoRow& info) {
    WorkflowOptions options;
    if (info.has_versioning_override()) {
        *options.mutable_versioning_override() = info.versioning_override();
    }
    if (info.has_priority()) *options.mutable_priority() = info.priority();
    return options;
}

void apply_options(
    storage::InfoRow& info,
    const api::history::v1::WorkflowExecutionOptionsUpdatedEventAttributes& updated) {
    if (updated.unset_versioning_override()) {
        info.clear_versioning_override();
    } else if (updated.has_versioning_override()) {
        *info.mutable_versioning_override() = updated.versioning_override();
        modernise(*info.mutable_versioning_override());
    }
    if (updated.has_priority()) *info.mutable_priority() = updated.priority();
}

void add_options_updated(Builder& builder, HistoryEvent event) {
    event.set_event_type(enums::EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED);
    event.set_worker_may_ignore(true);
    const auto attributes = event.workflow_execution_options_updated_event_attributes();
    const WorkflowOptions before = options_of(builder.info());
    const bool changes = attributes.has_priority() || attributes.has_versioning_override() ||
                         attributes.unset_versioning_override();
    if (changes) apply_options(editable_info(builder.draft()), attributes);
    const EventId id = builder.add_or_buffer_event(std::move(event));
    builder.remember_request(attributes.attached_request_id(), id,
                             enums::EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED);
    attach_callbacks(builder, {attributes.attached_request_id()},
                     attributes.attached_completion_callbacks());
    for (const auto& joined : attributes.workflow_update_options()) {
        builder.remember_request(joined.attached_request_id(), id,
                                 enums::EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED);
        attach_callbacks(builder, {joined.attached_request_id(), joined.update_id()},
                         joined.attached_completion_callbacks());
    }
    if (!MessageDifferencer::Equals(before, options_of(builder.info()))) requeue_task(builder);
}

absl::StatusOr<WorkflowOptions> change_options(Builder& builder, const OptionsChange& change) {
    const storage::InfoRow& info = builder.info();
    STELE_RETURN_IF_ERROR(check_pinned_to_something(change.options, info.workflow_id()));
    if (change.options.has_versioning_override()) {
        STELE_RETURN_IF_ERROR(
            check_override(change.options.versioning_override(), info.task_queue()));
    }
    WorkflowOptions merged = options_of(info);
    STELE_RETURN_IF_ERROR(merge(merged, change));
    if (MessageDifferencer::Equals(merged, options_of(info))) return merged;
    HistoryEvent event;
    auto& attributes = *event.mutable_workflow_execution_options_updated_event_attributes();
    attributes.set_identity(change.identity);
    if (merged.has_versioning_override()) {
        *attributes.mutable_versioning_override() = merged.versioning_override();
    } else {
        attributes.set_unset_versioning_override(true);
    }
    if (merged.has_priority()) *attributes.mutable_priority() = merged.priority();
    add_options_updated(builder, std::move(event));
    return merged;
}

absl::StatusOr<Applied<WorkflowOptions>> update_options(const Run& run, const OptionsChange& change,
                                                        const Context& context) {
    if (!run.is_open()) return not_found("workflow execution already completed");
    Builder builder(run, context);
    const std::int64_t events = builder.header().next_event_id();
    const std::size_t buffered = builder.draft().buffered.size();
    STELE_ASSIGN_OR_RETURN(WorkflowOptions options, change_options(builder, change));
    const bool changed =
        builder.header().next_event_id() != events || builder.draft().buffered.size() != buffered;
    if (!changed) {
        builder.transition().empty = true;
        return Applied<WorkflowOptions>{std::move(builder.transition()), std::move(options)};
    }
    return Applied<WorkflowOptions>{std::move(builder).finish(), std::move(options)};
}

}  // namespace stele::history
