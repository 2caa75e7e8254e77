#include "history/children.h"
#include "history/reset.h"
#include "history/scenario_testing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stele::history::testing {
namespace {

namespace enums = api::enums::v1;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Command start_child(const std::string& workflow_id) {
    Command command;
    command.set_command_type(enums::COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION);
    auto& attributes = *command.mutable_start_child_workflow_execution_command_attributes();
    attributes.set_workflow_id(workflow_id);
    attributes.mutable_workflow_type()->set_name("child type");
    *attributes.mutable_input() = payloads("input");
    return command;
}

template <typename Change>
Command start_child(const std::string& workflow_id, Change change) {
    Command command = start_child(workflow_id);
    change(*command.mutable_start_child_workflow_execution_command_attributes());
    return command;
}

HistoryEvent completed(const std::string& result) {
    HistoryEvent event;
    event.set_event_type(enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED);
    *event.mutable_workflow_execution_completed_event_attributes()->mutable_result() =
        payloads(result);
    return event;
}

/// A parent, with what its children would tell it.
class ParentTest : public ::testing::Test {
protected:
    ParentTest() {
        scenario_.start([](StartInput& input) {
            input.request.mutable_priority()->set_priority_key(2);
            input.request.mutable_priority()->set_fairness_key("tenant");
        });
    }

    const storage::ChildRow& child(std::int64_t initiated) {
        const storage::ChildRow* row = scenario_.run().children.find(initiated);
        EXPECT_NE(row, nullptr);
        return *row;
    }
    void record_started(std::int64_t initiated) {
        scenario_.apply(
            record_child_started(scenario_.run(), EventId(initiated), scenario_.context()));
    }
    ChildReport report_of(std::int64_t initiated, HistoryEvent closing) {
        ChildReport report;
        report.initiated = EventId(initiated);
        report.execution.set_workflow_id(child(initiated).workflow_id());
        report.execution.set_run_id("last-run");
        report.chain_run_id = child(initiated).create_request_id();
        report.closing_event = std::move(closing);
        return report;
    }
    void record_closed(const ChildReport& report) {
        scenario_.apply(record_child_closed(scenario_.run(), report, scenario_.context()));
    }
    std::string refusal_of(Command command) {
        scenario_.start_task();
        std::vector<Command> commands;
        commands.push_back(std::move(command));
        return message_of(scenario_.complete_task(std::move(commands)).refusal);
    }

