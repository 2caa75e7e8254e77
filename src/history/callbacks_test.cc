#include "history/attach.h"
#include "history/callback_family.h"
#include "history/scenario_testing.h"

#include <gtest/gtest.h>

namespace stele::history::testing {
namespace {

namespace enums = api::enums::v1;
using std::chrono::hours;
using std::chrono::seconds;
using storage::CallbackRow;

api::common::v1::Callback callback(const std::string& url) {
    api::common::v1::Callback result;
    result.mutable_nexus()->set_url(url);
    return result;
}

class CallbacksTest : public ::testing::Test {
protected:
    void start(const std::function<void(StartInput&)>& change = {}) {
        scenario_.start([&](StartInput& input) {
            *input.request.add_completion_callbacks() = callback("https://first");
            if (change) change(input);
        });
    }
    absl::StatusOr<Applied<None>> attach(const std::string& request_id, const std::string& url) {
        AttachInput input;
        input.request_id = request_id;
        input.callbacks = {callback(url)};
        return attach_to_run(scenario_.run(), input, scenario_.context());
    }
    const CallbackRow& row(std::size_t index = 0) const {
        auto found = scenario_.run().callbacks.rows().begin();
        std::advance(found, static_cast<std::ptrdiff_t>(index));
        return found->second;
    }
    std::size_t sent() const {
        std::size_t count = 0;
        for (const storage::OutboxRow& entry : scenario_.outbox()) {
            count += entry.kind() == storage::OutboxRow::KIND_CALLBACK ? 1U : 0U;
        }
        return count;
    }
    void answer(const absl::Status& status) {
        scenario_.apply(
            record_callback(scenario_.run(), row().item(), status, scenario_.context()));
    }

    Scenario scenario_;
};

TEST_F(CallbacksTest, StandByUntilTheRunCloses) {
    start();
    EXPECT_EQ(row().state(), CallbackRow::STATE_STANDBY);
    scenario_.run_task({});
    EXPECT_EQ(sent(), 0U);
    scenario_.signal("s");
    scenario_.run_task({complete_workflow()});
    EXPECT_EQ(row().state(), CallbackRow::STATE_SCHEDULED);
    EXPECT_EQ(row().outcome_event_id(), scenario_.last_event());
    EXPECT_EQ(sent(), 1U);
}

TEST_F(CallbacksTest, ALaterStartAttachesItsOwnByAnEvent) {
    start();
    scenario_.apply(attach("second", "https://second"));
    const HistoryEvent& event = scenario_.history().events(2);
    EXPECT_EQ(event.workflow_execution_options_updated_event_attributes()
                  .attached_completion_callbacks_size(),
              1);
    EXPECT_EQ(row(1).callback().nexus().url(), "https://second");
    scenario_.terminate();
    EXPECT_EQ(sent(), 2U);
}

TEST_F(CallbacksTest, AreLimited) {
    scenario_.limits().callbacks_per_run = 1;
    start();
    const auto refused = attach("second", "https://second");
    EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(message_of(refused.status()),
              "cannot attach more than 1 callbacks to a workflow (1 callbacks already attached)");
    EXPECT_EQ(scenario_.last_event(), 2);
}

TEST_F(CallbacksTest, AreTriedAgainEverLaterUntilTaken) {
    start();
    scenario_.terminate();
    answer(absl::UnavailableError("down"));
    EXPECT_EQ(row().state(), CallbackRow::STATE_BACKING_OFF);
    EXPECT_EQ(from_proto(row().next_attempt_time()), scenario_.now() + seconds(1));
    answer(absl::UnavailableError("down"));
    EXPECT_EQ(from_proto(row().next_attempt_time()), scenario_.now() + seconds(2));
    for (int i = 0; i < 20; ++i) answer(absl::UnavailableError("down"));
    EXPECT_EQ(from_proto(row().next_attempt_time()), scenario_.now() + hours(1));
    EXPECT_EQ(row().attempt(), 22);
    answer(absl::OkStatus());
    EXPECT_EQ(row().state(), CallbackRow::STATE_SUCCEEDED);
    EXPECT_FALSE(row().has_last_failure());
    const auto late = record_callback(scenario_.run(), row().item(), absl::UnavailableError("x"),
                                      scenario_.context());
    ASSERT_TRUE(late.ok());
    EXPECT_TRUE(late->transition.empty);
}

TEST_F(CallbacksTest, ARefusalIsForGood) {
    start();
    scenario_.terminate();
    answer(failed_precondition("no"));
    EXPECT_EQ(row().state(), CallbackRow::STATE_FAILED);
    EXPECT_EQ(sent(), 1U);
    const auto described = describe(scenario_.run()).callbacks(0);
    EXPECT_EQ(described.state(), enums::CALLBACK_STATE_FAILED);
    EXPECT_EQ(described.last_attempt_failure().message(), "no");
    EXPECT_TRUE(described.trigger().has_workflow_closed());
}

TEST_F(CallbacksTest, GoOnToTheRunThatTriesAgain) {
    start([](StartInput& input) {
        input.request.mutable_retry_policy()->set_maximum_attempts(2);
        *input.request.mutable_retry_policy()->mutable_initial_interval() = to_proto(seconds(1));
        input.request.mutable_retry_policy()->set_backoff_coefficient(1);
    });
    scenario_.start_task();
    Command fail;
    fail.set_command_type(enums::COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION);
    *fail.mutable_fail_workflow_execution_command_attributes()->mutable_failure() =
        application_failure("boom");
    scenario_.complete_task({fail});
    EXPECT_EQ(sent(), 0U);
    EXPECT_EQ(row().state(), CallbackRow::STATE_STANDBY);
    EXPECT_EQ(standing_by(Draft(scenario_.run())).size(), 1);
}

}  // namespace
}  // namespace stele::history::testing
