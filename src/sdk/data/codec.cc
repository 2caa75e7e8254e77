#include "sdk/data/codec.h"

#include <functional>
#include <nlohmann/json.hpp>
#include <utility>

#include "sdk/data/owner.h"
#include "stele/errors.h"
#include "temporal/api/failure/v1/message.pb.h"
#include "temporal/api/workflow/v1/message.pb.h"

namespace stele::sdk {

namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using temporal::api::command::v1::Command;
using temporal::api::failure::v1::Failure;
using temporal::api::history::v1::HistoryEvent;
using temporal::api::workflow::v1::PendingActivityInfo;
using temporal::api::workflow::v1::WorkflowExecutionInfo;
using PayloadList = temporal::api::common::v1::Payloads;

using Transform = std::function<Payloads(Payloads, const SerializationContext&)>;

void hide_attributes(Failure& failure) {
    if (failure.has_encoded_attributes()) return;
    const nlohmann::json attributes = {{"message", failure.message()},
                                       {"stack_trace", failure.stack_trace()}};
    *failure.mutable_encoded_attributes() = encode_value(attributes);
    failure.set_message("Encoded failure");
    failure.clear_stack_trace();
}

bool is_excluded(const Message& message) {
    const std::string& name = message.GetDescriptor()->full_name();
    return name == "temporal.api.common.v1.SearchAttributes" ||
           name == "temporal.api.common.v1.Header";
}

/// Walks through a message, and knows whose data it comes to.
class Visitor {
public:
    Visitor(Transform transform, bool encode_failures, const SerializationContext& context,
            ScheduledActivities& activities)
        : transform_(std::move(transform)),
          encode_failures_(encode_failures),
          namespace_name_(context.namespace_name),
          activities_(activities) {}

    void visit(Message& message, const Owner& owner) {
        const auto* type = message.GetDescriptor();
        if (is_excluded(message)) return;
        if (type == Payload::descriptor()) {
            visit_payload(static_cast<Payload&>(message), owner);
        } else if (type == PayloadList::descriptor()) {
            visit_payloads(static_cast<PayloadList&>(message), owner);
        } else if (type ==
                   temporal::api::command::v1::RecordMarkerCommandAttributes::descriptor()) {
            visit_marker(
                static_cast<temporal::api::command::v1::RecordMarkerCommandAttributes&>(message),
                owner);
        } else if (type == Command::descriptor()) {
            visit_fields(message, owner_of(static_cast<Command&>(message), owner));
        } else if (type == HistoryEvent::descriptor()) {
            visit_fields(message,
                         owner_of(static_cast<HistoryEvent&>(message), owner, activities_));
        } else if (type == PendingActivityInfo::descriptor()) {
            const auto& info = static_cast<PendingActivityInfo&>(message);
            visit_fields(message,
                         {owner.workflow_id, info.activity_type().name(), info.activity_id()});
        } else if (type == WorkflowExecutionInfo::descriptor()) {
            visit_fields(message,
                         {static_cast<WorkflowExecutionInfo&>(message).execution().workflow_id()});
        } else {
            visit_fields(message, owner);
        }
    }

private:
    Payloads transformed(Payloads payloads, const Owner& owner) const {
        const std::size_t count = payloads.size();
        Payloads result = transform_(std::move(payloads), {namespace_name_, owner.workflow_id,
                                                           owner.activity_type, owner.activity_id});
        if (result.size() != count)
            throw DataConversionError(
                "a codec returned another number of payloads than it was given");
        return result;
    }

    void visit_payload(Payload& payload, const Owner& owner) const {
        payload = transformed(Payloads(1, payload), owner).front();
    }

    void visit_payloads(PayloadList& list, const Owner& owner) const {
        if (list.payloads().empty()) return;
        Payloads result =
            transformed(Payloads(list.payloads().begin(), list.payloads().end()), owner);
        for (int i = 0; i < list.payloads_size(); ++i)
            *list.mutable_payloads(i) = std::move(result[static_cast<std::size_t>(i)]);
    }

    // What the SDK itself notes in a marker is for tools to read; what the user's code gave is not.
    void visit_marker(temporal::api::command::v1::RecordMarkerCommandAttributes& marker,
                      const Owner& owner) {
        for (auto& [name, value] : *marker.mutable_details())
            if (name == "result") visit_payloads(value, owner);
        if (marker.has_failure()) visit(*marker.mutable_failure(), owner);
    }

    void visit_fields(Message& message, const Owner& owner) {
        if (encode_failures_ && message.GetDescriptor() == Failure::descriptor())
            hide_attributes(static_cast<Failure&>(message));
        const Reflection& reflection = *message.GetReflection();
        std::vector<const FieldDescriptor*> fields;
        reflection.ListFields(message, &fields);
        for (const FieldDescriptor* field : fields) {
            if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
            if (!field->is_repeated()) {
                visit(*reflection.MutableMessage(&message, field), owner);
                continue;
            }
            for (int i = 0; i < reflection.FieldSize(message, field); ++i)
                visit(*reflection.MutableRepeatedMessage(&message, field, i), owner);
        }
    }

    Transform transform_;
    bool encode_failures_;
    std::string_view namespace_name_;
    ScheduledActivities& activities_;
};

Owner owner_of(const SerializationContext& context) {
    return {std::string(context.workflow_id), std::string(context.activity_type),
            std::string(context.activity_id)};
}

}  // namespace

void encode_outgoing(const DataConverter& converter, Message& message,
                     const SerializationContext& context) {
    if (converter.codecs.empty() && !converter.encode_failure_attributes) return;
    const auto encode = [&](Payloads payloads, const SerializationContext& owner) {
        for (auto codec = converter.codecs.rbegin(); codec != converter.codecs.rend(); ++codec)
            payloads = (*codec)->encode(std::move(payloads), owner);
        return payloads;
    };
    ScheduledActivities none;
    Visitor(encode, converter.encode_failure_attributes, context, none)
        .visit(message, owner_of(context));
}

void decode_incoming(const DataConverter& converter, Message& message,
                     const SerializationContext& context, ScheduledActivities* activities) {
    if (converter.codecs.empty()) return;
    const auto decode = [&](Payloads payloads, const SerializationContext& owner) {
        for (const auto& codec : converter.codecs)
            payloads = codec->decode(std::move(payloads), owner);
        return payloads;
    };
    ScheduledActivities of_this_message;
    Visitor(decode, false, context, activities == nullptr ? of_this_message : *activities)
        .visit(message, owner_of(context));
}

}  // namespace stele::sdk
