#include <gtest/gtest.h>
#include <stele/activity_environment.h>
#include <stele/deployment.h>
#include <stele/embedded.h>
#include <stele/schedule.h>
#include <stele/stele.h>
#include <stele/testing.h>
#include <temporal/api/workflowservice/v1/request_response.pb.h>

#include <filesystem>
#include <iostream>
#include <set>

// The guide's snippets about what stands around workflows: activities, clients, tests, servers. What
// stands between the markers is shown in docs/sdk.md, word for word (tests/guide).
namespace {

namespace wf = stele::wf;
namespace activity = stele::activity;
using namespace std::chrono_literals;

// ---- Activities --------------------------------------------------------------------------------

// >>> heartbeat
int import_rows(std::string file) {
    int row = activity::previous_detail<int>().value_or(0);  // where the last attempt was
    for (; row < std::ssize(file); ++row) {
        activity::throw_if_cancelled();
        activity::heartbeat(row);
    }
    return row;
}
// <<<

TEST(GuideTest, ActivityIsCalledAlone) {
    // >>> activity-test
    stele::testing::ActivityEnvironment environment;
    environment.previous_details(4);
    EXPECT_EQ(environment.run(import_rows, "rows.csv"), 8);
    EXPECT_EQ(environment.heartbeats().size(), 4);
    environment.cancel();
    EXPECT_THROW(environment.run(import_rows, "rows.csv"), stele::CanceledError);
    // <<<
}

// ---- The test environment ----------------------------------------------------------------------

bool send_mail(std::string) { throw std::logic_error("a test must not send mail"); }

wf::task<int> reminds(std::string customer, int months) {
    int sent = 0;
    for (int month = 0; month < months; ++month) {
        co_await wf::sleep(24h * 30);
        if (co_await wf::activity<send_mail>(customer, {.start_to_close = 10s})) ++sent;
    }
    co_return sent;
}

TEST(GuideTest, YearIsTestedAtOnce) {
    // >>> environment
    stele::testing::Environment environment;
    stele::Worker worker(environment.client(), "queue");
    worker.register_workflow<reminds>();
    stele::testing::mock_activity<send_mail>(worker, [](std::string) { return true; });
    worker.start();
    auto sent = environment.client().execute<reminds>({.task_queue = "queue"}, "ada", 12);
    EXPECT_EQ(sent, 12);  // a year, at once
    // <<<
    EXPECT_GE(environment.now().time_since_epoch(), 24h * 360);
}

// ---- Clients -----------------------------------------------------------------------------------

// >>> lists
inline const auto kCustomer = stele::search_attribute_key::keyword("Customer");
// <<<

wf::task<void> buy() { co_await wf::sleep(1h); }
wf::task<void> clean_up() { co_return; }

TEST(GuideTest, ListsAndHistoriesAreRanges) {
    stele::testing::EnvironmentOptions options;
    options.search_attributes = {{"Customer", "Keyword"}};
    stele::testing::Environment environment(options);
    stele::Worker worker(environment.client(), "queue");
    worker.register_workflow<buy>();
    worker.start();
    const auto& client = environment.client();
    auto handle =
        client.start<buy>({.task_queue = "queue", .search_attributes = {kCustomer.of("ada")}});
    environment.sleep(1s);
    stele::Replayer replayer;
    replayer.register_workflow<buy>();
    std::set<std::string> seen;
    int events = 0;
    // >>> lists

    for (const auto& found :
         client.list({.query = "Customer = 'ada' AND ExecutionStatus = 'Running'"}))
        seen.insert(found.workflow_id + " of " +
                    kCustomer.in(found.search_attributes).value_or(""));
    const auto count = client.count("WorkflowType = 'buy' GROUP BY ExecutionStatus");
    for (const auto& event : handle.history({.wait = true}))  // follows the run to its end
        events += event.event_id() > 0;
    const auto replayed = replayer.replay(handle.fetch_history(), handle.workflow_id());
    // <<<
    EXPECT_EQ(seen, (std::set<std::string>{handle.workflow_id() + " of ada"}));
    EXPECT_EQ(count.count, 1);
    EXPECT_GT(events, 5);
    EXPECT_TRUE(replayed.ok) << replayed.error;
}

namespace api = temporal::api::workflowservice::v1;

/// Keeps one schedule and agrees to everything else: the server inside the test has neither schedules
/// nor deployments.
class OneSchedule final : public stele::Transport {
public:
    std::shared_ptr<Call> call(std::string_view method,
                               std::shared_ptr<const google::protobuf::Message> request,
                               std::shared_ptr<google::protobuf::Message> reply, const CallOptions&,
                               Callback done) override {
        if (method.ends_with("/CreateSchedule"))
            schedule = static_cast<const api::CreateScheduleRequest&>(*request).schedule();
        if (method.ends_with("/DescribeSchedule"))
            *static_cast<api::DescribeScheduleResponse&>(*reply).mutable_schedule() = schedule;
        if (method.ends_with("/UpdateSchedule"))
            schedule = static_cast<const api::UpdateScheduleRequest&>(*request).schedule();
        done({});
        return nullptr;
    }
    temporal::api::schedule::v1::Schedule schedule;
};

TEST(GuideTest, ScheduleIsMadeAndChanged) {
    auto server = std::make_shared<OneSchedule>();
    auto client = stele::Client::connect({.lazy = true, .transport = server});
    // >>> schedules
    stele::ScheduleClient schedules(client);
    auto nightly = schedules.create<clean_up>(
        "nightly", {.spec = {.cron_expressions = {"0 3 * * *"}}}, {.task_queue = "maintenance"});
    nightly.update([](stele::Schedule& schedule) { schedule.policies.pause_on_failure = true; });
    // <<<
    EXPECT_EQ(server->schedule.spec().cron_string(0), "0 3 * * *");
    EXPECT_TRUE(server->schedule.policies().pause_on_failure());
}

TEST(GuideTest, WorkerTellsItsBuild) {
    stele::testing::Environment environment;
    const auto& client = environment.client();
    // >>> build
    stele::WorkerOptions options;
    options.deployment = stele::WorkerDeployment{{"shop", "2026-11-27"}};
    stele::Worker worker(client, "queue", options);
    worker.register_workflow<buy>({.versioning = stele::VersioningBehavior::kPinned});
    worker.register_workflow<reminds>({.versioning = stele::VersioningBehavior::kAutoUpgrade});
    // <<<
    worker.start();
    EXPECT_NO_THROW(client.execute<buy>({.task_queue = "queue"}));
}

TEST(GuideTest, BuildTakesOver) {
    auto client =
        stele::Client::connect({.lazy = true, .transport = std::make_shared<OneSchedule>()});
    auto handle = client.handle<buy>("buy-7");
    // >>> roll-out
    auto shop = stele::DeploymentClient(client).handle("shop");
    shop.set_ramping("2026-11-27", 10);  // a tenth of the new workflows
    shop.set_current("2026-11-27");      // and all of them
    // One run that its old build cannot end goes over too.
    handle.set_versioning_override(stele::VersioningOverride::pinned({"shop", "2026-11-27"}));
    // <<<
}

// ---- Replay ------------------------------------------------------------------------------------

wf::task<void> greet() { co_await wf::sleep(1h); }

namespace changed {
wf::task<void> greet() {
    const std::string id = wf::uuid();
    co_await wf::external_workflow(id).cancel();
}
}  // namespace changed

TEST(GuideTest, ChangedWorkflowIsRefused) {
    stele::testing::Environment environment;
    stele::Worker worker(environment.client(), "queue");
    worker.register_workflow<greet>();
    worker.start();
    auto handle = environment.client().start<greet>({.task_queue = "queue"});
    handle.result();
    const auto recorded = handle.fetch_history();
    stele::Replayer same;
    same.register_workflow<greet>();
    EXPECT_TRUE(same.replay(recorded).ok);
    // >>> replay
    stele::Replayer replayer;
    replayer.register_workflow<changed::greet>();
    const auto result = replayer.replay(recorded);
    EXPECT_FALSE(result.ok);
    std::cout << result.error << "\n";  // names the event and the step
    // <<<
    EXPECT_NE(result.error.find("event"), std::string::npos) << result.error;
}

// ---- The server inside the program -------------------------------------------------------------

TEST(GuideTest, ServerRunsInsideTheProgram) {
    const auto before = std::filesystem::current_path();
    const auto scratch = std::filesystem::temp_directory_path() / "stele-guide-embedded";
    std::filesystem::remove_all(scratch);
    std::filesystem::create_directory(scratch);
    std::filesystem::current_path(scratch);
    for (int restart = 0; restart < 2; ++restart) {
        // >>> embedded
        stele::embedded::Server server({.directory = "orders.stele"});
        auto client = server.connect();
        // <<<
        auto handle = client.handle<buy>("kept");
        if (restart == 0) (void)client.start<buy>({.id = "kept", .task_queue = "queue"});
        EXPECT_EQ(handle.describe().type, "buy");
    }
    std::filesystem::current_path(before);
    std::filesystem::remove_all(scratch);
}

}  // namespace
