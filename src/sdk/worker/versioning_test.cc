#include "stele/versioning.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "sdk/client/describe.h"
#include "sdk/client/requests.h"
#include "sdk/core/run_testing.h"
#include "sdk/data/versioning.h"
#include "sdk/runtime/single_thread_testing.h"
#include "sdk/worker/fake_server_testing.h"
#include "stele/stele.h"

// Which build a worker is, and what runs do when another one takes over.
namespace stele::sdk {
namespace {

using namespace std::chrono_literals;
namespace api = temporal::api::workflowservice::v1;
namespace enums = temporal::api::enums::v1;
using core::testing::expect_mentions;
using core::testing::HistoryWriter;
using google::protobuf::Message;

const DeploymentVersion kSecondBuild{"shop", "2"};

/// Keeps what the worker sends.
class Recorder final : public Transport {
public:
    explicit Recorder(std::shared_ptr<Transport> server) : server_(std::move(server)) {}

    std::shared_ptr<Call> call(std::string_view method, std::shared_ptr<const Message> request,
                               std::shared_ptr<Message> reply, const CallOptions& options,
                               Callback done) override {
        requests_[std::string(method.substr(method.rfind('/') + 1))].push_back(request);
        return server_->call(method, request, std::move(reply), options, std::move(done));
    }

    template <class Request>
    std::vector<Request> all(const std::string& name) const {
        std::vector<Request> result;
        for (const auto& request : requests_.at(name))
            result.push_back(static_cast<const Request&>(*request));
        return result;
    }

private:
    std::shared_ptr<Transport> server_;
    std::map<std::string, std::vector<std::shared_ptr<const Message>>> requests_;
};

int twice(int value) { return 2 * value; }

wf::task<std::string> knows_its_build(int value) {
    value = co_await wf::activity<twice>(value, {.start_to_close = 10s});
    const auto& version = wf::info().deployment_version;
    co_return std::to_string(value) + (version ? version->build_id : "none");
}

class WorkerVersioningTest : public ::testing::Test {
protected:
    Worker make_worker(const WorkerOptions& options) {
        return Worker(Client::connect({.runtime = runtime_, .transport = recorder_}), "queue",
                      options);
    }

    std::string run(const WorkerOptions& options, WorkflowRegistration registration) {
        Worker worker = make_worker(options);
        worker.register_workflow<knows_its_build>(std::move(registration));
        worker.register_activity<twice>();
        worker.start();
        auto result = Client::connect({.runtime = runtime_, .transport = recorder_})
                          .execute<knows_its_build>({.id = "workflow", .task_queue = "queue"}, 4);
        worker.stop();
        return result;
    }

    /// What all requests of this kind say of the worker.
    template <class Request>
    std::set<std::string> told(const std::string& name) const {
        std::set<std::string> result;
        for (const auto& request : recorder_->all<Request>(name)) {
            const auto& options = request.deployment_options();
            result.insert(options.deployment_name() + "." + options.build_id() + " " +
                          enums::WorkerVersioningMode_Name(options.worker_versioning_mode()));
        }
        return result;
    }

    std::set<enums::VersioningBehavior> behaviors() const {
        std::set<enums::VersioningBehavior> result;
        for (const auto& request : recorder_->all<api::RespondWorkflowTaskCompletedRequest>(
                 "RespondWorkflowTaskCompleted"))
            result.insert(request.versioning_behavior());
        return result;
    }

