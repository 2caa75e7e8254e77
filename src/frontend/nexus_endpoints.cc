#include "frontend/nexus_endpoints.h"

#include "store/keys.h"
#include "temporal/api/errordetails/v1/message.pb.h"

#include <utility>

namespace stele::frontend {
namespace {

/// All of them are in memory, and every command that asks for an operation looks among them.
constexpr std::size_t kMaximumEndpoints = 10'000;

absl::Status name_in_use(const std::string& name) {
    return make_error(
        absl::StatusCode::kAlreadyExists,
        "error creating Nexus endpoint. Endpoint with name " + name + " already registered");
}

absl::Status too_many_endpoints() {
    temporal::api::errordetails::v1::ResourceExhaustedFailure detail;
    detail.set_cause(temporal::api::enums::v1::RESOURCE_EXHAUSTED_CAUSE_SYSTEM_OVERLOADED);
    detail.set_scope(temporal::api::enums::v1::RESOURCE_EXHAUSTED_SCOPE_SYSTEM);
    return make_error(absl::StatusCode::kResourceExhausted,
                      "there are as many Nexus endpoints as there may be", detail);
}

}  // namespace

void NexusEndpointRegistry::Endpoints::put(const NexusEndpointRow& row) {
    erase(row.id());
    by_id[row.id()] = row;
    id_of_name[row.name()] = row.id();
}

void NexusEndpointRegistry::Endpoints::erase(const std::string& id) {
    const auto found = by_id.find(id);
    if (found == by_id.end()) return;
    id_of_name.erase(found->second.name());
    by_id.erase(found);
}

NexusEndpointRegistry::NexusEndpointRegistry(env::Env& env, store::Store& store,
                                             store::Committer& committer)
    : env_(env),
      store_(store),
      committer_(committer),
      executor_(env.make_executor("nexus-endpoints")) {}

NexusEndpointRegistry::~NexusEndpointRegistry() {
    executor_->stop();
    committer_.forget(*executor_);
}

absl::Status NexusEndpointRegistry::load() {
    const store::KeyRange range = store::table_range(store::Table::kNexusEndpoint);
    const auto cursor = store_.scan(range.begin, range.end);
    for (; cursor->valid(); cursor->next()) {
        NexusEndpointRow row;
        STELE_RETURN_IF_ERROR(
            store::unwrap_message(store::Table::kNexusEndpoint, cursor->value(), row));
        latest_.put(row);
    }
    STELE_RETURN_IF_ERROR(cursor->status());
    const env::MutexLock lock(mutex_);
    durable_ = latest_;
    return absl::OkStatus();
}

std::optional<NexusEndpointRow> NexusEndpointRegistry::by_name(const std::string& name) const {
    const env::MutexLock lock(mutex_);
    const auto found = durable_.id_of_name.find(name);
    if (found == durable_.id_of_name.end()) return std::nullopt;
    return durable_.by_id.at(found->second);
}

std::optional<NexusEndpointRow> NexusEndpointRegistry::by_id(const std::string& id) const {
    const env::MutexLock lock(mutex_);
    const auto found = durable_.by_id.find(id);
    if (found == durable_.by_id.end()) return std::nullopt;
    return found->second;
}

std::vector<NexusEndpointRow> NexusEndpointRegistry::list(const std::string& after,
                                                          std::size_t limit) const {
    const env::MutexLock lock(mutex_);
    std::vector<NexusEndpointRow> rows;
    for (auto next = durable_.by_id.upper_bound(after);
         next != durable_.by_id.end() && rows.size() < limit; ++next) {
        rows.push_back(next->second);
    }
    return rows;
}

void NexusEndpointRegistry::create(NexusEndpointRow row, Reply<NexusEndpointRow> reply) {
    executor_->post([this, row = std::move(row), reply = std::move(reply)]() mutable {
        if (latest_.id_of_name.contains(row.name())) return reply(name_in_use(row.name()));
        if (latest_.by_id.size() >= kMaximumEndpoints) return reply(too_many_endpoints());
        row.set_id(env::new_uuid(env_.random()));
        row.set_version(1);
        *row.mutable_created() = to_proto(env_.now());
        save(std::move(row), std::move(reply));
    });
}

void NexusEndpointRegistry::update(NexusEndpointRow row, Reply<NexusEndpointRow> reply) {
    executor_->post([this, row = std::move(row), reply = std::move(reply)]() mutable {
        const auto stored = latest_.by_id.find(row.id());
        if (stored == latest_.by_id.end()) {
            return reply(
                not_found("error updating Nexus endpoint. endpoint ID " + row.id() + " not found"));
        }
        if (row.version() != stored->second.version()) {
            return reply(failed_precondition(
                "nexus endpoint version mismatch. received: " + std::to_string(row.version()) +
                " expected " + std::to_string(stored->second.version())));
        }
        const auto named = latest_.id_of_name.find(row.name());
        if (named != latest_.id_of_name.end() && named->second != row.id()) {
            return reply(name_in_use(row.name()));
        }
        row.set_version(row.version() + 1);
        *row.mutable_created() = stored->second.created();
        *row.mutable_modified() = to_proto(env_.now());
        save(std::move(row), std::move(reply));
    });
}

void NexusEndpointRegistry::save(NexusEndpointRow row, Reply<NexusEndpointRow> reply) {
    latest_.put(row);
    store::WriteBatch batch;
    batch.put(store::nexus_endpoint_key(row.id()),
              store::wrap_message(store::Table::kNexusEndpoint, row));
    const Position position = committer_.submit(std::move(batch), store::Urgency::kSynced);
    committer_.when_durable(position, *executor_,
                            [this, row = std::move(row), reply = std::move(reply)]() mutable {
                                {
                                    const env::MutexLock lock(mutex_);
                                    durable_.put(row);
                                }
                                reply(std::move(row));
                            });
}

void NexusEndpointRegistry::erase(std::string id, Reply<NexusEndpointRow> reply) {
    executor_->post([this, id = std::move(id), reply = std::move(reply)]() mutable {
        const auto found = latest_.by_id.find(id);
        if (found == latest_.by_id.end()) {
            return reply(not_found("error deleting nexus endpoint with ID: " + id));
        }
        NexusEndpointRow row = found->second;
        latest_.erase(id);
        store::WriteBatch batch;
        batch.erase(store::nexus_endpoint_key(id));
        const Position position = committer_.submit(std::move(batch), store::Urgency::kSynced);
        committer_.when_durable(position, *executor_,
                                [this, row = std::move(row), reply = std::move(reply)]() mutable {
                                    {
                                        const env::MutexLock lock(mutex_);
                                        durable_.erase(row.id());
                                    }
                                    reply(std::move(row));
                                });
    });
}

}  // namespace stele::frontend
