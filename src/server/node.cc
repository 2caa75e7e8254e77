#include "server/node.h"

#include "frontend/namespace_purge.h"
#include "frontend/nexus_endpoints.h"
#include "frontend/worker_commands.h"
#include "server/settings.h"
#include "store/keys.h"
#include "temporal/api/enums/v1/namespace.pb.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <utility>

namespace stele::server {
namespace {

constexpr std::size_t kTokenKeyBytes = 32;
constexpr Duration kDefaultRetention = std::chrono::hours(24);
constexpr char kTokenKey[] = "token-key";
constexpr char kClusterId[] = "cluster-id";

/// Nothing is ever rolled back in memory, so a process that could not write must not go on.
void end_process(const absl::Status& status) {
    std::fprintf(stderr,
                 "stele: the store could not be written: %s\n"
                 "stele: ending at once; everything that was acknowledged is safe on disk\n",
                 message_of(status).c_str());
    std::fflush(stderr);
    std::_Exit(EXIT_FAILURE);
}

/// A value that is drawn once per store and then stays.
absl::StatusOr<std::string> lasting_value(store::Store& store, const std::string& name,
                                          const std::string& fresh) {
    const std::string key = store::meta_key(name);
    STELE_ASSIGN_OR_RETURN(const std::optional<std::string> stored, store.get(key));
    if (stored) {
        STELE_ASSIGN_OR_RETURN(const std::string_view value,
                               store::unwrap_value(store::Table::kMeta, *stored));
        return std::string(value);
    }
    store::WriteBatch batch;
    batch.put(key, store::wrap_value(store::Table::kMeta, fresh));
    STELE_RETURN_IF_ERROR(store.write(batch, store::Sync::kYes));
    return fresh;
}

storage::NamespaceRow new_namespace(env::Env& env, const std::string& name) {
    storage::NamespaceRow row;
    row.set_id(env::new_uuid(env.random()));
    row.set_name(name);
    row.set_state(temporal::api::enums::v1::NAMESPACE_STATE_REGISTERED);
    *row.mutable_retention() = to_proto(kDefaultRetention);
    *row.mutable_created() = to_proto(env.now());
    return row;
}

/// Creates a namespace that is asked for before anything runs, straight in the store, and gives it
/// the search attributes that it does not have.
absl::Status ensure_namespace(env::Env& env, store::Store& store, const std::string& name,
                              const NodeOptions& options) {
    const std::string name_key = store::namespace_name_key(name);
    STELE_ASSIGN_OR_RETURN(const std::optional<std::string> id_value, store.get(name_key));
    storage::NamespaceRow row;
    if (id_value) {
        STELE_ASSIGN_OR_RETURN(const std::string_view id,
                               store::unwrap_value(store::Table::kNamespaceName, *id_value));
        STELE_ASSIGN_OR_RETURN(const std::optional<std::string> stored,
                               store.get(store::namespace_key(id)));
        if (!stored) return make_error(absl::StatusCode::kDataLoss, "a namespace has no row");
        STELE_RETURN_IF_ERROR(store::unwrap_message(store::Table::kNamespace, *stored, row));
    } else {
        row = new_namespace(env, name);
    }
    bool changed = !id_value;
    for (const auto& [attribute, type] : options.search_attributes) {
        if (row.search_attributes().contains(attribute)) continue;
        (*row.mutable_search_attributes())[attribute] = type;
        changed = true;
    }
    if (!changed) return absl::OkStatus();
    store::WriteBatch batch;
    batch.put(store::namespace_key(row.id()), store::wrap_message(store::Table::kNamespace, row));
    batch.put(name_key, store::wrap_value(store::Table::kNamespaceName, row.id()));
    return store.write(batch, store::Sync::kYes);
}

shard::EngineOptions with_parts(shard::EngineOptions options, store::IndexFeeds& feeds,
                                const history::NexusEndpoints& endpoints) {
    options.index_feeds = &feeds;
    options.nexus_endpoints = &endpoints;
    return options;
}

/// What the index is told about the search attributes of a namespace.
visibility::SchemaSource schemas_of(frontend::NamespaceRegistry& namespaces) {
    return [&namespaces](
               const std::string& id) -> std::shared_ptr<const history::SearchAttributeSchema> {
        const shard::NamespacePtr space = namespaces.by_id(id);
        if (space == nullptr) return nullptr;
        return {space, &space->search_attributes};
    };
}

/// What is set for task queues, from where it is kept.
class NodeQueueSettings final : public matching::QueueSettingsSource {
public:
    NodeQueueSettings(const NodeOptions& options, frontend::NamespaceRegistry& namespaces,
                      const frontend::TaskQueueConfigs& configs)
        : config_(options.config),
          defaults_(options.queue_settings),
          namespaces_(namespaces),
          configs_(configs) {}

