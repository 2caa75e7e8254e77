#include "sim/script.h"

#include "base/time.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <numeric>
#include <set>
#include <utility>

namespace stele::sim {
namespace {

namespace api = temporal::api;
namespace enums = temporal::api::enums::v1;
namespace service = temporal::api::workflowservice::v1;

constexpr char kSeparator = '|';

/// What a history says, by the names that the script gave.
struct Seen {
    std::string script;
    std::string neighbour;
    std::string queue;
    std::map<std::string, std::int64_t> activities;  // id to scheduled event
    std::set<std::int64_t> activities_closed;        // by scheduled event
    std::set<std::int64_t> cancels_requested;        // by scheduled event
    std::map<std::string, std::int64_t> timers;      // id to started event
    std::set<std::string> timers_closed;
    std::set<std::string> markers;
    std::map<std::string, std::int64_t> external;  // control to initiated event
    std::set<std::int64_t> external_closed;        // by initiated event
    std::set<std::string> children;                // workflow ids
    std::set<std::string> children_started;        // or failed to start
    std::set<std::string> children_closed;
    std::map<std::string, std::int64_t> asked;  // target to scheduled event
    std::set<std::int64_t> asked_closed;        // by scheduled event
    std::string workflow_id;
    std::string run_id;
    int attempt = 1;
    int scheduled_runs = 0;  // of a cron schedule that have completed before this one
    int signals = 0;
    bool cancel_requested = false;
};

template <typename Attributes>
void close_child(const Attributes& attributes, Seen& seen) {
    seen.children_started.insert(attributes.workflow_execution().workflow_id());
    seen.children_closed.insert(attributes.workflow_execution().workflow_id());
}

void read_child(const HistoryEvent& event, Seen& seen) {
    switch (event.event_type()) {
        case enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
            seen.children.insert(
                event.start_child_workflow_execution_initiated_event_attributes().workflow_id());
            break;
        case enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED: {
            const auto& failed = event.start_child_workflow_execution_failed_event_attributes();
            seen.children_started.insert(failed.workflow_id());
            seen.children_closed.insert(failed.workflow_id());
            break;
        }
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED:
            seen.children_started.insert(event.child_workflow_execution_started_event_attributes()
                                             .workflow_execution()
                                             .workflow_id());
            break;
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED:
            return close_child(event.child_workflow_execution_completed_event_attributes(), seen);
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED:
            return close_child(event.child_workflow_execution_failed_event_attributes(), seen);
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED:
            return close_child(event.child_workflow_execution_canceled_event_attributes(), seen);
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT:
            return close_child(event.child_workflow_execution_timed_out_event_attributes(), seen);
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED:
            return close_child(event.child_workflow_execution_terminated_event_attributes(), seen);
        default: break;
    }
}

void read_start(const HistoryEvent& event, Seen& seen) {
    const auto& started = event.workflow_execution_started_event_attributes();
    const std::string& input = started.input().payloads(0).data();
    const std::size_t bar = input.find(kSeparator);
    seen.script = input.substr(0, bar);
    seen.neighbour = input.substr(bar + 1);
    seen.queue = started.task_queue().name();
    seen.workflow_id = started.workflow_id();
    seen.run_id = started.original_execution_run_id();
    seen.attempt = started.attempt();
    if (started.has_last_completion_result()) {
        seen.scheduled_runs = std::stoi(started.last_completion_result().payloads(0).data());
    }
}

void read_outcome(const HistoryEvent& event, Seen& seen) {
    switch (event.event_type()) {
        case enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
            seen.activities_closed.insert(
                event.activity_task_completed_event_attributes().scheduled_event_id());
            break;
        case enums::EVENT_TYPE_ACTIVITY_TASK_FAILED:
            seen.activities_closed.insert(
                event.activity_task_failed_event_attributes().scheduled_event_id());
            break;
        case enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
            seen.activities_closed.insert(
                event.activity_task_timed_out_event_attributes().scheduled_event_id());
            break;
        case enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED:
            seen.activities_closed.insert(
                event.activity_task_canceled_event_attributes().scheduled_event_id());
            break;
        case enums::EVENT_TYPE_TIMER_FIRED:
            seen.timers_closed.insert(event.timer_fired_event_attributes().timer_id());
            break;
        case enums::EVENT_TYPE_TIMER_CANCELED:
            seen.timers_closed.insert(event.timer_canceled_event_attributes().timer_id());
            break;
        case enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED:
            seen.external_closed.insert(
                event.external_workflow_execution_signaled_event_attributes().initiated_event_id());
            break;
        case enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED:
            seen.external_closed.insert(
                event.signal_external_workflow_execution_failed_event_attributes()
                    .initiated_event_id());
            break;
        case enums::EVENT_TYPE_NEXUS_OPERATION_COMPLETED:
            seen.asked_closed.insert(
                event.nexus_operation_completed_event_attributes().scheduled_event_id());
            break;
        case enums::EVENT_TYPE_NEXUS_OPERATION_FAILED:
            seen.asked_closed.insert(
                event.nexus_operation_failed_event_attributes().scheduled_event_id());
            break;
        default: read_child(event, seen); break;
    }
}

/// Whom an operation of the server signals.
std::string target_of(const HistoryEvent& scheduled) {
    service::SignalWithStartWorkflowExecutionRequest request;
    request.ParseFromString(scheduled.nexus_operation_scheduled_event_attributes().input().data());
    return request.workflow_id();
}

void read_beginning(const HistoryEvent& event, Seen& seen) {
    switch (event.event_type()) {
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED: read_start(event, seen); break;
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED: ++seen.signals; break;
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED:
            seen.cancel_requested = true;
            break;
        case enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            seen.activities[event.activity_task_scheduled_event_attributes().activity_id()] =
                event.event_id();
            break;
        case enums::EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED:
            seen.cancels_requested.insert(
                event.activity_task_cancel_requested_event_attributes().scheduled_event_id());
            break;
        case enums::EVENT_TYPE_TIMER_STARTED:
            seen.timers[event.timer_started_event_attributes().timer_id()] = event.event_id();
            break;
        case enums::EVENT_TYPE_MARKER_RECORDED:
            seen.markers.insert(event.marker_recorded_event_attributes().marker_name());
            break;
        case enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED:
            seen.external[event.signal_external_workflow_execution_initiated_event_attributes()
                              .control()] = event.event_id();
            break;
        case enums::EVENT_TYPE_NEXUS_OPERATION_SCHEDULED:
            seen.asked[target_of(event)] = event.event_id();
            break;
        default: read_outcome(event, seen);
    }
}

/// The children that steps start.
namespace kinds {
enum Kind { kChild, kWaiting };
}  // namespace kinds

/// What a child does is a function of its name. Grandchildren have none of their own.
std::string script_of_child(const std::string& workflow_id, kinds::Kind kind) {
    if (kind == kinds::kWaiting) return "S";
    constexpr const char* kScripts[] = {"A", "T", "AT", "R", "NT", "TNRA", "M"};
    constexpr const char* kParents[] = {"H", "DT", "QA", "OT"};
    const auto number = static_cast<std::size_t>(
        std::accumulate(workflow_id.begin(), workflow_id.end(), 0u,
                        [](unsigned sum, char letter) { return sum * 31 + letter; }));
    const auto depth = std::count(workflow_id.begin(), workflow_id.end(), '.');
    if (depth == 1 && number % 3 == 0) return kParents[number / 3 % std::size(kParents)];
    return kScripts[number % std::size(kScripts)];
}

/// Walks the script until a step that is not over; collects what that step still has to ask for.
class Interpreter {
public:
    explicit Interpreter(Seen seen) : seen_(std::move(seen)) {}

