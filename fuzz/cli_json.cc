#include "fuzz/target.h"

#include "cli/input.h"
#include "cli/json.h"
#include "temporal/api/history/v1/message.pb.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

#include <google/protobuf/util/json_util.h>

#include <memory>

// Arguments of the command line become payloads or an error that names the argument; any message of
// the API is printed as JSON that can be read again, or refused.
namespace {

using namespace stele;

void check_arguments(stele::fuzz::Pieces& pieces) {
    cli::InputFlags flags;
    flags.is_base64 = pieces.byte() % 2 == 1;
    const std::size_t metadata = pieces.byte() % 3;
    for (std::size_t i = 0; i < metadata; ++i) flags.metadata.emplace_back(pieces.line());
    while (!pieces.empty()) flags.values.emplace_back(pieces.block());
    const auto payloads = cli::read_input(flags);
    if (!payloads.ok()) {
        const std::string message = message_of(payloads.status());
        STELE_CHECK(message.find("input") != std::string::npos, "it names no argument: " + message);
        return;
    }
    STELE_CHECK(payloads->payloads_size() == static_cast<int>(flags.values.size()),
                "not one payload per argument");
    for (const auto& payload : payloads->payloads()) {
        STELE_CHECK(!cli::payload_text(payload).empty(), "an argument that shows nothing");
    }
    static_cast<void>(cli::payloads_to_json(*payloads));
}

template <class Message>
void check_printing(std::string_view bytes) {
    Message message;
    if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return;
    static_cast<void>(cli::message_to_json(message, cli::PayloadStyle::kShorthand));
    const auto json = cli::message_to_json(message, cli::PayloadStyle::kVerbatim);
    if (!json.ok()) {
        STELE_CHECK(json.status().code() == absl::StatusCode::kInternal, "another error");
        return;
    }
    Message again;
    const auto read = google::protobuf::util::JsonStringToMessage(
        json->dump(-1, ' ', false, cli::Json::error_handler_t::replace), &again);
    STELE_CHECK(read.ok(), "what was printed can not be read: " + read.ToString());
}

}  // namespace

STELE_FUZZ_TARGET(cli_json) {
    stele::fuzz::Pieces pieces(input);
    switch (pieces.byte() % 4) {
        case 0: return check_arguments(pieces);
        case 1: return check_printing<temporal::api::history::v1::History>(pieces.rest());
        case 2:
            return check_printing<
                temporal::api::workflowservice::v1::DescribeWorkflowExecutionResponse>(
                pieces.rest());
        default: {
            temporal::api::failure::v1::Failure failure;
            const std::string bytes(pieces.rest());
            if (failure.ParseFromString(bytes)) static_cast<void>(cli::failure_text(failure));
            return check_printing<temporal::api::failure::v1::Failure>(bytes);
        }
    }
}
