#include "sdk/data/versioning.h"

namespace stele::sdk {

namespace deployment_api = temporal::api::deployment::v1;
namespace enums = temporal::api::enums::v1;
using OverrideMessage = temporal::api::workflow::v1::VersioningOverride;

deployment_api::WorkerDeploymentVersion to_message(const DeploymentVersion& version) {
    deployment_api::WorkerDeploymentVersion message;
    message.set_deployment_name(version.deployment_name);
    message.set_build_id(version.build_id);
    return message;
}

DeploymentVersion read_version(const deployment_api::WorkerDeploymentVersion& message) {
    return {message.deployment_name(), message.build_id()};
}

deployment_api::WorkerDeploymentOptions to_message(const WorkerDeployment& deployment) {
    deployment_api::WorkerDeploymentOptions message;
    message.set_deployment_name(deployment.version.deployment_name);
    message.set_build_id(deployment.version.build_id);
    message.set_worker_versioning_mode(deployment.use_versioning
                                           ? enums::WORKER_VERSIONING_MODE_VERSIONED
                                           : enums::WORKER_VERSIONING_MODE_UNVERSIONED);
    return message;
}

OverrideMessage to_message(const VersioningOverride& wanted) {
    OverrideMessage message;
    const DeploymentVersion& version = wanted.version();
    switch (wanted.kind()) {
        case VersioningOverride::Kind::kPinned:
            message.set_behavior(enums::VERSIONING_BEHAVIOR_PINNED);
            message.set_pinned_version(version.deployment_name + "." + version.build_id);
            message.mutable_pinned()->set_behavior(
                OverrideMessage::PINNED_OVERRIDE_BEHAVIOR_PINNED);
            *message.mutable_pinned()->mutable_version() = to_message(version);
            break;
        case VersioningOverride::Kind::kAutoUpgrade:
            message.set_behavior(enums::VERSIONING_BEHAVIOR_AUTO_UPGRADE);
            message.set_auto_upgrade(true);
            break;
        case VersioningOverride::Kind::kOneTime:
            *message.mutable_one_time()->mutable_target_deployment_version() = to_message(version);
            break;
    }
    return message;
}

std::optional<VersioningOverride> read_override(const OverrideMessage& message) {
    switch (message.override_case()) {
        case OverrideMessage::kPinned:
            return VersioningOverride::pinned(read_version(message.pinned().version()));
        case OverrideMessage::kAutoUpgrade: return VersioningOverride::auto_upgrade();
        case OverrideMessage::kOneTime:
            return VersioningOverride::one_time(
                read_version(message.one_time().target_deployment_version()));
        case OverrideMessage::OVERRIDE_NOT_SET: return std::nullopt;
    }
    return std::nullopt;
}

}  // namespace stele::sdk
