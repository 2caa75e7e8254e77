#include "frontend/namespace_purge.h"

#include "temporal/api/enums/v1/namespace.pb.h"

#include <algorithm>
#include <utility>

namespace stele::frontend {
namespace {

constexpr Duration kBetweenPasses = std::chrono::seconds(1);
/// A start that was on its way when the namespace was marked may still make a run, so one pass that
/// finds nothing is not enough.
constexpr int kEmptyPasses = 2;
constexpr std::size_t kNamespacesAtOnce = 1000;

}  // namespace

NamespacePurge::NamespacePurge(env::Env& env, shard::Engine& engine, NamespaceRegistry& namespaces)
    : env_(env),
      engine_(engine),
      namespaces_(namespaces),
      executor_(env.make_executor("namespace-purge")) {}

NamespacePurge::~NamespacePurge() { executor_->stop(); }

void NamespacePurge::recover() {
    std::string after;
    for (;;) {
        const auto rows = namespaces_.list(after, kNamespacesAtOnce);
        if (rows.empty()) return;
        after = rows.back().id();
        for (const storage::NamespaceRow& row : rows) {
            if (row.state() == temporal::api::enums::v1::NAMESPACE_STATE_DELETED) start(row.id());
        }
    }
}

void NamespacePurge::start(const std::string& namespace_id) {
    executor_->post([this, namespace_id] { pass(namespace_id, 0); });
}

void NamespacePurge::pass(const std::string& namespace_id, int empty_passes) {
    engine_.purge_namespace(
        namespace_id, [this, namespace_id, empty_passes](absl::StatusOr<std::size_t> runs) {
            executor_->post([this, namespace_id, empty_passes, runs = std::move(runs)] {
                found(namespace_id, empty_passes, runs);
            });
        });
}

void NamespacePurge::found(const std::string& namespace_id, int empty_passes,
                           absl::StatusOr<std::size_t> runs) {
    const absl::StatusOr<storage::NamespaceRow> row = namespaces_.row_by_id(namespace_id);
    if (!row.ok()) return;  // gone
    empty_passes = runs.ok() && *runs == 0 ? empty_passes + 1 : 0;
    const Timestamp purge_time = from_proto(row->purge_time());
    if (empty_passes >= kEmptyPasses && purge_time <= env_.now()) {
        return namespaces_.erase(namespace_id, [](absl::StatusOr<storage::NamespaceRow>) {});
    }
    const Timestamp next = env_.now() + kBetweenPasses;
    executor_->run_at(empty_passes >= kEmptyPasses ? std::max(next, purge_time) : next,
                      [this, namespace_id, empty_passes] { pass(namespace_id, empty_passes); });
}

}  // namespace stele::frontend
