#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "sdk/core/history_buffer.h"
#include "sdk/core/schedules_testing.h"
#include "sdk/replay/golden_testing.h"
#include "sdk/replay/history_json.h"
#include "sdk/worker/registry.h"

// The histories that the suite has recorded, lived again by workers that keep the run in their cache,
// lose it, give up in the middle of a page, or miss tasks that another worker got, all of it drawn
// from a seed. Whatever happens, every task must come to the commands that were recorded.
namespace stele::golden {
namespace {

using core::testing::bytes_of;
using core::testing::Cached;
using core::testing::Work;
using temporal::api::history::v1::History;
namespace enums = temporal::api::enums::v1;

/// The type of the event that a command leaves.
enums::EventType event_of(enums::CommandType command) {
    switch (command) {
        case enums::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK:
            return enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED;
        case enums::COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK:
            return enums::EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED;
        case enums::COMMAND_TYPE_START_TIMER: return enums::EVENT_TYPE_TIMER_STARTED;
        case enums::COMMAND_TYPE_CANCEL_TIMER: return enums::EVENT_TYPE_TIMER_CANCELED;
        case enums::COMMAND_TYPE_RECORD_MARKER: return enums::EVENT_TYPE_MARKER_RECORDED;
        case enums::COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION:
            return enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED;
        case enums::COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION:
            return enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED;
        case enums::COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION:
            return enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED;
        case enums::COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
            return enums::EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES;
        case enums::COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES:
            return enums::EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED;
        case enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION:
            return enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED;
        case enums::COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION:
            return enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED;
        case enums::COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION:
            return enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED;
        case enums::COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION:
            return enums::EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW;
        default: return enums::EVENT_TYPE_UNSPECIFIED;
    }
}

/// What a server fills in, or completes; and so it does with all that the worker has left open.
const std::set<std::string> kFilledIn = {"namespace",
                                         "task_queue",
                                         "retry_policy",
                                         "schedule_to_close_timeout",
                                         "schedule_to_start_timeout",
                                         "heartbeat_timeout",
                                         "workflow_run_timeout",
                                         "workflow_execution_timeout",
                                         "workflow_task_timeout"};

const google::protobuf::Message& attributes_of(const google::protobuf::Message& message) {
    const auto& reflection = *message.GetReflection();
    const auto* kinds = message.GetDescriptor()->FindOneofByName("attributes");
    return reflection.GetMessage(message, reflection.GetOneofFieldDescriptor(message, kinds));
}

bool is_set(const google::protobuf::Message& message,
            const google::protobuf::FieldDescriptor* field) {
    const auto& reflection = *message.GetReflection();
    return field->is_repeated() ? reflection.FieldSize(message, field) > 0
                                : reflection.HasField(message, field);
}

/// One text for each value of the field; those of a map are kept in no order.
std::vector<std::string> texts_of(const google::protobuf::Message& message,
                                  const google::protobuf::FieldDescriptor* field) {
    const google::protobuf::TextFormat::Printer printer;
    const bool many = field->is_repeated();
    const int count = many ? message.GetReflection()->FieldSize(message, field) : 1;
    std::vector<std::string> texts(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i)
        printer.PrintFieldValueToString(message, field, many ? i : -1,
                                        &texts[static_cast<std::size_t>(i)]);
    if (field->is_map()) std::sort(texts.begin(), texts.end());
    return texts;
}

/// Throws unless the event is what a server writes for the command: of its type, and the same in every
/// field that both have.
void match(const core::Command& command, const core::HistoryEvent& event) {
    const std::string both =
        "recorded: " + event.ShortDebugString() + "\nnow: " + command.ShortDebugString();
    if (event_of(command.command_type()) != event.event_type())
        throw std::logic_error("another step\n" + both);
    const auto& said = attributes_of(command);
    const auto& recorded = attributes_of(event);
    for (int i = 0; i < said.GetDescriptor()->field_count(); ++i) {
        const auto* field = said.GetDescriptor()->field(i);
        const auto* same = recorded.GetDescriptor()->FindFieldByName(field->name());
        if (same == nullptr || !is_set(said, field) || kFilledIn.contains(field->name())) continue;
        if (texts_of(said, field) != texts_of(recorded, same))
            throw std::logic_error(field->name() + " differs\n" + both);
    }
}

/// An update's answer, which a command only gives its place.
void match(const core::UpdateMessage& message, const core::HistoryEvent& event) {
    if (const auto* accepted = std::get_if<temporal::api::update::v1::Acceptance>(&message.body)) {
        const auto& recorded = event.workflow_execution_update_accepted_event_attributes();
        if (recorded.protocol_instance_id() != message.update_id ||
            bytes_of(recorded.accepted_request()) != bytes_of(accepted->accepted_request()))
            throw std::logic_error("another update is accepted: " + event.ShortDebugString());
    } else {
        const auto& response = std::get<temporal::api::update::v1::Response>(message.body);
        const auto& recorded = event.workflow_execution_update_completed_event_attributes();
        if (bytes_of(recorded.outcome()) != bytes_of(response.outcome()))
            throw std::logic_error("an update ends otherwise: " + event.ShortDebugString());
    }
}

/// One completed workflow task of a recorded history.
struct Task {
    std::int64_t started = 0;
    /// The completion, and the events of its commands behind it.
    std::vector<core::HistoryEvent> events;
    /// The updates that it brought, as far as they were accepted.
    std::vector<core::UpdateRequest> updates;
};

std::vector<Task> tasks_of(const History& history) {
    std::vector<Task> tasks;
    std::int64_t completed = 0;
    for (const auto& event : history.events()) {
        if (event.has_workflow_task_completed_event_attributes()) {
            completed = event.event_id();
            tasks.push_back(
                {event.workflow_task_completed_event_attributes().started_event_id(), {}, {}});
        } else if (completed > 0 && core::is_command_event(event)) {
            tasks.back().events.push_back(event);
        }
        if (event.has_workflow_execution_update_accepted_event_attributes()) {
            const auto& accepted = event.workflow_execution_update_accepted_event_attributes();
            tasks.back().updates.push_back(
                {accepted.accepted_request_message_id(), accepted.protocol_instance_id(),
                 accepted.accepted_request_sequencing_event_id(), accepted.accepted_request()});
        }
    }
    return tasks;
}

/// Takes the workflows as a worker does.
struct Target {
    template <auto Fn>
    Target& register_workflow(std::string name = std::string(workflow_name<Fn>)) {
        wf::detail::Definition definition;
        definition.name = std::move(name);
        definition.make = [] { return std::make_unique<wf::detail::FunctionBody<Fn>>(); };
        add(std::move(definition));
        return *this;
    }
    void add(wf::detail::Definition definition) { registry.add(std::move(definition)); }

