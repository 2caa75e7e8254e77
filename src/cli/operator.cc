#include "cli/operator.h"

#include "grpc/health/v1/health.pb.h"
#include "temporal/api/operatorservice/v1/request_response.pb.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

#include <fmt/format.h>

#include <unistd.h>

#include <iostream>
#include <map>
#include <memory>

namespace stele::cli {
namespace {

namespace enums = temporal::api::enums::v1;
namespace service = temporal::api::workflowservice::v1;

constexpr int kPageSize = 100;
constexpr Duration kDefaultRetention = std::chrono::hours(72);

constexpr char kCreateExamples[] =
    R"(  stele operator namespace create -n orders --retention 7d --description 'All orders')";
constexpr char kUpdateExamples[] = R"(  stele operator namespace update -n orders --retention 30d)";
constexpr char kDescribeExamples[] = R"(  stele operator namespace describe -n orders)";
constexpr char kListExamples[] = R"(  stele operator namespace list
  stele operator namespace list -o jsonl | jq -r .namespaceInfo.name)";
constexpr char kDeleteExamples[] = R"(  stele operator namespace delete -n orders)";
constexpr char kHealthExamples[] = R"(  stele operator cluster health)";
constexpr char kClusterExamples[] = R"(  stele operator cluster describe --detail)";
constexpr char kSystemExamples[] = R"(  stele operator cluster system -o json)";

struct NamespaceFlags {
    std::string argument;  // the name, as older scripts give it
    std::string id;
    Duration retention{};
    std::string description;
    std::string email;
    std::vector<std::string> data;  // KEY=VALUE
    bool yes = false;
};

const std::string& name_of(const Session& session, const NamespaceFlags& flags) {
    return flags.argument.empty() ? session.namespace_name() : flags.argument;
}

absl::StatusOr<std::map<std::string, std::string>> read_data(const NamespaceFlags& flags) {
    std::map<std::string, std::string> data;
    for (const std::string& text : flags.data) {
        STELE_ASSIGN_OR_RETURN(auto pair, split_pair("--data", text));
        data.insert_or_assign(std::move(pair.first), std::move(pair.second));
    }
    return data;
}

absl::Status run_create(Session& session, const NamespaceFlags& flags) {
    const std::string& name = name_of(session, flags);
    service::RegisterNamespaceRequest request;
    request.set_namespace_(name);
    request.set_description(flags.description);
    request.set_owner_email(flags.email);
    const Duration retention =
        flags.retention == Duration::zero() ? kDefaultRetention : flags.retention;
    *request.mutable_workflow_execution_retention_period() = to_proto(retention);
    STELE_ASSIGN_OR_RETURN(const auto data, read_data(flags));
    for (const auto& [key, value] : data) (*request.mutable_data())[key] = value;
    service::RegisterNamespaceResponse response;
    STELE_RETURN_IF_ERROR(
        explain(fmt::format("unable to create namespace {}", name),
                session.call_workflow_service("RegisterNamespace", request, response)));
    session.printer().line(fmt::format("Namespace {} successfully registered.", name));
    session.printer().json({{"namespace", name}});
    return absl::OkStatus();
}

absl::StatusOr<service::DescribeNamespaceResponse> describe(Session& session,
                                                            const NamespaceFlags& flags) {
    service::DescribeNamespaceRequest request;
    if (flags.id.empty()) request.set_namespace_(name_of(session, flags));
    request.set_id(flags.id);
    service::DescribeNamespaceResponse response;
    const std::string& asked = flags.id.empty() ? request.namespace_() : flags.id;
    STELE_RETURN_IF_ERROR(
        explain(fmt::format("unable to describe namespace {}", asked),
                session.call_workflow_service("DescribeNamespace", request, response)));
    return response;
}

void print_namespace(Session& session, const service::DescribeNamespaceResponse& description) {
    const auto& info = description.namespace_info();
    const auto& config = description.config();
    std::string data;
    if (info.data_size() > 0) {
        data =
            Json(std::map<std::string, std::string>(info.data().begin(), info.data().end())).dump();
    }
    session.printer().card(
        {{"NamespaceInfo.Name", info.name()},
         {"NamespaceInfo.Id", info.id()},
         {"NamespaceInfo.Description", info.description()},
         {"NamespaceInfo.OwnerEmail", info.owner_email()},
         {"NamespaceInfo.State",
          camel_case(enums::NamespaceState_Name(info.state()), "NAMESPACE_STATE_")},
         {"NamespaceInfo.Data", data},
         {"Config.WorkflowExecutionRetentionTtl",
          duration_text(from_proto(config.workflow_execution_retention_ttl()))},
         {"ReplicationConfig.ActiveClusterName",
          description.replication_config().active_cluster_name()},
         {"IsGlobalNamespace", description.is_global_namespace() ? "true" : "false"},
         {"FailoverVersion", std::to_string(description.failover_version())}});
}

absl::Status run_describe(Session& session, const NamespaceFlags& flags) {
    STELE_ASSIGN_OR_RETURN(const auto response, describe(session, flags));
    STELE_ASSIGN_OR_RETURN(const Json json, message_to_json(response, session.payload_style()));
    session.printer().json(json);
    print_namespace(session, response);
    return absl::OkStatus();
}

absl::Status list(Session& session) {
    service::ListNamespacesRequest request;
    request.set_page_size(kPageSize);
    bool is_first = true;
    do {
        service::ListNamespacesResponse response;
        STELE_RETURN_IF_ERROR(session.call_workflow_service("ListNamespaces", request, response));
        for (const auto& description : response.namespaces()) {
            STELE_ASSIGN_OR_RETURN(const Json json,
                                   message_to_json(description, session.payload_style()));
            session.printer().json(json);
            if (!is_first) session.printer().line();
            is_first = false;
            print_namespace(session, description);
        }
        request.set_next_page_token(response.next_page_token());
    } while (!request.next_page_token().empty());
    return absl::OkStatus();
}

absl::Status run_list(Session& session) {
    session.printer().start_list();
    const absl::Status status = list(session);
    session.printer().end_list();
    return explain("failed listing namespaces", status);
}

/// What is not given stays as it is, so the namespace is read first.
absl::Status run_update(Session& session, const NamespaceFlags& flags) {
    STELE_ASSIGN_OR_RETURN(const auto old, describe(session, flags));
    const std::string& name = old.namespace_info().name();
    service::UpdateNamespaceRequest request;
    request.set_namespace_(name);
    auto& info = *request.mutable_update_info();
    info.set_description(flags.description.empty() ? old.namespace_info().description()
                                                   : flags.description);
    info.set_owner_email(flags.email.empty() ? old.namespace_info().owner_email() : flags.email);
    STELE_ASSIGN_OR_RETURN(const auto data, read_data(flags));
    for (const auto& [key, value] : data) (*info.mutable_data())[key] = value;
    *request.mutable_config()->mutable_workflow_execution_retention_ttl() =
        flags.retention == Duration::zero() ? old.config().workflow_execution_retention_ttl()
                                            : to_proto(flags.retention);
    service::UpdateNamespaceResponse response;
    STELE_RETURN_IF_ERROR(
        explain("namespace update failed",
                session.call_workflow_service("UpdateNamespace", request, response)));
    STELE_ASSIGN_OR_RETURN(const Json json, message_to_json(response, session.payload_style()));
    session.printer().json(json);
    session.printer().line(fmt::format("Namespace {} update succeeded.", name));
    return absl::OkStatus();
}

absl::Status run_delete(Session& session, const NamespaceFlags& flags) {
    const std::string& name = name_of(session, flags);
    STELE_RETURN_IF_ERROR(
        confirm(flags.yes, fmt::format("delete namespace {} with all its workflows", name)));
    temporal::api::operatorservice::v1::DeleteNamespaceRequest request;
    request.set_namespace_(name);
    temporal::api::operatorservice::v1::DeleteNamespaceResponse response;
    STELE_RETURN_IF_ERROR(
        explain(fmt::format("unable to delete namespace {}", name),
                session.call_operator_service("DeleteNamespace", request, response)));
    STELE_ASSIGN_OR_RETURN(const Json json, message_to_json(response, session.payload_style()));
    session.printer().json(json);
    session.printer().line(fmt::format("Namespace {} has been deleted.", name));
    return absl::OkStatus();
}

absl::Status run_health(Session& session) {
    grpc::health::v1::HealthCheckRequest request;
    request.set_service("temporal.api.workflowservice.v1.WorkflowService");
    grpc::health::v1::HealthCheckResponse response;
    STELE_RETURN_IF_ERROR(explain("failed checking health",
                                  session.call("/grpc.health.v1.Health/Check", request, response)));
    const std::string status =
        grpc::health::v1::HealthCheckResponse::ServingStatus_Name(response.status());
    session.printer().json({{"status", status}});
    session.printer().line(status);
    if (response.status() == grpc::health::v1::HealthCheckResponse::SERVING) {
        return absl::OkStatus();
    }
    return unavailable("the server is not serving");
}

absl::Status run_system(Session& session) {
    service::GetSystemInfoRequest request;
    service::GetSystemInfoResponse response;
    STELE_RETURN_IF_ERROR(
        explain("unable to get system information",
                session.call_workflow_service("GetSystemInfo", request, response)));
    STELE_ASSIGN_OR_RETURN(const Json json, message_to_json(response, session.payload_style()));
    session.printer().json(json);
    Printer::Fields fields = {{"ServerVersion", response.server_version()}};
    const Json capabilities = json.value("capabilities", Json::object());
    for (const auto& [name, value] : capabilities.items()) {
        fields.emplace_back(name, value.dump());
    }
    session.printer().card(fields);
    return absl::OkStatus();
}

absl::Status run_cluster(Session& session, bool detail) {
    service::GetClusterInfoRequest request;
    service::GetClusterInfoResponse response;
    STELE_RETURN_IF_ERROR(
        explain("unable to get cluster information",
                session.call_workflow_service("GetClusterInfo", request, response)));
    STELE_ASSIGN_OR_RETURN(const Json json, message_to_json(response, session.payload_style()));
    session.printer().json(json);
    Printer::Fields fields = {{"ClusterName", response.cluster_name()},
                              {"PersistenceStore", response.persistence_store()},
                              {"VisibilityStore", response.visibility_store()}};
    if (detail) {
        fields.emplace_back("ClusterId", response.cluster_id());
        fields.emplace_back("ServerVersion", response.server_version());
        fields.emplace_back("HistoryShardCount", std::to_string(response.history_shard_count()));
    }
    session.printer().card(fields);
    return absl::OkStatus();
}

void add_namespace_argument(CLI::App& app, NamespaceFlags& flags) {
    app.add_option("name", flags.argument, "Name of the namespace, which -n may give as well");
}

void add_namespace_flags(CLI::App& app, NamespaceFlags& flags) {
    add_namespace_argument(app, flags);
    add_duration(app, "--retention", flags.retention, "How long closed workflows are kept (72h)");
    app.add_option("--description", flags.description, "What it is for");
    app.add_option("--email", flags.email, "Who owns it");
    add_repeatable(app, "--data", flags.data, "Anything else, KEY=VALUE; repeatable")
        ->type_name("KEY=VALUE");
}

void add_namespace_commands(CommandSet& commands, CLI::App& parent) {
    CLI::App& group = commands.group(parent, "namespace", "Manage namespaces");
    const auto flags = std::make_shared<NamespaceFlags>();
    add_namespace_flags(
        commands.command(group, "create", "Create a namespace", kCreateExamples,
                         [flags](Session& session) { return run_create(session, *flags); }),
        *flags);
    add_namespace_flags(
        commands.command(group, "update", "Change a namespace", kUpdateExamples,
                         [flags](Session& session) { return run_update(session, *flags); }),
        *flags);
    CLI::App& describe_app =
        commands.command(group, "describe", "Show a namespace", kDescribeExamples,
                         [flags](Session& session) { return run_describe(session, *flags); });
    add_namespace_argument(describe_app, *flags);
    describe_app
        .add_option("--namespace-id", flags->id, "Id of the namespace, instead of its name")
        ->type_name("ID");
    commands.command(group, "list", "List the namespaces", kListExamples, run_list);
    CLI::App& delete_app =
        commands.command(group, "delete", "Delete a namespace and its workflows", kDeleteExamples,
                         [flags](Session& session) { return run_delete(session, *flags); });
    add_namespace_argument(delete_app, *flags);
    delete_app.add_flag("-y,--yes", flags->yes, "Do not ask");
}

}  // namespace

