#include <algorithm>
#include <thread>

#include "stele/deployment.h"
#include "stele/schedule.h"
#include "tests/sdk/server_fixture.h"

// Against a server that offers schedules and worker deployments; skipped by one that does not.
namespace stele::testing {
namespace {

using namespace std::chrono_literals;

wf::task<std::string> tick(std::string text) { co_return text; }

/// Tries until the server's own workers have come to it.
template <class Condition>
bool eventually(Condition condition) {
    for (int i = 0; i < 300; ++i) {
        if (condition()) return true;
        std::this_thread::sleep_for(100ms);
    }
    return false;
}

class ScheduleServerTest : public ServerFixture {
protected:
    void SetUp() override {
        ServerFixture::SetUp();
        if (IsSkipped()) return;
        try {
            (void)ScheduleClient(*client_).list({.page_size = 1}).to_vector();
        } catch (const RpcError& error) {
            if (error.code() != kRpcUnimplemented) throw;
            GTEST_SKIP() << "this server offers no schedules: " << error.what();
        }
    }
};

TEST_F(ScheduleServerTest, ScheduleStartsWorkflowsAndCanBeChanged) {
    Worker worker = make_worker();
    worker.register_workflow<tick>();
    worker.start();
    const ScheduleClient schedules(*client_);
    const std::string id = "schedule-" + queue_;
    ScheduleOptions options;
    options.spec.intervals = {{.every = 1s}};
    options.policies.overlap = ScheduleOverlap::kAllowAll;
    options.state.notes = "ticks";
    const auto handle =
        schedules.create<tick>(id, options, {.id = "tick-" + queue_, .task_queue = queue_}, "tock");
    EXPECT_THROW((void)schedules.create<tick>(id, options, {.task_queue = queue_}, "tock"),
                 AlreadyExistsError);
    ScheduleDescription description;
    ASSERT_TRUE(eventually([&] {
        description = handle.describe();
        return description.recent.size() >= 2;
    }));
    EXPECT_EQ(description.schedule.state.notes, "ticks");
    EXPECT_EQ(decode_argument<std::string>(description.schedule.action.arguments, 0), "tock");
    const auto& first = description.recent.front();
    EXPECT_EQ(client_->handle<tick>(first.workflow_id, first.run_id).result(), "tock");

    handle.pause("enough");
    EXPECT_TRUE(eventually([&] { return handle.describe().schedule.state.paused; }));
    EXPECT_EQ(handle.describe().schedule.state.notes, "enough");
    handle.update([](Schedule& schedule) {
        schedule.spec.intervals = {{.every = 1h}};
        schedule.state.notes = "hourly";
    });
    EXPECT_TRUE(eventually([&] { return handle.describe().schedule.state.notes == "hourly"; }));
    EXPECT_TRUE(handle.describe().schedule.state.paused);
    EXPECT_EQ(handle.describe().schedule.spec.intervals.at(0).every, 1h);
    const Timestamp day = std::chrono::floor<std::chrono::days>(description.recent[0].actual_time);
    EXPECT_EQ(handle.matching_times(day, day + 24h).size(), 24u);

    const auto actions = handle.describe().actions;
    handle.trigger();
    EXPECT_TRUE(eventually([&] { return handle.describe().actions == actions + 1; }));
    EXPECT_TRUE(eventually([&] {
        const auto all = schedules.list().to_vector();
        return std::any_of(all.begin(), all.end(),
                           [&](const ScheduleSummary& found) { return found.id == id; });
    }));
    handle.remove();
    EXPECT_TRUE(eventually([&] {
        try {
            (void)handle.describe();
            return false;
        } catch (const NotFoundError&) {
            return true;
        }
    }));
}

class DeploymentServerTest : public ServerFixture {
protected:
    void SetUp() override {
        ServerFixture::SetUp();
        if (IsSkipped()) return;
        try {
            (void)DeploymentClient(*client_).list(1).to_vector();
        } catch (const RpcError& error) {
            if (error.code() != kRpcUnimplemented) throw;
            GTEST_SKIP() << "this server offers no worker deployments: " << error.what();
        }
    }

    /// Makes a build the current one, once the server has seen its worker.
    bool roll_out(const std::string& build_id) {
        return eventually([&] {
            try {
                (void)DeploymentClient(*client_).handle(name()).set_current(build_id);
                return true;
            } catch (const RpcError&) {
                return false;
            }
        });
    }

    Worker start_build(const std::string& build_id);
    std::string name() const { return "shop-" + queue_; }
    DeploymentVersion build(const std::string& build_id) const { return {name(), build_id}; }

