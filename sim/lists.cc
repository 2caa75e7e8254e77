#include "sim/lists.h"

#include "stele/internal/rows.pb.h"
#include "store/keys.h"

#include <fmt/format.h>

#include <map>

namespace stele::sim {
namespace {

using Info = temporal::api::workflow::v1::WorkflowExecutionInfo;

/// A run in the words in which both sides are compared.
std::string describe(const std::string& workflow_id, int status,
                     const google::protobuf::Timestamp& closed) {
    return fmt::format("{} in status {}, closed at {}.{:09}", workflow_id, status, closed.seconds(),
                       closed.nanos());
}

/// The runs of the store by run id.
std::map<std::string, std::string> stored_runs(store::Store& store) {
    std::map<std::string, std::string> runs;
    const store::KeyRange range = store::table_range(store::Table::kState);
    storage::HeaderRow header;
    for (const auto row = store.scan(range.begin, range.end); row->valid(); row->next()) {
        const auto key = store::decode_state_key(row->key());
        if (!key.ok()) continue;  // told by another check
        if (key->kind == store::StateKind::kHeader) {
            static_cast<void>(store::unwrap_message(store::Table::kState, row->value(), header));
        } else if (key->kind == store::StateKind::kInfo) {
            storage::InfoRow info;
            static_cast<void>(store::unwrap_message(store::Table::kState, row->value(), info));
            runs[info.run_id()] =
                describe(info.workflow_id(), header.status(), header.close_time());
        }
    }
    return runs;
}

}  // namespace

std::vector<std::string> compare_lists(store::Store& store, const std::vector<Info>& listed) {
    std::vector<std::string> differences;
    std::map<std::string, std::string> stored = stored_runs(store);
    std::map<std::string, int> targets;
    for (const Info& info : listed) {
        // Only what an operation of the server signals with start has such an id: it is started once,
        // and ends with the signal.
        const std::string& workflow_id = info.execution().workflow_id();
        if (workflow_id.find('~') != std::string::npos && ++targets[workflow_id] == 2) {
            differences.push_back(
                fmt::format("invariant 6: an operation has started {} twice", workflow_id));
        }
        const std::string& id = info.execution().run_id();
        const std::string shown =
            describe(info.execution().workflow_id(), info.status(), info.close_time());
        const auto found = stored.find(id);
        if (found == stored.end()) {
            differences.push_back(
                fmt::format("invariant 14: run {} is listed, twice or without being there", id));
            continue;
        }
        if (found->second != shown) {
            differences.push_back(fmt::format("invariant 14: run {} is listed as {}, but it is {}",
                                              id, shown, found->second));
        }
        stored.erase(found);
    }
    for (const auto& [id, run] : stored) {
        differences.push_back(fmt::format("invariant 14: run {} ({}) is not listed", id, run));
    }
    return differences;
}

}  // namespace stele::sim
