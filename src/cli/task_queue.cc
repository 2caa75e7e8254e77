#include "cli/task_queue.h"

#include "temporal/api/workflowservice/v1/request_response.pb.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

namespace stele::cli {
namespace {

namespace enums = temporal::api::enums::v1;
namespace service = temporal::api::workflowservice::v1;
using temporal::api::taskqueue::v1::TaskQueueConfig;

constexpr char kDescribeExamples[] = R"(  stele task-queue describe -t orders
  stele task-queue describe -t orders --task-queue-type activity -o json)";
constexpr char kPartitionExamples[] = R"(  stele task-queue list-partition -t orders)";
constexpr char kConfigGetExamples[] =
    R"(  stele task-queue config get -t orders --task-queue-type activity)";
constexpr char kConfigSetExamples[] =
    R"(  stele task-queue config set -t orders --task-queue-type activity --queue-rps-limit 100
  stele task-queue config set -t orders --task-queue-type activity --queue-rps-limit default
  stele task-queue config set -t orders --task-queue-type activity --fairness-key-weight big=5)";

struct QueueFlags {
    std::string name;
    std::vector<std::string> types;
    bool no_stats = false;
};

struct ConfigFlags {
    std::string name;
    std::string type;
    std::string queue_limit;         // a number, or "default"
    std::string queue_limit_reason;
    std::string key_limit;
    std::string key_limit_reason;
    std::vector<std::string> weights;  // KEY=WEIGHT, or KEY=default
};

void add_name(CLI::App& app, std::string& name) {
    app.add_option("-t,--task-queue", name, "Name of the task queue")->required();
}

absl::StatusOr<enums::TaskQueueType> read_type(const std::string& text) {
    if (text == "workflow") return enums::TASK_QUEUE_TYPE_WORKFLOW;
    if (text == "activity") return enums::TASK_QUEUE_TYPE_ACTIVITY;
    if (text == "nexus") return enums::TASK_QUEUE_TYPE_NEXUS;
    return invalid_argument(
        fmt::format("{} is no type of task queue: use workflow, activity or nexus", text));
}

// ---- Describing --------------------------------------------------------------------------------

using Rows = std::vector<std::vector<std::string>>;

absl::StatusOr<service::DescribeTaskQueueResponse> fetch(Session& session, const std::string& name,
                                                         enums::TaskQueueType type) {
    service::DescribeTaskQueueRequest request;
    request.set_namespace_(session.namespace_name());
    request.mutable_task_queue()->set_name(name);
    request.set_task_queue_type(type);
    request.set_report_stats(true);
    request.set_report_config(true);
    service::DescribeTaskQueueResponse response;
    STELE_RETURN_IF_ERROR(
        explain("unable to describe task queue",
                session.call_workflow_service("DescribeTaskQueue", request, response)));
    return response;
}

std::vector<std::string> stats_row(const std::string& type,
                                   const temporal::api::taskqueue::v1::TaskQueueStats& stats) {
    return {type, std::to_string(stats.approximate_backlog_count()),
            duration_text(from_proto(stats.approximate_backlog_age())),
            fmt::format("{:.2f}", stats.tasks_add_rate() - stats.tasks_dispatch_rate()),
            fmt::format("{:.2f}", stats.tasks_add_rate()),
            fmt::format("{:.2f}", stats.tasks_dispatch_rate())};
}

