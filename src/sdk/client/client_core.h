#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "sdk/client/rpc.h"
#include "stele/client.h"

namespace stele::sdk {

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

    /// Waits for the answer; throws the exception that stands for the status.
    template <class Reply, class Request>
    Reply call(std::string_view method, const Request& request,
               const RetrySettings& settings = default_retries()) const {
        auto reply = std::make_shared<Reply>();
        call_and_wait(method, std::make_shared<Request>(request), reply, settings);
        return std::move(*reply);
    }

    /// A version 4 UUID.
    std::string new_uuid() const;

private:
    void call_and_wait(std::string_view method,
                       std::shared_ptr<const google::protobuf::Message> request,
                       Rpc::MessagePointer reply, const RetrySettings& settings) const;

    ClientOptions options_;
    Rpc rpc_;
};

/// Throws the exception that stands for a status.
[[noreturn]] void throw_status(const Transport::Status& status);

std::string make_uuid(Runtime& runtime);

}  // namespace stele::sdk
