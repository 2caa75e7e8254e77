#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "shard/server_testing.h"

#include <algorithm>

namespace stele::shard::testing {
namespace {

using ::testing::IsEmpty;

HistoryQuery query_of(TestServer& server, const std::string& workflow_id) {
    HistoryQuery query;
    query.run = {server.space()->id, workflow_id, {}};
    return query;
}

Answer<HistoryReply> ask(TestServer& server, const HistoryQuery& query,
                         CallScopePtr scope = nullptr) {
    return server.send<HistoryReply>([&](Reply<HistoryReply> reply) {
        server.engine().get_history(server.space(), query, scope, std::move(reply));
    });
}

HistoryReply answer_to(TestServer& server, const HistoryQuery& query) {
    Answer<HistoryReply> answer = ask(server, query);
    server.settle();
    EXPECT_TRUE(answer.arrived());
    EXPECT_TRUE(answer.get().ok()) << message_of(answer.get().status());
    return *answer.get();
}

void add_ids(const HistoryPage& page, std::vector<std::int64_t>& ids) {
    const auto history = parse(page);
    for (const auto& event : history.events()) ids.push_back(event.event_id());
}

void signal_often(TestServer& server, int count) {
    for (int i = 0; i < count; ++i) ASSERT_TRUE(server.signal("w", "s").ok());
}

TEST(HistoryReads, PagesJoinToTheWholeForwardsAndBackwards) {
    for (const bool cold : {false, true}) {
        TestServer server;
        ASSERT_TRUE(server.start("w").ok());
        signal_often(server, 20);
        if (cold) server.restart();
        const std::string whole = server.events("w");
        std::vector<std::int64_t> ids;
        HistoryQuery query = query_of(server, "w");
        query.maximum_events = 3;
        int pages = 0;
        do {
            const HistoryReply reply = answer_to(server, query);
            add_ids(reply.page, ids);
            query.from = reply.page.next;
            ++pages;
        } while (query.from != kNoEvent);
        EXPECT_EQ(pages, 8);
        std::vector<std::int64_t> expected(22);
        for (int i = 0; i < 22; ++i) expected[static_cast<std::size_t>(i)] = i + 1;
        EXPECT_EQ(ids, expected);

        ids.clear();
        query.reverse = true;
        query.from = kNoEvent;
        do {
            const HistoryReply reply = answer_to(server, query);
            add_ids(reply.page, ids);
            query.from = reply.page.next;
        } while (query.from != kNoEvent);
        std::reverse(expected.begin(), expected.end());
        EXPECT_EQ(ids, expected);
    }
}

TEST(HistoryReads, APageMayBeginAndEndInsideABatch) {
    TestServer server;
    ASSERT_TRUE(server.start("w").ok());
    HistoryQuery query = query_of(server, "w");
    query.from = EventId(2);
    EXPECT_EQ(types(parse(answer_to(server, query).page)), "WORKFLOW_TASK_SCHEDULED");
    query.from = kFirstEvent;
    query.to = kFirstEvent;
    const HistoryReply reply = answer_to(server, query);
    EXPECT_EQ(types(parse(reply.page)), "WORKFLOW_EXECUTION_STARTED");
    EXPECT_EQ(reply.page.next, kNoEvent);
}

TEST(HistoryReads, AWaitEndsWithTheNextEvent) {
    TestServer server;
    ASSERT_TRUE(server.start("w").ok());
    HistoryQuery query = query_of(server, "w");
    query.from = EventId(3);
    query.wait_new_event = true;
    Answer<HistoryReply> waiting = ask(server, query);
    server.settle();
    EXPECT_FALSE(waiting.arrived());
    signal_often(server, 1);
    server.settle();
    ASSERT_TRUE(waiting.arrived());
    EXPECT_EQ(types(parse(waiting.get()->page)), "WORKFLOW_EXECUTION_SIGNALED");
}

TEST(HistoryReads, AWaitThatNothingEndsIsAnsweredEmptyAndSaysWhereToGoOn) {
    TestServer server;
    ASSERT_TRUE(server.start("w").ok());
    HistoryQuery query = query_of(server, "w");
    query.from = EventId(3);
    query.wait_new_event = true;
    Answer<HistoryReply> waiting = ask(server, query);
    server.sim().run_for(std::chrono::seconds(19));
    EXPECT_FALSE(waiting.arrived());
    server.sim().run_for(std::chrono::seconds(2));
    ASSERT_TRUE(waiting.arrived());
    EXPECT_THAT(waiting.get()->page.batches, IsEmpty());
    EXPECT_TRUE(waiting.get()->running);
    EXPECT_EQ(waiting.get()->last, EventId(2));
}

TEST(HistoryReads, TheCloseFilterWaitsForTheClosingEventAndShowsItAlone) {
    TestServer server;
    ASSERT_TRUE(server.start("w").ok());
    HistoryQuery query = query_of(server, "w");
    query.wait_new_event = query.close_event_only = true;
    Answer<HistoryReply> waiting = ask(server, query);
    signal_often(server, 1);
    EXPECT_FALSE(waiting.arrived());
    ASSERT_TRUE(server.terminate("w").ok());
    server.settle();
    ASSERT_TRUE(waiting.arrived());
    EXPECT_EQ(types(parse(waiting.get()->page)), "WORKFLOW_EXECUTION_TERMINATED");
    EXPECT_FALSE(waiting.get()->running);
    query.wait_new_event = false;
    EXPECT_EQ(types(parse(answer_to(server, query).page)), "WORKFLOW_EXECUTION_TERMINATED");
}

TEST(HistoryReads, ACallerThatGoesFreesItsWait) {
    TestServer server;
    ASSERT_TRUE(server.start("w").ok());
    HistoryQuery query = query_of(server, "w");
    query.from = EventId(3);
    query.wait_new_event = true;
    const auto caller = std::make_shared<Caller>(kNever);
    Answer<HistoryReply> waiting = ask(server, query, caller);
    server.settle();
    caller->cancel();
    server.settle();
    ASSERT_TRUE(waiting.arrived());
    EXPECT_EQ(waiting.get().status().code(), absl::StatusCode::kCancelled);
}

TEST(HistoryReads, DrainingAnswersEveryWait) {
    TestServer server;
    ASSERT_TRUE(server.start("w").ok());
    HistoryQuery query = query_of(server, "w");
    query.from = EventId(3);
    query.wait_new_event = true;
    Answer<HistoryReply> waiting = ask(server, query);
    server.settle();
    bool quiet = false;
    server.engine().drain([&quiet] { quiet = true; });
    server.settle();
    EXPECT_TRUE(quiet);
    EXPECT_TRUE(waiting.arrived());
    EXPECT_EQ(server.start("other").status().code(), absl::StatusCode::kUnavailable);
}

TEST(HistoryReads, AMissingRunIsNotFound) {
    TestServer server;
    const Answer<HistoryReply> answer = ask(server, query_of(server, "nobody"));
    server.settle();
    ASSERT_TRUE(answer.arrived());
    EXPECT_EQ(answer.get().status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace stele::shard::testing
