#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "stele/errors.h"
#include "stele/options.h"
#include "stele/paged.h"
#include "stele/search_attributes.h"
#include "stele/versioning.h"

// What a server tells about workflows without asking their code.
namespace stele {

enum class WorkflowStatus {
    kUnspecified = 0,
    kRunning = 1,
    kCompleted = 2,
    kFailed = 3,
    kCanceled = 4,
    kTerminated = 5,
    kContinuedAsNew = 6,
    kTimedOut = 7,
    kPaused = 8,
};

using Timestamp = std::chrono::sys_time<std::chrono::nanoseconds>;

/// One run, as lists show it. Lists follow the truth by a short time.
struct WorkflowSummary {
    std::string workflow_id;
    std::string run_id;
    /// Where the server tells it: the first run of the chain, the parent, and the topmost parent.
    std::string first_run_id;
    std::string parent_workflow_id;
    std::string parent_run_id;
    std::string root_workflow_id;
    std::string type;
    std::string task_queue;
    WorkflowStatus status = WorkflowStatus::kUnspecified;
    Timestamp start_time;
    /// When the first workflow task was or will be due: later than the start for cron and delays.
    Timestamp execution_time;
    std::optional<Timestamp> close_time;
    std::int64_t history_length = 0;
    std::int64_t history_bytes = 0;
    /// Values to be read with decode_value<T>() and with SearchAttributeKey::in().
    PayloadFields memo;
    PayloadFields search_attributes;
};

enum class PendingActivityState {
    kUnspecified = 0,
    kScheduled = 1,
    kStarted = 2,
    kCancelRequested = 3,
    kPaused = 4,
    kPauseRequested = 5,
};

struct PendingActivity {
    std::string id;
    std::string type;
    PendingActivityState state = PendingActivityState::kUnspecified;
    std::int32_t attempt = 1;
    /// 0: no limit.
    std::int32_t maximum_attempts = 0;
    std::optional<Timestamp> scheduled_time;
    std::optional<Timestamp> last_started_time;
    std::optional<Timestamp> last_heartbeat_time;
    std::optional<Timestamp> next_attempt_time;
    Payloads heartbeat_details;
    /// Null before the first failure.
    std::shared_ptr<const FailureError> last_failure;
    std::string last_worker_identity;
    bool paused = false;
};

struct PendingChild {
    std::string workflow_id;
    std::string run_id;
    std::string type;
    ParentClosePolicy parent_close = ParentClosePolicy::kUnspecified;
};

/// One run, with what it is at.
struct WorkflowDescription : WorkflowSummary {
    Milliseconds execution_timeout{0};
    Milliseconds run_timeout{0};
    Milliseconds task_timeout{0};
    /// Of the start, for people.
    std::string static_summary;
    std::string static_details;
    bool cancel_requested = false;
    std::vector<PendingActivity> pending_activities;
    std::vector<PendingChild> pending_children;
    /// What the run does when a newer build takes over, as its last workflow task said, the build that
    /// completed it, and what somebody has asked for in their place.
    VersioningBehavior versioning = VersioningBehavior::kUnspecified;
    std::optional<DeploymentVersion> deployment_version;
    std::optional<VersioningOverride> versioning_override;
    /// How often the workflow task at hand has been tried; 0 when there is none.
    std::int32_t workflow_task_attempt = 0;
};

struct ListOptions {
    /// A list filter, such as "WorkflowType = 'buy' AND ExecutionStatus = 'Running'". Empty: all.
    std::string query = {};
    /// 0: as the server likes.
    int page_size = 0;
};

struct WorkflowCount {
    std::int64_t count = 0;
    /// Of a query with GROUP BY; values to be read with decode_value<T>().
    struct Group {
        Payloads values;
        std::int64_t count = 0;
    };
    std::vector<Group> groups = {};
};

struct HistoryOptions {
    /// 0: as the server likes.
    int page_size = 0;
    /// Only the event that closes the run; with `wait` the range waits for it.
    bool close_event_only = false;
    /// At the end of an open run's history, wait for what comes next until the run closes.
    bool wait = false;
};

}  // namespace stele
