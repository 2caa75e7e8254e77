#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sdk/runtime/single_thread_testing.h"
#include "sdk/worker/fake_server_testing.h"
#include "stele/stele.h"

// Updates from a client through a server to a worker and back, on one thread.
namespace stele {
namespace {

using namespace std::chrono_literals;

class Counter {
public:
    wf::task<int> run(int start) {
        value_ += start;
        co_await wf::until([this] { return value_ >= 100; });
        co_return value_;
    }
    int add(int amount) { return value_ += amount; }
    void check(int amount) const {
        if (amount < 0) throw ApplicationError("negative", {.type = "Negative"});
    }
    wf::task<int> add_tomorrow(int amount) {
        co_await wf::sleep(24h);
        co_return value_ += amount;
    }

private:
    int value_ = 0;
};

/// Turns every byte around, so that text that was not decoded is seen.
class Inverter final : public PayloadCodec {
public:
    Payloads encode(Payloads payloads, const SerializationContext&) const override {
        return turned(std::move(payloads));
    }
    Payloads decode(Payloads payloads, const SerializationContext&) const override {
        return turned(std::move(payloads));
    }

private:
    static Payloads turned(Payloads payloads) {
        for (Payload& payload : payloads)
            for (char& byte : *payload.mutable_data()) byte = static_cast<char>(~byte);
        return payloads;
    }
};

class WorkerUpdateTest : public ::testing::Test {
protected:
    void SetUp() override {
        DataConverter converter;
        converter.codecs.push_back(std::make_shared<Inverter>());
        client_.emplace(Client::connect(
            {.data_converter = converter, .runtime = runtime_, .transport = server_}));
        worker_.emplace(*client_, "queue");
        wf::register_type<Counter>(*worker_)
            .run<&Counter::run>()
            .update<&Counter::add, &Counter::check>()
            .update<&Counter::add_tomorrow>();
        worker_->start();
    }
    auto start() {
        return client_->start<&Counter::run>({.id = "workflow", .task_queue = "queue"}, 1);
    }

    std::shared_ptr<testing::SingleThreadRuntime> runtime_ =
        std::make_shared<testing::SingleThreadRuntime>();
    testing::EndOfTest end_of_test_{runtime_};
    std::shared_ptr<testing::FakeServer> server_ = std::make_shared<testing::FakeServer>(runtime_);
    std::optional<Client> client_;
    std::optional<Worker> worker_;
};

TEST_F(WorkerUpdateTest, CallerGetsWhatTheHandlerReturns) {
    auto handle = start();
    EXPECT_EQ(handle.execute_update<&Counter::add>(5), 6);
    EXPECT_EQ(handle.execute_update<int>("add", 10), 16);
    EXPECT_EQ(handle.execute_update<&Counter::add>(84), 100);
    EXPECT_EQ(handle.result(), 100);
}

TEST_F(WorkerUpdateTest, RejectionIsThrownWithItsCause) {
    auto handle = start();
    try {
        handle.execute_update<&Counter::add>(-1);
        FAIL() << "accepted";
    } catch (const UpdateFailedError& error) {
        const auto* cause = dynamic_cast<const ApplicationError*>(&error.cause());
        ASSERT_NE(cause, nullptr);
        EXPECT_EQ(cause->type(), "Negative");
        EXPECT_EQ(cause->message(), "negative");
    }
}

TEST_F(WorkerUpdateTest, AcceptedUpdateIsWaitedForWithItsHandle) {
    auto handle = start();
    const auto begin = runtime_->now();
    auto update = handle.start_update<&Counter::add_tomorrow>({.id = "mine"}, 5);
    EXPECT_EQ(update.id(), "mine");
    EXPECT_EQ(update.run_id(), "run");
    EXPECT_LT(runtime_->now() - begin, 1h);
    EXPECT_EQ(update.result(), 6);
    EXPECT_GE(runtime_->now() - begin, 24h);
    EXPECT_EQ(handle.update_handle<&Counter::add_tomorrow>("mine").result(), 6);
    EXPECT_THROW((void)handle.update_handle<int>("other").result(), NotFoundError);
}

TEST_F(WorkerUpdateTest, SameIdIsTheSameUpdate) {
    auto handle = start();
    EXPECT_EQ(handle.start_update<&Counter::add>({.id = "once"}, 5).result(), 6);
    EXPECT_EQ(handle.start_update<&Counter::add>({.id = "once"}, 5).result(), 6);
    EXPECT_EQ(handle.execute_update<&Counter::add>(1), 7);
}

TEST_F(WorkerUpdateTest, ServerThatAnswersTooEarlyIsAskedAgain) {
    server_->impatient_answers = 3;
    auto handle = start();
    EXPECT_EQ(handle.execute_update<&Counter::add>(5), 6);
    EXPECT_EQ(server_->update_calls, 4);
}

TEST_F(WorkerUpdateTest, CallsThatTheServerRefusesAreRepeatedWithoutASecondEffect) {
    server_->refuse_every = 2;
    auto handle = start();
    // It may come with the first task, and then goes before the main routine, which adds one.
    EXPECT_THAT(handle.execute_update<&Counter::add>(5), ::testing::AnyOf(5, 6));
    EXPECT_EQ(handle.execute_update<&Counter::add>(5), 11);
}

TEST_F(WorkerUpdateTest, UpdateStartsTheWorkflowThatIsNotThere) {
    auto counter = client_->with_start<&Counter::run>(
        {.id = "workflow", .task_queue = "queue", .id_conflict = IdConflictPolicy::kUseExisting},
        10);
    EXPECT_THROW((void)counter.handle(), IllegalCallError);
    // The update came with the start, so its handler goes before the main routine.
    EXPECT_EQ(counter.execute_update<&Counter::add>(5), 5);
    EXPECT_EQ(counter.execute_update<&Counter::add>(5), 20);
    EXPECT_EQ(counter.handle().workflow_id(), "workflow");
    EXPECT_EQ(counter.handle().run_id(), "run");
}

}  // namespace
}  // namespace stele
