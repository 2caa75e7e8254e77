#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "stele/stele.h"
#include "stele/testing.h"

// Workflows on the real engine under a clock that does not wait.
namespace stele::testing {
namespace {

using namespace std::chrono_literals;

/// In real time.
void pause(Milliseconds duration) { (void)default_runtime()->make_event()->wait_for(duration); }

// ---- The workflows and activities under test ---------------------------------------------------

bool send_mail(std::string) { throw std::logic_error("a test must not send mail"); }

wf::task<int> reminds(std::string customer, int months) {
    int sent = 0;
    for (int month = 0; month < months; ++month) {
        co_await wf::sleep(24h * 30);
        if (co_await wf::activity<send_mail>(customer, {.start_to_close = 10s})) ++sent;
    }
    co_return sent;
}

wf::task<std::string> waits_for_word() {
    wf::signals<std::string> word("word");
    const auto got = co_await word.next();
    co_return got;
}

class Subscription {
public:
    wf::task<int> run() {
        while (!cancelled_) {
            if (co_await wf::until([this] { return cancelled_; }, 24h * 30)) break;
            ++paid_;
        }
        co_return paid_;
    }
    void cancel() { cancelled_ = true; }
    int paid() const { return paid_; }
    int add(int months) {
        paid_ += months;
        return paid_;
    }

private:
    bool cancelled_ = false;
    int paid_ = 0;
};

int fails_at_first(int until) {
    static std::atomic<int> attempts{0};
    if (++attempts < until) throw std::runtime_error("not yet");
    return attempts.exchange(0);
}

wf::task<int> retries(int attempts) {
    co_return co_await wf::activity<fails_at_first>(
        attempts, {.start_to_close = 10s,
                   .retry = RetryPolicy{.initial_interval = 1h, .backoff_coefficient = 2}});
}

std::string sleeps_until_cancelled() {
    while (!activity::cancelled()) {
        activity::heartbeat();
        activity::sleep_for(1min);
    }
    activity::throw_if_cancelled();
    return "not cancelled";
}

wf::task<std::string> gives_up_after_a_week() {
    auto work = co_await wf::any(wf::activity<sleeps_until_cancelled>(
                                     {.start_to_close = 24h * 365,
                                      .heartbeat = 10min,
                                      .cancellation = ActivityCancellation::kWaitCompleted}),
                                 wf::sleep(24h * 7));
    co_return work.index() == 0 ? "worked" : "gave up";
}

std::string never_ends() {
    activity::sleep_for(24h * 365);
    return "late";
}

wf::task<std::string> times_out() {
    auto outcome = co_await wf::capture(wf::activity<never_ends>(
        {.start_to_close = 1h, .retry = RetryPolicy{.maximum_attempts = 1}}));
    co_return outcome.ok() ? "in time" : "timed out";
}

wf::task<int> parent(int children) {
    int sum = 0;
    for (int i = 0; i < children; ++i) sum += co_await wf::child<retries>(2);
    co_return sum;
}

std::string tells_its_policies() {
    const activity::Info& info = activity::info();
    return std::to_string(info.retry.value().maximum_attempts) + " attempts of " +
           info.retry->non_retryable_error_types.at(0) + ", priority " +
           std::to_string(info.priority.key) + " of " + info.priority.fairness_key;
}

wf::task<std::string> asks_for_policies() {
    RetryPolicy retry{.maximum_attempts = 4, .non_retryable_error_types = {"Fatal"}};
    Priority priority{.key = 2, .fairness_key = "ada"};
    co_return co_await wf::activity<tells_its_policies>(
        {.start_to_close = 10s, .retry = retry, .priority = priority});
}

void notes(std::string) { throw std::logic_error("only its mock is called"); }

wf::task<int> notes_by_priority() {
    Priority late{.key = 5};
    Priority early{.key = 1};
    (void)co_await wf::all(
        wf::activity<notes>("late", {.start_to_close = 1min, .priority = late}),
        wf::activity<notes>("by default", {.start_to_close = 1min}),
        wf::activity<notes>("early", {.start_to_close = 1min, .priority = early}));
    co_return 0;
}

// ---- Tests -------------------------------------------------------------------------------------

class EnvironmentTest : public ::testing::Test {
protected:
    StartOptions on_queue() const { return {.id = "workflow", .task_queue = "queue"}; }

