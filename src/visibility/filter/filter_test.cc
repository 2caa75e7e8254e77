#include "visibility/filter/filter.h"

#include "visibility/attribute_names.h"
#include "visibility/filter/evaluate.h"
#include "visibility/filter/operand.h"
#include "visibility/filter/sql.h"
#include "visibility/index_schema.h"

#include <gtest/gtest.h>

#include <map>

namespace stele::visibility::filter {
namespace {

namespace enums = temporal::api::enums::v1;

history::SearchAttributeSchema make_schema() {
    google::protobuf::Map<std::string, std::int32_t> custom;
    custom["Customer"] = enums::INDEXED_VALUE_TYPE_KEYWORD;
    custom["odd name"] = enums::INDEXED_VALUE_TYPE_KEYWORD;
    custom["Tags"] = enums::INDEXED_VALUE_TYPE_KEYWORD_LIST;
    custom["Note"] = enums::INDEXED_VALUE_TYPE_TEXT;
    custom["Total"] = enums::INDEXED_VALUE_TYPE_INT;
    custom["Price"] = enums::INDEXED_VALUE_TYPE_DOUBLE;
    custom["Paid"] = enums::INDEXED_VALUE_TYPE_BOOL;
    custom["Due"] = enums::INDEXED_VALUE_TYPE_DATETIME;
    return {"space", custom};
}

class FilterTest : public ::testing::Test {
protected:
    absl::StatusOr<Filter> read(const std::string& text) { return parse_run_filter(text, schema_); }
    std::string error(const std::string& text) {
        const auto parsed = read(text);
        return parsed.ok() ? "no error" : message_of(parsed.status());
    }
    /// Whether a run with these values is wanted.
    bool wants(const std::string& text, std::map<std::string, std::vector<Value>> values) {
        const auto parsed = read(text);
        EXPECT_TRUE(parsed.ok()) << message_of(parsed.status());
        if (!parsed.ok()) return false;
        return matches(*parsed, [&](const Attribute& attribute) { return values[attribute.name]; });
    }

