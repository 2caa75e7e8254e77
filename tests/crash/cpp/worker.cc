#include "temporal/api/workflowservice/v1/request_response.pb.h"

#include <google/protobuf/message.h>
#include <stele/stele.h>

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

// The worker of the C++ SDK in the crash test: the same workflows as those of workflows.go, until it is
// killed. It says on its standard output, a JSON text to a line, which results the server has
// acknowledged.
//
//     stele_crash_worker HOST:PORT TASK-QUEUE
namespace {

namespace wf = stele::wf;
namespace service = temporal::api::workflowservice::v1;
using namespace std::chrono_literals;

const stele::RetryPolicy kRetries{.initial_interval = 100ms, .maximum_interval = 1s};
const stele::ActivityOptions kActivity{.start_to_close = 5s, .retry = kRetries};

std::atomic<std::uint64_t> writes = 0;

/// Answers with a text of its own at each attempt, so that a completion can be recognised.
std::string write_note(std::string id, std::string step) {
    const auto now = std::chrono::system_clock::now().time_since_epoch().count();
    return id + " " + step + " " + std::to_string(getpid()) + "-" + std::to_string(now) + "-" +
           std::to_string(++writes);
}

wf::task<void> write_step(std::string step) {
    co_await wf::activity<write_note>(wf::info().workflow_id, step, kActivity);
}

class Notes {
public:
    wf::task<void> run() {
        co_await write_step("first");
        co_await wf::sleep(100ms);
        co_await write_step("second");
        co_await wf::until([this] { return ended_; });
    }
    void note(std::string text) { ended_ = ended_ || text.starts_with("last"); }

private:
    bool ended_ = false;
};

wf::task<void> chain(int more) {
    co_await write_step("link " + std::to_string(more));
    co_await wf::sleep(50ms);
    if (more > 0) co_await wf::continue_as_new_by_name("Chain", {}, more - 1);
}

wf::task<void> errand() {
    co_await write_step("errand");
    co_await wf::sleep(50ms);
    const std::string text = "from " + wf::info().workflow_id;
    const wf::external_workflow parent(wf::info().parent_workflow_id);
    co_await parent.signal("note", text);
}

class Family {
public:
    wf::task<void> run() {
        std::vector<wf::task<void>> children;
        for (int number = 1; number <= kChildren; ++number) children.push_back(child(number));
        co_await wf::all(std::move(children));
        co_await wf::until([this] { return notes_ == kChildren; });
    }
    void note(std::string) { ++notes_; }

private:
    static constexpr int kChildren = 2;

    static wf::task<void> child(int number) {
        const std::string id = wf::info().workflow_id + "-child-" + std::to_string(number);
        co_await wf::child_by_name<void>("Errand", {.id = id, .task_timeout = 3s});
    }

    int notes_ = 0;
};

/// gRPC, but in two ways as the Go worker: it says what was acknowledged, and comes back at once when the
/// server does. As it is it would wait for seconds, while there is nothing to kill.
class CrashTransport final : public stele::Transport,
                             public std::enable_shared_from_this<CrashTransport> {
public:
    explicit CrashTransport(std::string address)
        : address_(std::move(address)),
          runtime_(stele::default_runtime()),
          executor_(runtime_->make_executor()),
          channel_(connect()) {}

    std::shared_ptr<Call> call(std::string_view method,
                               std::shared_ptr<const google::protobuf::Message> request,
                               std::shared_ptr<google::protobuf::Message> reply,
                               const CallOptions& options, Callback done) override {
        const std::shared_ptr<stele::Transport> channel = current();
        return channel->call(
            method, request, reply, options,
            [self = shared_from_this(), channel, method = std::string(method), request, reply,
             options, done = std::move(done)](const Status& status) {
                if (status.ok()) tell(*request);
                if (status.code != stele::kRpcUnavailable) return done(status);
                self->renew(channel);
                if (method.find("/Poll") == std::string::npos) return done(status);
                self->call_again(method, request, reply, options, done);
            });
    }

private:
    std::shared_ptr<stele::Transport> connect() const {
        return stele::make_grpc_transport({.address = address_});
    }
    std::shared_ptr<stele::Transport> current() {
        const std::lock_guard lock(mutex_);
        return channel_;
    }
    /// A new channel connects at once; one that has failed waits longer and longer.
    void renew(const std::shared_ptr<stele::Transport>& failed) {
        const std::lock_guard lock(mutex_);
        if (channel_ == failed) channel_ = connect();
    }
    void call_again(const std::string& method,
                    const std::shared_ptr<const google::protobuf::Message>& request,
                    const std::shared_ptr<google::protobuf::Message>& reply,
                    const CallOptions& options, const Callback& done) {
        // The timer lives until it has run; the process is killed, so that nothing waits for it.
        const auto timer = std::make_shared<std::unique_ptr<stele::Runtime::Timer>>();
        *timer = runtime_->start_timer(
            20ms, executor_,
            [self = shared_from_this(), timer, method, request, reply, options, done] {
                self->call(method, request, reply, options, done);
            });
    }

    static void tell(const google::protobuf::Message& request) {
        const auto* completed =
            dynamic_cast<const service::RespondActivityTaskCompletedRequest*>(&request);
        if (completed == nullptr || completed->result().payloads_size() != 1) return;
        const std::string line = completed->result().payloads(0).data() + "\n";
        // One write, which reaches the reader whole also when the process is killed behind it.
        if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) _exit(1);
    }

    const std::string address_;
    const std::shared_ptr<stele::Runtime> runtime_;
    const std::shared_ptr<stele::Executor> executor_;
    std::mutex mutex_;
    std::shared_ptr<stele::Transport> channel_;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::cerr << "usage: stele_crash_worker HOST:PORT TASK-QUEUE\n";
        return 1;
    }
    auto client = stele::Client::connect({.address = argv[1],
                                          .logger = {},
                                          .lazy = true,
                                          .transport = std::make_shared<CrashTransport>(argv[1])});
    stele::Worker worker(client, argv[2], {.sticky_schedule_to_start = 1s});
    wf::register_type<Notes>(worker).run<&Notes::run>().signal<&Notes::note>();
    wf::register_type<Family>(worker).run<&Family::run>().signal<&Family::note>();
    worker.register_workflow<chain>("Chain").register_workflow<errand>("Errand");
    worker.register_activity<write_note>();
    worker.run();
}
