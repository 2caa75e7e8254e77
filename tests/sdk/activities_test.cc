#include <atomic>
#include <thread>

#include "tests/sdk/server_fixture.h"

// Activities: retries, timeouts, heartbeats, cancellation, data.
namespace stele::testing {
namespace {

using namespace std::chrono_literals;
namespace enums = temporal::api::enums::v1;

class ActivityTest : public ServerFixture {};

int succeed_on(int attempt) {
    if (activity::info().attempt < attempt)
        throw std::runtime_error("attempt " + std::to_string(activity::info().attempt));
    return activity::info().attempt;
}

wf::task<int> retrying(int attempt) {
    constexpr RetryPolicy policy{.initial_interval = 10ms, .maximum_attempts = 5};
    co_return co_await wf::activity<succeed_on>(attempt, {.start_to_close = 10s, .retry = policy});
}

TEST_F(ActivityTest, IsRetriedUntilItSucceeds) {
    Worker worker = make_worker();
    worker.register_workflow<retrying>().register_activity<succeed_on>();
    worker.start();
    EXPECT_EQ(client_->execute<retrying>(on_queue(), 3), 3);
}

TEST_F(ActivityTest, FailureOfTheLastAttemptCarriesTheExceptionsClass) {
    Worker worker = make_worker();
    worker.register_workflow<retrying>().register_activity<succeed_on>();
    worker.start();
    auto failed = failure_cause<ActivityError>(client_->start<retrying>(on_queue(), 99));
    ASSERT_TRUE(failed);
    EXPECT_EQ(failed->activity_type(), "succeed_on");
    const auto* cause = dynamic_cast<const ApplicationError*>(failed->cause().get());
    ASSERT_NE(cause, nullptr);
    EXPECT_EQ(cause->type(), "runtime_error");
    EXPECT_EQ(cause->message(), "attempt 5");
}

int fail_for_good() {
    throw ApplicationError("never again", {.type = "Final", .non_retryable = true});
}

wf::task<std::string> handles_failure() {
    auto result = co_await wf::capture(wf::activity<fail_for_good>({.start_to_close = 10s}));
    co_return result.ok() ? "?" : std::string(result.error()->root().message());
}

TEST_F(ActivityTest, NonRetryableFailureReachesTheWorkflowAtOnce) {
    Worker worker = make_worker();
    worker.register_workflow<handles_failure>().register_activity<fail_for_good>();
    worker.start();
    EXPECT_EQ(client_->execute<handles_failure>(on_queue()), "never again");
}

void sleep_long() { activity::sleep_for(5s); }

wf::task<int> times_out() {
    constexpr RetryPolicy once{.maximum_attempts = 1};
    auto result =
        co_await wf::capture(wf::activity<sleep_long>({.start_to_close = 300ms, .retry = once}));
    try {
        result.value();
    } catch (const ActivityError& error) {
        const auto* cause = dynamic_cast<const TimeoutError*>(error.cause().get());
        if (cause != nullptr) co_return static_cast<int>(cause->kind());
    }
    co_return -1;
}

TEST_F(ActivityTest, TimeoutIsNamed) {
    Worker worker = make_worker();
    worker.register_workflow<times_out>().register_activity<sleep_long>();
    worker.start();
    EXPECT_EQ(client_->execute<times_out>(on_queue()),
              static_cast<int>(TimeoutKind::kStartToClose));
}

int continue_from_heartbeat() {
    const int done = activity::previous_detail<int>().value_or(0);
    if (done > 0) return done;
    for (int i = 1; i <= 7; ++i) activity::heartbeat(i);
    throw std::runtime_error("after seven steps");
}

wf::task<int> resumes() {
    constexpr RetryPolicy policy{.initial_interval = 10ms};
    co_return co_await wf::activity<continue_from_heartbeat>(
        {.start_to_close = 10s, .heartbeat = 5s, .retry = policy});
}

TEST_F(ActivityTest, LatestHeartbeatDetailsReachTheNextAttempt) {
    Worker worker = make_worker();
    worker.register_workflow<resumes>().register_activity<continue_from_heartbeat>();
    worker.start();
    EXPECT_EQ(client_->execute<resumes>(on_queue()), 7);
}

/// Lets the second heartbeat overtake the first one, if it is sent before that is answered.
class OvertakenHeartbeat final : public Transport {
public:
    explicit OvertakenHeartbeat(std::shared_ptr<Transport> inner) : inner_(std::move(inner)) {}
    ~OvertakenHeartbeat() override {
        if (release_.joinable()) release_.join();
    }

