#include <gtest/gtest.h>

#include "frontend/frontend.h"

#include "env/sim/sim_env.h"
#include "frontend/namespace_purge.h"
#include "frontend/nexus_endpoints.h"
#include "matching/queue_settings_testing.h"
#include "store/memory/memory_store.h"
#include "temporal/api/enums/v1/namespace.pb.h"
#include "temporal/api/errordetails/v1/message.pb.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace stele::frontend {
namespace {

namespace api = temporal::api;
namespace service = temporal::api::workflowservice::v1;

/// A call with the bytes of a request, that keeps its answer.
class BytesCall final : public Call {
public:
    explicit BytesCall(std::string request) : request_(std::move(request)) {}
    Timestamp deadline() const override { return kNever; }
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
};

class FrontendTest : public ::testing::Test {
protected:
    FrontendTest()
        : committer_(store::make_committer(
              sim_, *store_, [](const absl::Status& status) { FAIL() << message_of(status); })),
          namespaces_(std::make_unique<NamespaceRegistry>(
              sim_, *store_, *committer_, [](const std::string&) { return NamespaceSettings(); })),
          task_queue_configs_(sim_, *store_, *committer_),
          nexus_endpoints_(sim_, *store_, *committer_) {
        EXPECT_TRUE(namespaces_->load().ok());
        visibility_ = *visibility::make_visibility(
            sim_, *store_, *committer_, feeds_,
            [this](const std::string& id) -> std::shared_ptr<const history::SearchAttributeSchema> {
                const shard::NamespacePtr space = namespaces_->by_id(id);
                if (space == nullptr) return nullptr;
                return {space, &space->search_attributes};
            },
            {});
        shard::EngineOptions options;
        options.index_feeds = &feeds_;
        engine_ = shard::make_engine(sim_, *store_, *committer_, *namespaces_, options);
        matching_ = matching::make_matching(sim_, *engine_, queue_settings_, {});
        nexus_tasks_ = matching::make_nexus_tasks(sim_, queue_settings_, {});
        engine_->connect(*matching_);
        EXPECT_TRUE(engine_->recover().ok());
        purge_ = std::make_unique<NamespacePurge>(sim_, *engine_, *namespaces_);
        frontend_ = std::make_unique<Frontend>(
            Services{sim_, *engine_, *matching_, *nexus_tasks_, nexus_endpoints_, *namespaces_,
                     task_queue_configs_, queue_settings_, workers_, signer_, *visibility_, *purge_,
                     "cluster", [] { return OperatorSettings(); }});
    }

    absl::StatusOr<std::string> call(const std::string& path,
                                     const google::protobuf::Message& request) {
        auto made = std::make_shared<BytesCall>(request.SerializeAsString());
        frontend_->dispatch(path, made);
        sim_.run_until([&made] { return made->answer.has_value(); }, std::chrono::seconds(60));
        if (!made->answer) return internal_error("never answered");
        return *made->answer;
    }
    static std::string method(const std::string& name) {
        return "/" + std::string(kWorkflowService) + "/" + name;
    }

    /// The id of a new namespace.
    std::string create(const std::string& name) {
        storage::NamespaceRow row;
        row.set_name(name);
        row.set_state(api::enums::v1::NAMESPACE_STATE_REGISTERED);
        return play(*namespaces_, std::move(row)).value().id();
    }
    absl::StatusOr<storage::NamespaceRow> play(NamespaceRegistry& registry,
                                               storage::NamespaceRow row) {
        std::optional<absl::StatusOr<storage::NamespaceRow>> result;
        registry.create(std::move(row), [&](auto reply) { result.emplace(std::move(reply)); });
        sim_.run_until([&] { return result.has_value(); }, std::chrono::seconds(10));
        return *result;
    }
    absl::StatusOr<storage::NamespaceRow> change(const std::string& name,
                                                 NamespaceRegistry::Change change) {
        std::optional<absl::StatusOr<storage::NamespaceRow>> result;
        namespaces_->update(name, std::move(change),
                            [&](auto reply) { result.emplace(std::move(reply)); });
        sim_.run_until([&] { return result.has_value(); }, std::chrono::seconds(10));
        return *result;
    }
    absl::Status resolve(const std::string& name, const std::string& token = "",
                         bool creates = false) {
        const Authorizer authorizer;
        const NamespaceResolver resolver(*namespaces_, signer_, authorizer);
        return resolver.resolve(name, token, creates, "Method").status();
    }
    std::string token_for(const std::string& namespace_id) {
        wire::TaskToken token;
        token.set_namespace_id(namespace_id);
        return signer_.sign(token);
    }

