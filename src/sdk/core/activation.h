#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "stele/options.h"
#include "temporal/api/command/v1/message.pb.h"
#include "temporal/api/failure/v1/message.pb.h"
#include "temporal/api/history/v1/message.pb.h"
#include "temporal/api/update/v1/message.pb.h"

// What passes between the machines, which know histories and commands, and the workflow code, which
// knows neither: jobs go in, calls come out. Both sides name a thing by its kind and a sequence
// number that counts per kind from 1. Plain values.
namespace stele::core {

using Command = temporal::api::command::v1::Command;
using Failure = temporal::api::failure::v1::Failure;
using HistoryEvent = temporal::api::history::v1::HistoryEvent;
using Sequence = std::uint32_t;

/// What an activity, an external signal or an external cancellation came to.
struct Resolution {
    enum class Kind { kCompleted, kFailed, kCanceled };
    Kind kind = Kind::kCompleted;
    temporal::api::common::v1::Payloads result;
    Failure failure;
};

/// An activity that runs within a workflow task, in the worker's own process.
struct LocalActivity {
    Sequence sequence = 0;
    std::string activity_id;
    std::string type;
    temporal::api::common::v1::Payloads input;
    temporal::api::common::v1::Header header;
    Milliseconds start_to_close{0};
    Milliseconds schedule_to_close{0};
    temporal::api::common::v1::RetryPolicy retry;
    /// A longer pause before the next attempt is a timer of the workflow.
    Milliseconds local_retry_max{0};
    std::int32_t attempt = 1;
    /// When the first attempt was asked for; 0: now.
    std::int64_t original_schedule_time_nanoseconds = 0;
    temporal::api::common::v1::Payload summary;
};

/// What one or several attempts of a local activity came to.
struct LocalActivityOutcome {
    Resolution resolution;
    std::int32_t attempt = 1;
    std::int64_t complete_time_nanoseconds = 0;
    std::int64_t original_schedule_time_nanoseconds = 0;
    /// Above zero: it failed, and is to be tried again after this time.
    Milliseconds backoff{0};
};

struct InitializeJob {
    temporal::api::history::v1::WorkflowExecutionStartedEventAttributes attributes;
    std::int64_t start_time_nanoseconds = 0;
};
struct PatchJob {
    std::string id;
};
struct ReseedJob {
    std::string run_id;
};
struct SignalJob {
    temporal::api::history::v1::WorkflowExecutionSignaledEventAttributes attributes;
};
struct CancelJob {
    std::string reason;
};
struct TimerFiredJob {
    Sequence sequence = 0;
};
struct ActivityResolvedJob {
    Sequence sequence = 0;
    Resolution resolution;
};
struct SignalExternalResolvedJob {
    Sequence sequence = 0;
    Resolution resolution;
};
struct CancelExternalResolvedJob {
    Sequence sequence = 0;
    Resolution resolution;
};

/// The child runs, or could not be started.
struct ChildStartedJob {
    Sequence sequence = 0;
    std::string run_id;
    /// A completed one stands for a start.
    Resolution resolution;
};
/// The child has been told of its cancellation, or could not be.
struct ChildCancelRequestedJob {
    Sequence sequence = 0;
};
struct ChildResolvedJob {
    Sequence sequence = 0;
    Resolution resolution;
};

struct LocalActivityResolvedJob {
    Sequence sequence = 0;
    LocalActivityOutcome outcome;
};

/// An update to be decided upon and carried out.
struct UpdateJob {
    std::string update_id;
    temporal::api::update::v1::Request request;
    /// False for an update that was accepted when this part of the history was lived.
    bool validate = true;
};

using Job = std::variant<InitializeJob, PatchJob, ReseedJob, SignalJob, CancelJob, TimerFiredJob,
                         ActivityResolvedJob, SignalExternalResolvedJob, CancelExternalResolvedJob,
                         ChildStartedJob, ChildResolvedJob, UpdateJob, LocalActivityResolvedJob,
                         ChildCancelRequestedJob>;

/// One turn of the workflow code: all jobs of one workflow task.
struct Activation {
    std::int64_t time_nanoseconds = 0;
    bool replaying = false;
    std::int64_t history_length = 0;
    std::int64_t history_bytes = 0;
    bool continue_as_new_suggested = false;
    /// Numbers of SuggestContinueAsNewReason.
    std::vector<int> continue_as_new_reasons;
    bool target_version_changed = false;
    /// In replay: the build that completed the task then.
    std::optional<DeploymentVersion> completed_by;
    /// In the order in which they must be applied.
    std::vector<Job> jobs;
};

struct ScheduleActivityCall {
    Sequence sequence = 0;
    Command command;
    ActivityCancellation cancellation = ActivityCancellation::kTryCancel;
};
struct CancelActivityCall {
    Sequence sequence = 0;
};
struct StartTimerCall {
    Sequence sequence = 0;
    Command command;
};
struct CancelTimerCall {
    Sequence sequence = 0;
};
struct SignalExternalCall {
    Sequence sequence = 0;
    Command command;
};
/// Takes back a signal that has not been sent yet; later it has no effect.
struct DropSignalExternalCall {
    Sequence sequence = 0;
};
struct CancelExternalCall {
    Sequence sequence = 0;
    Command command;
    /// Set where it is a child that is cancelled.
    std::optional<Sequence> child = {};
};
/// Whether code that has cancelled a child goes on only when it has heard of the cancellation.
constexpr bool waits_when_cancelled(ChildCancellation cancellation) {
    return cancellation == ChildCancellation::kWaitCompleted ||
           cancellation == ChildCancellation::kWaitRequested;
}
struct StartChildCall {
    Sequence sequence = 0;
    Command command;
    ChildCancellation cancellation = ChildCancellation::kWaitCompleted;
};
struct CancelChildCall {
    Sequence sequence = 0;
    std::string reason;
};
struct ScheduleLocalActivityCall {
    LocalActivity activity;
};
struct CancelLocalActivityCall {
    Sequence sequence = 0;
    /// Its outcome is of no interest any more.
    bool forget = false;
    /// The function hears of it.
    bool tell = true;
};
struct PatchCall {
    std::string id;
    bool deprecated = false;
};
struct UpsertCall {
    Command command;
};
/// Complete, fail, cancel or continue as new. The first one counts.
struct EndCall {
    Command command;
};

/// Every update is either accepted, and completed then or later, or rejected.
struct AcceptUpdateCall {
    std::string update_id;
};
struct RejectUpdateCall {
    std::string update_id;
    Failure failure;
};
struct CompleteUpdateCall {
    std::string update_id;
    temporal::api::update::v1::Outcome outcome;
};

using Call = std::variant<ScheduleActivityCall, CancelActivityCall, StartTimerCall, CancelTimerCall,
                          SignalExternalCall, DropSignalExternalCall, CancelExternalCall,
                          StartChildCall, CancelChildCall, PatchCall, UpsertCall, EndCall,
                          AcceptUpdateCall, RejectUpdateCall, CompleteUpdateCall,
                          ScheduleLocalActivityCall, CancelLocalActivityCall>;

/// The workflow code of one run, as the machines see it.
class WorkflowCode {
public:
    virtual ~WorkflowCode() = default;
    /// Runs until everything waits; returns what was called meanwhile, in order. Throws
    /// WorkflowTaskFailure when the code failed in a way that must not end the workflow.
    virtual std::vector<Call> activate(Activation activation) = 0;
    /// Answers without changing anything; throws what the handler threw.
    virtual temporal::api::common::v1::Payload query(
        const std::string& name, const temporal::api::common::v1::Payloads& arguments) = 0;
};

}  // namespace stele::core
