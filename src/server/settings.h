#pragma once

#include "config/dynamic_config.h"
#include "frontend/services.h"
#include "history/context.h"

#include <string>

// Which dynamic configuration key sets what: the one place where both sides are known. A layer that
// a setting concerns has a plain structure with a field for it and the default in it.
namespace stele::server {

/// Every key that this server knows.
config::Registry known_settings();

/// The limits of a namespace's runs as they are now.
history::Limits limits_of(const config::DynamicConfig& config, const std::string& namespace_name,
                          const history::Limits& defaults);

/// The settings of operators' calls as they are now.
frontend::OperatorSettings operator_settings(const config::DynamicConfig& config);

}  // namespace stele::server
