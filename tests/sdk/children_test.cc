#include <thread>

#include "tests/sdk/server_fixture.h"

// Child workflows, and what a run writes about itself.
namespace stele::testing {
namespace {

using namespace std::chrono_literals;
namespace enums = temporal::api::enums::v1;

class ChildTest : public ServerFixture {};

wf::task<int> square(int value) { co_return value* value; }

wf::task<int> sum_of_squares(int count) {
    std::vector<wf::task<int>> children;
    for (int i = 1; i <= count; ++i) children.push_back(wf::child<square>(i));
    int sum = 0;
    for (const int value : co_await wf::all(std::move(children))) sum += value;
    co_return sum;
}

TEST_F(ChildTest, ManyRunAtATimeAndGiveTheirResults) {
    Worker worker = make_worker();
    worker.register_workflow<square>().register_workflow<sum_of_squares>();
    worker.start();
    EXPECT_EQ(client_->execute<sum_of_squares>(on_queue(), 5), 55);
}

wf::task<> refuses() {
    throw ApplicationError("will not", {.type = "Refused"});
    co_return;
}

wf::task<std::string> reports_failure() {
    auto result = co_await wf::capture(wf::child<refuses>());
    try {
        result.value();
    } catch (const ChildWorkflowError& error) {
        co_return error.workflow_type() + ": " + error.root().message();
    }
    co_return "?";
}

TEST_F(ChildTest, FailureReachesTheParentWithItsCause) {
    Worker worker = make_worker();
    worker.register_workflow<refuses>().register_workflow<reports_failure>();
    worker.start();
    EXPECT_EQ(client_->execute<reports_failure>(on_queue()), "refuses: will not");
}

wf::task<> waits_for_ever() { co_await wf::sleep(24h); }
wf::task<> cleans_up_slowly() {
    auto waited = co_await wf::capture(wf::sleep(24h));
    if (waited.cancelled()) co_await wf::shielded(wf::sleep(5s));
}
wf::task<> waits_for_child() { co_await wf::child<waits_for_ever>(); }

TEST_F(ChildTest, CancellationOfTheParentReachesTheChildFirst) {
    Worker worker = make_worker();
    worker.register_workflow<waits_for_ever>().register_workflow<waits_for_child>();
    worker.start();
    auto handle = client_->start<waits_for_child>(on_queue());
    while (count_events(handle, enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED) == 0)
        std::this_thread::sleep_for(20ms);
    handle.cancel();
    EXPECT_TRUE(failure_cause<CanceledError>(handle));
    EXPECT_EQ(count_events(handle, enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED), 1);
}

wf::task<std::string> asks_child_to_cancel() {
    auto result = co_await wf::capture(
        wf::child<cleans_up_slowly>({.parent_close = ParentClosePolicy::kAbandon,
                                     .cancellation = ChildCancellation::kWaitRequested}));
    co_return result.cancelled() ? "went on" : "waited";
}

TEST_F(ChildTest, ParentMayGoOnAsSoonAsTheChildHasBeenToldOfItsCancellation) {
    Worker worker = make_worker();
    worker.register_workflow<cleans_up_slowly>().register_workflow<asks_child_to_cancel>();
    worker.start();
    auto handle = client_->start<asks_child_to_cancel>(on_queue());
    while (count_events(handle, enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED) == 0)
        std::this_thread::sleep_for(20ms);
    handle.cancel();
    EXPECT_EQ(handle.result(), "went on");
    EXPECT_EQ(count_events(handle, enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED),
              1);
    EXPECT_EQ(count_events(handle, enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED), 0);
}

wf::task<std::string> speaks_with_child(std::string id) {
    auto child = co_await wf::start_child_by_name<std::string>("listens", {.id = id});
    auto taken = co_await wf::capture(wf::start_child_by_name<std::string>("listens", {.id = id}));
    if (taken.ok()) co_return "started twice";
    co_await child.signal("word", "hello");
    co_return co_await child.result();
}

wf::task<std::string> listens() {
    wf::signals<std::string> words("word");
    co_return co_await words.next();
}

TEST_F(ChildTest, HandleSignalsTheChildAndItsIdIsTakenMeanwhile) {
    Worker worker = make_worker({.cached_runs_max = 0});
    worker.register_workflow<listens>().register_workflow<speaks_with_child>();
    worker.start();
    EXPECT_EQ(client_->execute<speaks_with_child>(on_queue(), "child-" + queue_), "hello");
}

wf::task<> writes_a_memo() {
    wf::upsert_memo({{"progress", encode_value(50)}});
    co_await wf::sleep(10ms);
    wf::upsert_memo({{"progress", encode_value(100)}});
}

TEST_F(ChildTest, MemoIsChangedByTheRun) {
    Worker worker = make_worker({.cached_runs_max = 0});
    worker.register_workflow<writes_a_memo>();
    worker.start();
    auto handle = client_->start<writes_a_memo>(on_queue());
    handle.result();
    EXPECT_EQ(decode_value<int>(handle.describe().memo.at("progress")), 100);
}

}  // namespace
}  // namespace stele::testing
