#include "link.h"

#include "stele/embedded.h"

#include <condition_variable>
#include <map>
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

class EmbeddedLink final : public Link {
public:
    EmbeddedLink(const std::string& directory, const std::string& name_space)
        : server_({.directory = directory, .namespaces = {name_space}, .settings = kNoLimits}),
          transport_(server_.transport()) {}
    ~EmbeddedLink() override { server_.stop(); }  // while there is a queue for what then ends

    CallId call(int, const std::string& path,
                std::shared_ptr<const google::protobuf::Message> request,
                std::shared_ptr<google::protobuf::Message> reply, Then then) override {
        const CallId id = ++last_id_;
        // Kept before anybody can end it.
        Call& call = calls_[id];
        call.then = std::move(then);
        call.handle =
            transport_->call(path, std::move(request), std::move(reply), {.timeout = kCallTimeout},
                             [this, id](const Transport::Status& status) {
                                 const std::lock_guard lock(mutex_);
                                 if (ended_.empty()) arrived_.notify_one();
                                 ended_.emplace_back(id, Ended{status.code, status.message});
                             });
        return id;
    }

    void cancel(int, CallId call) override {
        const auto found = calls_.find(call);
        if (found != calls_.end()) found->second.handle->cancel();
    }

    void serve_until(Clock::time_point end, const std::function<bool()>& done) override {
        std::vector<std::pair<CallId, Ended>> ended;
        while (!done()) {
            {
                std::unique_lock lock(mutex_);
                if (!arrived_.wait_until(lock, end, [this] { return !ended_.empty(); })) return;
                ended.swap(ended_);
            }
            for (const auto& [id, how] : ended) {
                const auto call = calls_.extract(id);
                call.mapped().then(how);
            }
            ended.clear();
            if (Clock::now() >= end) return;
        }
    }

private:
    struct Call {
        std::shared_ptr<Transport::Call> handle;
        Then then;
    };

    std::mutex mutex_;
    std::condition_variable arrived_;
    std::vector<std::pair<CallId, Ended>> ended_;  // by threads of the engine
    CallId last_id_ = 0;
    std::map<CallId, Call> calls_;
    embedded::Server server_;
    std::shared_ptr<Transport> transport_;
};

}  // namespace

std::unique_ptr<Link> embed(const std::string& directory, const std::string& name_space) {
    return std::make_unique<EmbeddedLink>(directory, name_space);
}

}  // namespace stele::bench
