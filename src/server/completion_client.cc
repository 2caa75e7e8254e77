#include "server/completion_client.h"

#include "server/completion_request.h"

#include <httplib.h>

#include <array>
#include <atomic>
#include <functional>
#include <string>
#include <utility>

namespace stele::server {
namespace {

constexpr std::size_t kLanes = 4;
constexpr std::size_t kMaximumWaiting = 10'000;
constexpr int kTimeoutSeconds = 10;
constexpr std::size_t kMaximumResponse = 64 * 1024;

absl::Status perform(const CompletionRequest& request) {
    httplib::Client client(request.origin);
    client.set_connection_timeout(kTimeoutSeconds);
    client.set_read_timeout(kTimeoutSeconds);
    client.set_write_timeout(kTimeoutSeconds);
    httplib::Request http;
    http.method = "POST";
    http.path = request.path;
    for (const auto& [name, value] : request.headers) http.headers.emplace(name, value);
    if (!request.content_type.empty()) http.headers.emplace("content-type", request.content_type);
    http.headers.emplace("user-agent", "stele");
    http.body = request.body;
    // What it says beside the status interests nobody, but it must not be endless.
    std::size_t received = 0;
    http.content_receiver = [&received](const char*, std::size_t bytes, std::uint64_t,
                                        std::uint64_t) {
        received += bytes;
        return received <= kMaximumResponse;
    };
    const httplib::Result result = client.send(http);
    if (!result) {
        return unavailable("the receiver can not be reached: " +
                           httplib::to_string(result.error()));
    }
    return completion_answer(result->status, result->get_header_value("nexus-request-retryable"));
}

class CompletionClient final : public shard::CompletionSender {
public:
    explicit CompletionClient(env::Env& env) {
        for (auto& lane : lanes_) lane = env.make_blocking_executor("callbacks");
    }

    void send(shard::Completion completion, Reply<history::None> reply) override {
        auto request = completion_request(completion);
        if (!request.ok()) return reply(request.status());
        if (++waiting_ > kMaximumWaiting) {
            --waiting_;
            return reply(unavailable("too many callbacks wait to be sent"));
        }
        const std::size_t lane = std::hash<std::string>()(request->origin) % kLanes;
        lanes_[lane]->post(
            [this, request = *std::move(request), reply = std::move(reply)]() mutable {
                const absl::Status answer = perform(request);
                --waiting_;
                if (!answer.ok()) return reply(answer);
                reply(history::None());
            });
    }

    void close() override {
        for (const auto& lane : lanes_) lane->stop();
    }

private:
    std::array<std::unique_ptr<env::Executor>, kLanes> lanes_;
    std::atomic<std::size_t> waiting_ = 0;
};

}  // namespace

std::unique_ptr<shard::CompletionSender> make_completion_client(env::Env& env) {
    return std::make_unique<CompletionClient>(env);
}

}  // namespace stele::server