    matching::QueueSettings settings(const shard::QueueId& queue) const override {
        if (config_ == nullptr) return defaults_;
        const shard::NamespacePtr space = namespaces_.by_id(queue.namespace_id);
        return queue_settings_of(*config_, space == nullptr ? std::string() : space->name, queue,
                                 defaults_);
    }
    matching::QueueConfig config(const shard::QueueId& queue) const override {
        return configs_.find(queue);
    }
    std::uint64_t version() const override {
        return configs_.version() + (config_ == nullptr ? 0 : config_->version());
    }

private:
    const config::DynamicConfig* config_;
    matching::QueueSettings defaults_;
    frontend::NamespaceRegistry& namespaces_;
    const frontend::TaskQueueConfigs& configs_;
};

class NodeImpl final : public Node {
public:
    NodeImpl(env::Env& env, store::Store& store, const NodeOptions& options, std::string token_key,
             std::string cluster_id)
        : committer_(store::make_committer(
              env, store, options.on_commit_failure ? options.on_commit_failure : end_process,
              options.committer)),
          namespaces_(
              env, store, *committer_,
              [config = options.config, defaults = options.settings](const std::string& name) {
                  return config == nullptr ? defaults : settings_of(*config, name, defaults);
              }),
          task_queue_configs_(env, store, *committer_),
          nexus_endpoints_(env, store, *committer_),
          queue_settings_(options, namespaces_, task_queue_configs_),
          tokens_(std::move(token_key)),
          cluster_id_(std::move(cluster_id)) {}

    absl::Status start(env::Env& env, store::Store& store, const NodeOptions& options) {
        STELE_RETURN_IF_ERROR(namespaces_.load());
        STELE_RETURN_IF_ERROR(task_queue_configs_.load());
        STELE_RETURN_IF_ERROR(nexus_endpoints_.load());
        STELE_ASSIGN_OR_RETURN(
            visibility_,
            visibility::make_visibility(
                env, store, *committer_, feeds_, schemas_of(namespaces_),
                {.path = options.index_path, .store_id = cluster_id_, .notice = options.notice}));
        engine_ = shard::make_engine(env, store, *committer_, namespaces_,
                                     with_parts(options.engine, feeds_, nexus_endpoints_));
        matching_ = matching::make_matching(env, *engine_, queue_settings_, options.matching);
        nexus_tasks_ = matching::make_nexus_tasks(env, queue_settings_, options.matching);
        worker_commands_ = std::make_unique<frontend::WorkerCommands>(*nexus_tasks_, tokens_);
        purge_ = std::make_unique<frontend::NamespacePurge>(env, *engine_, namespaces_);
        batches_ = std::make_unique<batch::Batches>(
            env, store, *committer_, *engine_, *visibility_, namespaces_,
            [this](const std::string& id) { return namespaces_.settings(id).batches; });
        frontend_ = std::make_unique<frontend::Frontend>(frontend::Services{
            env, *engine_, *matching_, *nexus_tasks_, nexus_endpoints_, namespaces_,
            task_queue_configs_, queue_settings_, workers_, tokens_, *visibility_, *purge_,
            *batches_, cluster_id_, [config = options.config] {
                return config == nullptr ? frontend::OperatorSettings()
                                         : operator_settings(*config);
            }});
        engine_->connect(*matching_);
        engine_->connect_nexus(*worker_commands_);
        STELE_RETURN_IF_ERROR(engine_->recover());
        purge_->recover();
        return batches_->recover();
    }