absl::Status run_describe(Session& session, const QueueFlags& flags) {
    std::vector<std::string> types = flags.types;
    if (types.empty()) types = {"workflow", "activity"};
    Rows stats;
    Rows pollers;
    Json list = Json::array();
    for (const std::string& text : types) {
        STELE_ASSIGN_OR_RETURN(const enums::TaskQueueType type, read_type(text));
        STELE_ASSIGN_OR_RETURN(const auto response, fetch(session, flags.name, type));
        STELE_ASSIGN_OR_RETURN(Json json, message_to_json(response, session.payload_style()));
        json["taskQueueType"] = text;
        list.push_back(std::move(json));
        stats.push_back(stats_row(text, response.stats()));
        for (const auto& poller : response.pollers()) {
            pollers.push_back({text, poller.identity(), session.time_text(poller.last_access_time()),
                               fmt::format("{:g}", poller.rate_per_second())});
        }
    }
    session.printer().json(list);
    if (!flags.no_stats) {
        session.printer().heading("Task Queue Statistics");
        session.printer().table({"Type", "Backlog", "Age", "Increase Rate", "Add Rate",
                                 "Dispatch Rate"},
                                stats);
        session.printer().line();
    }
    session.printer().heading("Pollers");
    if (pollers.empty()) session.printer().line("No worker has polled lately.");
    if (!pollers.empty()) {
        session.printer().table({"Type", "Identity", "Last Access", "Rate"}, pollers);
    }
    return absl::OkStatus();
}

absl::Status run_list_partition(Session& session, const QueueFlags& flags) {
    service::ListTaskQueuePartitionsRequest request;
    request.set_namespace_(session.namespace_name());
    request.mutable_task_queue()->set_name(flags.name);
    service::ListTaskQueuePartitionsResponse response;
    STELE_RETURN_IF_ERROR(
        explain("unable to list partitions",
                session.call_workflow_service("ListTaskQueuePartitions", request, response)));
    STELE_ASSIGN_OR_RETURN(const Json json, message_to_json(response, session.payload_style()));
    session.printer().json(json);
    Rows rows;
    for (const auto& partition : response.workflow_task_queue_partitions()) {
        rows.push_back({"workflow", partition.key(), partition.owner_host_name()});
    }
    for (const auto& partition : response.activity_task_queue_partitions()) {
        rows.push_back({"activity", partition.key(), partition.owner_host_name()});
    }
    session.printer().table({"Type", "Partition", "Host"}, rows);
    return absl::OkStatus();
}

// ---- Configuration -----------------------------------------------------------------------------

std::string limit_text(const temporal::api::taskqueue::v1::RateLimitConfig& limit) {
    if (!limit.has_rate_limit()) return "";
    std::string text = fmt::format("{:g} a second", limit.rate_limit().requests_per_second());
    if (!limit.metadata().reason().empty()) text += " (" + limit.metadata().reason() + ")";
    return text;
}

absl::Status print_config(Session& session, const TaskQueueConfig& config) {
    STELE_ASSIGN_OR_RETURN(const Json json, message_to_json(config, session.payload_style()));
    session.printer().json(json);
    Printer::Fields fields = {
        {"QueueRateLimit", limit_text(config.queue_rate_limit())},
        {"FairnessKeyRateLimitDefault", limit_text(config.fairness_keys_rate_limit_default())}};
    const std::map<std::string, float> weights(config.fairness_weight_overrides().begin(),
                                               config.fairness_weight_overrides().end());
    for (const auto& [key, weight] : weights) {
        fields.emplace_back("FairnessWeight." + key, fmt::format("{:g}", weight));
    }
    const bool empty = std::all_of(fields.begin(), fields.end(),
                                   [](const auto& field) { return field.second.empty(); });
    if (empty) session.printer().line("Nothing is set.");
    session.printer().card(fields);
    return absl::OkStatus();
}

absl::Status run_config_get(Session& session, const ConfigFlags& flags) {
    STELE_ASSIGN_OR_RETURN(const enums::TaskQueueType type, read_type(flags.type));
    STELE_ASSIGN_OR_RETURN(const auto response, fetch(session, flags.name, type));
    return print_config(session, response.config());
}

absl::StatusOr<float> read_number(const std::string& flag, const std::string& text) {
    float number = 0;
    if (CLI::detail::lexical_cast(text, number)) return number;
    return invalid_argument(fmt::format("{}: {} is not a number", flag, text));
}

using RateLimitUpdate = service::UpdateTaskQueueConfigRequest::RateLimitUpdate;

absl::Status read_limit(const std::string& flag, const std::string& text, const std::string& reason,
                        RateLimitUpdate& update) {
    update.set_reason(reason);
    if (text == "default") return absl::OkStatus();
    STELE_ASSIGN_OR_RETURN(const float rate, read_number(flag, text));
    update.mutable_rate_limit()->set_requests_per_second(rate);
    return absl::OkStatus();
}

