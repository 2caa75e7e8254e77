#include "config/dynamic_config.h"
#include "config/yaml.h"

#include <gmock/gmock.h>

namespace stele::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Some settings of every type.
struct Settings {
    bool flag = false;
    std::int32_t count = 3;
    std::size_t bytes = 100;
    double rate = 0.5;
    Duration wait = std::chrono::seconds(1);
    std::string name = "none";
    std::vector<std::string> names;
};

const Fields<Settings>& fields() {
    static const Fields<Settings> all = {
        {"test.flag", &Settings::flag},    {"test.count", &Settings::count},
        {"limit.Bytes", &Settings::bytes}, {"test.rate", &Settings::rate},
        {"test.wait", &Settings::wait},    {"test.name", &Settings::name},
        {"test.names", &Settings::names},
    };
    return all;
}

Registry registry() {
    Registry registry;
    registry.add(fields());
    registry.add_without_effect("internal.tuning");
    return registry;
}

Settings read(const std::string& yaml, const Scope& scope = {}) {
    const auto parsed = parse_yaml(registry(), "file", yaml);
    EXPECT_TRUE(parsed.ok()) << message_of(parsed.status());
    return resolve(fields(), parsed->values, scope, Settings());
}

std::string error_of(const std::string& yaml) {
    return message_of(parse_yaml(registry(), "file", yaml).status());
}

TEST(DynamicConfig, AFileSetsFieldsOfEveryType) {
    const Settings settings = read(R"(
test.flag:
  - value: true
test.count:
  - value: -7
limit.bytes:
  - value: 2097152
test.rate:
  - value: 2.5
test.wait:
  - value: 1h30m
test.name:
  - value: "12"
test.names:
  - value: [a, b]
)");
    EXPECT_TRUE(settings.flag);
    EXPECT_EQ(settings.count, -7);
    EXPECT_EQ(settings.bytes, 2097152u);
    EXPECT_EQ(settings.rate, 2.5);
    EXPECT_EQ(settings.wait, std::chrono::minutes(90));
    EXPECT_EQ(settings.name, "12");
    EXPECT_THAT(settings.names, ElementsAre("a", "b"));
}

TEST(DynamicConfig, WhatIsNotSetKeepsItsDefault) {
    EXPECT_EQ(read("").count, 3);
    EXPECT_EQ(read("test.flag:\n  - value: true\n").wait, std::chrono::seconds(1));
}

TEST(DynamicConfig, KeysAreTheSameInEveryCase) {
    EXPECT_EQ(read("LIMIT.BYTES:\n  - value: 5\n").bytes, 5u);
}

TEST(DynamicConfig, TheClosestConstraintWins) {
    const std::string yaml = R"(
test.count:
  - value: 1
  - value: 2
    constraints: {namespace: n}
  - value: 3
    constraints: {namespace: n, taskQueueName: q}
  - value: 4
    constraints: {namespace: n, taskQueueName: q, taskQueueType: Activity}
  - value: 5
    constraints: {taskQueueName: other}
)";
    EXPECT_EQ(read(yaml).count, 1);
    EXPECT_EQ(read(yaml, {"m", {}, 0, {}}).count, 1);
    EXPECT_EQ(read(yaml, {"n", {}, 0, {}}).count, 2);
    EXPECT_EQ(read(yaml, {"n", "q", 1, {}}).count, 3);
    EXPECT_EQ(read(yaml, {"n", "q", 2, {}}).count, 4);
    EXPECT_EQ(read(yaml, {"n", "r", 2, {}}).count, 2);
    EXPECT_EQ(read(yaml, {"n", "other", 1, {}}).count, 5);
}

TEST(DynamicConfig, OfTwoThatMatchAlikeTheLaterWins) {
    EXPECT_EQ(read("test.count:\n  - value: 1\n  - value: 2\n").count, 2);
}

