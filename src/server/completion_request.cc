#include "server/completion_request.h"

#include "base/enum_name.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cctype>
#include <ctime>
#include <string_view>

namespace stele::server {
namespace {

namespace enums = shard::api::enums::v1;
using shard::api::common::v1::Payload;
using shard::api::common::v1::Payloads;
using shard::api::failure::v1::Failure;

// ---- Texts -----------------------------------------------------------------------------------

/// As in a path or a query of an address.
std::string escaped(std::string_view text) {
    std::string result;
    for (const char byte : text) {
        const bool plain = std::isalnum(static_cast<unsigned char>(byte)) != 0 || byte == '-' ||
                           byte == '_' || byte == '.' || byte == '~';
        if (plain) {
            result += byte;
        } else {
            result += fmt::format("%{:02X}", static_cast<unsigned char>(byte));
        }
    }
    return result;
}

std::string http_date(Timestamp time) {
    const std::time_t seconds =
        std::chrono::duration_cast<std::chrono::seconds>(time - kUnset).count();
    return fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(seconds));
}

std::string rfc3339(Timestamp time) {
    const auto since = time - kUnset;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since);
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:09}Z",
                       fmt::gmtime(static_cast<std::time_t>(seconds.count())),
                       (since - seconds).count());
}

std::string event_type_name(enums::EventType type) {
    return short_enum_name(enums::EventType_Name(type), "EVENT_TYPE_");
}

std::string link_header(const shard::api::common::v1::Link::WorkflowEvent& link) {
    std::string query;
    if (link.has_request_id_ref()) {
        query = fmt::format("eventType={}&referenceType=RequestIdReference&requestID={}",
                            event_type_name(link.request_id_ref().event_type()),
                            escaped(link.request_id_ref().request_id()));
    } else {
        query = fmt::format("eventID={}&eventType={}&referenceType=EventReference",
                            link.event_ref().event_id(),
                            event_type_name(link.event_ref().event_type()));
    }
    return fmt::format(
        "<temporal:///namespaces/{}/workflows/{}/{}/history?{}>; "
        "type=\"temporal.api.common.v1.Link.WorkflowEvent\"",
        escaped(link.namespace_()), escaped(link.workflow_id()), escaped(link.run_id()), query);
}

// ---- Results ---------------------------------------------------------------------------------

/// A payload in the plainest form that loses nothing of it.
void put_payload(const Payload& payload, CompletionRequest& request) {
    const auto metadata = [&payload](const char* name) {
        const auto found = payload.metadata().find(name);
        return found == payload.metadata().end() ? std::string() : found->second;
    };
    const std::string encoding = metadata("encoding");
    const std::string type = metadata("messageType");
    const bool alone = payload.metadata_size() == 1;
    const bool typed = payload.metadata_size() == 2 && !type.empty();
    request.body = payload.data();
    if (encoding == "json/plain" && alone) {
        request.content_type = "application/json";
    } else if (encoding == "binary/plain" && alone) {
        request.content_type = "application/octet-stream";
    } else if (encoding == "binary/null" && alone) {
        request.content_type.clear();
    } else if (encoding == "json/protobuf" && typed) {
        request.content_type =
            fmt::format("application/json; format=protobuf; message-type=\"{}\"", type);
    } else if (encoding == "binary/protobuf" && typed) {
        request.content_type = fmt::format("application/x-protobuf; message-type=\"{}\"", type);
    } else {
        request.content_type = "application/x-temporal-payload";
        request.body = payload.SerializeAsString();
    }
}

nlohmann::json failure_json(Failure failure) {
    nlohmann::json json;
    json["message"] = failure.message();
    if (!failure.stack_trace().empty()) json["stackTrace"] = failure.stack_trace();
    json["metadata"]["type"] = "temporal.api.failure.v1.Failure";
    if (failure.has_cause()) json["cause"] = failure_json(failure.cause());
    failure.clear_message();
    failure.clear_stack_trace();
    std::string details;
    const auto converted = google::protobuf::util::MessageToJsonString(failure, &details);
    if (converted.ok()) json["details"] = nlohmann::json::parse(details, nullptr, false);
    return json;
}