absl::Status confirm(bool yes, const std::string& what) {
    if (yes) return absl::OkStatus();
    if (isatty(STDIN_FILENO) == 0) {
        return invalid_argument(fmt::format("to {}, add --yes", what));
    }
    std::cerr << "Really " << what << "? [y/N] " << std::flush;
    std::string answer;
    std::getline(std::cin, answer);
    if (answer == "y" || answer == "Y" || answer == "yes") return absl::OkStatus();
    return canceled("nothing was done");
}

void add_operator_commands(CommandSet& commands) {
    CLI::App& group = commands.group(commands.root(), "operator", "Manage a server");
    add_namespace_commands(commands, group);
    add_search_attribute_commands(commands, group);
    CLI::App& cluster = commands.group(group, "cluster", "Look at the server itself");
    commands.command(cluster, "health", "Ask whether the server serves", kHealthExamples,
                     run_health);
    const auto detail = std::make_shared<bool>(false);
    commands
        .command(cluster, "describe", "Show name and stores of the server", kClusterExamples,
                 [detail](Session& session) { return run_cluster(session, *detail); })
        .add_flag("--detail", *detail, "Also ids, version and shards");
    commands.command(cluster, "system", "Show version and capabilities", kSystemExamples,
                     run_system);
}

}  // namespace stele::cli