    history::SearchAttributeSchema schema_ = make_schema();
};

TEST_F(FilterTest, EmptyTextWantsEverything) {
    EXPECT_TRUE(wants("", {}));
    EXPECT_TRUE(wants("  \n", {}));
}

TEST_F(FilterTest, AndBindsStrongerThanOrAndNotStrongest) {
    const std::string text = "Total = 1 OR Total = 2 AND NOT Customer = 'a'";
    EXPECT_TRUE(wants(text, {{"Total", {std::int64_t{1}}}, {"Customer", {"a"}}}));
    EXPECT_FALSE(wants(text, {{"Total", {std::int64_t{2}}}, {"Customer", {"a"}}}));
    EXPECT_TRUE(wants(text, {{"Total", {std::int64_t{2}}}, {"Customer", {"b"}}}));
    EXPECT_FALSE(wants("(Total = 1 OR Total = 2) AND Customer = 'b'",
                       {{"Total", {std::int64_t{1}}}, {"Customer", {"a"}}}));
}

TEST_F(FilterTest, KeywordsMayBeWrittenInAnyCase) {
    EXPECT_TRUE(wants("Customer in ('a', 'b') aNd nOt Total is NULL",
                      {{"Customer", {"b"}}, {"Total", {std::int64_t{1}}}}));
}

TEST_F(FilterTest, ComparesWhatEachTypeAllows) {
    EXPECT_TRUE(wants("Total >= 2 AND Total < 3", {{"Total", {std::int64_t{2}}}}));
    EXPECT_TRUE(wants("Total > -3", {{"Total", {std::int64_t{-2}}}}));
    EXPECT_TRUE(wants("Total < 2.5", {{"Total", {std::int64_t{2}}}}));
    EXPECT_TRUE(wants("Price = 2", {{"Price", {2.0}}}));
    EXPECT_TRUE(wants("Price = 1e2", {{"Price", {100.0}}}));
    EXPECT_TRUE(wants("Paid = true", {{"Paid", {true}}}));
    EXPECT_TRUE(wants("Customer >= 'b'", {{"Customer", {"bb"}}}));
    EXPECT_TRUE(wants("Customer STARTS_WITH 'ab'", {{"Customer", {"abc"}}}));
    EXPECT_TRUE(wants("Customer NOT STARTS_WITH 'ab'", {{"Customer", {"xabc"}}}));
    EXPECT_TRUE(wants("Total BETWEEN 1 AND 3", {{"Total", {std::int64_t{3}}}}));
    EXPECT_FALSE(wants("Total NOT BETWEEN 1 AND 3", {{"Total", {std::int64_t{3}}}}));
    EXPECT_TRUE(wants("Customer BETWEEN 'a' AND 'c'", {{"Customer", {"b"}}}));
}

TEST_F(FilterTest, ListsAreComparedByMembership) {
    const std::vector<Value> tags = {"red", "blue"};
    EXPECT_TRUE(wants("Tags = 'red'", {{"Tags", tags}}));
    EXPECT_FALSE(wants("Tags != 'red'", {{"Tags", tags}}));
    EXPECT_TRUE(wants("Tags != 'green'", {{"Tags", tags}}));
    EXPECT_TRUE(wants("Tags IN ('green', 'blue')", {{"Tags", tags}}));
    EXPECT_TRUE(wants("Tags NOT IN ('green')", {}));
}

TEST_F(FilterTest, TextMatchesAnyWordWithoutRegardToCase) {
    EXPECT_TRUE(wants("Note = 'MATTERS else'", {{"Note", {"Nothing else matters"}}}));
    EXPECT_FALSE(wants("Note = 'noth'", {{"Note", {"Nothing else matters"}}}));
    EXPECT_TRUE(wants("Note != 'love'", {{"Note", {"Nothing else matters"}}}));
}

TEST_F(FilterTest, MissingValueMatchesOnlyTheNullTest) {
    EXPECT_TRUE(wants("Total IS NULL", {}));
    EXPECT_FALSE(wants("Total IS NOT NULL", {}));
    for (const char* text : {"Total = 1", "Total != 1", "NOT Total = 1", "Total < 1",
                             "Total NOT IN (1)", "NOT (Total BETWEEN 1 AND 2)"}) {
        EXPECT_FALSE(wants(text, {})) << text;
    }
}

TEST_F(FilterTest, NegationReachesIntoParentheses) {
    const std::string text = "NOT (Total = 1 AND (Customer = 'a' OR Paid = true))";
    EXPECT_FALSE(
        wants(text, {{"Total", {std::int64_t{1}}}, {"Customer", {"a"}}, {"Paid", {false}}}));
    EXPECT_TRUE(
        wants(text, {{"Total", {std::int64_t{1}}}, {"Customer", {"b"}}, {"Paid", {false}}}));
    EXPECT_TRUE(wants(text, {{"Total", {std::int64_t{2}}}, {"Customer", {"a"}}, {"Paid", {true}}}));
}

TEST_F(FilterTest, TimesAreTextsOrNanoseconds) {
    const Timestamp noon = Timestamp(std::chrono::hours(12));
    EXPECT_TRUE(wants("StartTime = '1970-01-01T12:00:00Z'", {{"StartTime", {noon}}}));
    EXPECT_TRUE(wants("StartTime = '1970-01-01T13:00:00.000+01:00'", {{"StartTime", {noon}}}));
    EXPECT_TRUE(wants("StartTime = 43200000000000", {{"StartTime", {noon}}}));
    EXPECT_EQ(error("StartTime > 'yesterday'"),
              "invalid query: invalid expression: unable to parse datetime 'yesterday'");
}

TEST_F(FilterTest, StatusIsANameOrANumber) {
    for (const char* text : {"ExecutionStatus = 'Running'", "ExecutionStatus = 1",
                             "ExecutionStatus = 'WORKFLOW_EXECUTION_STATUS_RUNNING'"}) {
        EXPECT_TRUE(wants(text, {{"ExecutionStatus", {std::int64_t{1}}}})) << text;
    }
    EXPECT_EQ(error("ExecutionStatus = 'Asleep'"),
              "invalid query: invalid expression: invalid ExecutionStatus value 'Asleep'");
}

TEST_F(FilterTest, DurationsAreReadInThreeWays) {
    constexpr std::int64_t kMinute = 60'000'000'000;
    EXPECT_EQ(parse_duration("1h30m"), 90 * kMinute);
    EXPECT_EQ(parse_duration("2d"), 2 * 24 * 60 * kMinute);
    EXPECT_EQ(parse_duration("01:30:00"), 90 * kMinute);
    EXPECT_EQ(parse_duration("1.5h"), 90 * kMinute);
    EXPECT_EQ(parse_duration("-1m"), -kMinute);
    EXPECT_EQ(parse_duration("5000"), 5000);
    for (const char* text : {"", "h", "1x", "1:2", "1:99:00", "1h-2m", "1e400h"}) {
        EXPECT_EQ(parse_duration(text), std::nullopt) << text;
    }
}

TEST_F(FilterTest, NamesAreQuotedPrefixedOrStandForOthers) {
    EXPECT_TRUE(wants("`odd name` = 'x'", {{"odd name", {"x"}}}));
    EXPECT_TRUE(wants("ScheduledById = 'x'", {{"TemporalScheduledById", {"x"}}}));
    EXPECT_TRUE(wants("TemporalWorkflowType = 'x'", {{"WorkflowType", {"x"}}}));
    EXPECT_TRUE(wants("ScheduleId = 'x'", {{"WorkflowId", {"x"}}}));
    EXPECT_TRUE(wants("TemporalScheduleId = 'x'", {{"WorkflowId", {"x"}}}));
}

TEST_F(FilterTest, StringsKeepWhatIsQuotedInThem) {
    EXPECT_TRUE(wants("Customer = 'it''s'", {{"Customer", {"it's"}}}));
    EXPECT_TRUE(wants(R"(Customer = "a\"b")", {{"Customer", {"a\"b"}}}));
    EXPECT_TRUE(wants("Customer = ''", {{"Customer", {""}}}));
}

