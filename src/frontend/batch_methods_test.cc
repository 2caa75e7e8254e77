#include "frontend/frontend_testing.h"

#include "temporal/api/enums/v1/batch_operation.pb.h"
#include "temporal/api/enums/v1/common.pb.h"
#include "temporal/api/enums/v1/event_type.pb.h"

namespace stele::frontend {
namespace {

namespace api = temporal::api;
namespace enums = api::enums::v1;
namespace service = api::workflowservice::v1;

using Description = service::DescribeBatchOperationResponse;

class BatchTest : public ::testing::Test, protected TestFrontend {
protected:
    BatchTest() {
        settings.batches.runs_per_second = 1000;
        restart();
        create("space");
    }

    void start_workflow(const std::string& id, const std::string& type = "order") {
        service::StartWorkflowExecutionRequest request;
        request.set_namespace_("space");
        request.set_workflow_id(id);
        request.mutable_workflow_type()->set_name(type);
        request.mutable_task_queue()->set_name("queue");
        const auto started =
            ask<service::StartWorkflowExecutionResponse>("StartWorkflowExecution", request);
        ASSERT_TRUE(started.ok()) << started.status();
    }
    void start_workflows(int count) {
        for (int i = 0; i < count; ++i) start_workflow("order-" + std::to_string(i));
    }

