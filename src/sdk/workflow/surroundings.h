#pragma once

#include <string>

#include "stele/log.h"

namespace stele::sdk {

/// What a run is told by whoever runs it, beyond its history.
struct Surroundings {
    std::string namespace_name;
    std::string workflow_id;
    std::string run_id;
    /// Empty: nothing is logged.
    Logger logger = {};
};

}  // namespace stele::sdk