    Environment environment_;
    Client client_ = environment_.client();
};

TEST_F(EnvironmentTest, YearsPassInMilliseconds) {
    Worker worker(client_, "queue");
    worker.register_workflow<reminds>();
    std::vector<std::string> mails;
    mock_activity<send_mail>(worker, [&](std::string to) {
        mails.push_back(to);
        return true;
    });
    worker.start();
    const auto begin = environment_.now();
    EXPECT_EQ((client_.execute<reminds>(on_queue(), "ada", 12)), 12);
    EXPECT_GE(environment_.now() - begin, 12 * 30 * 24h);
    EXPECT_LT(environment_.now() - begin, 12 * 30 * 24h + 1min);
    EXPECT_EQ(mails.size(), 12);
}

TEST_F(EnvironmentTest, TimeBeginsWhereTheTestSaysAndStandsStillBetweenCalls) {
    const std::chrono::sys_seconds start{std::chrono::sys_days{std::chrono::January / 1 / 2000}};
    const Environment environment({.start = start});
    const auto begin = environment.now();
    EXPECT_LT(begin - start, 1s);
    pause(20ms);
    EXPECT_EQ(environment.now(), begin);
    environment.sleep(1h);
    EXPECT_EQ(environment.now() - begin, 1h);
}

TEST_F(EnvironmentTest, SignalsQueriesAndUpdatesComeAtTheirMoment) {
    Worker worker(client_, "queue");
    wf::register_type<Subscription>(worker)
        .run<&Subscription::run>()
        .signal<&Subscription::cancel>()
        .query<&Subscription::paid>()
        .update<&Subscription::add>();
    worker.start();
    auto handle = client_.start<&Subscription::run>(on_queue());
    EXPECT_EQ(handle.query<&Subscription::paid>(), 0);
    environment_.sleep(24h * 95);
    EXPECT_EQ(handle.query<&Subscription::paid>(), 3);
    EXPECT_EQ(handle.execute_update<&Subscription::add>(5), 8);
    handle.signal<&Subscription::cancel>();
    EXPECT_EQ(handle.result(), 8);
}

TEST_F(EnvironmentTest, RetriesWaitInVirtualTime) {
    Worker worker(client_, "queue");
    worker.register_workflow<retries>().register_activity<fails_at_first>();
    worker.start();
    const auto begin = environment_.now();
    EXPECT_EQ(client_.execute<retries>(on_queue(), 4), 4);
    EXPECT_GE(environment_.now() - begin, 7h);
    EXPECT_LT(environment_.now() - begin, 8h);
}

TEST_F(EnvironmentTest, ActivitiesWaitInVirtualTimeAndHearOfTheirCancellation) {
    Worker worker(client_, "queue");
    worker.register_workflow<gives_up_after_a_week>().register_activity<sleeps_until_cancelled>();
    worker.start();
    const auto begin = environment_.now();
    EXPECT_EQ(client_.execute<gives_up_after_a_week>(on_queue()), "gave up");
    EXPECT_GE(environment_.now() - begin, 7 * 24h);
    EXPECT_LT(environment_.now() - begin, 7 * 24h + 1h);
    worker.stop();
}

TEST_F(EnvironmentTest, TimeoutsEndActivitiesThatSleepTooLong) {
    Worker worker(client_, "queue");
    worker.register_workflow<times_out>().register_activity<never_ends>();
    worker.start();
    EXPECT_EQ(client_.execute<times_out>(on_queue()), "timed out");
    worker.stop();
}

TEST_F(EnvironmentTest, RealTimeOfActivitiesDoesNotCount) {
    Worker worker(client_, "queue");
    worker.register_workflow<reminds>();
    mock_activity<send_mail>(worker, [](std::string) {
        pause(50ms);
        return false;
    });
    worker.start();
    const auto begin = environment_.now();
    EXPECT_EQ((client_.execute<reminds>(on_queue(), "ada", 1)), 0);
    EXPECT_LT(environment_.now() - begin, 30 * 24h + 1s);
}

TEST_F(EnvironmentTest, MockStandsInForARegisteredActivityAndMayFail) {
    Worker worker(client_, "queue");
    worker.register_workflow<reminds>().register_activity<send_mail>();
    int calls = 0;
    mock_activity(worker, "send_mail", [&calls](const std::string&) -> bool {
        ++calls;
        throw ApplicationError("no such address", {.type = "Address", .non_retryable = true});
    });
    worker.start();
    EXPECT_THROW((void)(client_.execute<reminds>(on_queue(), "ada", 1)), WorkflowFailedError);
    EXPECT_EQ(calls, 1);
}

TEST_F(EnvironmentTest, ChildrenRunOnTheSameClock) {
    Worker worker(client_, "queue");
    worker.register_workflow<parent>().register_workflow<retries>();
    worker.register_activity<fails_at_first>();
    worker.start();
    const auto begin = environment_.now();
    EXPECT_EQ(client_.execute<parent>(on_queue(), 3), 6);
    EXPECT_GE(environment_.now() - begin, 3h);
}

TEST_F(EnvironmentTest, WaitForWhatNeverComesEndsWithAnError) {
    const Environment environment({.horizon = 24h});
    Worker worker(environment.client(), "queue");
    worker.register_workflow<waits_for_word>();
    worker.start();
    auto handle = environment.client().start<waits_for_word>(on_queue());
    try {
        (void)handle.result();
        FAIL() << "nobody has sent the word";
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), ::testing::HasSubstr("nothing is due any more"));
    }
    handle.signal("word", "now");
    EXPECT_EQ(handle.result(), "now");
}

