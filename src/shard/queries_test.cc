#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "shard/server_testing.h"

#include "temporal/api/errordetails/v1/message.pb.h"

namespace stele::shard::testing {
namespace {

namespace enums = api::enums::v1;
using service::QueryWorkflowResponse;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Answer<QueryWorkflowResponse> ask(TestServer& server, enums::QueryRejectCondition condition =
                                                          enums::QUERY_REJECT_CONDITION_NONE) {
    service::QueryWorkflowRequest request;
    request.mutable_execution()->set_workflow_id("w");
    request.mutable_query()->set_query_type("state");
    request.set_query_reject_condition(condition);
    auto answer = server.send<QueryWorkflowResponse>([&](Reply<QueryWorkflowResponse> reply) {
        server.engine().query(server.space(), request,
                              std::make_shared<Caller>(server.now() + std::chrono::seconds(10)),
                              std::move(reply));
    });
    server.sim().run_for(std::chrono::milliseconds(50));
    return answer;
}

PolledWorkflowTask take(TestServer& server) {
    Offers::Query query = std::move(server.offers().queries.front());
    server.offers().queries.erase(server.offers().queries.begin());
    auto task = server.play<PolledWorkflowTask>([&](Reply<PolledWorkflowTask> reply) {
        server.engine().start_query(query.offer, std::move(reply));
    });
    EXPECT_TRUE(task.ok()) << message_of(task.status());
    return *std::move(task);
}

absl::StatusOr<history::None> respond(TestServer& server, const PolledWorkflowTask& task,
                                      bool fails = false) {
    service::RespondQueryTaskCompletedRequest request;
    request.set_completed_type(fails ? enums::QUERY_RESULT_TYPE_FAILED
                                     : enums::QUERY_RESULT_TYPE_ANSWERED);
    request.mutable_query_result()->add_payloads()->set_data("fine");
    request.set_error_message("no such query");
    return server.play<history::None>([&](Reply<history::None> reply) {
        server.engine().respond_query(server.space(), task.run, task.direct_query->first, request,
                                      std::move(reply));
    });
}

void run_first_task(TestServer& server, const std::string& sticky = "",
                    const std::vector<api::command::v1::Command>& commands = {}) {
    const auto task = server.poll();
    ASSERT_TRUE(task.ok()) << message_of(task.status());
    ASSERT_TRUE(server
                    .complete(*task, commands,
                              [&](service::RespondWorkflowTaskCompletedRequest& request) {
                                  if (sticky.empty()) return;
                                  auto& attributes = *request.mutable_sticky_attributes();
                                  attributes.mutable_worker_task_queue()->set_name(sticky);
                                  *attributes.mutable_schedule_to_start_timeout() =
                                      to_proto(std::chrono::seconds(5));
                              })
                    .ok());
}

TEST(Queries, AnIdleRunIsAskedDirectlyAndLeavesNoTrace) {
    TestServer server;
    ASSERT_TRUE(server.start("w").ok());
    run_first_task(server);
    const std::string before = server.events("w");
    Answer<QueryWorkflowResponse> answer = ask(server);
    ASSERT_THAT(server.offers().queries, SizeIs(1));
    const PolledWorkflowTask task = take(server);
    EXPECT_EQ(parse(task.history).events_size(), 4);
    ASSERT_TRUE(respond(server, task).ok());
    server.settle();
    ASSERT_TRUE(answer.arrived());
    EXPECT_EQ(answer.get()->query_result().payloads(0).data(), "fine");
    EXPECT_EQ(respond(server, task).status().code(), absl::StatusCode::kNotFound);
    EXPECT_EQ(server.events("w"), before);
}

TEST(Queries, AClosedRunAnswersUnlessTheCallerDoesNotWantIt) {
    TestServer server;
    ASSERT_TRUE(server.start("w").ok());
    run_first_task(server, "", {complete_workflow()});
    Answer<QueryWorkflowResponse> rejected = ask(server, enums::QUERY_REJECT_CONDITION_NOT_OPEN);
    ASSERT_TRUE(rejected.arrived());
    EXPECT_EQ(rejected.get()->query_rejected().status(),
              enums::WORKFLOW_EXECUTION_STATUS_COMPLETED);
    Answer<QueryWorkflowResponse> answer = ask(server);
    ASSERT_TRUE(respond(server, take(server)).ok());
    server.settle();
    EXPECT_TRUE(answer.arrived() && answer.get().ok());
}

TEST(Queries, AFailedQueryCarriesItsMessage) {
    TestServer server;
    ASSERT_TRUE(server.start("w").ok());
    run_first_task(server);
    Answer<QueryWorkflowResponse> answer = ask(server);
    ASSERT_TRUE(respond(server, take(server), true).ok());
    server.settle();
    ASSERT_TRUE(answer.arrived());
    EXPECT_EQ(answer.get().status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(message_of(answer.get().status()), "no such query");
    EXPECT_TRUE(detail_of(answer.get().status()).has_value());
}

TEST(Queries, TheStickyWorkerIsAskedFirstThenTheNormalQueue) {
    TestServer server;
    ASSERT_TRUE(server.start("w").ok());
    run_first_task(server, "sticky");
    Answer<QueryWorkflowResponse> answer = ask(server);
    ASSERT_THAT(server.offers().queries, SizeIs(1));
    EXPECT_TRUE(server.offers().queries[0].offer.sticky);
    server.offers().queries[0].unmatched(unavailable("nobody polls it"));
    server.settle();
    ASSERT_THAT(server.offers().queries, SizeIs(2));
    EXPECT_FALSE(server.offers().queries[1].offer.sticky);
    server.offers().queries.erase(server.offers().queries.begin());
    const PolledWorkflowTask task = take(server);
    EXPECT_EQ(parse(task.history).events(0).event_id(), 1);
    ASSERT_TRUE(respond(server, task).ok());
    server.settle();
    EXPECT_TRUE(answer.arrived() && answer.get().ok());
}

TEST(Queries, ASilentStickyWorkerCostsItsTimeoutOnly) {
    TestServer server;
    ASSERT_TRUE(server.start("w").ok());
    run_first_task(server, "sticky");
    Answer<QueryWorkflowResponse> answer = ask(server);
    const PolledWorkflowTask silent = take(server);
    EXPECT_TRUE(silent.task.sticky);
    EXPECT_EQ(parse(silent.history).events_size(), 0);
    EXPECT_EQ(silent.history.next, kNoEvent);
    server.sim().run_for(std::chrono::seconds(6));
    ASSERT_THAT(server.offers().queries, SizeIs(1));
    EXPECT_FALSE(server.offers().queries[0].offer.sticky);
    ASSERT_TRUE(respond(server, take(server)).ok());
    server.settle();
    EXPECT_TRUE(answer.arrived() && answer.get().ok());
}

TEST(Queries, APendingTaskTakesTheQueryAlong) {
    TestServer server;
    ASSERT_TRUE(server.start("w").ok());
    Answer<QueryWorkflowResponse> answer = ask(server);
    const Answer<QueryWorkflowResponse> second = ask(server);
    ASSERT_TRUE(second.arrived());  // one query waits for a task, no more
    EXPECT_EQ(second.get().status().code(), absl::StatusCode::kResourceExhausted);
    EXPECT_THAT(server.offers().queries, IsEmpty());
    const auto task = server.poll();
    ASSERT_TRUE(task.ok());
    ASSERT_THAT(task->queries, SizeIs(1));
    ASSERT_TRUE(server
                    .complete(*task, {},
                              [&](service::RespondWorkflowTaskCompletedRequest& request) {
                                  auto& result =
                                      (*request.mutable_query_results())[task->queries[0].first];
                                  result.set_result_type(enums::QUERY_RESULT_TYPE_ANSWERED);
                                  result.mutable_answer()->add_payloads()->set_data("new");
                              })
                    .ok());
    server.settle();
    ASSERT_TRUE(answer.arrived());
    EXPECT_EQ(answer.get()->query_result().payloads(0).data(), "new");
}

TEST(Queries, AQueryThatATaskLeavesUnansweredIsAskedDirectly) {
    TestServer server;
    ASSERT_TRUE(server.start("w").ok());
    Answer<QueryWorkflowResponse> answer = ask(server);
    run_first_task(server);
    server.settle();
    ASSERT_THAT(server.offers().queries, SizeIs(1));
    ASSERT_TRUE(respond(server, take(server)).ok());
    server.settle();
    EXPECT_TRUE(answer.arrived() && answer.get().ok());
}

TEST(Queries, ARunThatClosesBeforeItsFirstTaskCanNotAnswer) {
    TestServer server;
    ASSERT_TRUE(server.start("w").ok());
    Answer<QueryWorkflowResponse> waiting = ask(server);
    ASSERT_TRUE(server.terminate("w").ok());
    server.settle();
    ASSERT_TRUE(waiting.arrived());
    EXPECT_EQ(waiting.get().status().code(), absl::StatusCode::kFailedPrecondition);
    Answer<QueryWorkflowResponse> late = ask(server);
    ASSERT_TRUE(late.arrived());
    EXPECT_EQ(late.get().status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST(Queries, AWaitEndsWithItsDeadline) {
    TestServer server;
    ASSERT_TRUE(server.start("w").ok());
    Answer<QueryWorkflowResponse> answer = ask(server);
    server.sim().run_for(std::chrono::seconds(11));
    ASSERT_TRUE(answer.arrived());
    EXPECT_EQ(answer.get().status().code(), absl::StatusCode::kDeadlineExceeded);
}

}  // namespace
}  // namespace stele::shard::testing
