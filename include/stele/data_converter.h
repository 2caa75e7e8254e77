#pragma once

#include <memory>
#include <vector>

#include "stele/payload.h"

namespace stele {

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
    virtual Payloads encode(Payloads payloads) const = 0;
    virtual Payloads decode(Payloads payloads) const = 0;
};

/// What a client or a worker does to data beyond the conversion that the types decide
/// (see payload.h). A value; copies share the codecs.
struct DataConverter {
    /// Applied last to first when encoding, first to last when decoding.
    std::vector<std::shared_ptr<const PayloadCodec>> codecs = {};
    /// Moves the message and the stack trace of failures into a payload, so that codecs see them.
    bool encode_failure_attributes = false;
};

}  // namespace stele
