#include "history/payload_stats.h"

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <google/protobuf/descriptor.h>

#include <set>
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

    /// The fields of a message that are set and lead on.
    template <typename Visit>
    void visit(const Message& message, Visit visit) const {
        const Fields& fields = fields_.at(message.GetDescriptor());
        const google::protobuf::Reflection& reflection = *message.GetReflection();
        for (const FieldDescriptor* field : fields.single) {
            if (reflection.HasField(message, field)) visit(reflection.GetMessage(message, field));
        }
        for (const FieldDescriptor* field : fields.repeated) {
            for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
                visit(reflection.GetRepeatedMessage(message, field, i));
            }
        }
        // An event has some sixty kinds of attributes: asking which it has beats asking for each.
        for (const google::protobuf::OneofDescriptor* oneof : fields.oneofs) {
            const FieldDescriptor* field = reflection.GetOneofFieldDescriptor(message, oneof);
            if (field != nullptr && fields.in_oneofs.contains(field)) {
                visit(reflection.GetMessage(message, field));
            }
        }
    }

private:
    struct Fields {
        std::vector<const FieldDescriptor*> single;
        std::vector<const FieldDescriptor*> repeated;
        std::set<const google::protobuf::OneofDescriptor*> oneofs;
        absl::flat_hash_set<const FieldDescriptor*> in_oneofs;

        void add(const FieldDescriptor* field) {
            if (const auto* oneof = field->real_containing_oneof()) {
                oneofs.insert(oneof);
                in_oneofs.insert(field);
            } else {
                (field->is_repeated() ? repeated : single).push_back(field);
            }
        }
        bool empty() const { return single.empty() && repeated.empty() && in_oneofs.empty(); }
    };

    void collect(const Descriptor* type) {
        if (type == SearchAttributes::descriptor() || !types_.insert(type).second) return;
        for (int i = 0; i < type->field_count(); ++i) {
            if (type->field(i)->message_type() != nullptr) collect(type->field(i)->message_type());
        }
    }
    static Fields fields_of(const Descriptor* type, const std::set<const Descriptor*>& leading) {
        Fields fields;
        if (type == Payload::descriptor()) return fields;  // what it holds is its own
        for (int i = 0; i < type->field_count(); ++i) {
            if (leading.contains(type->field(i)->message_type())) fields.add(type->field(i));
        }
        return fields;
    }

    std::set<const Descriptor*> types_;
    absl::flat_hash_map<const Descriptor*, Fields> fields_;
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
    fields.visit(message, [&](const Message& part) { count(part, fields, header); });
}

}  // namespace

void count_external_payloads(const HistoryEvent& event, storage::HeaderRow& header) {
    static const PayloadFields fields;
    count(event, fields, header);
}

}  // namespace stele::history
