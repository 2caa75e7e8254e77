#include "history/payload_stats.h"

#include <google/protobuf/descriptor.h>

#include <set>
#include <unordered_map>
#include <vector>

namespace stele::history {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using temporal::api::common::v1::Payload;
using temporal::api::common::v1::SearchAttributes;

/// Which fields of which messages can lead to a payload, so that of an event only those are walked.
class PayloadFields {
public:
    PayloadFields() {
        collect(HistoryEvent::descriptor());
        std::set<const Descriptor*> leading = {Payload::descriptor()};
        for (std::size_t before = 0; before != leading.size();) {
            before = leading.size();
            for (const Descriptor* type : types_) {
                if (!fields_of(type, leading).empty()) leading.insert(type);
            }
        }
        for (const Descriptor* type : types_) fields_[type] = fields_of(type, leading);
    }

    const std::vector<const FieldDescriptor*>& of(const Descriptor* type) const {
        return fields_.at(type);
    }

private:
    void collect(const Descriptor* type) {
        if (type == SearchAttributes::descriptor() || !types_.insert(type).second) return;
        for (int i = 0; i < type->field_count(); ++i) {
            if (type->field(i)->message_type() != nullptr) collect(type->field(i)->message_type());
        }
    }
    static std::vector<const FieldDescriptor*> fields_of(
        const Descriptor* type, const std::set<const Descriptor*>& leading) {
        std::vector<const FieldDescriptor*> fields;
        if (type == Payload::descriptor()) return fields;  // what it holds is its own
        for (int i = 0; i < type->field_count(); ++i) {
            if (leading.contains(type->field(i)->message_type())) fields.push_back(type->field(i));
        }
        return fields;
    }

    std::set<const Descriptor*> types_;
    std::unordered_map<const Descriptor*, std::vector<const FieldDescriptor*>> fields_;
};

void count(const Message& message, const PayloadFields& fields, storage::HeaderRow& header) {
    if (message.GetDescriptor() == Payload::descriptor()) {
        for (const auto& outside : static_cast<const Payload&>(message).external_payloads()) {
            header.set_external_payload_count(header.external_payload_count() + 1);
            header.set_external_payload_bytes(header.external_payload_bytes() +
                                              outside.size_bytes());
        }
        return;
    }
    const google::protobuf::Reflection& reflection = *message.GetReflection();
    for (const FieldDescriptor* field : fields.of(message.GetDescriptor())) {
        if (!field->is_repeated()) {
            if (reflection.HasField(message, field)) {
                count(reflection.GetMessage(message, field), fields, header);
            }
            continue;
        }
        for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
            count(reflection.GetRepeatedMessage(message, field, i), fields, header);
        }
    }
}

}  // namespace

void count_external_payloads(const HistoryEvent& event, storage::HeaderRow& header) {
    static const PayloadFields fields;
    count(event, fields, header);
}

}  // namespace stele::history
