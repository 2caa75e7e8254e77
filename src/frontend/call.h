#pragma once

#include "base/call.h"

#include <google/protobuf/message.h>

#include <string>
#include <string_view>

// A call as a transport hands it in. gRPC, the embedded engine and the simulator each have their
// own; nothing behind this line knows which.
namespace stele::frontend {

/// What goes back: a serialised message. Kept as bytes so that stored history is joined to it
/// without having been parsed.
using ResponseBytes = std::string;

/// One call. Thread safe as its CallScope is; `read` and `finish` are called once each.
class Call : public CallScope {
public:
    /// Parses the request. An error names what was wrong with the bytes.
    virtual absl::Status read(google::protobuf::Message& request) = 0;
    /// The first value of a header, or empty. Lower-case names.
    virtual std::string header(std::string_view name) const = 0;
    /// Answers the call and ends it.
    virtual void finish(absl::StatusOr<ResponseBytes> response) = 0;
};
using CallPtr = std::shared_ptr<Call>;

}  // namespace stele::frontend