TEST_F(FilterTest, WhatIsWrongIsNamed) {
    EXPECT_EQ(error("Nope = 1"), "invalid query: invalid search attribute: Nope");
    EXPECT_EQ(error("Total = 'x'"),
              "invalid query: invalid expression: invalid value type for search attribute Total of "
              "type Int: \"x\" (type: string)");
    EXPECT_EQ(error("Tags STARTS_WITH 'x'"),
              "invalid query: operation is not supported: operator 'STARTS_WITH' not supported for "
              "KeywordList type search attribute 'Tags'");
    EXPECT_EQ(error("Note > 'x'"),
              "invalid query: operation is not supported: operator '>' not supported for Text type "
              "search attribute 'Note'");
    EXPECT_EQ(
        error("Customer = other"),
        "invalid query: operation is not supported: column name on the right side of comparison "
        "expression (did you forget to quote \"other\"?)");
    EXPECT_EQ(error("Total = 1 LIMIT 3"),
              "invalid query: operation is not supported: 'LIMIT' clause");
    EXPECT_EQ(error("Total = 1 ORDER BY Total"),
              "invalid query: operation is not supported: 'ORDER BY' clause");
    EXPECT_EQ(error("GROUP BY WorkflowType"),
              "invalid query: operation is not supported: 'GROUP BY' clause is not supported for "
              "search attribute WorkflowType");
    EXPECT_EQ(error("GROUP BY ExecutionStatus, WorkflowType"),
              "invalid query: operation is not supported: 'GROUP BY' clause supports only a single "
              "field");
    EXPECT_EQ(error("Customer"), "invalid query: invalid expression: incomplete expression");
    EXPECT_EQ(error("Note = ' '"),
              "invalid query: invalid expression: no tokens found filtering on Text type search "
              "attribute Note");
    EXPECT_EQ(error("Paid BETWEEN true AND true"),
              "invalid query: invalid expression: cannot do range condition on search attribute "
              "'Paid' of type Bool");
}

