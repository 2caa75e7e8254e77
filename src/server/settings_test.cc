#include "server/settings.h"

#include "config/yaml.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace stele::server {
namespace {

using std::chrono::seconds;

/// What the functional tests of the Temporal server set on every server that they run against, as far
/// as clients can see it.
constexpr char kConformanceBase[] = R"(
history.workflowTaskHeartbeatTimeout: [{value: 5s}]
limit.numPendingActivities.error: [{value: 10}]
limit.numPendingChildExecutions.error: [{value: 10}]
limit.numPendingCancelRequests.error: [{value: 10}]
limit.numPendingSignals.error: [{value: 10}]
frontend.namespaceRPS.visibility: [{value: 50}]
frontend.namespaceBurstRatio.visibility: [{value: 1}]
system.forceSearchAttributesCacheRefreshOnRead: [{value: true}]
)";

class SettingsTest : public testing::Test {
protected:
    void use(const std::string& yaml) {
        auto parsed = config::parse_yaml(config_.registry(), "file", yaml);
        ASSERT_TRUE(parsed.ok()) << message_of(parsed.status());
        EXPECT_TRUE(parsed->warnings.empty()) << parsed->warnings.front();
        config_.set_file(std::move(parsed->values));
    }

    config::DynamicConfig config_{known_settings()};
};

TEST_F(SettingsTest, TheBaseOfTheConformanceTestsIsHonoured) {
    use(kConformanceBase);
    const frontend::NamespaceSettings settings = settings_of(config_, "n", {});
    EXPECT_EQ(settings.limits.workflow_task_heartbeat, seconds(5));
    EXPECT_EQ(settings.limits.pending_activities, 10u);
    EXPECT_EQ(settings.limits.pending_children, 10u);
    EXPECT_EQ(settings.limits.pending_cancels, 10u);
    EXPECT_EQ(settings.limits.pending_signals, 10u);
    EXPECT_EQ(settings.calls.visibility_calls_per_second, 50);
}

TEST_F(SettingsTest, ANamespaceHasItsOwnLimits) {
    use("limit.blobSize.error: [{value: 10, constraints: {namespace: small}}]");
    EXPECT_EQ(settings_of(config_, "small", {}).limits.blob_bytes, 10u);
    EXPECT_EQ(settings_of(config_, "other", {}).limits.blob_bytes, history::Limits().blob_bytes);
}

TEST_F(SettingsTest, ATaskQueueHasItsOwnSettingsByType) {
    use("matching.enableFairness: "
        "[{value: true, constraints: {namespace: n, taskQueueName: q, taskQueueType: Activity}}]");
    const auto fair = [&](const std::string& space, const std::string& queue, shard::QueueKind kind) {
        return queue_settings_of(config_, space, {"id", queue, kind}, {}).fairness;
    };
    EXPECT_TRUE(fair("n", "q", shard::QueueKind::kActivity));
    EXPECT_FALSE(fair("n", "q", shard::QueueKind::kWorkflow));
    EXPECT_FALSE(fair("n", "other", shard::QueueKind::kActivity));
    EXPECT_FALSE(fair("m", "q", shard::QueueKind::kActivity));
}

TEST_F(SettingsTest, DefaultsAreThoseOfTheNode) {
    frontend::NamespaceSettings defaults;
    defaults.limits.history_events = 77;
    EXPECT_EQ(settings_of(config_, "n", defaults).limits.history_events, 77u);
    matching::QueueSettings queue;
    queue.partitions = 1;
    EXPECT_EQ(queue_settings_of(config_, "n", {"id", "q"}, queue).system_rate(), 1'000);
}

TEST_F(SettingsTest, EveryKeyIsInTheDocument) {
    std::ifstream file("docs/settings.md");
    ASSERT_TRUE(file);
    const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    const std::string document = config::lower_case(text);
    for (const std::string& key : config_.registry().keys()) {
        EXPECT_NE(document.find("| " + key + " |"), std::string::npos) << key;
    }
}

TEST_F(SettingsTest, AKeyOfThingsThatAreNotHereIsTakenWithoutAWord) {
    use("matching.numTaskqueueWritePartitions: [{value: 4}]");
}

}  // namespace
}  // namespace stele::server
