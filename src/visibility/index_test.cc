#include "visibility/index.h"

#include "base/time.h"
#include "visibility/attribute_names.h"
#include "visibility/filter/evaluate.h"
#include "visibility/run_info.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <sstream>

namespace stele::visibility {
namespace {

namespace enums = temporal::api::enums::v1;
using filter::Value;
using testing::HasSubstr;
using testing::Not;

constexpr char kSpace[] = "space-id";

history::SearchAttributeSchema make_schema() {
    google::protobuf::Map<std::string, std::int32_t> custom;
    custom["Customer"] = enums::INDEXED_VALUE_TYPE_KEYWORD;
    custom["Tags"] = enums::INDEXED_VALUE_TYPE_KEYWORD_LIST;
    custom["Note"] = enums::INDEXED_VALUE_TYPE_TEXT;
    custom["Total"] = enums::INDEXED_VALUE_TYPE_INT;
    custom["Price"] = enums::INDEXED_VALUE_TYPE_DOUBLE;
    custom["Paid"] = enums::INDEXED_VALUE_TYPE_BOOL;
    custom["Due"] = enums::INDEXED_VALUE_TYPE_DATETIME;
    return {"space", custom};
}

/// The rows of one run.
struct Rows {
    storage::InfoRow info;
    storage::HeaderRow header;
    storage::AttributesRow attributes;

    explicit Rows(int number) {
        info.set_namespace_id(kSpace);
        info.set_workflow_id("workflow-" + std::to_string(number));
        info.set_run_id("run-" + std::to_string(number));
        info.set_workflow_type("type");
        info.set_task_queue("queue");
        info.mutable_start_time()->set_seconds(number);
        *header.mutable_execution_time() = info.start_time();
        header.set_status(enums::WORKFLOW_EXECUTION_STATUS_RUNNING);
        header.set_next_event_id(number + 1);
        info.mutable_root()->set_workflow_id(info.workflow_id());
        info.mutable_root()->set_run_id(info.run_id());
    }
    Rows& close(enums::WorkflowExecutionStatus status, int seconds) {
        header.set_status(status);
        header.mutable_close_time()->set_seconds(seconds);
        return *this;
    }
    Rows& set(const std::string& name, const std::string& json) {
        auto& payload = (*attributes.mutable_search_attributes()->mutable_indexed_fields())[name];
        (*payload.mutable_metadata())["encoding"] = "json/plain";
        payload.set_data(json);
        return *this;
    }
};

class IndexTest : public ::testing::Test {
protected:
    void SetUp() override { open(std::nullopt); }

    void open(const std::optional<std::string>& path, const std::string& store = "store") {
        index_.reset();
        auto opened = Index::open(path, store);
        ASSERT_TRUE(opened.ok()) << message_of(opened.status());
        index_ = *std::move(opened);
    }
    void put(int number, const Rows& rows) {
        ASSERT_TRUE(index_->begin().ok());
        const absl::Status status =
            index_->put({0, RunKey(number)}, rows.info, rows.header, rows.attributes, &schema_);
        ASSERT_TRUE(status.ok()) << message_of(status);
        ASSERT_TRUE(index_->commit({{0, number}}, true).ok());
    }
    void put_all(int first, int last) {
        ASSERT_TRUE(index_->begin().ok());
        for (int number = first; number <= last; ++number) {
            const Rows rows(number);
            ASSERT_TRUE(
                index_->put({0, RunKey(number)}, rows.info, rows.header, rows.attributes, &schema_)
                    .ok());
        }
        ASSERT_TRUE(index_->commit({{0, last}}, true).ok());
    }
    std::string plan_of(const std::string& text) {
        return index_->plan_of({kSpace, *parse_run_filter(text, schema_), 100, std::nullopt})
            .value();
    }
    absl::StatusOr<ListPage> list(const std::string& text, std::int64_t size = 1000,
                                  std::optional<PageKey> after = std::nullopt) {
        STELE_ASSIGN_OR_RETURN(filter::Filter parsed, parse_run_filter(text, schema_));
        return index_->list({kSpace, std::move(parsed), size, std::move(after)});
    }
    std::vector<std::string> names(const absl::StatusOr<ListPage>& page) {
        EXPECT_TRUE(page.ok()) << message_of(page.status());
        std::vector<std::string> found;
        if (!page.ok()) return found;
        for (const std::string& bytes : page->runs) {
            temporal::api::workflow::v1::WorkflowExecutionInfo info;
            EXPECT_TRUE(info.ParseFromString(bytes));
            found.push_back(info.execution().run_id());
        }
        return found;
    }
    std::vector<std::string> find(const std::string& text) { return names(list(text)); }
    std::int64_t count(const std::string& text) {
        const auto counted = index_->count({kSpace, *parse_run_filter(text, schema_)});
        EXPECT_TRUE(counted.ok()) << message_of(counted.status());
        return counted.ok() ? counted->count : -1;
    }

