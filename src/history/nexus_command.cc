#include "history/command_checks.h"
#include "history/nexus_family.h"

#include <algorithm>
#include <array>

// Operations of Nexus services as commands make and unmake them.
namespace stele::history {
namespace {

namespace enums = temporal::api::enums::v1;
using Attributes = api::command::v1::ScheduleNexusOperationCommandAttributes;

constexpr auto kBad = enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_SCHEDULE_NEXUS_OPERATION_ATTRIBUTES;
constexpr auto kBadCancel =
    enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_REQUEST_CANCEL_NEXUS_OPERATION_ATTRIBUTES;
constexpr char kName[] = "ScheduleNexusOperationCommandAttributes";

/// Headers that calls of the server carry themselves.
constexpr std::array kReservedHeaders = {
    "request-timeout",
    "xdc-redirection-api",
    "xdc-redirection-source-cell",
    "xdc-redirection",
    "caller-name",
    "caller-type",
    "call-initiation",
    "temporal-principal-type",
    "temporal-principal-name",
};

std::string quoted(const std::string& text) { return "\"" + text + "\""; }

Refusal bad(const std::string& rest) { return refuse(kBad, kName + rest); }

std::string lower_case(std::string text) {
    for (char& letter : text) {
        if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
    }
    return text;
}

// ---- Where it goes -------------------------------------------------------------------------

CommandResult check_system_operation(const Builder& builder, const Attributes& attributes,
                                     const std::string& request_id) {
    if (!attributes.nexus_header().empty()) {
        return bad(std::string(".NexusHeader must be empty when using ") + kSystemEndpoint +
                   " endpoint");
    }
    const auto request =
        system_request(attributes.service(), attributes.operation(), attributes.input(),
                       builder.info(), request_id, builder.context());
    if (request.ok()) return std::nullopt;
    if (request.status().code() == absl::StatusCode::kUnimplemented) {
        return refuse(enums::WORKFLOW_TASK_FAILED_CAUSE_FEATURE_DISABLED,
                      message_of(request.status()));
    }
    return refuse(kBad, message_of(request.status()));
}

CommandResult find_endpoint(const Builder& builder, const Attributes& attributes,
                            std::string& endpoint_id) {
    const NexusEndpoints* endpoints = builder.context().nexus_endpoints;
    const auto found =
        endpoints == nullptr ? std::nullopt : endpoints->by_name(attributes.endpoint());
    if (!found) {
        return refuse(kBad, "endpoint " + quoted(attributes.endpoint()) + " not found");
    }
    if (!found->url().empty()) {
        return refuse(enums::WORKFLOW_TASK_FAILED_CAUSE_FEATURE_DISABLED,
                      "this server does not call endpoints outside of it yet");
    }
    endpoint_id = found->id();
    return std::nullopt;
}

// ---- What it says --------------------------------------------------------------------------

CommandResult check_names(const Attributes& attributes, const Limits& limits) {
    if (attributes.service().size() > limits.nexus_service_length) {
        return bad(".Service exceeds length limit of " +
                   std::to_string(limits.nexus_service_length));
    }
    if (attributes.operation().size() > limits.nexus_operation_length) {
        return bad(".Operation exceeds length limit of " +
                   std::to_string(limits.nexus_operation_length));
    }
    return std::nullopt;
}

/// `duration` is null when it was left open.
CommandResult check_timeout(google::protobuf::Duration* duration, const char* name) {
    const absl::Status valid =
        duration == nullptr ? absl::OkStatus() : validate_duration(*duration);
    if (valid.ok()) return std::nullopt;
    return bad("." + std::string(name) + " is invalid: " + message_of(valid));
}

CommandResult check_timeouts(Attributes& attributes) {
    if (CommandResult refusal = check_timeout(attributes.has_schedule_to_close_timeout()
                                                  ? attributes.mutable_schedule_to_close_timeout()
                                                  : nullptr,
                                              "ScheduleToCloseTimeout")) {
        return refusal;
    }
    if (CommandResult refusal = check_timeout(attributes.has_schedule_to_start_timeout()
                                                  ? attributes.mutable_schedule_to_start_timeout()
                                                  : nullptr,
                                              "ScheduleToStartTimeout")) {
        return refusal;
    }
    return check_timeout(attributes.has_start_to_close_timeout()
                             ? attributes.mutable_start_to_close_timeout()
                             : nullptr,
                         "StartToCloseTimeout");
}

/// Headers are compared without regard to case, so they are kept in lower case.
CommandResult check_header(Attributes& attributes, const Limits& limits) {
    std::map<std::string, std::string> header;
    std::size_t bytes = 0;
    for (const auto& [name, value] : attributes.nexus_header()) {
        const std::string lower = lower_case(name);
        bytes += lower.size() + value.size();
        if (std::find(kReservedHeaders.begin(), kReservedHeaders.end(), lower) !=
            kReservedHeaders.end()) {
            return bad(".NexusHeader contains a disallowed header key: " + quoted(name));
        }
        header[lower] = value;
    }
    if (bytes > limits.nexus_header_bytes) return bad(".NexusHeader exceeds size limit");
    attributes.mutable_nexus_header()->clear();
    for (auto& [name, value] : header) {
        (*attributes.mutable_nexus_header())[name] = std::move(value);
    }
    return std::nullopt;
}

/// No operation outlives its run, and no part of it the whole.
void cut_timeouts(Attributes& attributes, const Duration run_timeout, const Limits& limits) {
    Duration whole = from_proto(attributes.schedule_to_close_timeout());
    for (const Duration longest : {run_timeout, limits.nexus_schedule_to_close}) {
        if (longest > Duration::zero() && (whole == Duration::zero() || whole > longest)) {
            whole = longest;
        }
    }
    if (whole == Duration::zero()) return;
    *attributes.mutable_schedule_to_close_timeout() = to_proto(whole);
    if (from_proto(attributes.schedule_to_start_timeout()) > whole) {
        *attributes.mutable_schedule_to_start_timeout() = to_proto(whole);
    }
    if (from_proto(attributes.start_to_close_timeout()) > whole) {
        *attributes.mutable_start_to_close_timeout() = to_proto(whole);
    }
}

CommandResult check(const Completion& completion, Attributes& attributes,
                    const std::string& request_id, std::string& endpoint_id) {
    const Builder& builder = completion.builder;
    const Limits& limits = *builder.context().limits;
    const bool system = attributes.endpoint() == kSystemEndpoint;
    if (CommandResult refusal = system ? check_system_operation(builder, attributes, request_id)
                                       : find_endpoint(builder, attributes, endpoint_id)) {
        return refusal;
    }
    if (CommandResult refusal = check_names(attributes, limits)) return refusal;
    if (CommandResult refusal = check_timeouts(attributes)) return refusal;
    if (!system) {
        if (CommandResult refusal =
                check_blob_size(completion, attributes.input().ByteSizeLong(), kBad,
                                std::string(kName) + ".Input exceeds size limit")) {
            return refusal;
        }
    }
    if (CommandResult refusal = check_header(attributes, limits)) return refusal;
    if (builder.draft().nexus_operations.size() >= limits.pending_nexus_operations) {
        return refuse(enums::WORKFLOW_TASK_FAILED_CAUSE_PENDING_NEXUS_OPERATIONS_LIMIT_EXCEEDED,
                      "workflow has reached the pending nexus operation limit of " +
                          std::to_string(limits.pending_nexus_operations) + " for this namespace");
    }
    return std::nullopt;
}

HistoryEvent scheduled_event(const Attributes& from, EventId completed, const Command& command) {
    HistoryEvent event = command_event(enums::EVENT_TYPE_NEXUS_OPERATION_SCHEDULED, command);
    auto& to = *event.mutable_nexus_operation_scheduled_event_attributes();
    to.set_endpoint(from.endpoint());
    to.set_service(from.service());
    to.set_operation(from.operation());
    if (from.has_input()) *to.mutable_input() = from.input();
    if (from.has_schedule_to_close_timeout()) {
        *to.mutable_schedule_to_close_timeout() = from.schedule_to_close_timeout();
    }
    if (from.has_schedule_to_start_timeout()) {
        *to.mutable_schedule_to_start_timeout() = from.schedule_to_start_timeout();
    }
    if (from.has_start_to_close_timeout()) {
        *to.mutable_start_to_close_timeout() = from.start_to_close_timeout();
    }
    *to.mutable_nexus_header() = from.nexus_header();
    to.set_workflow_task_completed_event_id(completed.value());
    return event;
}

/// The operation whose end this event tells of; 0 for others.
std::int64_t operation_ended_by(const HistoryEvent& event) {
    switch (event.event_type()) {
        case enums::EVENT_TYPE_NEXUS_OPERATION_COMPLETED:
            return event.nexus_operation_completed_event_attributes().scheduled_event_id();
        case enums::EVENT_TYPE_NEXUS_OPERATION_FAILED:
            return event.nexus_operation_failed_event_attributes().scheduled_event_id();
        case enums::EVENT_TYPE_NEXUS_OPERATION_CANCELED:
            return event.nexus_operation_canceled_event_attributes().scheduled_event_id();
        case enums::EVENT_TYPE_NEXUS_OPERATION_TIMED_OUT:
            return event.nexus_operation_timed_out_event_attributes().scheduled_event_id();
        default: return 0;
    }
}

}  // namespace

storage::NexusOperationRow nexus_operation_row(const HistoryEvent& scheduled, Timestamp when) {
    const auto& from = scheduled.nexus_operation_scheduled_event_attributes();
    storage::NexusOperationRow row;
    row.set_endpoint(from.endpoint());
    row.set_endpoint_id(from.endpoint_id());
    row.set_service(from.service());
    row.set_operation(from.operation());
    row.set_request_id(from.request_id());
    *row.mutable_scheduled_time() = to_proto(when);
    *row.mutable_schedule_to_close() = from.schedule_to_close_timeout();
    *row.mutable_schedule_to_start() = from.schedule_to_start_timeout();
    *row.mutable_start_to_close() = from.start_to_close_timeout();
    if (from.has_input()) *row.mutable_input() = from.input();
    *row.mutable_header() = from.nexus_header();
    row.set_attempt(1);
    return row;
}

void send_nexus_start(Builder& builder, const storage::NexusOperationRow& row) {
    send_external(builder, storage::OutboxRow::KIND_START_NEXUS, EventId(row.scheduled_event_id()));
}

void send_nexus_cancellation(Builder& builder, const storage::NexusOperationRow& row) {
    send_external(builder, storage::OutboxRow::KIND_CANCEL_NEXUS,
                  EventId(row.cancellation().requested_event_id()));
    builder.transition().outbox.back().set_nexus_scheduled_event_id(row.scheduled_event_id());
}

CommandResult handle_schedule_nexus(Completion& completion, const Command& command) {
    if (!command.has_schedule_nexus_operation_command_attributes()) {
        return refuse(kBad, std::string("empty ") + kName);
    }
    Builder& builder = completion.builder;
    Attributes attributes = command.schedule_nexus_operation_command_attributes();
    const std::string request_id = builder.context().new_id();
    std::string endpoint_id;
    if (CommandResult refusal = check(completion, attributes, request_id, endpoint_id)) {
        return refusal;
    }
    cut_timeouts(attributes, from_proto(builder.info().run_timeout()), *builder.context().limits);

    HistoryEvent event = scheduled_event(attributes, completion.completed, command);
    event.mutable_nexus_operation_scheduled_event_attributes()->set_request_id(request_id);
    event.mutable_nexus_operation_scheduled_event_attributes()->set_endpoint_id(endpoint_id);
    storage::NexusOperationRow row = nexus_operation_row(event, builder.now());
    if (endpoint_id.empty()) row.set_new_run_id(builder.context().new_id());
    const EventId id = builder.add_event(std::move(event));
    row.set_scheduled_event_id(id.value());
    send_nexus_start(builder, row);
    builder.draft().nexus_operations.insert(id.value(), std::move(row));
    return std::nullopt;
}

CommandResult handle_request_cancel_nexus(Completion& completion, const Command& command) {
    if (!command.has_request_cancel_nexus_operation_command_attributes()) {
        return refuse(kBadCancel, "empty CancelNexusOperationCommandAttributes");
    }
    Builder& builder = completion.builder;
    const std::int64_t scheduled =
        command.request_cancel_nexus_operation_command_attributes().scheduled_event_id();
    const storage::NexusOperationRow* pending = builder.draft().nexus_operations.find(scheduled);
    const bool just_ended = builder
                                .find_buffered([&](const HistoryEvent& event) {
                                    return operation_ended_by(event) == scheduled;
                                })
                                .has_value();
    if (pending == nullptr && !just_ended) {
        return refuse(kBadCancel,
                      "requested cancelation for a non-existing or already completed operation "
                      "with scheduled event ID of " +
                          std::to_string(scheduled));
    }
    if (pending != nullptr && pending->has_cancellation()) {
        return refuse(kBadCancel,
                      "cancelation was already requested for an operation with scheduled event "
                      "ID " +
                          std::to_string(scheduled));
    }
    HistoryEvent event = command_event(enums::EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUESTED, command);
    auto& attributes = *event.mutable_nexus_operation_cancel_requested_event_attributes();
    attributes.set_scheduled_event_id(scheduled);
    attributes.set_workflow_task_completed_event_id(completion.completed.value());
    const EventId requested = builder.add_event(std::move(event));
    if (pending == nullptr) return std::nullopt;

    storage::NexusOperationRow& row = builder.draft().nexus_operations.edit(scheduled);
    auto& cancellation = *row.mutable_cancellation();
    cancellation.set_requested_event_id(requested.value());
    *cancellation.mutable_requested_time() = to_proto(builder.now());
    cancellation.set_attempt(1);
    // A handler that has not said what the operation is called can not be asked yet.
    if (is_started(row)) send_nexus_cancellation(builder, row);
    return std::nullopt;
}

}  // namespace stele::history
