#include "stele/schedule.h"

#include <utility>

#include "sdk/client/client_core.h"
#include "sdk/client/schedule_message.h"
#include "sdk/data/codec.h"
#include "sdk/data/convert.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

namespace stele {

namespace api = temporal::api::workflowservice::v1;
namespace enums = temporal::api::enums::v1;

namespace {

/// Of a read, a change and a write, when others change the same schedule all the time.
constexpr int kUpdateAttempts = 10;

enums::ScheduleOverlapPolicy to_message(ScheduleOverlap overlap) {
    return static_cast<enums::ScheduleOverlapPolicy>(static_cast<int>(overlap));
}

template <class Request>
Request make(const sdk::ClientCore& core, const std::string& id) {
    Request request;
    request.set_namespace_(core.namespace_name());
    request.set_schedule_id(id);
    return request;
}

using ScheduleMessage = temporal::api::schedule::v1::Schedule;

/// What the schedule carries belongs to the workflows that it starts; its own memo belongs to none.
SerializationContext context_of(const sdk::ClientCore& core, const ScheduleMessage& schedule) {
    return core.context_of(schedule.action().start_workflow().workflow_id());
}

api::DescribeScheduleResponse read(const sdk::ClientCore& core, const std::string& id) {
    auto reply = core.call<api::DescribeScheduleResponse>(
        "DescribeSchedule", make<api::DescribeScheduleRequest>(core, id));
    sdk::decode_incoming(core.converter(), *reply.mutable_schedule(),
                         context_of(core, reply.schedule()));
    sdk::decode_incoming(core.converter(), *reply.mutable_memo(), core.context_of({}));
    return reply;
}

template <class Starts>
std::vector<ScheduleStart> read_starts(const Starts& messages) {
    std::vector<ScheduleStart> starts;
    for (const auto& message : messages)
        starts.push_back({sdk::from_timestamp(message.schedule_time()),
                          sdk::from_timestamp(message.actual_time()),
                          message.start_workflow_result().workflow_id(),
                          message.start_workflow_result().run_id()});
    return starts;
}

template <class Times>
std::vector<Timestamp> read_times(const Times& messages) {
    std::vector<Timestamp> times;
    for (const auto& message : messages) times.push_back(sdk::from_timestamp(message));
    return times;
}

template <class Map>
PayloadFields read_fields(const Map& map) {
    return PayloadFields(map.begin(), map.end());
}

void patch(const sdk::ClientCore& core, const std::string& id,
           const std::function<void(temporal::api::schedule::v1::SchedulePatch&)>& write) {
    auto request = make<api::PatchScheduleRequest>(core, id);
    request.set_identity(core.identity());
    request.set_request_id(core.new_uuid());
    write(*request.mutable_patch());
    (void)core.call<api::PatchScheduleResponse>("PatchSchedule", request);
}

/// A patch without a note would be no patch at all.
std::string note_or(std::string_view note, const char* otherwise) {
    return note.empty() ? otherwise : std::string(note);
}

}  // namespace

ScheduleHandle ScheduleClient::create(std::string id, const ScheduleOptions& options,
                                      const ScheduleAction& action) const {
    auto request = make<api::CreateScheduleRequest>(*core_, id);
    request.set_identity(core_->identity());
    request.set_request_id(core_->new_uuid());
    Schedule schedule{options.spec, action, options.policies, options.state};
    // Every start appends its time, so that one name for all will do.
    if (schedule.action.options.id.empty()) schedule.action.options.id = id;
    sdk::write_schedule(schedule, *request.mutable_schedule());
    for (const auto& [key, value] : options.memo)
        (*request.mutable_memo()->mutable_fields())[key] = value;
    for (const auto& [key, value] : options.search_attributes)
        (*request.mutable_search_attributes()->mutable_indexed_fields())[key] = value;
    if (options.trigger_immediately)
        request.mutable_initial_patch()->mutable_trigger_immediately()->set_overlap_policy(
            to_message(options.policies.overlap));
    core_->encode(*request.mutable_schedule(), context_of(*core_, request.schedule()));
    core_->encode(*request.mutable_memo(), core_->context_of({}));
    auto reply = std::make_shared<api::CreateScheduleResponse>();
    const Transport::Status status =
        core_->try_call("CreateSchedule", std::make_shared<api::CreateScheduleRequest>(request),
                        reply, sdk::default_retries());
    if (status.code == kRpcAlreadyExists) throw AlreadyExistsError(status.message);
    if (!status.ok()) sdk::throw_status(status);
    return ScheduleHandle(core_, std::move(id));
}

PagedRange<ScheduleSummary> ScheduleClient::list(const ListOptions& options) const {
    return PagedRange<ScheduleSummary>([core = core_, options](const std::string& token) {
        api::ListSchedulesRequest request;
        request.set_namespace_(core->namespace_name());
        request.set_query(options.query);
        request.set_maximum_page_size(options.page_size);
        request.set_next_page_token(token);
        auto reply = core->call<api::ListSchedulesResponse>("ListSchedules", request);
        sdk::decode_incoming(core->converter(), reply, core->context_of({}));
        PagedRange<ScheduleSummary>::Page page;
        for (const auto& entry : reply.schedules()) {
            const auto& info = entry.info();
            page.items.push_back(
                {.id = entry.schedule_id(),
                 .workflow_type = info.workflow_type().name(),
                 .notes = info.notes(),
                 .paused = info.paused(),
                 .recent = read_starts(info.recent_actions()),
                 .next_times = read_times(info.future_action_times()),
                 .memo = read_fields(entry.memo().fields()),
                 .search_attributes = read_fields(entry.search_attributes().indexed_fields())});
        }
        page.next_token = reply.next_page_token();
        return page;
    });
}

ScheduleDescription ScheduleHandle::describe() const {
    const auto reply = read(*core_, id_);
    const auto& info = reply.info();
    ScheduleDescription description;
    description.id = id_;
    description.schedule = sdk::read_schedule(reply.schedule());
    description.memo = read_fields(reply.memo().fields());
    description.search_attributes = read_fields(reply.search_attributes().indexed_fields());
    description.actions = info.action_count();
    description.missed_catchup_window = info.missed_catchup_window();
    description.skipped_overlaps = info.overlap_skipped();
    for (const auto& execution : info.running_workflows())
        description.running.emplace_back(execution.workflow_id(), execution.run_id());
    description.recent = read_starts(info.recent_actions());
    description.next_times = read_times(info.future_action_times());
    if (info.has_create_time()) description.create_time = sdk::from_timestamp(info.create_time());
    if (info.has_update_time()) description.update_time = sdk::from_timestamp(info.update_time());
    return description;
}

void ScheduleHandle::update(const std::function<void(Schedule&)>& change) const {
    for (int attempt = 1;; ++attempt) {
        const auto current = read(*core_, id_);
        Schedule schedule = sdk::read_schedule(current.schedule());
        change(schedule);
        auto request = make<api::UpdateScheduleRequest>(*core_, id_);
        *request.mutable_schedule() = current.schedule();
        sdk::write_schedule(schedule, *request.mutable_schedule());
        request.set_conflict_token(current.conflict_token());
        request.set_identity(core_->identity());
        request.set_request_id(core_->new_uuid());
        core_->encode(*request.mutable_schedule(), context_of(*core_, request.schedule()));
        const Transport::Status status = core_->try_call(
            "UpdateSchedule", std::make_shared<api::UpdateScheduleRequest>(request),
            std::make_shared<api::UpdateScheduleResponse>(), sdk::default_retries());
        if (status.ok()) return;
        if (status.code != kRpcFailedPrecondition || attempt == kUpdateAttempts)
            sdk::throw_status(status);
    }
}

void ScheduleHandle::pause(std::string_view note) const {
    patch(*core_, id_, [&](auto& message) { message.set_pause(note_or(note, "paused")); });
}

void ScheduleHandle::unpause(std::string_view note) const {
    patch(*core_, id_, [&](auto& message) { message.set_unpause(note_or(note, "unpaused")); });
}

void ScheduleHandle::trigger(ScheduleOverlap overlap) const {
    patch(*core_, id_, [&](auto& message) {
        message.mutable_trigger_immediately()->set_overlap_policy(to_message(overlap));
    });
}

void ScheduleHandle::backfill(const std::vector<ScheduleBackfill>& spans) const {
    patch(*core_, id_, [&](auto& message) {
        for (const ScheduleBackfill& span : spans) {
            auto& request = *message.add_backfill_request();
            *request.mutable_start_time() = sdk::to_timestamp(span.start_time);
            *request.mutable_end_time() = sdk::to_timestamp(span.end_time);
            request.set_overlap_policy(to_message(span.overlap));
        }
    });
}

std::vector<Timestamp> ScheduleHandle::matching_times(Timestamp start_time,
                                                      Timestamp end_time) const {
    auto request = make<api::ListScheduleMatchingTimesRequest>(*core_, id_);
    *request.mutable_start_time() = sdk::to_timestamp(start_time);
    *request.mutable_end_time() = sdk::to_timestamp(end_time);
    return read_times(
        core_->call<api::ListScheduleMatchingTimesResponse>("ListScheduleMatchingTimes", request)
            .start_time());
}

void ScheduleHandle::remove() const {
    auto request = make<api::DeleteScheduleRequest>(*core_, id_);
    request.set_identity(core_->identity());
    (void)core_->call<api::DeleteScheduleResponse>("DeleteSchedule", request);
}

}  // namespace stele