    using Names = std::vector<std::string>;
    history::SearchAttributeSchema schema_ = make_schema();
    std::unique_ptr<Index> index_;
};

TEST_F(IndexTest, OpenRunsComeFirstThenTheLastClosed) {
    put(1, Rows(1).close(enums::WORKFLOW_EXECUTION_STATUS_COMPLETED, 100));
    put(2, Rows(2));
    put(3, Rows(3).close(enums::WORKFLOW_EXECUTION_STATUS_FAILED, 200));
    put(4, Rows(4));
    EXPECT_EQ(find(""), (Names{"run-4", "run-2", "run-3", "run-1"}));
}

TEST_F(IndexTest, PagesGoThroughEverythingOnce) {
    for (int i = 1; i <= 25; ++i) {
        Rows rows(i);
        rows.info.mutable_start_time()->set_seconds(i / 4);  // several at the same time
        if (i % 3 == 0) rows.close(enums::WORKFLOW_EXECUTION_STATUS_COMPLETED, i / 6);
        put(i, rows);
    }
    const Names all = find("");
    Names paged;
    std::optional<PageKey> after;
    do {
        const auto page = list("", 4, after);
        const Names part = names(page);
        paged.insert(paged.end(), part.begin(), part.end());
        after = page->next;
    } while (after);
    EXPECT_EQ(all.size(), 25);
    EXPECT_EQ(paged, all);
}

TEST_F(IndexTest, AListByWorkflowIdDoesNotLookAtAllRuns) {
    put(1, Rows(1));
    for (const char* text : {"WorkflowId = 'workflow-1'", "WorkflowId IN ('workflow-1', 'other')",
                             "WorkflowId = 'workflow-1' AND ExecutionStatus = 'Running'",
                             "WorkflowId STARTS_WITH 'work'"}) {
        EXPECT_THAT(plan_of(text), HasSubstr("INDEX runs_of_workflow")) << text;
    }
    for (const char* text : {"", "ExecutionStatus = 'Running'", "WorkflowType = 'type'"}) {
        EXPECT_THAT(plan_of(text), HasSubstr("INDEX runs_in_order")) << text;
        EXPECT_THAT(plan_of(text), Not(HasSubstr("ORDER BY"))) << text;
    }
}

TEST_F(IndexTest, AListOfClosedRunsDoesNotLookAtOpenOnes) {
    for (const char* text :
         {"ExecutionStatus = 'Completed'", "ExecutionStatus = 'Running'",
          "CloseTime > '2020-01-01T00:00:00Z'", "CloseTime IS NULL",
          "ExecutionStatus IN ('Failed', 'TimedOut') AND WorkflowType = 'type'"}) {
        const std::string plan = plan_of(text);
        EXPECT_THAT(plan, HasSubstr("runs_in_order (space=? AND order_time>? AND order_time<?)"))
            << text;
        EXPECT_THAT(plan, Not(HasSubstr("ORDER BY"))) << text;
    }
}

TEST_F(IndexTest, APrefixOfVeryManyIdsIsFoundInTheOrderOfTheList) {
    constexpr int kMany = 1'100;
    put_all(1, kMany);
    EXPECT_THAT(plan_of("WorkflowId STARTS_WITH 'workflow-'"), HasSubstr("runs_in_order"));
    EXPECT_THAT(plan_of("WorkflowType = 'type' AND WorkflowId STARTS_WITH 'workflow-'"),
                HasSubstr("runs_in_order"));
    EXPECT_THAT(plan_of("WorkflowId STARTS_WITH 'workflow-10'"), HasSubstr("runs_of_workflow"));
    EXPECT_EQ(names(list("WorkflowId STARTS_WITH 'workflow-'", 2 * kMany)).size(), kMany);
    EXPECT_EQ(find("WorkflowId STARTS_WITH 'workflow-110'"), (Names{"run-1100", "run-110"}));
}

TEST_F(IndexTest, ChangedRunIsFoundByItsNewValuesOnly) {
    put(1, Rows(1).set("Customer", R"("old")"));
    put(1, Rows(1).set("Customer", R"("new")"));
    EXPECT_EQ(find("Customer = 'old'"), Names{});
    EXPECT_EQ(find("Customer = 'new'"), (Names{"run-1"}));
}

TEST_F(IndexTest, ErasedRunIsGone) {
    put(1, Rows(1).set("Customer", R"("a")"));
    ASSERT_TRUE(index_->begin().ok());
    ASSERT_TRUE(index_->erase({0, RunKey(1)}).ok());
    ASSERT_TRUE(index_->commit({}, true).ok());
    EXPECT_EQ(count(""), 0);
    EXPECT_EQ(count("Customer = 'a'"), 0);
}

TEST_F(IndexTest, RolledBackChangeLeavesNoTrace) {
    ASSERT_TRUE(index_->begin().ok());
    const Rows rows = Rows(1).set("Customer", R"("a")");
    ASSERT_TRUE(
        index_->put({0, RunKey(1)}, rows.info, rows.header, rows.attributes, &schema_).ok());
    index_->roll_back();
    EXPECT_EQ(count(""), 0);
    put(1, rows);
    EXPECT_EQ(count("Customer = 'a'"), 1);
}

TEST_F(IndexTest, DivisionsAreHiddenUnlessMentioned) {
    put(1, Rows(1));
    put(2, Rows(2).set("TemporalNamespaceDivision", R"("batch")"));
    EXPECT_EQ(find(""), (Names{"run-1"}));
    EXPECT_EQ(find("TemporalNamespaceDivision = 'batch'"), (Names{"run-2"}));
    const auto counted =
        index_->count({kSpace, *parse_run_filter("GROUP BY TemporalNamespaceDivision", schema_)});
    ASSERT_TRUE(counted.ok());
    ASSERT_EQ(counted->groups.size(), 2);
    EXPECT_EQ(counted->groups[0].value, "");
    EXPECT_EQ(counted->groups[1].value, "batch");
    EXPECT_EQ(counted->count, 2);
}

TEST_F(IndexTest, GroupsAreCountedByStatus) {
    put(1, Rows(1));
    put(2, Rows(2).close(enums::WORKFLOW_EXECUTION_STATUS_TERMINATED, 9));
    put(3, Rows(3));
    const auto counted =
        index_->count({kSpace, *parse_run_filter("GROUP BY ExecutionStatus", schema_)});
    ASSERT_TRUE(counted.ok());
    ASSERT_EQ(counted->groups.size(), 2);
    EXPECT_EQ(counted->groups[0].value, "Running");
    EXPECT_EQ(counted->groups[0].count, 2);
    EXPECT_EQ(counted->groups[1].value, "Terminated");
}

TEST_F(IndexTest, NamespacesAreKeptApart) {
    Rows other(1);
    other.info.set_namespace_id("other");
    put(1, other);
    EXPECT_EQ(count(""), 0);
}

TEST_F(IndexTest, FileKeepsRunsAndProgressAndBelongsToItsStore) {
    const std::string path =
        (std::filesystem::path(::testing::TempDir()) / "visibility-test.sqlite").string();
    std::filesystem::remove(path);
    open(path);
    put(1, Rows(1));
    open(path);
    EXPECT_TRUE(index_->is_complete());
    EXPECT_EQ(index_->progress().at(0), 1);
    EXPECT_EQ(find(""), (Names{"run-1"}));
    open(path, "another store");
    EXPECT_FALSE(index_->is_complete());
    EXPECT_EQ(find(""), Names{});
    index_.reset();
    std::ofstream(path, std::ios::trunc) << std::string(10'000, 'x');
    open(path);
    EXPECT_FALSE(index_->is_complete());
    std::filesystem::remove(path);
}

std::string read_index(const std::string& path) {
    std::ostringstream bytes;
    bytes << std::ifstream(path, std::ios::binary).rdbuf();
    return bytes.str();
}

TEST_F(IndexTest, NoByteOfTheFileCanBeDamagedUnseen) {
    const std::string path =
        (std::filesystem::path(::testing::TempDir()) / "damaged-index.sqlite").string();
    const auto remove_all = [&path] {
        for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path + suffix);
    };
    remove_all();
    open(path);
    put_all(1, 100);
    const Names all = find("");
    index_.reset();  // closing takes everything into the file
    const std::string whole = read_index(path);
    ASSERT_GT(whole.size(), 10 * 4096U);
    int seen = 0;
    constexpr std::size_t kStep = 509;  // so that all pages and all parts of pages have their turn
    for (std::size_t offset = 0; offset < whole.size(); offset += kStep) {
        std::string damaged = whole;
        damaged[offset] = static_cast<char>(~damaged[offset]);
        remove_all();
        std::ofstream(path, std::ios::binary) << damaged;
        open(path);
        if (!index_->is_complete()) {
            ++seen;  // and made empty, to be filled from the store
            continue;
        }
        const auto page = list("");
        if (page.ok()) {
            EXPECT_EQ(names(page), all) << "byte " << offset;
        } else {
            ++seen;
            EXPECT_EQ(page.status().code(), absl::StatusCode::kDataLoss);
            EXPECT_THAT(message_of(page.status()), HasSubstr(path));
        }
    }
    EXPECT_GT(seen, 5);
    index_.reset();
    remove_all();
}

// ---- The same question to SQLite and to the evaluator -------------------------------------------

class RandomQueries {
public:
    explicit RandomQueries(std::uint64_t seed) : random_(seed) {}

