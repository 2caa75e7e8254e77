#include "history/attach.h"
#include "history/scenario_testing.h"

#include <gtest/gtest.h>

namespace stele::history::testing {
namespace {

namespace enums = api::enums::v1;

AttachInput attachment(const std::string& request_id) {
    AttachInput input;
    input.request_id = request_id;
    input.links.emplace_back().mutable_workflow_event()->set_workflow_id("caller");
    return input;
}

TEST(Attach, LeavesAnEventWithoutAWorkflowTask) {
    Scenario scenario;
    scenario.start();
    scenario.run_task({});
    scenario.apply(attach_to_run(scenario.run(), attachment("second"), scenario.context()));
    const HistoryEvent& event = scenario.history().events(4);
    EXPECT_EQ(event.event_type(), enums::EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED);
    EXPECT_TRUE(event.worker_may_ignore());
    EXPECT_EQ(event.workflow_execution_options_updated_event_attributes().attached_request_id(),
              "second");
    EXPECT_EQ(event.links_size(), 1);
    EXPECT_FALSE(scenario.workflow_task_is_queued());
    EXPECT_TRUE(is_attached(scenario.run(), "second"));
    EXPECT_FALSE(is_attached(scenario.run(), "start-request"));
}

TEST(Attach, TheSameRequestAttachesOnce) {
    Scenario scenario;
    scenario.start();
    scenario.apply(attach_to_run(scenario.run(), attachment("second"), scenario.context()));
    scenario.apply(attach_to_run(scenario.run(), attachment("second"), scenario.context()));
    EXPECT_EQ(scenario.last_event(), 3);
}

TEST(Attach, WaitsBehindAWorkflowTask) {
    Scenario scenario;
    scenario.start();
    scenario.start_task();
    scenario.apply(attach_to_run(scenario.run(), attachment("second"), scenario.context()));
    EXPECT_TRUE(is_attached(scenario.run(), "second"));
    scenario.complete_task({});
    EXPECT_EQ(scenario.history().events(4).event_type(),
              enums::EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED);
}

TEST(Attach, AClosedRunTakesNothing) {
    Scenario scenario;
    scenario.start();
    scenario.terminate();
    EXPECT_EQ(attach_to_run(scenario.run(), attachment("second"), scenario.context())
                  .status()
                  .code(),
              absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace stele::history::testing
