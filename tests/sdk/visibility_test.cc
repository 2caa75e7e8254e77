#include <future>
#include <thread>

#include "temporal/api/operatorservice/v1/request_response.pb.h"
#include "tests/sdk/server_fixture.h"

// Lists, counts, descriptions, and what runs say about themselves.
namespace stele::testing {
namespace {

using namespace std::chrono_literals;
namespace enums = temporal::api::enums::v1;

const auto kCustomer = search_attribute_key::keyword("SdkTestCustomer");
const auto kAmount = search_attribute_key::integer("SdkTestAmount");

int busy_work() {
    (void)activity::sleep_for(300ms);
    return 1;
}

wf::task<int> says_what_it_is() {
    wf::upsert_search_attributes({kAmount.of(7)});
    wf::upsert_memo({{"note", encode_value(std::string("from inside"))}});
    co_return co_await wf::activity<busy_work>(
        {.start_to_close = 10s, .summary = "a piece of work"});
}

class VisibilityTest : public ServerFixture {
protected:
    /// Makes the keys known to the server; it may know them already.
    void add_search_attributes() {
        namespace operators = temporal::api::operatorservice::v1;
        auto request = std::make_shared<operators::AddSearchAttributesRequest>();
        request->set_namespace_("default");
        auto& attributes = *request->mutable_search_attributes();
        attributes[kCustomer.name()] = enums::INDEXED_VALUE_TYPE_KEYWORD;
        attributes[kAmount.name()] = enums::INDEXED_VALUE_TYPE_INT;
        std::promise<void> done;
        client_->core()->options().transport->call(
            "/temporal.api.operatorservice.v1.OperatorService/AddSearchAttributes", request,
            std::make_shared<operators::AddSearchAttributesResponse>(), {},
            [&done](const Transport::Status&) { done.set_value(); });
        done.get_future().wait();
    }

    /// A server may take some seconds to let new attributes be used.
    template <auto Fn>
    auto start_when_attributes_are_known(const StartOptions& options) {
        for (int i = 0;; ++i) {
            try {
                return client_->start<Fn>(options);
            } catch (const RpcError& error) {
                if (error.code() != kRpcInvalidArgument || i == 100) throw;
                std::this_thread::sleep_for(100ms);
            }
        }
    }

    /// Lists follow the truth; waits until this one has come so far.
    std::vector<WorkflowSummary> list_of(std::size_t expected, const std::string& query) {
        std::vector<WorkflowSummary> found;
        for (int i = 0; i < 100; ++i) {
            found = client_->list({.query = query, .page_size = 2}).to_vector();
            if (found.size() >= expected) break;
            std::this_thread::sleep_for(100ms);
        }
        return found;
    }
    std::string on_this_queue() const { return "TaskQueue = '" + queue_ + "'"; }
};

TEST_F(VisibilityTest, ListIsReadInPagesAndCounted) {
    std::vector<UntypedHandle> handles;
    for (int i = 0; i < 5; ++i) handles.push_back(client_->start("never-run", on_queue()));
    const auto found = list_of(5, on_this_queue());
    ASSERT_EQ(found.size(), 5u);
    for (const auto& summary : found) {
        EXPECT_EQ(summary.type, "never-run");
        EXPECT_EQ(summary.status, WorkflowStatus::kRunning);
        EXPECT_FALSE(summary.close_time);
    }
    EXPECT_EQ(client_->count(on_this_queue()).count, 5);
    handles[0].terminate();
    for (int i = 0; i < 100; ++i) {
        if (client_->count(on_this_queue() + " AND ExecutionStatus = 'Running'").count == 4) break;
        std::this_thread::sleep_for(100ms);
    }
    const WorkflowCount groups = client_->count(on_this_queue() + " GROUP BY ExecutionStatus");
    EXPECT_EQ(groups.count, 5);
    std::map<std::string, std::int64_t> by_status;
    for (const auto& group : groups.groups)
        by_status[decode_value<std::string>(group.values.at(0))] = group.count;
    EXPECT_EQ(by_status, (std::map<std::string, std::int64_t>{{"Running", 4}, {"Terminated", 1}}));
    for (auto& handle : handles) try {
            handle.terminate();
        } catch (const NotFoundError&) {
        }
}

TEST_F(VisibilityTest, FilterThatCannotBeReadIsAnError) {
    EXPECT_THROW((void)client_->list({.query = "this is no filter"}).to_vector(), RpcError);
}

TEST_F(VisibilityTest, AttributesMemoAndTextsAreSeenFromOutside) {
    add_search_attributes();
    Worker worker = make_worker();
    worker.register_workflow<says_what_it_is>().register_activity<busy_work>();
    worker.start();
    StartOptions options = on_queue();
    options.memo = {{"origin", encode_value(std::string("test"))}};
    options.search_attributes = {kCustomer.of("ada-" + queue_)};
    options.static_summary = "in short";
    options.static_details = "at length";
    auto handle = start_when_attributes_are_known<says_what_it_is>(options);
    while (handle.describe().pending_activities.empty()) std::this_thread::sleep_for(10ms);
    const WorkflowDescription description = handle.describe();
    EXPECT_EQ(description.static_summary, "in short");
    EXPECT_EQ(description.static_details, "at length");
    EXPECT_EQ(decode_value<std::string>(description.memo.at("origin")), "test");
    EXPECT_EQ(decode_value<std::string>(description.memo.at("note")), "from inside");
    EXPECT_EQ(kCustomer.in(description.search_attributes), "ada-" + queue_);
    EXPECT_EQ(kAmount.in(description.search_attributes), 7);
    EXPECT_EQ(description.pending_activities[0].type, "busy_work");
    EXPECT_EQ(handle.result(), 1);
    const auto found = list_of(1, kCustomer.name() + " = 'ada-" + queue_ + "'");
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(kAmount.in(found[0].search_attributes), 7);
    std::string summary;
    for (const auto& event : handle.history({.page_size = 2}))
        if (event.event_type() == enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED)
            summary = decode_value<std::string>(event.user_metadata().summary());
    EXPECT_EQ(summary, "a piece of work");
}

wf::task<> naps() { co_await wf::sleep(200ms); }

TEST_F(VisibilityTest, HistoryCanBeFollowedToItsEnd) {
    auto handle = client_->start<naps>(on_queue());
    Worker worker = make_worker();
    worker.register_workflow<naps>();
    worker.start();
    std::int64_t last = 0;
    auto last_type = enums::EVENT_TYPE_UNSPECIFIED;
    for (const auto& event : handle.history({.wait = true})) {
        EXPECT_EQ(event.event_id(), last + 1);
        last = event.event_id();
        last_type = event.event_type();
    }
    EXPECT_EQ(last_type, enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED);
    EXPECT_EQ(handle.fetch_history().events_size(), last);
}

}  // namespace
}  // namespace stele::testing