    std::vector<Command> run() {
        if (seen_.cancel_requested) {
            add(enums::COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION)
                .mutable_cancel_workflow_execution_command_attributes();
            return std::move(commands_);
        }
        for (step_ = 0; step_ < seen_.script.size(); ++step_) {
            if (!is_over(seen_.script[step_])) return std::move(commands_);
        }
        add(enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION)
            .mutable_complete_workflow_execution_command_attributes();
        return std::move(commands_);
    }

private:
    Command& add(enums::CommandType type) {
        commands_.emplace_back().set_command_type(type);
        return commands_.back();
    }
    std::string name(const char* kind) const { return fmt::format("{}{}", kind, step_); }

    bool is_over(char step) {
        switch (step) {
            case 'A': return activity(name("a"));
            case 'P': {
                // Not short-circuited: all three are to run at once.
                const bool a = activity(name("p"));
                const bool b = activity(name("q"));
                const bool c = activity(name("r"));
                return a && b && c;
            }
            case 'T': return timer(name("t"));
            case 'S': return seen_.signals > waits_before();
            case 'M': return marker();
            case 'E': return external(seen_.neighbour);
            case 'F': external(seen_.neighbour); return true;
            case 'I': return external(seen_.workflow_id);
            case 'K': return cancelled_activity();
            case 'C': return cancelled_timer();
            case 'H': return child(kinds::kChild, enums::PARENT_CLOSE_POLICY_TERMINATE, true);
            case 'D': return child(kinds::kWaiting, enums::PARENT_CLOSE_POLICY_TERMINATE, false);
            case 'Q':
                return child(kinds::kWaiting, enums::PARENT_CLOSE_POLICY_REQUEST_CANCEL, false);
            case 'O': return child(kinds::kChild, enums::PARENT_CLOSE_POLICY_ABANDON, false);
            case 'L':
                child(kinds::kWaiting, enums::PARENT_CLOSE_POLICY_TERMINATE, false);
                return true;
            case 'B': child(kinds::kChild, enums::PARENT_CLOSE_POLICY_ABANDON, false); return true;
            case 'G': return signal_with_start();
            case 'R': return fail_once();
            case 'Y': return leave_schedule();
            default: return continue_as_new();
        }
    }

