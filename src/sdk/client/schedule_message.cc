#include "sdk/client/schedule_message.h"

#include <algorithm>

#include "sdk/data/convert.h"

namespace stele::sdk {

namespace {

namespace api = temporal::api::schedule::v1;
namespace enums = temporal::api::enums::v1;
using Ranges = google::protobuf::RepeatedPtrField<api::Range>;
using temporal::api::workflow::v1::NewWorkflowExecutionInfo;

void write_ranges(const ScheduleRanges& ranges, Ranges& message) {
    for (const ScheduleRange& range : ranges) {
        api::Range& written = *message.Add();
        written.set_start(range.start);
        written.set_end(std::max(range.end, range.start));
        written.set_step(range.step);
    }
}

ScheduleRanges read_ranges(const Ranges& message) {
    ScheduleRanges ranges;
    // A server leaves out what is the default: the start alone, every one of them.
    for (const api::Range& range : message)
        ranges.push_back(
            {range.start(), std::max(range.end(), range.start()), std::max(range.step(), 1)});
    return ranges;
}

void write_calendar(const ScheduleCalendar& calendar, api::StructuredCalendarSpec& message) {
    write_ranges(calendar.second, *message.mutable_second());
    write_ranges(calendar.minute, *message.mutable_minute());
    write_ranges(calendar.hour, *message.mutable_hour());
    write_ranges(calendar.day_of_month, *message.mutable_day_of_month());
    write_ranges(calendar.month, *message.mutable_month());
    write_ranges(calendar.year, *message.mutable_year());
    write_ranges(calendar.day_of_week, *message.mutable_day_of_week());
    message.set_comment(calendar.comment);
}

ScheduleCalendar read_calendar(const api::StructuredCalendarSpec& message) {
    return {read_ranges(message.second()),      read_ranges(message.minute()),
            read_ranges(message.hour()),        read_ranges(message.day_of_month()),
            read_ranges(message.month()),       read_ranges(message.year()),
            read_ranges(message.day_of_week()), message.comment()};
}

void write_spec(const ScheduleSpec& spec, api::ScheduleSpec& message) {
    message.clear_structured_calendar();
    message.clear_exclude_structured_calendar();
    message.clear_interval();
    message.clear_cron_string();
    message.clear_start_time();
    message.clear_end_time();
    message.clear_jitter();
    for (const auto& calendar : spec.calendars)
        write_calendar(calendar, *message.add_structured_calendar());
    for (const auto& calendar : spec.skip)
        write_calendar(calendar, *message.add_exclude_structured_calendar());
    for (const auto& interval : spec.intervals) {
        auto& written = *message.add_interval();
        *written.mutable_interval() = to_duration(interval.every);
        *written.mutable_phase() = to_duration(interval.offset);
    }
    for (const auto& expression : spec.cron_expressions) message.add_cron_string(expression);
    if (spec.start_time) *message.mutable_start_time() = to_timestamp(*spec.start_time);
    if (spec.end_time) *message.mutable_end_time() = to_timestamp(*spec.end_time);
    if (spec.jitter.count() > 0) *message.mutable_jitter() = to_duration(spec.jitter);
    message.set_timezone_name(spec.time_zone);
}

std::chrono::seconds read_seconds(const google::protobuf::Duration& duration) {
    return std::chrono::seconds(duration.seconds());
}

ScheduleSpec read_spec(const api::ScheduleSpec& message) {
    ScheduleSpec spec;
    for (const auto& calendar : message.structured_calendar())
        spec.calendars.push_back(read_calendar(calendar));
    for (const auto& calendar : message.exclude_structured_calendar())
        spec.skip.push_back(read_calendar(calendar));
    for (const auto& interval : message.interval())
        spec.intervals.push_back(
            {read_seconds(interval.interval()), read_seconds(interval.phase())});
    spec.cron_expressions.assign(message.cron_string().begin(), message.cron_string().end());
    if (message.has_start_time()) spec.start_time = from_timestamp(message.start_time());
    if (message.has_end_time()) spec.end_time = from_timestamp(message.end_time());
    spec.jitter = read_seconds(message.jitter());
    spec.time_zone = message.timezone_name();
    return spec;
}

template <class Fields, class Map>
void write_fields(const Fields& fields, Map& map) {
    map.clear();
    for (const auto& [key, value] : fields) map[key] = value;
}

template <class Clear, class Mutable>
void write_timeout(Milliseconds timeout, Clear clear, Mutable field) {
    if (timeout.count() > 0)
        *field() = to_duration(timeout);
    else
        clear();
}

void write_text(const std::string& text, Payload& payload) {
    if (!text.empty()) payload = json_string(text);
}

std::string read_text(const Payload& payload) {
    return payload.data().empty() ? std::string() : decode_value<std::string>(payload);
}

void write_action(const ScheduleAction& action, NewWorkflowExecutionInfo& message) {
    const StartOptions& options = action.options;
    message.set_workflow_id(options.id);
    message.mutable_workflow_type()->set_name(action.workflow_type);
    message.mutable_task_queue()->set_name(options.task_queue);
    *message.mutable_input() = to_message(action.arguments);
    write_timeout(
        options.execution_timeout, [&] { message.clear_workflow_execution_timeout(); },
        [&] { return message.mutable_workflow_execution_timeout(); });
    write_timeout(
        options.run_timeout, [&] { message.clear_workflow_run_timeout(); },
        [&] { return message.mutable_workflow_run_timeout(); });
    write_timeout(
        options.task_timeout, [&] { message.clear_workflow_task_timeout(); },
        [&] { return message.mutable_workflow_task_timeout(); });
    // A policy that was only read may name more error types than RetryPolicy holds.
    if (options.retry) *message.mutable_retry_policy() = to_message(*options.retry);
    if (const auto priority = to_message(options.priority)) *message.mutable_priority() = *priority;
    write_fields(options.memo, *message.mutable_memo()->mutable_fields());
    write_fields(options.search_attributes,
                 *message.mutable_search_attributes()->mutable_indexed_fields());
    if (options.static_summary.empty() && options.static_details.empty()) {
        message.clear_user_metadata();
        return;
    }
    write_text(options.static_summary, *message.mutable_user_metadata()->mutable_summary());
    write_text(options.static_details, *message.mutable_user_metadata()->mutable_details());
}

ScheduleAction read_action(const NewWorkflowExecutionInfo& message) {
    ScheduleAction action;
    action.workflow_type = message.workflow_type().name();
    action.arguments = to_vector(message.input());
    StartOptions& options = action.options;
    options.id = message.workflow_id();
    options.task_queue = message.task_queue().name();
    options.execution_timeout = from_duration(message.workflow_execution_timeout());
    options.run_timeout = from_duration(message.workflow_run_timeout());
    options.task_timeout = from_duration(message.workflow_task_timeout());
    options.memo.insert(message.memo().fields().begin(), message.memo().fields().end());
    const auto& attributes = message.search_attributes().indexed_fields();
    options.search_attributes.insert(attributes.begin(), attributes.end());
    options.static_summary = read_text(message.user_metadata().summary());
    options.static_details = read_text(message.user_metadata().details());
    return action;
}

}  // namespace

void write_schedule(const Schedule& schedule, api::Schedule& message) {
    write_spec(schedule.spec, *message.mutable_spec());
    write_action(schedule.action, *message.mutable_action()->mutable_start_workflow());
    auto& policies = *message.mutable_policies();
    policies.set_overlap_policy(
        static_cast<enums::ScheduleOverlapPolicy>(static_cast<int>(schedule.policies.overlap)));
    if (schedule.policies.catchup_window.count() > 0)
        *policies.mutable_catchup_window() = to_duration(schedule.policies.catchup_window);
    else
        policies.clear_catchup_window();
    policies.set_pause_on_failure(schedule.policies.pause_on_failure);
    auto& state = *message.mutable_state();
    state.set_notes(schedule.state.notes);
    state.set_paused(schedule.state.paused);
    state.set_limited_actions(schedule.state.remaining_actions.has_value());
    state.set_remaining_actions(schedule.state.remaining_actions.value_or(0));
}

Schedule read_schedule(const api::Schedule& message) {
    Schedule schedule;
    schedule.spec = read_spec(message.spec());
    schedule.action = read_action(message.action().start_workflow());
    schedule.policies.overlap =
        static_cast<ScheduleOverlap>(static_cast<int>(message.policies().overlap_policy()));
    schedule.policies.catchup_window = read_seconds(message.policies().catchup_window());
    schedule.policies.pause_on_failure = message.policies().pause_on_failure();
    schedule.state.notes = message.state().notes();
    schedule.state.paused = message.state().paused();
    if (message.state().limited_actions())
        schedule.state.remaining_actions = message.state().remaining_actions();
    return schedule;
}

}  // namespace stele::sdk
