#include "sdk/data/codec.h"

#include <functional>
#include <nlohmann/json.hpp>

#include "stele/errors.h"
#include "temporal/api/command/v1/message.pb.h"
#include "temporal/api/failure/v1/message.pb.h"

namespace stele::sdk {

namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using temporal::api::command::v1::RecordMarkerCommandAttributes;
using temporal::api::failure::v1::Failure;

using Transform = std::function<Payloads(Payloads)>;

struct Visitor {
    Transform transform;
    bool encode_failures = false;
};

Payloads checked(const Visitor& visitor, Payloads payloads) {
    const std::size_t count = payloads.size();
    Payloads result = visitor.transform(std::move(payloads));
    if (result.size() != count)
        throw DataConversionError("a codec returned another number of payloads than it was given");
    return result;
}

void visit_payload(const Visitor& visitor, Payload& payload) {
    payload = checked(visitor, Payloads(1, payload)).front();
}

void visit_payloads(const Visitor& visitor, temporal::api::common::v1::Payloads& list) {
    if (list.payloads().empty()) return;
    Payloads result = checked(visitor, Payloads(list.payloads().begin(), list.payloads().end()));
    for (int i = 0; i < list.payloads_size(); ++i)
        *list.mutable_payloads(i) = std::move(result[static_cast<std::size_t>(i)]);
}

void hide_attributes(Failure& failure) {
    if (failure.has_encoded_attributes()) return;
    const nlohmann::json attributes = {{"message", failure.message()},
                                       {"stack_trace", failure.stack_trace()}};
    *failure.mutable_encoded_attributes() = encode_value(attributes);
    failure.set_message("Encoded failure");
    failure.clear_stack_trace();
}

void visit(const Visitor& visitor, Message& message);

bool is_excluded(const Message& message) {
    const std::string& name = message.GetDescriptor()->full_name();
    return name == "temporal.api.common.v1.SearchAttributes" ||
           name == "temporal.api.common.v1.Header";
}

/// What the SDK itself notes in a marker is for tools to read; what the user's code gave is not.
void visit_marker(const Visitor& visitor, RecordMarkerCommandAttributes& marker) {
    for (auto& [name, value] : *marker.mutable_details())
        if (name == "result") visit_payloads(visitor, value);
    if (marker.has_failure()) visit(visitor, *marker.mutable_failure());
}

void visit(const Visitor& visitor, Message& message) {
    if (is_excluded(message)) return;
    if (message.GetDescriptor() == RecordMarkerCommandAttributes::descriptor()) {
        visit_marker(visitor, static_cast<RecordMarkerCommandAttributes&>(message));
        return;
    }
    if (message.GetDescriptor() == Payload::descriptor()) {
        visit_payload(visitor, static_cast<Payload&>(message));
        return;
    }
    if (message.GetDescriptor() == temporal::api::common::v1::Payloads::descriptor()) {
        visit_payloads(visitor, static_cast<temporal::api::common::v1::Payloads&>(message));
        return;
    }
    if (visitor.encode_failures && message.GetDescriptor() == Failure::descriptor())
        hide_attributes(static_cast<Failure&>(message));
    const Reflection& reflection = *message.GetReflection();
    std::vector<const FieldDescriptor*> fields;
    reflection.ListFields(message, &fields);
    for (const FieldDescriptor* field : fields) {
        if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
        if (!field->is_repeated()) {
            visit(visitor, *reflection.MutableMessage(&message, field));
            continue;
        }
        for (int i = 0; i < reflection.FieldSize(message, field); ++i)
            visit(visitor, *reflection.MutableRepeatedMessage(&message, field, i));
    }
}

}  // namespace

void encode_outgoing(const DataConverter& converter, Message& message) {
    if (converter.codecs.empty() && !converter.encode_failure_attributes) return;
    Visitor visitor;
    visitor.encode_failures = converter.encode_failure_attributes;
    visitor.transform = [&](Payloads payloads) {
        for (auto codec = converter.codecs.rbegin(); codec != converter.codecs.rend(); ++codec)
            payloads = (*codec)->encode(std::move(payloads));
        return payloads;
    };
    visit(visitor, message);
}

void decode_incoming(const DataConverter& converter, Message& message) {
    if (converter.codecs.empty()) return;
    Visitor visitor;
    visitor.transform = [&](Payloads payloads) {
        for (const auto& codec : converter.codecs) payloads = codec->decode(std::move(payloads));
        return payloads;
    };
    visit(visitor, message);
}

}  // namespace stele::sdk