    std::string condition(int depth) {
        if (depth > 0 && chance(2)) {
            switch (pick(3)) {
                case 0: return "(" + condition(depth - 1) + " AND " + condition(depth - 1) + ")";
                case 1: return "(" + condition(depth - 1) + " OR " + condition(depth - 1) + ")";
                default: return "NOT (" + condition(depth - 1) + ")";
            }
        }
        return comparison();
    }

    Rows rows(int number) {
        Rows rows(number);
        rows.info.set_workflow_type(word());
        if (chance(2)) {
            rows.close(static_cast<enums::WorkflowExecutionStatus>(2 + pick(6)), number + pick(5));
        }
        if (chance(10)) rows.header.set_status(enums::WORKFLOW_EXECUTION_STATUS_PAUSED);
        if (chance(3)) rows.info.mutable_parent()->set_workflow_id(word());
        if (chance(2)) rows.set("Customer", "\"" + word() + "\"");
        if (chance(2)) rows.set("Tags", "[\"" + word() + "\",\"" + word() + "\"]");
        if (chance(2)) rows.set("Note", "\"" + word() + " - " + word() + "\"");
        if (chance(2)) rows.set("Total", number_text());
        if (chance(2)) rows.set("Price", number_text() + ".5");
        if (chance(2)) rows.set("Paid", chance(2) ? "true" : "false");
        if (chance(2)) rows.set("Due", "\"1970-01-01T00:00:0" + std::to_string(pick(4)) + "Z\"");
        return rows;
    }

private:
    int pick(int count) { return static_cast<int>(random_() % static_cast<unsigned>(count)); }
    bool chance(int one_in) { return pick(one_in) == 0; }
    std::string word() {
        static const std::vector<std::string> words = {"a", "ab", "abc", "b", "B", "", "zz"};
        return words[static_cast<std::size_t>(pick(static_cast<int>(words.size())))];
    }
    std::string number_text() { return std::to_string(pick(5) - 2); }

