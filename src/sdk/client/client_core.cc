#include "sdk/client/client_core.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "sdk/data/codec.h"
#include "sdk/data/limits.h"
#include "sdk/version.h"
#include "temporal/api/errordetails/v1/message.pb.h"

namespace stele::sdk {

namespace {

namespace errordetails = temporal::api::errordetails::v1;

std::string default_identity() {
    char host[256] = {};
    if (gethostname(host, sizeof(host) - 1) != 0) return std::to_string(getpid());
    return std::to_string(getpid()) + "@" + host;
}

ClientOptions completed(ClientOptions options) {
    if (!options.runtime) options.runtime = default_runtime();
    if (options.identity.empty()) options.identity = default_identity();
    if (!options.transport) {
        GrpcTransportOptions transport;
        transport.address = options.address;
        transport.use_tls = options.use_tls;
        transport.tls = options.tls;
        options.transport = make_grpc_transport(transport);
    }
    return options;
}

bool is_metadata_name(const std::string& name) {
    return !name.empty() &&
           name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_.") == std::string::npos;
}

bool is_metadata_value(const std::string& value) {
    return std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

std::vector<std::pair<std::string, std::string>> metadata(const ClientOptions& options) {
    std::vector<std::pair<std::string, std::string>> entries = {
        {"client-name", kSdkName},
        {"client-version", kSdkVersion},
        {"temporal-namespace", options.namespace_name}};
    if (!options.api_key.empty()) {
        if (!is_metadata_value(options.api_key))
            throw ConfigurationError(
                "the API key has characters that cannot be sent, such as an end of line");
        if (options.metadata.contains("authorization"))
            throw ConfigurationError("there is an API key and metadata \"authorization\" as well");
        entries.emplace_back("authorization", "Bearer " + options.api_key);
    }
    for (const auto& [name, value] : options.metadata) {
        if (!is_metadata_name(name) || !is_metadata_value(value))
            throw ConfigurationError("metadata \"" + name +
                                     "\" cannot be sent: a name has lower case letters, digits "
                                     "and -_. only, a value printable ASCII");
        entries.emplace_back(name, value);
    }
    return entries;
}

}  // namespace

ClientCore::ClientCore(ClientOptions options)
    : options_(completed(std::move(options))),
      rpc_(options_.transport, options_.runtime, metadata(options_),
           options_.meter ? std::make_shared<RpcMetrics>(options_.meter, options_.namespace_name)
                          : nullptr) {}

Transport::Status ClientCore::try_call(std::string_view method,
                                       std::shared_ptr<const google::protobuf::Message> request,
                                       Rpc::MessagePointer reply,
                                       const RetrySettings& settings) const {
    const std::shared_ptr<Runtime::Event> arrived = options_.runtime->make_event();
    auto status = std::make_shared<Transport::Status>();
    rpc_.call(method, std::move(request), std::move(reply), settings,
              [arrived, status](const Transport::Status& result) {
                  *status = result;
                  arrived->set();
              });
    arrived->wait();
    return *status;
}

void ClientCore::encode(google::protobuf::Message& request,
                        const SerializationContext& context) const {
    encode_outgoing(options_.data_converter, request, context);
    check_limits(options_.payload_limits, request, options_.logger);
}

std::string ClientCore::new_uuid() const { return make_uuid(*options_.runtime); }

void throw_status(const Transport::Status& status, const std::string& workflow_id) {
    errordetails::WorkflowExecutionAlreadyStartedFailure started;
    if (status.code == kRpcAlreadyExists && unpack_detail(status, started))
        throw WorkflowAlreadyStartedError(status.message, workflow_id, started.run_id());
    errordetails::QueryFailedFailure query;
    if (status.code == kRpcInvalidArgument && unpack_detail(status, query))
        throw QueryFailedError(status.message);
    if (status.code == kRpcNotFound) throw NotFoundError(status.message);
    throw RpcError(status.code, status.message);
}

std::string make_uuid(Runtime& runtime) {
    constexpr char kDigits[] = "0123456789abcdef";
    const std::uint64_t words[2] = {(runtime.random() & ~0xf000ull) | 0x4000ull,
                                    (runtime.random() & ~(0xc000ull << 48)) | (0x8000ull << 48)};
    std::string text;
    for (int i = 0; i < 32; ++i) {
        if (i == 8 || i == 12 || i == 16 || i == 20) text += '-';
        text += kDigits[(words[i / 16] >> (60 - 4 * (i % 16))) & 0xf];
    }
    return text;
}

}  // namespace stele::sdk
