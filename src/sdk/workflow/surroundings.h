#pragma once

#include <exception>
#include <functional>
#include <optional>
#include <string>

#include "stele/interceptor.h"
#include "stele/log.h"
#include "stele/versioning.h"

namespace stele::sdk {

/// What a run is told by whoever runs it, beyond its history.
struct Surroundings {
    std::string namespace_name;
    std::string workflow_id;
    std::string run_id;
    /// Empty: nothing is logged.
    Logger logger = {};
    /// Which exceptions fail the workflow, beyond Temporal's failures.
    std::function<bool(const std::exception&)> fails_workflow = {};
    Interceptors interceptors = {};
    /// Which build the worker is.
    std::optional<DeploymentVersion> deployment_version = {};
};

}  // namespace stele::sdk
