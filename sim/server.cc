#include "sim/server.h"

#include "base/check.h"
#include "base/probe.h"
#include "sim/worker.h"
#include "store/forwarding_store.h"

#include <utility>

namespace stele::sim {
namespace {

/// The planted bug: nothing is ever synced, yet everything is acknowledged.
class ForgetfulStore final : public store::ForwardingStore {
public:
    using ForwardingStore::ForwardingStore;

    absl::Status write(const store::WriteBatch& batch, store::Sync) override {
        return ForwardingStore::write(batch, store::Sync::kNo);
    }
};

}  // namespace

Server::Server(env::SimEnv& sim, const Options& options) : sim_(sim), options_(options) {
    if (options_.lasting_index) index_file_ = std::make_unique<ScratchFile>();
}

Server::~Server() {
    if (running()) kill();
}

void Server::start() {
    STELE_CHECK(!running(), "a server that runs was started");
    ++incarnation_;
    process_ = sim_.make_process("server-" + std::to_string(incarnation_));
    store_ = disk_.open();
    if (STELE_BUG("early-acknowledgement") && incarnation_ > 1) {
        store_ = std::make_unique<ForgetfulStore>(std::move(store_));
    }
    server::NodeOptions node;
    node.engine.shard_count = options_.shards;
    node.engine.completions = &callbacks_;
    node.engine.cache_bytes = 256 * 1024;  // small, so that runs are evicted and loaded again
    node.engine.backlog_window = options_.window;
    node.matching.window = options_.window;
    node.queue_settings.fairness = options_.fairness;
    node.namespaces = {kOtherNamespace};
    auto& limits = node.settings.limits;
    limits.signal_with_start_operation = true;
    limits.blob_bytes = kBlobBytesMax;
    limits.callback_addresses = {{"*", true}};
    if (options_.short_heartbeats) limits.workflow_task_heartbeat = kShortHeartbeats;
    if (index_file_) node.index_path = index_file_->path();
    auto started = server::Node::start(*process_, *store_, std::move(node));
    STELE_CHECK(started.ok(), "the server did not start: " + message_of(started.status()));
    node_ = *std::move(started);
}

void Server::kill() {
    process_->kill();
    disk_.kill_process();
    destroy();
}

void Server::lose_power() {
    process_->kill();
    disk_.kill_process();
    destroy();
    disk_.lose_power(sim_.fault_random());
}

void Server::destroy() {
    node_.reset();
    store_.reset();
    process_.reset();
}

void Server::dispatch(const std::string& path, frontend::CallPtr call) {
    static_cast<void>(STELE_BUG("canary.harmless"));
    node_->frontend().dispatch(path, std::move(call));
}

}  // namespace stele::sim
