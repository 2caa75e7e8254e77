#include "frontend/frontend_testing.h"

#include "temporal/api/enums/v1/namespace.pb.h"

namespace stele::frontend {

TestFrontend::Parts::Parts(env::Env& env, TestFrontend& around)
    : committer(store::make_committer(
          env, *around.store, [](const absl::Status& status) { FAIL() << message_of(status); })),
      namespaces(env, *around.store, *committer,
                 [&around](const std::string&) { return around.settings; }),
      task_queue_configs(env, *around.store, *committer),
      nexus_endpoints(env, *around.store, *committer) {
    EXPECT_TRUE(namespaces.load().ok());
    EXPECT_TRUE(task_queue_configs.load().ok());
    EXPECT_TRUE(nexus_endpoints.load().ok());
    visibility = *visibility::make_visibility(
        env, *around.store, *committer, feeds,
        [this](const std::string& id) -> std::shared_ptr<const history::SearchAttributeSchema> {
            const shard::NamespacePtr space = namespaces.by_id(id);
            if (space == nullptr) return nullptr;
            return {space, &space->search_attributes};
        },
        {});
    shard::EngineOptions options;
    options.index_feeds = &feeds;
    options.nexus_endpoints = &nexus_endpoints;
    engine = shard::make_engine(env, *around.store, *committer, namespaces, options);
    matching = matching::make_matching(env, *engine, queue_settings, {});
    nexus_tasks = matching::make_nexus_tasks(env, queue_settings, {});
    engine->connect(*matching);
    EXPECT_TRUE(engine->recover().ok());
    purge = std::make_unique<NamespacePurge>(env, *engine, namespaces);
    batches = std::make_unique<batch::Batches>(
        env, *around.store, *committer, *engine, *visibility, namespaces,
        [this](const std::string& id) { return namespaces.settings(id).batches; });
    EXPECT_TRUE(batches->recover().ok());
    frontend = std::make_unique<Frontend>(
        Services{env, *engine, *matching, *nexus_tasks, nexus_endpoints, namespaces,
                 task_queue_configs, queue_settings, workers, around.signer, *visibility, *purge,
                 *batches, "cluster", [] { return OperatorSettings(); }});
}

TestFrontend::TestFrontend(NamespaceSettings settings_in_force)
    : settings(std::move(settings_in_force)) {
    boot();
}

TestFrontend::~TestFrontend() = default;

void TestFrontend::boot() {
    process_ = sim.make_process("server");
    parts_ = std::make_unique<Parts>(*process_, *this);
}

void TestFrontend::restart() {
    process_->kill();
    parts_.reset();
    boot();
}

absl::StatusOr<std::string> TestFrontend::call(const std::string& path,
                                               const google::protobuf::Message& request) {
    const Timestamp deadline = patience ? sim.now() + *patience : kNever;
    auto made = std::make_shared<BytesCall>(request.SerializeAsString(), deadline);
    parts_->frontend->dispatch(path, made);
    sim.run_until([&made] { return made->answer.has_value(); }, std::chrono::seconds(60));
    if (!made->answer) return internal_error("never answered");
    return *made->answer;
}

std::string TestFrontend::create(const std::string& name) {
    storage::NamespaceRow row;
    row.set_name(name);
    row.set_state(temporal::api::enums::v1::NAMESPACE_STATE_REGISTERED);
    *row.mutable_retention() = to_proto(std::chrono::hours(24));
    return play(parts_->namespaces, std::move(row)).value().id();
}

absl::StatusOr<storage::NamespaceRow> TestFrontend::play(NamespaceRegistry& registry,
                                                         storage::NamespaceRow row) {
    std::optional<absl::StatusOr<storage::NamespaceRow>> result;
    registry.create(std::move(row), [&](auto reply) { result.emplace(std::move(reply)); });
    sim.run_until([&] { return result.has_value(); }, std::chrono::seconds(10));
    return *result;
}

absl::StatusOr<storage::NamespaceRow> TestFrontend::change(const std::string& name,
                                                           NamespaceRegistry::Change change) {
    std::optional<absl::StatusOr<storage::NamespaceRow>> result;
    parts_->namespaces.update(name, std::move(change),
                              [&](auto reply) { result.emplace(std::move(reply)); });
    sim.run_until([&] { return result.has_value(); }, std::chrono::seconds(10));
    return *result;
}

}  // namespace stele::frontend
