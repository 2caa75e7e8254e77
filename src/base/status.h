#pragma once

#include <google/protobuf/message.h>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <optional>
#include <string>
#include <string_view>

// Errors of the engine: absl::Status with the canonical gRPC codes, and at most one Temporal error
// detail (a message of temporal.api.errordetails.v1) that travels with it to the caller. Clients
// read only the first detail, so there is only room for one.
//
// Abseil's string_view is not the standard one on the platforms that we build for, which is why
// statuses are made here and nowhere else.
namespace stele {

absl::Status make_error(absl::StatusCode code, std::string message);
/// The same with a detail; `detail` is kept serialised, packed as google.protobuf.Any would be.
absl::Status make_error(absl::StatusCode code, std::string message,
                        const google::protobuf::Message& detail);

absl::Status invalid_argument(std::string message);
/// NOT_FOUND with NotFoundFailure, as for a missing or closed run or a stale task token.
absl::Status not_found(std::string message);
absl::Status failed_precondition(std::string message);
absl::Status unavailable(std::string message);
absl::Status internal_error(std::string message);
absl::Status deadline_exceeded(std::string message);
absl::Status canceled(std::string message);
absl::Status unimplemented(std::string message);

/// The message of a status as a standard string.
std::string message_of(const absl::Status& status);

/// A detail as it goes on the wire: type URL and bytes.
struct ErrorDetail {
    std::string type_url;
    std::string value;
};
/// The detail that a status carries, if any.
std::optional<ErrorDetail> detail_of(const absl::Status& status);

}  // namespace stele

#define STELE_RETURN_IF_ERROR(expression)                   \
    do {                                                    \
        absl::Status stele_status_ = (expression);          \
        if (!stele_status_.ok()) return stele_status_;      \
    } while (false)

#define STELE_CONCAT_INNER(a, b) a##b
#define STELE_CONCAT(a, b) STELE_CONCAT_INNER(a, b)
#define STELE_ASSIGN_OR_RETURN(declaration, expression) \
    STELE_ASSIGN_OR_RETURN_IMPL(STELE_CONCAT(stele_status_or_, __LINE__), declaration, expression)
#define STELE_ASSIGN_OR_RETURN_IMPL(temporary, declaration, expression) \
    auto temporary = (expression);                                      \
    if (!temporary.ok()) return std::move(temporary).status();          \
    declaration = *std::move(temporary)
