#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include "temporal/api/common/v1/message.pb.h"

// How C++ values become payloads. The five standard encodings are chosen by type:
//
//   void, std::monostate, an empty optional   binary/null
//   stele::Bytes                              binary/plain
//   a protobuf message                        json/protobuf (binary/protobuf is read as well)
//   everything else                           json/plain through nlohmann::json
//   stele::Payload                            passed through untouched
//
// A type of one's own needs nlohmann's to_json and from_json (for instance through
// NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT), or a specialisation of PayloadTraits.
// All functions here are pure and safe to call from any thread.
//
// The parser and the printer of JSON stay in the library, or every file that uses it would compile them.
namespace stele {

using Payload = temporal::api::common::v1::Payload;
/// One payload for each argument.
using Payloads = std::vector<Payload>;
/// Raw bytes, as opposed to text.
using Bytes = std::vector<std::uint8_t>;

/// Specialise to convert a type in another way:
///
///     template <> struct stele::PayloadTraits<Money> {
///         static Payload encode(const Money& value);
///         static Money decode(const Payload& payload);   // throws DataConversionError
///     };
template <class T>
struct PayloadTraits {
    static constexpr bool kIsDefault = true;
};

namespace detail {

template <class T>
concept has_payload_traits = !requires { PayloadTraits<T>::kIsDefault; };

template <class T>
concept protobuf_message = std::is_base_of_v<google::protobuf::Message, T>;

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

Payload encode_null();
Payload encode_bytes(const Bytes& bytes);
Payload encode_message(const google::protobuf::Message& message);
Payload encode_json(const nlohmann::json& json);

bool is_null(const Payload& payload);
Bytes decode_bytes(const Payload& payload);
void decode_message(const Payload& payload, google::protobuf::Message& message);
/// Throws DataConversionError for another encoding, and what nlohmann throws for what is no JSON.
nlohmann::json decode_json(const Payload& payload);
[[noreturn]] void throw_conversion(std::string_view what);

}  // namespace detail

/// Throws DataConversionError when the value cannot be encoded, such as text that is not UTF-8.
template <class T>
Payload encode_value(const T& value) {
    if constexpr (detail::has_payload_traits<T>) {
        return PayloadTraits<T>::encode(value);
    } else if constexpr (std::is_same_v<T, Payload>) {
        return value;
    } else if constexpr (std::is_same_v<T, std::monostate> || std::is_same_v<T, std::nullptr_t>) {
        return detail::encode_null();
    } else if constexpr (detail::is_optional<T>) {
        return value ? encode_value(*value) : detail::encode_null();
    } else if constexpr (std::is_same_v<T, Bytes>) {
        return detail::encode_bytes(value);
    } else if constexpr (detail::protobuf_message<T>) {
        return detail::encode_message(value);
    } else {
        try {
            return detail::encode_json(nlohmann::json(value));
        } catch (const nlohmann::json::exception& error) {
            detail::throw_conversion(error.what());
        }
    }
}

/// Throws DataConversionError when the payload holds something else.
template <class T>
T decode_value(const Payload& payload) {
    if constexpr (std::is_void_v<T>) {
        return;
    } else if constexpr (detail::has_payload_traits<T>) {
        return PayloadTraits<T>::decode(payload);
    } else if constexpr (std::is_same_v<T, Payload>) {
        return payload;
    } else if constexpr (std::is_same_v<T, std::monostate> || std::is_same_v<T, std::nullptr_t>) {
        return T{};
    } else if constexpr (detail::is_optional<T>) {
        if (detail::is_null(payload)) return std::nullopt;
        return decode_value<typename T::value_type>(payload);
    } else if constexpr (std::is_same_v<T, Bytes>) {
        return detail::decode_bytes(payload);
    } else if constexpr (detail::protobuf_message<T>) {
        T message;
        detail::decode_message(payload, message);
        return message;
    } else {
        try {
            return detail::decode_json(payload).template get<T>();
        } catch (const nlohmann::json::exception& error) {
            detail::throw_conversion(error.what());
        }
    }
}

// The types of most arguments, compiled once in the library.
#define STELE_COMPILED_IN_LIBRARY(T)                         \
    extern template Payload encode_value<T>(const T& value); \
    extern template T decode_value<T>(const Payload& payload);
STELE_COMPILED_IN_LIBRARY(bool)
STELE_COMPILED_IN_LIBRARY(int)
STELE_COMPILED_IN_LIBRARY(std::int64_t)
STELE_COMPILED_IN_LIBRARY(double)
STELE_COMPILED_IN_LIBRARY(std::string)
#undef STELE_COMPILED_IN_LIBRARY

/// The payload at `index` as a T. A missing one is an empty optional, or else an error.
template <class T>
T decode_argument(const Payloads& payloads, std::size_t index) {
    if (index < payloads.size()) return decode_value<T>(payloads[index]);
    if constexpr (detail::is_optional<T> || std::is_void_v<T> ||
                  std::is_same_v<T, std::monostate>) {
        return T();
    } else {
        detail::throw_conversion("argument " + std::to_string(index + 1) + " is missing");
    }
}

template <class... T>
Payloads encode_arguments(const T&... values) {
    Payloads payloads;
    payloads.reserve(sizeof...(T));
    (payloads.push_back(encode_value(values)), ...);
    return payloads;
}

/// Missing trailing arguments are allowed where the type is an optional; surplus ones are ignored,
/// so a caller may be newer than the function that it calls.
template <class... T>
std::tuple<T...> decode_arguments(const Payloads& payloads, std::type_identity<std::tuple<T...>>) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
        return std::tuple<T...>{decode_argument<T>(payloads, I)...};
    }(std::index_sequence_for<T...>{});
}

/// Values of search attributes, which carry their type and are never run through codecs.
namespace search_attribute {
Payload keyword(const std::string& value);
Payload text(const std::string& value);
Payload integer(std::int64_t value);
Payload real(double value);
Payload boolean(bool value);
/// Seconds and nanoseconds of the Unix epoch, sent as RFC 3339.
Payload datetime(std::chrono::sys_time<std::chrono::nanoseconds> value);
Payload keyword_list(const std::vector<std::string>& values);
}  // namespace search_attribute

/// Encodes values for the `details` of errors and heartbeats.
template <class... T>
Payloads details(const T&... values) {
    return encode_arguments(values...);
}

}  // namespace stele
