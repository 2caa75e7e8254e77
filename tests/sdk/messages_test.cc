#include <thread>

#include "tests/sdk/server_fixture.h"

// Signals, queries and what workflows say to each other.
namespace stele::testing {
namespace {

using namespace std::chrono_literals;
namespace enums = temporal::api::enums::v1;

class MessageTest : public ServerFixture {};

class Approval {
public:
    wf::task<std::string> run() {
        co_await wf::until([this] { return !approver_.empty(); });
        co_return approver_ + " after " + std::to_string(notes_);
    }
    void approve(std::string approver) { approver_ = approver; }
    wf::task<> note_slowly() {
        co_await wf::sleep(10ms);
        ++notes_;
    }
    std::string status() const { return approver_.empty() ? "waiting" : "approved"; }
    int add(int a, int b) const { return a + b; }

private:
    std::string approver_;
    int notes_ = 0;
};

template <class Target>
void register_approval(Target& target) {
    wf::register_type<Approval>(target)
        .template run<&Approval::run>()
        .template signal<&Approval::approve>()
        .template signal<&Approval::note_slowly>()
        .template query<&Approval::status>()
        .template query<&Approval::add>("sum");
}

TEST_F(MessageTest, SignalsAndQueriesReachTheObject) {
    Worker worker = make_worker();
    register_approval(worker);
    worker.start();
    auto handle = client_->start<&Approval::run>(on_queue());
    EXPECT_EQ(handle.query<&Approval::status>(), "waiting");
    EXPECT_EQ(handle.query<int>("sum", 2, 3), 5);
    handle.signal<&Approval::approve>("Ada");
    EXPECT_EQ(handle.result(), "Ada after 0");
    EXPECT_EQ(handle.query<&Approval::status>(), "approved");
}

TEST_F(MessageTest, ClosedRunAnswersQueriesFromAColdCache) {
    auto handle = [&] {
        Worker worker = make_worker();
        register_approval(worker);
        worker.start();
        auto started = client_->start<&Approval::run>(on_queue());
        started.signal<&Approval::approve>("Ada");
        (void)started.result();
        return started;
    }();
    Worker another = make_worker();
    register_approval(another);
    another.start();
    EXPECT_EQ(handle.query<&Approval::status>(), "approved");
}

TEST_F(MessageTest, UnknownQueryFailsAndNamesWhatThereIs) {
    Worker worker = make_worker();
    register_approval(worker);
    worker.start();
    auto handle = client_->start<&Approval::run>(on_queue());
    try {
        (void)handle.query<int>("nonsense");
        FAIL() << "answered";
    } catch (const QueryFailedError& error) {
        EXPECT_NE(std::string(error.what()).find("status"), std::string::npos) << error.what();
    }
    handle.terminate();
}

TEST_F(MessageTest, CoroutineHandlersRunBesideTheMainRoutine) {
    Worker worker = make_worker();
    register_approval(worker);
    worker.start();
    auto handle = client_->start<&Approval::run>(on_queue());
    handle.signal<&Approval::note_slowly>();
    handle.signal<&Approval::note_slowly>();
    while (count_events(handle, enums::EVENT_TYPE_TIMER_FIRED) < 2)
        std::this_thread::sleep_for(20ms);
    handle.signal<&Approval::approve>("Bob");
    EXPECT_EQ(handle.result(), "Bob after 2");
}

TEST_F(MessageTest, SignalWithStartIsHandledBeforeTheMainRoutine) {
    Worker worker = make_worker();
    register_approval(worker);
    worker.start();
    auto handle = client_->signal_with_start<&Approval::run>(on_queue(), "approve",
                                                             std::tuple(std::string("Eve")));
    EXPECT_EQ(handle.result(), "Eve after 0");
}

wf::task<int> sum_of(int count) {
    wf::signals<int> numbers("number");
    int sum = 0;
    for (int i = 0; i < count; ++i) sum += co_await numbers.next();
    co_return sum;
}

TEST_F(MessageTest, FunctionWorkflowReceivesSignalsInOrderEvenThoseFromBeforeItsStart) {
    auto handle = client_->start<sum_of>(on_queue(), 3);
    handle.signal("number", 1);
    handle.signal("number", 10);
    Worker worker = make_worker();
    worker.register_workflow<sum_of>();
    worker.start();
    handle.signal("number", 100);
    EXPECT_EQ(handle.result(), 111);
}

TEST_F(MessageTest, SignalThatCannotBeReadIsDropped) {
    Worker worker = make_worker();
    register_approval(worker);
    worker.start();
    auto handle = client_->start<&Approval::run>(on_queue());
    handle.signal("approve", 17);
    handle.signal("approve", "Ada");
    EXPECT_EQ(handle.result(), "Ada after 0");
}

wf::task<int> send_numbers(std::string target, int count) {
    wf::external_workflow other(target);
    for (int i = 1; i <= count; ++i) co_await other.signal("number", i);
    co_return count;
}

TEST_F(MessageTest, WorkflowSignalsAnotherOneById) {
    Worker worker = make_worker();
    worker.register_workflow<sum_of>().register_workflow<send_numbers>();
    worker.start();
    auto receiver = client_->start<sum_of>(on_queue(), 10);
    EXPECT_EQ(client_->execute<send_numbers>(on_queue(), receiver.workflow_id(), 10), 10);
    EXPECT_EQ(receiver.result(), 55);
}

TEST_F(MessageTest, SignalToNobodyFailsInTheWorkflow) {
    Worker worker = make_worker();
    worker.register_workflow<send_numbers>();
    worker.start();
    auto failed = failure_cause<ApplicationError>(
        client_->start<send_numbers>(on_queue(), "nobody-" + queue_, 1));
    ASSERT_TRUE(failed);
    EXPECT_EQ(failed->type(), "ExternalWorkflowError");
}

wf::task<> cancel_other(std::string target) {
    wf::external_workflow other(target);
    co_await other.cancel("by a colleague");
}

TEST_F(MessageTest, WorkflowCancelsAnotherOne) {
    Worker worker = make_worker();
    worker.register_workflow<sum_of>().register_workflow<cancel_other>();
    worker.start();
    auto receiver = client_->start<sum_of>(on_queue(), 10);
    client_->execute<cancel_other>(on_queue(), receiver.workflow_id());
    EXPECT_TRUE(failure_cause<CanceledError>(receiver));
}

TEST_F(MessageTest, ManySignalsSurviveACacheThatHoldsNothing) {
    Worker worker = make_worker({.cached_runs_max = 0});
    worker.register_workflow<sum_of>();
    auto handle = client_->start<sum_of>(on_queue(), 300);
    for (int i = 0; i < 300; ++i) handle.signal("number", 1);
    worker.start();
    EXPECT_EQ(handle.result(), 300);
}

}  // namespace
}  // namespace stele::testing
