#include "frontend/version_sets.h"

#include "frontend/frontend_testing.h"

#include "temporal/api/enums/v1/task_queue.pb.h"

#include <vector>

namespace stele::frontend {
namespace {

namespace api = temporal::api;
namespace enums = api::enums::v1;
namespace service = api::workflowservice::v1;
using Request = service::UpdateWorkerBuildIdCompatibilityRequest;

Request new_set(const std::string& build) {
    Request request;
    request.set_namespace_("space");
    request.set_task_queue("queue");
    request.set_add_new_build_id_in_new_default_set(build);
    return request;
}

Request compatible(const std::string& with, const std::string& build, bool make_default = false) {
    Request request = new_set("");
    auto& added = *request.mutable_add_new_compatible_build_id();
    added.set_existing_compatible_build_id(with);
    added.set_new_build_id(build);
    added.set_make_set_default(make_default);
    return request;
}

class VersionSetsTest : public ::testing::Test {
protected:
    absl::Status change(const Request& request) {
        storage::VersionSets changed = sets_;
        const absl::Status status = change_version_sets(changed, request, now_, limits_);
        if (status.ok()) sets_ = std::move(changed);
        return status;
    }
    std::vector<std::vector<std::string>> sets() const {
        std::vector<std::vector<std::string>> result;
        for (const storage::VersionSet& set : sets_.sets()) {
            result.emplace_back(set.build_ids().begin(), set.build_ids().end());
        }
        return result;
    }

