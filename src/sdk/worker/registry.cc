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

std::unique_ptr<core::WorkflowCode> Registry::make_code(const core::InitializeJob& job,
                                                        const std::string& namespace_name,
                                                        const std::string& workflow_id,
                                                        const std::string& run_id) const {
    const std::string& type = job.attributes.workflow_type().name();
    const auto found = workflows.find(type);
    if (found == workflows.end()) {
        std::string known;
        for (const auto& [name, definition] : workflows) known += " " + name;
        core::fail_task(
            "workflow type \"" + type +
            "\" is not registered on this worker, which has:" + (known.empty() ? " none" : known));
    }
    return std::make_unique<wf::detail::RunContext>(
        found->second, wf::detail::RunContext::Identity{namespace_name, workflow_id, run_id});
}

}  // namespace stele::sdk
