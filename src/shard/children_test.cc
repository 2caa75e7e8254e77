#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "shard/server_testing.h"
#include "shard/verify.h"

// Parents and children, mostly in different shards, with crashes at every step between them.
namespace stele::shard::testing {
namespace {

namespace enums = api::enums::v1;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

EngineOptions many_shards() {
    EngineOptions options;
    options.shard_count = 4;
    return options;
}

int count(const std::string& text, const std::string& word) {
    int found = 0;
    for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
        ++found;
    }
    return found;
}

class Children : public ::testing::Test {
protected:
    explicit Children(std::uint64_t seed = 1) : server_(seed, many_shards()) {}

    /// Starts the parent and completes its first task with these commands.
    void begin(TestServer& server, const std::vector<api::command::v1::Command>& commands) {
        ASSERT_TRUE(server.start("parent").ok());
        const auto task = server.poll();
        ASSERT_TRUE(task.ok()) << message_of(task.status());
        ASSERT_TRUE(server.complete(*task, commands).ok());
    }
    void begin(const std::vector<api::command::v1::Command>& commands) { begin(server_, commands); }
    void complete_child(TestServer& server) {
        const auto task = server.poll("child-queue");
        ASSERT_TRUE(task.ok()) << message_of(task.status());
        ASSERT_TRUE(server.complete(*task, {complete_workflow()}).ok());
        server.settle();
    }

