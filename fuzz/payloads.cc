#include "fuzz/target.h"

#include "stele/errors.h"
#include "stele/payload.h"
#include "temporal/api/failure/v1/message.pb.h"

#include <map>

#include <google/protobuf/util/message_differencer.h>

// A payload as each of the types that a function may take. It is a value of the type, which is encoded
// and decoded to the same value, or DataConversionError says why not. Nothing else is thrown.
namespace {

using namespace stele;

template <class T>
bool same(const T& a, const T& b) {
    if constexpr (std::is_base_of_v<google::protobuf::Message, T>) {
        return google::protobuf::util::MessageDifferencer::Equals(a, b);
    } else if constexpr (std::is_same_v<T, double>) {
        return a == b || (a != a && b != b);
    } else {
        return a == b;
    }
}

template <class T>
void check_as(const Payload& payload) {
    try {
        const T value = decode_value<T>(payload);
        try {
            STELE_CHECK(same(decode_value<T>(encode_value(value)), value),
                        "another value came back");
        } catch (const DataConversionError&) {
            // Values that JSON has no form for, such as a number that is not finite.
        }
    } catch (const DataConversionError& error) {
        STELE_CHECK(*error.what() != '\0', "no word about what is wrong");
    }
}

}  // namespace

// The encoding on a line, then the data.
STELE_FUZZ_TARGET(payloads) {
    stele::fuzz::Pieces pieces(input);
    Payload payload;
    (*payload.mutable_metadata())["encoding"] = std::string(pieces.line());
    payload.set_data(std::string(pieces.rest()));
    check_as<bool>(payload);
    check_as<int>(payload);
    check_as<std::int64_t>(payload);
    check_as<std::string>(payload);
    check_as<Bytes>(payload);
    check_as<std::optional<std::string>>(payload);
    check_as<std::vector<std::string>>(payload);
    check_as<std::map<std::string, std::vector<double>>>(payload);
    check_as<temporal::api::failure::v1::Failure>(payload);
}
