#include "base/status.h"

#include "temporal/api/errordetails/v1/message.pb.h"

#include <gtest/gtest.h>

#include <memory>

namespace stele {
namespace {

using temporal::api::errordetails::v1::NamespaceNotFoundFailure;

TEST(Status, CarriesCodeAndMessage) {
    const absl::Status status = invalid_argument("bad id");
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(message_of(status), "bad id");
    EXPECT_FALSE(detail_of(status));
    EXPECT_EQ(unimplemented("later").code(), absl::StatusCode::kUnimplemented);
    EXPECT_EQ(deadline_exceeded("late").code(), absl::StatusCode::kDeadlineExceeded);
    EXPECT_EQ(canceled("gone").code(), absl::StatusCode::kCancelled);
    EXPECT_EQ(unavailable("busy").code(), absl::StatusCode::kUnavailable);
    EXPECT_EQ(internal_error("bug").code(), absl::StatusCode::kInternal);
    EXPECT_EQ(failed_precondition("no").code(), absl::StatusCode::kFailedPrecondition);
}

TEST(Status, CarriesOneDetailAsAnyWould) {
    NamespaceNotFoundFailure failure;
    failure.set_namespace_("orders");
    const absl::Status status = make_error(absl::StatusCode::kNotFound, "no namespace", failure);
    const auto detail = detail_of(status);
    ASSERT_TRUE(detail);
    EXPECT_EQ(detail->type_url,
              "type.googleapis.com/temporal.api.errordetails.v1.NamespaceNotFoundFailure");
    NamespaceNotFoundFailure read;
    ASSERT_TRUE(read.ParseFromString(detail->value));
    EXPECT_EQ(read.namespace_(), "orders");
}

TEST(Status, NotFoundHasTheDetailThatClientsLookFor) {
    const auto detail = detail_of(not_found("no run"));
    ASSERT_TRUE(detail);
    EXPECT_EQ(detail->type_url, "type.googleapis.com/temporal.api.errordetails.v1.NotFoundFailure");
}

absl::StatusOr<std::unique_ptr<int>> half(int number) {
    if (number % 2 != 0) return invalid_argument("odd");
    return std::make_unique<int>(number / 2);
}

absl::StatusOr<int> quarter(int number) {
    STELE_ASSIGN_OR_RETURN(const std::unique_ptr<int> first, half(number));
    STELE_ASSIGN_OR_RETURN(const std::unique_ptr<int> second, half(*first));
    return *second;
}

absl::Status check_even(int number) {
    STELE_RETURN_IF_ERROR(half(number).status());
    return absl::OkStatus();
}

TEST(Status, MacrosPassValuesAndErrorsOn) {
    EXPECT_EQ(quarter(8).value(), 2);
    EXPECT_EQ(message_of(quarter(6).status()), "odd");
    EXPECT_TRUE(check_even(2).ok());
    EXPECT_FALSE(check_even(1).ok());
}

}  // namespace
}  // namespace stele
