#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "stele/client.h"

// A server inside of the program that uses it: nothing else to install, start or watch, no sockets.
// What runs on it is as durable as on a server of its own.
//
//     stele::embedded::Server server({.directory = "orders.stele"});
//     auto client = server.connect();
//     stele::Worker worker(client, "orders");
//
// Programs that use this header link stele_embedded, which brings the whole engine along.
namespace stele::embedded {

struct ServerOptions {
    /// Where everything is kept, made if it is not there; one server at a time has it open. Empty: in
    /// memory, gone with the server.
    std::string directory = {};
    /// Namespaces besides "default", made at start if they are not there.
    std::vector<std::string> namespaces = {};
    /// Search attributes that all of them get: a name, and one of the types Bool, Datetime, Double,
    /// Int, Keyword, KeywordList and Text.
    std::vector<std::pair<std::string, std::string>> search_attributes = {};
    /// What a server of its own takes as --dynamic-config-value: KEY=JSON, where a key may be any that
    /// `stele server start-dev` knows.
    std::vector<std::string> settings = {};
    /// Threads that the engine works on, besides one that writes: 1 to 64. More than one do more workflows a
    /// second where processors have nothing else to do and many workflows are under way, and
    /// make each a little dearer. It may differ from start to start.
    int threads = 1;
    /// How long stop() waits for calls under way.
    Milliseconds shutdown_grace{5'000};
};

namespace detail {
class Engine;
}

/// Safe to use from any thread, but for moves. Clients and workers may outlive it: their calls then fail as with a
/// server that is down (RpcError UNAVAILABLE), so stop workers first.
///
/// A write to the directory that fails ends the process, as nothing could be promised any more; what
/// was acknowledged is safe.
class Server {
public:
    /// Serves when it returns, and goes on with what the directory holds. Throws ConfigurationError
    /// for options that cannot be meant and for a directory that cannot be used.
    explicit Server(const ServerOptions& options = {});
    Server(Server&&) noexcept;
    ~Server();

    /// Answers waiting polls, lets calls under way end and closes the directory. Idempotent.
    void stop();

    /// A client of this server; address, TLS and transport of the options are not used.
    Client connect(ClientOptions options = {}) const;
    /// For clients that are put together elsewhere.
    std::shared_ptr<Transport> transport() const;

private:
    std::unique_ptr<detail::Engine> engine_;
};

}  // namespace stele::embedded
