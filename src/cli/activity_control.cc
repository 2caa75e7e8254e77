#include "cli/activity.h"
#include "cli/text.h"
#include "cli/workflow.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

#include <fmt/format.h>

#include <memory>

// pause, unpause, reset and update-options.
namespace stele::cli {
namespace {

namespace service = temporal::api::workflowservice::v1;
using temporal::api::activity::v1::ActivityOptions;

constexpr char kPauseExamples[] = R"(  stele activity pause -w order-17 -a charge
      An attempt that a worker holds may end; no other begins.)";
constexpr char kUnpauseExamples[] = R"(  stele activity unpause -w order-17 -a charge
  stele activity unpause -w order-17 --match-all --reset-attempts)";
constexpr char kResetExamples[] = R"(  stele activity reset -w order-17 -a charge
      The next attempt is the first again, and begins at once.
  stele activity reset -w order-17 --activity-type Charge --keep-paused)";
constexpr char kUpdateExamples[] =
    R"(  stele activity update-options -w order-17 -a charge --retry-initial-interval 5s
  stele activity update-options -w order-17 -a charge --restore-original-options)";

struct ControlFlags : ExecutionFlags {
    std::string activity_id;
    std::string activity_type;
    bool match_all = false;
    std::string reason;
    bool reset_attempts = false;
    bool reset_heartbeats = false;
    bool keep_paused = false;
    bool restore_original = false;
    Duration jitter{};
};

/// Which activities the flags mean; exactly one way of saying so must be used.
template <typename Request>
absl::Status select(const ControlFlags& flags, Request& request) {
    const int ways = !flags.activity_id.empty() + !flags.activity_type.empty() + flags.match_all;
    if (ways != 1) {
        return invalid_argument(
            "give one of --activity-id, --activity-type and, where there is it, --match-all");
    }
    if (!flags.activity_id.empty()) request.set_id(flags.activity_id);
    if (!flags.activity_type.empty()) request.set_type(flags.activity_type);
    if constexpr (requires { request.set_match_all(true); }) {
        if (flags.match_all) request.set_match_all(true);
    } else if constexpr (requires { request.set_unpause_all(true); }) {
        if (flags.match_all) request.set_unpause_all(true);
    }
    return absl::OkStatus();
}

template <typename Request>
absl::StatusOr<Request> request_for(Session& session, const ControlFlags& flags) {
    Request request;
    request.set_namespace_(session.namespace_name());
    *request.mutable_execution() = flags.execution();
    request.set_identity(session.identity());
    STELE_RETURN_IF_ERROR(select(flags, request));
    return request;
}

absl::Status run_pause(Session& session, const ControlFlags& flags) {
    STELE_ASSIGN_OR_RETURN(auto request, request_for<service::PauseActivityRequest>(session, flags));
    request.set_reason(flags.reason);
    request.set_request_id(session.new_id());
    service::PauseActivityResponse response;
    return explain("unable to pause activity",
                   session.call_workflow_service("PauseActivity", request, response));
}

absl::Status run_unpause(Session& session, const ControlFlags& flags) {
    STELE_ASSIGN_OR_RETURN(auto request,
                           request_for<service::UnpauseActivityRequest>(session, flags));
    request.set_reset_attempts(flags.reset_attempts);
    request.set_reset_heartbeat(flags.reset_heartbeats);
    if (flags.jitter > Duration::zero()) *request.mutable_jitter() = to_proto(flags.jitter);
    service::UnpauseActivityResponse response;
    return explain("unable to unpause activity",
                   session.call_workflow_service("UnpauseActivity", request, response));
}

absl::Status run_reset(Session& session, const ControlFlags& flags) {
    STELE_ASSIGN_OR_RETURN(auto request, request_for<service::ResetActivityRequest>(session, flags));
    request.set_keep_paused(flags.keep_paused);
    request.set_reset_heartbeat(flags.reset_heartbeats);
    request.set_restore_original_options(flags.restore_original);
    if (flags.jitter > Duration::zero()) *request.mutable_jitter() = to_proto(flags.jitter);
    service::ResetActivityResponse response;
    return explain("unable to reset activity",
                   session.call_workflow_service("ResetActivity", request, response));
}

