#include "history/nexus_family.h"
#include "history/search_attributes.h"
#include "history/start_request.h"

#include "cron/schedule.h"

#include <google/protobuf/util/json_util.h>

// The operations of the server itself, which workflows call through an endpoint that always exists.
namespace stele::history {
namespace {

using SignalWithStart = service::SignalWithStartWorkflowExecutionRequest;

constexpr char kService[] = "temporal.api.workflowservice.v1.WorkflowService";
constexpr char kOperation[] = "SignalWithStartWorkflowExecution";

std::string quoted(const std::string& text) { return "\"" + text + "\""; }

/// Reads a message as SDKs encode one.
absl::Status decode(const api::common::v1::Payload& payload, google::protobuf::Message& message) {
    const auto encoding = payload.metadata().find("encoding");
    const std::string name = encoding == payload.metadata().end() ? "" : encoding->second;
    if (name == "binary/protobuf") {
        if (message.ParseFromString(payload.data())) return absl::OkStatus();
        return invalid_argument("failed to decode input payload: not a " +
                                message.GetDescriptor()->full_name());
    }
    if (name != "json/protobuf" && name != "json/plain") {
        return invalid_argument("failed to decode input payload: unknown encoding " + quoted(name));
    }
    google::protobuf::util::JsonParseOptions options;
    options.ignore_unknown_fields = true;
    const auto parsed =
        google::protobuf::util::JsonStringToMessage(payload.data(), &message, options);
    if (parsed.ok()) return absl::OkStatus();
    return invalid_argument("failed to decode input payload: " + std::string(parsed.ToString()));
}

/// What the caller leaves to the server, it may not set.
absl::Status check_left_open(const SignalWithStart& request, const std::string& name_space) {
    if (!request.namespace_().empty() && request.namespace_() != name_space) {
        return invalid_argument("Namespace in request " + quoted(request.namespace_()) +
                                " does not match namespace in context " + quoted(name_space));
    }
    if (!request.request_id().empty()) {
        return invalid_argument("RequestID should not be set on the request");
    }
    if (!request.links().empty()) {
        return invalid_argument("Links should not be set on the request");
    }
    return absl::OkStatus();
}

absl::Status check_attributes(SignalWithStart& request, const Context& context) {
    if (context.search_attributes == nullptr || !request.has_search_attributes()) {
        return absl::OkStatus();
    }
    STELE_RETURN_IF_ERROR(
        context.search_attributes->check(request.search_attributes(), *context.limits));
    context.search_attributes->add_types(*request.mutable_search_attributes());
    return absl::OkStatus();
}

}  // namespace

absl::StatusOr<SignalWithStart> system_request(const std::string& service_name,
                                               const std::string& operation,
                                               const api::common::v1::Payload& input,
                                               const storage::InfoRow& caller,
                                               const std::string& request_id,
                                               const Context& context) {
    if (service_name != kService) {
        return not_found("service " + quoted(service_name) + " not found");
    }
    if (operation != kOperation) {
        return not_found("operation " + quoted(operation) + " not found");
    }
    SignalWithStart request;
    STELE_RETURN_IF_ERROR(decode(input, request));
    if (!context.limits->signal_with_start_operation) {
        return unimplemented("SignalWithStart operation is disabled");
    }
    STELE_RETURN_IF_ERROR(check_left_open(request, caller.namespace_()));
    request.set_namespace_(caller.namespace_());
    request.set_request_id(request_id);
    STELE_RETURN_IF_ERROR(cron::validate(request.cron_schedule(), context.now));
    STELE_RETURN_IF_ERROR(validate_signal_with_start(request, *context.limits, request_id));
    STELE_RETURN_IF_ERROR(check_attributes(request, context));
    return request;
}

}  // namespace stele::history