    std::string comparison() {
        static const std::vector<std::string> orders = {"=", "!=", "<", "<=", ">", ">="};
        const std::string& order = orders[static_cast<std::size_t>(pick(6))];
        const std::string equality = orders[static_cast<std::size_t>(pick(2))];
        const std::string is_not = chance(2) ? "NOT " : "";
        const auto text = [&] { return "'" + word() + "'"; };
        const auto some_word = [&] { return "'x" + word() + "'"; };
        const std::string texts[] = {"Customer", "WorkflowType", "ParentWorkflowId"};
        const std::string numbers[] = {"Total", "Price", "HistoryLength"};
        const std::string anything[] = {"Customer", "Tags", "Note",      "Total",
                                        "Price",    "Paid", "CloseTime", "ParentWorkflowId"};
        const std::string statuses[] = {"'Running'", "'Paused'", "'Completed'", "'Failed'"};
        const auto time = [&] {
            return "'1970-01-01T00:00:" + std::to_string(10 + pick(50)) + "Z'";
        };
        switch (pick(16)) {
            case 12: return "ExecutionStatus " + equality + " " + statuses[pick(4)];
            case 13:
                return "ExecutionStatus " + is_not + "IN (" + statuses[pick(4)] + ", " +
                       statuses[pick(4)] + ")";
            case 14: return "CloseTime " + order + " " + time();
            case 15: return "CloseTime " + is_not + "BETWEEN " + time() + " AND " + time();
            case 0: return texts[pick(3)] + " " + order + " " + text();
            case 1: return texts[pick(3)] + " " + is_not + "STARTS_WITH " + text();
            case 2: return texts[pick(3)] + " " + is_not + "IN (" + text() + ", " + text() + ")";
            case 3: return texts[pick(3)] + " " + is_not + "BETWEEN " + text() + " AND " + text();
            case 4:
                return numbers[pick(3)] + " " + order + " " + number_text() +
                       (chance(2) ? ".5" : "");
            case 5:
                return numbers[pick(3)] + " " + is_not + "BETWEEN " + number_text() + " AND 1.5";
            case 6: return "Tags " + equality + " " + text();
            case 7: return "Tags " + is_not + "IN (" + text() + ", " + text() + ")";
            case 8: return "Note " + equality + " " + (chance(2) ? some_word() : "'b - AB'");
            case 9: return "Paid " + equality + " true";
            case 10: return "Due " + order + " '1970-01-01T00:00:02Z'";
            default: return anything[pick(8)] + " IS " + is_not + "NULL";
        }
    }

