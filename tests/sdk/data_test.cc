#include <gmock/gmock.h>

#include "tests/sdk/server_fixture.h"

// Data on its way through a real server: whose it is, and how large it may be.
namespace stele::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

/// Writes on every payload whose it is, and opens it only for the same owner again.
class SealCodec final : public PayloadCodec {
public:
    Payloads encode(Payloads payloads, const SerializationContext& context) const override {
        for (Payload& payload : payloads) {
            Payload outer;
            outer.set_data(payload.SerializeAsString());
            (*outer.mutable_metadata())["encoding"] = "binary/sealed";
            (*outer.mutable_metadata())["owner"] = owner(context);
            payload = std::move(outer);
        }
        return payloads;
    }
    Payloads decode(Payloads payloads, const SerializationContext& context) const override {
        for (Payload& payload : payloads) {
            if (payload.metadata().at("encoding") != "binary/sealed") continue;
            const std::string& sealed = payload.metadata().at("owner");
            if (sealed != owner(context))
                throw DataConversionError("sealed by " + sealed + ", opened by " + owner(context));
            const std::string data = payload.data();
            if (!payload.ParseFromString(data)) throw DataConversionError("not sealed here");
        }
        return payloads;
    }

private:
    static std::string owner(const SerializationContext& context) {
        std::string text(context.namespace_name);
        for (const std::string_view part :
             {context.workflow_id, context.activity_type, context.activity_id})
            text.append("|").append(part);
        return text;
    }
};

std::string beats(std::string text) {
    if (activity::info().attempt == 1) {
        activity::heartbeat(std::string("half"));
        throw ApplicationError("again", {.details = details(std::string("first"))});
    }
    return text + "+" + activity::previous_detail<std::string>().value_or("nothing");
}
std::string quick(std::string text) { return text + "+local"; }
void refuses() {
    throw ApplicationError("no", {.non_retryable = true, .details = details(std::string("why"))});
}

wf::task<std::string> sealed_child(std::string text) { co_return text + "+child"; }
wf::task<std::string> sealed_listener() {
    auto signals = wf::signals<std::string>("tell");
    co_return co_await signals.next();
}

class Sealed {
public:
    wf::task<std::string> run(std::string text, std::string listener) {
        text = co_await wf::activity<beats>(
            text, {.start_to_close = 10s,
                   .heartbeat = 5s,
                   .retry = RetryPolicy{.initial_interval = Milliseconds(10)}});
        text = co_await wf::local_activity<quick>(text, {.start_to_close = 5s});
        auto refused = co_await wf::capture(wf::activity<refuses>({.start_to_close = 10s}));
        const auto& root = dynamic_cast<const ApplicationError&>(refused.error()->root());
        text += "+" + root.detail<std::string>();
        text = co_await wf::child<sealed_child>(text, {.summary = "a child"});
        co_await wf::external_workflow(listener).signal("tell", text);
        co_await wf::until([this] { return released_; });
        co_return text + last_;
    }
    void release(std::string text) {
        last_ = text;
        released_ = true;
    }
    std::string last() const { return last_; }
    std::string set(std::string text) { return std::exchange(last_, text); }

private:
    std::string last_ = "+none";
    bool released_ = false;
};

class DataTest : public ServerFixture {};

TEST_F(DataTest, CodecsAreToldTheSameOwnerOnBothSides) {
    const DataConverter converter{.codecs = {std::make_shared<SealCodec>()}};
    Client client = connect_with(converter);
    // Without a cache all that was written is read again.
    for (const int cached : {0, 100}) {
        const std::string queue = queue_ + std::to_string(cached);
        Worker worker(client, queue, {.cached_runs_max = cached});
        wf::register_type<Sealed>(worker)
            .run<&Sealed::run>()
            .signal<&Sealed::release>()
            .query<&Sealed::last>()
            .update<&Sealed::set>();
        worker.register_workflow<sealed_child>().register_workflow<sealed_listener>();
        worker.register_activity<beats>().register_activity<quick>().register_activity<refuses>();
        worker.start();
        auto listener = client.start<sealed_listener>({.task_queue = queue});
        auto handle =
            client.start<&Sealed::run>({.task_queue = queue,
                                        .memo = {{"note", encode_value(std::string("memo"))}},
                                        .static_summary = "sealed"},
                                       "text", listener.workflow_id());
        EXPECT_EQ(listener.result(), "text+half+local+why+child");
        EXPECT_EQ(handle.execute_update<&Sealed::set>("+updated"), "+none");
        EXPECT_EQ(handle.query<&Sealed::last>(), "+updated");
        const auto description = handle.describe();
        EXPECT_EQ(decode_value<std::string>(description.memo.at("note")), "memo");
        EXPECT_EQ(description.static_summary, "sealed");
        handle.signal<&Sealed::release>("+end");
        EXPECT_EQ(handle.result(), "text+half+local+why+child+end");
        int events = 0;
        for (const auto& event : handle.history({.page_size = 3})) events += event.event_id() > 0;
        EXPECT_GT(events, 20);
        Replayer replayer(converter);
        wf::register_type<Sealed>(replayer)
            .run<&Sealed::run>()
            .signal<&Sealed::release>()
            .update<&Sealed::set>();
        const auto replayed = replayer.replay(history_of(handle), handle.workflow_id());
        EXPECT_TRUE(replayed.ok) << replayed.error;
        worker.stop();
    }
}

std::string returns_much() { return std::string(3'000, 'x'); }
wf::task<std::string> asks_for_much() {
    auto much = co_await wf::capture(wf::activity<returns_much>(
        {.start_to_close = 10s, .retry = RetryPolicy{.maximum_attempts = 1}}));
    const auto& root = dynamic_cast<const ApplicationError&>(much.error()->root());
    co_return root.type() + ": " + root.message();
}

TEST_F(DataTest, ActivityFailsWhenItsResultIsTooLarge) {
    Client client = connect_to_server({.payload_limits = {.payloads_max = 2'000}});
    Worker worker(client, queue_);
    worker.register_workflow<asks_for_much>().register_activity<returns_much>();
    worker.start();
    const std::string result = client.execute<asks_for_much>(on_queue());
    EXPECT_THAT(result, HasSubstr("PayloadTooLargeError: "));
    EXPECT_THAT(result, HasSubstr("RespondActivityTaskCompletedRequest.result has"));
}

}  // namespace
}  // namespace stele::testing
