#include "server/grpc/call.h"

#include "google/rpc/status.pb.h"

#include <grpcpp/support/proto_buffer_reader.h>
#include <grpcpp/support/slice.h>

#include <utility>

namespace stele::server {
namespace {

/// The status with its Temporal detail in the form that every gRPC client can read.
grpc::Status to_grpc(const absl::Status& status) {
    const auto code = static_cast<grpc::StatusCode>(status.code());
    std::string message = message_of(status);
    const std::optional<ErrorDetail> detail = detail_of(status);
    if (!detail) return {code, std::move(message)};
    google::rpc::Status rich;
    rich.set_code(code);
    rich.set_message(message);
    auto* any = rich.add_details();
    any->set_type_url(detail->type_url);
    any->set_value(detail->value);
    return {code, std::move(message), rich.SerializeAsString()};
}

Timestamp to_timestamp(std::chrono::system_clock::time_point time) {
    if (time == std::chrono::system_clock::time_point::max()) return kNever;
    return Timestamp(std::chrono::duration_cast<Duration>(time.time_since_epoch()));
}

}  // namespace

std::shared_ptr<GrpcCall> GrpcCall::make(grpc::CallbackServerContext* context,
                                         const grpc::ByteBuffer* request,
                                         grpc::ByteBuffer* response) {
    std::shared_ptr<GrpcCall> call(new GrpcCall(context, request, response));
    call->self_ = call;
    return call;
}

GrpcCall::GrpcCall(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                   grpc::ByteBuffer* response)
    : context_(context),
      request_(request),
      response_(response),
      deadline_(to_timestamp(context->deadline())) {}

Timestamp GrpcCall::deadline() const { return deadline_; }

bool GrpcCall::cancelled() const {
    const std::lock_guard lock(mutex_);
    return cancelled_;
}

void GrpcCall::on_cancel(absl::AnyInvocable<void()> closure) {
    const std::lock_guard lock(mutex_);
    on_cancel_ = std::move(closure);
    if (cancelled_ && on_cancel_) std::exchange(on_cancel_, nullptr)();
}

absl::Status GrpcCall::read(google::protobuf::Message& request) {
    grpc::ByteBuffer bytes(*request_);  // shares the slices
    grpc::ProtoBufferReader reader(&bytes);
    if (reader.status().ok() && request.ParseFromZeroCopyStream(&reader)) return absl::OkStatus();
    return internal_error(
        "grpc: error unmarshalling request: the bytes are not a valid " +
        request.GetDescriptor()->full_name() + " (or a string in it is not UTF-8)");
}

std::string GrpcCall::header(std::string_view name) const {
    const auto found =
        context_->client_metadata().find(grpc::string_ref(name.data(), name.size()));
    if (found == context_->client_metadata().end()) return {};
    return {found->second.data(), found->second.size()};
}

void GrpcCall::finish(absl::StatusOr<frontend::ResponseBytes> response) {
    if (!response.ok()) return Finish(to_grpc(response.status()));
    grpc::Slice slice(*response);
    *response_ = grpc::ByteBuffer(&slice, 1);
    Finish(grpc::Status::OK);
}

void GrpcCall::OnCancel() {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    // Under the lock, so that whoever removes the closure knows that it is not running.
    if (on_cancel_) std::exchange(on_cancel_, nullptr)();
}

void GrpcCall::OnDone() {
    on_cancel({});
    self_.reset();
}

}  // namespace stele::server