    env::SimEnv sim_{env::SimOptions{.seed = 1}};
    TokenSigner signer_{"0123456789abcdef"};
    std::unique_ptr<store::Store> store_ = store::make_memory_store();
    std::unique_ptr<store::Committer> committer_;
    std::unique_ptr<NamespaceRegistry> namespaces_;
    store::IndexFeeds feeds_;
    std::unique_ptr<visibility::Visibility> visibility_;
    TaskQueueConfigs task_queue_configs_;
    NexusEndpointRegistry nexus_endpoints_;
    matching::FixedQueueSettings queue_settings_;
    WorkerRegistry workers_;
    std::unique_ptr<shard::Engine> engine_;
    std::unique_ptr<matching::Matching> matching_;
    std::unique_ptr<matching::NexusTasks> nexus_tasks_;
    std::unique_ptr<NamespacePurge> purge_;
    std::unique_ptr<Frontend> frontend_;
};

TEST_F(FrontendTest, EveryMethodOfTheServicesIsInTheTable) {
    const auto& paths = frontend_->methods().paths();
    const auto count = [&paths](const std::string& prefix) {
        return std::count_if(paths.begin(), paths.end(), [&prefix](const std::string& path) {
            return path.starts_with("/" + prefix + "/");
        });
    };
    for (const char* service : {kWorkflowService, kOperatorService}) {
        const auto* defined =
            google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(service);
        ASSERT_NE(defined, nullptr) << service;
        EXPECT_EQ(count(service), defined->method_count()) << service;
    }
    EXPECT_GE(count(kWorkflowService), 122);
    EXPECT_EQ(paths.size(), static_cast<std::size_t>(count(kWorkflowService)) +
                                static_cast<std::size_t>(count(kOperatorService)));
}

TEST_F(FrontendTest, EveryMethodThatIsNotBuiltIsUnknown) {
    const auto built = frontend_->methods().built();
    EXPECT_FALSE(built.empty());
    for (const std::string& path : frontend_->methods().paths()) {
        if (std::find(built.begin(), built.end(), path) != built.end()) continue;
        const auto answer = call(path, service::GetSystemInfoRequest());
        EXPECT_EQ(answer.status().code(), absl::StatusCode::kUnimplemented) << path;
        const std::string name = path.substr(path.rfind('/') + 1);
        EXPECT_TRUE(message_of(answer.status()).starts_with("unknown method " + name)) << path;
    }
}

TEST_F(FrontendTest, NoMethodOfTheTableLeavesAnEmptyRequestUnanswered) {
    for (const std::string& path : frontend_->methods().paths()) {
        EXPECT_NE(message_of(call(path, service::GetSystemInfoRequest()).status()),
                  "never answered")
            << path;
    }
}

TEST_F(FrontendTest, MethodThatNoServiceHasIsUnknownToo) {
    const auto answer = call("/other.Service/Some", service::GetSystemInfoRequest());
    EXPECT_EQ(answer.status().code(), absl::StatusCode::kUnimplemented);
    EXPECT_EQ(message_of(answer.status()), "unknown method Some for service other.Service");
}

TEST_F(FrontendTest, RequestThatDoesNotParseIsRefused) {
    auto broken = std::make_shared<BytesCall>("\xff\xff\xff");
    frontend_->dispatch(method("StartWorkflowExecution"), broken);
    ASSERT_TRUE(broken->answer.has_value());
    EXPECT_EQ(message_of(broken->answer->status()), "not parsed");
}

TEST_F(FrontendTest, NamespaceOfARequestIsNeeded) {
    const auto answer =
        call(method("StartWorkflowExecution"), service::StartWorkflowExecutionRequest());
    EXPECT_EQ(answer.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(message_of(answer.status()), "Namespace not set on request.");
}

TEST_F(FrontendTest, UnknownNamespaceIsNotFoundWithItsNameInTheDetail) {
    const absl::Status status = resolve("nowhere");
    EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
    EXPECT_EQ(message_of(status), "Namespace nowhere is not found.");
    const auto detail = detail_of(status);
    ASSERT_TRUE(detail.has_value());
    api::errordetails::v1::NamespaceNotFoundFailure failure;
    EXPECT_TRUE(detail->type_url.ends_with(failure.GetTypeName()));
    ASSERT_TRUE(failure.ParseFromString(detail->value));
    EXPECT_EQ(failure.namespace_(), "nowhere");
}

TEST_F(FrontendTest, OverlongNamespaceIsRefused) {
    EXPECT_EQ(message_of(resolve(std::string(1001, 'n'))), "Namespace length exceeds limit.");
    EXPECT_EQ(resolve(std::string(1000, 'n')).code(), absl::StatusCode::kNotFound);
}

TEST_F(FrontendTest, TokenNamesTheNamespaceAndANameBesideItMustAgree) {
    const std::string id = create("one");
    create("two");
    EXPECT_TRUE(resolve("", token_for(id)).ok());
    EXPECT_TRUE(resolve("one", token_for(id)).ok());
    EXPECT_EQ(message_of(resolve("two", token_for(id))),
              "Operation requested with a token from a different namespace.");
    EXPECT_EQ(message_of(resolve("one", "forged")), "Error deserializing task token.");
    EXPECT_EQ(resolve("", token_for("gone")).code(), absl::StatusCode::kNotFound);
}

TEST_F(FrontendTest, DeprecatedNamespaceTakesNoNewRunsButAllElse) {
    create("old");
    ASSERT_TRUE(change("old", [](storage::NamespaceRow& row) {
                    row.set_state(api::enums::v1::NAMESPACE_STATE_DEPRECATED);
                    return absl::OkStatus();
                }).ok());
    EXPECT_TRUE(resolve("old").ok());
    EXPECT_EQ(resolve("old", "", true).code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(FrontendTest, NamespaceShowsOnlyOnceItIsDurable) {
    storage::NamespaceRow row;
    row.set_name("new");
    std::optional<absl::StatusOr<storage::NamespaceRow>> created;
    namespaces_->create(row, [&](auto reply) { created.emplace(std::move(reply)); });
    while (!created) {
        EXPECT_EQ(namespaces_->by_name("new"), nullptr);
        ASSERT_TRUE(sim_.run_one());
    }
    ASSERT_TRUE(created->ok());
    ASSERT_NE(namespaces_->by_name("new"), nullptr);
    EXPECT_EQ(namespaces_->by_name("new")->id, (*created)->id());
}

TEST_F(FrontendTest, SecondNamespaceOfOneNameIsRefused) {
    const std::string id = create("one");
    storage::NamespaceRow row;
    row.set_name("one");
    EXPECT_EQ(play(*namespaces_, row).status().code(), absl::StatusCode::kAlreadyExists);
    EXPECT_EQ(namespaces_->by_name("one")->id, id);
}

TEST_F(FrontendTest, ChangeOfANamespaceMayBeRefusedAndThenLeavesNoTrace) {
    create("one");
    const auto refused = change("one", [](storage::NamespaceRow& row) {
        row.set_description("changed");
        return invalid_argument("no");
    });
    EXPECT_EQ(message_of(refused.status()), "no");
    EXPECT_EQ(namespaces_->row_by_name("one")->description(), "");
    EXPECT_EQ(change("none", [](auto&) { return absl::OkStatus(); }).status().code(),
              absl::StatusCode::kNotFound);
}

TEST_F(FrontendTest, NamespacesComeBackFromTheStore) {
    const std::string id = create("one");
    ASSERT_TRUE(change("one", [](storage::NamespaceRow& row) {
                    row.set_description("changed");
                    return absl::OkStatus();
                }).ok());
    NamespaceRegistry reloaded(sim_, *store_, *committer_,
                               [](const std::string&) { return NamespaceSettings(); });
    EXPECT_EQ(reloaded.by_name("one"), nullptr);
    ASSERT_TRUE(reloaded.load().ok());
    ASSERT_NE(reloaded.by_id(id), nullptr);
    EXPECT_EQ(reloaded.row_by_name("one")->description(), "changed");
    storage::NamespaceRow again;
    again.set_name("one");
    EXPECT_EQ(play(reloaded, again).status().code(), absl::StatusCode::kAlreadyExists);
}

}  // namespace
}  // namespace stele::frontend
