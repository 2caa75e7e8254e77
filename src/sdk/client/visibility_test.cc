#include <gtest/gtest.h>

#include "sdk/client/describe.h"
#include "sdk/runtime/single_thread_testing.h"
#include "stele/client.h"
#include "temporal/api/history/v1/message.pb.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

// Lists, histories and descriptions, without a server.
namespace stele {
namespace {

using namespace std::chrono_literals;
namespace api = temporal::api::workflowservice::v1;

/// Hands out `pages` of workflows named by numbers, the second of them empty, and of histories.
class Pages final : public Transport {
public:
    std::shared_ptr<Call> call(std::string_view method,
                               std::shared_ptr<const google::protobuf::Message> request,
                               std::shared_ptr<google::protobuf::Message> reply, const CallOptions&,
                               Callback done) override {
        ++calls;
        if (method.ends_with("/ListWorkflowExecutions"))
            list(static_cast<const api::ListWorkflowExecutionsRequest&>(*request),
                 static_cast<api::ListWorkflowExecutionsResponse&>(*reply));
        else if (method.ends_with("/GetWorkflowExecutionHistory"))
            read(static_cast<const api::GetWorkflowExecutionHistoryRequest&>(*request),
                 static_cast<api::GetWorkflowExecutionHistoryResponse&>(*reply));
        else if (method.ends_with("/CountWorkflowExecutions"))
            count(static_cast<api::CountWorkflowExecutionsResponse&>(*reply));
        done({});
        return nullptr;
    }

    int calls = 0;
    std::string query;

private:
    static int next(const std::string& token) { return token.empty() ? 0 : std::stoi(token); }

