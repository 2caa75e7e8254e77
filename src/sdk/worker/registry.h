#pragma once

#include <map>
#include <memory>
#include <string>

#include "sdk/core/activation.h"
#include "sdk/core/run.h"
#include "stele/worker.h"

namespace stele::sdk {

/// The workflows and activities that a worker or a replayer knows. Filled first, read afterwards;
/// reading is safe from any thread.
struct Registry {
    std::map<std::string, std::shared_ptr<const wf::detail::Definition>, std::less<>> workflows;
    std::map<std::string, detail::ActivityFunction, std::less<>> activities;

    void add(wf::detail::Definition definition);
    /// Makes the code of a run, or throws WorkflowTaskFailure for a type that is not registered.
    std::unique_ptr<core::WorkflowCode> make_code(const core::InitializeJob& job,
                                                  const std::string& namespace_name,
                                                  const std::string& workflow_id,
                                                  const std::string& run_id) const;
};

}  // namespace stele::sdk
