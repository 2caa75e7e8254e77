#include <gtest/gtest.h>

#include "sdk/data/class_name.h"
#include "sdk/data/codec.h"
#include "sdk/workflow/random.h"
#include "stele/stele.h"
#include "temporal/api/failure/v1/message.pb.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

namespace stele {
namespace {

using temporal::api::failure::v1::Failure;

std::string encoding(const Payload& payload) { return payload.metadata().at("encoding"); }

enum class Colour { kRed, kBlue };

TEST(PayloadTest, TypesChooseTheFiveStandardEncodings) {
    EXPECT_EQ(encoding(encode_value(std::monostate())), "binary/null");
    EXPECT_EQ(encoding(encode_value(std::optional<int>())), "binary/null");
    EXPECT_EQ(encoding(encode_value(Bytes{1, 2})), "binary/plain");
    EXPECT_EQ(encoding(encode_value(std::string("x"))), "json/plain");
    EXPECT_EQ(encode_value(std::vector<int>{1, 2}).data(), "[1,2]");
    temporal::api::common::v1::WorkflowType message;
    message.set_name("n");
    const Payload payload = encode_value(message);
    EXPECT_EQ(encoding(payload), "json/protobuf");
    EXPECT_EQ(payload.metadata().at("messageType"), "temporal.api.common.v1.WorkflowType");
    EXPECT_EQ(decode_value<temporal::api::common::v1::WorkflowType>(payload).name(), "n");
}

TEST(PayloadTest, BinaryProtobufIsRead) {
    temporal::api::common::v1::WorkflowType message;
    message.set_name("n");
    Payload payload;
    (*payload.mutable_metadata())["encoding"] = "binary/protobuf";
    payload.set_data(message.SerializeAsString());
    EXPECT_EQ(decode_value<temporal::api::common::v1::WorkflowType>(payload).name(), "n");
}

TEST(PayloadTest, WrongKindsAreRefusedWithAConversionError) {
    EXPECT_THROW((void)decode_value<int>(encode_value(std::string("x"))), DataConversionError);
    EXPECT_THROW((void)decode_value<int>(encode_value(Bytes{1})), DataConversionError);
    EXPECT_THROW((void)decode_value<Bytes>(encode_value(1)), DataConversionError);
    EXPECT_THROW((void)encode_value(std::string("\xff\xfe")), DataConversionError);
    EXPECT_THROW((void)decode_argument<int>({}, 0), DataConversionError);
    EXPECT_EQ(decode_argument<std::optional<int>>({}, 0), std::nullopt);
}

TEST(PayloadTest, PayloadPassesThroughUntouched) {
    Payload payload;
    payload.set_data("anything");
    EXPECT_EQ(encode_value(payload).SerializeAsString(), payload.SerializeAsString());
}

TEST(FailureTest, ChainsSurviveTheWayToExceptionsAndBack) {
    Failure failure;
    failure.set_message("Activity task failed");
    failure.mutable_activity_failure_info()->mutable_activity_type()->set_name("charge");
    Failure& cause = *failure.mutable_cause();
    cause.set_message("no funds");
    cause.set_source("PythonSDK");
    cause.mutable_application_failure_info()->set_type("Broke");
    try {
        throw_failure(failure);
    } catch (const ActivityError& error) {
        EXPECT_EQ(error.activity_type(), "charge");
        EXPECT_EQ(error.root().message(), "no funds");
        EXPECT_STREQ(error.what(), "activity charge failed: Broke: no funds");
        EXPECT_EQ(error_to_failure(std::current_exception()).SerializeAsString(),
                  failure.SerializeAsString());
    }
}

TEST(FailureTest, OtherExceptionsBecomeRetryableApplicationFailures) {
    const Failure failure = error_to_failure(std::make_exception_ptr(std::out_of_range("too far")));
    EXPECT_EQ(failure.message(), "too far");
    EXPECT_EQ(failure.application_failure_info().type(), "out_of_range");
    EXPECT_FALSE(failure.application_failure_info().non_retryable());
}

TEST(FailureTest, EncodedAttributesAreAlwaysRead) {
    Failure failure;
    failure.set_message("Encoded failure");
    failure.mutable_application_failure_info();
    *failure.mutable_encoded_attributes() =
        encode_value(nlohmann::json{{"message", "secret"}, {"stack_trace", "at line 1"}});
    const auto error = failure_to_error(failure);
    EXPECT_EQ(error->message(), "secret");
    EXPECT_EQ(error->stack_trace(), "at line 1");
}

/// Adds its letter to the data, so that the order of codecs shows.
class Letter final : public PayloadCodec {
public:
    explicit Letter(char letter) : letter_(letter) {}
    Payloads encode(Payloads payloads, const SerializationContext&) const override {
        for (Payload& payload : payloads) payload.set_data(payload.data() + letter_);
        return payloads;
    }
    Payloads decode(Payloads payloads, const SerializationContext&) const override {
        for (Payload& payload : payloads) {
            std::string data = payload.data();
            if (data.empty() || data.back() != letter_) throw DataConversionError("wrong order");
            data.pop_back();
            payload.set_data(data);
        }
        return payloads;
    }

private:
    char letter_;
};

TEST(CodecTest, RunsLastToFirstAndBackButNotOverSearchAttributesAndHeaders) {
    DataConverter converter;
    converter.codecs = {std::make_shared<Letter>('a'), std::make_shared<Letter>('b')};
    temporal::api::workflowservice::v1::StartWorkflowExecutionRequest request;
    request.mutable_input()->add_payloads()->set_data("-");
    (*request.mutable_memo()->mutable_fields())["m"].set_data("-");
    (*request.mutable_search_attributes()->mutable_indexed_fields())["s"].set_data("-");
    (*request.mutable_header()->mutable_fields())["h"].set_data("-");
    const std::string before = request.SerializeAsString();
    sdk::encode_outgoing(converter, request, {});
    EXPECT_EQ(request.input().payloads(0).data(), "-ba");
    EXPECT_EQ(request.memo().fields().at("m").data(), "-ba");
    EXPECT_EQ(request.search_attributes().indexed_fields().at("s").data(), "-");
    EXPECT_EQ(request.header().fields().at("h").data(), "-");
    sdk::decode_incoming(converter, request, {});
    EXPECT_EQ(request.SerializeAsString(), before);
}

// What is drawn is part of recorded histories: these numbers must never change.
TEST(RandomTest, SequenceIsFixedForEver) {
    wf::detail::Random random("a-run-id");
    EXPECT_EQ(random.next(), 0x1f3ec36443aa7c63ull);
    EXPECT_EQ(random.next(), 0x6445eaf436de59fbull);
    EXPECT_NE(wf::detail::Random("another").next(), 0x1f3ec36443aa7c63ull);
    for (int i = 0; i < 1000; ++i) {
        EXPECT_LT(random.below(7), 7u);
        EXPECT_LT(random.unit(), 1.0);
    }
}

int free_function(int);
namespace inner {
struct Thing {
    void method();
    int constant() const;
};
wf::task<int> coroutine(std::string);
}  // namespace inner
template <class T>
struct Generic {};

TEST(NameTest, NamesAreThoseOfTheCodeWithoutNamespaces) {
    EXPECT_EQ(activity_name<&inner::Thing::method>, "method");
    EXPECT_EQ(handler_name<&inner::Thing::constant>, "constant");
    EXPECT_EQ(workflow_name<inner::coroutine>, "coroutine");
    EXPECT_EQ(activity_name<free_function>, "free_function");
    EXPECT_EQ(detail::class_name<inner::Thing>(), "Thing");
    EXPECT_EQ(sdk::class_name_of(std::out_of_range("")), "out_of_range");
}

int free_function(int value) { return value; }
void inner::Thing::method() {}
int inner::Thing::constant() const { return 1; }
wf::task<int> inner::coroutine(std::string) { co_return 1; }

}  // namespace
}  // namespace stele
