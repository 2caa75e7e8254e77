#include <gtest/gtest.h>

#include "frontend/tokens.h"

#include <string>

namespace stele::frontend {
namespace {

const TokenSigner& signer() {
    static const TokenSigner kSigner("0123456789abcdef0123456789abcdef");
    return kSigner;
}

wire::TaskToken task_token() {
    wire::TaskToken token;
    token.set_kind(wire::TaskToken::KIND_WORKFLOW_TASK);
    token.set_namespace_id("namespace-id");
    token.set_workflow_id("workflow");
    token.set_run_id("run");
    token.set_scheduled_event_id(2);
    token.set_attempt(1);
    return token;
}

TEST(TokenSigner, OpensWhatItSigned) {
    const auto opened = signer().open_task(signer().sign(task_token()));
    ASSERT_TRUE(opened.ok()) << message_of(opened.status());
    EXPECT_EQ(opened->SerializeAsString(), task_token().SerializeAsString());
}

TEST(TokenSigner, EveryFlippedBitOfATokenIsRefused) {
    const std::string token = signer().sign(task_token());
    for (std::size_t i = 0; i < token.size(); ++i) {
        for (int bit = 0; bit < 8; ++bit) {
            std::string forged = token;
            forged[i] = static_cast<char>(forged[i] ^ (1 << bit));
            EXPECT_FALSE(signer().open_task(forged).ok()) << "byte " << i << ", bit " << bit;
        }
    }
}

TEST(TokenSigner, EveryTruncatedTokenIsRefused) {
    const std::string token = signer().sign(task_token());
    for (std::size_t size = 1; size < token.size(); ++size) {
        const auto opened = signer().open_task(token.substr(0, size));
        ASSERT_FALSE(opened.ok()) << "cut to " << size;
        EXPECT_EQ(message_of(opened.status()), "Error deserializing task token.");
    }
}

TEST(TokenSigner, LengthenedTokenIsRefused) {
    EXPECT_FALSE(signer().open_task(signer().sign(task_token()) + '\0').ok());
}

TEST(TokenSigner, TokenUnderAnotherKeyIsRefused) {
    const TokenSigner stranger("fedcba9876543210fedcba9876543210");
    EXPECT_FALSE(signer().open_task(stranger.sign(task_token())).ok());
}

TEST(TokenSigner, UnsignedTokenIsRefused) {
    EXPECT_FALSE(signer().open_task(task_token().SerializeAsString()).ok());
}

TEST(TokenSigner, TokensOfOnePurposeDoNotPassForAnother) {
    // The same bytes in all three, so that only the purpose differs.
    const std::string task = signer().sign(wire::TaskToken());
    const std::string page = signer().sign(wire::PageToken());
    const std::string list = signer().sign(wire::ListToken());
    EXPECT_TRUE(signer().open_task(task).ok());
    EXPECT_TRUE(signer().open_page(page).ok());
    EXPECT_TRUE(signer().open_list(list).ok());
    for (const std::string& other : {page, list}) EXPECT_FALSE(signer().open_task(other).ok());
    for (const std::string& other : {task, list}) EXPECT_FALSE(signer().open_page(other).ok());
    for (const std::string& other : {task, page}) EXPECT_FALSE(signer().open_list(other).ok());
}

TEST(TokenSigner, RefusalsAreInTheWordsThatSdksKnow) {
    EXPECT_EQ(message_of(signer().open_task("junk").status()), "Error deserializing task token.");
    EXPECT_EQ(message_of(signer().open_page("junk").status()), "Invalid NextPageToken.");
    EXPECT_EQ(message_of(signer().open_list("junk").status()), "Invalid NextPageToken.");
    EXPECT_EQ(signer().open_task("junk").status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(signer().open_page("junk").status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace stele::frontend
