// Tracing with a tracer of one's own: here it prints every span as a line, with its place in the
// trace. In an application it would hand them to the tracing library that is there anyway.
//
//     tracing [--address HOST:PORT]

#include <stele/stele.h>

#include <atomic>
#include <mutex>

#include "common.h"

namespace wf = stele::wf;
using namespace std::chrono_literals;

// A span that is printed when it ends. Its context is the id of the trace and its own, which is what
// it takes to find its place.
class PrintedSpan final : public stele::Span {
public:
    PrintedSpan(std::string name, std::string trace, int id, std::string parent)
        : name_(std::move(name)), trace_(std::move(trace)), id_(id), parent_(std::move(parent)) {}

    ~PrintedSpan() override {
        static std::mutex mutex;
        const std::lock_guard lock(mutex);
        std::cout << trace_ << " span " << id_ << " below " << parent_ << ": " << name_
                  << (error_.empty() ? "" : " failed: " + error_) << std::endl;
    }

    stele::SpanContext context() const override {
        return {{"trace", trace_}, {"span", std::to_string(id_)}};
    }
    void set_error(const std::exception& error) override { error_ = error.what(); }

private:
    std::string name_;
    std::string trace_;
    int id_;
    std::string parent_;
    std::string error_;
};

class PrintingTracer final : public stele::Tracer {
public:
    std::unique_ptr<stele::Span> start_span(const stele::SpanOptions& options) override {
        const int id = ++last_id_;
        const bool first = options.parent.empty();
        return std::make_unique<PrintedSpan>(
            options.name, first ? "trace-" + std::to_string(id) : options.parent.at("trace"), id,
            first ? "nothing" : options.parent.at("span"));
    }

private:
    std::atomic<int> last_id_{0};
};

int price(std::string item) {
    if (item == "unicorn")
        throw stele::ApplicationError("nobody sells one", {.non_retryable = true});
    return 42;
}

wf::task<int> shop(std::string item) {
    co_return co_await wf::activity<price>(item, {.start_to_close = 10s});
}

int main(int argc, char** argv) {
    return examples::run([&] {
        auto client = stele::Client::connect({.address = examples::address(argc, argv),
                                              .interceptors = {stele::make_tracing_interceptor(
                                                  std::make_shared<PrintingTracer>())}});
        stele::Worker worker(client, "tracing");
        worker.register_workflow<shop>().register_activity<price>();
        worker.start();
        const int asked = client.execute<shop>({.task_queue = "tracing"}, "lamp");
        std::cout << "price: " << asked << std::endl;
        try {
            (void)client.execute<shop>({.task_queue = "tracing"}, "unicorn");
        } catch (const stele::WorkflowFailedError& error) {
            std::cout << "no unicorn: " << error.what() << std::endl;
        }
    });
}
