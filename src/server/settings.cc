#include "server/settings.h"

namespace stele::server {
namespace {

using frontend::CallSettings;
using frontend::VersioningSettings;
using history::Limits;
using matching::QueueSettings;

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
        {"component.nexusoperations.limit.operation.concurrency",
         &Limits::pending_nexus_operations},
        {"component.nexusoperations.limit.service.name.length", &Limits::nexus_service_length},
        {"component.nexusoperations.limit.operation.name.length", &Limits::nexus_operation_length},
        {"component.nexusoperations.limit.operation.token.length", &Limits::nexus_token_length},
        {"component.nexusoperations.limit.header.size", &Limits::nexus_header_bytes},
        {"component.nexusoperations.limit.scheduleToCloseTimeout",
         &Limits::nexus_schedule_to_close},
        {"component.nexusoperations.request.timeout", &Limits::nexus_call},
        {"component.nexusoperations.limit.request.timeout.min", &Limits::nexus_least_call},
        {"component.nexusoperations.retryPolicy.initialInterval", &Limits::nexus_first_retry},
        {"component.nexusoperations.retryPolicy.maxInterval", &Limits::nexus_longest_retry},
        {"component.nexusoperations.recordCancelRequestCompletionEvents",
         &Limits::nexus_cancel_answers},
        {"history.enableSignalWithStartFromWorkflow", &Limits::signal_with_start_operation},
        {"system.enableCancelActivityWorkerCommand", &Limits::cancel_activity_commands},
        {"history.maximumSignalsPerExecution", &Limits::signals_per_run},
        {"history.maxInFlightUpdates", &Limits::updates_in_flight},
        {"history.maxInFlightUpdatePayloads", &Limits::update_bytes_in_flight},
        {"history.maxTotalUpdates", &Limits::updates_per_run},
        {"history.maxTotalUpdates.suggestContinueAsNewThreshold", &Limits::suggest_updates_share},
        {"history.discardSpeculativeWorkflowTaskMaximumEventsCount",
         &Limits::speculative_discard_events},
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
        {"system.enableCrossNamespaceCommands", &Limits::cross_namespace_commands},
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
        {"frontend.searchAttributesNumberOfKeysLimit", &Limits::search_attribute_keys},
        {"frontend.searchAttributesSizeOfValueLimit", &Limits::search_attribute_bytes},
        {"frontend.searchAttributesTotalSizeLimit", &Limits::search_attributes_bytes},
        {"history.retentionTimerJitterDuration", &Limits::retention_jitter},
        {"system.maxCallbacksPerWorkflow", &Limits::callbacks_per_run},
        {"system.maxCallbacksPerUpdateID", &Limits::callbacks_per_update},
        {"frontend.callbackURLMaxLength", &Limits::callback_url_bytes},
        {"frontend.callbackHeaderMaxLength", &Limits::callback_header_bytes},
        {"callback.maxPerExecution", &Limits::callbacks_per_request},
        {"callback.allowedAddresses", &Limits::callback_addresses},
        {"callback.retryPolicy.initialInterval", &Limits::callback_retry},
        {"callback.retryPolicy.maxInterval", &Limits::longest_callback_retry},
        {"history.enableUpdateCallbacks", &Limits::update_callbacks},
        {"history.enableCHASMSignalBacklinks", &Limits::signal_backlinks},
        {"limit.historyMaxPageSize", &Limits::history_page},
        {"matching.historyMaxPageSize", &Limits::query_history_page},
        {"history.longPollExpirationInterval", &Limits::history_long_poll},
    };
    return fields;
}

const config::Fields<frontend::OperatorSettings>& operator_fields() {
    using frontend::OperatorSettings;
    static const config::Fields<OperatorSettings> fields = {
        {"worker.protectedNamespaces", &OperatorSettings::protected_namespaces},
        {"frontend.deleteNamespaceNamespaceDeleteDelay", &OperatorSettings::namespace_delete_delay},
        {"system.namespaceMinRetentionLocal", &OperatorSettings::least_retention},
        {"limit.endpointNameMaxLength", &OperatorSettings::endpoint_name_length},
        {"limit.endpointExternalURLMaxLength", &OperatorSettings::endpoint_url_length},
        {"limit.endpointDescriptionMaxSize", &OperatorSettings::endpoint_description_bytes},
        {"limit.endpointListDefaultPageSize", &OperatorSettings::endpoint_page},
        {"limit.endpointListMaxPageSize", &OperatorSettings::endpoint_largest_page},
    };
    return fields;
}

const config::Fields<CallSettings>& call_fields() {
    static const config::Fields<CallSettings> fields = {
        {"frontend.namespaceRPS", &CallSettings::calls_per_second},
        {"frontend.namespaceBurstRatio", &CallSettings::calls_burst},
        {"frontend.namespaceRPS.visibility", &CallSettings::visibility_calls_per_second},
        {"frontend.namespaceBurstRatio.visibility", &CallSettings::visibility_calls_burst},
        {"frontend.namespaceCount", &CallSettings::waiting_calls},
        {"frontend.WorkerHeartbeatsEnabled", &CallSettings::worker_heartbeats},
        {"frontend.WorkerCommandsEnabled", &CallSettings::worker_commands},
        {"frontend.enableCancelWorkerPollsOnShutdown", &CallSettings::cancel_polls_on_shutdown},
    };
    return fields;
}