    std::shared_ptr<testing::SingleThreadRuntime> runtime_ =
        std::make_shared<testing::SingleThreadRuntime>();
    testing::EndOfTest end_of_test_{runtime_};
    std::shared_ptr<testing::FakeServer> server_ = std::make_shared<testing::FakeServer>(runtime_);
    std::shared_ptr<Recorder> recorder_ = std::make_shared<Recorder>(server_);
};

TEST_F(WorkerVersioningTest, EveryPollAndAnswerTellsTheBuild) {
    server_->heartbeats_known = true;
    EXPECT_EQ(run({.eager_activities = false, .deployment = WorkerDeployment{kSecondBuild}},
                  {.versioning = VersioningBehavior::kPinned}),
              "82");
    const std::set<std::string> build = {"shop.2 WORKER_VERSIONING_MODE_VERSIONED"};
    EXPECT_EQ(told<api::PollWorkflowTaskQueueRequest>("PollWorkflowTaskQueue"), build);
    EXPECT_EQ(told<api::PollActivityTaskQueueRequest>("PollActivityTaskQueue"), build);
    EXPECT_EQ(told<api::RespondWorkflowTaskCompletedRequest>("RespondWorkflowTaskCompleted"),
              build);
    EXPECT_EQ(told<api::RespondActivityTaskCompletedRequest>("RespondActivityTaskCompleted"),
              build);
    EXPECT_EQ(behaviors(), std::set{enums::VERSIONING_BEHAVIOR_PINNED});
    EXPECT_EQ(server_->worker_heartbeats.front().deployment_version().build_id(), "2");
}

TEST_F(WorkerVersioningTest, TypesThatSayNothingTakeTheWorkersDefault) {
    run({.deployment = WorkerDeployment{.version = kSecondBuild,
                                        .default_behavior = VersioningBehavior::kAutoUpgrade}},
        {});
    EXPECT_EQ(behaviors(), std::set{enums::VERSIONING_BEHAVIOR_AUTO_UPGRADE});
}

TEST_F(WorkerVersioningTest, WorkerWithoutVersioningOnlyTellsItsBuild) {
    EXPECT_EQ(run({.deployment = WorkerDeployment{kSecondBuild, false}}, {}), "82");
    EXPECT_EQ(told<api::PollWorkflowTaskQueueRequest>("PollWorkflowTaskQueue"),
              std::set<std::string>{"shop.2 WORKER_VERSIONING_MODE_UNVERSIONED"});
    EXPECT_EQ(behaviors(), std::set{enums::VERSIONING_BEHAVIOR_UNSPECIFIED});
}

TEST_F(WorkerVersioningTest, WorkerWithoutABuildTellsNothing) {
    EXPECT_EQ(run({}, {}), "8none");
    for (const auto& request :
         recorder_->all<api::PollWorkflowTaskQueueRequest>("PollWorkflowTaskQueue"))
        EXPECT_FALSE(request.has_deployment_options());
}

TEST_F(WorkerVersioningTest, TypeWithoutABehaviorIsNamedBeforeAnythingIsPolled) {
    Worker worker = make_worker({.deployment = WorkerDeployment{kSecondBuild}});
    worker.register_workflow<knows_its_build>("knows");
    try {
        worker.start();
        ADD_FAILURE() << "started";
    } catch (const ConfigurationError& error) {
        expect_mentions(error.what(), {"\"knows\"", "versioning behavior"});
    }
}

TEST_F(WorkerVersioningTest, DeploymentsThatCannotBeMeantAreRefused) {
    EXPECT_THROW(make_worker({.deployment = WorkerDeployment{{"", "2"}}}), ConfigurationError);
    EXPECT_THROW(make_worker({.deployment = WorkerDeployment{{"shop", ""}}}), ConfigurationError);
    EXPECT_THROW(make_worker({.deployment = WorkerDeployment{kSecondBuild, false,
                                                             VersioningBehavior::kPinned}}),
                 ConfigurationError);
}

class RunVersioningTest : public core::testing::RunTest {
protected:
    HistoryWriter writer_{"w"};
};

wf::task<std::string> tells_builds() {
    std::string text;
    for (int turn = 0; turn < 2; ++turn) {
        const auto& version = wf::info().deployment_version;
        text += (version ? version->build_id : "none") +
                (wf::info().target_version_changed ? " old; " : " new; ");
        co_await wf::sleep(1min);
    }
    co_return text;
}

TEST_F(RunVersioningTest, ReplaySeesTheBuildsOfThePast) {
    add<tells_builds>();
    const std::int64_t first = writer_.start_task();
    auto run = make_run();
    writer_.complete_task(run_task(*run, writer_, first, 0));
    auto& completed = *writer_.history().mutable_events()->rbegin();
    ASSERT_EQ(completed.event_type(), enums::EVENT_TYPE_TIMER_STARTED);
    *writer_.history()
         .mutable_events(writer_.history().events_size() - 2)
         ->mutable_workflow_task_completed_event_attributes()
         ->mutable_deployment_version() = to_message(DeploymentVersion{"shop", "1"});
    writer_.fire("1");
    const std::int64_t second = writer_.start_task();
    writer_.history()
        .mutable_events(static_cast<int>(second) - 1)
        ->mutable_workflow_task_started_event_attributes()
        ->set_target_worker_deployment_version_changed(true);
    // A cold run, which another build than the first one works on.
    core::Run cold([this](const core::InitializeJob& job) {
        Surroundings surroundings{"default", "id", "run"};
        surroundings.deployment_version = kSecondBuild;
        return registry_.make_code(job, surroundings);
    });
    writer_.complete_task(run_task(cold, writer_, second, first));
    writer_.fire("2");
    const auto commands = run_task(cold, writer_, writer_.start_task(), second);
    ASSERT_EQ(commands.size(), 1u);
    EXPECT_EQ(
        commands[0].complete_workflow_execution_command_attributes().result().payloads(0).data(),
        "\"1 new; 2 old; \"");
}

wf::task<void> moves_on() {
    const VersioningOverride pinned = VersioningOverride::pinned(kSecondBuild);
    auto child = co_await wf::start_child_by_name<void>("child", {.versioning_override = &pinned});
    (void)child;
    co_await wf::continue_as_new_by_name("w", {.versioning = ContinueAsNewVersioning::kRamping});
}

TEST_F(RunVersioningTest, ChildrenAndTheNextRunSayWhereTheyGo) {
    add<moves_on>();
    auto run = make_run();
    const std::int64_t started = writer_.start_task();
    const auto commands = run_task(*run, writer_, started, 0);
    ASSERT_EQ(commands.size(), 1u);
    EXPECT_EQ(
        read_override(
            commands[0].start_child_workflow_execution_command_attributes().versioning_override()),
        VersioningOverride::pinned(kSecondBuild));
    writer_.complete_task(commands);
    const std::int64_t initiated = writer_.history().events_size();
    writer_.start_child(initiated, true);
    const auto last = run_task(*run, writer_, writer_.start_task(), started);
    ASSERT_EQ(last.size(), 1u);
    EXPECT_EQ(last[0]
                  .continue_as_new_workflow_execution_command_attributes()
                  .initial_versioning_behavior(),
              enums::CONTINUE_AS_NEW_VERSIONING_BEHAVIOR_USE_RAMPING_VERSION);
}

TEST(VersioningOverrideTest, IsReadAsItWasWritten) {
    for (const auto& wanted :
         {VersioningOverride::pinned(kSecondBuild), VersioningOverride::auto_upgrade(),
          VersioningOverride::one_time(kSecondBuild)})
        EXPECT_EQ(read_override(to_message(wanted)), wanted);
    EXPECT_EQ(read_override({}), std::nullopt);
}

TEST(VersioningOverrideTest, OlderServersFindTheFieldsThatTheyKnow) {
    const auto pinned = to_message(VersioningOverride::pinned(kSecondBuild));
    EXPECT_EQ(pinned.behavior(), enums::VERSIONING_BEHAVIOR_PINNED);
    EXPECT_EQ(pinned.pinned_version(), "shop.2");
    EXPECT_EQ(to_message(VersioningOverride::auto_upgrade()).behavior(),
              enums::VERSIONING_BEHAVIOR_AUTO_UPGRADE);
}

TEST(VersioningOverrideTest, DescriptionTellsWhereARunBelongs) {
    api::DescribeWorkflowExecutionResponse reply;
    auto& versioning = *reply.mutable_workflow_execution_info()->mutable_versioning_info();
    versioning.set_behavior(enums::VERSIONING_BEHAVIOR_PINNED);
    *versioning.mutable_deployment_version() = to_message(kSecondBuild);
    *versioning.mutable_versioning_override() = to_message(VersioningOverride::auto_upgrade());
    const WorkflowDescription description = read_description(reply);
    EXPECT_EQ(description.versioning, VersioningBehavior::kPinned);
    EXPECT_EQ(description.deployment_version, kSecondBuild);
    EXPECT_EQ(description.versioning_override, VersioningOverride::auto_upgrade());
    EXPECT_EQ(read_description({}).deployment_version, std::nullopt);
}

}  // namespace
}  // namespace stele::sdk
