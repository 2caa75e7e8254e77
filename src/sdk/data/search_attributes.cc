#include "stele/search_attributes.h"

#include <google/protobuf/util/time_util.h>

#include "base/nanoseconds.h"
#include "stele/errors.h"

namespace stele::search_attribute {

Time decode_datetime(const Payload& payload) {
    const auto text = decode_value<std::string>(payload);
    google::protobuf::Timestamp time;
    if (!google::protobuf::util::TimeUtil::FromString(text, &time))
        throw DataConversionError("\"" + text + "\" is not a time");
    return Time(to_nanoseconds(time));
}

std::vector<std::string> decode_keyword_list(const Payload& payload) {
    const auto json = decode_value<nlohmann::json>(payload);
    if (json.is_string()) return {json.get<std::string>()};
    return decode_value<std::vector<std::string>>(payload);
}

}  // namespace stele::search_attribute
