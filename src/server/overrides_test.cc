#include "server/overrides.h"

#include "env/posix/posix_env.h"
#include "server/settings.h"

#include <gtest/gtest.h>
#include <httplib.h>

#include <memory>
#include <string>

namespace stele::server {
namespace {

class OverridesTest : public testing::Test {
protected:
    OverridesTest() {
        auto started = OverridesEndpoint::start(*env_, config_, 0);
        EXPECT_TRUE(started.ok()) << message_of(started.status());
        endpoint_ = *std::move(started);
        client_ = std::make_unique<httplib::Client>("127.0.0.1", endpoint_->port());
    }

    httplib::Result put(const std::string& body) {
        return client_->Post("/overrides", body, "application/json");
    }
    std::size_t blob_bytes(const std::string& space) {
        return settings_of(config_, space, {}).limits.blob_bytes;
    }

    std::unique_ptr<env::Env> env_ = env::make_posix_env();
    config::DynamicConfig config_{known_settings()};
    std::unique_ptr<OverridesEndpoint> endpoint_;
    std::unique_ptr<httplib::Client> client_;
};

TEST_F(OverridesTest, HoldFromTheAnswerUntilTheyAreTakenBack) {
    const auto answer = put(R"({"key": "limit.blobsize.error",
                                "values": [{"namespace": "n", "value": 10}]})");
    ASSERT_EQ(answer->status, 200);
    EXPECT_EQ(blob_bytes("n"), 10u);
    EXPECT_EQ(blob_bytes("m"), history::Limits().blob_bytes);
    const std::string number = answer->body.substr(0, answer->body.find('\n'));
    EXPECT_EQ(client_->Delete("/overrides/" + number)->status, 200);
    EXPECT_EQ(blob_bytes("n"), history::Limits().blob_bytes);
    EXPECT_EQ(client_->Delete("/overrides/" + number)->status, 404);
}

TEST_F(OverridesTest, OfAnUnknownKeyAreNotFound) {
    EXPECT_EQ(put(R"({"key": "nobody.knows", "values": [{"value": 1}]})")->status, 404);
}

TEST_F(OverridesTest, ThatMakeNoSenseAreRefusedWithAReason) {
    const auto wrong = put(R"({"key": "limit.blobsize.error", "values": [{"value": "many"}]})");
    EXPECT_EQ(wrong->status, 400);
    EXPECT_NE(wrong->body.find("limit.blobsize.error"), std::string::npos);
    EXPECT_EQ(put("no json")->status, 400);
    EXPECT_EQ(put(R"({"key": "limit.blobsize.error"})")->status, 400);
    EXPECT_EQ(put(R"({"key": "limit.blobsize.error", "values": [{}]})")->status, 400);
    EXPECT_EQ(put(R"({"key": "limit.blobsize.error", "values": [{"value": 1, "shard": 2}]})")->status,
              400);
}

}  // namespace
}  // namespace stele::server
