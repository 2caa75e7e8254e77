#include "sdk/core/run_testing.h"
#include "stele/sync.h"

// What a run knows of itself, and what its coroutines use among themselves.
namespace stele::core {
namespace {

using namespace std::chrono_literals;
using namespace testing;  // NOLINT

class SurroundingsTest : public RunTest {
protected:
    static std::string result(const std::vector<Command>& commands) {
        return commands.back()
            .complete_workflow_execution_command_attributes()
            .result()
            .payloads(0)
            .data();
    }
    HistoryWriter writer_{"w"};
};

const auto kCustomer = search_attribute_key::keyword("Customer");
const auto kAmount = search_attribute_key::integer("Amount");

wf::task<std::string> tells_what_it_knows() {
    const wf::Info& info = wf::info();
    std::string text = info.continuation == wf::Continuation::kContinueAsNew ? "continued " : "";
    text += info.continued_from_run_id + " " + kCustomer.in(info.search_attributes).value_or("-");
    wf::upsert_search_attributes({kCustomer.of("bob"), kAmount.of(3)});
    wf::upsert_memo({{"note", encode_value(std::string("hello"))}});
    wf::upsert_memo({{"old", encode_value(nullptr)}});
    text += " " + *kCustomer.in(info.search_attributes) + " " +
            std::to_string(*kAmount.in(info.search_attributes));
    text += " " + std::to_string(info.memo.size()) + " " +
            std::to_string(wf::last_result<int>().value_or(-1));
    if (const auto failure = wf::last_failure()) text += " " + failure->message();
    co_return text;
}

TEST_F(SurroundingsTest, RunKnowsWhereItComesFromAndWhatItHasSaidOfItself) {
    add<tells_what_it_knows>();
    auto& started =
        *writer_.history().mutable_events(0)->mutable_workflow_execution_started_event_attributes();
    started.set_initiator(enums::CONTINUE_AS_NEW_INITIATOR_WORKFLOW);
    started.set_continued_execution_run_id("before");
    (*started.mutable_search_attributes()->mutable_indexed_fields())["Customer"] =
        search_attribute::keyword("ada");
    (*started.mutable_memo()->mutable_fields())["old"] = encode_value(1);
    *started.mutable_last_completion_result()->add_payloads() = encode_value(42);
    started.mutable_continued_failure()->set_message("broke");
    started.mutable_continued_failure()->mutable_application_failure_info();
    const auto commands = run_task(*make_run(), writer_, writer_.start_task(), 0);
    EXPECT_EQ(types(commands), (std::vector{enums::COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
                                            enums::COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES,
                                            enums::COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES,
                                            enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION}));
    EXPECT_EQ(result(commands), "\"continued before ada bob 3 1 42 broke\"");
}

wf::task<std::string> takes_turns() {
    std::string log;
    wf::semaphore two(2);
    wf::mutex one;
    auto visit = [](char name, wf::semaphore* gate, std::string* text) -> wf::task<> {
        auto permit = co_await gate->acquire();
        *text += name;
        co_await wf::sleep(1s);
        *text += static_cast<char>(name - 'a' + 'A');
    };
    (void)co_await wf::all(visit('a', &two, &log), visit('b', &two, &log), visit('c', &two, &log));
    log += std::to_string(two.available()) + std::to_string(one.available());
    co_return log;
}

TEST_F(SurroundingsTest, SemaphoreLetsInAsManyAsItHasPermitsInOrder) {
    add<takes_turns>();
    auto run = make_run();
    auto commands = run_task(*run, writer_, writer_.start_task(), 0);
    EXPECT_EQ(commands.size(), 2u) << "the third one waits";
    writer_.complete_task(commands);
    writer_.fire("1");
    writer_.fire("2");
    const std::int64_t started = writer_.start_task();
    commands = run_task(*run, writer_, started, 3);
    EXPECT_EQ(commands.size(), 1u);
    writer_.complete_task(commands);
    writer_.fire("3");
    commands = run_task(*run, writer_, writer_.start_task(), started);
    EXPECT_EQ(result(commands), "\"abABcC21\"");
}

wf::task<std::string> any_type(Payloads arguments) {
    co_return wf::info().workflow_type + std::to_string(arguments.size());
}

TEST_F(SurroundingsTest, DynamicWorkflowTakesTypesThatAreNotRegistered) {
    wf::detail::Definition definition;
    definition.make = [] { return std::make_unique<wf::detail::DynamicBody<any_type>>(); };
    registry_.set_dynamic(std::move(definition));
    HistoryWriter writer("Whatever", {"1", "2"});
    EXPECT_EQ(result(run_task(*make_run(), writer, writer.start_task(), 0)), "\"Whatever2\"");
}

wf::task<std::string> tells_why_it_should_continue() {
    std::string text;
    for (int turn = 0; turn < 2; ++turn) {
        for (const auto reason : wf::info().continue_as_new_reasons)
            text += reason == wf::ContinueAsNewReason::kUpdates ? "updates " : "history ";
        text += wf::info().continue_as_new_suggested ? "suggested; " : "not yet; ";
        co_await wf::sleep(1min);
    }
    co_return text;
}

TEST_F(SurroundingsTest, ReasonsToContinueAsNewAreThoseOfTheTaskAtHand) {
    add<tells_why_it_should_continue>();
    auto run = make_run();
    std::int64_t started = writer_.start_task();
    auto& attributes = *writer_.history()
                            .mutable_events(static_cast<int>(started) - 1)
                            ->mutable_workflow_task_started_event_attributes();
    attributes.set_suggest_continue_as_new(true);
    attributes.add_suggest_continue_as_new_reasons(
        enums::SUGGEST_CONTINUE_AS_NEW_REASON_HISTORY_SIZE_TOO_LARGE);
    attributes.add_suggest_continue_as_new_reasons(
        enums::SUGGEST_CONTINUE_AS_NEW_REASON_TOO_MANY_UPDATES);
    writer_.complete_task(run_task(*run, writer_, started, 0));
    writer_.fire("1");
    writer_.complete_task(run_task(*run, writer_, writer_.start_task(), started));
    writer_.fire("2");
    EXPECT_EQ(result(run_task(*run, writer_, writer_.start_task(), 0)),
              "\"history updates suggested; not yet; \"");
}

wf::task<int> charges_with_priority() {
    Priority priority{.key = 2, .fairness_key = "ada", .fairness_weight = 1.5F};
    co_await wf::activity_by_name<void>("charge", {.start_to_close = 10s, .priority = priority});
    co_return 0;
}

TEST_F(SurroundingsTest, PriorityOfAnActivityIsInItsCommand) {
    add<charges_with_priority>();
    const auto commands = run_task(*make_run(), writer_, writer_.start_task(), 0);
    const auto& sent = commands.at(0).schedule_activity_task_command_attributes().priority();
    EXPECT_EQ(sent.priority_key(), 2);
    EXPECT_EQ(sent.fairness_key(), "ada");
    EXPECT_EQ(sent.fairness_weight(), 1.5F);
}

}  // namespace
}  // namespace stele::core
