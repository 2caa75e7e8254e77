#pragma once

#include <string_view>
#include <utility>

#include "sdk/client/client_core.h"
#include "sdk/data/convert.h"
#include "sdk/data/headers.h"
#include "sdk/data/versioning.h"
#include "stele/client.h"

// Parts of requests that several calls share. Pure, but for the ids that they draw.
namespace stele::sdk {

/// The run that the handle names, or the current one.
inline temporal::api::common::v1::WorkflowExecution execution_of(const UntypedHandle& handle) {
    temporal::api::common::v1::WorkflowExecution message;
    message.set_workflow_id(handle.workflow_id());
    message.set_run_id(handle.run_id());
    return message;
}

/// A handle that came from a start means that chain of runs, whichever run is current by now.
inline temporal::api::common::v1::WorkflowExecution chain_of(const UntypedHandle& handle) {
    auto message = execution_of(handle);
    if (!handle.first_run_id().empty()) message.clear_run_id();
    return message;
}

/// Lets the client's interceptors add to the header that `field` gives.
template <class Field>
void intercept_client_call(const ClientCore& core, const InterceptedCall& call, Field field) {
    add_headers(
        core.options().interceptors,
        [&](const Interceptor& interceptor, Headers& headers) {
            interceptor.client_calls(call, headers);
        },
        field);
}

/// What all ways to start a workflow have in common.
template <class Request>
Request make_start(const ClientCore& core, std::string_view type, const StartOptions& options,
                   Payloads arguments) {
    Request request;
    request.set_namespace_(core.namespace_name());
    request.set_workflow_id(options.id.empty() ? core.new_uuid() : options.id);
    request.mutable_workflow_type()->set_name(std::string(type));
    request.mutable_task_queue()->set_name(options.task_queue);
    *request.mutable_input() = to_message(std::move(arguments));
    if (options.execution_timeout.count() > 0)
        *request.mutable_workflow_execution_timeout() = to_duration(options.execution_timeout);
    if (options.run_timeout.count() > 0)
        *request.mutable_workflow_run_timeout() = to_duration(options.run_timeout);
    if (options.task_timeout.count() > 0)
        *request.mutable_workflow_task_timeout() = to_duration(options.task_timeout);
    if (options.start_delay.count() > 0)
        *request.mutable_workflow_start_delay() = to_duration(options.start_delay);
    request.set_identity(core.identity());
    request.set_request_id(core.new_uuid());
    request.set_workflow_id_reuse_policy(
        static_cast<temporal::api::enums::v1::WorkflowIdReusePolicy>(
            static_cast<int>(options.id_reuse)));
    request.set_workflow_id_conflict_policy(
        static_cast<temporal::api::enums::v1::WorkflowIdConflictPolicy>(
            static_cast<int>(options.id_conflict)));
    if (options.retry) *request.mutable_retry_policy() = to_message(*options.retry);
    request.set_cron_schedule(options.cron_schedule);
    if (const auto priority = to_message(options.priority)) *request.mutable_priority() = *priority;
    if (options.versioning_override)
        *request.mutable_versioning_override() = to_message(*options.versioning_override);
    for (const auto& [key, value] : options.memo)
        (*request.mutable_memo()->mutable_fields())[key] = value;
    for (const auto& [key, value] : options.search_attributes)
        (*request.mutable_search_attributes()->mutable_indexed_fields())[key] = value;
    if (!options.static_summary.empty())
        *request.mutable_user_metadata()->mutable_summary() = json_string(options.static_summary);
    if (!options.static_details.empty())
        *request.mutable_user_metadata()->mutable_details() = json_string(options.static_details);
    intercept_client_call(
        core, {InterceptedCall::Kind::kWorkflow, std::string(type), request.workflow_id()},
        [&] { return request.mutable_header(); });
    return request;
}

}  // namespace stele::sdk
