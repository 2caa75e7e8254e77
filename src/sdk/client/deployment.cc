#include "stele/deployment.h"

#include <utility>

#include "sdk/client/client_core.h"
#include "sdk/data/codec.h"
#include "sdk/data/convert.h"
#include "sdk/data/versioning.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

namespace stele {

namespace api = temporal::api::workflowservice::v1;
namespace deployment = temporal::api::deployment::v1;
namespace enums = temporal::api::enums::v1;

namespace {

std::optional<Timestamp> read_time(const google::protobuf::Timestamp& time) {
    if (time.seconds() == 0 && time.nanos() == 0) return std::nullopt;
    return sdk::from_timestamp(time);
}

using sdk::read_version;

DeploymentRouting read_routing(const deployment::RoutingConfig& message) {
    DeploymentRouting routing;
    if (message.has_current_deployment_version())
        routing.current = read_version(message.current_deployment_version());
    if (message.has_ramping_deployment_version())
        routing.ramping = read_version(message.ramping_deployment_version());
    routing.ramping_percentage = message.ramping_version_percentage();
    routing.current_changed_time = read_time(message.current_version_changed_time());
    routing.ramping_changed_time = read_time(message.ramping_version_changed_time());
    return routing;
}

/// What the summary and the description of a version have in common.
template <class Message>
void read_version_summary(const Message& message, DeploymentVersionSummary& summary) {
    summary.version = read_version(message.deployment_version());
    summary.status = static_cast<DeploymentVersionStatus>(static_cast<int>(message.status()));
    summary.create_time = read_time(message.create_time());
}

template <class Request>
Request make(const sdk::ClientCore& core, const std::string& name) {
    Request request;
    request.set_namespace_(core.namespace_name());
    if constexpr (requires { request.set_deployment_name(name); })
        request.set_deployment_name(name);
    if constexpr (requires { request.set_identity(core.identity()); })
        request.set_identity(core.identity());
    return request;
}

template <class Request>
Request make_for_version(const sdk::ClientCore& core, const std::string& name,
                         const std::string& build_id) {
    auto request = make<Request>(core, name);
    request.mutable_deployment_version()->set_deployment_name(name);
    request.mutable_deployment_version()->set_build_id(build_id);
    return request;
}

template <class Request>
Request make_for_routing(const sdk::ClientCore& core, const std::string& name,
                         const std::string& build_id, const RoutingOptions& options) {
    auto request = make<Request>(core, name);
    request.set_build_id(build_id);
    request.set_conflict_token(options.conflict_token);
    request.set_ignore_missing_task_queues(options.ignore_missing_task_queues);
    request.set_allow_no_pollers(options.allow_no_pollers);
    return request;
}

PayloadFields read_metadata(const sdk::ClientCore& core, deployment::VersionMetadata message) {
    sdk::decode_incoming(core.converter(), message, core.context_of({}));
    return PayloadFields(message.entries().begin(), message.entries().end());
}

}  // namespace

PagedRange<DeploymentSummary> DeploymentClient::list(int page_size) const {
    return PagedRange<DeploymentSummary>([core = core_, page_size](const std::string& token) {
        auto request = make<api::ListWorkerDeploymentsRequest>(*core, {});
        request.set_page_size(page_size);
        request.set_next_page_token(token);
        const auto reply =
            core->call<api::ListWorkerDeploymentsResponse>("ListWorkerDeployments", request);
        PagedRange<DeploymentSummary>::Page page;
        for (const auto& found : reply.worker_deployments())
            page.items.push_back({found.name(), read_time(found.create_time()),
                                  read_routing(found.routing_config())});
        page.next_token = reply.next_page_token();
        return page;
    });
}

DeploymentDescription DeploymentHandle::describe() const {
    const auto reply = core_->call<api::DescribeWorkerDeploymentResponse>(
        "DescribeWorkerDeployment", make<api::DescribeWorkerDeploymentRequest>(*core_, name_));
    const auto& info = reply.worker_deployment_info();
    DeploymentDescription description;
    description.name = info.name();
    description.create_time = read_time(info.create_time());
    description.routing = read_routing(info.routing_config());
    for (const auto& version : info.version_summaries())
        read_version_summary(version, description.versions.emplace_back());
    description.last_modifier_identity = info.last_modifier_identity();
    description.manager_identity = info.manager_identity();
    description.conflict_token = reply.conflict_token();
    return description;
}

DeploymentVersionDescription DeploymentHandle::describe_version(const std::string& build_id) const {
    const auto reply = core_->call<api::DescribeWorkerDeploymentVersionResponse>(
        "DescribeWorkerDeploymentVersion",
        make_for_version<api::DescribeWorkerDeploymentVersionRequest>(*core_, name_, build_id));
    const auto& info = reply.worker_deployment_version_info();
    DeploymentVersionDescription description;
    read_version_summary(info, description);
    description.ramping_percentage = info.ramp_percentage();
    description.current_since = read_time(info.current_since_time());
    description.ramping_since = read_time(info.ramping_since_time());
    description.drainage_changed_time = read_time(info.drainage_info().last_changed_time());
    description.drainage_checked_time = read_time(info.drainage_info().last_checked_time());
    for (const auto& queue : reply.version_task_queues())
        description.task_queues.push_back(
            {queue.name(), queue.type() == enums::TASK_QUEUE_TYPE_WORKFLOW});
    description.metadata = read_metadata(*core_, info.metadata());
    return description;
}

std::string DeploymentHandle::set_current(const std::string& build_id,
                                          const RoutingOptions& options) const {
    const auto request = make_for_routing<api::SetWorkerDeploymentCurrentVersionRequest>(
        *core_, name_, build_id, options);
    return core_
        ->call<api::SetWorkerDeploymentCurrentVersionResponse>("SetWorkerDeploymentCurrentVersion",
                                                               request)
        .conflict_token();
}

std::string DeploymentHandle::set_ramping(const std::string& build_id, float percentage,
                                          const RoutingOptions& options) const {
    auto request = make_for_routing<api::SetWorkerDeploymentRampingVersionRequest>(
        *core_, name_, build_id, options);
    request.set_percentage(percentage);
    return core_
        ->call<api::SetWorkerDeploymentRampingVersionResponse>("SetWorkerDeploymentRampingVersion",
                                                               request)
        .conflict_token();
}

std::string DeploymentHandle::set_manager(const std::string& identity,
                                          const std::string& conflict_token) const {
    auto request = make<api::SetWorkerDeploymentManagerRequest>(*core_, name_);
    request.set_manager_identity(identity);
    request.set_conflict_token(conflict_token);
    return core_
        ->call<api::SetWorkerDeploymentManagerResponse>("SetWorkerDeploymentManager", request)
        .conflict_token();
}

PayloadFields DeploymentHandle::update_metadata(const std::string& build_id,
                                                const PayloadFields& set,
                                                const std::vector<std::string>& remove) const {
    auto request = make_for_version<api::UpdateWorkerDeploymentVersionMetadataRequest>(
        *core_, name_, build_id);
    for (const auto& [key, value] : set) (*request.mutable_upsert_entries())[key] = value;
    for (const std::string& key : remove) request.add_remove_entries(key);
    core_->encode(request, core_->context_of({}));
    const auto reply = core_->call<api::UpdateWorkerDeploymentVersionMetadataResponse>(
        "UpdateWorkerDeploymentVersionMetadata", request);
    return read_metadata(*core_, reply.metadata());
}

void DeploymentHandle::remove_version(const std::string& build_id, bool skip_drainage) const {
    auto request =
        make_for_version<api::DeleteWorkerDeploymentVersionRequest>(*core_, name_, build_id);
    request.set_skip_drainage(skip_drainage);
    (void)core_->call<api::DeleteWorkerDeploymentVersionResponse>("DeleteWorkerDeploymentVersion",
                                                                  request);
}

void DeploymentHandle::remove() const {
    (void)core_->call<api::DeleteWorkerDeploymentResponse>(
        "DeleteWorkerDeployment", make<api::DeleteWorkerDeploymentRequest>(*core_, name_));
}

}  // namespace stele
