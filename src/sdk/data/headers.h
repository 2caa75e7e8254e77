#pragma once

#include "stele/interceptor.h"
#include "temporal/api/common/v1/message.pb.h"

// Headers as messages, and the way of a call through interceptors. Pure but for what these do.
namespace stele::sdk {

inline Headers to_headers(const temporal::api::common::v1::Header& message) {
    return Headers(message.fields().begin(), message.fields().end());
}

/// Puts what the interceptors add into the header of a request or a command; `field` gives the header
/// to write to, and is not called when there is nothing to write.
template <class Intercept, class Field>
void add_headers(const Interceptors& interceptors, Intercept intercept, Field field) {
    if (interceptors.empty()) return;
    Headers headers;
    for (const auto& interceptor : interceptors) intercept(*interceptor, headers);
    if (headers.empty()) return;
    auto& fields = *field()->mutable_fields();
    for (auto& [name, value] : headers) fields[name] = std::move(value);
}

}  // namespace stele::sdk
