#include "history/rule_condition.h"

#include <gtest/gtest.h>

namespace stele::history {
namespace {

std::optional<RuleValue> field(std::string_view name) {
    if (name == "Type") return RuleValue(std::string("charge-card"));
    if (name == "Attempts") return RuleValue(std::int64_t{3});
    if (name == "Started") return RuleValue(Timestamp(std::chrono::seconds(1'000)));
    if (name == "Nothing") return RuleValue();
    return std::nullopt;
}

bool holds(std::string_view condition) {
    const auto result = evaluate_condition(condition, field);
    EXPECT_TRUE(result.ok()) << condition << ": " << result.status();
    return result.ok() && *result;
}
bool is_refused(std::string_view condition) {
    return evaluate_condition(condition, field).status().code() ==
           absl::StatusCode::kInvalidArgument;
}

TEST(RuleCondition, ComparesTexts) {
    EXPECT_TRUE(holds("Type = 'charge-card'"));
    EXPECT_TRUE(holds("Type = \"charge-card\""));
    EXPECT_TRUE(holds("Type != 'other'"));
    EXPECT_TRUE(holds("Type STARTS_WITH 'charge'"));
    EXPECT_TRUE(holds("Type not starts_with 'card'"));
    EXPECT_TRUE(holds("Type contains '-'"));
    EXPECT_FALSE(holds("Type = 'other'"));
}

TEST(RuleCondition, ComparesNumbersAndTimes) {
    EXPECT_TRUE(holds("Attempts > 2"));
    EXPECT_TRUE(holds("Attempts <= 3"));
    EXPECT_FALSE(holds("Attempts != 3"));
    EXPECT_TRUE(holds("Attempts BETWEEN 1 AND 3"));
    EXPECT_TRUE(holds("Attempts NOT BETWEEN 4 AND 9"));
    EXPECT_TRUE(holds("Started > '1970-01-01T00:00:00Z'"));
    EXPECT_FALSE(holds("Started > '2026-01-01T00:00:00Z'"));
}

TEST(RuleCondition, AndBindsTighterThanOr) {
    EXPECT_TRUE(holds("Attempts = 3 OR Attempts = 4 AND Type = 'other'"));
    EXPECT_FALSE(holds("(Attempts = 3 OR Attempts = 4) AND Type = 'other'"));
    EXPECT_TRUE(holds("WHERE Attempts = 3 and Type = 'charge-card'"));
}

TEST(RuleCondition, NothingCompares) {
    EXPECT_FALSE(holds("Nothing = 'x'"));
    EXPECT_FALSE(holds("Nothing != 'x'"));
}

TEST(RuleCondition, WhatCanNotBeReadIsRefused) {
    for (const char* bad : {"", "Type", "Type =", "Type = 'open", "Unknown = 1", "Attempts = 'x'",
                            "Attempts contains 3", "Type = charge", "Type = 'a' Type = 'b'",
                            "(Attempts = 3", "Attempts = 3)", "Attempts ; 3", "= 3"}) {
        EXPECT_TRUE(is_refused(bad)) << bad;
    }
    EXPECT_TRUE(is_refused(std::string(1'000, '(') + "Attempts = 3" + std::string(1'000, ')')));
}

}  // namespace
}  // namespace stele::history