// ---- update-options --------------------------------------------------------------------------

struct UpdateFlags : ControlFlags {
    std::string task_queue;
    Duration schedule_to_close{};
    Duration schedule_to_start{};
    Duration start_to_close{};
    Duration heartbeat{};
    Duration initial_interval{};
    Duration maximum_interval{};
    double backoff_coefficient = 0;
    std::int32_t maximum_attempts = 0;
    /// The paths of the options that were given, whatever their values.
    std::vector<std::pair<CLI::Option*, std::string>> paths;
};

ActivityOptions options_of(const UpdateFlags& flags) {
    ActivityOptions options;
    options.mutable_task_queue()->set_name(flags.task_queue);
    *options.mutable_schedule_to_close_timeout() = to_proto(flags.schedule_to_close);
    *options.mutable_schedule_to_start_timeout() = to_proto(flags.schedule_to_start);
    *options.mutable_start_to_close_timeout() = to_proto(flags.start_to_close);
    *options.mutable_heartbeat_timeout() = to_proto(flags.heartbeat);
    auto& policy = *options.mutable_retry_policy();
    *policy.mutable_initial_interval() = to_proto(flags.initial_interval);
    *policy.mutable_maximum_interval() = to_proto(flags.maximum_interval);
    policy.set_backoff_coefficient(flags.backoff_coefficient);
    policy.set_maximum_attempts(flags.maximum_attempts);
    return options;
}

void print_options(Session& session, const ActivityOptions& options) {
    const auto text = [](const google::protobuf::Duration& duration) {
        return duration_text(from_proto(duration));
    };
    const auto& policy = options.retry_policy();
    const Printer::Fields fields = {
        {"TaskQueue", options.task_queue().name()},
        {"ScheduleToCloseTimeout", text(options.schedule_to_close_timeout())},
        {"ScheduleToStartTimeout", text(options.schedule_to_start_timeout())},
        {"StartToCloseTimeout", text(options.start_to_close_timeout())},
        {"HeartbeatTimeout", text(options.heartbeat_timeout())},
        {"InitialInterval", text(policy.initial_interval())},
        {"BackoffCoefficient", fmt::format("{}", policy.backoff_coefficient())},
        {"MaximumInterval", text(policy.maximum_interval())},
        {"MaximumAttempts", std::to_string(policy.maximum_attempts())}};
    session.printer().card(fields);
    Json json = Json::object();
    for (const auto& [name, value] : fields) json[name] = value;
    session.printer().json(json);
}

absl::Status run_update(Session& session, const UpdateFlags& flags) {
    STELE_ASSIGN_OR_RETURN(auto request,
                           request_for<service::UpdateActivityOptionsRequest>(session, flags));
    request.set_restore_original(flags.restore_original);
    for (const auto& [option, path] : flags.paths) {
        if (option->count() > 0) request.mutable_update_mask()->add_paths(path);
    }
    if (request.update_mask().paths_size() > 0) {
        *request.mutable_activity_options() = options_of(flags);
    } else if (!flags.restore_original) {
        return invalid_argument("nothing to change: give an option, or --restore-original-options");
    }
    service::UpdateActivityOptionsResponse response;
    STELE_RETURN_IF_ERROR(
        explain("unable to update activity options",
                session.call_workflow_service("UpdateActivityOptions", request, response)));
    print_options(session, response.activity_options());
    return absl::OkStatus();
}

