#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sdk/transport/tls_server_testing.h"
#include "stele/stele.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

// The way over the wire with TLS, from the options to what a server gets to see.
namespace stele {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class TlsTest : public ::testing::Test {
protected:
    static void SetUpTestSuite() {
        authority_ = std::make_unique<testing::Authority>("one");
        foreign_ = std::make_unique<testing::Authority>("other");
        server_ = authority_->issue("localhost");
        client_ = authority_->issue("worker");
    }
    static void TearDownTestSuite() {
        authority_.reset();
        foreign_.reset();
    }

    static std::unique_ptr<testing::TlsServer> serve(bool mutual, const std::string& name = {}) {
        const auto pair = name.empty() ? server_ : authority_->issue(name);
        grpc::SslServerCredentialsOptions options(
            mutual ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                   : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
        options.pem_root_certs = authority_->certificate();
        options.pem_key_cert_pairs.push_back({pair.key, pair.certificate});
        return std::make_unique<testing::TlsServer>(grpc::SslServerCredentials(options));
    }

    static TlsOptions trusting() { return {.root_certificates = authority_->certificate()}; }
    static TlsOptions mutual(const testing::Authority::Pair& pair) {
        TlsOptions tls = trusting();
        tls.client_certificate = pair.certificate;
        tls.client_key = pair.key;
        return tls;
    }

    /// One attempt, without the retries of a client.
    static Transport::Status attempt(const testing::TlsServer& server, const TlsOptions& tls) {
        const auto transport =
            make_grpc_transport({.address = server.address(), .use_tls = true, .tls = tls});
        const std::shared_ptr<Runtime::Event> arrived = default_runtime()->make_event();
        auto status = std::make_shared<Transport::Status>();
        namespace api = temporal::api::workflowservice::v1;
        transport->call("/temporal.api.workflowservice.v1.WorkflowService/GetSystemInfo",
                        std::make_shared<api::GetSystemInfoRequest>(),
                        std::make_shared<api::GetSystemInfoResponse>(),
                        {.timeout = Milliseconds(5'000)},
                        [arrived, status](const Transport::Status& result) {
                            *status = result;
                            arrived->set();
                        });
        arrived->wait();
        return *status;
    }

    static std::string refusal(const TlsOptions& tls) {
        try {
            (void)make_grpc_transport({.use_tls = true, .tls = tls});
        } catch (const ConfigurationError& error) {
            return error.what();
        }
        return "accepted";
    }

    static inline std::unique_ptr<testing::Authority> authority_;
    static inline std::unique_ptr<testing::Authority> foreign_;
    static inline testing::Authority::Pair server_;
    static inline testing::Authority::Pair client_;
};

TEST_F(TlsTest, ClientSpeaksTlsAndSendsItsKeyAndItsMetadata) {
    const auto server = serve(false);
    const Client client = Client::connect({.address = server->address(),
                                           .namespace_name = "orders",
                                           .api_key = "secret",
                                           .use_tls = true,
                                           .tls = trusting(),
                                           .metadata = {{"team", "blue"}}});
    EXPECT_EQ(server->metadata("authorization"), "Bearer secret");
    EXPECT_EQ(server->metadata("temporal-namespace"), "orders");
    EXPECT_EQ(server->metadata("team"), "blue");
    EXPECT_FALSE(server->metadata("client-version").empty());
}

TEST_F(TlsTest, MutualTlsNeedsACertificateThatTheServerKnows) {
    const auto server = serve(true);
    EXPECT_TRUE(attempt(*server, mutual(client_)).ok());
    EXPECT_EQ(attempt(*server, trusting()).code, 14);
    EXPECT_EQ(attempt(*server, mutual(foreign_->issue("stranger"))).code, 14);
}

TEST_F(TlsTest, MutualTlsComesFromAProfile) {
    const auto server = serve(true);
    const auto options =
        load_client_options({.toml = "",
                             .environment = std::map<std::string, std::string>{
                                 {"TEMPORAL_ADDRESS", server->address()},
                                 {"TEMPORAL_TLS_SERVER_CA_CERT_DATA", authority_->certificate()},
                                 {"TEMPORAL_TLS_CLIENT_CERT_DATA", client_.certificate},
                                 {"TEMPORAL_TLS_CLIENT_KEY_DATA", client_.key}}});
    EXPECT_NO_THROW((void)Client::connect(options));
}

TEST_F(TlsTest, ServerWithAnUnknownCertificateIsNotSpokenTo) {
    const auto server = serve(false);
    const Transport::Status status =
        attempt(*server, {.root_certificates = foreign_->certificate()});
    EXPECT_EQ(status.code, 14);
    EXPECT_THAT(status.message, HasSubstr("certificate verify failed"));
}

TEST_F(TlsTest, ServersNameMustBeThatOfTheAddressOrTheOneGiven) {
    const auto server = serve(false, "stele.example");
    const Transport::Status wrong = attempt(*server, trusting());
    EXPECT_EQ(wrong.code, 14);
    EXPECT_THAT(wrong.message, HasSubstr("localhost is not in peer certificate"));
    TlsOptions named = trusting();
    named.server_name = "stele.example";
    EXPECT_TRUE(attempt(*server, named).ok());
}

TEST_F(TlsTest, VerificationCanBeSwitchedOffForOneAndForBothSides) {
    const TlsOptions tls{.disable_host_verification = true};
    EXPECT_TRUE(attempt(*serve(false, "stele.example"), tls).ok());
    TlsOptions with_certificate = mutual(client_);
    with_certificate.root_certificates.clear();
    with_certificate.disable_host_verification = true;
    EXPECT_TRUE(attempt(*serve(true), with_certificate).ok());
}

TEST_F(TlsTest, OptionsThatCannotBeMeantAreRefusedBeforeAnyConnection) {
    EXPECT_EQ(refusal(mutual(client_)), "accepted");
    EXPECT_THAT(refusal({.client_certificate = client_.certificate}), HasSubstr("given together"));
    EXPECT_THAT(refusal({.root_certificates = "a path.pem"}), HasSubstr("CA certificate is not"));
    EXPECT_THAT(refusal({.client_certificate = client_.key, .client_key = client_.key}),
                HasSubstr("client certificate is not a PEM"));
    const auto refused = [](ClientOptions options) {
        options.lazy = true;
        try {
            (void)Client::connect(options);
        } catch (const ConfigurationError& error) {
            return std::string(error.what());
        }
        return std::string("accepted");
    };
    EXPECT_THAT(refused({.api_key = "secret\n"}),
                AllOf(HasSubstr("API key"), Not(HasSubstr("secret"))));
    EXPECT_THAT(refused({.api_key = "a", .metadata = {{"authorization", "b"}}}),
                HasSubstr("authorization"));
    EXPECT_THAT(refused({.metadata = {{"Team", "blue"}}}), HasSubstr("\"Team\""));
    EXPECT_THAT(refused({.metadata = {{"team", "bl\nue"}}}), HasSubstr("\"team\""));
}

}  // namespace
}  // namespace stele
