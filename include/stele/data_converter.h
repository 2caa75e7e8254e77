#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "stele/payload.h"

namespace stele {

/// Whose data a codec has before it, for instance to choose a key. Data is decoded with the context
/// that it was encoded with. Views that are valid during the call.
///
/// Data of a child, of a workflow that is signalled or updated, belongs to that workflow; arguments,
/// results, failures and heartbeats of an activity belong to the activity.
struct SerializationContext {
    std::string_view namespace_name{};
    /// Empty where it is not known: an activity is ended by its task token alone, a history is replayed
    /// without its workflow id.
    std::string_view workflow_id{};
    /// Empty for data of the workflow itself, and where an activity is ended from elsewhere by its ids
    /// or its token: those who do that must not encode by the type.
    std::string_view activity_type{};
    std::string_view activity_id{};
};

/// Transforms payloads on their way out of and into this process: compression, encryption.
///
/// Codecs see every payload of arguments, results, details, memos and failures, but never search
/// attributes or headers. An implementation must be safe to call from several threads, and decode
/// must hand back untouched what it did not encode. The convention is to serialise the whole
/// payload into the `data` of a new one and to give that an `encoding` of its own.
class PayloadCodec {
public:
    virtual ~PayloadCodec() = default;
    /// Returns as many payloads as it was given. Throws to refuse.
    virtual Payloads encode(Payloads payloads, const SerializationContext& context) const = 0;
    virtual Payloads decode(Payloads payloads, const SerializationContext& context) const = 0;
};

/// What a client or a worker does to data beyond the conversion that the types decide
/// (see payload.h). A value; copies share the codecs.
struct DataConverter {
    /// Applied last to first when encoding, first to last when decoding.
    std::vector<std::shared_ptr<const PayloadCodec>> codecs = {};
    /// Moves the message and the stack trace of failures into a payload, so that codecs see them.
    bool encode_failure_attributes = false;
};

/// How large data may be, in bytes as it is sent, after codecs. What is larger is refused before it
/// is sent: a client's call throws PayloadTooLargeError, an activity fails with an error of that
/// type, a workflow task fails and is tried again. What is over a warning is logged. 0: no limit.
///
/// The defaults are the limits of a Temporal server as it is delivered.
struct PayloadLimits {
    /// The arguments of one call, the result, the details of a heartbeat, ... together.
    std::size_t payloads_warning = 512 * 1024;
    std::size_t payloads_max = 2 * 1024 * 1024;
    /// All fields of a memo together.
    std::size_t memo_warning = 2 * 1024;
    std::size_t memo_max = 2 * 1024 * 1024;
};

}  // namespace stele
