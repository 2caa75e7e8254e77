#include "server/completion_request.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <map>

namespace stele::server {
namespace {

namespace enums = shard::api::enums::v1;

shard::Completion completion() {
    shard::Completion result;
    result.callback.mutable_nexus()->set_url("https://receiver.example:8443/done?x=1");
    (*result.callback.mutable_nexus()->mutable_header())["token"] = "secret";
    result.run = {"ns-id", "w/1", "run"};
    result.link.set_namespace_("ns");
    result.link.set_workflow_id("w/1");
    result.link.set_run_id("run");
    result.link.mutable_event_ref()->set_event_id(1);
    result.link.mutable_event_ref()->set_event_type(enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED);
    result.started = Timestamp(std::chrono::seconds(0));
    result.ended = Timestamp(std::chrono::milliseconds(1'500));
    result.outcome.set_event_type(enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED);
    return result;
}

void set_result(shard::Completion& completion, const std::string& encoding,
                const std::string& data) {
    auto& payload = *completion.outcome.mutable_workflow_execution_completed_event_attributes()
                         ->mutable_result()
                         ->add_payloads();
    (*payload.mutable_metadata())["encoding"] = encoding;
    payload.set_data(data);
}

std::map<std::string, std::string> headers(const CompletionRequest& request) {
    return {request.headers.begin(), request.headers.end()};
}

TEST(CompletionRequest, TellsAResultInItsOwnForm) {
    shard::Completion told = completion();
    set_result(told, "json/plain", "\"done\"");
    const CompletionRequest request = completion_request(told).value();
    EXPECT_EQ(request.origin, "https://receiver.example:8443");
    EXPECT_EQ(request.path, "/done?x=1");
    EXPECT_EQ(request.content_type, "application/json");
    EXPECT_EQ(request.body, "\"done\"");
    auto sent = headers(request);
    EXPECT_EQ(sent["token"], "secret");
    EXPECT_EQ(sent["nexus-operation-state"], "succeeded");
    EXPECT_EQ(sent["nexus-operation-start-time"], "Thu, 01 Jan 1970 00:00:00 GMT");
    EXPECT_EQ(sent["nexus-operation-close-time"], "1970-01-01T00:00:01.500000000Z");
    EXPECT_EQ(sent["nexus-link"],
              "<temporal:///namespaces/ns/workflows/w%2F1/run/history?eventID=1&"
              "eventType=WorkflowExecutionStarted&referenceType=EventReference>; "
              "type=\"temporal.api.common.v1.Link.WorkflowEvent\"");
}

TEST(CompletionRequest, LosesNothingOfAPayloadThatIsNotPlain) {
    shard::Completion told = completion();
    set_result(told, "binary/encrypted", "x");
    const CompletionRequest request = completion_request(told).value();
    EXPECT_EQ(request.content_type, "application/x-temporal-payload");
    shard::api::common::v1::Payload payload;
    ASSERT_TRUE(payload.ParseFromString(request.body));
    EXPECT_EQ(payload.metadata().at("encoding"), "binary/encrypted");
}

TEST(CompletionRequest, NoResultIsAnEmptyBody) {
    const CompletionRequest request = completion_request(completion()).value();
    EXPECT_TRUE(request.body.empty());
    EXPECT_TRUE(request.content_type.empty());
}

TEST(CompletionRequest, TellsAFailure) {
    shard::Completion told = completion();
    told.outcome.set_event_type(enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED);
    auto& failure =
        *told.outcome.mutable_workflow_execution_failed_event_attributes()->mutable_failure();
    failure.set_message("boom");
    failure.mutable_application_failure_info()->set_type("Bad");
    failure.mutable_cause()->set_message("deeper");
    const CompletionRequest request = completion_request(told).value();
    EXPECT_EQ(headers(request)["nexus-operation-state"], "failed");
    const auto json = nlohmann::json::parse(request.body);
    EXPECT_EQ(json["message"], "boom");
    EXPECT_EQ(json["metadata"]["type"], "temporal.api.failure.v1.Failure");
    EXPECT_EQ(json["details"]["applicationFailureInfo"]["type"], "Bad");
    EXPECT_EQ(json["cause"]["message"], "deeper");
}

TEST(CompletionRequest, CancelledIsAStateOfItsOwn) {
    shard::Completion told = completion();
    told.outcome.set_event_type(enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED);
    EXPECT_EQ(headers(completion_request(told).value())["nexus-operation-state"], "canceled");
}

TEST(CompletionRequest, AnAddressThatIsNoneIsRefusedForGood) {
    shard::Completion told = completion();
    told.callback.mutable_nexus()->set_url("temporal://system");
    EXPECT_EQ(completion_request(told).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST(CompletionRequest, NothingIsSmuggledIntoARequest) {
    shard::Completion told = completion();
    (*told.callback.mutable_nexus()->mutable_header())["token"] = "x\r\nhost: other";
    EXPECT_EQ(completion_request(told).status().code(), absl::StatusCode::kFailedPrecondition);
    told = completion();
    told.callback.mutable_nexus()->set_url("https://receiver.example/a b\r\nx: y");
    EXPECT_EQ(completion_request(told).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST(CompletionAnswer, SaysWhetherToTryAgain) {
    EXPECT_TRUE(completion_answer(200, "").ok());
    EXPECT_TRUE(completion_answer(204, "").ok());
    EXPECT_EQ(completion_answer(404, "").code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(completion_answer(404, "true").code(), absl::StatusCode::kUnavailable);
    EXPECT_EQ(completion_answer(503, "").code(), absl::StatusCode::kUnavailable);
    EXPECT_EQ(completion_answer(503, "false").code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(completion_answer(302, "").code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace stele::server