    using Sets = std::vector<std::vector<std::string>>;
    storage::VersionSets sets_;
    VersionSetLimits limits_;
    Timestamp now_{std::chrono::seconds(1)};
};

TEST_F(VersionSetsTest, ANewSetBecomesTheDefaultAndAsThatMayBeAddedAgain) {
    ASSERT_TRUE(change(new_set("1")).ok());
    ASSERT_TRUE(change(new_set("2")).ok());
    EXPECT_TRUE(change(new_set("2")).ok());
    EXPECT_EQ(sets(), (Sets{{"1"}, {"2"}}));
    EXPECT_EQ(message_of(change(new_set("1"))), "version 1 already exists");
}

TEST_F(VersionSetsTest, ACompatibleBuildBecomesTheDefaultOfItsSet) {
    ASSERT_TRUE(change(new_set("1")).ok());
    ASSERT_TRUE(change(new_set("2")).ok());
    ASSERT_TRUE(change(compatible("1", "1.1")).ok());
    EXPECT_EQ(sets(), (Sets{{"1", "1.1"}, {"2"}}));
    ASSERT_TRUE(change(compatible("1", "1.2", true)).ok());
    EXPECT_EQ(sets(), (Sets{{"2"}, {"1", "1.1", "1.2"}}));
    EXPECT_EQ(message_of(change(compatible("1", "1.1"))),
              "version 1.1 already exists and is not default in set");
    EXPECT_EQ(message_of(change(compatible("none", "3"))),
              "targeted compatible_version none not found");
    EXPECT_EQ(message_of(change(compatible("2", "1.2"))),
              "1.2 requested to be made compatible with 2 but both versions exist and are "
              "incompatible");
}

TEST_F(VersionSetsTest, SetsAndBuildsArePromotedToTheEnd) {
    for (const char* build : {"1", "2", "3"}) ASSERT_TRUE(change(new_set(build)).ok());
    ASSERT_TRUE(change(compatible("1", "1.1")).ok());
    Request promote = new_set("");
    promote.set_promote_set_by_build_id("1");
    ASSERT_TRUE(change(promote).ok());
    EXPECT_EQ(sets(), (Sets{{"2"}, {"3"}, {"1", "1.1"}}));
    promote.set_promote_build_id_within_set("1");
    ASSERT_TRUE(change(promote).ok());
    EXPECT_EQ(sets(), (Sets{{"2"}, {"3"}, {"1.1", "1"}}));
    promote.set_promote_build_id_within_set("none");
    EXPECT_EQ(message_of(change(promote)), "targeted version none not found");
}

TEST_F(VersionSetsTest, AMergeKeepsTheDefaultOfTheFirstAndThePlaceOfTheLater) {
    for (const char* build : {"1", "2", "3"}) ASSERT_TRUE(change(new_set(build)).ok());
    Request merge = new_set("");
    merge.mutable_merge_sets()->set_primary_set_build_id("1");
    merge.mutable_merge_sets()->set_secondary_set_build_id("3");
    ASSERT_TRUE(change(merge).ok());
    EXPECT_EQ(sets(), (Sets{{"2"}, {"3", "1"}}));
}

TEST_F(VersionSetsTest, OverALimitNothingIsAdded) {
    limits_ = {2, 3};
    ASSERT_TRUE(change(new_set("1")).ok());
    ASSERT_TRUE(change(new_set("2")).ok());
    EXPECT_EQ(change(new_set("3")).code(), absl::StatusCode::kFailedPrecondition);
    ASSERT_TRUE(change(compatible("1", "1.1")).ok());
    EXPECT_EQ(change(compatible("1", "1.2")).code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(sets(), (Sets{{"1", "1.1"}, {"2"}}));
}

// ---- The calls -------------------------------------------------------------------------------------

class VersioningCallsTest : public ::testing::Test, protected TestFrontend {
protected:
    VersioningCallsTest() {
        settings.versioning.sets_allowed = true;
        restart();
        create("space");
    }
    absl::Status update(const Request& request) {
        return ask<service::UpdateWorkerBuildIdCompatibilityResponse>(
                   "UpdateWorkerBuildIdCompatibility", request)
            .status();
    }
    void start_workflow() {
        service::StartWorkflowExecutionRequest request;
        request.set_namespace_("space");
        request.set_workflow_id("order");
        request.mutable_workflow_type()->set_name("order");
        request.mutable_task_queue()->set_name("queue");
        ASSERT_TRUE(
            ask<service::StartWorkflowExecutionResponse>("StartWorkflowExecution", request).ok());
    }
    std::vector<int> reach(const std::string& build, enums::TaskReachability kind) {
        service::GetWorkerTaskReachabilityRequest request;
        request.set_namespace_("space");
        request.add_build_ids(build);
        request.add_task_queues("queue");
        request.set_reachability(kind);
        const auto found =
            ask<service::GetWorkerTaskReachabilityResponse>("GetWorkerTaskReachability", request);
        EXPECT_TRUE(found.ok()) << found.status();
        const auto& reachability =
            found->build_id_reachability(0).task_queue_reachability(0).reachability();
        return {reachability.begin(), reachability.end()};
    }
    static constexpr int kNew = enums::TASK_REACHABILITY_NEW_WORKFLOWS;
    static constexpr auto kOpen = enums::TASK_REACHABILITY_OPEN_WORKFLOWS;
};

TEST_F(VersioningCallsTest, SetsComeBackAfterARestart) {
    ASSERT_TRUE(update(new_set("1")).ok());
    ASSERT_TRUE(update(new_set("2")).ok());
    restart();
    service::GetWorkerBuildIdCompatibilityRequest request;
    request.set_namespace_("space");
    request.set_task_queue("queue");
    request.set_max_sets(1);
    const auto sets = ask<service::GetWorkerBuildIdCompatibilityResponse>(
        "GetWorkerBuildIdCompatibility", request);
    ASSERT_TRUE(sets.ok()) << sets.status();
    ASSERT_EQ(sets->major_version_sets_size(), 1);
    EXPECT_EQ(sets->major_version_sets(0).build_ids(0), "2");
}

TEST_F(VersioningCallsTest, AWorkflowThatNoWorkerHasTouchedReachesTheDefaultBuild) {
    ASSERT_TRUE(update(new_set("1")).ok());
    EXPECT_EQ(reach("1", kOpen), std::vector<int>{kNew});
    start_workflow();
    EXPECT_EQ(reach("1", kOpen), (std::vector<int>{kNew, kOpen}));
    EXPECT_EQ(reach("unknown", kOpen), std::vector<int>());
}

TEST_F(VersioningCallsTest, ASetThatIsNoMoreTheDefaultIsReachableForAWhile) {
    ASSERT_TRUE(update(new_set("1")).ok());
    ASSERT_TRUE(update(new_set("2")).ok());
    EXPECT_EQ(reach("1", kOpen), std::vector<int>{kNew});
    EXPECT_EQ(reach("", kOpen), std::vector<int>{kNew});
    sim.run_for(std::chrono::minutes(6));
    EXPECT_EQ(reach("1", kOpen), std::vector<int>());
    EXPECT_EQ(reach("", kOpen), std::vector<int>());
    EXPECT_EQ(reach("2", kOpen), std::vector<int>{kNew});
}

TEST_F(VersioningCallsTest, WhereItIsNotAllowedItIsRefused) {
    settings.versioning.sets_allowed = false;
    restart();
    EXPECT_EQ(update(new_set("1")).code(), absl::StatusCode::kPermissionDenied);
}

TEST_F(VersioningCallsTest, WhatIsMissingInARequestIsTold) {
    EXPECT_EQ(message_of(update(new_set(""))),
              "request to update worker build ID compatability requires: , "
              "`add_new_version_id_in_new_default_set` to be set");
    EXPECT_EQ(update(new_set(std::string(256, 'b'))).code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace stele::frontend