    std::shared_ptr<Call> call(std::string_view method,
                               std::shared_ptr<const google::protobuf::Message> request,
                               std::shared_ptr<google::protobuf::Message> reply,
                               const CallOptions& options, Callback done) override {
        const int number = method.ends_with("/RecordActivityTaskHeartbeat") ? ++heartbeats_ : 0;
        if (number == 1) {
            send_first_ = [=, this, method = std::string(method)](const Callback& then) {
                inner_->call(method, request, reply, options, [=](const Status& status) {
                    done(status);
                    then(status);
                });
            };
            release_ = std::thread([this] {
                std::this_thread::sleep_for(500ms);
                send_first([](const Status&) {});
            });
            return nullptr;
        }
        if (number != 2) return inner_->call(method, request, reply, options, std::move(done));
        return inner_->call(method, request, reply, options, [=, this](const Status& status) {
            send_first([=](const Status&) { done(status); });
        });
    }

private:
    /// When that has been done: `then`, at once.
    void send_first(const Callback& then) {
        if (sent_.exchange(true)) {
            then(Status());
            return;
        }
        // The call holds the client, which holds this transport.
        std::exchange(send_first_, nullptr)(then);
    }

    std::shared_ptr<Transport> inner_;
    std::atomic<int> heartbeats_ = 0;
    std::atomic<bool> sent_ = false;
    std::function<void(const Callback&)> send_first_;
    std::thread release_;
};

TEST_F(ActivityTest, HeartbeatsDoNotOvertakeEachOther) {
    const auto transport =
        std::make_shared<OvertakenHeartbeat>(client_->core()->options().transport);
    Client client = Client::connect({.transport = transport});
    Worker worker(client, queue_);
    worker.register_workflow<resumes>().register_activity<continue_from_heartbeat>();
    worker.start();
    EXPECT_EQ(client.execute<resumes>(on_queue()), 7);
}

void until_cancelled() {
    for (int i = 0;; ++i) {
        activity::heartbeat(i);
        if (!activity::sleep_for(50ms)) throw CanceledError("stopped", details("tidy"));
    }
}

wf::task<std::string> cancels_activity() {
    auto result = co_await wf::capture(wf::any(
        wf::activity<until_cancelled>({.start_to_close = 60s,
                                       .heartbeat = 1s,
                                       .cancellation = ActivityCancellation::kWaitCompleted}),
        wf::sleep(300ms)));
    co_return result.ok() && result.value().index() == 1 ? "timer" : "activity";
}

TEST_F(ActivityTest, HearsOfItsCancellationThroughHeartbeats) {
    Worker worker = make_worker();
    worker.register_workflow<cancels_activity>().register_activity<until_cancelled>();
    worker.start();
    auto handle = client_->start<cancels_activity>(on_queue());
    EXPECT_EQ(handle.result(), "timer");
    EXPECT_EQ(count_events(handle, enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED), 1);
}

struct Order {
    std::string id;
    int quantity = 0;
    std::optional<std::string> note;
};
void to_json(nlohmann::json& json, const Order& order) {
    json = {{"id", order.id}, {"quantity", order.quantity}};
    if (order.note) json["note"] = *order.note;
}
void from_json(const nlohmann::json& json, Order& order) {
    json.at("id").get_to(order.id);
    order.quantity = json.value("quantity", 0);
    if (json.contains("note")) order.note = json["note"].get<std::string>();
}

Order double_it(Order order, Bytes raw, std::optional<int> more,
                temporal::api::common::v1::WorkflowType message) {
    order.quantity = order.quantity * 2 + static_cast<int>(raw.size()) + more.value_or(0);
    order.note = message.name();
    return order;
}

wf::task<Order> all_kinds_of_data(Order order) {
    temporal::api::common::v1::WorkflowType message;
    message.set_name("protobuf");
    const Bytes raw = {1, 2, 3};
    co_return co_await wf::activity<double_it>(order, raw, std::nullopt, message,
                                               {.start_to_close = 10s});
}

TEST_F(ActivityTest, StructsBytesOptionalsAndMessagesCross) {
    Worker worker = make_worker();
    worker.register_workflow<all_kinds_of_data>().register_activity<double_it>();
    worker.start();
    auto handle = client_->start<all_kinds_of_data>(on_queue(), Order{"x", 10, {}});
    const Order result = handle.result();
    EXPECT_EQ(result.id, "x");
    EXPECT_EQ(result.quantity, 23);
    EXPECT_EQ(result.note, "protobuf");
    std::vector<std::string> encodings;
    const auto history = history_of(handle);
    for (const auto& event : history.events())
        for (const auto& payload :
             event.activity_task_scheduled_event_attributes().input().payloads())
            encodings.push_back(payload.metadata().at("encoding"));
    EXPECT_EQ(encodings, (std::vector<std::string>{"json/plain", "binary/plain", "binary/null",
                                                   "json/protobuf"}));
}

/// Turns every byte around: enough to see that nothing passes in the clear.
class FlipCodec final : public PayloadCodec {
public:
    Payloads encode(Payloads payloads, const SerializationContext&) const override {
        for (Payload& payload : payloads) {
            Payload flipped;
            (*flipped.mutable_metadata())["encoding"] = "binary/flipped";
            std::string bytes = payload.SerializeAsString();
            for (char& byte : bytes) byte = static_cast<char>(~byte);
            flipped.set_data(bytes);
            payload = std::move(flipped);
        }
        return payloads;
    }
    Payloads decode(Payloads payloads, const SerializationContext&) const override {
        for (Payload& payload : payloads) {
            if (payload.metadata().at("encoding") != "binary/flipped") continue;
            std::string bytes = payload.data();
            for (char& byte : bytes) byte = static_cast<char>(~byte);
            if (!payload.ParseFromString(bytes)) throw DataConversionError("not flipped");
        }
        return payloads;
    }
};

std::string reveal_or_throw(std::string secret) {
    if (secret == "throw")
        throw ApplicationError("secret message", {.type = "Oops", .non_retryable = true});
    return secret + " " + secret;
}

wf::task<std::string> secretive(std::string secret) {
    co_return co_await wf::activity<reveal_or_throw>(secret, {.start_to_close = 10s});
}

TEST_F(ActivityTest, CodecHidesAllPayloadsAndFailureMessages) {
    Client secret = connect_with(
        {.codecs = {std::make_shared<FlipCodec>()}, .encode_failure_attributes = true});
    Worker worker(secret, queue_);
    worker.register_workflow<secretive>().register_activity<reveal_or_throw>();
    worker.start();
    auto good = secret.start<secretive>(on_queue(), "attack at dawn");
    EXPECT_EQ(good.result(), "attack at dawn attack at dawn");
    EXPECT_EQ(history_of(good).SerializeAsString().find("dawn"), std::string::npos);

    auto bad = secret.start<secretive>(on_queue(), "throw");
    auto failed = failure_cause<ActivityError>(bad);
    ASSERT_TRUE(failed);
    EXPECT_EQ(failed->root().message(), "secret message");
    EXPECT_EQ(history_of(bad).SerializeAsString().find("secret message"), std::string::npos);
}

wf::task<std::string> calls_by_name() {
    co_return co_await wf::activity_by_name<std::string>("Louder", {.start_to_close = 10s}, "hi");
}

std::string louder(std::string text) { return text + "!!"; }

TEST_F(ActivityTest, IsFoundByAnExplicitName) {
    Worker worker = make_worker();
    worker.register_workflow<calls_by_name>("ByName").register_activity<louder>("Louder");
    worker.start();
    EXPECT_EQ(client_->start<std::string>("ByName", on_queue()).result(), "hi!!");
}

std::atomic<int> stopped_activities{0};

void until_worker_stops() {
    while (activity::sleep_for(20ms)) {
    }
    ++stopped_activities;
    activity::throw_if_cancelled();
}

wf::task<> waits_for_activity() {
    co_await wf::activity<until_worker_stops>({.start_to_close = 60s});
}

TEST_F(ActivityTest, StoppingTheWorkerCancelsWhatStillRuns) {
    stopped_activities = 0;
    Worker worker = make_worker();
    worker.register_workflow<waits_for_activity>().register_activity<until_worker_stops>();
    worker.start();
    auto handle = client_->start<waits_for_activity>(on_queue());
    while (handle.describe().pending_activities.empty()) std::this_thread::sleep_for(20ms);
    std::this_thread::sleep_for(200ms);
    worker.stop();
    EXPECT_EQ(stopped_activities, 1);
    handle.terminate();
}

}  // namespace
}  // namespace stele::testing
