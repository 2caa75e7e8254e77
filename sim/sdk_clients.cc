#include "sim/sdk_clients.h"

#include "sim/clients.h"
#include "sim/sdk_workers.h"
#include "sim/sdk_workflows.h"
#include "sim/worker.h"

#include <fmt/format.h>

#include <utility>

namespace stele::sim {
namespace {

namespace service = temporal::api::workflowservice::v1;

constexpr Duration kCallTimeout = std::chrono::seconds(5);
constexpr int kAskings = 12;

/// A script that waits for so many signals.
std::string draw_sdk_script(env::SimRandom& random, int signals) {
    constexpr std::string_view kSteps = "AAPRLLMTQCKXVDI";
    std::string script;
    const std::size_t length = 3 + random.next() % 7;
    while (script.size() < length) script += kSteps[random.next() % kSteps.size()];
    const auto put = [&](char letter) {
        script.insert(script.begin() + static_cast<long>(random.next() % (script.size() + 1)),
                      letter);
    };
    for (int i = 0; i < signals; ++i) put('S');
    if (random.next() % 3 == 0) put('N');
    if (random.next() % 4 == 0) put('N');
    if (random.next() % 4 == 0) script += '!';
    if (random.next() % 8 == 0) script += 'F';
    return script;
}

}  // namespace

temporal::api::common::v1::Payload json_payload(const std::string& text) {
    return encode_value(text);
}

SdkClients::SdkClients(Network& network, Record& record, const SdkOptions& options)
    : network_(network), record_(record), options_(options), updates_(network, record) {
    for (int i = 0; i < options.workflows; ++i) workflow_ids_.push_back(fmt::format("sdk-{}", i));
}

Duration SdkClients::within(int milliseconds) {
    return std::chrono::milliseconds(network_.random().next() %
                                     static_cast<std::uint64_t>(milliseconds));
}

void SdkClients::start() {
    for (std::size_t i = 0; i < workflow_ids_.size(); ++i) {
        ++open_calls_;
        network_.after(within(options_.start_within * 1'000), [this, i] { start_workflow(i); });
    }
}

void SdkClients::start_workflow(std::size_t index) {
    const int signals = static_cast<int>(network_.random().next() % 4);
    const std::string& neighbour = workflow_ids_[(index + 1) % workflow_ids_.size()];
    service::StartWorkflowExecutionRequest request;
    request.set_namespace_(kNamespace);
    request.set_workflow_id(workflow_ids_[index]);
    request.mutable_workflow_type()->set_name(kSdkType);
    request.mutable_task_queue()->set_name(kSdkQueue);
    request.set_request_id("start-" + request.workflow_id());
    *request.mutable_workflow_task_timeout() = to_proto(std::chrono::seconds(3));
    auto& input = *request.mutable_input();
    *input.add_payloads() = encode_value(draw_sdk_script(network_.random(), signals));
    *input.add_payloads() = encode_value(neighbour);
    *input.add_payloads() = encode_value(Journal());
    // Its runs follow each other, so a start that was lost on its way back may find the second one.
    start_until_told(network_, record_, request,
                     [this, signals, id = request.workflow_id()](bool taken) {
                         --open_calls_;
                         if (taken) accompany(id, signals);
                     });
}

void SdkClients::accompany(const std::string& workflow_id, int signals) {
    const int surplus = static_cast<int>(network_.random().next() % 3);
    for (int i = 0; i < signals + surplus; ++i) {
        ++open_calls_;
        network_.after(within(8'000), [this, workflow_id, i] {
            signal_until_told(workflow_id, fmt::format("{}-signal-{}", workflow_id, i));
        });
    }
    switch (network_.random().next() % 8) {
        case 0:
        case 1: network_.after(within(10'000), [this, workflow_id] { cancel(workflow_id); }); break;
        case 2:
            network_.after(within(20'000), [this, workflow_id] { terminate(workflow_id); });
            break;
        default: break;
    }
    updates_.update(workflow_id);
    keep_asking(workflow_id, kAskings);
}

void SdkClients::signal_until_told(const std::string& workflow_id, const std::string& text) {
    service::SignalWorkflowExecutionRequest request;
    request.set_namespace_(kNamespace);
    request.mutable_workflow_execution()->set_workflow_id(workflow_id);
    request.set_signal_name(kSdkSignal);
    request.set_request_id("request-" + text);
    *request.mutable_input()->add_payloads() = encode_value(text);
    using Response = service::SignalWorkflowExecutionResponse;
    network_.call_until_told<Response>(
        "SignalWorkflowExecution", request, kCallTimeout,
        [this, workflow_id,
         value = request.input().payloads(0).data()](const absl::StatusOr<Response>& response) {
            --open_calls_;
            if (response.ok()) record_.signalled(workflow_id, value);
        });
}

void SdkClients::cancel(const std::string& workflow_id) {
    service::RequestCancelWorkflowExecutionRequest request;
    request.set_namespace_(kNamespace);
    request.mutable_workflow_execution()->set_workflow_id(workflow_id);
    request.set_request_id("cancel-" + workflow_id);
    network_.call(
        "RequestCancelWorkflowExecution", request, kCallTimeout,
        [this, workflow_id, sent = network_.now()](const absl::StatusOr<std::string>& response) {
            if (!response.ok()) return;
            record_.cancel_requested(workflow_id, sent, network_.now());
        });
}

void SdkClients::terminate(const std::string& workflow_id) {
    service::TerminateWorkflowExecutionRequest request;
    request.set_namespace_(kNamespace);
    request.mutable_workflow_execution()->set_workflow_id(workflow_id);
    request.set_reason("simulated");
    network_.call("TerminateWorkflowExecution", request, kCallTimeout,
                  [](absl::StatusOr<std::string>) {});
}

/// Of whatever run is the current one: its journal has those of the runs before it.
void SdkClients::keep_asking(const std::string& workflow_id, int times) {
    if (times == 0) return;
    network_.after(within(4'000), [this, workflow_id, times] {
        service::QueryWorkflowRequest request;
        request.set_namespace_(kNamespace);
        request.mutable_execution()->set_workflow_id(workflow_id);
        request.mutable_query()->set_query_type(kSdkQuery);
        using Response = service::QueryWorkflowResponse;
        network_.call<Response>(
            "QueryWorkflow", request, kCallTimeout,
            [this, workflow_id, times,
             signals = record_.signals[workflow_id]](absl::StatusOr<Response> response) {
                keep_asking(workflow_id, times - 1);
                if (!response.ok() || response->query_result().payloads_size() == 0) return;
                ++record_.queries_answered;
                shown_.push_back({workflow_id,
                                  decode_value<Journal>(response->query_result().payloads(0)),
                                  signals});
            });
    });
}

}  // namespace stele::sim
