#pragma once

#include "history/commands.h"
#include "temporal/api/nexus/v1/message.pb.h"

#include <variant>

// Operations of Nexus services that a run asks for. A command makes the Scheduled event, a row and
// an outbox row; the outbox calls the handler and brings back what it answers. A handler that answers
// with a result is done; one that goes on by itself answers with a token first. A call that is not
// answered, or answered with what may pass, is made again after a while: the row says when.
namespace stele::history {

/// What one call of a handler has come to.
struct NexusOutcome {
    enum class Kind {
        kRetry,      // no answer, or one that may be another later: `failure`
        kStarted,    // goes on by itself: `operation_token`
        kSucceeded,  // `result`
        kFailed,     // `failure`
        kCanceled,   // `failure`
        kTimedOut,   // `failure`: too little time is left for another call
    };
    Kind kind = Kind::kRetry;
    api::common::v1::Payload result = {};
    std::string operation_token = {};
    api::failure::v1::Failure failure = {};
    std::vector<api::common::v1::Link> links = {};
};

/// Records what the call that starts an operation has come to. Empty when nobody waits for it.
absl::StatusOr<Applied<None>> record_nexus_start(const Run& run, EventId scheduled,
                                                 const NexusOutcome& outcome,
                                                 const Context& context);
/// The same for a call that asks the handler to give the operation up.
absl::StatusOr<Applied<None>> record_nexus_cancellation(const Run& run, EventId scheduled,
                                                        const NexusOutcome& outcome,
                                                        const Context& context);

// ---- nexus_call.cc: what is to be sent ----------------------------------------------------------

/// A call of a handler behind an endpoint.
struct NexusCall {
    std::string endpoint;
    std::string endpoint_id;
    api::nexus::v1::Request request;
    Duration timeout{};
};
/// An operation of the server itself: the only one that there is.
struct SystemCall {
    service::SignalWithStartWorkflowExecutionRequest request;
    /// Of the run that it starts, if it does; so a call that is repeated finds what it has made.
    std::string new_run_id;
};
/// What is to be sent for an operation now, or what has become of it without that; monostate when
/// nobody waits for it.
using NexusMessage = std::variant<std::monostate, NexusCall, SystemCall, NexusOutcome>;

NexusMessage nexus_start_message(const Run& run, EventId scheduled, const Context& context);
NexusMessage nexus_cancel_message(const Run& run, EventId scheduled, const Context& context);

/// What an answer means that a worker has given, or the reason why there is none.
using NexusAnswer =
    std::variant<api::nexus::v1::Response, api::nexus::v1::HandlerError, api::failure::v1::Failure>;
NexusOutcome outcome_of(const absl::StatusOr<NexusAnswer>& answer, const Limits& limits);

/// What a signal with start has come to, as the outcome of an operation.
struct SignalWithStartAnswer {
    std::string run_id;
    bool started = false;
};
NexusOutcome outcome_of(const SystemCall& call,
                        const absl::StatusOr<SignalWithStartAnswer>& answer);

}  // namespace stele::history
