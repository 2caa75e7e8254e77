#include <gtest/gtest.h>

#include "shard/server_testing.h"

#include "shard/verify.h"

#include <utility>

namespace stele::shard::testing {

std::optional<TaskOffer> Offers::take(const std::string& queue, QueueKind kind) {
    for (auto task = tasks.begin(); task != tasks.end(); ++task) {
        if (task->queue.name != queue || task->queue.kind != kind) continue;
        TaskOffer taken = std::move(*task);
        tasks.erase(task);
        return taken;
    }
    return std::nullopt;
}

OneNamespace::OneNamespace(const history::Limits& limits) {
    storage::NamespaceRow row;
    row.set_id("namespace-id");
    row.set_name("default");
    *row.mutable_retention() = to_proto(std::chrono::hours(24));
    history::Limits in_force = limits;
    in_force.callback_addresses = {{"*", false}};
    space_ = std::make_shared<const NamespaceView>(row, in_force);
}

NamespacePtr OneNamespace::by_id(const std::string& id) {
    return id == space_->id ? space_ : nullptr;
}

NamespacePtr OneNamespace::by_name(const std::string& name) {
    return name == space_->name ? space_ : nullptr;
}

TestServer::TestServer(std::uint64_t seed, EngineOptions options, const history::Limits& limits)
    : sim_(env::SimOptions{.seed = seed}), options_(options), namespaces_(limits) {
    boot();
}

TestServer::~TestServer() { shut_down(); }

void TestServer::boot() {
    process_ = sim_.make_process("server");
    store_ = disk_.open();
    committer_ = store::make_committer(*process_, *store_, [](const absl::Status& status) {
        FAIL() << "a write failed: " << message_of(status);
    });
    engine_ = make_engine(*process_, *store_, *committer_, namespaces_, options_);
    engine_->connect(offers_);
    engine_->connect_nexus(nexus_);
    const absl::Status recovered = engine_->recover();
    EXPECT_TRUE(recovered.ok()) << message_of(recovered);
    // Until the shards have offered what they found.
    for (int i = 0; i < options_.shard_count; ++i) sim_.run_one();
}

void TestServer::shut_down() {
    process_->kill();
    disk_.kill_process();
    engine_.reset();
    committer_.reset();
    store_.reset();
    offers_.tasks.clear();
    offers_.queries.clear();
    nexus_.calls.clear();
    nexus_.commands.clear();
}

void TestServer::restart() {
    shut_down();
    boot();
}

void TestServer::lose_power() {
    process_->kill();
    disk_.lose_power(sim_.fault_random());
    shut_down();
    boot();
}

service::StartWorkflowExecutionRequest TestServer::start_request(const std::string& workflow_id,
                                                                 const std::string& request_id) {
    service::StartWorkflowExecutionRequest request;
    request.set_namespace_(space()->name);
    request.set_workflow_id(workflow_id);
    request.mutable_workflow_type()->set_name("type");
    request.mutable_task_queue()->set_name("queue");
    request.set_request_id(request_id.empty() ? "start-" + workflow_id : request_id);
    *request.mutable_workflow_task_timeout() = to_proto(std::chrono::seconds(10));
    return request;
}

absl::StatusOr<StartReply> TestServer::start(const std::string& workflow_id) {
    return start(start_request(workflow_id));
}

absl::StatusOr<StartReply> TestServer::start(service::StartWorkflowExecutionRequest request) {
    return play<StartReply>([&](Reply<StartReply> reply) {
        engine_->start_workflow(space(), std::move(request), std::move(reply));
    });
}

absl::StatusOr<history::None> TestServer::signal(const std::string& workflow_id,
                                                 const std::string& name,
                                                 const std::string& request_id) {
    service::SignalWorkflowExecutionRequest request;
    request.mutable_workflow_execution()->set_workflow_id(workflow_id);
    request.set_signal_name(name);
    request.set_request_id(request_id);
    return play<history::None>([&](Reply<history::None> reply) {
        engine_->signal(space(), std::move(request), std::move(reply));
    });
}

absl::StatusOr<history::None> TestServer::terminate(const std::string& workflow_id) {
    service::TerminateWorkflowExecutionRequest request;
    request.mutable_workflow_execution()->set_workflow_id(workflow_id);
    return play<history::None>([&](Reply<history::None> reply) {
        engine_->terminate(space(), std::move(request), std::move(reply));
    });
}

absl::StatusOr<PolledWorkflowTask> TestServer::start_task(const TaskOffer& offer,
                                                          const std::string& poll_id) {
    history::StartWorkflowTaskInput input;
    input.scheduled = offer.scheduled;
    input.stamp = offer.stamp;
    input.request_id = poll_id.empty() ? "poll-" + std::to_string(++polls_) : poll_id;
    input.identity = "worker";
    input.task_queue = offer.queue.name;
    return play<PolledWorkflowTask>([&](Reply<PolledWorkflowTask> reply) {
        engine_->start_workflow_task(offer, std::move(input), std::move(reply));
    });
}

absl::StatusOr<PolledWorkflowTask> TestServer::poll(const std::string& queue) {
    settle();
    const std::optional<TaskOffer> offer = offers_.take(queue, QueueKind::kWorkflow);
    if (!offer) return not_found("no task in " + queue);
    return start_task(*offer);
}

absl::StatusOr<PolledActivityTask> TestServer::poll_activity(const std::string& queue,
                                                             const std::string& control_queue) {
    settle();
    const std::optional<TaskOffer> offer = offers_.take(queue, QueueKind::kActivity);
    if (!offer) return not_found("no activity in " + queue);
    history::StartActivityInput input;
    input.scheduled = offer->scheduled;
    input.stamp = offer->stamp;
    input.request_id = "poll-" + std::to_string(++polls_);
    input.identity = "worker";
    input.control_task_queue = control_queue;
    return play<PolledActivityTask>([&](Reply<PolledActivityTask> reply) {
        engine_->start_activity(*offer, std::move(input), std::move(reply));
    });
}

absl::StatusOr<CompletedTaskReply> TestServer::complete(
    const PolledWorkflowTask& task, const std::vector<api::command::v1::Command>& commands,
    const std::function<void(service::RespondWorkflowTaskCompletedRequest&)>& change) {
    service::RespondWorkflowTaskCompletedRequest request;
    request.set_identity("worker");
    for (const auto& command : commands) *request.add_commands() = command;
    if (change) change(request);
    return play<CompletedTaskReply>([&](Reply<CompletedTaskReply> reply) {
        engine_->complete_workflow_task(space(), task.run, task.task.token, std::move(request),
                                        std::move(reply));
    });
}

absl::StatusOr<history::None> TestServer::complete_activity(const PolledActivityTask& task) {
    return play<history::None>([&](Reply<history::None> reply) {
        engine_->complete_activity(space(), task.run, task.activity.token, {}, "worker",
                                   std::move(reply));
    });
}

absl::StatusOr<HistoryReply> TestServer::history(const std::string& workflow_id,
                                                 const std::string& run_id) {
    HistoryQuery query;
    query.run = {space()->id, workflow_id, run_id};
    return play<HistoryReply>([&](Reply<HistoryReply> reply) {
        engine_->get_history(space(), query, nullptr, std::move(reply));
    });
}

std::string TestServer::events(const std::string& workflow_id, const std::string& run_id) {
    const absl::StatusOr<HistoryReply> reply = history(workflow_id, run_id);
    if (!reply.ok()) return message_of(reply.status());
    EXPECT_EQ(reply->page.next, kNoEvent);
    return types(parse(reply->page));
}

std::vector<std::string> TestServer::violations() {
    settle();
    std::vector<std::string> found = verify_store(disk_.content());
    for (std::string& text : engine_->compare_with_store()) found.push_back(std::move(text));
    return found;
}

api::command::v1::Command complete_workflow() {
    api::command::v1::Command command;
    command.set_command_type(api::enums::v1::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION);
    command.mutable_complete_workflow_execution_command_attributes();
    return command;
}

api::command::v1::Command continue_as_new() {
    api::command::v1::Command command;
    command.set_command_type(api::enums::v1::COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION);
    command.mutable_continue_as_new_workflow_execution_command_attributes();
    return command;
}

api::command::v1::Command schedule_activity(const std::string& id) {
    api::command::v1::Command command;
    command.set_command_type(api::enums::v1::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK);
    auto& attributes = *command.mutable_schedule_activity_task_command_attributes();
    attributes.set_activity_id(id);
    attributes.mutable_activity_type()->set_name("activity");
    attributes.mutable_task_queue()->set_name("queue");
    *attributes.mutable_start_to_close_timeout() = to_proto(std::chrono::seconds(10));
    return command;
}

api::command::v1::Command start_timer(const std::string& id, Duration after) {
    api::command::v1::Command command;
    command.set_command_type(api::enums::v1::COMMAND_TYPE_START_TIMER);
    auto& attributes = *command.mutable_start_timer_command_attributes();
    attributes.set_timer_id(id);
    *attributes.mutable_start_to_fire_timeout() = to_proto(after);
    return command;
}

api::command::v1::Command start_child(const std::string& workflow_id,
                                      api::enums::v1::ParentClosePolicy policy) {
    api::command::v1::Command command;
    command.set_command_type(api::enums::v1::COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION);
    auto& attributes = *command.mutable_start_child_workflow_execution_command_attributes();
    attributes.set_workflow_id(workflow_id);
    attributes.mutable_workflow_type()->set_name("type");
    attributes.mutable_task_queue()->set_name("child-queue");
    attributes.set_parent_close_policy(policy);
    return command;
}

api::command::v1::Command signal_external(const std::string& workflow_id,
                                          const std::string& signal) {
    api::command::v1::Command command;
    command.set_command_type(api::enums::v1::COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION);
    auto& attributes = *command.mutable_signal_external_workflow_execution_command_attributes();
    attributes.mutable_execution()->set_workflow_id(workflow_id);
    attributes.set_signal_name(signal);
    return command;
}

api::history::v1::History parse(const HistoryPage& page) {
    std::string bytes;
    for (const std::string& batch : page.batches) bytes += batch;
    api::history::v1::History history;
    EXPECT_TRUE(history.ParseFromString(bytes));
    return history;
}

std::string types(const api::history::v1::History& history) {
    std::string text;
    for (const auto& event : history.events()) {
        if (!text.empty()) text += ' ';
        const std::string name = api::enums::v1::EventType_Name(event.event_type());
        text += name.substr(std::string("EVENT_TYPE_").size());
    }
    return text;
}

int signals_in(const std::string& events) {
    int count = 0;
    const std::string word = "WORKFLOW_EXECUTION_SIGNALED";
    for (std::size_t at = events.find(word); at != std::string::npos;
         at = events.find(word, at + 1)) {
        ++count;
    }
    return count;
}

}  // namespace stele::shard::testing