    const frontend::Frontend& frontend() const override { return *frontend_; }
    shard::Engine& engine() override { return *engine_; }

    void refresh_settings() override {
        namespaces_.refresh_settings();
        matching_->settings_changed();
    }

    void drain(absl::AnyInvocable<void()> done) override {
        matching_->drain();
        nexus_tasks_->drain();
        engine_->drain(std::move(done));
    }

private:
    // In the order of dependence: each uses only what stands above it.
    std::unique_ptr<store::Committer> committer_;
    store::IndexFeeds feeds_;
    frontend::NamespaceRegistry namespaces_;
    frontend::TaskQueueConfigs task_queue_configs_;
    frontend::NexusEndpointRegistry nexus_endpoints_;
    NodeQueueSettings queue_settings_;
    frontend::WorkerRegistry workers_;
    frontend::TokenSigner tokens_;
    std::string cluster_id_;
    std::unique_ptr<visibility::Visibility> visibility_;
    std::unique_ptr<shard::Engine> engine_;
    std::unique_ptr<matching::Matching> matching_;
    std::unique_ptr<matching::NexusTasks> nexus_tasks_;
    std::unique_ptr<frontend::WorkerCommands> worker_commands_;
    std::unique_ptr<frontend::NamespacePurge> purge_;
    std::unique_ptr<batch::Batches> batches_;
    std::unique_ptr<frontend::Frontend> frontend_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Node>> Node::start(env::Env& env, store::Store& store,
                                                  NodeOptions options) {
    STELE_ASSIGN_OR_RETURN(
        std::string token_key,
        lasting_value(store, kTokenKey, env.random().secret_bytes(kTokenKeyBytes)));
    STELE_ASSIGN_OR_RETURN(std::string cluster_id,
                           lasting_value(store, kClusterId, env::new_uuid(env.random())));
    STELE_RETURN_IF_ERROR(ensure_namespace(env, store, frontend::kDefaultNamespace, options));
    for (const std::string& name : options.namespaces) {
        STELE_RETURN_IF_ERROR(ensure_namespace(env, store, name, options));
    }
    auto node = std::make_unique<NodeImpl>(env, store, options, std::move(token_key),
                                           std::move(cluster_id));
    STELE_RETURN_IF_ERROR(node->start(env, store, options));
    return node;
}

absl::Status Node::rebuild_index(store::Store& store, const std::string& path) {
    STELE_ASSIGN_OR_RETURN(const std::optional<std::string> id,
                           store.get(store::meta_key(kClusterId)));
    if (!id) return failed_precondition("no server has ever used this store");
    STELE_ASSIGN_OR_RETURN(const std::string_view store_id,
                           store::unwrap_value(store::Table::kMeta, *id));
    std::map<std::string, std::shared_ptr<const history::SearchAttributeSchema>> schemas;
    const store::KeyRange range = store::table_range(store::Table::kNamespace);
    const auto cursor = store.scan(range.begin, range.end);
    for (; cursor->valid(); cursor->next()) {
        storage::NamespaceRow row;
        STELE_RETURN_IF_ERROR(
            store::unwrap_message(store::Table::kNamespace, cursor->value(), row));
        schemas[row.id()] = std::make_shared<const history::SearchAttributeSchema>(
            row.name(), row.search_attributes());
    }
    STELE_RETURN_IF_ERROR(cursor->status());
    return visibility::rebuild(store,
                               [&schemas](const std::string& namespace_id) {
                                   const auto found = schemas.find(namespace_id);
                                   return found == schemas.end() ? nullptr : found->second;
                               },
                               {path, std::string(store_id)});
}

}  // namespace stele::server