    void list(const api::ListWorkflowExecutionsRequest& request,
              api::ListWorkflowExecutionsResponse& reply) {
        query = request.query();
        const int page = next(request.next_page_token());
        if (page != 1)
            for (int i = 0; i < 2; ++i)
                reply.add_executions()->mutable_execution()->set_workflow_id(
                    std::to_string(10 * page + i));
        if (page < 2) reply.set_next_page_token(std::to_string(page + 1));
    }
    static void read(const api::GetWorkflowExecutionHistoryRequest& request,
                     api::GetWorkflowExecutionHistoryResponse& reply) {
        const int page = next(request.next_page_token());
        reply.mutable_history()->add_events()->set_event_id(page + 1);
        if (page < 2) reply.set_next_page_token(std::to_string(page + 1));
    }
    static void count(api::CountWorkflowExecutionsResponse& reply) {
        reply.set_count(5);
        auto& group = *reply.add_groups();
        group.set_count(3);
        *group.add_group_values() = encode_value(std::string("Running"));
    }
};

class VisibilityTest : public ::testing::Test {
protected:
    std::shared_ptr<Pages> pages_ = std::make_shared<Pages>();
    Client client_ =
        Client::connect({.lazy = true,
                         .runtime = std::make_shared<testing::SingleThreadRuntime>(),
                         .transport = pages_});
};

TEST_F(VisibilityTest, ListIsReadPageByPageAsTheLoopComesToIt) {
    std::vector<std::string> seen;
    for (const auto& found : client_.list({.query = "WorkflowType = 'w'"})) {
        seen.push_back(found.workflow_id);
        if (seen.size() == 2) {
            EXPECT_EQ(pages_->calls, 1);
        }
    }
    EXPECT_EQ(seen, (std::vector<std::string>{"0", "1", "20", "21"}));
    EXPECT_EQ(pages_->calls, 3);
    EXPECT_EQ(pages_->query, "WorkflowType = 'w'");
}

TEST_F(VisibilityTest, LoopThatStopsEarlyFetchesNoMore) {
    for (const auto& found : client_.list()) {
        EXPECT_EQ(found.workflow_id, "0");
        break;
    }
    EXPECT_EQ(pages_->calls, 1);
}

TEST_F(VisibilityTest, EachLoopStartsAnew) {
    const auto range = client_.list();
    EXPECT_EQ(range.to_vector().size(), 4u);
    EXPECT_EQ(range.to_vector().size(), 4u);
}

TEST_F(VisibilityTest, HistoryIsARangeAndAMessage) {
    std::int64_t last = 0;
    for (const auto& event : client_.handle("w").history()) {
        EXPECT_EQ(event.event_id(), last + 1);
        last = event.event_id();
    }
    EXPECT_EQ(last, 3);
    EXPECT_EQ(client_.handle("w").fetch_history().events_size(), 3);
}

TEST_F(VisibilityTest, CountsComeInGroups) {
    const WorkflowCount count = client_.count("GROUP BY ExecutionStatus");
    EXPECT_EQ(count.count, 5);
    ASSERT_EQ(count.groups.size(), 1u);
    EXPECT_EQ(count.groups[0].count, 3);
    EXPECT_EQ(decode_value<std::string>(count.groups[0].values.at(0)), "Running");
}

TEST(DescriptionTest, TellsWhatARunIsAt) {
    api::DescribeWorkflowExecutionResponse reply;
    auto& info = *reply.mutable_workflow_execution_info();
    info.mutable_execution()->set_workflow_id("w");
    info.mutable_parent_execution()->set_workflow_id("parent");
    info.set_status(temporal::api::enums::v1::WORKFLOW_EXECUTION_STATUS_RUNNING);
    *reply.mutable_execution_config()->mutable_user_metadata()->mutable_summary() =
        encode_value(std::string("in short"));
    auto& activity = *reply.add_pending_activities();
    activity.set_activity_id("1");
    activity.set_attempt(3);
    activity.set_state(temporal::api::enums::v1::PENDING_ACTIVITY_STATE_STARTED);
    activity.mutable_last_failure()->set_message("broken");
    activity.mutable_last_failure()->mutable_application_failure_info();
    reply.add_pending_children()->set_workflow_id("child");
    const WorkflowDescription description = sdk::read_description(reply);
    EXPECT_EQ(description.workflow_id, "w");
    EXPECT_EQ(description.parent_workflow_id, "parent");
    EXPECT_EQ(description.status, WorkflowStatus::kRunning);
    EXPECT_FALSE(description.close_time);
    EXPECT_EQ(description.static_summary, "in short");
    ASSERT_EQ(description.pending_activities.size(), 1u);
    EXPECT_EQ(description.pending_activities[0].attempt, 3);
    EXPECT_EQ(description.pending_activities[0].state, PendingActivityState::kStarted);
    EXPECT_EQ(description.pending_activities[0].last_failure->message(), "broken");
    EXPECT_EQ(description.pending_children.at(0).workflow_id, "child");
}

TEST(SearchAttributeTest, KeysWriteAndReadTheirType) {
    const auto customer = search_attribute_key::keyword("Customer");
    const auto amount = search_attribute_key::integer("Amount");
    const auto due = search_attribute_key::datetime("Due");
    const auto tags = search_attribute_key::keyword_list("Tags");
    const search_attribute::Time time{1'700'000'000s};
    const PayloadFields fields = {customer.of("ada"), amount.of(7), due.of(time),
                                  tags.of({"a", "b"})};
    EXPECT_EQ(fields.at("Customer").metadata().at("type"), "Keyword");
    EXPECT_EQ(fields.at("Amount").metadata().at("type"), "Int");
    EXPECT_EQ(customer.in(fields), "ada");
    EXPECT_EQ(amount.in(fields), 7);
    EXPECT_EQ(due.in(fields), time);
    EXPECT_EQ(tags.in(fields), (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(search_attribute_key::text("Other").in(fields), std::nullopt);
    EXPECT_EQ(customer.in({customer.removed()}), std::nullopt);
    EXPECT_EQ(tags.in({{"Tags", search_attribute::keyword("one")}}),
              std::vector<std::string>{"one"});
    EXPECT_THROW((void)amount.in({{"Amount", search_attribute::keyword("x")}}),
                 DataConversionError);
}

TEST(SearchAttributeTest, TimeBeyondNanosecondsIsTheLastThatThereIs) {
    const auto due = search_attribute_key::datetime("Due");
    const auto stored = [](const char* text) {
        Payload payload = search_attribute::keyword(text);
        (*payload.mutable_metadata())["type"] = "Datetime";
        return PayloadFields{{"Due", payload}};
    };
    EXPECT_EQ(due.in(stored("9999-12-31T23:59:59Z")), search_attribute::Time::max());
    EXPECT_EQ(due.in(stored("0001-01-01T00:00:00Z")), search_attribute::Time::min());
}

}  // namespace
}  // namespace stele