    sdk::Registry registry;
};

struct Recorded {
    std::string path;
    History history;
    std::vector<Task> tasks;
};

class Recordings {
public:
    Recordings() {
        register_recorded(target_);
        std::set<std::filesystem::path> paths;
        for (const auto& entry : std::filesystem::directory_iterator(kDirectory))
            paths.insert(entry.path());
        for (const auto& path : paths) {
            std::ifstream file(path);
            const std::string json(std::istreambuf_iterator<char>(file), {});
            History history = sdk::read_history_json(json);
            auto tasks = tasks_of(history);
            all_.push_back({path.filename(), std::move(history), std::move(tasks)});
        }
    }

    const std::vector<Recorded>& all() const { return all_; }

    /// Lives the history that is the seed's turn; throws when anything diverges.
    void relive(std::uint64_t seed) const {
        std::mt19937_64 random(seed);
        const Recorded& recorded = all_[seed % all_.size()];
        try {
            relive(recorded, random);
        } catch (const std::exception& error) {
            throw std::logic_error(recorded.path + ": " + error.what());
        }
    }

private:
    std::unique_ptr<Cached> new_run(const History& history) const {
        const auto& started = history.events(0).workflow_execution_started_event_attributes();
        return std::make_unique<Cached>([this, &started](const core::InitializeJob& job) {
            return target_.registry.make_code(
                job, {"default", started.workflow_id(), started.original_execution_run_id()});
        });
    }

    void relive(const Recorded& recorded, std::mt19937_64& random) const {
        std::unique_ptr<Cached> cached;
        std::int64_t previous = 0;
        for (const Task& task : recorded.tasks) {
            const std::int64_t replay_until = std::exchange(previous, task.started);
            // Another worker has it, or this one was told of it and lost it again.
            if (random() % 5 == 0) continue;
            if (random() % 5 == 0) give_up(recorded.history, {replay_until, task.started}, random);
            if (!cached || random() % 3 == 0) cached = new_run(recorded.history);
            cached->read(recorded.history, {replay_until, task.started, task.updates}, random);
            compare(finish(*cached, task), task);
        }
    }

    /// Gets a part of the history, and never the rest.
    void give_up(const History& history, core::Run::Task task, std::mt19937_64& random) const {
        auto lost = new_run(history);
        auto events = history.events();
        lost->run().begin(task);
        const auto count = static_cast<std::ptrdiff_t>(
            random() % static_cast<std::uint64_t>(task.target_event_id));
        lost->run().history().reset(0);
        lost->run().history().add(
            std::vector<core::HistoryEvent>(events.begin(), events.begin() + count));
        if (lost->run().advance() != core::Run::Progress::kNeedsHistory)
            throw std::logic_error("caught up with a part of the history");
    }

    /// Local activities come to what was recorded.
    static Work finish(Cached& cached, const Task& task) {
        std::map<core::Sequence, core::LocalActivityOutcome> outcomes;
        for (const auto& event : task.events)
            if (auto marker = core::LocalActivityMarker::parse(event))
                outcomes[marker->sequence] = marker->outcome;
        return cached.finish(
            false, [&](core::Sequence sequence) { return outcomes.contains(sequence); },
            [&](const core::LocalActivity& activity, bool) {
                return outcomes.at(activity.sequence);
            });
    }

    static void compare(const Work& work, const Task& task) {
        if (work.commands.size() != task.events.size())
            throw std::logic_error(std::to_string(work.commands.size()) + " commands for " +
                                   std::to_string(task.events.size()) + " events");
        for (std::size_t i = 0; i < work.commands.size(); ++i) {
            const core::Command& command = work.commands[i];
            if (!command.has_protocol_message_command_attributes()) {
                match(command, task.events[i]);
                continue;
            }
            const auto& id = command.protocol_message_command_attributes().message_id();
            for (const core::UpdateMessage& message : work.messages)
                if (message.id == id) match(message, task.events[i]);
        }
    }

    Target target_;
    std::vector<Recorded> all_;
};

TEST(RecordedSchedulesTest, EveryTaskComesToTheCommandsThatWereRecorded) {
    const Recordings recordings;
    ASSERT_GE(recordings.all().size(), 15);
    for (const Recorded& recorded : recordings.all()) ASSERT_GE(recorded.tasks.size(), 2);
    core::testing::for_each_seed(5000, [&](std::uint64_t seed) { recordings.relive(seed); });
}

}  // namespace
}  // namespace stele::golden
