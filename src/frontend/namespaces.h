#pragma once

#include "base/call.h"
#include "env/env.h"
#include "env/mutex.h"
#include "frontend/call_settings.h"
#include "shard/engine.h"
#include "stele/internal/rows.pb.h"
#include "store/committer.h"
#include "store/store.h"
#include "temporal/api/enums/v1/namespace.pb.h"

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

// All namespaces, cached. There are few and they change seldom, so every one is in memory: readers
// take an immutable snapshot, changes go through one executor and show once they are durable.
namespace stele::frontend {

/// Longest name of a namespace, and of every other thing that a user names.
inline constexpr std::size_t kMaximumNameBytes = 1000;
inline constexpr char kDefaultNamespace[] = "default";

/// NOT_FOUND with NamespaceNotFoundFailure.
absl::Status namespace_not_found(const std::string& name);

/// Reads are thread safe and cheap. Changes reply once durable.
class NamespaceRegistry : public shard::NamespaceSource {
public:
    /// What the configuration says now of the namespace of a name.
    using SettingsOf = std::function<NamespaceSettings(const std::string& name)>;

    /// `settings_of` is asked when a namespace is loaded or changed, on any thread. All other
    /// arguments must outlive the registry.
    NamespaceRegistry(env::Env& env, store::Store& store, store::Committer& committer,
                      SettingsOf settings_of);
    ~NamespaceRegistry() override;

    /// Reads what the store holds. Call once, before anything else.
    absl::Status load();

    /// Asks for all settings again; they hold for calls that arrive after it has returned.
    void refresh_settings();

    shard::NamespacePtr by_id(const std::string& id) override;
    shard::NamespacePtr by_name(const std::string& name) override;
    /// NAMESPACE_STATE_UNSPECIFIED when there is no such namespace.
    temporal::api::enums::v1::NamespaceState state_of(const std::string& id);
    /// What is in force for it; the defaults for a namespace that does not exist.
    NamespaceSettings settings(const std::string& id);
    CallSettings call_settings(const std::string& id);

    /// The stored row; NOT_FOUND if there is none.
    absl::StatusOr<storage::NamespaceRow> row_by_id(const std::string& id);
    absl::StatusOr<storage::NamespaceRow> row_by_name(const std::string& name);
    /// Rows in the order of their ids, behind `after`; at most `limit`.
    std::vector<storage::NamespaceRow> list(const std::string& after, std::size_t limit);

    /// Creates a namespace; `row.id` is filled in. ALREADY_EXISTS with NamespaceAlreadyExistsFailure.
    void create(storage::NamespaceRow row, Reply<storage::NamespaceRow> reply);
    /// Changes the namespace of this name through `change`, which may refuse. It may have another
    /// name afterwards, which nobody else must have.
    using Change = std::function<absl::Status(storage::NamespaceRow&)>;
    void update(std::string name, Change change, Reply<storage::NamespaceRow> reply);
    /// Removes a namespace that has no runs any more, and replies with what it was.
    void erase(std::string id, Reply<storage::NamespaceRow> reply);

private:
    struct Entry {
        storage::NamespaceRow row;
        shard::NamespacePtr view;
        NamespaceSettings settings;
    };
    struct Snapshot {
        std::map<std::string, Entry> by_id;
        std::unordered_map<std::string, std::string> id_of_name;

        void put(Entry entry);
        void erase(const std::string& id);
        const Entry* find_id(const std::string& id) const;
        const Entry* find_name(const std::string& name) const;
    };
    using SnapshotPtr = std::shared_ptr<const Snapshot>;

    Entry make_entry(storage::NamespaceRow row) const;
    /// Shows a row that is durable.
    void publish(storage::NamespaceRow row);
    /// Shows that one has gone.
    void withdraw(const std::string& id);
    /// On the executor: makes the row durable, then visible, then replies.
    void save(storage::NamespaceRow row, Reply<storage::NamespaceRow> reply);

    env::Env& env_;
    store::Store& store_;
    store::Committer& committer_;
    SettingsOf settings_of_;
    env::Mutex publishing_;  // held while `durable_` is replaced; readers do without
    std::atomic<SnapshotPtr> durable_;
    Snapshot latest_;  // what will be durable; only on the executor
    std::unique_ptr<env::Executor> executor_;
};

}  // namespace stele::frontend
