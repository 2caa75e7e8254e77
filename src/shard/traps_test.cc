#include "shard/server_testing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// Sizes and sequences at which engines like this one have failed before.
namespace stele::shard::testing {
namespace {

namespace enums = api::enums::v1;
using ::testing::IsEmpty;
using std::chrono::milliseconds;
using std::chrono::seconds;

using Commands = std::vector<api::command::v1::Command>;

int count(const api::history::v1::History& history, enums::EventType type) {
    int found = 0;
    for (const auto& event : history.events()) found += event.event_type() == type;
    return found;
}

/// The whole history, page by page, and how many pages it took.
std::pair<api::history::v1::History, int> read_all(TestServer& server, int page_size) {
    HistoryQuery query;
    query.run = {server.space()->id, "w", {}};
    query.maximum_events = page_size;
    api::history::v1::History all;
    int pages = 0;
    do {
        const auto reply = server.play<HistoryReply>([&](Reply<HistoryReply> to) {
            server.engine().get_history(server.space(), query, nullptr, std::move(to));
        });
        EXPECT_TRUE(reply.ok()) << reply.status();
        if (!reply.ok()) break;
        all.MergeFrom(parse(reply->page));
        query.from = reply->page.next;
        ++pages;
    } while (query.from != kNoEvent);
    return {std::move(all), pages};
}

api::command::v1::Command marker(const std::string& name) {
    api::command::v1::Command command;
    command.set_command_type(enums::COMMAND_TYPE_RECORD_MARKER);
    command.mutable_record_marker_command_attributes()->set_marker_name(name);
    return command;
}

TEST(Traps, TenThousandTimersDueAtOnceFireOnceEachAndInOneTask) {
    TestServer server;
    ASSERT_TRUE(server.start("w").ok());
    Commands commands;
    for (int i = 0; i < 10'000; ++i) {
        commands.push_back(start_timer("t" + std::to_string(i), seconds(5)));
    }
    ASSERT_TRUE(server.complete(*server.poll(), commands).ok());
    server.sim().run_for(seconds(6));
    const auto task = server.poll();
    ASSERT_TRUE(task.ok()) << task.status();
    const auto [history, pages] = read_all(server, 1'000);
    EXPECT_EQ(count(history, enums::EVENT_TYPE_TIMER_FIRED), 10'000);
    ASSERT_TRUE(server.complete(*task, {complete_workflow()}).ok());
    EXPECT_THAT(server.violations(), IsEmpty());
}

TEST(Traps, TwoThousandActivitiesOfOneTaskAllComeToTheirEnd) {
    TestServer server;
    ASSERT_TRUE(server.start("w").ok());
    Commands commands;
    for (int i = 0; i < 2'000; ++i) commands.push_back(schedule_activity("a" + std::to_string(i)));
    ASSERT_TRUE(server.complete(*server.poll(), commands).ok());
    server.restart();  // what waits in queues is found again
    for (int i = 0; i < 2'000; ++i) {
        const auto activity = server.poll_activity();
        ASSERT_TRUE(activity.ok()) << activity.status();
        ASSERT_TRUE(server.complete_activity(*activity).ok());
    }
    const auto [history, pages] = read_all(server, 1'000);
    EXPECT_EQ(count(history, enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED), 2'000);
    EXPECT_THAT(server.violations(), IsEmpty());
}

TEST(Traps, AHistoryOfFiftyThousandEventsIsReadInPagesAfterARestart) {
    TestServer server;
    ASSERT_TRUE(server.start("w").ok());
    Commands commands;
    for (int i = 0; i < 5'000; ++i) commands.push_back(marker("m"));
    for (int i = 0; i < 10; ++i) {
        ASSERT_TRUE(server
                        .complete(*server.poll(), commands,
                                  [](auto& request) {
                                      request.set_force_create_new_workflow_task(true);
                                  })
                        .ok());
    }
    server.restart();
    const auto [history, pages] = read_all(server, 256);
    ASSERT_GT(history.events_size(), 50'000);
    EXPECT_EQ(count(history, enums::EVENT_TYPE_MARKER_RECORDED), 50'000);
    // Batches are not cut: a page ends with the batch that fills it, here with each worker's answer.
    EXPECT_GE(pages, 10);
    for (int i = 0; i < history.events_size(); ++i) {
        ASSERT_EQ(history.events(i).event_id(), i + 1);
    }
}

TEST(Traps, APayloadOfAMebibyteComesBackAsItWas) {
    TestServer server;
    service::StartWorkflowExecutionRequest request = server.start_request("w");
    const std::string large(1024 * 1024, 'x');
    request.mutable_input()->add_payloads()->set_data(large);
    ASSERT_TRUE(server.start(request).ok());
    server.restart();
    const auto [history, pages] = read_all(server, 256);
    ASSERT_GT(history.events_size(), 0);
    EXPECT_EQ(history.events(0)
                  .workflow_execution_started_event_attributes()
                  .input()
                  .payloads(0)
                  .data(),
              large);
}

TEST(Traps, APausedActivityIsStillPausedAfterARestart) {
    TestServer server;
    ASSERT_TRUE(server.start("w").ok());
    ASSERT_TRUE(server.complete(*server.poll(), {schedule_activity("a")}).ok());
    const RunRef run{server.space()->id, "w", {}};
    ASSERT_TRUE(server
                    .play<history::None>([&](Reply<history::None> to) {
                        server.engine().pause_activities(
                            server.space(), run,
                            {{history::ActivitySelector::By::kId, "a"}, "operator", "why", "r"},
                            std::move(to));
                    })
                    .ok());
    server.lose_power();
    server.settle();
    EXPECT_FALSE(server.offers().take("queue", QueueKind::kActivity).has_value());
    ASSERT_TRUE(server
                    .play<history::None>([&](Reply<history::None> to) {
                        server.engine().unpause_activities(
                            server.space(), run, {{history::ActivitySelector::By::kAll, {}}},
                            std::move(to));
                    })
                    .ok());
    const auto activity = server.poll_activity();
    ASSERT_TRUE(activity.ok()) << activity.status();
    ASSERT_TRUE(server.complete_activity(*activity).ok());
    EXPECT_THAT(server.violations(), IsEmpty());
}

}  // namespace
}  // namespace stele::shard::testing
