#pragma once

#include "config/dynamic_config.h"
#include "frontend/call_settings.h"
#include "frontend/services.h"
#include "matching/queue_settings.h"

#include <string>

// Which dynamic configuration key sets what: the one place where both sides are known. A layer that
// a setting concerns has a plain structure with a field for it and the default in it.
namespace stele::server {

/// Every key that this server knows.
config::Registry known_settings();

/// What the configuration says now of a namespace.
frontend::NamespaceSettings settings_of(const config::DynamicConfig& config,
                                        const std::string& namespace_name,
                                        const frontend::NamespaceSettings& defaults);

/// What it says of a task queue.
matching::QueueSettings queue_settings_of(const config::DynamicConfig& config,
                                          const std::string& namespace_name,
                                          const shard::QueueId& queue,
                                          const matching::QueueSettings& defaults);

/// The settings of operators' calls as they are now.
frontend::OperatorSettings operator_settings(const config::DynamicConfig& config);

}  // namespace stele::server
