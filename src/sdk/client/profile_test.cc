#include "stele/profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace stele {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using Variables = std::map<std::string, std::string>;

constexpr char kToml[] = R"(
[profile.default]
address = "default:1"
namespace = "orders"

[profile.cloud]
address = "cloud:2"
api_key = "secret"
grpc_meta.Some_Key = "from the file"
grpc_meta.other = "stays"

[profile.mutual.tls]
client_cert_data = "certificate"
client_key_data = "key"
server_ca_cert_data = "authority"
server_name = "stele.example"
disable_host_verification = true

[profile.plain]
api_key = "secret"
tls = false

[profile.off.tls]
disabled = true
server_name = "ignored"

[profile.codec]
codec = { endpoint = "http://127.0.0.1:8081", auth = "Bearer x" }
)";

ProfileSource text_source(std::string profile = {}, Variables variables = {}) {
    return {.toml = kToml, .profile = std::move(profile), .environment = std::move(variables)};
}

/// The message of the refusal, or "accepted".
std::string refusal(const ProfileSource& source) {
    try {
        (void)load_client_options(source);
    } catch (const ConfigurationError& error) {
        return error.what();
    }
    return "accepted";
}

class ProfileFileTest : public ::testing::Test {
protected:
    ProfileFileTest() { std::filesystem::create_directories(directory_ / "temporalio"); }
    ~ProfileFileTest() override { std::filesystem::remove_all(directory_); }

    std::string write(const std::string& name, const std::string& text) {
        std::ofstream(directory_ / name) << text;
        return directory_ / name;
    }

    std::filesystem::path directory_ =
        std::filesystem::path(::testing::TempDir()) /
        ::testing::UnitTest::GetInstance()->current_test_info()->name();
};

TEST(ProfileTest, NothingSaidMeansTheDefaults) {
    const ClientOptions options = load_client_options({.toml = "", .environment = Variables{}});
    EXPECT_EQ(options.address, "127.0.0.1:7233");
    EXPECT_EQ(options.namespace_name, "default");
    EXPECT_FALSE(options.use_tls);
}

TEST(ProfileTest, ProfileIsTakenByItsNameOrThatOfTheVariable) {
    EXPECT_EQ(load_client_options(text_source()).address, "default:1");
    EXPECT_EQ(load_client_options(text_source("cloud")).address, "cloud:2");
    const Variables variables = {{"TEMPORAL_PROFILE", "cloud"}};
    EXPECT_EQ(load_client_options(text_source("", variables)).address, "cloud:2");
    EXPECT_EQ(load_client_options(text_source("default", variables)).address, "default:1");
    EXPECT_THAT(refusal(text_source("nobody")), HasSubstr("no profile \"nobody\""));
    EXPECT_THAT(refusal(text_source("", {{"TEMPORAL_PROFILE", "nobody"}})), HasSubstr("nobody"));
}

TEST(ProfileTest, VariablesGoBeforeTheFile) {
    const ClientOptions options = load_client_options(
        text_source("cloud", {{"TEMPORAL_ADDRESS", "variable:3"},
                              {"TEMPORAL_NAMESPACE", "from-variable"},
                              {"TEMPORAL_API_KEY", ""},  // as if it were not set
                              {"TEMPORAL_GRPC_META_SOME_KEY", "from the variable"},
                              {"TEMPORAL_GRPC_META_OTHER", ""}}));
    EXPECT_EQ(options.address, "variable:3");
    EXPECT_EQ(options.namespace_name, "from-variable");
    EXPECT_EQ(options.api_key, "secret");
    EXPECT_EQ(options.metadata, (Variables{{"some-key", "from the variable"}}));
}

TEST(ProfileTest, VariablesCanBeLeftOutExceptForTheChoiceOfTheProfile) {
    ProfileSource source =
        text_source("", {{"TEMPORAL_PROFILE", "cloud"}, {"TEMPORAL_ADDRESS", "variable:3"}});
    source.use_environment = false;
    EXPECT_EQ(load_client_options(source).address, "cloud:2");
    source.use_file = false;
    EXPECT_THAT(refusal(source), HasSubstr("from a file or from the environment"));
    source.use_environment = true;
    EXPECT_EQ(load_client_options(source).address, "variable:3");
}

