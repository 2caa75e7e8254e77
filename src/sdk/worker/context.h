#pragma once

#include <memory>
#include <optional>
#include <string>

#include "sdk/client/client_core.h"
#include "sdk/metrics/worker_metrics.h"
#include "sdk/worker/registry.h"
#include "stele/worker.h"

namespace stele::sdk {

/// What the parts of one worker share. Immutable after the start.
struct WorkerContext {
    std::shared_ptr<ClientCore> client;
    std::shared_ptr<const Registry> registry;
    WorkerOptions options;
    std::string task_queue;
    std::string sticky_queue;
    std::string instance_key;
    /// Never null.
    std::shared_ptr<WorkerMetrics> metrics;

    std::optional<DeploymentVersion> deployment_version() const {
        if (!options.deployment) return std::nullopt;
        return options.deployment->version;
    }
};

/// Answers to tasks are tried for longer than ordinary calls: the work behind them is done.
inline RetrySettings answer_retries() {
    RetrySettings settings;
    settings.total = Milliseconds(60'000);
    return settings;
}

}  // namespace stele::sdk
