#pragma once

#include <map>
#include <memory>
#include <string>

#include "sdk/core/activation.h"
#include "sdk/core/run.h"
#include "sdk/workflow/surroundings.h"
#include "stele/worker.h"

namespace stele::sdk {

/// The workflows and activities that a worker or a replayer knows. Filled first, read afterwards;
/// reading is safe from any thread.
struct Registry {
    std::map<std::string, std::shared_ptr<const wf::detail::Definition>, std::less<>> workflows;
    std::map<std::string, detail::ActivityFunction, std::less<>> activities;

    /// For types that are not registered; null where there is none.
    std::shared_ptr<const wf::detail::Definition> dynamic_workflow;
    detail::ActivityFunction dynamic_activity;

    bool has_workflows() const { return !workflows.empty() || dynamic_workflow; }
    bool has_activities() const { return !activities.empty() || dynamic_activity; }

    void add(wf::detail::Definition definition);
    void set_dynamic(wf::detail::Definition definition);
    /// What the registration of a workflow type says of newer builds.
    VersioningBehavior versioning(const std::string& type) const;
    /// The function of an activity type. Throws ApplicationError NotFoundError when there is none.
    const detail::ActivityFunction& activity(const std::string& type) const;
    /// Makes the code of a run, or throws WorkflowTaskFailure for a type that is not registered.
    std::unique_ptr<core::WorkflowCode> make_code(const core::InitializeJob& job,
                                                  Surroundings surroundings) const;
};

}  // namespace stele::sdk