absl::Status run_config_set(Session& session, const ConfigFlags& flags) {
    service::UpdateTaskQueueConfigRequest request;
    request.set_namespace_(session.namespace_name());
    request.set_identity(session.identity());
    request.set_task_queue(flags.name);
    STELE_ASSIGN_OR_RETURN(const enums::TaskQueueType type, read_type(flags.type));
    request.set_task_queue_type(type);
    if (!flags.queue_limit.empty()) {
        STELE_RETURN_IF_ERROR(read_limit("--queue-rps-limit", flags.queue_limit,
                                         flags.queue_limit_reason,
                                         *request.mutable_update_queue_rate_limit()));
    }
    if (!flags.key_limit.empty()) {
        STELE_RETURN_IF_ERROR(read_limit("--fairness-key-rps-limit-default", flags.key_limit,
                                         flags.key_limit_reason,
                                         *request.mutable_update_fairness_key_rate_limit_default()));
    }
    for (const std::string& text : flags.weights) {
        STELE_ASSIGN_OR_RETURN(const auto pair, split_pair("--fairness-key-weight", text));
        if (pair.second == "default") {
            request.add_unset_fairness_weight_overrides(pair.first);
            continue;
        }
        STELE_ASSIGN_OR_RETURN(const float weight,
                               read_number("--fairness-key-weight", pair.second));
        (*request.mutable_set_fairness_weight_overrides())[pair.first] = weight;
    }
    service::UpdateTaskQueueConfigResponse response;
    STELE_RETURN_IF_ERROR(
        explain("unable to update task queue config",
                session.call_workflow_service("UpdateTaskQueueConfig", request, response)));
    return print_config(session, response.config());
}

void add_config_commands(CommandSet& commands, CLI::App& parent) {
    CLI::App& group = commands.group(parent, "config", "What is set for a task queue");
    const auto flags = std::make_shared<ConfigFlags>();
    const auto add_common = [&](CLI::App& app) {
        add_name(app, flags->name);
        app.add_option("--task-queue-type", flags->type, "workflow, activity or nexus")->required();
    };
    add_common(commands.command(
        group, "get", "Show what is set", kConfigGetExamples,
        [flags](Session& session) { return run_config_get(session, *flags); }));
    CLI::App& set = commands.command(
        group, "set", "Limit a task queue, or let go of a limit", kConfigSetExamples,
        [flags](Session& session) { return run_config_set(session, *flags); });
    add_common(set);
    set.add_option("--queue-rps-limit", flags->queue_limit,
                   "Tasks a second that may leave the queue, or `default`");
    set.add_option("--queue-rps-limit-reason", flags->queue_limit_reason, "Why");
    set.add_option("--fairness-key-rps-limit-default", flags->key_limit,
                   "The same for each fairness key");
    set.add_option("--fairness-key-rps-limit-reason", flags->key_limit_reason, "Why");
    add_repeatable(set, "--fairness-key-weight", flags->weights,
                   "Weight of a fairness key, or `default`; repeatable")
        ->type_name("KEY=WEIGHT");
}

}  // namespace

void add_task_queue_commands(CommandSet& commands) {
    CLI::App& group = commands.group(commands.root(), "task-queue", "Look after task queues");
    const auto flags = std::make_shared<QueueFlags>();
    CLI::App& describe = commands.command(
        group, "describe", "Show backlog and workers of a task queue", kDescribeExamples,
        [flags](Session& session) { return run_describe(session, *flags); });
    add_name(describe, flags->name);
    add_repeatable(describe, "--task-queue-type", flags->types,
                   "workflow, activity or nexus; the first two unless given; repeatable");
    describe.add_flag("--disable-stats", flags->no_stats, "Without backlog and rates");
    add_name(commands.command(
                 group, "list-partition", "List the partitions of a task queue", kPartitionExamples,
                 [flags](Session& session) { return run_list_partition(session, *flags); }),
             flags->name);
    add_config_commands(commands, group);
}

}  // namespace stele::cli
