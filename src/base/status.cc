#include "base/status.h"

#include "temporal/api/errordetails/v1/message.pb.h"

#include <absl/strings/cord.h>

#include <utility>

namespace stele {
namespace {

constexpr char kTypePrefix[] = "type.googleapis.com/";

absl::string_view view(const std::string& text) { return {text.data(), text.size()}; }

}  // namespace

absl::Status make_error(absl::StatusCode code, std::string message) {
    return absl::Status(code, view(message));
}

absl::Status make_error(absl::StatusCode code, std::string message,
                        const google::protobuf::Message& detail) {
    absl::Status status = make_error(code, std::move(message));
    const std::string type_url = kTypePrefix + detail.GetDescriptor()->full_name();
    // Not from a temporary: clang and g++ name that constructor, a constrained template, differently.
    const std::string bytes = detail.SerializeAsString();
    status.SetPayload(view(type_url), absl::Cord(view(bytes)));
    return status;
}

absl::Status invalid_argument(std::string message) {
    return make_error(absl::StatusCode::kInvalidArgument, std::move(message));
}

absl::Status not_found(std::string message) {
    return make_error(absl::StatusCode::kNotFound, std::move(message),
                      temporal::api::errordetails::v1::NotFoundFailure());
}

absl::Status failed_precondition(std::string message) {
    return make_error(absl::StatusCode::kFailedPrecondition, std::move(message));
}

absl::Status unavailable(std::string message) {
    return make_error(absl::StatusCode::kUnavailable, std::move(message));
}

absl::Status internal_error(std::string message) {
    return make_error(absl::StatusCode::kInternal, std::move(message));
}

absl::Status deadline_exceeded(std::string message) {
    return make_error(absl::StatusCode::kDeadlineExceeded, std::move(message));
}

absl::Status canceled(std::string message) {
    return make_error(absl::StatusCode::kCancelled, std::move(message));
}

absl::Status unimplemented(std::string message) {
    return make_error(absl::StatusCode::kUnimplemented, std::move(message));
}

std::string message_of(const absl::Status& status) {
    return std::string(status.message().data(), status.message().size());
}

std::optional<ErrorDetail> detail_of(const absl::Status& status) {
    std::optional<ErrorDetail> result;
    status.ForEachPayload([&](absl::string_view type_url, const absl::Cord& value) {
        result = ErrorDetail{std::string(type_url.data(), type_url.size()), std::string(value)};
    });
    return result;
}

}  // namespace stele