TEST(ProfileTest, ApiKeyAsksForTlsUnlessThatIsSwitchedOff) {
    EXPECT_TRUE(load_client_options(text_source("cloud")).use_tls);
    EXPECT_FALSE(load_client_options(text_source("plain")).use_tls);
    EXPECT_TRUE(load_client_options(text_source("plain", {{"TEMPORAL_TLS", "TRUE"}})).use_tls);
    EXPECT_FALSE(load_client_options(text_source("cloud", {{"TEMPORAL_TLS", "0"}})).use_tls);
    EXPECT_FALSE(load_client_options(text_source("off")).use_tls);
    EXPECT_TRUE(
        load_client_options(text_source("", {{"TEMPORAL_TLS_SERVER_NAME", "other"}})).use_tls);
    EXPECT_THAT(refusal(text_source("", {{"TEMPORAL_TLS", "maybe"}})),
                AllOf(HasSubstr("TEMPORAL_TLS"), HasSubstr("maybe")));
}

TEST(ProfileTest, CertificatesComeFromTextsOfTheProfile) {
    const TlsOptions tls = load_client_options(text_source("mutual")).tls;
    EXPECT_EQ(tls.client_certificate, "certificate");
    EXPECT_EQ(tls.client_key, "key");
    EXPECT_EQ(tls.root_certificates, "authority");
    EXPECT_EQ(tls.server_name, "stele.example");
    EXPECT_TRUE(tls.disable_host_verification);
}

TEST(ProfileTest, CodecOfTheProfileIsForToolsToKnow) {
    const ClientProfile profile = load_client_profile(text_source("codec"));
    EXPECT_EQ(profile.codec_endpoint, "http://127.0.0.1:8081");
    EXPECT_EQ(profile.codec_auth, "Bearer x");
}

TEST(ProfileTest, WrongValuesAreNamed) {
    const auto with = [](std::string toml) {
        return ProfileSource{.toml = std::move(toml), .environment = Variables{}};
    };
    EXPECT_THAT(refusal(with("[profile.default]\naddress = ")), HasSubstr("line 2"));
    EXPECT_THAT(refusal(with("[profile.default]\naddress = 7")),
                HasSubstr("profile.default.address must be text"));
    EXPECT_THAT(refusal(with("[profile.default]\ntls = 7")),
                HasSubstr("profile.default.tls must be a table"));
    EXPECT_THAT(refusal(with("[profile.default.tls]\ndisabled = \"no\"")),
                HasSubstr("profile.default.tls.disabled must be true or false"));
    EXPECT_THAT(refusal(with("[profile.default.grpc_meta]\na = 1")),
                HasSubstr("profile.default.grpc_meta.a must be text"));
    EXPECT_THAT(refusal(with("profile = 1")), HasSubstr("profile must be a table"));
}

TEST(ProfileTest, UnknownKeysAreRefusedOnlyWhenAskedFor) {
    for (const std::string toml :
         {"[profile.default]\nadress = \"x\"", "[profiles.default]\naddress = \"x\"",
          "[profile.default.tls]\ncertificate = \"x\"", "[profile.default.codec]\nurl = \"x\""}) {
        ProfileSource source{.toml = toml, .environment = Variables{}};
        EXPECT_EQ(refusal(source), "accepted") << toml;
        source.strict = true;
        EXPECT_THAT(refusal(source), HasSubstr("not a key that is known")) << toml;
    }
    ProfileSource known = text_source("cloud");
    known.strict = true;
    EXPECT_EQ(refusal(known), "accepted");
}

