#include <gtest/gtest.h>

#include "frontend/frontend_testing.h"
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

class FrontendTest : public ::testing::Test, protected TestFrontend {
protected:
    absl::Status resolve(const std::string& name, const std::string& token = "",
                         bool creates = false) {
        const Authorizer authorizer;
        const NamespaceResolver resolver(parts().namespaces, signer, authorizer);
        return resolver.resolve(name, token, creates, "Method").status();
    }
    std::string token_for(const std::string& namespace_id) {
        wire::TaskToken token;
        token.set_namespace_id(namespace_id);
        return signer.sign(token);
    }
};

TEST_F(FrontendTest, EveryMethodOfTheServicesIsInTheTable) {
    const auto& paths = parts().frontend->methods().paths();
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
    const auto built = parts().frontend->methods().built();
    EXPECT_FALSE(built.empty());
    for (const std::string& path : parts().frontend->methods().paths()) {
        if (std::find(built.begin(), built.end(), path) != built.end()) continue;
        const auto answer = call(path, service::GetSystemInfoRequest());
        EXPECT_EQ(answer.status().code(), absl::StatusCode::kUnimplemented) << path;
        const std::string name = path.substr(path.rfind('/') + 1);
        EXPECT_TRUE(message_of(answer.status()).starts_with("unknown method " + name)) << path;
    }
}

TEST_F(FrontendTest, NoMethodOfTheTableLeavesAnEmptyRequestUnanswered) {
    for (const std::string& path : parts().frontend->methods().paths()) {
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
    parts().frontend->dispatch(method("StartWorkflowExecution"), broken);
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
    parts().namespaces.create(row, [&](auto reply) { created.emplace(std::move(reply)); });
    while (!created) {
        EXPECT_EQ(parts().namespaces.by_name("new"), nullptr);
        ASSERT_TRUE(sim.run_one());
    }
    ASSERT_TRUE(created->ok());
    ASSERT_NE(parts().namespaces.by_name("new"), nullptr);
    EXPECT_EQ(parts().namespaces.by_name("new")->id, (*created)->id());
}

TEST_F(FrontendTest, SecondNamespaceOfOneNameIsRefused) {
    const std::string id = create("one");
    storage::NamespaceRow row;
    row.set_name("one");
    EXPECT_EQ(play(parts().namespaces, row).status().code(), absl::StatusCode::kAlreadyExists);
    EXPECT_EQ(parts().namespaces.by_name("one")->id, id);
}

TEST_F(FrontendTest, ChangeOfANamespaceMayBeRefusedAndThenLeavesNoTrace) {
    create("one");
    const auto refused = change("one", [](storage::NamespaceRow& row) {
        row.set_description("changed");
        return invalid_argument("no");
    });
    EXPECT_EQ(message_of(refused.status()), "no");
    EXPECT_EQ(parts().namespaces.row_by_name("one")->description(), "");
    EXPECT_EQ(change("none", [](auto&) { return absl::OkStatus(); }).status().code(),
              absl::StatusCode::kNotFound);
}

TEST_F(FrontendTest, NamespacesComeBackFromTheStore) {
    const std::string id = create("one");
    ASSERT_TRUE(change("one", [](storage::NamespaceRow& row) {
                    row.set_description("changed");
                    return absl::OkStatus();
                }).ok());
    NamespaceRegistry reloaded(sim, *store, *parts().committer,
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
