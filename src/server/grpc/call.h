#pragma once

#include "frontend/frontend.h"
#include "server/grpc/stream.h"

#include <memory>
#include <mutex>
#include <optional>

namespace stele::server {

/// A unary call of the frontend's services. The lock guards only the cancellation closure, because
/// the end of a call is told on the thread of its connection.
class GrpcCall final : public frontend::Call,
                       public StreamHandler,
                       public std::enable_shared_from_this<GrpcCall> {
public:
    /// `frontend` must outlive the call.
    GrpcCall(const frontend::Frontend& frontend, StreamPtr stream)
        : frontend_(frontend), stream_(std::move(stream)) {}

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

    mutable std::recursive_mutex mutex_;
    bool cancelled_ = false;
    bool finished_ = false;
    absl::AnyInvocable<void()> on_cancel_;
};

}  // namespace stele::server
