#include "server/server.h"

#include "env/posix/posix_env.h"
#include "server/grpc/transport.h"
#include "store/memory/memory_store.h"
#include "store/rocksdb/rocksdb_store.h"

#include <fmt/format.h>

#include <csignal>
#include <future>
#include <utility>

namespace stele::server {
namespace {

absl::StatusOr<std::unique_ptr<store::Store>> open_store(const ServerOptions& options) {
    if (!options.directory) return store::make_memory_store();
    return store::open_rocksdb_store(*options.directory);
}

class ServerImpl final : public Server {
public:
    ServerImpl() : env_(env::make_posix_env()) {}
    ~ServerImpl() override { stop(); }

    absl::Status run(const ServerOptions& options) {
        grace_ = options.shutdown_grace;
        STELE_ASSIGN_OR_RETURN(store_, open_store(options));
        STELE_ASSIGN_OR_RETURN(node_, Node::start(*env_, *store_, options.node));
        GrpcOptions grpc;
        grpc.address = fmt::format("{}:{}", options.ip, options.port);
        STELE_ASSIGN_OR_RETURN(transport_, GrpcTransport::start(node_->frontend(), grpc));
        transport_->set_serving(true);
        return absl::OkStatus();
    }

    int port() const override { return transport_->port(); }
    const Node& node() const override { return *node_; }

    void stop() override {
        if (transport_ != nullptr) {
            transport_->set_serving(false);
            // Shared, because the wait below may end before the node is quiet.
            auto quiet = std::make_shared<std::promise<void>>();
            node_->drain([quiet] { quiet->set_value(); });
            quiet->get_future().wait_for(grace_);
            transport_->shutdown(grace_);
        }
        transport_.reset();
        node_.reset();
        store_.reset();
    }

private:
    Duration grace_{};
    // In the order of dependence.
    std::unique_ptr<env::Env> env_;
    std::unique_ptr<store::Store> store_;
    std::unique_ptr<Node> node_;
    std::unique_ptr<GrpcTransport> transport_;
};

sigset_t stop_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    return signals;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::start(const ServerOptions& options) {
    auto server = std::make_unique<ServerImpl>();
    STELE_RETURN_IF_ERROR(server->run(options));
    return server;
}

void hold_back_stop_signals() {
    const sigset_t signals = stop_signals();
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

std::string wait_for_stop_signal() {
    const sigset_t signals = stop_signals();
    int signal = 0;
    sigwait(&signals, &signal);
    return signal == SIGINT ? "SIGINT" : "SIGTERM";
}

}  // namespace stele::server
