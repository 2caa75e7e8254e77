#include "fuzz/target.h"

#include "sdk/data/codec.h"
#include "stele/errors.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <memory>

// Any message through a codec and back: nothing is lost, and no payload leaves in plain text. A payload
// that claims to be encoded and is not is refused.
namespace {

using namespace stele;
namespace service = temporal::api::workflowservice::v1;

constexpr char kEncoding[] = "binary/reversed";

/// Seals whole payloads, as encryption does, without the cost.
class Envelope final : public PayloadCodec {
public:
    Payloads encode(Payloads payloads, const SerializationContext&) const override {
        for (Payload& payload : payloads) {
            std::string bytes = payload.SerializeAsString();
            std::reverse(bytes.begin(), bytes.end());
            Payload sealed;
            (*sealed.mutable_metadata())["encoding"] = kEncoding;
            sealed.set_data(std::move(bytes));
            payload = std::move(sealed);
        }
        return payloads;
    }
    Payloads decode(Payloads payloads, const SerializationContext&) const override {
        for (Payload& payload : payloads) {
            const auto encoding = payload.metadata().find("encoding");
            if (encoding == payload.metadata().end() || encoding->second != kEncoding) continue;
            std::string bytes = payload.data();
            std::reverse(bytes.begin(), bytes.end());
            Payload opened;
            if (!opened.ParseFromString(bytes)) throw DataConversionError("not an envelope");
            payload = std::move(opened);
        }
        return payloads;
    }
};

template <class Message>
void check_round_trip(std::string_view bytes) {
    Message message;
    if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return;
    const DataConverter converter{.codecs = {std::make_shared<Envelope>()}};
    const SerializationContext context{.namespace_name = "space", .workflow_id = "w"};
    Message passed = message;
    sdk::encode_outgoing(converter, passed, context);
    sdk::decode_incoming(converter, passed, context);
    STELE_CHECK(google::protobuf::util::MessageDifferencer::Equals(message, passed),
                "a message did not come through");
    try {
        sdk::decode_incoming(converter, message, context);
    } catch (const DataConversionError&) {
        // The input claimed an envelope that is none.
    }
}

}  // namespace

STELE_FUZZ_TARGET(codec) {
    stele::fuzz::Pieces pieces(input);
    switch (pieces.byte() % 3) {
        case 0:
            return check_round_trip<service::RespondWorkflowTaskCompletedRequest>(pieces.rest());
        case 1: return check_round_trip<service::PollWorkflowTaskQueueResponse>(pieces.rest());
        default: return check_round_trip<service::StartWorkflowExecutionRequest>(pieces.rest());
    }
}
