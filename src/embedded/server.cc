#include <utility>

#include "embedded/engine.h"
#include "stele/embedded.h"

namespace stele::embedded {

Server::Server(const ServerOptions& options)
    : engine_(detail::start_engine({.directory = options.directory,
                                    .namespaces = options.namespaces,
                                    .search_attributes = options.search_attributes,
                                    .settings = options.settings,
                                    .threads = options.threads,
                                    .shutdown_grace = options.shutdown_grace})) {}

Server::Server(Server&&) noexcept = default;
Server::~Server() = default;

void Server::stop() { engine_->stop(); }

std::shared_ptr<Transport> Server::transport() const { return engine_->transport(); }

Client Server::connect(ClientOptions options) const {
    options.transport = transport();
    return Client::connect(std::move(options));
}

}  // namespace stele::embedded
