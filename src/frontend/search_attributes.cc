#include "frontend/search_attributes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <string_view>

namespace stele::frontend {
namespace {

constexpr std::array<std::string_view, 17> kSetByServer = {
    "WorkflowId",       "RunId",           "WorkflowType",      "StartTime",
    "ExecutionTime",    "CloseTime",       "ExecutionStatus",   "ExecutionDuration",
    "TaskQueue",        "HistoryLength",   "HistorySizeBytes",  "StateTransitionCount",
    "ParentWorkflowId", "ParentRunId",     "RootWorkflowId",    "RootRunId",
    "TemporalPauseInfo"};

constexpr std::array<std::string_view, 14> kSetBySdks = {
    "BuildIds",
    "TemporalChangeVersion",
    "BinaryChecksums",
    "BatcherUser",
    "TemporalScheduledStartTime",
    "TemporalScheduledById",
    "TemporalSchedulePaused",
    "TemporalNamespaceDivision",
    "TemporalReportedProblems",
    "TemporalWorkerDeployment",
    "TemporalWorkerDeploymentVersion",
    "TemporalWorkflowVersioningBehavior",
    "TemporalUsedWorkerDeploymentVersions",
    "TemporalExternalPayloadCount"};

bool holds(const auto& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

bool is_reserved_search_attribute(const std::string& name) {
    return holds(kSetByServer, name) || holds(kSetBySdks, name);
}

absl::Status check_search_attributes(const storage::NamespaceRow& space,
                                     const temporal::api::common::v1::SearchAttributes& attributes) {
    // Sorted, so that of several faults the same one is named every time.
    std::map<std::string_view, const std::string*> names;
    for (const auto& [name, value] : attributes.indexed_fields()) names[name] = &name;
    for (const auto& [view, name] : names) {
        if (holds(kSetByServer, *name)) {
            return invalid_argument(
                fmt::format("{} attribute can't be set in SearchAttributes", *name));
        }
        if (holds(kSetBySdks, *name) || space.search_attributes().contains(*name)) continue;
        return invalid_argument(fmt::format(
            "Namespace {} has no mapping defined for search attribute {}", space.name(), *name));
    }
    return absl::OkStatus();
}

}  // namespace stele::frontend