TEST_F(EnvironmentTest, RunsOfOneSeedAreAlike) {
    const auto run = [](std::uint64_t seed) {
        const Environment environment({.seed = seed});
        Client client = environment.client();
        Worker worker(client, "queue");
        worker.register_workflow<retries>().register_activity<fails_at_first>();
        worker.start();
        auto handle = client.start<retries>({.task_queue = "queue"}, 3);
        EXPECT_EQ(handle.result(), 3);
        return handle.workflow_id();
    };
    EXPECT_EQ(run(7), run(7));
    EXPECT_NE(run(7), run(8));
}

TEST_F(EnvironmentTest, NamespacesAndSearchAttributesAreThere) {
    const Environment environment(
        {.namespaces = {"shop"}, .search_attributes = {{"Customer", "Keyword"}}});
    Client client = environment.connect({.namespace_name = "shop"});
    Worker worker(client, "queue");
    worker.register_workflow<reminds>();
    mock_activity<send_mail>(worker, [](std::string) { return true; });
    worker.start();
    const auto customer = search_attribute_key::keyword("Customer");
    auto handle = client.start<reminds>(
        {.id = "w", .task_queue = "queue", .search_attributes = {customer.of("ada")}}, "ada", 1);
    EXPECT_EQ(handle.result(), 1);
    EXPECT_EQ(client.count("Customer = 'ada'").count, 1);
    EXPECT_THROW(Environment({.search_attributes = {{"Customer", "Number"}}}), ConfigurationError);
}

TEST_F(EnvironmentTest, ActivitiesSeeTheirRetryPolicyAndPriority) {
    Worker worker(client_, "queue");
    worker.register_workflow<asks_for_policies>().register_activity<tells_its_policies>();
    worker.start();
    EXPECT_EQ(client_.execute<asks_for_policies>(on_queue()),
              "4 attempts of Fatal, priority 2 of ada");
}

TEST_F(EnvironmentTest, UrgentActivitiesGoFirst) {
    Worker workflows(client_, "queue");
    workflows.register_workflow<notes_by_priority>();
    workflows.start();
    auto handle = client_.start<notes_by_priority>(on_queue());
    environment_.sleep(1s);
    std::vector<std::string> order;
    Worker activities(client_, "queue", {.concurrent_activities_max = 1});
    mock_activity<notes>(activities, [&order](std::string text) { order.push_back(text); });
    activities.start();
    EXPECT_EQ(handle.result(), 0);
    EXPECT_THAT(order, ::testing::ElementsAre("early", "by default", "late"));
    activities.stop();
    workflows.stop();
}

}  // namespace
}  // namespace stele::testing
