#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sdk/runtime/single_thread_testing.h"
#include "sdk/worker/fake_server_testing.h"
#include "stele/stele.h"

// One trace from the client's call to the last activity.
namespace stele {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

/// Numbers its spans; the context of a span is its number.
class CountingTracer final : public Tracer {
public:
    struct Record {
        SpanOptions options;
        std::string error = {};
        bool ended = false;

        std::string text() const {
            const auto parent = options.parent.find("id");
            return options.name + " of " +
                   (parent == options.parent.end() ? "nobody" : parent->second);
        }
    };

    std::unique_ptr<Span> start_span(const SpanOptions& options) override {
        records.push_back({options});
        return std::make_unique<Counted>(*this, records.size() - 1);
    }
    SpanContext current() const override { return surrounding; }

    std::vector<std::string> texts() const {
        std::vector<std::string> result;
        for (const Record& record : records) result.push_back(record.text());
        return result;
    }
    const Record& named(const std::string& name) const {
        for (const Record& record : records)
            if (record.options.name == name) return record;
        throw std::logic_error("there is no span " + name);
    }

    std::vector<Record> records;
    SpanContext surrounding;

private:
    class Counted final : public Span {
    public:
        Counted(CountingTracer& tracer, std::size_t index) : tracer_(tracer), index_(index) {}
        ~Counted() override { tracer_.records[index_].ended = true; }
        SpanContext context() const override { return {{"id", std::to_string(index_)}}; }
        void set_error(const std::exception& error) override {
            tracer_.records[index_].error = error.what();
        }

    private:
        CountingTracer& tracer_;
        std::size_t index_;
    };
};

std::string traced(std::string text) {
    if (text == "bad") throw ApplicationError("bad text", {.non_retryable = true});
    return text;
}

wf::task<std::string> is_traced(std::string text) {
    const auto first = co_await wf::activity<traced>(text, {.start_to_close = 10s});
    co_await wf::sleep(1h);
    co_return co_await wf::local_activity<traced>(first, {.start_to_close = 10s});
}

wf::task<std::string> fails_traced(std::string text) {
    const auto outcome =
        co_await wf::capture(wf::local_activity<traced>(text, {.start_to_close = 10s}));
    co_return outcome.ok() ? "ok" : "failed";
}

class TracingTest : public ::testing::Test {
protected:
    template <auto Workflow>
    std::string run(const std::string& text, WorkerOptions options = {}) {
        auto client = Client::connect({.interceptors = {make_tracing_interceptor(tracer_)},
                                       .runtime = runtime_,
                                       .transport = server_});
        Worker worker(client, "queue", options);
        worker.register_workflow<is_traced>()
            .register_workflow<fails_traced>()
            .register_activity<traced>();
        worker.start();
        std::string result =
            client.execute<Workflow>({.id = "workflow", .task_queue = "queue"}, text);
        worker.stop();
        return result;
    }

    std::shared_ptr<CountingTracer> tracer_ = std::make_shared<CountingTracer>();
    std::shared_ptr<testing::SingleThreadRuntime> runtime_ =
        std::make_shared<testing::SingleThreadRuntime>();
    testing::EndOfTest end_of_test_{runtime_};
    std::shared_ptr<testing::FakeServer> server_ = std::make_shared<testing::FakeServer>(runtime_);
};

TEST_F(TracingTest, SpansHaveTheNamesAndParentsOfTheOfficialSdks) {
    tracer_->surrounding = {{"id", "caller"}};
    EXPECT_EQ(run<is_traced>("x"), "x");
    EXPECT_THAT(tracer_->texts(),
                ElementsAre("StartWorkflow:is_traced of caller", "RunWorkflow:is_traced of 0",
                            "StartActivity:traced of 0", "RunActivity:traced of 2",
                            "StartLocalActivity:traced of 0", "RunActivity:traced of 4"));
    for (const auto& record : tracer_->records) {
        EXPECT_TRUE(record.ended) << record.options.name;
        EXPECT_EQ(record.error, "");
        EXPECT_EQ(record.options.attributes.at("temporalWorkflowID"), "workflow");
    }
    EXPECT_EQ(tracer_->named("RunActivity:traced").options.attributes.at("temporalActivityID"),
              "1");
}

TEST_F(TracingTest, NothingIsTracedTwiceWhenThePastIsRepeated) {
    EXPECT_EQ(run<is_traced>("x", {.cached_runs_max = 0}), "x");
    EXPECT_EQ(tracer_->records.size(), 6);
    EXPECT_EQ(tracer_->texts()[5], "RunActivity:traced of 4");
}

TEST_F(TracingTest, FailedActivityIsAnErrorOfItsSpan) {
    EXPECT_EQ(run<fails_traced>("bad"), "failed");
    EXPECT_THAT(tracer_->named("RunActivity:traced").error, ::testing::HasSubstr("bad text"));
    EXPECT_EQ(tracer_->named("StartLocalActivity:traced").error, "");
}

TEST_F(TracingTest, WithoutATracerThereIsNoInterceptor) {
    EXPECT_THROW((void)make_tracing_interceptor(nullptr), IllegalCallError);
}

}  // namespace
}  // namespace stele