    /// How many signals the earlier steps have used up.
    int waits_before() const {
        int count = 0;
        for (std::size_t i = 0; i < step_; ++i) count += seen_.script[i] == 'S' ? 1 : 0;
        return count;
    }

    bool activity(const std::string& id) {
        const auto scheduled = seen_.activities.find(id);
        if (scheduled != seen_.activities.end()) {
            return seen_.activities_closed.contains(scheduled->second);
        }
        auto& attributes = *add(enums::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK)
                                .mutable_schedule_activity_task_command_attributes();
        attributes.set_activity_id(id);
        attributes.mutable_activity_type()->set_name(kActivityType);
        attributes.mutable_task_queue()->set_name(seen_.queue);
        *attributes.mutable_start_to_close_timeout() = to_proto(std::chrono::seconds(5));
        *attributes.mutable_heartbeat_timeout() = to_proto(std::chrono::seconds(3));
        auto& retry = *attributes.mutable_retry_policy();
        *retry.mutable_initial_interval() = to_proto(std::chrono::milliseconds(300));
        retry.set_backoff_coefficient(2);
        retry.set_maximum_attempts(5);
        return false;
    }

    bool timer(const std::string& id) {
        if (seen_.timers.contains(id)) return seen_.timers_closed.contains(id);
        auto& attributes =
            *add(enums::COMMAND_TYPE_START_TIMER).mutable_start_timer_command_attributes();
        attributes.set_timer_id(id);
        const auto length = std::chrono::milliseconds(200 + 700 * static_cast<int>(step_));
        *attributes.mutable_start_to_fire_timeout() = to_proto(length);
        return false;
    }

    /// Over at once: the marker's event is in the completion that records it.
    bool marker() {
        const std::string id = name("m");
        if (seen_.markers.contains(id)) return true;
        add(enums::COMMAND_TYPE_RECORD_MARKER)
            .mutable_record_marker_command_attributes()
            ->set_marker_name(id);
        auto& memo = *add(enums::COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES)
                          .mutable_modify_workflow_properties_command_attributes()
                          ->mutable_upserted_memo();
        (*memo.mutable_fields())["step"].set_data(id);
        return true;
    }

    bool external(const std::string& target) {
        const std::string id = name("e");
        const auto initiated = seen_.external.find(id);
        if (initiated != seen_.external.end()) {
            return seen_.external_closed.contains(initiated->second);
        }
        auto& attributes = *add(enums::COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION)
                                .mutable_signal_external_workflow_execution_command_attributes();
        attributes.mutable_execution()->set_workflow_id(target);
        attributes.set_signal_name("from-neighbour");
        attributes.set_control(id);
        return false;
    }

    bool cancelled_activity() {
        const std::string id = name("k");
        if (activity(id)) return true;
        const auto scheduled = seen_.activities.find(id);
        if (scheduled == seen_.activities.end()) {
            // The next task, which the timer brings, cancels it.
            timer(name("kt"));
            return false;
        }
        if (!timer(name("kt"))) return false;
        if (!seen_.cancels_requested.contains(scheduled->second)) {
            add(enums::COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK)
                .mutable_request_cancel_activity_task_command_attributes()
                ->set_scheduled_event_id(scheduled->second);
        }
        return false;
    }

    bool cancelled_timer() {
        const std::string id = name("c");
        if (timer(id)) return true;
        if (!seen_.timers.contains(id)) {
            activity(name("ca"));
            return false;
        }
        if (!activity(name("ca"))) return false;
        add(enums::COMMAND_TYPE_CANCEL_TIMER)
            .mutable_cancel_timer_command_attributes()
            ->set_timer_id(id);
        return true;
    }