const config::Fields<VersioningSettings>& versioning_fields() {
    using Settings = VersioningSettings;
    static const config::Fields<Settings> fields = {
        {"frontend.workerVersioningDataAPIs", &Settings::sets_allowed},
        {"limit.workerBuildIdSize", &Settings::build_id_bytes},
        {"limit.versionCompatibleSetLimitPerQueue", &Settings::sets_per_queue},
        {"limit.versionBuildIdLimitPerQueue", &Settings::builds_per_queue},
        {"limit.taskQueuesPerBuildId", &Settings::queues_per_build},
        {"limit.reachabilityQueryBuildIds", &Settings::reachability_builds},
        {"limit.reachabilityTaskQueueScan", &Settings::reachability_queues},
        {"frontend.reachabilityQuerySetDurationSinceDefault", &Settings::reachable_after_default},
    };
    return fields;
}

const config::Fields<batch::Settings>& batch_fields() {
    using batch::Settings;
    static const config::Fields<Settings> fields = {
        {"frontend.enableBatcher", &Settings::enabled},
        {"frontend.MaxConcurrentBatchOperationPerNamespace", &Settings::open_jobs},
        {"frontend.MaxExecutionCountBatchOperationPerNamespace", &Settings::executions},
        {"worker.batcherRPS", &Settings::runs_per_second},
        {"worker.batcherConcurrency", &Settings::concurrency},
    };
    return fields;
}

const config::Fields<QueueSettings>& queue_fields() {
    static const config::Fields<QueueSettings> fields = {
        {"matching.longPollExpirationInterval", &QueueSettings::long_poll},
        {"matching.PollerHistoryTTL", &QueueSettings::poller_history},
        {"matching.numTaskqueueReadPartitions", &QueueSettings::partitions},
        {"admin.matchingNamespaceTaskqueueToPartitionDispatchRate",
         &QueueSettings::partition_dispatch_rate},
        {"admin.matchingNamespaceToPartitionDispatchRate", &QueueSettings::namespace_dispatch_rate},
        {"matching.enableFairness", &QueueSettings::fairness},
        {"matching.maxFairnessKeyWeightOverrides", &QueueSettings::weight_overrides},
        {"matching.pollerScalingMinimumBacklog", &QueueSettings::scale_up_backlog_age},
        {"matching.pollerScalingWaitTime", &QueueSettings::scale_down_wait},
        {"matching.pollerScalingDecisionsPerSecond", &QueueSettings::scale_decisions_per_second},
        {"matching.pollerScalingTaskAddToDispatchRatio", &QueueSettings::scale_up_add_ratio},
    };
    return fields;
}

/// Keys that tune parts of Temporal's own machinery: partitions of task queues, caches, queue
/// readers, replication. This server has nothing to tune there, and no client sees a difference.
constexpr const char* kWithoutEffect[] = {
    "frontend.maskInternalErrorDetails",
    "frontend.persistenceMaxQPS",
    "frontend.workerVersioningRuleAPIs",
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
    "matching.forwarderMaxChildrenPerNode",
    "matching.forwarderMaxOutstandingPolls",
    "matching.forwarderMaxOutstandingTasks",
    "matching.forwarderMaxRatePerSecond",
    "matching.getTasksBatchSize",
    "matching.getTasksReloadAt",
    "matching.getUserDataLongPollTimeout",
    "matching.numTaskqueueWritePartitions",
    "matching.taskQueueInfoByBuildIdTTL",
    "matching.updateAckInterval",
    "matching.useNewMatcher",
    "metrics.breakdownByTaskQueue",
    "system.clusterMetadataRefreshInterval",
    "system.enableDeploymentVersions",
    "system.forceSearchAttributesCacheRefreshOnRead",
    "system.namespaceCacheRefreshInterval",
    "system.visibilityDisableOrderByClause",
    "system.visibilityEnableUnifiedQueryConverter",
    "worker.buildIdScavengerEnabled",
    "worker.executionsScannerEnabled",
    "worker.historyScannerEnabled",
    "worker.removableBuildIdDurationSinceDefault",
    "worker.taskQueueScannerEnabled",
};

}  // namespace

config::Registry known_settings() {
    config::Registry registry;
    registry.add(limit_fields());
    registry.add(operator_fields());
    registry.add(call_fields());
    registry.add(versioning_fields());
    registry.add(batch_fields());
    registry.add(queue_fields());
    for (const char* key : kWithoutEffect) registry.add_without_effect(key);
    return registry;
}

frontend::OperatorSettings operator_settings(const config::DynamicConfig& config) {
    return config::resolve(operator_fields(), *config.values(), {}, frontend::OperatorSettings());
}

frontend::NamespaceSettings settings_of(const config::DynamicConfig& config,
                                        const std::string& namespace_name,
                                        const frontend::NamespaceSettings& defaults) {
    const auto values = config.values();
    const config::Scope scope{namespace_name, {}, 0, {}};
    return {config::resolve(limit_fields(), *values, scope, defaults.limits),
            config::resolve(call_fields(), *values, scope, defaults.calls),
            config::resolve(versioning_fields(), *values, scope, defaults.versioning),
            config::resolve(batch_fields(), *values, scope, defaults.batches)};
}

matching::QueueSettings queue_settings_of(const config::DynamicConfig& config,
                                          const std::string& namespace_name,
                                          const shard::QueueId& queue,
                                          const QueueSettings& defaults) {
    const config::Scope scope{namespace_name, queue.name, static_cast<int>(queue.kind), {}};
    return config::resolve(queue_fields(), *config.values(), scope, defaults);
}

}  // namespace stele::server
