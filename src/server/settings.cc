#include "server/settings.h"

namespace stele::server {
namespace {

using history::Limits;

const config::Fields<Limits>& limit_fields() {
    static const config::Fields<Limits> fields = {
        {"limit.blobSize.error", &Limits::blob_bytes},
        {"limit.memoSize.error", &Limits::memo_bytes},
        {"limit.maxIDLength", &Limits::id_length},
        {"limit.historyCount.error", &Limits::history_events},
        {"limit.historySize.error", &Limits::history_bytes},
        {"limit.historyCount.suggestContinueAsNew", &Limits::suggest_events},
        {"limit.historySize.suggestContinueAsNew", &Limits::suggest_bytes},
        {"limit.numPendingActivities.error", &Limits::pending_activities},
        {"limit.numPendingChildExecutions.error", &Limits::pending_children},
        {"limit.numPendingSignals.error", &Limits::pending_signals},
        {"limit.numPendingCancelRequests.error", &Limits::pending_cancels},
        {"history.maximumSignalsPerExecution", &Limits::signals_per_run},
        {"history.maximumBufferedEventsBatch", &Limits::buffered_events},
        {"history.maximumBufferedEventsSizeInBytes", &Limits::buffered_bytes},
        {"limit.mutableStateActivityFailureSize.error", &Limits::failure_bytes},
        {"history.workflowTaskHeartbeatTimeout", &Limits::workflow_task_heartbeat},
        {"history.defaultWorkflowTaskTimeout", &Limits::default_task_timeout},
        {"history.workflowIdReuseMinimalInterval", &Limits::continue_as_new_interval},
        {"history.historyMaxAutoResetPoints", &Limits::reset_points},
        {"history.allowResetWithPendingChildren", &Limits::reset_with_children},
        {"history.externalPayloadsEnabled", &Limits::external_payloads},
        {"frontend.workflowPauseEnabled", &Limits::workflow_pause},
        {"frontend.sendRawWorkflowHistory", &Limits::raw_history},
        {"limit.mutableStateSize.error", &Limits::state_bytes},
        {"system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute",
         &Limits::reported_task_problems},
        {"history.enableWorkflowTaskCompletionPagination", &Limits::completion_pages},
        {"history.workflowTaskCompletionBufferSizeLimit", &Limits::completion_pages_bytes},
        {"history.workflowTaskCompletionBufferTotalSizeLimit",
         &Limits::completion_pages_total_bytes},
        {"history.workflowTaskCompletionBufferNamespaceRatio", &Limits::completion_pages_share},
        {"frontend.workflowRulesAPIsEnabled", &Limits::workflow_rules},
        {"frontend.maxWorkflowRulesPerNamespace", &Limits::workflow_rules_count},
    };
    return fields;
}

/// Keys that tune parts of Temporal's own machinery: partitions of task queues, caches, queue
/// readers, replication. This server has nothing to tune there, and no client sees a difference.
constexpr const char* kWithoutEffect[] = {
    "frontend.maskInternalErrorDetails",
    "frontend.persistenceMaxQPS",
    "history.enableCHASMCallbacks",
    "history.enableChasm",
    "history.enablePaginationTokenBranchValidationShadowMode",
    "history.enableTransitionHistory",
    "history.maximumEventBatchSizeInBytes",
    "history.persistenceMaxQPS",
    "history.recordCancelRequestCompletionEvents",
    "history.shardFinalizerTimeout",
    "history.timerProcessorMaxTimeShift",
    "history.transferProcessorUpdateAckInterval",
    "history.visibilityProcessorUpdateAckInterval",
    "limit.blobSize.warn",
    "limit.historyCount.warn",
    "limit.historySize.warn",
    "limit.memoSize.warn",
    "limit.mutableStateSize.warn",
    "matching.forwarderMaxOutstandingPolls",
    "matching.forwarderMaxOutstandingTasks",
    "matching.forwarderMaxRatePerSecond",
    "matching.getTasksBatchSize",
    "matching.getTasksReloadAt",
    "matching.getUserDataLongPollTimeout",
    "matching.numTaskqueueReadPartitions",
    "matching.numTaskqueueWritePartitions",
    "matching.updateAckInterval",
    "matching.useNewMatcher",
    "metrics.breakdownByTaskQueue",
    "system.clusterMetadataRefreshInterval",
    "system.forceSearchAttributesCacheRefreshOnRead",
    "system.namespaceCacheRefreshInterval",
    "system.visibilityDisableOrderByClause",
    "system.visibilityEnableUnifiedQueryConverter",
    "worker.buildIdScavengerEnabled",
    "worker.executionsScannerEnabled",
    "worker.historyScannerEnabled",
    "worker.taskQueueScannerEnabled",
};

}  // namespace

config::Registry known_settings() {
    config::Registry registry;
    registry.add(limit_fields());
    for (const char* key : kWithoutEffect) registry.add_without_effect(key);
    return registry;
}

history::Limits limits_of(const config::DynamicConfig& config, const std::string& namespace_name,
                          const history::Limits& defaults) {
    return config::resolve(limit_fields(), *config.values(), {namespace_name, {}, 0, {}}, defaults);
}

}  // namespace stele::server
