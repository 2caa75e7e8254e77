#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stele/errors.h"
#include "stele/log.h"
#include "stele/options.h"
#include "stele/payload.h"

// What an activity may ask of its surroundings. An activity is an ordinary function that may block,
// do I/O and throw; these functions work on the thread that the worker called it on and throw
// IllegalCallError elsewhere.
namespace stele::activity {

/// How an activity is tried again. What is zero is as the server's default.
struct RetryInfo {
    Milliseconds initial_interval{0};
    double backoff_coefficient = 0;
    Milliseconds maximum_interval{0};
    /// 0: no limit.
    std::int32_t maximum_attempts = 0;
    std::vector<std::string> non_retryable_error_types;
};

/// As options.h has it.
struct PriorityInfo {
    std::int32_t key = 0;
    std::string fairness_key;
    float fairness_weight = 0;
};

struct Info {
    std::string activity_id;
    std::string activity_type;
    std::string workflow_id;
    std::string run_id;
    std::string workflow_type;
    std::string namespace_name;
    std::string task_queue;
    /// Completes this activity from elsewhere.
    std::string task_token;
    std::int32_t attempt = 1;
    Milliseconds start_to_close{0};
    Milliseconds schedule_to_close{0};
    Milliseconds heartbeat_timeout{0};
    /// When the workflow asked for it, when this attempt came into the queue, and when a worker got it.
    std::chrono::sys_time<std::chrono::nanoseconds> scheduled_time;
    std::chrono::sys_time<std::chrono::nanoseconds> attempt_scheduled_time;
    std::chrono::sys_time<std::chrono::nanoseconds> started_time;
    /// In force for it, with what the server has filled in.
    std::optional<RetryInfo> retry;
    PriorityInfo priority;
    /// Run by the workflow's worker within the workflow task.
    bool is_local = false;
};

const Info& info();

/// Tells the server that this attempt is alive and how far it is. Cheap: calls are throttled, and
/// the latest details always arrive. An activity that never calls it cannot be cancelled.
void heartbeat_payloads(Payloads details);
template <class... T>
void heartbeat(const T&... details) {
    heartbeat_payloads(encode_arguments(details...));
}

/// The details of the last heartbeat of the previous attempt; empty when there was none.
Payloads previous_details();
template <class T>
std::optional<T> previous_detail(std::size_t index = 0) {
    const Payloads details = previous_details();
    if (index >= details.size()) return std::nullopt;
    return decode_value<T>(details[index]);
}

/// Leaves the function without ending the activity: somebody else does, with an AsyncActivityHandle
/// made from info().task_token or from the ids. The timeouts go on. Never returns; it throws
/// something that is no std::exception, which the function must let pass.
[[noreturn]] void complete_elsewhere();

/// Writes to the client's logger, with the ids of the activity.
void log(LogLevel level, std::string_view message);

/// Why an attempt should stop.
enum class StopReason {
    kNone,
    kCancelRequested,  ///< The workflow has asked for it.
    kUnknown,          ///< The server does not know the attempt any more.
    kTimedOut,         ///< Its time is over.
    kPaused,
    kReset,
    kWorkerStops,
};

/// True when this attempt should stop, for whatever reason.
bool cancelled();
StopReason stop_reason();
/// Throws CanceledError then; thrown out of the activity it confirms the cancellation.
void throw_if_cancelled();
/// Sleeps on this thread, but not longer than until the cancellation. False when cancelled.
bool sleep_for(Milliseconds duration);

}  // namespace stele::activity