    Scenario scenario_;
};

TEST_F(ParentTest, AChildIsInitiatedWithItsDefaultsAndAskedForThroughTheOutbox) {
    scenario_.run_task({start_child("child")});
    const HistoryEvent& event = scenario_.history().events(4);
    ASSERT_EQ(event.event_type(), enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED);
    const auto& initiated = event.start_child_workflow_execution_initiated_event_attributes();
    EXPECT_EQ(initiated.workflow_task_completed_event_id(), 4);
    EXPECT_EQ(initiated.namespace_(), "default");
    EXPECT_EQ(initiated.task_queue().name(), "queue");
    EXPECT_EQ(initiated.parent_close_policy(), enums::PARENT_CLOSE_POLICY_TERMINATE);
    EXPECT_EQ(initiated.workflow_id_reuse_policy(),
              enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE);
    EXPECT_EQ(from_proto(initiated.workflow_task_timeout()), seconds(10));
    ASSERT_THAT(scenario_.outbox(), SizeIs(1));
    EXPECT_EQ(scenario_.outbox()[0].kind(), storage::OutboxRow::KIND_START_CHILD);
    EXPECT_EQ(scenario_.outbox()[0].initiated_event_id(), 5);
}

TEST_F(ParentTest, TheChildInheritsRootAndWhatItLeavesOpenOfThePriority) {
    scenario_.run_task({start_child(
        "child", [](auto& attributes) { attributes.mutable_priority()->set_priority_key(4); })});
    const ChildStart start = child_start(scenario_.run(), child(5));
    EXPECT_EQ(start.request.priority().priority_key(), 4);
    EXPECT_EQ(start.request.priority().fairness_key(), "tenant");
    EXPECT_EQ(start.parent.root.workflow_id(), "workflow");
    EXPECT_EQ(start.parent.root.run_id(), "run-1");
    EXPECT_EQ(start.parent.execution.run_id(), "run-1");
    EXPECT_EQ(start.parent.initiated, EventId(5));
    EXPECT_EQ(start.run_id, start.request.request_id());
}

TEST_F(ParentTest, AStartIsRecordedOnceAndReleasesTheChild) {
    scenario_.run_task({start_child("child")});
    record_started(5);
    EXPECT_THAT(scenario_.text_after(5), HasSubstr("6 ChildWorkflowExecutionStarted"));
    EXPECT_EQ(child(5).started_event_id(), 6);
    EXPECT_EQ(child(5).run_id(), child(5).create_request_id());
    ASSERT_THAT(scenario_.outbox(), SizeIs(2));
    EXPECT_EQ(scenario_.outbox()[1].kind(), storage::OutboxRow::KIND_RELEASE_CHILD);
    EXPECT_EQ(scenario_.outbox()[1].target_run_id(), child(5).run_id());
    const std::int64_t last = scenario_.last_event();
    record_started(5);
    EXPECT_EQ(scenario_.last_event(), last);
}

TEST_F(ParentTest, AnOutcomeIsRecordedOnce) {
    scenario_.run_task({start_child("child")});
    record_started(5);
    const ChildReport report = report_of(5, completed("done"));
    record_closed(report);
    record_closed(report);
    const auto& attributes =
        scenario_.history().events(7).child_workflow_execution_completed_event_attributes();
    EXPECT_EQ(attributes.initiated_event_id(), 5);
    EXPECT_EQ(attributes.started_event_id(), 6);
    EXPECT_EQ(attributes.result().payloads(0).data(), "done");
    EXPECT_EQ(attributes.workflow_execution().run_id(), "last-run");
    EXPECT_EQ(scenario_.last_event(), 8);
    EXPECT_TRUE(scenario_.run().children.empty());
}

TEST_F(ParentTest, AnOutcomeThatOvertakesTheStartBringsTheStart) {
    scenario_.run_task({start_child("child")});
    HistoryEvent terminated;
    terminated.set_event_type(enums::EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED);
    record_closed(report_of(5, terminated));
    EXPECT_EQ(scenario_.text_after(5),
              "6 ChildWorkflowExecutionStarted\n7 ChildWorkflowExecutionTerminated\n"
              "8 WorkflowTaskScheduled\n");
}

TEST_F(ParentTest, StartAndOutcomeThatWaitForAWorkflowTaskKnowEachOther) {
    scenario_.run_task({start_child("child")});
    scenario_.signal("go on");
    scenario_.start_task();
    record_started(5);
    EXPECT_TRUE(is_started(child(5)));
    EXPECT_EQ(child(5).started_event_id(), 0);
    record_closed(report_of(5, completed("done")));
    scenario_.complete_task({});
    const auto& events = scenario_.history().events();
    ASSERT_EQ(events[9].event_type(), enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED);
    EXPECT_EQ(events[10].child_workflow_execution_completed_event_attributes().started_event_id(),
              10);
}

TEST_F(ParentTest, AStartThatWaitedForAWorkflowTaskGetsItsIdWithIt) {
    scenario_.run_task({start_child("child")});
    scenario_.signal("go on");
    scenario_.start_task();
    record_started(5);
    scenario_.complete_task({});
    EXPECT_EQ(child(5).started_event_id(), 10);
}

TEST_F(ParentTest, AChildThatCanNotBeStartedFails) {
    scenario_.run_task({start_child("child")});
    scenario_.apply(record_child_not_started(
        scenario_.run(), EventId(5),
        enums::START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS,
        scenario_.context()));
    const auto& failed =
        scenario_.history().events(5).start_child_workflow_execution_failed_event_attributes();
    EXPECT_EQ(failed.workflow_id(), "child");
    EXPECT_EQ(failed.initiated_event_id(), 5);
    EXPECT_TRUE(scenario_.run().children.empty());
    EXPECT_TRUE(scenario_.workflow_task_is_queued());
}

TEST_F(ParentTest, AReportOfAnotherChildOfThatIdIsIgnored) {
    scenario_.run_task({start_child("child")});
    ChildReport report = report_of(5, completed("done"));
    report.chain_run_id = "of another start";
    record_closed(report);
    EXPECT_EQ(scenario_.last_event(), 5);
}

TEST_F(ParentTest, EveryPolicyIsAppliedWhenTheParentCloses) {
    const auto with = [](const std::string& id, enums::ParentClosePolicy policy) {
        return start_child(id, [policy](auto& a) { a.set_parent_close_policy(policy); });
    };
    scenario_.run_task({with("ended", enums::PARENT_CLOSE_POLICY_TERMINATE),
                        with("cancelled", enums::PARENT_CLOSE_POLICY_REQUEST_CANCEL),
                        with("left", enums::PARENT_CLOSE_POLICY_ABANDON)});
    for (const std::int64_t initiated : {5, 6, 7}) record_started(initiated);
    const std::size_t before = scenario_.outbox().size();
    scenario_.terminate();
    ASSERT_EQ(scenario_.outbox().size(), before + 2);
    const storage::OutboxRow& first = scenario_.outbox()[before];
    EXPECT_EQ(first.kind(), storage::OutboxRow::KIND_END_CHILD);
    EXPECT_EQ(first.target_workflow_id(), "ended");
    EXPECT_EQ(first.parent_close_policy(), enums::PARENT_CLOSE_POLICY_TERMINATE);
    EXPECT_EQ(scenario_.outbox()[before + 1].target_workflow_id(), "cancelled");
}

TEST_F(ParentTest, AStartUnderWayWhenTheParentClosesIsReplacedUnderItsOwnId) {
    scenario_.run_task({start_child("child"), start_child("left", [](auto& attributes) {
                            attributes.set_parent_close_policy(enums::PARENT_CLOSE_POLICY_ABANDON);
                        })});
    scenario_.terminate();
    ASSERT_THAT(scenario_.outbox(), SizeIs(4));
    EXPECT_EQ(scenario_.outbox()[2].kind(), storage::OutboxRow::KIND_END_CHILD);
    EXPECT_EQ(scenario_.outbox()[2].initiated_event_id(),
              scenario_.outbox()[0].initiated_event_id());
    EXPECT_EQ(scenario_.outbox()[3].kind(), storage::OutboxRow::KIND_RELEASE_CHILD);
    EXPECT_EQ(scenario_.outbox()[3].initiated_event_id(),
              scenario_.outbox()[1].initiated_event_id());
}

TEST_F(ParentTest, StartAndCancelOfAChildInOneTaskAreRefused) {
    scenario_.start_task();
    const auto refused =
        scenario_.complete_task({start_child("child"), cancel_external("child")}).refusal;
    EXPECT_THAT(message_of(refused),
                HasSubstr("Start and RequestCancel for child workflow is not allowed in same "
                          "workflow task. WorkflowId=child RunId= Namespace="));
    EXPECT_TRUE(scenario_.run().children.empty());
    EXPECT_THAT(scenario_.outbox(), IsEmpty());
}

TEST_F(ParentTest, RefusalsSayWhatIsWrong) {
    EXPECT_THAT(refusal_of(start_child("")),
                HasSubstr("BadStartChildExecutionAttributes: Required field WorkflowId is not set "
                          "on StartChildWorkflowExecutionCommand. WorkflowType=child type "
                          "Namespace=default"));
}

TEST_F(ParentTest, ABadCronScheduleIsRefused) {
    EXPECT_THAT(refusal_of(start_child(
                    "child", [](auto& attributes) { attributes.set_cron_schedule("never"); })),
                HasSubstr("invalid CronSchedule on StartChildWorkflowExecutionCommand: invalid "
                          "CronSchedule.. WorkflowId=child WorkflowType=child type "
                          "Namespace=default"));
}

TEST_F(ParentTest, TheServersOwnQueueIsRefused) {
    EXPECT_THAT(refusal_of(start_child("child",
                                       [](auto& attributes) {
                                           attributes.mutable_task_queue()->set_name(
                                               "temporal-sys-per-ns-tq");
                                       })),
                HasSubstr("cannot use internal per-namespace task queue:temporal-sys-per-ns-tq"));
}

TEST_F(ParentTest, AnotherNamespaceIsRefused) {
    EXPECT_THAT(refusal_of(start_child(
                    "child", [](auto& attributes) { attributes.set_namespace_("elsewhere"); })),
                HasSubstr("cross namespace commands are not allowed"));
}

TEST_F(ParentTest, AChildMayBeInAnotherNamespaceWhereThatIsAllowed) {
    scenario_.limits().cross_namespace_commands = true;
    scenario_.other_namespaces()["elsewhere"] = "elsewhere-id";
    scenario_.run_task(
        {start_child("child", [](auto& attributes) { attributes.set_namespace_("elsewhere"); })});
    ASSERT_EQ(scenario_.outbox().size(), 1U);
    const storage::ChildRow& child = *scenario_.run().children.find(5);
    EXPECT_EQ(child.namespace_id(), "elsewhere-id");
    EXPECT_EQ(child_start(scenario_.run(), child).request.namespace_(), "elsewhere");
}

TEST_F(ParentTest, ThereIsALimitOfPendingChildren) {
    scenario_.limits().pending_children = 1;
    scenario_.run_task({start_child("first")});
    record_started(5);
    scenario_.start_task();
    const auto refused = scenario_.complete_task({start_child("second")}).refusal;
    EXPECT_EQ(message_of(refused),
              "PendingChildWorkflowsLimitExceeded: the number of pending child workflow "
              "executions, 1, has reached the per-workflow limit of 1");
}

/// A run that is a child itself.
class ChildTest : public ::testing::Test {
protected:
    void start(const std::function<void(StartInput&)>& change = {}) {
        scenario_.start([&](StartInput& input) {
            ParentLink parent;
            parent.namespace_id = "namespace-id";
            parent.namespace_name = "default";
            parent.execution.set_workflow_id("parent");
            parent.execution.set_run_id("parent-run");
            parent.initiated = EventId(9);
            parent.root.set_workflow_id("root");
            parent.root.set_run_id("root-run");
            input.parent = std::move(parent);
            if (change) change(input);
        });
    }
    void release() { scenario_.apply(release_child(scenario_.run(), scenario_.context())); }
    void cancel_as_left() {
        scenario_.apply(cancel_left_child(scenario_.run(), {}, scenario_.context()));
    }

