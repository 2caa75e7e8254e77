#include "frontend/namespaces.h"

#include "store/keys.h"
#include "temporal/api/errordetails/v1/message.pb.h"

#include <fmt/format.h>

#include <utility>

namespace stele::frontend {

using temporal::api::errordetails::v1::NamespaceAlreadyExistsFailure;
using temporal::api::errordetails::v1::NamespaceNotFoundFailure;

absl::Status namespace_not_found(const std::string& name) {
    NamespaceNotFoundFailure detail;
    detail.set_namespace_(name);
    return make_error(absl::StatusCode::kNotFound, fmt::format("Namespace {} is not found.", name),
                      detail);
}

void NamespaceRegistry::Snapshot::put(Entry entry) {
    const std::string id = entry.row.id();
    erase(id);  // it may have had another name
    id_of_name[entry.row.name()] = id;
    by_id[id] = std::move(entry);
}

void NamespaceRegistry::Snapshot::erase(const std::string& id) {
    const auto found = by_id.find(id);
    if (found == by_id.end()) return;
    id_of_name.erase(found->second.row.name());
    by_id.erase(found);
}

const NamespaceRegistry::Entry* NamespaceRegistry::Snapshot::find_id(const std::string& id) const {
    const auto found = by_id.find(id);
    return found == by_id.end() ? nullptr : &found->second;
}

const NamespaceRegistry::Entry* NamespaceRegistry::Snapshot::find_name(
    const std::string& name) const {
    const auto found = id_of_name.find(name);
    return found == id_of_name.end() ? nullptr : find_id(found->second);
}

NamespaceRegistry::NamespaceRegistry(env::Env& env, store::Store& store,
                                     store::Committer& committer, SettingsOf settings_of)
    : env_(env),
      store_(store),
      committer_(committer),
      settings_of_(std::move(settings_of)),
      durable_(std::make_shared<const Snapshot>()),
      executor_(env.make_executor("namespaces")) {}

NamespaceRegistry::~NamespaceRegistry() {
    executor_->stop();
    committer_.forget(*executor_);
}

absl::Status NamespaceRegistry::load() {
    const store::KeyRange range = store::table_range(store::Table::kNamespace);
    auto cursor = store_.scan(range.begin, range.end);
    for (; cursor->valid(); cursor->next()) {
        storage::NamespaceRow row;
        STELE_RETURN_IF_ERROR(
            store::unwrap_message(store::Table::kNamespace, cursor->value(), row));
        latest_.put(make_entry(std::move(row)));
    }
    STELE_RETURN_IF_ERROR(cursor->status());
    durable_.store(std::make_shared<const Snapshot>(latest_));
    return absl::OkStatus();
}

shard::NamespacePtr NamespaceRegistry::by_id(const std::string& id) {
    const SnapshotPtr snapshot = durable_.load();
    const Entry* entry = snapshot->find_id(id);
    return entry == nullptr ? nullptr : entry->view;
}

shard::NamespacePtr NamespaceRegistry::by_name(const std::string& name) {
    const SnapshotPtr snapshot = durable_.load();
    const Entry* entry = snapshot->find_name(name);
    return entry == nullptr ? nullptr : entry->view;
}

temporal::api::enums::v1::NamespaceState NamespaceRegistry::state_of(const std::string& id) {
    const SnapshotPtr snapshot = durable_.load();
    const Entry* entry = snapshot->find_id(id);
    return static_cast<temporal::api::enums::v1::NamespaceState>(
        entry == nullptr ? 0 : entry->row.state());
}

NamespaceSettings NamespaceRegistry::settings(const std::string& id) {
    const SnapshotPtr snapshot = durable_.load();
    const Entry* entry = snapshot->find_id(id);
    if (entry == nullptr) return NamespaceSettings();
    return entry->settings;
}

CallSettings NamespaceRegistry::call_settings(const std::string& id) {
    const SnapshotPtr snapshot = durable_.load();
    const Entry* entry = snapshot->find_id(id);
    return entry == nullptr ? CallSettings() : entry->settings.calls;
}

absl::StatusOr<storage::NamespaceRow> NamespaceRegistry::row_by_id(const std::string& id) {
    const SnapshotPtr snapshot = durable_.load();
    const Entry* entry = snapshot->find_id(id);
    if (entry == nullptr) return namespace_not_found(id);
    return entry->row;
}

absl::StatusOr<storage::NamespaceRow> NamespaceRegistry::row_by_name(const std::string& name) {
    const SnapshotPtr snapshot = durable_.load();
    const Entry* entry = snapshot->find_name(name);
    if (entry == nullptr) return namespace_not_found(name);
    return entry->row;
}

std::vector<storage::NamespaceRow> NamespaceRegistry::list(const std::string& after,
                                                           std::size_t limit) {
    const SnapshotPtr snapshot = durable_.load();
    std::vector<storage::NamespaceRow> result;
    auto entry = snapshot->by_id.upper_bound(after);
    for (; entry != snapshot->by_id.end() && result.size() < limit; ++entry) {
        result.push_back(entry->second.row);
    }
    return result;
}

void NamespaceRegistry::create(storage::NamespaceRow row, Reply<storage::NamespaceRow> reply) {
    executor_->post([this, row = std::move(row), reply = std::move(reply)]() mutable {
        if (latest_.find_name(row.name()) != nullptr) {
            return reply(make_error(absl::StatusCode::kAlreadyExists,
                                    fmt::format("Namespace \"{}\" already exists", row.name()),
                                    NamespaceAlreadyExistsFailure()));
        }
        row.set_id(env::new_uuid(env_.random()));
        *row.mutable_created() = to_proto(env_.now());
        save(std::move(row), std::move(reply));
    });
}

void NamespaceRegistry::update(std::string name, Change change,
                               Reply<storage::NamespaceRow> reply) {
    executor_->post([this, name = std::move(name), change = std::move(change),
                     reply = std::move(reply)]() mutable {
        const Entry* entry = latest_.find_name(name);
        if (entry == nullptr) return reply(namespace_not_found(name));
        storage::NamespaceRow row = entry->row;
        if (absl::Status status = change(row); !status.ok()) return reply(std::move(status));
        save(std::move(row), std::move(reply));
    });
}

void NamespaceRegistry::erase(std::string id, Reply<storage::NamespaceRow> reply) {
    executor_->post([this, id = std::move(id), reply = std::move(reply)]() mutable {
        const Entry* entry = latest_.find_id(id);
        if (entry == nullptr) return reply(namespace_not_found(id));
        storage::NamespaceRow row = entry->row;
        latest_.erase(id);
        store::WriteBatch batch;
        batch.erase(store::namespace_key(id));
        batch.erase(store::namespace_name_key(row.name()));
        const Position position = committer_.submit(std::move(batch), store::Urgency::kSynced);
        committer_.when_durable(position, *executor_,
                                [this, row = std::move(row), reply = std::move(reply)]() mutable {
                                    withdraw(row.id());
                                    reply(std::move(row));
                                });
    });
}

void NamespaceRegistry::withdraw(const std::string& id) {
    const env::MutexLock lock(publishing_);
    Snapshot next = *durable_.load();
    next.erase(id);
    durable_.store(std::make_shared<const Snapshot>(std::move(next)));
}

NamespaceRegistry::Entry NamespaceRegistry::make_entry(storage::NamespaceRow row) const {
    NamespaceSettings settings = settings_of_(row.name());
    auto view = std::make_shared<const shard::NamespaceView>(row, settings.limits);
    return {std::move(row), std::move(view), std::move(settings)};
}

void NamespaceRegistry::save(storage::NamespaceRow row, Reply<storage::NamespaceRow> reply) {
    store::WriteBatch batch;
    const Entry* before = latest_.find_id(row.id());
    if (before != nullptr && before->row.name() != row.name()) {
        batch.erase(store::namespace_name_key(before->row.name()));
    }
    batch.put(store::namespace_key(row.id()), store::wrap_message(store::Table::kNamespace, row));
    batch.put(store::namespace_name_key(row.name()),
              store::wrap_value(store::Table::kNamespaceName, row.id()));
    latest_.put(make_entry(row));
    const Position position = committer_.submit(std::move(batch), store::Urgency::kSynced);
    committer_.when_durable(position, *executor_,
                            [this, row = std::move(row), reply = std::move(reply)]() mutable {
                                publish(row);
                                reply(std::move(row));
                            });
}

void NamespaceRegistry::publish(storage::NamespaceRow row) {
    const env::MutexLock lock(publishing_);
    Snapshot next = *durable_.load();
    next.put(make_entry(std::move(row)));
    durable_.store(std::make_shared<const Snapshot>(std::move(next)));
}

void NamespaceRegistry::refresh_settings() {
    const env::MutexLock lock(publishing_);
    Snapshot next = *durable_.load();
    for (auto& [id, entry] : next.by_id) entry = make_entry(std::move(entry.row));
    durable_.store(std::make_shared<const Snapshot>(std::move(next)));
}

}  // namespace stele::frontend
