#pragma once

#include "cli/session.h"
#include "temporal/api/common/v1/message.pb.h"
#include "temporal/api/history/v1/message.pb.h"

#include <deque>
#include <optional>
#include <string>

// Reading histories, and what their last event says of the result.
namespace stele::cli {

using Event = temporal::api::history::v1::HistoryEvent;
using Execution = temporal::api::common::v1::WorkflowExecution;

struct HistoryRead {
    Execution execution;
    bool wait = false;        // until the run has ended
    bool close_only = false;  // just the event that ends the run
    bool reverse = false;
};

/// The events of a run, page by page. Who waits goes on waiting while a server that has answered
/// before is gone for a short time, as when it restarts. Not thread safe.
class HistoryReader {
public:
    /// `session` must outlive the reader.
    HistoryReader(Session& session, HistoryRead read) : session_(session), read_(std::move(read)) {}

    /// The next event; nullopt at the end.
    absl::StatusOr<std::optional<Event>> next();

private:
    /// Adds the next page, which may be empty.
    absl::Status fetch();
    absl::Status fetch_once();
    absl::Status fetch_forward();
    absl::Status fetch_reverse();

    Session& session_;
    HistoryRead read_;
    std::deque<Event> page_;
    std::string page_token_;
    bool has_begun_ = false;
};

/// The run that goes on where this one ended: as new, retried or by cron; else empty.
std::string next_run(const Event& close_event);

/// Waits for the end of a run and of those that go on after it.
absl::StatusOr<Event> wait_for_close(Session& session, Execution execution);

/// Whether the event ends a run.
bool is_close_event(const Event& event);
/// "WorkflowExecutionStarted".
std::string event_name(const Event& event);

/// The event as JSON, in the command's style of payloads.
absl::StatusOr<Json> event_to_json(const Session& session, const Event& event);

/// "COMPLETED", "FAILED", "TIMEOUT", "CANCELED", "TERMINATED" or "CONTINUED_AS_NEW".
std::string close_status(const Event& close_event);
/// Text: a card "Results:". `run_time` of zero is left out.
void print_result(Session& session, const Event& close_event, Duration run_time);
/// status, closeEvent and, of a completed run, result.
absl::Status add_result(const Session& session, const Event& close_event, Json& json);
/// The error that a command ends with when the workflow did not complete.
absl::Status result_status(const Event& close_event);

}  // namespace stele::cli
