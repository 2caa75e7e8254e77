#include <gtest/gtest.h>

#include "frontend/poll_responses.h"

#include <string>

namespace stele::frontend {
namespace {

const TokenSigner& signer() {
    static const TokenSigner kSigner("0123456789abcdef");
    return kSigner;
}

history::HistoryEvent event(std::int64_t id) {
    history::HistoryEvent result;
    result.set_event_id(id);
    return result;
}

shard::PolledWorkflowTask polled() {
    shard::PolledWorkflowTask task;
    task.run = {"namespace-id", "workflow", "run"};
    task.workflow_type = "type";
    task.task_queue = "queue";
    task.task.attempt = 2;
    task.task.token.scheduled = EventId(4);
    task.task.token.attempt = 2;
    task.task.last_stored = EventId(3);
    task.task.synthesised = {event(4), event(5)};
    task.history.batches = {serialize_events({event(1)}), serialize_events({event(2), event(3)})};
    return task;
}

service::PollWorkflowTaskQueueResponse parsed(shard::PolledWorkflowTask task) {
    service::PollWorkflowTaskQueueResponse response;
    EXPECT_TRUE(response.ParseFromString(serialize(poll_response(signer(), std::move(task)))));
    return response;
}

TEST(PollResponse, SplicedBytesParseToTheWholeMessage) {
    const auto response = parsed(polled());
    EXPECT_EQ(response.workflow_execution().workflow_id(), "workflow");
    EXPECT_EQ(response.workflow_type().name(), "type");
    EXPECT_EQ(response.workflow_execution_task_queue().name(), "queue");
    EXPECT_EQ(response.attempt(), 2);
    EXPECT_TRUE(response.next_page_token().empty());
    ASSERT_EQ(response.history().events_size(), 5);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(response.history().events(i).event_id(), i + 1);
}

TEST(PollResponse, TokenOfATaskNamesItInTheEnginesForm) {
    const auto token = signer().open_task(parsed(polled()).task_token());
    ASSERT_TRUE(token.ok());
    EXPECT_EQ(token->kind(), wire::TaskToken::KIND_WORKFLOW_TASK);
    EXPECT_EQ(run_ref(*token), (RunRef{"namespace-id", "workflow", "run"}));
    EXPECT_EQ(workflow_task_token(*token).scheduled, EventId(4));
    EXPECT_EQ(workflow_task_token(*token).attempt, 2);
}

TEST(PollResponse, HistoryThatDoesNotFitLeavesItsEndToThePageToken) {
    shard::PolledWorkflowTask task = polled();
    task.history.batches.pop_back();
    task.history.next = EventId(2);
    const auto response = parsed(std::move(task));
    EXPECT_EQ(response.history().events_size(), 1);
    const auto page = signer().open_page(response.next_page_token());
    ASSERT_TRUE(page.ok());
    EXPECT_EQ(page->next_event_id(), 2);
    EXPECT_EQ(page->end_event_id(), 3);
    EXPECT_EQ(page->synthesised(), serialize_events({event(4), event(5)}));
    EXPECT_TRUE(page->for_worker());
}

TEST(PollResponse, DirectQueryHasATokenOfItsOwnKind) {
    shard::PolledWorkflowTask task = polled();
    task.direct_query.emplace("query", api::query::v1::WorkflowQuery());
    task.direct_query->second.set_query_type("state");
    const auto response = parsed(std::move(task));
    EXPECT_EQ(response.query().query_type(), "state");
    const auto token = signer().open_task(response.task_token());
    ASSERT_TRUE(token.ok());
    EXPECT_EQ(token->kind(), wire::TaskToken::KIND_QUERY);
    EXPECT_EQ(token->query_id(), "query");
}

TEST(PollResponse, FieldLongerThanOneLengthByteIsAppendedWhole) {
    api::common::v1::Payload payload;
    const std::string data(300, 'd');
    std::string bytes;
    append_field(bytes, api::common::v1::Payload::kDataFieldNumber, data);
    ASSERT_TRUE(payload.ParseFromString(bytes));
    EXPECT_EQ(payload.data(), data);
}

}  // namespace
}  // namespace stele::frontend
