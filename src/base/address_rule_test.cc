#include "base/address_rule.h"

#include <gtest/gtest.h>

namespace stele {
namespace {

TEST(AddressRule, StarsStandForAnything) {
    EXPECT_TRUE(matches_pattern("a.example:80", "*"));
    EXPECT_TRUE(matches_pattern("a.example:80", "a.*:80"));
    EXPECT_TRUE(matches_pattern("a.b.c.example", "a.*.example"));
    EXPECT_TRUE(matches_pattern("aab", "*ab"));
    EXPECT_FALSE(matches_pattern("a.example:80", "a.*:81"));
    EXPECT_FALSE(matches_pattern("a.example", "a.exampl"));
    EXPECT_FALSE(matches_pattern("", "a"));
    EXPECT_TRUE(matches_pattern("", "**"));
}

TEST(AddressRule, NothingIsAllowedUnlessARuleSaysSo) {
    EXPECT_EQ(message_of(check_address("https://a.example/x", {})),
              "invalid url: url does not match any configured callback address: "
              "https://a.example/x");
    EXPECT_TRUE(check_address("https://a.example/x", {{"a.example", false}}).ok());
    EXPECT_FALSE(check_address("https://b.example/a.example", {{"a.example", false}}).ok());
}

TEST(AddressRule, TheFirstRuleThatNamesTheHostDecides) {
    const AddressRules rules = {{"a.example", false}, {"*", true}};
    EXPECT_EQ(message_of(check_address("http://a.example", rules)),
              "invalid url: callback address does not allow insecure connections: "
              "http://a.example");
    EXPECT_TRUE(check_address("http://b.example", rules).ok());
}

TEST(AddressRule, AUserInFrontOfTheHostDoesNotDisguiseIt) {
    EXPECT_FALSE(check_address("https://a.example@evil.example/", {{"a.example*", false}}).ok());
}

TEST(AddressRule, OnlyTheWebIsCalled) {
    const AddressRules all = {{"*", true}};
    EXPECT_EQ(message_of(check_address("ftp://a.example", all)),
              "invalid url: unknown scheme: ftp://a.example");
    EXPECT_EQ(message_of(check_address("http:///path", all)), "invalid url: missing host");
    EXPECT_FALSE(check_address("a.example", all).ok());
}

}  // namespace
}  // namespace stele
