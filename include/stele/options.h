#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "stele/payload.h"
#include "stele/versioning.h"

// Options that workflow code passes inside co_await expressions. They are aggregates, for the sake
// of designated initialisers, and trivially destructible, because g++ 12 destroys aggregate
// temporaries of such expressions in the wrong place (docs/adr/0003). Text is therefore viewed,
// not owned: it is copied before the call that takes the options returns.
namespace stele {

using Milliseconds = std::chrono::milliseconds;
using FieldsView = std::span<const std::pair<std::string, Payload>>;

/// Zero means: as the server's default.
struct RetryPolicy {
    Milliseconds initial_interval{0};
    double backoff_coefficient = 0;
    Milliseconds maximum_interval{0};
    /// 1 means no retry, 0 no limit.
    std::int32_t maximum_attempts = 0;
    std::array<std::string_view, 8> non_retryable_error_types{};
};

/// Which task of a queue goes first. What is not set is inherited, or the server's default.
struct Priority {
    /// 1 is the most urgent; 0: not set.
    std::int32_t key = 0;
    /// Tasks of one priority are shared out between these keys, by weight.
    std::string_view fairness_key{};
    float fairness_weight = 0;
};

enum class ActivityCancellation {
    kTryCancel,      ///< Ask for the cancellation and go on at once.
    kWaitCompleted,  ///< Ask for it and wait for what the activity answers.
    kAbandon,        ///< Say nothing and go on.
};

struct ActivityOptions {
    /// One of start_to_close and schedule_to_close is required.
    Milliseconds start_to_close{0};
    Milliseconds schedule_to_close{0};
    Milliseconds schedule_to_start{0};
    Milliseconds heartbeat{0};
    std::optional<RetryPolicy> retry{};
    /// Empty: the workflow's own.
    std::string_view task_queue{};
    ActivityCancellation cancellation = ActivityCancellation::kTryCancel;
    Priority priority{};
    /// A line for people, shown by the command line and the web page.
    std::string_view summary{};
};

/// Of an activity that runs in the worker's own process while the workflow task does: for short work,
/// since nothing is written before it has ended. One of the timeouts is required.
struct LocalActivityOptions {
    Milliseconds start_to_close{0};
    Milliseconds schedule_to_close{0};
    std::optional<RetryPolicy> retry{};
    /// A longer pause between two attempts is a timer of the workflow, which costs events but no
    /// worker.
    Milliseconds local_retry_max{60'000};
    ActivityCancellation cancellation = ActivityCancellation::kTryCancel;
    std::string_view summary{};
};

enum class ChildCancellation {
    kWaitCompleted,  ///< Ask the child to cancel and wait for how it ends.
    kTryCancel,      ///< Ask and go on at once.
    kAbandon,        ///< Say nothing and go on.
    kWaitRequested,  ///< Ask, and go on when the child has been told or cannot be.
};

enum class ParentClosePolicy { kUnspecified = 0, kTerminate = 1, kAbandon = 2, kRequestCancel = 3 };

enum class IdReusePolicy {
    kUnspecified = 0,
    kAllowDuplicate = 1,
    kAllowDuplicateFailedOnly = 2,
    kRejectDuplicate = 3,
};

struct ChildOptions {
    /// Empty: a new UUID, the same in every replay.
    std::string_view id{};
    /// Empty: the parent's own.
    std::string_view task_queue{};
    Milliseconds execution_timeout{0};
    Milliseconds run_timeout{0};
    Milliseconds task_timeout{0};
    IdReusePolicy id_reuse = IdReusePolicy::kUnspecified;
    ParentClosePolicy parent_close = ParentClosePolicy::kUnspecified;
    std::optional<RetryPolicy> retry{};
    std::string_view cron_schedule{};
    Priority priority{};
    ChildCancellation cancellation = ChildCancellation::kWaitCompleted;
    /// Views of a named vector or array; values made with encode_value().
    FieldsView memo{};
    /// The same, made by typed keys (search_attributes.h).
    FieldsView search_attributes{};
    /// For people: one line, and more.
    std::string_view summary{};
    std::string_view details{};
    /// Which build works on the child, in place of what it inherits and of what its type says: a named
    /// value, or null.
    const VersioningOverride* versioning_override = nullptr;
};

struct TimerOptions {
    std::string_view summary{};
};

/// What is not set is inherited by the next run.
struct ContinueAsNewOptions {
    std::string_view task_queue{};
    Milliseconds run_timeout{0};
    Milliseconds task_timeout{0};
    std::optional<RetryPolicy> retry{};
    /// As in ChildOptions.
    FieldsView memo{};
    FieldsView search_attributes{};
    ContinueAsNewVersioning versioning = ContinueAsNewVersioning::kUnspecified;
};

}  // namespace stele
