#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "sdk/client/eager_workers.h"
#include "sdk/client/rpc.h"
#include "stele/client.h"

namespace stele::sdk {

/// Throws the exception that stands for a status. `workflow_id` is the one that was to be started.
[[noreturn]] void throw_status(const Transport::Status& status,
                               const std::string& workflow_id = {});

/// What clients, handles and workers of one connection share. Safe to use from any thread.
class ClientCore {
public:
    explicit ClientCore(ClientOptions options);

    const ClientOptions& options() const { return options_; }
    const std::string& identity() const { return options_.identity; }
    const std::string& namespace_name() const { return options_.namespace_name; }
    const DataConverter& converter() const { return options_.data_converter; }
    const std::shared_ptr<Runtime>& runtime() const { return options_.runtime; }
    const Rpc& rpc() const { return rpc_; }
    EagerWorkers& eager_workers() const { return eager_workers_; }

    /// Waits for the answer; throws the exception that stands for the status.
    template <class Reply, class Request>
    Reply call(std::string_view method, const Request& request,
               const RetrySettings& settings = default_retries()) const {
        auto reply = std::make_shared<Reply>();
        const Transport::Status status =
            try_call(method, std::make_shared<Request>(request), reply, settings);
        if (!status.ok()) throw_status(status);
        return std::move(*reply);
    }

    /// Waits for the answer; for callers that read the status themselves.
    Transport::Status try_call(std::string_view method,
                               std::shared_ptr<const google::protobuf::Message> request,
                               Rpc::MessagePointer reply, const RetrySettings& settings) const;

    /// Makes a request ready to be sent: codecs, then the limits. Throws what a codec throws, and
    /// PayloadTooLargeError.
    void encode(google::protobuf::Message& request, const SerializationContext& context) const;

    /// The data of a workflow in this client's namespace. Views both texts.
    SerializationContext context_of(std::string_view workflow_id) const {
        return {.namespace_name = options_.namespace_name, .workflow_id = workflow_id};
    }

    /// A version 4 UUID.
    std::string new_uuid() const;

private:
    ClientOptions options_;
    Rpc rpc_;
    mutable EagerWorkers eager_workers_;
};

std::string make_uuid(Runtime& runtime);

}  // namespace stele::sdk