void succeed(const Payloads& result, CompletionRequest& request) {
    request.headers.emplace_back("nexus-operation-state", "succeeded");
    if (result.payloads_size() > 0) put_payload(result.payloads(0), request);
}

void fail(const char* state, const Failure& failure, CompletionRequest& request) {
    request.headers.emplace_back("nexus-operation-state", state);
    request.content_type = "application/json";
    request.body =
        failure_json(failure).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Failure failure_with(const char* message) {
    Failure failure;
    failure.set_message(message);
    return failure;
}

void put_update_outcome(const shard::api::update::v1::Outcome& outcome,
                        CompletionRequest& request) {
    if (outcome.has_failure()) return fail("failed", outcome.failure(), request);
    succeed(outcome.success(), request);
}

void put_outcome(const history::HistoryEvent& event, CompletionRequest& request) {
    switch (event.event_type()) {
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
            return succeed(event.workflow_execution_completed_event_attributes().result(), request);
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
            return fail("failed", event.workflow_execution_failed_event_attributes().failure(),
                        request);
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED: {
            Failure failure = failure_with("operation canceled");
            *failure.mutable_canceled_failure_info()->mutable_details() =
                event.workflow_execution_canceled_event_attributes().details();
            return fail("canceled", failure, request);
        }
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED: {
            Failure failure = failure_with("operation terminated");
            failure.mutable_terminated_failure_info();
            return fail("failed", failure, request);
        }
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT: {
            Failure failure = failure_with("operation exceeded internal timeout");
            failure.mutable_timeout_failure_info();
            return fail("failed", failure, request);
        }
        default:
            return put_update_outcome(
                event.workflow_execution_update_completed_event_attributes().outcome(), request);
    }
}

/// Nothing that would end a line or a field of the request.
bool is_clean(std::string_view text, bool spaces) {
    return std::all_of(text.begin(), text.end(), [spaces](char byte) {
        const auto value = static_cast<unsigned char>(byte);
        return value != 0x7f && (value > ' ' || (spaces && (value == ' ' || value == '\t')));
    });
}

absl::Status check_clean(const shard::api::common::v1::Callback::Nexus& callback) {
    bool clean = is_clean(callback.url(), false);
    for (const auto& [name, value] : callback.header()) {
        clean = clean && !name.empty() && is_clean(name, false) && is_clean(value, true);
    }
    return clean ? absl::OkStatus()
                 : failed_precondition("the callback has characters that can not be sent");
}

}  // namespace

absl::StatusOr<CompletionRequest> completion_request(const shard::Completion& completion) {
    STELE_RETURN_IF_ERROR(check_clean(completion.callback.nexus()));
    const std::string& url = completion.callback.nexus().url();
    const bool web = url.starts_with("http://") || url.starts_with("https://");
    if (!web) {
        return failed_precondition("callbacks to " + url + " can not be sent");
    }
    CompletionRequest request;
    const std::size_t host = url.find("://") + 3;
    const std::size_t path = std::min(url.find_first_of("/?#", host), url.size());
    request.origin = url.substr(0, path);
    request.path = url.substr(path, url.find('#', path) - path);
    if (!request.path.starts_with('/')) request.path.insert(0, "/");
    put_outcome(completion.outcome, request);
    bool has_link = false;
    for (const auto& [name, value] : completion.callback.nexus().header()) {
        has_link = has_link || name == "nexus-link";
        request.headers.emplace_back(name, value);
    }
    request.headers.emplace_back("nexus-operation-start-time", http_date(completion.started));
    request.headers.emplace_back("nexus-operation-close-time", rfc3339(completion.ended));
    if (!has_link) request.headers.emplace_back("nexus-link", link_header(completion.link));
    return request;
}

absl::Status completion_answer(int http_status, const std::string& retryable) {
    if (http_status >= 200 && http_status < 300) return absl::OkStatus();
    const std::string text = fmt::format("the receiver answered with status {}", http_status);
    if (retryable == "true") return unavailable(text);
    if (retryable == "false") return failed_precondition(text);
    switch (http_status) {
        case 400:
        case 401:
        case 403:
        case 404:
        case 409:
        case 501: return failed_precondition(text);
        default: return unavailable(text);
    }
}

}  // namespace stele::server