TEST_F(FilterTest, SyntaxErrorsSayWhere) {
    for (const char* text : {"Total =", "Total = 1 AND", "(Total = 1", "Total = 1)", "Total = 'x",
                             "Total ! 1", "Total = 1 Total = 2", "Total IN 1", "Total IS 1", "& 1",
                             "NOT", "Total BETWEEN 1", "Total = -", "GROUP", "Total NOT 1"}) {
        EXPECT_TRUE(
            error(text).starts_with("invalid query: malformed SQL query: syntax error at "
                                    "position "))
            << text << ": " << error(text);
    }
}

TEST_F(FilterTest, LimitsHold) {
    const std::string deep(10'000, '(');
    EXPECT_TRUE(error(deep + "Total = 1").find("nested deeper") != std::string::npos);
    std::string nots;
    for (int i = 0; i < 10'000; ++i) nots += "NOT ";
    EXPECT_TRUE(error(nots + "Total = 1").find("nested deeper") != std::string::npos);
    std::string many = "Total IN (0";
    for (int i = 0; i < 20'000; ++i) many += ",1";
    EXPECT_TRUE(error(many + ")").find("more than 10000 values") != std::string::npos);
    EXPECT_TRUE(error(std::string(70'000, ' ')).find("longer than") != std::string::npos);
}

TEST_F(FilterTest, EveryOperatorHasItsOpposite) {
    for (int i = 0; i <= static_cast<int>(Operator::kIsNotNull); ++i) {
        const auto op = static_cast<Operator>(i);
        EXPECT_NE(opposite(op), op);
        EXPECT_EQ(opposite(opposite(op)), op);
    }
    EXPECT_EQ(opposite(Operator::kLess), Operator::kGreaterEqual);
    EXPECT_EQ(opposite(Operator::kLessEqual), Operator::kGreater);
}

TEST_F(FilterTest, ValuesNeverBecomePartOfTheSql) {
    const auto parsed =
        read("WorkflowId = 'x'' OR 1=1 --' AND Customer IN (\"'; DROP TABLE runs\")");
    ASSERT_TRUE(parsed.ok()) << message_of(parsed.status());
    const Layout layout{column_of, [](const Attribute&) { return std::int64_t{7}; }};
    const Sql sql = print(*parsed->where, layout);
    EXPECT_EQ(sql.text,
              "(workflow_id = ? AND run IN (SELECT run FROM attribute WHERE name = ? AND value IN "
              "(?)))");
    ASSERT_EQ(sql.parameters.size(), 3);
    EXPECT_EQ(std::get<std::string>(sql.parameters[0]), "x' OR 1=1 --");
    EXPECT_EQ(std::get<std::int64_t>(sql.parameters[1]), 7);
}

TEST_F(FilterTest, DivisionIsMentionedByConditionsAndGroups) {
    EXPECT_TRUE(mentions(*read("TemporalNamespaceDivision IS NULL"), "TemporalNamespaceDivision"));
    EXPECT_TRUE(
        mentions(*read("NOT (Total = 1 OR NamespaceDivision = 'x')"), "TemporalNamespaceDivision"));
    EXPECT_TRUE(mentions(*read("GROUP BY TemporalNamespaceDivision"), "TemporalNamespaceDivision"));
    EXPECT_FALSE(mentions(*read("Total = 1"), "TemporalNamespaceDivision"));
}

}  // namespace
}  // namespace stele::visibility::filter
