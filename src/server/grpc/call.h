#pragma once

#include "frontend/call.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/support/byte_buffer.h>

#include <memory>
#include <mutex>

namespace stele::server {

/// A unary gRPC call. It keeps itself alive until gRPC is done with it; the frontend's shared
/// pointers may keep it longer. The lock guards only the cancellation closure, because gRPC reports
/// cancellation on a thread of its own.
class GrpcCall final : public frontend::Call, public grpc::ServerUnaryReactor {
public:
    /// Makes a call that owns itself; hand `reactor` to gRPC.
    static std::shared_ptr<GrpcCall> make(grpc::CallbackServerContext* context,
                                          const grpc::ByteBuffer* request,
                                          grpc::ByteBuffer* response);

    Timestamp deadline() const override;
    bool cancelled() const override;
    void on_cancel(absl::AnyInvocable<void()> closure) override;

    absl::Status read(google::protobuf::Message& request) override;
    std::string header(std::string_view name) const override;
    void finish(absl::StatusOr<frontend::ResponseBytes> response) override;

    void OnCancel() override;
    void OnDone() override;

private:
    GrpcCall(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
             grpc::ByteBuffer* response);

    // Valid until OnDone, which can not come before finish.
    grpc::CallbackServerContext* context_;
    const grpc::ByteBuffer* request_;
    grpc::ByteBuffer* response_;
    Timestamp deadline_;
    std::shared_ptr<GrpcCall> self_;

    mutable std::recursive_mutex mutex_;
    bool cancelled_ = false;
    absl::AnyInvocable<void()> on_cancel_;
};

}  // namespace stele::server
