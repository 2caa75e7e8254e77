#include "tests/crash_points/machine.h"

#include "base/check.h"
#include "store/forwarding_store.h"

#include <fmt/format.h>

#include <utility>

namespace stele::crash_points {
namespace {

/// Tells the ledger what is written and confirmed, while there is power.
class RecordingStore final : public store::ForwardingStore {
public:
    RecordingStore(std::unique_ptr<store::Store> inner, Ledger& ledger,
                   const store::FaultDisk& disk)
        : ForwardingStore(std::move(inner)), ledger_(ledger), disk_(disk) {}

    absl::Status write(const store::WriteBatch& batch, store::Sync sync) override {
        if (!disk_.has_power()) return unavailable("the power is off");
        ledger_.begin(batch);
        absl::Status written = ForwardingStore::write(batch, sync);
        if (written.ok() && sync == store::Sync::kYes) ledger_.confirm();
        return written;
    }

private:
    Ledger& ledger_;
    const store::FaultDisk& disk_;
};

/// What can not be read can not be compared either: then the start fails, as that of a server may.
absl::Status read_all(store::Store& store) {
    const auto cursor = store.scan("", "\xff\xff");
    while (cursor->valid()) cursor->next();
    return cursor->status();
}

}  // namespace

Machine::Machine(env::SimEnv& sim, store::FaultDisk& disk, Ledger& ledger, const Options& options)
    : sim_(sim), disk_(disk), ledger_(ledger), options_(options) {}

Machine::~Machine() { kill(); }

absl::Status Machine::start() {
    STELE_CHECK(process_ == nullptr, "a machine that runs was started");
    ++incarnation_;
    write_failed_ = false;
    process_ = sim_.make_process(fmt::format("server-{}", incarnation_));
    STELE_ASSIGN_OR_RETURN(store_, disk_.open(options_.store));
    loss_.clear();
    STELE_RETURN_IF_ERROR(read_all(*store_));
    loss_ = ledger_.reconcile(*store_);
    if (!loss_.empty()) return make_error(absl::StatusCode::kDataLoss, loss_);
    store_ = std::make_unique<RecordingStore>(std::move(store_), ledger_, disk_);
    server::NodeOptions node;
    node.engine.shard_count = options_.shards;
    node.settings.limits.signal_with_start_operation = true;
    node.settings.limits.workflow_pause = true;
    node.on_commit_failure = [this](const absl::Status&) { write_failed_ = true; };
    STELE_ASSIGN_OR_RETURN(node_, server::Node::start(*process_, *store_, std::move(node)));
    return absl::OkStatus();
}

void Machine::kill() {
    if (process_ == nullptr) return;
    disk_.cut();  // so that what is destroyed does not tidy up
    process_->kill();
    node_.reset();
    store_.reset();
    process_.reset();
}

void Machine::dispatch(const std::string& path, frontend::CallPtr call) {
    node_->frontend().dispatch(path, std::move(call));
}

}  // namespace stele::crash_points
