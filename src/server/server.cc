#include "server/server.h"

#include "config/yaml.h"
#include "env/posix/posix_env.h"
#include "server/completion_client.h"
#include "server/config_file.h"
#include "server/grpc/transport.h"
#include "server/overrides.h"
#include "server/settings.h"
#include "store/memory/memory_store.h"
#include "store/rocksdb/rocksdb_store.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <csignal>
#include <future>
#include <utility>

namespace stele::server {
namespace {

void warn(const std::string& text) { spdlog::warn("{}", text); }

absl::StatusOr<std::unique_ptr<store::Store>> open_store(const std::string& directory) {
    return store::open_rocksdb_store(directory, {.notice = warn});
}

/// In the directory of the store, which takes no notice of it.
std::string index_path(const std::string& directory) { return directory + "/visibility.sqlite"; }

class ServerImpl final : public Server {
public:
    explicit ServerImpl(int threads) : env_(env::make_posix_env(threads)) {}
    ~ServerImpl() override { stop(); }

    absl::Status run(const ServerOptions& options) {
        grace_ = options.shutdown_grace;
        STELE_ASSIGN_OR_RETURN(store_, options.directory ? open_store(*options.directory)
                                                         : store::make_memory_store());
        STELE_RETURN_IF_ERROR(configure(options));
        NodeOptions node = options.node;
        node.config = &config_;
        if (options.directory) node.index_path = index_path(*options.directory);
        node.notice = warn;
        completions_ = make_completion_client(*env_);
        node.engine.completions = completions_.get();
        STELE_ASSIGN_OR_RETURN(node_, Node::start(*env_, *store_, std::move(node)));
        config_.on_change([this] { node_->refresh_settings(); });
        if (options.test_overrides_port) {
            STELE_ASSIGN_OR_RETURN(
                overrides_, OverridesEndpoint::start(*env_, config_, *options.test_overrides_port));
        }
        GrpcOptions grpc;
        grpc.address = fmt::format("{}:{}", options.ip, options.port);
        STELE_ASSIGN_OR_RETURN(transport_, GrpcTransport::start(*env_, node_->frontend(), grpc));
        transport_->set_serving(true);
        return absl::OkStatus();
    }

    int port() const override { return transport_->port(); }
    int test_overrides_port() const override {
        return overrides_ == nullptr ? 0 : overrides_->port();
    }
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
        // What changes the configuration first, so that nobody tells a node that is gone.
        overrides_.reset();
        config_file_.reset();
        config_.on_change({});
        if (completions_ != nullptr) completions_->close();
        node_.reset();
        store_.reset();
    }

private:
    absl::Status configure(const ServerOptions& options) {
        if (options.dynamic_config_file) {
            STELE_ASSIGN_OR_RETURN(config_file_,
                                   ConfigFile::open(*env_, config_, *options.dynamic_config_file));
        }
        STELE_ASSIGN_OR_RETURN(
            config::Parsed parsed,
            config::parse_assignments(config_.registry(), options.dynamic_config_values));
        for (const std::string& warning : parsed.warnings) spdlog::warn("{}", warning);
        config_.set_command_line(std::move(parsed.values));
        return absl::OkStatus();
    }

    Duration grace_{};
    // In the order of dependence.
    std::unique_ptr<env::PosixEnv> env_;
    std::unique_ptr<store::Store> store_;
    config::DynamicConfig config_{known_settings()};
    std::unique_ptr<ConfigFile> config_file_;
    std::unique_ptr<shard::CompletionSender> completions_;
    std::unique_ptr<Node> node_;
    std::unique_ptr<OverridesEndpoint> overrides_;
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
    auto server = std::make_unique<ServerImpl>(options.threads);
    STELE_RETURN_IF_ERROR(server->run(options));
    return server;
}

absl::Status rebuild_index(const std::string& directory) {
    STELE_ASSIGN_OR_RETURN(const std::unique_ptr<store::Store> store, open_store(directory));
    return Node::rebuild_index(*store, index_path(directory));
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
