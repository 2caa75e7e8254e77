#include "sdk/worker/registry.h"

#include <utility>

#include "sdk/core/errors.h"
#include "sdk/workflow/run_context.h"

namespace stele::sdk {

void Registry::add(wf::detail::Definition definition) {
    if (!definition.make)
        throw IllegalCallError("workflow type \"" + definition.name + "\" has no main routine");
    const std::string name = definition.name;
    auto shared = std::make_shared<const wf::detail::Definition>(std::move(definition));
    if (!workflows.emplace(name, std::move(shared)).second)
        throw IllegalCallError("workflow type \"" + name + "\" is registered twice");
}

void Registry::set_dynamic(wf::detail::Definition definition) {
    if (dynamic_workflow) throw IllegalCallError("a worker has one dynamic workflow at most");
    dynamic_workflow = std::make_shared<const wf::detail::Definition>(std::move(definition));
}

VersioningBehavior Registry::versioning(const std::string& type) const {
    if (const auto found = workflows.find(type); found != workflows.end())
        return found->second->versioning;
    return dynamic_workflow ? dynamic_workflow->versioning : VersioningBehavior::kUnspecified;
}

const detail::ActivityFunction& Registry::activity(const std::string& type) const {
    if (const auto found = activities.find(type); found != activities.end()) return found->second;
    if (dynamic_activity) return dynamic_activity;
    std::string known;
    for (const auto& [name, function] : activities) known += " " + name;
    throw ApplicationError(
        "activity type \"" + type + "\" is not registered on this worker, which has:" + known,
        {.type = "NotFoundError"});
}

std::unique_ptr<core::WorkflowCode> Registry::make_code(const core::InitializeJob& job,
                                                        Surroundings surroundings) const {
    const std::string& type = job.attributes.workflow_type().name();
    const auto found = workflows.find(type);
    if (found == workflows.end() && !dynamic_workflow) {
        std::string known;
        for (const auto& [name, definition] : workflows) known += " " + name;
        core::fail_task(
            "workflow type \"" + type +
            "\" is not registered on this worker, which has:" + (known.empty() ? " none" : known));
    }
    return std::make_unique<wf::detail::RunContext>(
        found == workflows.end() ? dynamic_workflow : found->second, std::move(surroundings));
}

}  // namespace stele::sdk