void add_option_flags(CLI::App& app, UpdateFlags& flags) {
    const auto remember = [&](CLI::Option* option, const char* path) {
        flags.paths.emplace_back(option, path);
    };
    remember(app.add_option("--task-queue", flags.task_queue, "Queue of the next attempt"),
             "task_queue.name");
    remember(add_duration(app, "--schedule-to-close-timeout", flags.schedule_to_close,
                          "For all attempts together"),
             "schedule_to_close_timeout");
    remember(add_duration(app, "--schedule-to-start-timeout", flags.schedule_to_start,
                          "For the time in the queue"),
             "schedule_to_start_timeout");
    remember(
        add_duration(app, "--start-to-close-timeout", flags.start_to_close, "For one attempt"),
        "start_to_close_timeout");
    remember(add_duration(app, "--heartbeat-timeout", flags.heartbeat, "Between heartbeats"),
             "heartbeat_timeout");
    remember(add_duration(app, "--retry-initial-interval", flags.initial_interval,
                          "Before the first retry"),
             "retry_policy.initial_interval");
    remember(add_duration(app, "--retry-maximum-interval", flags.maximum_interval,
                          "Before any retry"),
             "retry_policy.maximum_interval");
    remember(app.add_option("--retry-backoff-coefficient", flags.backoff_coefficient,
                            "How much longer each interval is"),
             "retry_policy.backoff_coefficient");
    remember(app.add_option("--retry-maximum-attempts", flags.maximum_attempts,
                            "How many attempts there may be; 0 for any number"),
             "retry_policy.maximum_attempts");
}

// ---- Flags that several commands have --------------------------------------------------------

void add_selection_flags(CLI::App& app, ControlFlags& flags, bool can_match_all) {
    add_execution_flags(app, flags);
    app.add_option("-a,--activity-id", flags.activity_id, "The activity with this id")
        ->type_name("ID");
    app.add_option("--activity-type", flags.activity_type, "Every activity of this type")
        ->type_name("TYPE");
    if (can_match_all) app.add_flag("--match-all", flags.match_all, "Every activity");
}

void add_restart_flags(CLI::App& app, ControlFlags& flags) {
    app.add_flag("--reset-heartbeats", flags.reset_heartbeats,
                 "The next attempt sees no heartbeat details");
    add_duration(app, "--jitter", flags.jitter, "The next attempt begins within it");
}

}  // namespace

void add_activity_control_commands(CommandSet& commands, CLI::App& group) {
    const auto flags = std::make_shared<ControlFlags>();
    const auto add =
        [&](const char* name, const char* description, const char* examples,
            const std::function<absl::Status(Session&, const ControlFlags&)>& run) -> CLI::App& {
        return commands.command(group, name, description, examples,
                                [flags, run](Session& session) { return run(session, *flags); });
    };
    CLI::App& pause = add("pause", "Begin no further attempt", kPauseExamples, run_pause);
    add_selection_flags(pause, *flags, false);
    pause.add_option("--reason", flags->reason, "Why, as describe will say");

    CLI::App& unpause = add("unpause", "Begin the next attempt", kUnpauseExamples, run_unpause);
    add_selection_flags(unpause, *flags, true);
    unpause.add_flag("--reset-attempts", flags->reset_attempts, "Count attempts from 1 again");
    add_restart_flags(unpause, *flags);

    CLI::App& reset = add("reset", "Start over from the first attempt", kResetExamples, run_reset);
    add_selection_flags(reset, *flags, true);
    reset.add_flag("--keep-paused", flags->keep_paused, "What is paused stays so");
    reset.add_flag("--restore-original-options", flags->restore_original,
                   "Undo every change of options");
    add_restart_flags(reset, *flags);

    const auto update_flags = std::make_shared<UpdateFlags>();
    CLI::App& update = commands.command(
        group, "update-options", "Change timeouts, task queue and retry policy", kUpdateExamples,
        [update_flags](Session& session) { return run_update(session, *update_flags); });
    add_selection_flags(update, *update_flags, true);
    update.add_flag("--restore-original-options", update_flags->restore_original,
                    "Undo every change of options");
    add_option_flags(update, *update_flags);
}

}  // namespace stele::cli
