#pragma once

#include "frontend/services.h"

#include <memory>

// The frontend: every RPC of the services, from bytes to bytes, without a transport.
namespace stele::frontend {

/// Thread safe.
class Frontend {
public:
    /// All that `services` names must outlive the frontend.
    explicit Frontend(Services services);

    /// Answers a call, now or later; `path` is "/package.Service/Method".
    void dispatch(std::string_view path, CallPtr call) const {
        table_.dispatch(path, std::move(call));
    }

    const MethodTable& methods() const { return table_; }

private:
    Services services_;
    Authorizer authorizer_;
    NamespaceResolver resolver_;
    MethodTable table_;
};

inline constexpr char kWorkflowService[] = "temporal.api.workflowservice.v1.WorkflowService";
inline constexpr char kOperatorService[] = "temporal.api.operatorservice.v1.OperatorService";

}  // namespace stele::frontend
