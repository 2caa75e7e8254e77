#include "link.h"

#include "stele/embedded.h"

#include <absl/container/flat_hash_map.h>

#include <condition_variable>
#include <mutex>
#include <utility>
#include <vector>

namespace stele::bench {
namespace {

constexpr Milliseconds kCallTimeout{70'000};  // as the SDKs give a poll
/// Those of dispatches from a task queue, which would hold the load back.
const std::vector<std::string> kNoLimits = {
    "admin.matchingNamespaceTaskqueueToPartitionDispatchRate=1000000",
    "admin.matchingNamespaceToPartitionDispatchRate=1000000"};

/// Ends of calls are told by the engine's threads, and what follows from one runs right there, as it
/// would in a program that is made for speed. It runs for one end after the other: whoever serves has
/// the load to itself, and an end that comes meanwhile waits for it. Outside of serve_until() the
/// load's own thread serves.
class EmbeddedLink final : public Link {
public:
    EmbeddedLink(const std::string& directory, const std::string& name_space, int threads)
        : server_({.directory = directory,
                   .namespaces = {name_space},
                   .settings = kNoLimits,
                   .threads = threads}),
          transport_(server_.transport()) {}
    ~EmbeddedLink() override { server_.stop(); }  // while there is a queue for what then ends

    CallId call(int, const std::string& path,
                std::shared_ptr<const google::protobuf::Message> request,
                std::shared_ptr<google::protobuf::Message> reply, Then then) override {
        const CallId id = ++last_id_;
        // Kept before anybody can end it.
        Call& call = calls_[id];
        call.then = std::move(then);
        auto handle =
            transport_->call(path, std::move(request), std::move(reply), {.timeout = kCallTimeout},
                             [this, id](const Transport::Status& status) {
                                 std::unique_lock lock(mutex_);
                                 ended_.emplace_back(id, Ended{status.code, status.message});
                                 if (std::exchange(served_, true)) return;
                                 serve(lock);
                                 served_ = false;
                                 if (wanted_) free_.notify_one();
                             });
        call.handle = std::move(handle);
        return id;
    }

    void cancel(int, CallId call) override {
        const auto found = calls_.find(call);
        if (found != calls_.end()) found->second.handle->cancel();
    }

    void serve_until(Clock::time_point end, const std::function<bool()>& done) override {
        std::unique_lock lock(mutex_);
        done_ = &done;
        wanted_ = done();
        serve(lock);
        served_ = false;
        free_.wait_until(lock, end, [this] { return wanted_ && !served_; });
        wanted_ = true;
        free_.wait(lock, [this] { return !served_; });
        served_ = true;
        done_ = nullptr;
    }

private:
    struct Call {
        std::shared_ptr<Transport::Call> handle;
        Then then;
    };

    /// Goes through what has ended until there is nothing left, or the load's thread wants to serve.
    void serve(std::unique_lock<std::mutex>& lock) {
        std::vector<std::pair<CallId, Ended>> ended;
        while (!ended_.empty() && !wanted_) {
            ended.swap(ended_);
            lock.unlock();
            for (const auto& [id, how] : ended) {
                const auto call = calls_.extract(id);
                call.mapped().then(how);
            }
            ended.clear();
            const bool done = (*done_)();
            lock.lock();
            wanted_ = wanted_ || done;
        }
    }

    std::mutex mutex_;
    std::condition_variable free_;
    std::vector<std::pair<CallId, Ended>> ended_;
    bool served_ = true;   // somebody serves
    bool wanted_ = false;  // the load's thread wants to
    const std::function<bool()>* done_ = nullptr;

    // Of who serves.
    CallId last_id_ = 0;
    absl::flat_hash_map<CallId, Call> calls_;
    embedded::Server server_;
    std::shared_ptr<Transport> transport_;
};

}  // namespace

std::unique_ptr<Link> embed(const std::string& directory, const std::string& name_space,
                            int threads) {
    return std::make_unique<EmbeddedLink>(directory, name_space, threads);
}

}  // namespace stele::bench
