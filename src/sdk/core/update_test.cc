#include "sdk/core/run_testing.h"

// Updates: what the code is asked, what it answers, and what of it the history keeps.
namespace stele::core {
namespace {

using namespace std::chrono_literals;
using namespace testing;  // NOLINT
using temporal::api::update::v1::Acceptance;
using temporal::api::update::v1::Rejection;
using temporal::api::update::v1::Response;

class RunUpdateTest : public RunTest {
protected:
    template <class Register>
    void add_type(Register register_type) {
        Collector collector{&registry_};
        register_type(collector);
    }
    struct Collector {
        sdk::Registry* registry;
        void add(wf::detail::Definition definition) { registry->add(std::move(definition)); }
    };

    /// The first task, which the workflow spends on beginning to wait.
    void begin(core::Run& run) {
        writer_.complete_task(run_task(run, writer_, writer_.start_task(), 0));
        last_completed_ = run.last_started_event_id();
    }
    std::vector<Command> next(core::Run& run, std::vector<UpdateRequest> updates = {}) {
        const std::int64_t started = writer_.start_task();
        for (UpdateRequest& update : updates) update.sequencing_event_id = started - 1;
        return run_task(run, writer_, started, last_completed_, std::move(updates));
    }
    void complete(core::Run& run, const std::vector<Command>& commands,
                  const std::vector<UpdateMessage>& messages) {
        writer_.complete_task(commands, {}, messages);
        last_completed_ = run.last_started_event_id();
    }
    UpdateRequest update(const std::string& id, const std::string& name,
                         const std::vector<std::string>& json = {}) {
        return writer_.request_update(id, name, json);
    }

    HistoryWriter writer_{"w"};
    std::int64_t last_completed_ = 0;
};

std::string result_of(const UpdateMessage& message) {
    const auto& outcome = std::get<Response>(message.body).outcome();
    return outcome.has_failure() ? outcome.failure().message()
                                 : outcome.success().payloads(0).data();
}

std::vector<std::string> ids(const std::vector<UpdateMessage>& messages) {
    std::vector<std::string> result;
    for (const UpdateMessage& message : messages) result.push_back(message.id);
    return result;
}

class Account {
public:
    wf::task<int> run() {
        co_await wf::until([this] { return closed_; });
        co_await wf::until(wf::all_handlers_finished);
        co_return balance_;
    }
    int deposit(int amount) { return balance_ += amount; }
    void check(int amount) const {
        ++validations;
        if (amount <= 0) throw ApplicationError("not an amount", {.type = "Amount"});
        if (balance_ + amount > 100) throw ApplicationError("too rich");
    }
    wf::task<int> deposit_slowly(int amount) {
        co_await wf::sleep(1s);
        co_return balance_ += amount;
    }
    wf::task<int> fail(std::string how) {
        co_await wf::sleep(1s);
        if (how == "failure") throw ApplicationError("on purpose");
        throw std::logic_error("a bug");
    }
    void check_badly(int) const { (void)wf::random(); }
    void close() { closed_ = true; }
    int balance() const { return balance_; }
    wf::task<std::string> who() {
        std::string seen = wf::current_update()->id;
        (void)co_await wf::all(wf::sleep(1s), named());
        seen += "," + wf::current_update()->name;
        co_return seen + "," + named_;
    }
    wf::task<> named() {
        co_await wf::sleep(2s);
        named_ = wf::current_update()->id;
    }

