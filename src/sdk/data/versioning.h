#pragma once

#include <optional>

#include "stele/versioning.h"
#include "temporal/api/deployment/v1/message.pb.h"
#include "temporal/api/workflow/v1/message.pb.h"

// Between the SDK's own types of builds and the API's messages. Pure.
namespace stele::sdk {

temporal::api::deployment::v1::WorkerDeploymentVersion to_message(const DeploymentVersion& version);
DeploymentVersion read_version(
    const temporal::api::deployment::v1::WorkerDeploymentVersion& message);

temporal::api::deployment::v1::WorkerDeploymentOptions to_message(
    const WorkerDeployment& deployment);

/// With the fields that servers read which do not know the override's kinds yet.
temporal::api::workflow::v1::VersioningOverride to_message(const VersioningOverride& wanted);
/// Nothing where the message holds none that is known here.
std::optional<VersioningOverride> read_override(
    const temporal::api::workflow::v1::VersioningOverride& message);

/// Tells in a request which build asks, where the worker has one.
template <class Request>
void tell_deployment(const std::optional<WorkerDeployment>& deployment, Request& request) {
    if (deployment) *request.mutable_deployment_options() = to_message(*deployment);
}

}  // namespace stele::sdk
