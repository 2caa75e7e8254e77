#pragma once

#include "env/sim/sim_env.h"
#include "frontend/frontend.h"
#include "frontend/namespace_purge.h"
#include "frontend/nexus_endpoints.h"
#include "matching/queue_settings_testing.h"
#include "store/memory/memory_store.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

// A frontend with all that it stands on, in simulated time and on a store in memory. For tests that
// make calls as clients do.
namespace stele::frontend {

/// A call with the bytes of a request, that keeps its answer.
class BytesCall final : public Call {
public:
    explicit BytesCall(std::string request, Timestamp deadline = kNever)
        : request_(std::move(request)), deadline_(deadline) {}
    Timestamp deadline() const override { return deadline_; }
    bool cancelled() const override { return false; }
    void on_cancel(absl::AnyInvocable<void()>) override {}
    absl::Status read(google::protobuf::Message& request) override {
        return request.ParseFromString(request_) ? absl::OkStatus()
                                                 : invalid_argument("not parsed");
    }
    std::string header(std::string_view) const override { return ""; }
    void finish(absl::StatusOr<ResponseBytes> response) override {
        EXPECT_FALSE(answer.has_value()) << "answered twice";
        answer.emplace(std::move(response));
    }
    std::optional<absl::StatusOr<ResponseBytes>> answer;

private:
    std::string request_;
    Timestamp deadline_;
};

class TestFrontend {
public:
    explicit TestFrontend(NamespaceSettings settings = {});
    ~TestFrontend();

    /// Ends the server without warning and starts it anew on what was written.
    void restart();

    static std::string method(const std::string& name) {
        return "/" + std::string(kWorkflowService) + "/" + name;
    }
    absl::StatusOr<std::string> call(const std::string& path,
                                     const google::protobuf::Message& request);
    /// A call of the workflow service, with its answer parsed.
    template <typename Response>
    absl::StatusOr<Response> ask(const std::string& name,
                                 const google::protobuf::Message& request) {
        const auto bytes = call(method(name), request);
        if (!bytes.ok()) return bytes.status();
        Response response;
        EXPECT_TRUE(response.ParseFromString(*bytes));
        return response;
    }

    /// The id of a new namespace.
    std::string create(const std::string& name);
    absl::StatusOr<storage::NamespaceRow> play(NamespaceRegistry& registry,
                                               storage::NamespaceRow row);
    absl::StatusOr<storage::NamespaceRow> change(const std::string& name,
                                                 NamespaceRegistry::Change change);

    env::SimEnv sim{env::SimOptions{.seed = 1}};
    TokenSigner signer{"0123456789abcdef"};
    std::unique_ptr<store::Store> store = store::make_memory_store();
    /// Of every namespace, from the next start of the server on.
    NamespaceSettings settings;
    /// How long callers wait, where it is not for ever; polls must say.
    std::optional<Duration> patience;

    /// All that a start of the server makes, in the order of dependence.
    struct Parts {
        Parts(env::Env& env, TestFrontend& around);

        std::unique_ptr<store::Committer> committer;
        NamespaceRegistry namespaces;
        store::IndexFeeds feeds;
        TaskQueueConfigs task_queue_configs;
        NexusEndpointRegistry nexus_endpoints;
        matching::FixedQueueSettings queue_settings;
        WorkerRegistry workers;
        std::unique_ptr<visibility::Visibility> visibility;
        std::unique_ptr<shard::Engine> engine;
        std::unique_ptr<matching::Matching> matching;
        std::unique_ptr<matching::NexusTasks> nexus_tasks;
        std::unique_ptr<NamespacePurge> purge;
        std::unique_ptr<batch::Batches> batches;
        std::unique_ptr<Frontend> frontend;
    };
    Parts& parts() { return *parts_; }

private:
    void boot();

    std::unique_ptr<env::SimProcess> process_;
    std::unique_ptr<Parts> parts_;
};

}  // namespace stele::frontend
