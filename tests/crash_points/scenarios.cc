#include "tests/crash_points/scenarios.h"

#include "base/time.h"
#include "sim/script.h"
#include "sim/worker.h"
#include "temporal/api/enums/v1/event_type.pb.h"
#include "temporal/api/operatorservice/v1/request_response.pb.h"
#include "tests/crash_points/steps.h"

#include <fmt/format.h>

namespace stele::crash_points {
namespace {

namespace enums = temporal::api::enums::v1;
namespace operators = temporal::api::operatorservice::v1;
namespace service = temporal::api::workflowservice::v1;

using absl::StatusCode;

constexpr char kOperatorService[] = "/temporal.api.operatorservice.v1.OperatorService/";

/// A workflow that plays its script to the end.
std::function<void(Trial&)> played(const std::string& script,
                                   const std::function<void(StartRequest&)>& change = {}) {
    return [script, change](Trial& trial) {
        start(trial, "w", script, change);
        await_end(trial, "w");
    };
}

void three_signals(Trial& trial) {
    start(trial, "w", "SSS");
    for (const char* value : {"one", "two", "three"}) signal(trial, "w", value);
    await_end(trial, "w");
}

void signal_of_busy_workflow(Trial& trial) {
    start(trial, "w", "ASA");
    for (const char* value : {"one", "two"}) signal(trial, "w", value);
    await_end(trial, "w");
}

void external_signal(Trial& trial) {
    start(trial, "neighbour", "S");
    start(trial, "w", "E");
    await_end(trial, "w");
    await_end(trial, "neighbour");
}

void cron(Trial& trial) {
    start(trial, "w", "Y", [](StartRequest& request) { request.set_cron_schedule("@every 2s"); });
    await_end(trial, "w");
}

void retried_workflow(Trial& trial) {
    start(trial, "w", "RA",
          [](StartRequest& request) { *request.mutable_retry_policy() = sim::retry_policy(); });
    await_end(trial, "w");
}

void cancelled(Trial& trial) {
    start(trial, "w", "S");
    cancel(trial, "w");
    await_end(trial, "w");
}

void terminated(Trial& trial) {
    start(trial, "w", "AS");
    terminate(trial, "w");
}

void terminated_parent(Trial& trial) {
    start(trial, "w", "DQOS");
    await_event(trial, "w", enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED);
    terminate(trial, "w");
    for (const char* child : {"w.0", "w.1"}) await_end(trial, child);
}

void deleted(Trial& trial) {
    start(trial, "w", "A");
    await_end(trial, "w");
    erase(trial, "w");
}

void deleted_while_open(Trial& trial) {
    start(trial, "w", "PS");
    erase(trial, "w");
}

void started_twice(Trial& trial) {
    const std::string first = start(trial, "w", "S");
    const std::string second = start(trial, "w", "S");
    if (first != second) throw Violation("invariant 2: one request started two runs");
    signal(trial, "w", "end");
    await_end(trial, "w");
}

void existing_terminated(Trial& trial) {
    start(trial, "w", "S");
    start(trial, "w", "A", [](StartRequest& request) {
        request.set_request_id("another");
        request.set_workflow_id_conflict_policy(
            enums::WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING);
    });
    await_end(trial, "w");
}

void id_used_again(Trial& trial) {
    start(trial, "w", "");
    await_end(trial, "w");
    start(trial, "w", "M", [](StartRequest& request) { request.set_request_id("another"); });
    await_end(trial, "w");
}

void signalled_with_start(Trial& trial) {
    signal_with_start(trial, "w", "SS", "first");
    signal_with_start(trial, "w", "SS", "second");
    await_end(trial, "w");
}

void reset_of_open_run(Trial& trial) {
    const std::string run = start(trial, "w", "AS");
    await_event(trial, "w", enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED);
    reset(trial, "w", run);
    signal(trial, "w", "end");
    await_end(trial, "w");
}

void reset_of_closed_run(Trial& trial) {
    const std::string run = start(trial, "w", "ASA");
    signal(trial, "w", "taken-along");
    await_end(trial, "w");
    reset(trial, "w", run);
    await_end(trial, "w");
}

void updates(Trial& trial, const std::string& update_id) {
    start(trial, "w", "S");
    update(trial, "w", update_id);
    signal(trial, "w", "end");
    await_end(trial, "w");
}

void updated_with_start(Trial& trial) {
    update_with_start(trial, "w", "S", "accepted");
    update(trial, "w", "later");
    signal(trial, "w", "end");
    await_end(trial, "w");
}

void queries(Trial& trial) {
    start(trial, "w", "S");
    query(trial, "w");
    signal(trial, "w", "end");
    await_end(trial, "w");
    query(trial, "w");
}

void paused_workflow(Trial& trial) {
    start(trial, "w", "SA");
    service::PauseWorkflowExecutionRequest pause;
    pause.set_namespace_(sim::kNamespace);
    pause.set_workflow_id("w");
    pause.set_request_id("pause");
    expect(trial.ask<service::PauseWorkflowExecutionResponse>("PauseWorkflowExecution", pause)
               .status(),
           "PauseWorkflowExecution", {StatusCode::kFailedPrecondition});
    signal(trial, "w", "while-paused");
    service::UnpauseWorkflowExecutionRequest unpause;
    unpause.set_namespace_(sim::kNamespace);
    unpause.set_workflow_id("w");
    unpause.set_request_id("unpause");
    expect(trial.ask<service::UnpauseWorkflowExecutionResponse>("UnpauseWorkflowExecution", unpause)
               .status(),
           "UnpauseWorkflowExecution", {StatusCode::kFailedPrecondition, StatusCode::kNotFound});
    await_end(trial, "w");
}

void paused_activity(Trial& trial) {
    start(trial, "w", "KS");
    trial.record().operated.insert("w");
    await_event(trial, "w", enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED);
    service::PauseActivityRequest pause;
    pause.set_namespace_(sim::kNamespace);
    pause.mutable_execution()->set_workflow_id("w");
    pause.set_type(sim::kActivityType);
    pause.set_request_id("pause");
    expect(trial.ask<service::PauseActivityResponse>("PauseActivity", pause).status(),
           "PauseActivity", {StatusCode::kNotFound});
    service::UnpauseActivityRequest unpause;
    unpause.set_namespace_(sim::kNamespace);
    unpause.mutable_execution()->set_workflow_id("w");
    unpause.set_unpause_all(true);
    expect(trial.ask<service::UnpauseActivityResponse>("UnpauseActivity", unpause).status(),
           "UnpauseActivity", {StatusCode::kNotFound});
    signal(trial, "w", "end");
    await_end(trial, "w");
}

/// Waits until a batch operation on both workflows is over.
void batch(Trial& trial, const std::function<void(service::StartBatchOperationRequest&)>& what) {
    for (const char* id : {"w", "v"}) start(trial, id, "S");
    service::StartBatchOperationRequest request;
    request.set_namespace_(sim::kNamespace);
    request.set_job_id("job");
    request.set_reason("a step");
    request.set_visibility_query("WorkflowType = 'script'");
    what(request);
    expect(trial.ask<service::StartBatchOperationResponse>("StartBatchOperation", request).status(),
           "StartBatchOperation", {StatusCode::kAlreadyExists});
    trial.promise("the batch operation is there", [&trial] {
        service::DescribeBatchOperationRequest job;
        job.set_namespace_(sim::kNamespace);
        job.set_job_id("job");
        return trial.ask<service::DescribeBatchOperationResponse>("DescribeBatchOperation", job)
            .ok();
    });
    for (const char* id : {"w", "v"}) await_end(trial, id);
}

void batch_of_signals(Trial& trial) {
    batch(trial, [](auto& request) { request.mutable_signal_operation()->set_signal("step"); });
}

void batch_of_terminations(Trial& trial) {
    batch(trial, [](auto& request) { request.mutable_termination_operation(); });
}

bool has_namespace(Trial& trial, const std::string& name, const std::string& description) {
    service::DescribeNamespaceRequest request;
    request.set_namespace_(name);
    const auto told = trial.ask<service::DescribeNamespaceResponse>("DescribeNamespace", request);
    return told.ok() && told->namespace_info().description() == description;
}

void register_namespace(Trial& trial) {
    service::RegisterNamespaceRequest request;
    request.set_namespace_("orders");
    request.set_description("first");
    *request.mutable_workflow_execution_retention_period() = to_proto(std::chrono::hours(48));
    expect(trial.ask<service::RegisterNamespaceResponse>("RegisterNamespace", request).status(),
           "RegisterNamespace", {StatusCode::kAlreadyExists});
}

void registered_namespace(Trial& trial) {
    register_namespace(trial);
    trial.promise("the namespace is there",
                  [&trial] { return has_namespace(trial, "orders", "first"); });
}

void updated_namespace(Trial& trial) {
    register_namespace(trial);
    service::UpdateNamespaceRequest request;
    request.set_namespace_("orders");
    request.mutable_update_info()->set_description("second");
    expect(trial.ask<service::UpdateNamespaceResponse>("UpdateNamespace", request).status(),
           "UpdateNamespace");
    trial.promise("the namespace has changed",
                  [&trial] { return has_namespace(trial, "orders", "second"); });
}

void deleted_namespace(Trial& trial) {
    register_namespace(trial);
    operators::DeleteNamespaceRequest request;
    request.set_namespace_("orders");
    expect(trial
               .ask<operators::DeleteNamespaceResponse>(
                   std::string(kOperatorService) + "DeleteNamespace", request)
               .status(),
           "DeleteNamespace", {StatusCode::kNotFound});
    trial.promise("the namespace is gone",
                  [&trial] { return !has_namespace(trial, "orders", "first"); });
}

void search_attributes(Trial& trial) {
    operators::AddSearchAttributesRequest request;
    request.set_namespace_(sim::kNamespace);
    (*request.mutable_search_attributes())["Customer"] = enums::INDEXED_VALUE_TYPE_KEYWORD;
    expect(trial
               .ask<operators::AddSearchAttributesResponse>(
                   std::string(kOperatorService) + "AddSearchAttributes", request)
               .status(),
           "AddSearchAttributes", {StatusCode::kAlreadyExists});
    start(trial, "w", "S", [](StartRequest& started) {
        auto& value = (*started.mutable_search_attributes()->mutable_indexed_fields())["Customer"];
        (*value.mutable_metadata())["encoding"] = "json/plain";
        value.set_data("\"ada\"");
    });
    trial.promise("the workflow is found by its attribute", [&trial] {
        service::CountWorkflowExecutionsRequest count;
        count.set_namespace_(sim::kNamespace);
        count.set_query("Customer = 'ada'");
        const auto told =
            trial.ask<service::CountWorkflowExecutionsResponse>("CountWorkflowExecutions", count);
        return told.ok() && told->count() == 1;
    });
}

void nexus_endpoint(Trial& trial) {
    operators::CreateNexusEndpointRequest request;
    request.mutable_spec()->set_name("orders");
    auto& worker = *request.mutable_spec()->mutable_target()->mutable_worker();
    worker.set_namespace_(sim::kNamespace);
    worker.set_task_queue("orders");
    expect(trial
               .ask<operators::CreateNexusEndpointResponse>(
                   std::string(kOperatorService) + "CreateNexusEndpoint", request)
               .status(),
           "CreateNexusEndpoint", {StatusCode::kAlreadyExists});
    trial.promise("the endpoint is there", [&trial] {
        const auto told = trial.ask<operators::ListNexusEndpointsResponse>(
            std::string(kOperatorService) + "ListNexusEndpoints",
            operators::ListNexusEndpointsRequest());
        return told.ok() && told->endpoints_size() == 1;
    });
}

void queue_rate(Trial& trial) {
    service::UpdateTaskQueueConfigRequest request;
    request.set_namespace_(sim::kNamespace);
    request.set_task_queue(sim::kQueue);
    request.set_task_queue_type(enums::TASK_QUEUE_TYPE_ACTIVITY);
    request.mutable_update_queue_rate_limit()->mutable_rate_limit()->set_requests_per_second(3);
    request.mutable_update_queue_rate_limit()->set_reason("a step");
    expect(trial.ask<service::UpdateTaskQueueConfigResponse>("UpdateTaskQueueConfig", request)
               .status(),
           "UpdateTaskQueueConfig");
    start(trial, "w", "PA");
    await_end(trial, "w");
}

/// Each of these signals fills a good part of a memtable.
void large_signals(Trial& trial, int count) {
    constexpr std::size_t kBytes = 20'000;
    start(trial, "w", std::string(static_cast<std::size_t>(count), 'S'));
    for (int i = 0; i < count; ++i) {
        signal(trial, "w",
               fmt::format("{:04}", i) + std::string(kBytes, static_cast<char>('a' + i)));
    }
    await_end(trial, "w");
}

void reopened_between(Trial& trial) {
    start(trial, "w", "SAS");
    trial.restart();
    signal(trial, "w", "one");
    trial.restart();
    signal(trial, "w", "two");
    await_end(trial, "w");
}

void several_at_once(Trial& trial) {
    for (const char* id : {"a", "b", "c", "d"}) start(trial, id, "AT");
    for (const char* id : {"a", "b", "c", "d"}) await_end(trial, id);
}

void given_up(StartRequest& request) {
    *request.mutable_workflow_run_timeout() = to_proto(std::chrono::seconds(2));
}

void delayed(StartRequest& request) {
    *request.mutable_workflow_start_delay() = to_proto(std::chrono::seconds(2));
}

/// A worker that now and then does what the options say.
sim::Options worker_that(const std::function<void(sim::Options&)>& change) {
    sim::Options options;
    change(options);
    return options;
}

/// A store that sorts its memory into a file as early as RocksDB lets it.
Machine::Options small_memory() {
    Machine::Options options;
    options.store.write_buffer_bytes = 64U << 10;
    return options;
}

Machine::Options shards(int count) {
    Machine::Options options;
    options.shards = count;
    return options;
}

}  // namespace

const std::vector<Scenario>& scenarios() {
    static const std::vector<Scenario> kAll = {
        {"empty-directory", [](Trial&) {}},
        {"reopen",
         [](Trial& trial) {
             trial.restart();
             trial.restart();
         }},
        {"reopened-between", reopened_between},
        {"start", [](Trial& trial) { start(trial, "w", "S"); }},
        {"start-twice", started_twice},
        {"start-delayed", played("A", delayed)},
        {"existing-terminated", existing_terminated},
        {"id-used-again", id_used_again},
        {"complete", played("")},
        {"marker", played("MM")},
        {"three-signals", three_signals},
        {"signal-of-busy-workflow", signal_of_busy_workflow},
        {"signal-with-start", signalled_with_start},
        {"external-signal", external_signal},
        {"external-signal-across-shards", external_signal, shards(4)},
        {"activity", played("A")},
        {"three-activities", played("P")},
        {"activity-retried", played("AA"), {}, worker_that([](sim::Options& options) {
             options.fail_activity = 2;
         })},
        {"activity-times-out", played("A"), {}, worker_that([](sim::Options& options) {
             options.drop_task = 3;
         })},
        {"activity-cancelled", played("K")},
        {"activity-paused", paused_activity},
        {"timer", played("TT")},
        {"timer-cancelled", played("C")},
        {"task-fails", played("AM"), {}, worker_that([](sim::Options& options) {
             options.fail_workflow_task = 2;
         })},
        {"sticky-worker", played("ATA"), {}, worker_that([](sim::Options& options) {
             options.sticky = true;
         })},
        {"continue-as-new", played("NA")},
        {"retried-workflow", retried_workflow},
        {"run-times-out", played("S", given_up)},
        {"cron", cron},
        {"child", played("H")},
        {"child-across-shards", played("H"), shards(4)},
        {"child-abandoned", played("OT")},
        {"children-end-with-parent", played("DQ")},
        {"operation-of-server", played("G")},
        {"cancel", cancelled},
        {"terminate", terminated},
        {"terminate-parent", terminated_parent},
        {"delete", deleted},
        {"delete-open", deleted_while_open},
        {"pause-workflow", paused_workflow},
        {"reset-open", reset_of_open_run},
        {"reset-closed", reset_of_closed_run},
        {"update", [](Trial& trial) { updates(trial, "accepted"); }},
        {"update-completed-later", [](Trial& trial) { updates(trial, "later"); }},
        {"update-rejected", [](Trial& trial) { updates(trial, "rejected"); }},
        {"update-with-start", updated_with_start},
        {"query", queries},
        {"batch-signal", batch_of_signals},
        {"batch-terminate", batch_of_terminations},
        {"several-at-once", several_at_once, shards(2)},
        {"namespace-registered", registered_namespace},
        {"namespace-updated", updated_namespace},
        {"namespace-deleted", deleted_namespace},
        {"search-attributes", search_attributes},
        {"nexus-endpoint", nexus_endpoint},
        {"queue-rate", queue_rate},
        {"memtable-flush", [](Trial& trial) { large_signals(trial, 4); }, small_memory()},
        {"compaction", [](Trial& trial) { large_signals(trial, 16); }, small_memory()},
    };
    return kAll;
}

}  // namespace stele::crash_points
