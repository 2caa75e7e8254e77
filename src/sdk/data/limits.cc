#include "sdk/data/limits.h"

#include <algorithm>
#include <string>
#include <vector>

#include "stele/errors.h"
#include "temporal/api/common/v1/message.pb.h"

namespace stele::sdk {

namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
namespace common = temporal::api::common::v1;

class Check {
public:
    Check(const PayloadLimits& limits, const Logger& logger) : limits_(limits), logger_(logger) {}

    /// `path` tells where in the request the message stands.
    void visit(const Message& message, const std::string& path) {
        const auto* type = message.GetDescriptor();
        if (type == common::SearchAttributes::descriptor() || type == common::Header::descriptor())
            return;
        if (type == common::Memo::descriptor()) {
            judge(message, path, limits_.memo_warning, limits_.memo_max);
            return;
        }
        if (type == common::Payloads::descriptor() || type == common::Payload::descriptor()) {
            judge(message, path, limits_.payloads_warning, limits_.payloads_max);
            return;
        }
        visit_fields(message, path);
    }

private:
    void visit_fields(const Message& message, const std::string& path) {
        const auto& reflection = *message.GetReflection();
        std::vector<const FieldDescriptor*> fields;
        reflection.ListFields(message, &fields);
        for (const FieldDescriptor* field : fields) {
            if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
            const std::string name = path + "." + field->name();
            if (!field->is_repeated()) {
                visit(reflection.GetMessage(message, field), name);
                continue;
            }
            for (int i = 0; i < reflection.FieldSize(message, field); ++i)
                visit(reflection.GetRepeatedMessage(message, field, i),
                      name + "[" + std::to_string(i) + "]");
        }
    }

    void judge(const Message& message, const std::string& path, std::size_t warning,
               std::size_t max) const {
        const std::size_t size = message.ByteSizeLong();
        if (max > 0 && size > max)
            throw PayloadTooLargeError(path + " has " + std::to_string(size) +
                                       " bytes, more than the limit of " + std::to_string(max));
        if (warning > 0 && size > warning && logger_)
            logger_({LogLevel::kWarning,
                     path + " has " + std::to_string(size) +
                         " bytes: large data is slow, and may come to be refused",
                     {{"bytes", std::to_string(size)}, {"warning", std::to_string(warning)}}});
    }

    const PayloadLimits& limits_;
    const Logger& logger_;
};

std::size_t smallest(const PayloadLimits& limits) {
    std::size_t result = static_cast<std::size_t>(-1);
    for (const std::size_t limit :
         {limits.payloads_warning, limits.payloads_max, limits.memo_warning, limits.memo_max})
        if (limit > 0) result = std::min(result, limit);
    return result;
}

}  // namespace

void check_limits(const PayloadLimits& limits, const Message& request, const Logger& logger) {
    // No part is larger than the whole, and most requests are small.
    if (request.ByteSizeLong() <= smallest(limits)) return;
    Check(limits, logger).visit(request, request.GetDescriptor()->name());
}

}  // namespace stele::sdk
