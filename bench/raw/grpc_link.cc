#include "connection.h"
#include "link.h"

#include <poll.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace stele::bench {
namespace {

constexpr int kInternal = 13;

class GrpcLink final : public Link {
public:
    GrpcLink(const std::string& address, int connections) {
        for (int i = 0; i < std::max(1, connections); ++i) {
            connections_.push_back(std::make_unique<GrpcConnection>(address));
            sockets_.push_back({connections_.back()->descriptor(), POLLIN, 0});
        }
    }

    CallId call(int lane, const std::string& path,
                std::shared_ptr<const google::protobuf::Message> request,
                std::shared_ptr<google::protobuf::Message> reply, Then then) override {
        return connection_of(lane).call(
            path, request->SerializeAsString(),
            [reply = std::move(reply), then = std::move(then)](const Answer& answer) {
                if (answer.status != 0) return then({answer.status, answer.error});
                if (!reply->ParseFromString(answer.message)) {
                    return then({kInternal, "the answer does not parse"});
                }
                then({});
            });
    }

    void cancel(int lane, CallId call) override {
        connection_of(lane).cancel(static_cast<std::int32_t>(call));
    }

    void serve_until(Clock::time_point end, const std::function<bool()>& done) override {
        while (true) {
            // A call that was cancelled ends while its reset is sent.
            for (const auto& connection : connections_) connection->flush();
            if (done()) return;
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
            if (left.count() <= 0) return;
            if (::poll(sockets_.data(), sockets_.size(), static_cast<int>(left.count())) <= 0)
                continue;
            for (std::size_t i = 0; i < sockets_.size(); ++i) {
                if (sockets_[i].revents != 0) connections_[i]->read();
            }
        }
    }

private:
    GrpcConnection& connection_of(int lane) {
        return *connections_[static_cast<std::size_t>(lane) % connections_.size()];
    }

    std::vector<std::unique_ptr<GrpcConnection>> connections_;
    std::vector<pollfd> sockets_;
};

}  // namespace

std::unique_ptr<Link> connect(const std::string& address, int connections) {
    return std::make_unique<GrpcLink>(address, connections);
}

}  // namespace stele::bench
