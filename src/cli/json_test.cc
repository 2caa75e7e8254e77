#include "cli/json.h"

#include "temporal/api/history/v1/message.pb.h"

#include <gtest/gtest.h>

namespace stele::cli {
namespace {

namespace common = temporal::api::common::v1;

common::Payload payload(const std::string& encoding, const std::string& data) {
    common::Payload result;
    (*result.mutable_metadata())["encoding"] = encoding;
    result.set_data(data);
    return result;
}

Json json_of(const google::protobuf::Message& message, PayloadStyle style) {
    return message_to_json(message, style).value();
}

TEST(Shorthand, StandsInThePlaceOfPayloadsAtEveryDepth) {
    temporal::api::history::v1::HistoryEvent event;
    auto& started = *event.mutable_workflow_execution_started_event_attributes();
    *started.mutable_input()->add_payloads() = payload("json/plain", R"({"b":1,"a":[null]})");
    *started.mutable_input()->add_payloads() = payload("binary/null", "");
    (*started.mutable_memo()->mutable_fields())["note"] = payload("json/plain", "\"x\"");
    const Json json = json_of(event, PayloadStyle::kShorthand);
    const Json& attributes = json["workflowExecutionStartedEventAttributes"];
    EXPECT_EQ(attributes["input"].dump(), R"([{"b":1,"a":[null]},null])");
    EXPECT_EQ(attributes["memo"]["fields"]["note"], "x");
}

TEST(Shorthand, LeavesWhatHasNoValueAsItIs) {
    common::Payloads payloads;
    *payloads.add_payloads() = payload("json/plain", "1");
    *payloads.add_payloads() = payload("binary/plain", "bytes");
    EXPECT_EQ(json_of(payloads, PayloadStyle::kShorthand),
              json_of(payloads, PayloadStyle::kVerbatim));
    common::Payload attribute = payload("json/plain", "\"word\"");
    (*attribute.mutable_metadata())["type"] = "Keyword";
    EXPECT_TRUE(json_of(attribute, PayloadStyle::kShorthand).contains("metadata"));
    EXPECT_TRUE(json_of(payload("json/plain", "{broken"), PayloadStyle::kShorthand).is_object());
}

TEST(Verbatim, CanBeReadBack) {
    const Json json = json_of(payload("json/plain", "1"), PayloadStyle::kVerbatim);
    EXPECT_EQ(json.dump(), R"({"metadata":{"encoding":"anNvbi9wbGFpbg=="},"data":"MQ=="})");
}

TEST(Values, OfAResultAreNothingOneOrAList) {
    common::Payloads payloads;
    EXPECT_TRUE(payloads_to_json(payloads).is_null());
    *payloads.add_payloads() = payload("json/plain", "1");
    EXPECT_EQ(payloads_to_json(payloads), 1);
    *payloads.add_payloads() = payload("json/protobuf", R"({"n":2})");
    (*payloads.mutable_payloads(1)->mutable_metadata())["messageType"] = "a.B";
    EXPECT_EQ(payloads_to_json(payloads).dump(), R"([1,{"n":2,"_protoMessageType":"a.B"}])");
}

TEST(Failures, AreToldWithTheirCauses) {
    temporal::api::failure::v1::Failure failure;
    failure.set_message("activity error");
    failure.mutable_activity_failure_info()->mutable_activity_type()->set_name("pay");
    failure.mutable_cause()->set_message("no money");
    failure.mutable_cause()->mutable_application_failure_info()->set_type("Poor");
    EXPECT_EQ(failure_text(failure), "activity error (activity pay), caused by: no money (Poor)");
}

}  // namespace
}  // namespace stele::cli
