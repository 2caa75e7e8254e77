#include <google/protobuf/message.h>
#include <grpc/support/time.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <utility>

#include "stele/errors.h"
#include "stele/transport.h"

namespace stele {

namespace {

using google::protobuf::Message;

// The server sends histories and payloads up to its own limit; gRPC's default of 4 MiB is below it.
constexpr int kMessageBytesMax = 128 * 1024 * 1024;

grpc::ByteBuffer serialize(const Message& message) {
    grpc::ByteBuffer buffer;
    bool own_buffer = false;
    (void)grpc::GenericSerialize<grpc::ProtoBufferWriter, Message>(message, &buffer, &own_buffer);
    return buffer;
}

class GrpcCall final : public Transport::Call {
public:
    void cancel() override { context.TryCancel(); }

    grpc::ClientContext context;
    grpc::ByteBuffer request;
    grpc::ByteBuffer reply_bytes;
    std::shared_ptr<Message> reply;
    Transport::Callback done;

    void finish(const grpc::Status& status) {
        Transport::Status result{static_cast<int>(status.error_code()), status.error_message(),
                                 status.error_details()};
        if (status.ok()) {
            const grpc::Status parsed = grpc::GenericDeserialize<grpc::ProtoBufferReader, Message>(
                &reply_bytes, reply.get());
            if (!parsed.ok())
                result = {
                    static_cast<int>(grpc::StatusCode::INTERNAL), "the reply cannot be parsed", {}};
        }
        // What the callback captured must not live as long as somebody holds this call.
        const Transport::Callback callback = std::exchange(done, nullptr);
        callback(result);
    }
};

// gRPC's callback threads end with the last channel, which may be released on one of them, and then
// they wait for themselves. A channel that leads nowhere is kept for ever, so that they never end.
void keep_callback_threads() {
    static const grpc::GenericStub* const kept = [] {
        auto* stub = new grpc::GenericStub(grpc::CreateChannel("", nullptr));
        auto call = std::make_shared<GrpcCall>();
        const grpc::Slice nothing;
        call->request = grpc::ByteBuffer(&nothing, 1);
        stub->UnaryCall(&call->context, "/kept", grpc::StubOptions(), &call->request,
                        &call->reply_bytes, [call](grpc::Status) {});
        return stub;
    }();
    (void)kept;
}

class GrpcTransport final : public Transport {
public:
    explicit GrpcTransport(const GrpcTransportOptions& options)
        : stub_(std::make_shared<grpc::GenericStub>(grpc::CreateCustomChannel(
              options.address, make_credentials(options), make_arguments(options)))) {}

    std::shared_ptr<Call> call(std::string_view method, std::shared_ptr<const Message> request,
                               std::shared_ptr<Message> reply, const CallOptions& options,
                               Callback done) override {
        auto state = std::make_shared<GrpcCall>();
        state->request = serialize(*request);
        state->reply = std::move(reply);
        state->done = std::move(done);
        // A span counts from now.
        state->context.set_deadline(gpr_time_from_millis(options.timeout.count(), GPR_TIMESPAN));
        for (const auto& [key, value] : options.metadata) state->context.AddMetadata(key, value);
        stub_->UnaryCall(&state->context, std::string(method), grpc::StubOptions(), &state->request,
                         &state->reply_bytes,
                         [state](grpc::Status status) { state->finish(status); });
        return state;
    }

private:
    static std::shared_ptr<grpc::ChannelCredentials> make_credentials(
        const GrpcTransportOptions& options) {
        if (!options.use_tls) return grpc::InsecureChannelCredentials();
        if (options.tls.disable_host_verification) return make_trusting_credentials(options.tls);
        grpc::SslCredentialsOptions tls;
        tls.pem_root_certs = options.tls.root_certificates;
        tls.pem_cert_chain = options.tls.client_certificate;
        tls.pem_private_key = options.tls.client_key;
        return grpc::SslCredentials(tls);
    }

    static std::shared_ptr<grpc::ChannelCredentials> make_trusting_credentials(
        const TlsOptions& tls) {
        namespace experimental = grpc::experimental;
        experimental::TlsChannelCredentialsOptions trusting;
        trusting.set_verify_server_certs(false);
        trusting.set_certificate_verifier(
            std::make_shared<experimental::NoOpCertificateVerifier>());
        trusting.set_check_call_host(false);
        if (!tls.client_certificate.empty()) {
            trusting.set_certificate_provider(
                std::make_shared<experimental::StaticDataCertificateProvider>(
                    std::vector<experimental::IdentityKeyCertPair>{
                        {tls.client_key, tls.client_certificate}}));
            trusting.watch_identity_key_cert_pairs();
        }
        return experimental::TlsCredentials(trusting);
    }

    static grpc::ChannelArguments make_arguments(const GrpcTransportOptions& options) {
        grpc::ChannelArguments arguments;
        arguments.SetMaxReceiveMessageSize(kMessageBytesMax);
        arguments.SetMaxSendMessageSize(kMessageBytesMax);
        arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS,
                         static_cast<int>(options.keepalive_interval.count()));
        arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
                         static_cast<int>(options.keepalive_timeout.count()));
        arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
        arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
        // Retries are the client's, with the codes and the pace of the official SDKs.
        arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
        arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 5'000);
        if (!options.tls.server_name.empty())
            arguments.SetSslTargetNameOverride(options.tls.server_name);
        return arguments;
    }

    std::shared_ptr<grpc::GenericStub> stub_;
};

}  // namespace

namespace {

/// What gRPC would say only with the first call, and not as plainly.
void check_pem(const std::string& text, const char* begin, const char* what) {
    if (!text.empty() && text.find(begin) == std::string::npos)
        throw ConfigurationError(std::string("the ") + what + " is not a PEM text");
}

void check_tls(const TlsOptions& tls) {
    if (tls.client_certificate.empty() != tls.client_key.empty())
        throw ConfigurationError("a client certificate and its key must be given together");
    check_pem(tls.root_certificates, "-----BEGIN CERTIFICATE-----", "server's CA certificate");
    check_pem(tls.client_certificate, "-----BEGIN CERTIFICATE-----", "client certificate");
    check_pem(tls.client_key, "PRIVATE KEY-----", "client key");
}

}  // namespace

std::shared_ptr<Transport> make_grpc_transport(const GrpcTransportOptions& options) {
    if (options.use_tls) check_tls(options.tls);
    keep_callback_threads();
    return std::make_shared<GrpcTransport>(options);
}

}  // namespace stele