    TestServer server_;
};

TEST_F(Children, AChildRunsAndItsParentLearnsOfIt) {
    begin({start_child("child")});
    server_.settle();
    EXPECT_THAT(server_.events("parent"), HasSubstr("CHILD_WORKFLOW_EXECUTION_STARTED"));
    complete_child(server_);
    EXPECT_THAT(server_.events("parent"), HasSubstr("CHILD_WORKFLOW_EXECUTION_COMPLETED"));
    EXPECT_THAT(server_.events("child"), EndsWith("WORKFLOW_EXECUTION_COMPLETED"));
    EXPECT_THAT(server_.violations(), IsEmpty());
}

TEST_F(Children, AWorkflowIdInUseFailsTheStart) {
    auto other = server_.start_request("child");
    other.mutable_task_queue()->set_name("other");
    ASSERT_TRUE(server_.start(other).ok());
    begin({start_child("child")});
    server_.settle();
    EXPECT_THAT(server_.events("parent"),
                HasSubstr("START_CHILD_WORKFLOW_EXECUTION_FAILED WORKFLOW_TASK_SCHEDULED"));
    EXPECT_THAT(server_.violations(), IsEmpty());
}

TEST_F(Children, OnlyTheLastRunOfAChildIsReported) {
    begin({start_child("child")});
    server_.settle();
    const auto first = server_.poll("child-queue");
    ASSERT_TRUE(first.ok());
    ASSERT_TRUE(server_.complete(*first, {continue_as_new()}).ok());
    server_.sim().run_for(std::chrono::seconds(2));
    EXPECT_THAT(server_.events("parent"), Not(HasSubstr("CHILD_WORKFLOW_EXECUTION_COMPLETED")));
    complete_child(server_);
    EXPECT_THAT(server_.events("parent"), HasSubstr("CHILD_WORKFLOW_EXECUTION_COMPLETED"));
    EXPECT_THAT(server_.violations(), IsEmpty());
}

TEST_F(Children, ThePolicyReachesAChildInWhicheverRunItIs) {
    begin({start_child("child")});
    server_.settle();
    const auto first = server_.poll("child-queue");
    ASSERT_TRUE(first.ok());
    ASSERT_TRUE(server_.complete(*first, {continue_as_new()}).ok());
    server_.sim().run_for(std::chrono::seconds(2));
    ASSERT_TRUE(server_.terminate("parent").ok());
    server_.settle();
    EXPECT_THAT(server_.events("child"), EndsWith("WORKFLOW_EXECUTION_TERMINATED"));
    EXPECT_THAT(server_.violations(), IsEmpty());
}

TEST_F(Children, EachPolicyDoesWhatItSays) {
    begin({start_child("ended", enums::PARENT_CLOSE_POLICY_TERMINATE),
           start_child("cancelled", enums::PARENT_CLOSE_POLICY_REQUEST_CANCEL),
           start_child("left", enums::PARENT_CLOSE_POLICY_ABANDON)});
    server_.settle();
    const auto task = server_.poll();
    ASSERT_TRUE(task.ok());
    ASSERT_TRUE(server_.complete(*task, {complete_workflow()}).ok());
    server_.settle();
    EXPECT_THAT(server_.events("ended"), EndsWith("WORKFLOW_EXECUTION_TERMINATED"));
    EXPECT_THAT(server_.events("cancelled"), HasSubstr("WORKFLOW_EXECUTION_CANCEL_REQUESTED"));
    EXPECT_THAT(server_.events("left"), EndsWith("WORKFLOW_TASK_SCHEDULED"));
    EXPECT_THAT(server_.violations(), IsEmpty());
}

TEST_F(Children, ManyChildrenAreEndedAtOnce) {
    std::vector<api::command::v1::Command> commands;
    for (int i = 0; i < 60; ++i) commands.push_back(start_child("child-" + std::to_string(i)));
    begin(commands);
    server_.settle();
    ASSERT_TRUE(server_.terminate("parent").ok());
    server_.settle();
    for (int i = 0; i < 60; ++i) {
        EXPECT_THAT(server_.events("child-" + std::to_string(i)),
                    EndsWith("WORKFLOW_EXECUTION_TERMINATED"));
    }
    EXPECT_THAT(server_.violations(), IsEmpty());
}

TEST_F(Children, AContinuedParentEndsItsChildrenToo) {
    begin({start_child("child")});
    server_.settle();
    const auto task = server_.poll();
    ASSERT_TRUE(task.ok());
    ASSERT_TRUE(server_.complete(*task, {continue_as_new()}).ok());
    server_.settle();
    EXPECT_THAT(server_.events("child"), EndsWith("WORKFLOW_EXECUTION_TERMINATED"));
    EXPECT_THAT(server_.violations(), IsEmpty());
}

TEST_F(Children, AParentThatClosesInTheTaskThatStartsAChildStartsNone) {
    begin({start_child("child"), start_child("left", enums::PARENT_CLOSE_POLICY_ABANDON),
           complete_workflow()});
    server_.settle();
    EXPECT_THAT(server_.events("child"), HasSubstr("not found"));
    EXPECT_THAT(server_.events("left"), HasSubstr("not found"));
    EXPECT_THAT(server_.violations(), IsEmpty());
}

/// The server loses its power after every so many steps of a story, and the story goes on.
class ChildCrash : public ::testing::TestWithParam<int> {
protected:
    void crash_after(TestServer& server, int steps) {
        for (int i = 0; i < steps; ++i) server.sim().run_one();
        server.lose_power();
        EXPECT_THAT(verify_store(server.disk().content()), IsEmpty());
        server.settle();
    }
};

TEST_P(ChildCrash, NeitherStartNorOutcomeIsLostOrRepeated) {
    TestServer server(static_cast<std::uint64_t>(GetParam()) + 1, many_shards());
    ASSERT_TRUE(server.start("parent").ok());
    const auto first = server.poll();
    ASSERT_TRUE(first.ok());
    ASSERT_TRUE(server.complete(*first, {start_child("child")}).ok());
    crash_after(server, GetParam());
    EXPECT_EQ(count(server.events("parent"), " CHILD_WORKFLOW_EXECUTION_STARTED"), 1);
    const auto task = server.poll("child-queue");
    ASSERT_TRUE(task.ok()) << message_of(task.status());
    ASSERT_TRUE(server.complete(*task, {complete_workflow()}).ok());
    crash_after(server, GetParam());
    EXPECT_EQ(count(server.events("parent"), "CHILD_WORKFLOW_EXECUTION_COMPLETED"), 1);
    EXPECT_THAT(server.violations(), IsEmpty());
}

TEST_P(ChildCrash, AParentThatClosesWhileAStartIsUnderWayLeavesNoChildBehind) {
    TestServer server(static_cast<std::uint64_t>(GetParam()) + 1, many_shards());
    ASSERT_TRUE(server.start("parent").ok());
    const auto first = server.poll();
    ASSERT_TRUE(first.ok());
    ASSERT_TRUE(server
                    .complete(*first, {start_child("ended"),
                                       start_child("left", enums::PARENT_CLOSE_POLICY_ABANDON)})
                    .ok());
    for (int i = 0; i < GetParam(); ++i) server.sim().run_one();
    ASSERT_TRUE(server.terminate("parent").ok());
    crash_after(server, GetParam() % 7);
    // Either it never came to exist, or it was told that its parent is gone.
    EXPECT_THAT(server.events("ended"), ::testing::AnyOf(HasSubstr("not found"),
                                                         EndsWith("WORKFLOW_EXECUTION_TERMINATED")));
    // And an abandoned child that exists can run.
    EXPECT_THAT(server.events("left"), ::testing::AnyOf(HasSubstr("not found"),
                                                        EndsWith("WORKFLOW_TASK_SCHEDULED")));
    EXPECT_THAT(server.violations(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(EverySoManySteps, ChildCrash, ::testing::Range(0, 60, 2));

}  // namespace
}  // namespace stele::shard::testing
