#include <thread>

#include "tests/sdk/server_fixture.h"

// Updates: data in and the answer out, in one step.
namespace stele::testing {
namespace {

using namespace std::chrono_literals;
namespace enums = temporal::api::enums::v1;

int price_of(std::string item) { return static_cast<int>(item.size()); }

class Cart {
public:
    wf::task<int> run(std::string customer) {
        customer_ = customer;
        co_await wf::until([this] { return checked_out_; });
        co_await wf::until(wf::all_handlers_finished);
        co_return total_;
    }
    wf::task<int> add(std::string item) {
        total_ += co_await wf::activity<price_of>(item, {.start_to_close = 10s});
        co_return total_;
    }
    void check(std::string item) const {
        if (item.empty()) throw ApplicationError("there is nothing to add", {.type = "NoItem"});
        if (checked_out_) throw ApplicationError("too late");
    }
    std::string check_out() {
        checked_out_ = true;
        return customer_;
    }
    int total() const { return total_; }

private:
    std::string customer_;
    int total_ = 0;
    bool checked_out_ = false;
};

class UpdateTest : public ServerFixture {
protected:
    static void register_cart(Worker& worker) {
        wf::register_type<Cart>(worker)
            .run<&Cart::run>()
            .update<&Cart::add, &Cart::check>()
            .update<&Cart::check_out>()
            .query<&Cart::total>();
        worker.register_activity<price_of>();
    }
    Worker cart_worker(WorkerOptions options = {}) {
        Worker worker = make_worker(options);
        register_cart(worker);
        worker.start();
        return worker;
    }
};

TEST_F(UpdateTest, HandlerThatWaitsAnswersItsCaller) {
    Worker worker = cart_worker();
    auto cart = client_->start<&Cart::run>(on_queue(), "Ada");
    EXPECT_EQ(cart.execute_update<&Cart::add>("apple"), 5);
    EXPECT_EQ(cart.execute_update<int>("add", "pear"), 9);
    EXPECT_EQ(cart.execute_update<&Cart::check_out>(), "Ada");
    EXPECT_EQ(cart.result(), 9);
    EXPECT_EQ(count_events(cart, enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED), 3);
    EXPECT_EQ(count_events(cart, enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED), 3);
}

TEST_F(UpdateTest, RejectedUpdateLeavesNoTraceAndTheWorkflowGoesOn) {
    Worker worker = cart_worker();
    auto cart = client_->start<&Cart::run>(on_queue(), "Ada");
    EXPECT_EQ(cart.execute_update<&Cart::add>("apple"), 5);
    // The end of that update is an event that the worker has not been sent yet. The task that brings
    // it is kept, since the worker does not claim that it can take the same events twice.
    EXPECT_THROW((void)cart.execute_update<&Cart::add>(""), UpdateFailedError);
    const auto before = history_of(cart).events_size();
    for (int i = 0; i < 3; ++i) {
        try {
            cart.execute_update<&Cart::add>("");
            FAIL() << "accepted";
        } catch (const UpdateFailedError& error) {
            const auto* cause = dynamic_cast<const ApplicationError*>(&error.cause());
            ASSERT_NE(cause, nullptr) << error.what();
            EXPECT_EQ(cause->type(), "NoItem");
        }
    }
    EXPECT_EQ(history_of(cart).events_size(), before);
    EXPECT_EQ(cart.execute_update<&Cart::add>("pear"), 9);
    EXPECT_EQ(cart.query<&Cart::total>(), 9);
    EXPECT_EQ(cart.execute_update<&Cart::check_out>(), "Ada");
    EXPECT_EQ(cart.result(), 9);
}

TEST_F(UpdateTest, UnknownUpdateIsRejected) {
    Worker worker = cart_worker();
    auto cart = client_->start<&Cart::run>(on_queue(), "Ada");
    EXPECT_THROW((void)cart.execute_update<int>("nonsense"), UpdateFailedError);
    cart.terminate();
}

TEST_F(UpdateTest, SameIdHasOneEffectAndOneAnswer) {
    Worker worker = cart_worker();
    auto cart = client_->start<&Cart::run>(on_queue(), "Ada");
    auto first = cart.start_update<&Cart::add>({.id = "one"}, "apple");
    auto second = cart.start_update<&Cart::add>({.id = "one"}, "apple");
    EXPECT_EQ(first.result(), 5);
    EXPECT_EQ(second.result(), 5);
    EXPECT_EQ(cart.update_handle<int>("one").result(), 5);
    EXPECT_EQ(cart.query<&Cart::total>(), 5);
    cart.terminate();
}

TEST_F(UpdateTest, OutcomeIsThereAfterTheWorkflowHasEnded) {
    Worker worker = cart_worker();
    auto cart = client_->start<&Cart::run>(on_queue(), "Ada");
    // Not with the first workflow task: the handler would come before the main routine.
    EXPECT_EQ(cart.query<&Cart::total>(), 0);
    auto update = cart.start_update<&Cart::check_out>({});
    (void)cart.result();
    EXPECT_EQ(update.result(), "Ada");
    EXPECT_THROW((void)cart.execute_update<&Cart::add>("late"), NotFoundError);
}

TEST_F(UpdateTest, WaitForAnUpdateCanBeGivenUpWithoutHarm) {
    auto cart = client_->start<&Cart::run>(on_queue(), "Ada");
    EXPECT_THROW((void)cart.start_update<&Cart::add>({.id = "u", .timeout = 300ms}, "apple"),
                 RpcError);
    Worker worker = cart_worker();
    EXPECT_EQ(cart.start_update<&Cart::add>({.id = "u"}, "apple").result(), 5);
    cart.terminate();
}

TEST_F(UpdateTest, UpdatesSurviveWorkersThatComeAndGoAndACacheThatHoldsNothing) {
    auto cart = client_->start<&Cart::run>(on_queue(), "Ada");
    for (int i = 1; i <= 5; ++i) {
        Worker worker = cart_worker({.cached_runs_max = i % 2});
        EXPECT_THROW((void)cart.execute_update<&Cart::add>(""), UpdateFailedError);
        EXPECT_EQ(cart.execute_update<&Cart::add>("apple"), 5 * i);
        worker.stop();
    }
    Worker worker = cart_worker({.cached_runs_max = 0});
    EXPECT_EQ(cart.execute_update<&Cart::check_out>(), "Ada");
    EXPECT_EQ(cart.result(), 25);
}

TEST_F(UpdateTest, ManyUpdatesAtATimeAreAllAnswered) {
    Worker worker = cart_worker();
    auto cart = client_->start<&Cart::run>(on_queue(), "Ada");
    std::vector<UpdateHandle<int>> updates;
    for (int i = 0; i < 8; ++i) updates.push_back(cart.start_update<&Cart::add>({}, "apple"));
    int highest = 0;
    for (auto& update : updates) highest = std::max(highest, update.result());
    EXPECT_EQ(highest, 40);
    EXPECT_EQ(cart.execute_update<&Cart::check_out>(), "Ada");
    EXPECT_EQ(cart.result(), 40);
    Replayer replayer;
    wf::register_type<Cart>(replayer)
        .run<&Cart::run>()
        .update<&Cart::add, &Cart::check>()
        .update<&Cart::check_out>();
    EXPECT_EQ(replayer.replay(history_of(cart), cart.workflow_id()).error, "");
}

TEST_F(UpdateTest, UpdateWithStartStartsOnceAndUsesWhatRuns) {
    Worker worker = cart_worker();
    StartOptions options = on_queue();
    options.id = "cart-" + queue_;
    options.id_conflict = IdConflictPolicy::kUseExisting;
    auto first = client_->with_start<&Cart::run>(options, "Ada");
    EXPECT_EQ(first.execute_update<&Cart::add>("apple"), 5);
    auto second = client_->with_start<&Cart::run>(options, "Bob");
    EXPECT_EQ(second.execute_update<&Cart::add>("pear"), 9);
    EXPECT_EQ(second.handle().run_id(), first.handle().run_id());
    EXPECT_EQ(second.execute_update<&Cart::check_out>(), "Ada");
    EXPECT_EQ(first.handle().result(), 9);
}

TEST_F(UpdateTest, UpdateWithStartOverARunningWorkflowMayBeForbidden) {
    Worker worker = cart_worker();
    StartOptions options = on_queue();
    options.id = "cart-" + queue_;
    options.id_conflict = IdConflictPolicy::kFail;
    auto running = client_->start<&Cart::run>(options, "Ada");
    auto cart = client_->with_start<&Cart::run>(options, "Bob");
    try {
        cart.execute_update<&Cart::add>("apple");
        FAIL() << "started";
    } catch (const WorkflowAlreadyStartedError& error) {
        EXPECT_EQ(error.workflow_id(), options.id);
        EXPECT_EQ(error.run_id(), running.run_id());
    }
    EXPECT_EQ(running.query<&Cart::total>(), 0);
    running.terminate();
}

class XorCodec final : public PayloadCodec {
public:
    Payloads encode(Payloads payloads, const SerializationContext&) const override {
        for (Payload& payload : payloads) {
            Payload outer;
            outer.set_data(payload.SerializeAsString());
            for (char& byte : *outer.mutable_data()) byte = static_cast<char>(byte ^ 0x55);
            (*outer.mutable_metadata())["encoding"] = "binary/xor";
            payload = std::move(outer);
        }
        return payloads;
    }
    Payloads decode(Payloads payloads, const SerializationContext&) const override {
        for (Payload& payload : payloads) {
            if (payload.metadata().at("encoding") != "binary/xor") continue;
            std::string data = payload.data();
            for (char& byte : data) byte = static_cast<char>(byte ^ 0x55);
            if (!payload.ParseFromString(data)) throw DataConversionError("not mine");
        }
        return payloads;
    }
};

TEST_F(UpdateTest, CodecsSeeTheArgumentsAndTheResultsOfUpdates) {
    Client secret = connect_with({.codecs = {std::make_shared<XorCodec>()}});
    Worker worker(secret, queue_);
    register_cart(worker);
    worker.start();
    auto cart = secret.start<&Cart::run>(on_queue(), "Ada");
    EXPECT_EQ(cart.execute_update<&Cart::add>("apple"), 5);
    EXPECT_THROW((void)cart.execute_update<&Cart::add>(""), UpdateFailedError);
    const auto history = history_of(cart);
    for (const auto& event : history.events()) {
        if (!event.has_workflow_execution_update_accepted_event_attributes()) continue;
        const auto& arguments = event.workflow_execution_update_accepted_event_attributes()
                                    .accepted_request()
                                    .input()
                                    .args();
        EXPECT_EQ(arguments.payloads(0).metadata().at("encoding"), "binary/xor");
    }
    cart.terminate();
}

}  // namespace
}  // namespace stele::testing