    std::mt19937_64 random_;
};

/// What the evaluator is told of a run.
std::vector<Value> values_of(const Rows& rows, const history::SearchAttributeSchema& schema,
                             const filter::Attribute& attribute) {
    const storage::HeaderRow& header = rows.header;
    const bool closed = !is_open_status(header.status());
    if (attribute.name == "WorkflowType") return {rows.info.workflow_type()};
    if (attribute.name == "ParentWorkflowId") {
        if (rows.info.parent().workflow_id().empty()) return {};
        return {rows.info.parent().workflow_id()};
    }
    if (attribute.name == "HistoryLength") {
        return closed ? std::vector<Value>{header.next_event_id() - 1} : std::vector<Value>{};
    }
    if (attribute.name == "ExecutionStatus") return {std::int64_t{header.status()}};
    if (attribute.name == "CloseTime") {
        return closed ? std::vector<Value>{from_proto(header.close_time())} : std::vector<Value>{};
    }
    const auto& fields = rows.attributes.search_attributes().indexed_fields();
    const auto found = fields.find(attribute.name);
    if (found == fields.end()) return {};
    return *history::decode_attribute(found->second, *schema.settable(attribute.name));
}

TEST_F(IndexTest, SqlFindsWhatTheEvaluatorFinds) {
    constexpr int kRuns = 60;
    constexpr int kQueries = 4000;
    RandomQueries random(20'261'127);
    std::vector<Rows> runs;
    for (int i = 0; i < kRuns; ++i) {
        runs.push_back(random.rows(i + 1));
        put(i + 1, runs.back());
    }
    int found_something = 0;
    for (int i = 0; i < kQueries; ++i) {
        const std::string text = random.condition(4);
        const auto parsed = parse_run_filter(text, schema_);
        ASSERT_TRUE(parsed.ok()) << text << ": " << message_of(parsed.status());
        std::set<std::string> expected;
        for (const Rows& rows : runs) {
            const bool wanted = filter::matches(*parsed, [&](const filter::Attribute& attribute) {
                return values_of(rows, schema_, attribute);
            });
            if (wanted) expected.insert(rows.info.run_id());
        }
        const Names found = find(text);
        ASSERT_EQ(std::set<std::string>(found.begin(), found.end()), expected) << text;
        if (!found.empty() && found.size() < kRuns) ++found_something;
    }
    EXPECT_GT(found_something, kQueries / 4);  // else they say nothing
}

}  // namespace
}  // namespace stele::visibility
