#include "cli/session.h"

#include "google/rpc/status.pb.h"

#include <fmt/format.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <future>

namespace stele::cli {
namespace {

using google::protobuf::Message;

// Longer than a long poll, which the server ends.
constexpr Milliseconds kCallTimeout{70'000};

std::shared_ptr<Transport> connect(const Settings& settings) {
    GrpcTransportOptions options;
    options.address = settings.address;
    options.use_tls = settings.use_tls;
    options.tls = {settings.authority, settings.certificate, settings.key, settings.server_name};
    return make_grpc_transport(options);
}

/// Unpacks whatever type an Any holds, if this program knows it.
std::unique_ptr<Message> unpack(const google::protobuf::Any& any) {
    std::string name;
    if (!google::protobuf::Any::ParseAnyTypeUrl(any.type_url(), &name)) return nullptr;
    const auto* type =
        google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(name);
    if (type == nullptr) return nullptr;
    std::unique_ptr<Message> message(
        google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
    return any.UnpackTo(message.get()) ? std::move(message) : nullptr;
}

}  // namespace

Session::Session(Settings settings, const CommonFlags& flags, Printer& printer)
    : settings_(std::move(settings)),
      flags_(flags),
      printer_(printer),
      runtime_(default_runtime()),
      transport_(connect(settings_)) {
    if (flags_.command_timeout > Duration::zero()) {
        deadline_ = add_saturating(now(), flags_.command_timeout);
    }
}

Timestamp Session::now() const { return Timestamp(runtime_->now().time_since_epoch()); }

std::string Session::new_id() {
    // Version 4, variant 1.
    const std::uint64_t high = (runtime_->random() & ~0xf000ULL) | 0x4000ULL;
    const std::uint64_t low = (runtime_->random() >> 2) | (1ULL << 63);
    return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xffff,
                       high & 0xffff, low >> 48, low & 0xffff'ffff'ffff);
}

std::string Session::time_text(const google::protobuf::Timestamp& time) const {
    return cli::time_text(from_proto(time), flags_.time_format, now());
}

absl::Status Session::call_workflow_service(const std::string& method, const Message& request,
                                            Message& reply) {
    return call("/temporal.api.workflowservice.v1.WorkflowService/" + method, request, reply);
}

absl::Status Session::call_operator_service(const std::string& method, const Message& request,
                                            Message& reply) {
    return call("/temporal.api.operatorservice.v1.OperatorService/" + method, request, reply);
}

absl::Status Session::call(const std::string& path, const Message& request, Message& reply) {
    Transport::CallOptions options;
    STELE_ASSIGN_OR_RETURN(options.timeout, time_for_call());
    if (!settings_.api_key.empty()) {
        options.metadata.emplace_back("authorization", "Bearer " + settings_.api_key);
    }
    options.metadata.emplace_back("temporal-namespace", settings_.namespace_name);
    for (const auto& [key, value] : settings_.metadata) options.metadata.emplace_back(key, value);

    const std::shared_ptr<Message> request_copy(request.New());
    request_copy->CopyFrom(request);
    const std::shared_ptr<Message> shared_reply(reply.New());
    std::promise<Transport::Status> finished;
    transport_->call(path, request_copy, shared_reply, options,
                     [&finished](const Transport::Status& status) { finished.set_value(status); });
    const Transport::Status status = finished.get_future().get();
    if (!status.ok()) return to_status(status);
    reply.GetReflection()->Swap(&reply, shared_reply.get());
    has_reached_server_ = true;
    return absl::OkStatus();
}

void Session::pause(Milliseconds time) { runtime_->make_event()->wait_for(time); }

absl::StatusOr<Milliseconds> Session::time_for_call() const {
    if (deadline_ == kNever) return kCallTimeout;
    const auto left = std::chrono::duration_cast<Milliseconds>(deadline_ - now());
    if (left <= Milliseconds::zero()) {
        return deadline_exceeded(
            fmt::format("--command-timeout of {} is over", duration_text(flags_.command_timeout)));
    }
    return std::min(left, kCallTimeout);
}

absl::Status Session::to_status(const Transport::Status& status) const {
    const auto code = static_cast<absl::StatusCode>(status.code);
    if (code == absl::StatusCode::kDeadlineExceeded && deadline_ != kNever && now() >= deadline_) {
        return time_for_call().status();
    }
    google::rpc::Status details;
    if (!details.ParseFromString(status.details) || details.details_size() == 0) {
        if (code != absl::StatusCode::kUnavailable) return make_error(code, status.message);
        return make_error(
            code, fmt::format("no answer from the server at {}: {} (`stele server start-dev` "
                              "starts one; --address or TEMPORAL_ADDRESS choose another)",
                              settings_.address, status.message));
    }
    const std::unique_ptr<Message> detail = unpack(details.details(0));
    return detail == nullptr ? make_error(code, status.message)
                             : make_error(code, status.message, *detail);
}

absl::Status explain(const std::string& what, const absl::Status& status) {
    if (status.ok()) return status;
    return make_error(status.code(), what + ": " + message_of(status));
}

}  // namespace stele::cli