    static inline int validations = 0;

private:
    int balance_ = 0;
    bool closed_ = false;
    std::string named_;
};

template <class Target>
void register_account(Target& target) {
    wf::register_type<Account>(target, "w")
        .template run<&Account::run>()
        .template update<&Account::deposit, &Account::check>({.description = "Puts money in."})
        .template update<&Account::deposit_slowly>({.name = "slowly"})
        .template update<&Account::fail>()
        .template update<&Account::who>()
        .template update<&Account::deposit, &Account::check_badly>({.name = "badly"})
        .template signal<&Account::close>()
        .template query<&Account::balance>();
}

/// Made with the arguments of its main routine, before any message reaches it.
class Opened {
public:
    explicit Opened(int balance) : balance_(balance) {}
    wf::task<int> run(int) {
        co_await wf::until([this] { return balance_ > 100; });
        co_return balance_;
    }
    int deposit(int amount) { return balance_ += amount; }

private:
    int balance_;
};

TEST_F(RunUpdateTest, ClassWithoutADefaultConstructorIsMadeWithTheArguments) {
    add_type([](auto& target) {
        wf::register_type<Opened>(target, "w")
            .template run<&Opened::run>()
            .template update<&Opened::deposit>();
    });
    writer_ = HistoryWriter("w", {"90"});
    auto run = make_run();
    const std::int64_t started = writer_.start_task();
    const auto commands = run_task(*run, writer_, started, 0, {update("u", "deposit", {"11"})});
    EXPECT_EQ(result_of(run->take_messages().at(1)), "101");
    ASSERT_EQ(commands.size(), 3u);
    EXPECT_EQ(
        commands[2].complete_workflow_execution_command_attributes().result().payloads(0).data(),
        "101");
}

class AccountTest : public RunUpdateTest {
protected:
    void SetUp() override {
        add_type([](auto& target) { register_account(target); });
        Account::validations = 0;
    }
};

TEST_F(AccountTest, AcceptanceAndResultGoWithOneTask) {
    auto run = make_run();
    begin(*run);
    const auto commands = next(*run, {update("u", "deposit", {"7"})});
    const auto messages = run->take_messages();
    EXPECT_EQ(ids(messages), (std::vector<std::string>{"u/accept", "u/complete"}));
    ASSERT_EQ(types(commands), (std::vector{enums::COMMAND_TYPE_PROTOCOL_MESSAGE,
                                            enums::COMMAND_TYPE_PROTOCOL_MESSAGE}));
    EXPECT_EQ(commands[0].protocol_message_command_attributes().message_id(), "u/accept");
    EXPECT_EQ(commands[1].protocol_message_command_attributes().message_id(), "u/complete");
    const auto& accepted = std::get<Acceptance>(messages[0].body);
    EXPECT_EQ(accepted.accepted_request_message_id(), "u/request");
    EXPECT_EQ(accepted.accepted_request_sequencing_event_id(), 5);
    EXPECT_EQ(accepted.accepted_request().input().name(), "deposit");
    EXPECT_EQ(std::get<Response>(messages[1].body).meta().update_id(), "u");
    EXPECT_EQ(result_of(messages[1]), "7");
    complete(*run, commands, messages);
    EXPECT_EQ(replay_error(writer_), "");
}

TEST_F(AccountTest, RejectedUpdateLeavesNoCommand) {
    auto run = make_run();
    begin(*run);
    EXPECT_TRUE(next(*run, {update("u", "deposit", {"-1"})}).empty());
    const auto messages = run->take_messages();
    ASSERT_EQ(ids(messages), std::vector<std::string>{"u/reject"});
    const auto& rejected = std::get<Rejection>(messages[0].body);
    EXPECT_EQ(rejected.rejected_request_message_id(), "u/request");
    EXPECT_EQ(rejected.failure().message(), "not an amount");
    EXPECT_EQ(rejected.failure().application_failure_info().type(), "Amount");
}

TEST_F(AccountTest, ForgottenTaskIsLivedAgainWithTheSameEventNumbers) {
    auto run = make_run();
    begin(*run);
    EXPECT_TRUE(next(*run, {update("u", "deposit", {"-1"})}).empty());
    (void)run->take_messages();
    writer_.drop_task();
    run->forget_task(last_completed_);
    const auto commands = next(*run, {update("v", "deposit", {"5"})});
    EXPECT_EQ(commands.size(), 2u);
    EXPECT_EQ(result_of(run->take_messages().at(1)), "5");
}

TEST_F(AccountTest, ValidatorsAreNotCalledForThePast) {
    auto run = make_run();
    begin(*run);
    const auto commands = next(*run, {update("u", "deposit", {"7"})});
    EXPECT_EQ(Account::validations, 1);
    complete(*run, commands, run->take_messages());
    auto cold = make_run();
    (void)next(*cold, {update("v", "deposit", {"1"})});
    EXPECT_EQ(Account::validations, 2) << "only for the task at hand";
    EXPECT_EQ(result_of(cold->take_messages().at(1)), "8");
}

TEST_F(AccountTest, ValidatorSeesWhatTheUpdateBeforeItHasDone) {
    auto run = make_run();
    begin(*run);
    (void)next(*run, {update("u", "deposit", {"60"}), update("v", "deposit", {"60"}),
                      update("w", "deposit", {"40"})});
    EXPECT_EQ(
        ids(run->take_messages()),
        (std::vector<std::string>{"u/accept", "u/complete", "v/reject", "w/accept", "w/complete"}));
}

TEST_F(AccountTest, ValidatorThatChangesSomethingFailsTheTask) {
    auto run = make_run();
    begin(*run);
    EXPECT_THROW((void)next(*run, {update("u", "badly", {"1"})}), WorkflowTaskFailure);
}

TEST_F(AccountTest, HandlerMayWaitAcrossTasksAndColdCaches) {
    auto run = make_run();
    begin(*run);
    auto commands = next(*run, {update("u", "slowly", {"7"})});
    EXPECT_EQ(types(commands),
              (std::vector{enums::COMMAND_TYPE_PROTOCOL_MESSAGE, enums::COMMAND_TYPE_START_TIMER}));
    complete(*run, commands, run->take_messages());
    writer_.signal("close", "null");
    commands = next(*run);
    EXPECT_TRUE(commands.empty()) << "the run waits for its handlers";
    complete(*run, commands, run->take_messages());
    writer_.fire("1");
    run = make_run();
    commands = next(*run);
    EXPECT_EQ(types(commands), (std::vector{enums::COMMAND_TYPE_PROTOCOL_MESSAGE,
                                            enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION}));
    const auto messages = run->take_messages();
    EXPECT_EQ(result_of(messages.at(0)), "7");
    complete(*run, commands, messages);
    EXPECT_EQ(replay_error(writer_), "");
}

TEST_F(AccountTest, FailureOfTheHandlerIsTheUpdatesOutcome) {
    auto run = make_run();
    begin(*run);
    auto commands = next(*run, {update("u", "fail", {"\"failure\""})});
    complete(*run, commands, run->take_messages());
    writer_.fire("1");
    commands = next(*run);
    EXPECT_EQ(commands.size(), 1u);
    EXPECT_EQ(result_of(run->take_messages().at(0)), "on purpose");
    EXPECT_FALSE(run->ended());
}

TEST_F(AccountTest, BugInAHandlerFailsTheTaskNotTheUpdate) {
    auto run = make_run();
    begin(*run);
    auto commands = next(*run, {update("u", "fail", {"\"bug\""})});
    complete(*run, commands, run->take_messages());
    writer_.fire("1");
    EXPECT_THROW((void)next(*run), WorkflowTaskFailure);
}

TEST_F(AccountTest, UnknownUpdateIsRejectedAndNamesWhatThereIs) {
    auto run = make_run();
    begin(*run);
    EXPECT_TRUE(next(*run, {update("u", "withdraw", {"1"})}).empty());
    const auto messages = run->take_messages();
    expect_mentions(std::get<Rejection>(messages.at(0).body).failure().message(),
                    {"withdraw", "deposit"});
}

TEST_F(AccountTest, ArgumentsThatCannotBeReadRejectTheUpdate) {
    auto run = make_run();
    begin(*run);
    EXPECT_TRUE(next(*run, {update("u", "slowly", {"\"seven\""})}).empty());
    EXPECT_EQ(ids(run->take_messages()), std::vector<std::string>{"u/reject"});
}

TEST_F(AccountTest, CurrentUpdateFollowsTheCodeThroughWaits) {
    auto run = make_run();
    begin(*run);
    auto commands = next(*run, {update("u", "who"), update("v", "who")});
    complete(*run, commands, run->take_messages());
    for (const char* timer : {"1", "2", "3", "4"}) writer_.fire(timer);
    (void)next(*run);
    const auto messages = run->take_messages();
    // One object, so the last handler's note is what both see.
    EXPECT_EQ(result_of(messages.at(0)), "\"u,who,v\"");
    EXPECT_EQ(result_of(messages.at(1)), "\"v,who,v\"");
}

TEST_F(AccountTest, RunThatEndsOverItsHandlersSaysSo) {
    auto run = make_run();
    begin(*run);
    auto commands = next(*run, {update("u", "slowly", {"7"})});
    complete(*run, commands, run->take_messages());
    writer_.request_cancel();
    commands = next(*run);
    ASSERT_FALSE(commands.empty());
    EXPECT_EQ(commands.back().command_type(), enums::COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION);
}

TEST_F(AccountTest, RemovedHandlerIsNamedWhenTheHistoryHasIt) {
    auto run = make_run();
    begin(*run);
    const auto commands = next(*run, {update("u", "deposit", {"7"})});
    complete(*run, commands, run->take_messages());
    registry_ = {};
    add_type([](auto& target) {
        wf::register_type<Account>(target, "w").template run<&Account::run>();
    });
    expect_mentions(replay_error(writer_), {"[nondeterminism]", "\"u\"", "deposit"});
}

TEST_F(AccountTest, UpdateThatAResetCarriedOverIsReadFromItsEvent) {
    auto run = make_run();
    begin(*run);
    writer_.admit(update("u", "deposit", {"7"}));
    const auto commands = next(*run);
    const auto messages = run->take_messages();
    ASSERT_EQ(ids(messages), (std::vector<std::string>{"u/accept", "u/complete"}));
    complete(*run, commands, messages);
    EXPECT_EQ(replay_error(writer_), "");
    auto cold = make_run();
    (void)next(*cold, {update("v", "deposit", {"1"})});
    EXPECT_EQ(result_of(cold->take_messages().at(1)), "8");
}

TEST_F(AccountTest, MetadataListsTheHandlers) {
    auto run = make_run();
    begin(*run);
    expect_mentions(run->code()->query("__temporal_workflow_metadata", {}).data(),
                    {"\"deposit\"", "Puts money in.", "\"slowly\"", "\"close\"", "\"balance\""});
}

wf::task<std::string> function_with_messages() {
    std::string log;
    bool done = false;
    wf::on_signal("note", [&log](std::string text) { log += "s" + text; });
    wf::on_update("note", [&log](std::string text) {
        log += "u" + text;
        return log;
    });
    wf::on_update(
        "finish",
        [&done](bool really) -> wf::task<bool> {
            co_await wf::sleep(1s);
            done = true;
            co_return really;
        },
        [](bool really) {
            if (!really) throw ApplicationError("not really");
        });
    co_await wf::until([&done] { return done; });
    co_return log;
}

TEST_F(RunUpdateTest, UpdatesThatComeWithTheStartWaitForTheMainRoutineToSetTheirHandlers) {
    add<function_with_messages>();
    auto run = make_run();
    const auto commands = next(*run, {update("u", "note", {"\"1\""}), update("v", "other")});
    const auto messages = run->take_messages();
    EXPECT_EQ(ids(messages), (std::vector<std::string>{"u/accept", "u/complete", "v/reject"}));
    complete(*run, commands, messages);
    EXPECT_EQ(replay_error(writer_), "");
}

TEST_F(RunUpdateTest, MessagesAreDeliveredWhereTheyStandBetweenEvents) {
    add<function_with_messages>();
    auto run = make_run();
    begin(*run);
    writer_.signal("note", "\"1\"");
    const std::int64_t between = writer_.history().events_size();
    writer_.signal("note", "\"2\"");
    auto sooner = update("u", "note", {"\"a\""});
    auto later = update("v", "note", {"\"b\""});
    const std::int64_t started = writer_.start_task();
    sooner.sequencing_event_id = between;
    later.sequencing_event_id = started - 1;
    const auto commands = run_task(*run, writer_, started, last_completed_, {later, sooner});
    const auto messages = run->take_messages();
    // Signal handlers that do not wait are called at their place; updates begin afterwards, in order.
    EXPECT_EQ(result_of(messages.at(1)), "\"s1s2ua\"");
    EXPECT_EQ(result_of(messages.at(3)), "\"s1s2uaub\"");
    complete(*run, commands, messages);
    EXPECT_EQ(replay_error(writer_), "");
}

TEST_F(RunUpdateTest, CoroutineLambdaWithAValidatorWorks) {
    add<function_with_messages>();
    auto run = make_run();
    begin(*run);
    auto commands =
        next(*run, {update("no", "finish", {"false"}), update("yes", "finish", {"true"})});
    const auto messages = run->take_messages();
    EXPECT_EQ(ids(messages), (std::vector<std::string>{"no/reject", "yes/accept"}));
    complete(*run, commands, messages);
    writer_.fire("1");
    commands = next(*run);
    EXPECT_EQ(types(commands), (std::vector{enums::COMMAND_TYPE_PROTOCOL_MESSAGE,
                                            enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION}));
}

wf::task<> ends_at_once_on_signal() {
    bool done = false;
    wf::on_signal("end", [&done] { done = true; });
    wf::on_update("linger", []() -> wf::task<int> {
        co_await wf::sleep(1h);
        co_return 1;
    });
    wf::on_update("carefree",
                  []() -> wf::task<int> {
                      co_await wf::sleep(1h);
                      co_return 1;
                  },
                  {.unfinished = wf::Unfinished::kAbandon});
    co_await wf::until([&done] { return done; });
}

TEST_F(RunUpdateTest, UnfinishedHandlersAreWarnedOfUnlessTheyDoNotMatter) {
    add<ends_at_once_on_signal>();
    auto run = make_run();
    begin(*run);
    auto commands = next(*run, {update("u", "linger"), update("v", "carefree")});
    complete(*run, commands, run->take_messages());
    writer_.signal("end", "null");
    commands = next(*run);
    EXPECT_TRUE(run->ended());
    ASSERT_EQ(log_.size(), 1u);
    expect_mentions(log_[0], {"linger", "(u)"});
    EXPECT_EQ(log_[0].find("carefree"), std::string::npos);
    complete(*run, commands, run->take_messages());
    log_.clear();
    EXPECT_EQ(replay_error(writer_), "");
    EXPECT_TRUE(log_.empty());
}

class Anything {
public:
    wf::task<> run() { co_await wf::sleep(1h); }
    void signal(std::string name, Payloads input) { log_ += name + std::to_string(input.size()); }
    std::string query(const std::string& name, const Payloads&) const { return name + ":" + log_; }
    wf::task<int> update(std::string name, Payloads input) {
        co_await wf::sleep(1s);
        log_ += name;
        co_return decode_argument<int>(input, 0) + 1;
    }
    int named(int value) { return value * 2; }

private:
    std::string log_;
};

TEST_F(RunUpdateTest, DynamicHandlersTakeWhatHasNoHandlerOfItsOwn) {
    add_type([](auto& target) {
        wf::register_type<Anything>(target, "w")
            .template run<&Anything::run>()
            .template update<&Anything::named>()
            .template dynamic_signal<&Anything::signal>()
            .template dynamic_query<&Anything::query>()
            .template dynamic_update<&Anything::update>();
    });
    auto run = make_run();
    begin(*run);
    writer_.signal("hello", "1");
    auto commands = next(*run, {update("u", "named", {"4"}), update("v", "whatever", {"4"})});
    auto messages = run->take_messages();
    EXPECT_EQ(result_of(messages.at(1)), "8");
    complete(*run, commands, messages);
    writer_.fire("2");
    (void)next(*run);
    EXPECT_EQ(result_of(run->take_messages().at(0)), "5");
    EXPECT_EQ(run->code()->query("how", {}).data(), "\"how:hello1whatever\"");
}

}  // namespace
}  // namespace stele::core
