#pragma once

#include "frontend/frontend.h"
#include "server/grpc/stream.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace stele::server {

/// A place among the calls that a server has under way at a time; given back when it goes.
class CallPlace {
public:
    /// Without a value when `limit` calls are under way.
    static std::optional<CallPlace> take(std::atomic<std::size_t>& calls, std::size_t limit) {
        if (calls.fetch_add(1, std::memory_order_relaxed) < limit) return CallPlace(calls);
        calls.fetch_sub(1, std::memory_order_relaxed);
        return std::nullopt;
    }
    CallPlace(CallPlace&& other) noexcept : calls_(std::exchange(other.calls_, nullptr)) {}
    CallPlace& operator=(CallPlace&&) = delete;
    ~CallPlace() {
        if (calls_ != nullptr) calls_->fetch_sub(1, std::memory_order_relaxed);
    }

private:
    explicit CallPlace(std::atomic<std::size_t>& calls) : calls_(&calls) {}

    std::atomic<std::size_t>* calls_;
};

/// A unary call of the frontend's services. The lock guards only the cancellation closure, because
/// the end of a call is told on the thread of its connection.
class GrpcCall final : public frontend::Call,
                       public StreamHandler,
                       public std::enable_shared_from_this<GrpcCall> {
public:
    /// `frontend` must outlive the call, and what `place` is of must outlive its end.
    GrpcCall(const frontend::Frontend& frontend, StreamPtr stream, CallPlace place)
        : frontend_(frontend), stream_(std::move(stream)), place_(std::move(place)) {}

    Timestamp deadline() const override { return stream_->head().deadline; }
    bool cancelled() const override;
    void on_cancel(absl::AnyInvocable<void()> closure) override;

    absl::Status read(google::protobuf::Message& request) override;
    std::string header(std::string_view name) const override;
    void finish(absl::StatusOr<frontend::ResponseBytes> response) override;

    void message(std::string bytes) override;
    void half_closed() override;
    void ended() override;

private:
    const frontend::Frontend& frontend_;
    const StreamPtr stream_;
    std::optional<std::string> request_;
    std::optional<CallPlace> place_;  // until the caller has been told, or has gone

    mutable std::recursive_mutex mutex_;
    bool cancelled_ = false;
    bool finished_ = false;
    absl::AnyInvocable<void()> on_cancel_;
};

}  // namespace stele::server