    template <class Handle>
    static bool is_on(const Handle& handle, const DeploymentVersion& version) {
        return eventually([&] { return handle.describe().deployment_version == version; });
    }
};

wf::task<std::string> tells_its_builds() {
    wf::signals<std::string> go("go");
    std::string builds = wf::info().deployment_version->build_id;
    (void)co_await go.next();
    co_return builds + wf::info().deployment_version->build_id;
}

Worker DeploymentServerTest::start_build(const std::string& build_id) {
    Worker worker = make_worker({.deployment = WorkerDeployment{build(build_id)}});
    worker
        .register_workflow<tells_its_builds>(
            {.name = "stays", .versioning = VersioningBehavior::kPinned})
        .register_workflow<tells_its_builds>(
            {.name = "moves", .versioning = VersioningBehavior::kAutoUpgrade});
    worker.start();
    return worker;
}

TEST_F(DeploymentServerTest, PinnedRunsStayOnTheirBuildAndTheOthersMove) {
    Worker first = start_build("1");
    ASSERT_TRUE(roll_out("1"));
    const auto stays = client_->start<std::string>("stays", on_queue());
    const auto moves = client_->start<std::string>("moves", on_queue());
    const auto moved = client_->start<std::string>("stays", on_queue());
    for (const auto& handle : {stays, moves, moved}) ASSERT_TRUE(is_on(handle, build("1")));
    EXPECT_EQ(stays.describe().versioning, VersioningBehavior::kPinned);
    EXPECT_EQ(moves.describe().versioning, VersioningBehavior::kAutoUpgrade);

    Worker second = start_build("2");
    ASSERT_TRUE(roll_out("2"));
    moved.set_versioning_override(VersioningOverride::pinned(build("2")));
    EXPECT_EQ(moved.describe().versioning_override, VersioningOverride::pinned(build("2")));
    StartOptions back = on_queue();
    back.versioning_override = VersioningOverride::pinned(build("1"));
    const auto kept_back = client_->start<std::string>("moves", back);
    const auto fresh = client_->start<std::string>("stays", on_queue());
    for (const auto& handle : {stays, moves, moved, kept_back, fresh}) handle.signal("go", "now");
    EXPECT_EQ(stays.result(), "11");
    EXPECT_EQ(moves.result(), "12");
    EXPECT_EQ(moved.result(), "12");
    EXPECT_EQ(kept_back.result(), "11");
    EXPECT_EQ(fresh.result(), "22");
}

TEST_F(DeploymentServerTest, OverrideEndsWhenItIsTakenBack) {
    Worker worker = start_build("1");
    ASSERT_TRUE(roll_out("1"));
    const auto handle = client_->start<std::string>("stays", on_queue());
    ASSERT_TRUE(is_on(handle, build("1")));
    handle.set_versioning_override(VersioningOverride::auto_upgrade());
    EXPECT_EQ(handle.describe().versioning_override, VersioningOverride::auto_upgrade());
    handle.set_versioning_override(std::nullopt);
    EXPECT_EQ(handle.describe().versioning_override, std::nullopt);
    handle.signal("go", "now");
    EXPECT_EQ(handle.result(), "11");
}

TEST_F(DeploymentServerTest, NewVersionTakesOverStepByStep) {
    const DeploymentClient deployments(*client_);
    const auto shop = deployments.handle("shop-" + queue_);
    EXPECT_THROW((void)shop.describe(), NotFoundError);
    // No worker runs here, which only an explicit wish lets pass.
    const RoutingOptions without_workers{.allow_no_pollers = true};
    const std::string token = shop.set_current("1", without_workers);
    EXPECT_EQ(shop.describe().routing.current, (DeploymentVersion{shop.name(), "1"}));
    EXPECT_EQ(shop.describe().conflict_token, token);

    shop.set_ramping("2", 25, without_workers);
    const auto ramping = shop.describe_version("2");
    EXPECT_EQ(ramping.status, DeploymentVersionStatus::kRamping);
    EXPECT_EQ(ramping.ramping_percentage, 25);
    EXPECT_TRUE(ramping.ramping_since.has_value());
    // The token is older than the ramp.
    EXPECT_THROW(shop.set_current("2", {.conflict_token = token, .allow_no_pollers = true}),
                 RpcError);
    const auto metadata = shop.update_metadata("2", {{"commit", encode_value(std::string("abc"))}});
    EXPECT_EQ(decode_value<std::string>(metadata.at("commit")), "abc");
    EXPECT_EQ(shop.update_metadata("2", {}, {"commit"}).size(), 0u);

    shop.set_manager("somebody else");
    EXPECT_EQ(shop.describe().manager_identity, "somebody else");
    EXPECT_THROW(shop.set_current("2", without_workers), RpcError);
    shop.set_manager("");
    shop.set_current("2", without_workers);
    EXPECT_EQ(shop.describe().routing.current, (DeploymentVersion{shop.name(), "2"}));
    EXPECT_FALSE(shop.describe().routing.ramping.has_value());
    shop.remove_version("1", true);
    const auto all = deployments.list().to_vector();
    EXPECT_TRUE(std::any_of(all.begin(), all.end(), [&](const DeploymentSummary& found) {
        return found.name == shop.name();
    }));
}

}  // namespace
}  // namespace stele::testing