    Scenario scenario_;
};

TEST_F(ChildTest, KnowsItsParentAndItsRoot) {
    start();
    const auto& started =
        scenario_.history().events(0).workflow_execution_started_event_attributes();
    EXPECT_EQ(started.parent_workflow_execution().workflow_id(), "parent");
    EXPECT_EQ(started.parent_workflow_namespace(), "default");
    EXPECT_EQ(started.parent_initiated_event_id(), 9);
    EXPECT_EQ(started.root_workflow_execution().run_id(), "root-run");
}

TEST_F(ChildTest, HasNoWorkflowTaskUntilItIsReleased) {
    start();
    EXPECT_EQ(scenario_.last_event(), 1);
    scenario_.signal("early");
    EXPECT_FALSE(scenario_.workflow_task_is_queued());
    release();
    EXPECT_TRUE(scenario_.workflow_task_is_queued());
    const std::int64_t last = scenario_.last_event();
    release();
    EXPECT_EQ(scenario_.last_event(), last);
}

TEST_F(ChildTest, BeginsWhenItsParentClosesBeforeItsRelease) {
    start();
    cancel_as_left();
    EXPECT_TRUE(scenario_.run().header.cancel_requested());
    EXPECT_TRUE(scenario_.workflow_task_is_queued());
    const std::int64_t last = scenario_.last_event();
    cancel_as_left();
    EXPECT_EQ(scenario_.last_event(), last);
}

TEST_F(ChildTest, BeginsWhenItIsLeftAlthoughItWasCancelledBefore) {
    start();
    scenario_.apply(request_cancel(scenario_.run(), {}, scenario_.context()));
    EXPECT_FALSE(scenario_.workflow_task_is_queued());
    cancel_as_left();
    EXPECT_TRUE(scenario_.workflow_task_is_queued());
    ASSERT_EQ(scenario_.last_event(), 3);
    EXPECT_EQ(scenario_.history().events(1).event_type(),
              enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED);
}

TEST_F(ChildTest, ReportsItsEnd) {
    start();
    release();
    scenario_.run_task({complete_workflow()});
    ASSERT_THAT(scenario_.outbox(), SizeIs(1));
    const storage::OutboxRow& row = scenario_.outbox()[0];
    EXPECT_EQ(row.kind(), storage::OutboxRow::KIND_REPORT_TO_PARENT);
    EXPECT_EQ(row.target_workflow_id(), "parent");
    EXPECT_EQ(row.target_run_id(), "parent-run");
    EXPECT_EQ(row.target_initiated_event_id(), 9);
    EXPECT_EQ(row.chain_run_id(), "run-1");
    EXPECT_EQ(row.closing_event().event_type(), enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED);
    EXPECT_EQ(row.initiated_event_id(), row.closing_event().event_id());
}

TEST_F(ChildTest, SaysNothingWhenItIsTriedAgain) {
    start([](StartInput& input) { input.request.mutable_retry_policy()->set_maximum_attempts(2); });
    release();
    Command fail;
    fail.set_command_type(enums::COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION);
    *fail.mutable_fail_workflow_execution_command_attributes()->mutable_failure() =
        application_failure("boom");
    scenario_.run_task({fail});
    EXPECT_FALSE(scenario_.run().is_open());
    EXPECT_THAT(scenario_.outbox(), IsEmpty());
}

TEST_F(ChildTest, ReportsATerminationBeforeItsFirstTask) {
    start();
    scenario_.terminate();
    ASSERT_THAT(scenario_.outbox(), SizeIs(1));
    EXPECT_EQ(scenario_.outbox()[0].closing_event().event_type(),
              enums::EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED);
}

TEST_F(ParentTest, AResetLeavesItsChildrenButThoseThatMayNotExistYet) {
    scenario_.run_task({start_child("running"), start_child("pending")});
    record_started(5);
    const auto applied =
        terminate_for_reset(scenario_.run(), "reset", "new-run", scenario_.context());
    ASSERT_TRUE(applied.ok());
    ASSERT_THAT(applied->transition.outbox, SizeIs(1));
    EXPECT_EQ(applied->transition.outbox[0].kind(), storage::OutboxRow::KIND_END_CHILD);
    EXPECT_EQ(applied->transition.outbox[0].target_workflow_id(), "pending");
}

}  // namespace
}  // namespace stele::history::testing
