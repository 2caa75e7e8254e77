#include "sim/clients.h"

#include "base/probe.h"
#include "sim/callbacks.h"
#include "sim/script.h"
#include "sim/worker.h"
#include "temporal/api/errordetails/v1/message.pb.h"

#include <fmt/format.h>

#include <utility>

namespace stele::sim {
namespace {

namespace api = temporal::api;
namespace service = temporal::api::workflowservice::v1;

constexpr Duration kCallTimeout = std::chrono::seconds(5);
constexpr Duration kPause = std::chrono::milliseconds(300);
constexpr int kAskings = 20;
constexpr Duration kRunTimeoutMin = std::chrono::seconds(2);

/// A start that is repeated after its run has continued as new is refused, as the real server does
/// it: only the current run knows its request id. The refusal names the first run of the chain.
std::string first_run_of_refusal(const absl::Status& status) {
    const std::optional<ErrorDetail> detail = detail_of(status);
    api::errordetails::v1::WorkflowExecutionAlreadyStartedFailure failure;
    if (status.code() != absl::StatusCode::kAlreadyExists || !detail) return {};
    if (!failure.ParseFromString(detail->value)) return {};
    return failure.first_execution_run_id();
}

}  // namespace

void start_until_told(Network& network, Record& record,
                      const service::StartWorkflowExecutionRequest& request,
                      std::function<void(bool)> told) {
    using Response = service::StartWorkflowExecutionResponse;
    network.call_until_told<Response>(
        "StartWorkflowExecution", request, kCallTimeout,
        [&record, told = std::move(told), id = request.workflow_id(),
         request_id = request.request_id()](const absl::StatusOr<Response>& response) {
            const std::string run_id =
                response.ok() ? response->run_id() : first_run_of_refusal(response.status());
            if (run_id.empty()) {
                record.violation(fmt::format(
                    "invariant 1: the start of {} under its own request id was refused: {}", id,
                    message_of(response.status())));
            } else {
                record.started(id, request_id, run_id);
            }
            told(!run_id.empty());
        });
}

service::StartWorkflowExecutionRequest start_request(const std::string& id,
                                                     const std::string& input) {
    service::StartWorkflowExecutionRequest request;
    request.set_namespace_(kNamespace);
    request.set_workflow_id(id);
    request.mutable_workflow_type()->set_name("script");
    request.mutable_task_queue()->set_name(kQueue);
    request.set_request_id("start-" + id);
    *request.mutable_workflow_task_timeout() = to_proto(std::chrono::seconds(3));
    request.mutable_input()->add_payloads()->set_data(input);
    return request;
}

Clients::Clients(Network& network, Record& record, const Options& options)
    : network_(network),
      record_(record),
      options_(options),
      updates_(network, record),
      watchers_(network, record) {
    for (int i = 0; i < options.workflows; ++i) {
        workflow_ids_.push_back(fmt::format("workflow-{}", i));
        signals_.push_back(static_cast<int>(network.random().next() % 4));
    }
}

Duration Clients::within(int milliseconds) {
    return std::chrono::milliseconds(network_.random().next() %
                                     static_cast<std::uint64_t>(milliseconds));
}

void Clients::start() {
    for (std::size_t i = 0; i < workflow_ids_.size(); ++i) {
        ++open_calls_;
        const Duration when = within(options_.faulty_seconds * 500);
        network_.after(when, [this, i] { start_workflow(i); });
    }
}

void Clients::start_crowd(int count) {
    const std::string script(kActivitiesOfCrowd, 'A');
    // A task that only brings an update has no row: beyond a full window it is forgotten for seconds.
    const bool updated = options_.window > static_cast<std::size_t>(count);
    for (int i = 0; i < count; ++i) {
        const std::string id = fmt::format("crowd-{}", i);
        crowd_ids_.push_back(id);
        ++open_calls_;
        if (!updated || i % 2 == 0) {
            send_start(start_request(id, encode_input(script, id)), [] {});
        } else {
            send_start(start_request(id, encode_input(script + 'S', id)), [this, id] {
                network_.after(within(3'000), [this, id] { update_and_signal(id); });
            });
        }
    }
}

void Clients::update_and_signal(const std::string& workflow_id) {
    updates_.update_now(workflow_id, [this, workflow_id] {
        const std::string value = workflow_id + "-signal";
        ++open_calls_;
        signal_until_told(workflow_id, value, "request-" + value);
    });
}

void Clients::start_workflow(std::size_t index) {
    std::string script = draw_script(network_.random(), signals_[index]);
    const std::string& neighbour = workflow_ids_[(index + 1) % workflow_ids_.size()];
    auto request = start_request(workflow_ids_[index], {});
    begin_again(index, script, request);
    request.mutable_input()->mutable_payloads(0)->set_data(encode_input(script, neighbour));
    if (network_.random().next() % 2 == 0) {
        auto& priority = *request.mutable_priority();
        priority.set_priority_key(static_cast<std::int32_t>(network_.random().next() % 6));
        priority.set_fairness_key(fmt::format("key-{}", network_.random().next() % 3));
        priority.set_fairness_weight(static_cast<float>(1 + network_.random().next() % 4));
    }
    if (request.cron_schedule().empty() && network_.random().next() % 8 == 0) {
        *request.mutable_workflow_start_delay() = to_proto(std::chrono::seconds(2));
    }
    if (request.cron_schedule().empty() && network_.random().next() % 6 == 0) {
        *request.mutable_workflow_run_timeout() = to_proto(kRunTimeoutMin + within(15'000));
    }
    if (network_.random().next() % 3 == 0) {
        request.add_completion_callbacks()->mutable_nexus()->set_url(kReceiver);
    }
    // Where runs follow each other, a start that comes once more behind the last of them begins a new
    // chain, as a real server does it.
    const bool has_one_run = script.find_first_of("NRY") == std::string::npos;
    if (has_one_run && STELE_FAULT("client.starts-twice")) {
        ++open_calls_;
        send_start(request, [] {});
    }
    send_start(request, [this, index] { accompany(index); });
}

/// Some of those that wait for no signal, which only one of their runs would get, fail and are tried
/// again, or follow a schedule.
void Clients::begin_again(std::size_t index, std::string& script,
                          service::StartWorkflowExecutionRequest& request) {
    if (signals_[index] != 0) return;
    switch (network_.random().next() % 4) {
        case 0:
            *request.mutable_retry_policy() = retry_policy();
            script.insert(network_.random().next() % (script.size() + 1), "R");
            break;
        case 1:
            request.set_cron_schedule("@every 2s");
            script.insert(0, "Y");
            break;
        default: break;
    }
}

void Clients::send_start(const service::StartWorkflowExecutionRequest& request,
                         std::function<void()> started) {
    start_until_told(network_, record_, request,
                     [this, started = std::move(started), id = request.workflow_id()](bool taken) {
                         --open_calls_;
                         if (!taken) return;
                         list_own(id);
                         started();
                     });
}

/// What happens to a workflow from outside: signals, perhaps an early end, questions.
void Clients::accompany(std::size_t index) {
    const std::string& id = workflow_ids_[index];
    // One more than it waits for, at times, so that a signal meets a run that closes.
    const int surplus = static_cast<int>(network_.random().next() % 2);
    for (int i = 0; i < signals_[index] + surplus; ++i) {
        const std::string value = fmt::format("{}-signal-{}", id, i);
        ++open_calls_;
        network_.after(within(5'000),
                       [this, id, value] { signal_until_told(id, value, "request-" + value); });
    }
    if (network_.random().next() % 6 == 0) {
        network_.after(within(8'000), [this, id] { disturb(id); });
    }
    updates_.update(id);
    if (network_.random().next() % 2 == 0) {
        watchers_.watch(kNamespace, id, *record_.runs[id].begin());
    }
    askings_left_ += kAskings;
    keep_asking(id);
}

void Clients::signal_until_told(const std::string& workflow_id, const std::string& value,
                                const std::string& request_id) {
    service::SignalWorkflowExecutionRequest request;
    request.set_namespace_(kNamespace);
    request.mutable_workflow_execution()->set_workflow_id(workflow_id);
    request.set_signal_name("step");
    request.set_request_id(request_id);
    request.mutable_input()->add_payloads()->set_data(value);
    if (STELE_FAULT("client.signals-twice")) {
        network_.call("SignalWorkflowExecution", request, kCallTimeout,
                      [](absl::StatusOr<std::string>) {});
    }
    network_.call("SignalWorkflowExecution", request, kCallTimeout,
                  [this, workflow_id, value, request_id](absl::StatusOr<std::string> response) {
                      if (!response.ok() && is_uncertain(response.status())) {
                          return network_.after(kPause, [this, workflow_id, value, request_id] {
                              signal_until_told(workflow_id, value, request_id);
                          });
                      }
                      --open_calls_;
                      if (response.ok()) record_.signalled(workflow_id, value);
                  });
}

void Clients::disturb(const std::string& workflow_id) {
    if (network_.random().next() % 2 == 0) {
        service::RequestCancelWorkflowExecutionRequest request;
        request.set_namespace_(kNamespace);
        request.mutable_workflow_execution()->set_workflow_id(workflow_id);
        request.set_request_id("cancel-" + workflow_id);
        record_.hastened[workflow_id].push_back(network_.now());
        network_.call("RequestCancelWorkflowExecution", request, kCallTimeout,
                      [this, workflow_id,
                       sent = network_.now()](const absl::StatusOr<std::string>& response) {
                          if (!response.ok()) return;
                          record_.cancel_requested(workflow_id, sent, network_.now());
                      });
        if (network_.random().next() % 2 == 0) return;
        // Somebody else wants it as well.
        request.set_request_id("cancel-again-" + workflow_id);
        network_.after(within(500), [this, request] {
            network_.call("RequestCancelWorkflowExecution", request, kCallTimeout,
                          [](absl::StatusOr<std::string>) {});
        });
        return;
    }
    service::TerminateWorkflowExecutionRequest request;
    request.set_namespace_(kNamespace);
    request.mutable_workflow_execution()->set_workflow_id(workflow_id);
    request.set_reason("simulated");
    network_.call("TerminateWorkflowExecution", request, kCallTimeout,
                  [](absl::StatusOr<std::string>) {});
}

/// Queries and history reads from time to time, so that what was shown can be held against the end.
void Clients::keep_asking(const std::string& workflow_id) {
    if (--askings_left_ < 0) return;
    network_.after(within(4'000), [this, workflow_id] {
        read_prefix(workflow_id);
        look_up(workflow_ids_[network_.random().next() % workflow_ids_.size()]);
        service::QueryWorkflowRequest request;
        request.set_namespace_(kNamespace);
        request.mutable_execution()->set_workflow_id(workflow_id);
        request.mutable_query()->set_query_type("size");
        std::string run_id;
        if (!record_.runs[workflow_id].empty()) run_id = *record_.runs[workflow_id].begin();
        request.mutable_execution()->set_run_id(run_id);
        using Response = service::QueryWorkflowResponse;
        const auto call = network_.call<Response>(
            "QueryWorkflow", request, kCallTimeout,
            [this, workflow_id, run_id,
             seen = record_.prefixes[run_id].size()](absl::StatusOr<Response> response) {
                if (response.ok()) check_answer(*response, run_id, seen);
                keep_asking(workflow_id);
            });
        if (STELE_FAULT("client.abandons-query")) network_.abandon(call);
    });
}

/// Workers answer with the number of events that they have read: at least those which had been shown
/// before the query was sent.
void Clients::check_answer(const service::QueryWorkflowResponse& response,
                           const std::string& run_id, std::size_t seen) {
    ++record_.queries_answered;
    if (response.query_result().payloads_size() == 0) return;
    const std::string& answer = response.query_result().payloads(0).data();
    if (answer == kAttachedAnswer) {
        STELE_PROBE("client.answer-with-a-workflow-task");
        return;
    }
    if (std::stoull(answer) >= seen) return;
    record_.violation(
        fmt::format("invariant 4: a query of run {} was answered after {} events, when "
                    "{} had been read",
                    run_id, answer, seen));
}

/// A run that was once shown in a list is there.
void Clients::look_up(const std::string& workflow_id) {
    service::ListWorkflowExecutionsRequest request;
    request.set_namespace_(kNamespace);
    request.set_query(fmt::format("WorkflowId = '{}'", workflow_id));
    using Response = service::ListWorkflowExecutionsResponse;
    network_.call<Response>("ListWorkflowExecutions", request, kCallTimeout,
                            [this, workflow_id](absl::StatusOr<Response> response) {
                                if (!response.ok()) return;
                                for (const auto& info : response->executions()) {
                                    record_.listed.emplace(workflow_id, info.execution().run_id());
                                }
                            });
}

/// Who was told that a workflow has started finds it in a list from then on.
void Clients::list_own(const std::string& workflow_id) {
    service::ListWorkflowExecutionsRequest request;
    request.set_namespace_(kNamespace);
    request.set_query(fmt::format("WorkflowId = '{}'", workflow_id));
    using Response = service::ListWorkflowExecutionsResponse;
    network_.call<Response>(
        "ListWorkflowExecutions", request, kCallTimeout,
        [this, workflow_id](absl::StatusOr<Response> response) {
            if (!response.ok()) {
                if (is_uncertain(response.status())) return;
                return record_.violation(fmt::format("invariant 14: {} can not be listed: {}",
                                                     workflow_id, message_of(response.status())));
            }
            if (response->executions_size() > 0) return;
            record_.violation(fmt::format(
                "invariant 14: the start of {} was acknowledged and is not listed", workflow_id));
        });
}

void Clients::read_prefix(const std::string& workflow_id) {
    const auto& runs = record_.runs[workflow_id];
    if (runs.empty()) return;
    const std::string run_id = *runs.begin();
    service::GetWorkflowExecutionHistoryRequest request;
    request.set_namespace_(kNamespace);
    request.mutable_execution()->set_workflow_id(workflow_id);
    request.mutable_execution()->set_run_id(run_id);
    using Response = service::GetWorkflowExecutionHistoryResponse;
    network_.call<Response>("GetWorkflowExecutionHistory", request, kCallTimeout,
                            [this, run_id](absl::StatusOr<Response> response) {
                                if (!response.ok()) return;
                                const auto& events = response->history().events();
                                record_.read_prefix(run_id, {events.begin(), events.end()});
                            });
}

}  // namespace stele::sim
