#include <gtest/gtest.h>

#include <google/protobuf/util/json_util.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "sdk/replay/golden_testing.h"
#include "stele/testing.h"
#include "temporal/api/history/v1/message.pb.h"

// Lives the workflows of golden_testing.h and checks that what they leave replays. With
// STELE_RECORD_GOLDEN=1 it writes the histories that tests/sdk/golden does not have yet.
namespace stele::golden {
namespace {

class GoldenTest : public ::testing::Test {
protected:
    GoldenTest() {
        register_recorded(worker_);
        worker_.register_activity<charge>().register_activity<refund>().register_activity<waits>();
        worker_.start();
    }
    ~GoldenTest() override { worker_.stop(); }

    StartOptions as(const std::string& id) const { return {.id = id, .task_queue = "queue"}; }

    template <class Handle>
    void keep(const std::string& step, const Handle& handle) {
        const auto history = handle.fetch_history();
        Replayer replayer;
        register_recorded(replayer);
        EXPECT_EQ(replayer.replay(history).error, "") << step;
        const std::filesystem::path path = std::string(kDirectory) + "/" + step + ".json";
        if (std::getenv("STELE_RECORD_GOLDEN") == nullptr || std::filesystem::exists(path)) return;
        std::string json;
        google::protobuf::util::JsonPrintOptions options;
        options.add_whitespace = true;
        ASSERT_TRUE(google::protobuf::util::MessageToJsonString(history, &json, options).ok());
        std::filesystem::create_directories(path.parent_path());
        std::ofstream(path) << json;
    }
    template <auto Fn>
    void live(const std::string& step) {
        auto handle = client_.start<Fn>(as(step));
        (void)handle.result();
        keep(step, handle);
    }

    testing::Environment environment_{
        {.search_attributes = {{"Customer", "Keyword"}}, .client = {.identity = "recorder"}}};
    Client client_ = environment_.client();
    Worker worker_{client_, "queue"};
};

TEST_F(GoldenTest, StepsThatEndByThemselves) {
    live<activity_step>("activity_step");
    live<timer_step>("timer_step");
    live<timer_cancel_step>("timer_cancel_step");
    live<activity_cancel_step>("activity_cancel_step");
    live<child_step>("child_step");
    live<local_activity_step>("local_activity_step");
    live<patch_step>("patch_step");
    live<attributes_step>("attributes_step");
    live<memo_step>("memo_step");
}

TEST_F(GoldenTest, StepsTowardsOtherWorkflows) {
    auto target = client_.start<target_workflow>(as("target"));
    live<signal_step>("signal_step");
    live<cancel_step>("cancel_step");
    EXPECT_THROW((void)target.result(), WorkflowFailedError);
}

TEST_F(GoldenTest, EndsOfAllKinds) {
    auto continued = client_.start<continue_step>(as("continue_step"), 1);
    EXPECT_EQ(continued.result(), 0);
    keep("continue_step", client_.handle<continue_step>("continue_step", continued.first_run_id()));
    auto failing = client_.start<failure_step>(as("failure_step"));
    EXPECT_THROW((void)failing.result(), WorkflowFailedError);
    keep("failure_step", failing);
    auto cancelled = client_.start<cancelled_step>(as("cancelled_step"));
    environment_.sleep(1s);
    cancelled.cancel();
    EXPECT_THROW((void)cancelled.result(), WorkflowFailedError);
    keep("cancelled_step", cancelled);
}

TEST_F(GoldenTest, Updates) {
    auto handle = client_.start<&UpdateStep::run>(as("update_step"));
    EXPECT_EQ(handle.execute_update<&UpdateStep::add>(3), 3);
    EXPECT_EQ(handle.result(), 3);
    keep("update_step", handle);
}

}  // namespace
}  // namespace stele::golden