    static service::StartBatchOperationRequest make_job(const std::string& job_id) {
        service::StartBatchOperationRequest request;
        request.set_namespace_("space");
        request.set_job_id(job_id);
        request.set_reason("because");
        return request;
    }
    static service::StartBatchOperationRequest make_signal(const std::string& job_id) {
        auto request = make_job(job_id);
        request.set_visibility_query("WorkflowType = 'order'");
        request.mutable_signal_operation()->set_signal("go");
        request.mutable_signal_operation()->set_identity("operator");
        return request;
    }
    absl::Status start(const service::StartBatchOperationRequest& request) {
        return ask<service::StartBatchOperationResponse>("StartBatchOperation", request).status();
    }
    absl::Status stop(const std::string& job_id) {
        service::StopBatchOperationRequest request;
        request.set_namespace_("space");
        request.set_job_id(job_id);
        request.set_reason("enough");
        return ask<service::StopBatchOperationResponse>("StopBatchOperation", request).status();
    }
    absl::StatusOr<Description> describe(const std::string& job_id) {
        service::DescribeBatchOperationRequest request;
        request.set_namespace_("space");
        request.set_job_id(job_id);
        return ask<Description>("DescribeBatchOperation", request);
    }
    Description finish(const std::string& job_id) {
        for (int i = 0; i < 600; ++i) {
            const auto description = describe(job_id);
            EXPECT_TRUE(description.ok()) << description.status();
            if (description->state() != enums::BATCH_OPERATION_STATE_RUNNING) return *description;
            sim.run_for(std::chrono::seconds(1));
        }
        ADD_FAILURE() << job_id << " does not end";
        return {};
    }
    int count_events(const std::string& workflow_id, enums::EventType type) {
        service::GetWorkflowExecutionHistoryRequest request;
        request.set_namespace_("space");
        request.mutable_execution()->set_workflow_id(workflow_id);
        const auto history = ask<service::GetWorkflowExecutionHistoryResponse>(
            "GetWorkflowExecutionHistory", request);
        EXPECT_TRUE(history.ok()) << history.status();
        int count = 0;
        for (const auto& event : history->history().events()) {
            if (event.event_type() == type) ++count;
        }
        return count;
    }
    int signals_of(const std::string& workflow_id) {
        return count_events(workflow_id, enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED);
    }
};

TEST_F(BatchTest, OperatesOnEveryRunThatTheQueryMeansAndTellsHowManyThereWere) {
    start_workflows(3);
    start_workflow("other", "other");
    ASSERT_TRUE(start(make_signal("job")).ok());
    const Description done = finish("job");
    EXPECT_EQ(done.state(), enums::BATCH_OPERATION_STATE_COMPLETED);
    EXPECT_EQ(done.total_operation_count(), 3);
    EXPECT_EQ(done.complete_operation_count(), 3);
    EXPECT_EQ(done.failure_operation_count(), 0);
    EXPECT_EQ(done.operation_type(), enums::BATCH_OPERATION_TYPE_SIGNAL_WORKFLOW);
    EXPECT_EQ(done.identity(), "operator");
    EXPECT_EQ(done.query(), "WorkflowType = 'order'");
    EXPECT_TRUE(done.has_close_time());
    for (int i = 0; i < 3; ++i) EXPECT_EQ(signals_of("order-" + std::to_string(i)), 1);
    EXPECT_EQ(signals_of("other"), 0);
}

TEST_F(BatchTest, SeveralPagesAreDoneOneAfterTheOther) {
    start_workflows(250);
    ASSERT_TRUE(start(make_signal("job")).ok());
    EXPECT_EQ(finish("job").complete_operation_count(), 250);
    EXPECT_EQ(signals_of("order-0"), 1);
    EXPECT_EQ(signals_of("order-249"), 1);
}

TEST_F(BatchTest, ARestartGoesOnAndSignalsNoRunTwice) {
    settings.batches.runs_per_second = 10;
    restart();
    start_workflows(120);
    ASSERT_TRUE(start(make_signal("job")).ok());
    sim.run_for(std::chrono::seconds(5));
    EXPECT_EQ(describe("job")->state(), enums::BATCH_OPERATION_STATE_RUNNING);
    restart();
    sim.run_for(std::chrono::seconds(8));
    restart();
    EXPECT_EQ(finish("job").complete_operation_count(), 120);
    for (int i = 0; i < 120; ++i) EXPECT_EQ(signals_of("order-" + std::to_string(i)), 1) << i;
}

TEST_F(BatchTest, GoesNoFasterThanItsRate) {
    start_workflows(20);
    auto request = make_signal("job");
    request.set_max_operations_per_second(2);
    ASSERT_TRUE(start(request).ok());
    sim.run_for(std::chrono::seconds(5));
    EXPECT_EQ(describe("job")->state(), enums::BATCH_OPERATION_STATE_RUNNING);
    EXPECT_EQ(describe("job")->total_operation_count(), 20);
    sim.run_for(std::chrono::seconds(10));
    EXPECT_EQ(describe("job")->state(), enums::BATCH_OPERATION_STATE_COMPLETED);
}

TEST_F(BatchTest, AStoppedJobDoesNothingMore) {
    start_workflows(20);
    auto request = make_signal("job");
    request.set_max_operations_per_second(1);
    ASSERT_TRUE(start(request).ok());
    ASSERT_TRUE(stop("job").ok());
    sim.run_for(std::chrono::seconds(60));
    EXPECT_EQ(describe("job")->state(), enums::BATCH_OPERATION_STATE_FAILED);
    int signals = 0;
    for (int i = 0; i < 20; ++i) signals += signals_of("order-" + std::to_string(i));
    EXPECT_LE(signals, 1);
    EXPECT_EQ(message_of(stop("job")), "workflow execution already completed");
    EXPECT_EQ(message_of(stop("none")), "workflow not found for ID: none");
}

TEST_F(BatchTest, RunsMayBeListedAndOneThatIsGoneIsNoFailure) {
    start_workflow("order-0");
    auto request = make_job("job");
    request.mutable_termination_operation()->set_identity("operator");
    for (const char* id : {"order-0", "missing"}) {
        auto& execution = *request.add_target_executions();
        execution.set_type(enums::EXECUTION_TYPE_WORKFLOW);
        execution.set_business_id(id);
    }
    ASSERT_TRUE(start(request).ok());
    const Description done = finish("job");
    EXPECT_EQ(done.complete_operation_count(), 2);
    EXPECT_EQ(done.executions_size(), 2);
    EXPECT_EQ(count_events("order-0", enums::EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED), 1);
}

TEST_F(BatchTest, WhatCanNotBeDoneToARunIsCounted) {
    start_workflows(2);
    auto request = make_job("job");
    request.set_visibility_query("WorkflowType = 'order'");
    request.mutable_reset_operation()->mutable_options()->set_build_id("unknown");
    ASSERT_TRUE(start(request).ok());
    const Description done = finish("job");
    EXPECT_EQ(done.state(), enums::BATCH_OPERATION_STATE_COMPLETED);
    EXPECT_EQ(done.failure_operation_count(), 2);
}

TEST_F(BatchTest, AQueryThatMakesNoSenseFailsTheJob) {
    auto request = make_signal("job");
    request.set_visibility_query("Nothing = 1");
    ASSERT_TRUE(start(request).ok());
    EXPECT_EQ(finish("job").state(), enums::BATCH_OPERATION_STATE_FAILED);
    request.set_job_id("other");
    request.set_visibility_query("WorkflowType = ");
    EXPECT_EQ(start(request).code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(BatchTest, AJobIdIsUsedOnceAndOneJobRunsAtATime) {
    start_workflows(5);
    auto slow = make_signal("job");
    slow.set_max_operations_per_second(1);
    ASSERT_TRUE(start(slow).ok());
    EXPECT_EQ(start(make_signal("second")).code(), absl::StatusCode::kResourceExhausted);
    finish("job");
    EXPECT_EQ(start(make_signal("job")).code(), absl::StatusCode::kAlreadyExists);
    EXPECT_TRUE(start(make_signal("second")).ok());
    finish("second");
}

TEST_F(BatchTest, JobsAreListedTheOneUnderWayFirstAndThoseThatEndedLastNext) {
    settings.batches.open_jobs = 10;
    restart();
    start_workflows(1);
    for (const char* id : {"a", "b", "c"}) {
        ASSERT_TRUE(start(make_signal(id)).ok());
        finish(id);
        sim.run_for(std::chrono::seconds(1));
    }
    auto slow = make_signal("slow");
    slow.set_max_operations_per_second(0.001F);
    start_workflow("order-1");
    ASSERT_TRUE(start(slow).ok());
    service::ListBatchOperationsRequest request;
    request.set_namespace_("space");
    request.set_page_size(3);
    std::vector<std::string> ids;
    do {
        const auto page = ask<service::ListBatchOperationsResponse>("ListBatchOperations", request);
        ASSERT_TRUE(page.ok()) << page.status();
        for (const auto& job : page->operation_info()) ids.push_back(job.job_id());
        request.set_next_page_token(page->next_page_token());
    } while (!request.next_page_token().empty());
    EXPECT_EQ(ids, (std::vector<std::string>{"slow", "c", "b", "a"}));
}

TEST_F(BatchTest, AJobThatEndedIsKeptAsLongAsRunsAre) {
    ASSERT_TRUE(start(make_signal("old")).ok());
    finish("old");
    sim.run_for(std::chrono::hours(25));
    ASSERT_TRUE(start(make_signal("new")).ok());
    finish("new");
    EXPECT_EQ(describe("old").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(BatchTest, WhatIsMissingInARequestIsTold) {
    auto request = make_signal("job");
    request.clear_reason();
    EXPECT_EQ(message_of(start(request)),
              "must provide required parameters: BatchType,Reason,Namespace, AND one of (Query OR "
              "Executions OR TargetExecutions)");
    request = make_signal("job");
    request.add_executions()->set_workflow_id("order-0");
    EXPECT_EQ(message_of(start(request)),
              "visibility query, executions, and target executions are mutually exclusive");
    request = make_signal("job");
    request.mutable_signal_operation()->clear_signal();
    EXPECT_EQ(message_of(start(request)), "must provide signal name");
    request = make_job("job");
    request.mutable_delete_activities_operation();
    EXPECT_EQ(message_of(start(request)),
              "The operation type *workflowservice.StartBatchOperationRequest_"
              "DeleteActivitiesOperation is not supported for this namespace");
}

}  // namespace
}  // namespace stele::frontend