TEST(ProfileTest, CertificateAndKeyBelongTogetherAndHaveOneSourceEach) {
    EXPECT_THAT(refusal(text_source("", {{"TEMPORAL_TLS_CLIENT_CERT_DATA", "x"}})),
                HasSubstr("must be given together"));
    EXPECT_THAT(refusal(text_source("", {{"TEMPORAL_TLS_CLIENT_CERT_DATA", "x"},
                                         {"TEMPORAL_TLS_CLIENT_CERT_PATH", "y"}})),
                HasSubstr("cannot both be set"));
    EXPECT_THAT(refusal({.toml = "[profile.default.tls]\nclient_key_path = \"a\"\n"
                                 "client_key_data = \"b\"",
                         .environment = Variables{}}),
                HasSubstr("both as a path and as data"));
    EXPECT_THAT(
        refusal(text_source("", {{"TEMPORAL_TLS_SERVER_CA_CERT_PATH", "/does/not/exist.pem"}})),
        AllOf(HasSubstr("/does/not/exist.pem"), HasSubstr("cannot be read")));
}

TEST_F(ProfileFileTest, FileIsTheNamedOneElseThatOfTheUser) {
    const std::string named = write("named.toml", "[profile.default]\naddress = \"named:1\"");
    const std::string other = write("other.toml", "[profile.default]\naddress = \"other:2\"");
    write("temporalio/temporal.toml", "[profile.default]\naddress = \"users:3\"");
    Variables variables = {{"XDG_CONFIG_HOME", directory_}};
    EXPECT_EQ(load_client_options({.environment = variables}).address, "users:3");
    variables["TEMPORAL_CONFIG_FILE"] = other;
    EXPECT_EQ(load_client_options({.environment = variables}).address, "other:2");
    EXPECT_EQ(load_client_options({.file = named, .environment = variables}).address, "named:1");
    EXPECT_THAT(refusal({.file = named, .toml = "", .environment = variables}),
                HasSubstr("at once"));
}

TEST_F(ProfileFileTest, MissingFileHasNoProfilesAndABrokenOneIsNamed) {
    const std::string missing = directory_ / "missing.toml";
    EXPECT_EQ(load_client_options({.file = missing, .environment = Variables{}}).address,
              "127.0.0.1:7233");
    EXPECT_THAT(refusal({.file = missing, .profile = "cloud", .environment = Variables{}}),
                AllOf(HasSubstr("missing.toml"), HasSubstr("cloud")));
    const std::string broken = write("broken.toml", "[profile.default\n");
    EXPECT_THAT(refusal({.file = broken, .environment = Variables{}}),
                AllOf(HasSubstr("broken.toml"), HasSubstr("line 1")));
}

TEST_F(ProfileFileTest, PathOfAVariableTakesThePlaceOfTheFilesData) {
    const std::string certificate = write("client.pem", "the certificate");
    const std::string key = write("client.key", "the key");
    const TlsOptions tls =
        load_client_options(text_source("mutual", {{"TEMPORAL_TLS_CLIENT_CERT_PATH", certificate},
                                                   {"TEMPORAL_TLS_CLIENT_KEY_PATH", key}}))
            .tls;
    EXPECT_EQ(tls.client_certificate, "the certificate");
    EXPECT_EQ(tls.client_key, "the key");
    EXPECT_EQ(tls.root_certificates, "authority");
    EXPECT_THAT(
        refusal(text_source("mutual", {{"TEMPORAL_TLS_CLIENT_KEY_PATH", write("empty.key", "")}})),
        HasSubstr("is empty"));
}

TEST(ProfileTest, ProcessVariablesAreReadWhenNoneAreGiven) {
    ASSERT_EQ(setenv("TEMPORAL_GRPC_META_FOR_THIS_TEST", "seen", 1), 0);
    const ClientOptions options = load_client_options({.toml = ""});
    ASSERT_EQ(unsetenv("TEMPORAL_GRPC_META_FOR_THIS_TEST"), 0);
    EXPECT_EQ(options.metadata.at("for-this-test"), "seen");
}

}  // namespace
}  // namespace stele
