#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "stele/client.h"

// Schedules start workflows at times that a server keeps, whatever runs otherwise:
//
//     stele::ScheduleClient schedules(client);
//     auto nightly = schedules.create<clean_up>(
//         "nightly", {.spec = {.cron_expressions = {"0 3 * * *"}, .time_zone = "Europe/Berlin"}},
//         {.id = "clean-up", .task_queue = "maintenance"}, arguments...);
//     nightly.update([](stele::Schedule& schedule) { schedule.state.paused = true; });
//
// All functions that make calls throw RpcError and what derives from it, RpcError UNIMPLEMENTED from a
// server without schedules.
namespace stele {

/// From `start` to `end`, both included, in steps. An end below the start means the start alone.
struct ScheduleRange {
    int start = 0;
    int end = 0;
    int step = 1;
};
using ScheduleRanges = std::vector<ScheduleRange>;

/// Times that match every field. An empty `year` means every year.
struct ScheduleCalendar {
    ScheduleRanges second = {{0}};
    ScheduleRanges minute = {{0}};
    ScheduleRanges hour = {{0}};
    ScheduleRanges day_of_month = {{1, 31}};
    ScheduleRanges month = {{1, 12}};
    ScheduleRanges year = {};
    /// 0 is Sunday.
    ScheduleRanges day_of_week = {{0, 6}};
    std::string comment = {};
};

/// Times since the Unix epoch that are a multiple of `every`, plus `offset`.
struct ScheduleInterval {
    std::chrono::seconds every{0};
    std::chrono::seconds offset{0};
};

/// The times of a schedule: all that its parts name, but those of `skip`.
struct ScheduleSpec {
    std::vector<ScheduleCalendar> calendars = {};
    std::vector<ScheduleInterval> intervals = {};
    /// As cron knows them, and "@every 10m". A server shows them as calendars and intervals.
    std::vector<std::string> cron_expressions = {};
    std::vector<ScheduleCalendar> skip = {};
    std::optional<Timestamp> start_time = {};
    std::optional<Timestamp> end_time = {};
    /// Every time is put off by a random part of it.
    std::chrono::seconds jitter{0};
    /// Of calendars and cron expressions, such as "Europe/Berlin"; empty: UTC.
    std::string time_zone = {};
};

/// What to do when the workflow of an earlier time is still running.
enum class ScheduleOverlap {
    kUnspecified = 0,
    kSkip = 1,
    kBufferOne = 2,
    kBufferAll = 3,
    kCancelOther = 4,
    kTerminateOther = 5,
    kAllowAll = 6,
};

struct SchedulePolicies {
    ScheduleOverlap overlap = ScheduleOverlap::kUnspecified;
    /// How late a start may come after an outage; 0: as the server likes, which is a year.
    std::chrono::seconds catchup_window{0};
    /// Pause when a workflow fails or times out.
    bool pause_on_failure = false;
};

struct ScheduleState {
    /// For people.
    std::string notes = {};
    bool paused = false;
    /// So many starts are left; absent: no limit.
    std::optional<std::int64_t> remaining_actions = {};
};

/// What starts at each time. The id of the workflow gets the time appended. Of StartOptions the id
/// policies, the start delay and the cron schedule have no meaning here.
struct ScheduleAction {
    std::string workflow_type = {};
    StartOptions options = {};
    Payloads arguments = {};
};

struct ScheduleOptions {
    ScheduleSpec spec = {};
    SchedulePolicies policies = {};
    ScheduleState state = {};
    /// Of the schedule itself; those of the workflows are in StartOptions.
    PayloadFields memo = {};
    PayloadFields search_attributes = {};
    /// Start one workflow right away as well.
    bool trigger_immediately = false;
};

/// A schedule as it can be changed.
struct Schedule {
    ScheduleSpec spec = {};
    ScheduleAction action = {};
    SchedulePolicies policies = {};
    ScheduleState state = {};
};

struct ScheduleStart {
    Timestamp scheduled_time;
    Timestamp actual_time;
    std::string workflow_id;
    std::string run_id;
};

struct ScheduleDescription {
    std::string id;
    Schedule schedule;
    PayloadFields memo;
    PayloadFields search_attributes;
    std::int64_t actions = 0;
    std::int64_t missed_catchup_window = 0;
    std::int64_t skipped_overlaps = 0;
    /// Workflow ids and run ids.
    std::vector<std::pair<std::string, std::string>> running;
    std::vector<ScheduleStart> recent;
    std::vector<Timestamp> next_times;
    std::optional<Timestamp> create_time;
    std::optional<Timestamp> update_time;
};

struct ScheduleSummary {
    std::string id;
    std::string workflow_type;
    std::string notes;
    bool paused = false;
    std::vector<ScheduleStart> recent;
    std::vector<Timestamp> next_times;
    PayloadFields memo;
    PayloadFields search_attributes;
};

/// Times that are to be made up for: after `start_time` and up to `end_time`.
struct ScheduleBackfill {
    Timestamp start_time;
    Timestamp end_time;
    ScheduleOverlap overlap = ScheduleOverlap::kUnspecified;
};

/// A schedule, known by its id. A cheap value; safe to use from any thread.
class ScheduleHandle {
public:
    ScheduleHandle(std::shared_ptr<sdk::ClientCore> core, std::string id)
        : core_(std::move(core)), id_(std::move(id)) {}

    const std::string& id() const { return id_; }

    ScheduleDescription describe() const;
    /// Reads the schedule, lets `change` change it, and writes it back; does so again when somebody
    /// else was faster, so `change` may be called several times. What it throws is thrown to the
    /// caller, and nothing is written.
    void update(const std::function<void(Schedule&)>& change) const;
    /// Workflows that run go on. The note replaces the one that is there.
    void pause(std::string_view note = {}) const;
    void unpause(std::string_view note = {}) const;
    /// Starts a workflow now, as if it were time.
    void trigger(ScheduleOverlap overlap = ScheduleOverlap::kUnspecified) const;
    /// Starts what the schedule would have started in these spans.
    void backfill(const std::vector<ScheduleBackfill>& spans) const;
    /// The times of the schedule after `start_time` and up to `end_time`, whether it ran or not.
    std::vector<Timestamp> matching_times(Timestamp start_time, Timestamp end_time) const;
    /// Workflows that run go on.
    void remove() const;

private:
    std::shared_ptr<sdk::ClientCore> core_;
    std::string id_;
};

/// Makes and finds schedules. A cheap value; safe to use from any thread.
class ScheduleClient {
public:
    explicit ScheduleClient(const Client& client) : core_(client.core()) {}

    /// Throws AlreadyExistsError when there is one with this id.
    template <auto Fn, class... A>
    ScheduleHandle create(std::string id, const ScheduleOptions& options,
                          const StartOptions& workflow, const A&... arguments) const {
        return create(std::move(id), options,
                      ScheduleAction{std::string(workflow_name<Fn>), workflow,
                                     detail::encode_call<Fn>(arguments...)});
    }
    ScheduleHandle create(std::string id, const ScheduleOptions& options,
                          const ScheduleAction& action) const;

    /// No call is made.
    ScheduleHandle handle(std::string id) const { return ScheduleHandle(core_, std::move(id)); }

    /// `options.query` is a list filter over schedules. Lists follow the truth by a short time.
    PagedRange<ScheduleSummary> list(const ListOptions& options = {}) const;

private:
    std::shared_ptr<sdk::ClientCore> core_;
};

}  // namespace stele