    /// Over when the child is started, or when it has ended.
    bool child(kinds::Kind kind, enums::ParentClosePolicy policy, bool await_end) {
        const std::string id = fmt::format("{}.{}", seen_.workflow_id, step_);
        if (seen_.children.contains(id)) {
            return (await_end ? seen_.children_closed : seen_.children_started).contains(id);
        }
        auto& attributes = *add(enums::COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION)
                                .mutable_start_child_workflow_execution_command_attributes();
        attributes.set_workflow_id(id);
        attributes.mutable_workflow_type()->set_name("script");
        attributes.mutable_task_queue()->set_name(seen_.queue);
        *attributes.mutable_workflow_task_timeout() = to_proto(std::chrono::seconds(3));
        attributes.set_parent_close_policy(policy);
        *attributes.mutable_retry_policy() = retry_policy();
        attributes.mutable_input()->add_payloads()->set_data(
            encode_input(script_of_child(id, kind), seen_.neighbour));
        return false;
    }

    /// The target is this run's alone, and ends with the signal.
    bool signal_with_start() {
        service::SignalWithStartWorkflowExecutionRequest request;
        request.set_workflow_id(fmt::format("{}~{}~{}", seen_.workflow_id, seen_.run_id, step_));
        const auto scheduled = seen_.asked.find(request.workflow_id());
        if (scheduled != seen_.asked.end()) return seen_.asked_closed.contains(scheduled->second);
        request.set_signal_name("from-operation");
        request.mutable_workflow_type()->set_name("script");
        request.mutable_task_queue()->set_name(seen_.queue);
        *request.mutable_workflow_task_timeout() = to_proto(std::chrono::seconds(3));
        request.mutable_input()->add_payloads()->set_data(encode_input("S", seen_.neighbour));
        auto& attributes = *add(enums::COMMAND_TYPE_SCHEDULE_NEXUS_OPERATION)
                                .mutable_schedule_nexus_operation_command_attributes();
        attributes.set_endpoint("__temporal_system");
        attributes.set_service("temporal.api.workflowservice.v1.WorkflowService");
        attributes.set_operation("SignalWithStartWorkflowExecution");
        (*attributes.mutable_input()->mutable_metadata())["encoding"] = "binary/protobuf";
        attributes.mutable_input()->set_data(request.SerializeAsString());
        return false;
    }

    bool fail_once() {
        if (seen_.attempt > 1) return true;
        auto& failure = *add(enums::COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION)
                             .mutable_fail_workflow_execution_command_attributes()
                             ->mutable_failure();
        failure.set_message("simulated");
        failure.mutable_application_failure_info()->set_type("Simulated");
        return false;
    }

    /// A schedule goes on until somebody ends it, or a run continues as one without it.
    bool leave_schedule() {
        constexpr int kRuns = 2;
        if (seen_.scheduled_runs >= kRuns) return continue_as_new();
        add(enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION)
            .mutable_complete_workflow_execution_command_attributes()
            ->mutable_result()
            ->add_payloads()
            ->set_data(std::to_string(seen_.scheduled_runs + 1));
        return false;
    }

    bool continue_as_new() {
        auto& attributes = *add(enums::COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION)
                                .mutable_continue_as_new_workflow_execution_command_attributes();
        attributes.mutable_workflow_type()->set_name("script");
        attributes.mutable_task_queue()->set_name(seen_.queue);
        attributes.mutable_input()->add_payloads()->set_data(
            encode_input(seen_.script.substr(step_ + 1), seen_.neighbour));
        return false;
    }

    Seen seen_;
    std::size_t step_ = 0;
    std::vector<Command> commands_;
};

}  // namespace

std::string draw_script(env::SimRandom& random, int signals) {
    constexpr char kSteps[] = "AAAPPTTTMMEEKKCCHHHDQOGGFILB";
    std::string script;
    const std::uint64_t length = 1 + random.next() % 6;
    for (std::uint64_t i = 0; i < length; ++i) {
        script += kSteps[random.next() % (sizeof(kSteps) - 1)];
    }
    // Signals belong to one run: those behind a continue-as-new would wait for others.
    for (int i = 0; i < signals; ++i) {
        script.insert(
            script.begin() + static_cast<std::ptrdiff_t>(random.next() % (script.size() + 1)), 'S');
    }
    if (random.next() % 4 == 0) script += "NAT";
    return script;
}

api::common::v1::RetryPolicy retry_policy() {
    api::common::v1::RetryPolicy policy;
    *policy.mutable_initial_interval() = to_proto(std::chrono::milliseconds(500));
    policy.set_backoff_coefficient(2);
    policy.set_maximum_attempts(3);
    return policy;
}

std::string encode_input(const std::string& script, const std::string& neighbour) {
    return script + kSeparator + neighbour;
}

std::vector<Command> decide(const std::vector<HistoryEvent>& history) {
    Seen seen;
    for (const HistoryEvent& event : history) read_beginning(event, seen);
    return Interpreter(std::move(seen)).run();
}

}  // namespace stele::sim