TEST(DynamicConfig, DurationsAreSecondsUnlessTheySayOtherwise) {
    const auto wait = [](const std::string& text) {
        return read("test.wait:\n  - value: " + text + "\n").wait;
    };
    EXPECT_EQ(wait("15"), std::chrono::seconds(15));
    EXPECT_EQ(wait("\"15\""), std::chrono::seconds(15));
    EXPECT_EQ(wait("0.5"), std::chrono::milliseconds(500));
    EXPECT_EQ(wait("250ms"), std::chrono::milliseconds(250));
    EXPECT_EQ(wait("1m30.5s"), std::chrono::milliseconds(90'500));
    EXPECT_EQ(wait("2d"), std::chrono::hours(48));
    EXPECT_EQ(wait("-3s"), std::chrono::seconds(-3));
}

TEST(DynamicConfig, AnUnknownKeyIsTakenWithAWarning) {
    const auto parsed = parse_yaml(registry(), "file", "\nnobody.knows:\n  - value: 1\n");
    ASSERT_TRUE(parsed.ok());
    EXPECT_THAT(parsed->warnings, ElementsAre(HasSubstr("file:2: nobody.knows")));
    EXPECT_TRUE(
        parse_yaml(registry(), "file", "internal.tuning:\n  - value: 1\n")->warnings.empty());
}

TEST(DynamicConfig, AValueThatDoesNotFitIsRefusedWithItsLineAndKey) {
    EXPECT_EQ(error_of("\ntest.wait:\n  - value: soon\n"),
              "file:3: test.wait: \"soon\" is not a duration such as \"30s\" or \"1h30m\"");
    EXPECT_EQ(error_of("limit.bytes:\n  - value: -1\n"),
              "file:2: limit.bytes: -1 is not a whole number of 0 or more");
    EXPECT_THAT(error_of("test.flag:\n  - value: 1\n"), HasSubstr("true or false"));
    EXPECT_THAT(error_of("test.count:\n  - value: 1.5\n"), HasSubstr("whole number"));
    EXPECT_THAT(error_of("test.wait:\n  - value: 5 lightyears\n"), HasSubstr("duration"));
}

TEST(DynamicConfig, AFileOfAnotherShapeIsRefusedWithItsLine) {
    EXPECT_THAT(error_of("test.flag: true\n"), HasSubstr("file:1: test.flag: expected a list"));
    EXPECT_THAT(error_of("test.flag:\n  - constraints: {}\n"), HasSubstr("the value is missing"));
    EXPECT_THAT(error_of("test.flag:\n  - value: true\n    constraint: {}\n"),
                HasSubstr("file:3: test.flag: unknown field constraint"));
    EXPECT_THAT(error_of("test.flag:\n  - value: true\n    constraints: {shard: 3}\n"),
                HasSubstr("unknown constraint shard"));
    EXPECT_THAT(error_of("a: [\n"), HasSubstr("file:2"));
}

TEST(DynamicConfig, AnAnchorInsideOfItselfIsRefused) {
    EXPECT_EQ(error_of("test.names:\n  - value: &a [x, *a]\n"),
              "file:2: test.names: nested deeper than 32 levels");
}

TEST(DynamicConfig, AliasesThatMultiplyAreRefused) {
    std::string yaml = "some.key:\n  - value: &a0 [1, 1]\n";
    for (int i = 1; i < 30; ++i) {
        const std::string before = "*a" + std::to_string(i - 1);
        yaml += "  - value: &a" + std::to_string(i) + " [" + before + ", " + before + "]\n";
    }
    EXPECT_THAT(error_of(yaml), HasSubstr("some.key: the file has over 100000 values"));
}

TEST(DynamicConfig, AValueThatIsNotUtf8IsRefusedAsAnyOther) {
    const auto parsed = parse_assignments(registry(), {"test.count=\xff"});
    EXPECT_THAT(message_of(parsed.status()), HasSubstr("is not a whole number"));
}

TEST(DynamicConfig, AnAssignmentIsJsonOrText) {
    const auto set = [](const std::string& text) {
        const auto parsed = parse_assignments(registry(), {text});
        EXPECT_TRUE(parsed.ok()) << message_of(parsed.status());
        return resolve(fields(), parsed->values, {}, Settings());
    };
    EXPECT_EQ(set("test.count=9").count, 9);
    EXPECT_EQ(set("test.wait=\"10s\"").wait, std::chrono::seconds(10));
    EXPECT_EQ(set("test.wait=10s").wait, std::chrono::seconds(10));
    EXPECT_FALSE(parse_assignments(registry(), {"test.count"}).ok());
    EXPECT_THAT(message_of(parse_assignments(registry(), {"test.count=many"}).status()),
                HasSubstr("test.count: \"many\" is not a whole number"));
}

TEST(DynamicConfig, OfTwoAssignmentsToOneKeyTheLaterCounts) {
    const auto parsed =
        parse_assignments(registry(), {"test.count=9", "TEST.count=10", "no.such=1"});
    ASSERT_TRUE(parsed.ok()) << message_of(parsed.status());
    EXPECT_EQ(resolve(fields(), parsed->values, {}, Settings()).count, 10);
    EXPECT_THAT(parsed->warnings, ElementsAre(HasSubstr("no.such")));
}

class Overrides : public testing::Test {
protected:
    std::int32_t count(const std::string& space) {
        return resolve(fields(), *config_.values(), {space, {}, 0, {}}, Settings()).count;
    }
    std::uint64_t put(const std::string& space, int value) {
        return config_.override_key("TEST.count", {{{space, {}, 0, {}}, value}}).value();
    }

    DynamicConfig config_{registry()};
};

TEST_F(Overrides, HoldOnceTheyArePutAndEndWhenTheyAreTakenBack) {
    const std::uint64_t first = put("n", 10);
    EXPECT_EQ(count("n"), 10);
    EXPECT_EQ(count("m"), 3);
    const std::uint64_t second = put("n", 20);
    EXPECT_EQ(count("n"), 20);
    EXPECT_TRUE(config_.take_back(first));
    EXPECT_EQ(count("n"), 20);
    EXPECT_TRUE(config_.take_back(second));
    EXPECT_EQ(count("n"), 3);
    EXPECT_FALSE(config_.take_back(second));
}

TEST_F(Overrides, StandOverTheFileAndTheCommandLine) {
    const auto layer = [](int value) {
        Values values;
        values.add("test.count", {{{}, value}});
        return values;
    };
    config_.set_command_line(layer(2));
    config_.set_file(layer(1));
    EXPECT_EQ(count("n"), 2);
    put("", 5);
    EXPECT_EQ(count("n"), 5);
}

TEST_F(Overrides, TellWhoAskedBeforeTheyReturn) {
    int told = 0;
    config_.on_change([&] { told += count("n"); });
    const std::uint64_t version = config_.version();
    const std::uint64_t number = put("n", 10);
    EXPECT_EQ(told, 10);
    EXPECT_GT(config_.version(), version);
    config_.take_back(number);
    EXPECT_EQ(told, 13);
}

TEST_F(Overrides, OfAnUnknownKeyOrAValueThatDoesNotFitChangeNothing) {
    EXPECT_EQ(config_.override_key("nobody.knows", {{{}, 1}}).status().code(),
              absl::StatusCode::kNotFound);
    EXPECT_EQ(config_.override_key("test.count", {{{}, "many"}}).status().code(),
              absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(config_.version(), 0u);
}

}  // namespace
}  // namespace stele::config
