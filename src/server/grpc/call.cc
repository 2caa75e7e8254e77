#include "server/grpc/call.h"

#include <google/protobuf/descriptor.h>

#include <utility>

namespace stele::server {

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
    // Parsing would clear it first, and it is new.
    if (request_ && request.MergeFromString(*request_)) {
        request_->clear();
        return absl::OkStatus();
    }
    return internal_error("grpc: error unmarshalling request: the bytes are not a valid " +
                          request.GetDescriptor()->full_name() +
                          " (or a string in it is not UTF-8)");
}

std::string GrpcCall::header(std::string_view name) const {
    return std::string(stream_->head().header(name));
}

void GrpcCall::finish(absl::StatusOr<frontend::ResponseBytes> response) {
    {
        const std::lock_guard lock(mutex_);
        finished_ = true;
    }
    if (!response.ok()) return stream_->end(response.status());
    stream_->send_last(*std::move(response));
}

void GrpcCall::message(std::string bytes) {
    if (request_) return stream_->end(internal_error("grpc: a unary call has one message"));
    request_ = std::move(bytes);
}

void GrpcCall::half_closed() {
    if (!request_) return stream_->end(internal_error("grpc: a unary call came without a message"));
    frontend_.dispatch(stream_->head().path(), shared_from_this());
}

void GrpcCall::ended() {
    place_.reset();
    const std::lock_guard lock(mutex_);
    if (finished_) on_cancel_ = nullptr;
    cancelled_ = true;
    // Under the lock, so that whoever removes the closure knows that it is not running.
    if (on_cancel_) std::exchange(on_cancel_, nullptr)();
}

}  // namespace stele::server
