#include "stele/schedule.h"

#include <gtest/gtest.h>

#include "sdk/client/schedule_message.h"
#include "sdk/runtime/single_thread_testing.h"
#include "stele/deployment.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

// Schedules and worker deployments: what goes over the wire, without a server.
namespace stele {
namespace {

using namespace std::chrono_literals;
namespace api = temporal::api::workflowservice::v1;
namespace enums = temporal::api::enums::v1;
using google::protobuf::Message;

/// Keeps one schedule, and the last request of every method.
class OneSchedule final : public Transport {
public:
    std::shared_ptr<Call> call(std::string_view method, std::shared_ptr<const Message> request,
                               std::shared_ptr<Message> reply, const CallOptions&,
                               Callback done) override {
        const std::string name(method.substr(method.rfind('/') + 1));
        requests[name] = request;
        ++calls[name];
        done(answer(name, *request, *reply));
        return nullptr;
    }

    template <class Request>
    const Request& request(const std::string& name) const {
        return static_cast<const Request&>(*requests.at(name));
    }

    std::map<std::string, std::shared_ptr<const Message>> requests;
    std::map<std::string, int> calls;
    temporal::api::schedule::v1::Schedule schedule;
    temporal::api::common::v1::Memo memo;
    int revision = 0;
    /// Others who change the schedule between a read and a write.
    int rivals = 0;

private:
    Status answer(const std::string& name, const Message& request, Message& reply) {
        if (name == "CreateSchedule") {
            if (revision > 0) return {6, "there is one", {}};
            schedule = static_cast<const api::CreateScheduleRequest&>(request).schedule();
            memo = static_cast<const api::CreateScheduleRequest&>(request).memo();
            ++revision;
        } else if (name == "DescribeSchedule") {
            auto& description = static_cast<api::DescribeScheduleResponse&>(reply);
            *description.mutable_schedule() = schedule;
            *description.mutable_memo() = memo;
            description.mutable_info()->set_action_count(7);
            description.mutable_info()->add_future_action_times()->set_seconds(100);
            description.set_conflict_token(std::to_string(revision));
            if (rivals > 0) --rivals, ++revision;
        } else if (name == "UpdateSchedule") {
            const auto& update = static_cast<const api::UpdateScheduleRequest&>(request);
            if (update.conflict_token() != std::to_string(revision))
                return {9, "somebody was faster", {}};
            schedule = update.schedule();
            ++revision;
        } else if (name == "ListSchedules") {
            auto& entry = *static_cast<api::ListSchedulesResponse&>(reply).add_schedules();
            entry.set_schedule_id("nightly");
            *entry.mutable_memo() = memo;
            entry.mutable_info()->set_paused(true);
        } else if (name == "ListScheduleMatchingTimes") {
            static_cast<api::ListScheduleMatchingTimesResponse&>(reply)
                .add_start_time()
                ->set_seconds(5);
        } else if (name == "DescribeWorkerDeployment") {
            describe(static_cast<api::DescribeWorkerDeploymentResponse&>(reply));
        } else if (name == "SetWorkerDeploymentCurrentVersion") {
            static_cast<api::SetWorkerDeploymentCurrentVersionResponse&>(reply).set_conflict_token(
                "next");
        }
        return {};
    }

    static void describe(api::DescribeWorkerDeploymentResponse& reply) {
        reply.set_conflict_token("now");
        auto& info = *reply.mutable_worker_deployment_info();
        info.set_name("shop");
        auto& current = *info.mutable_routing_config()->mutable_current_deployment_version();
        current.set_deployment_name("shop");
        current.set_build_id("7");
        info.mutable_routing_config()->set_ramping_version_percentage(10);
        auto& version = *info.add_version_summaries();
        version.set_status(enums::WORKER_DEPLOYMENT_VERSION_STATUS_DRAINED);
        version.mutable_deployment_version()->set_build_id("6");
    }
};

/// Notes whose data it gets.
class Owners final : public PayloadCodec {
public:
    explicit Owners(std::vector<std::string>* seen) : seen_(seen) {}
    Payloads encode(Payloads payloads, const SerializationContext& context) const override {
        seen_->push_back("encode " + std::string(context.workflow_id));
        return payloads;
    }
    Payloads decode(Payloads payloads, const SerializationContext& context) const override {
        seen_->push_back("decode " + std::string(context.workflow_id));
        return payloads;
    }

private:
    std::vector<std::string>* seen_;
};

std::string clean_up(std::string what, int) { return what; }

class ScheduleTest : public ::testing::Test {
protected:
    static ScheduleOptions nightly() {
        ScheduleOptions options;
        options.spec.calendars = {{.hour = {{3}}, .day_of_week = {{1, 5}}, .comment = "nightly"}};
        options.spec.intervals = {{.every = 1h, .offset = 5min}};
        options.spec.cron_expressions = {"0 12 * * *"};
        options.spec.skip = {{.day_of_month = {{24, 26}}, .month = {{12}}}};
        options.spec.start_time = Timestamp(1'700'000'000s + 5ns);
        options.spec.jitter = 30s;
        options.spec.time_zone = "Europe/Berlin";
        options.policies = {ScheduleOverlap::kBufferOne, 600s, true};
        options.state = {"for the night", true, 3};
        options.memo["owner"] = encode_value(std::string("ada"));
        return options;
    }
    static StartOptions workflow() {
        return {.id = "clean", .task_queue = "maintenance", .run_timeout = Milliseconds(60'000)};
    }

    ScheduleClient schedules(DataConverter converter = {}) {
        return ScheduleClient(Client::connect({.data_converter = std::move(converter),
                                               .lazy = true,
                                               .runtime = runtime_,
                                               .transport = server_}));
    }

    std::shared_ptr<testing::SingleThreadRuntime> runtime_ =
        std::make_shared<testing::SingleThreadRuntime>();
    testing::EndOfTest end_of_test_{runtime_};
    std::shared_ptr<OneSchedule> server_ = std::make_shared<OneSchedule>();
};

TEST_F(ScheduleTest, CreationCarriesWhatWasSaid) {
    const auto handle = schedules().create<clean_up>("nightly", nightly(), workflow(), "disk", 2);
    EXPECT_EQ(handle.id(), "nightly");
    const auto& request = server_->request<api::CreateScheduleRequest>("CreateSchedule");
    EXPECT_FALSE(request.has_initial_patch());
    const auto& spec = request.schedule().spec();
    EXPECT_EQ(spec.structured_calendar(0).hour(0).start(), 3);
    EXPECT_EQ(spec.structured_calendar(0).day_of_month(0).end(), 31);
    EXPECT_EQ(spec.interval(0).phase().seconds(), 300);
    EXPECT_EQ(spec.exclude_structured_calendar(0).month(0).start(), 12);
    EXPECT_EQ(spec.start_time().nanos(), 5);
    EXPECT_EQ(request.schedule().policies().overlap_policy(),
              enums::SCHEDULE_OVERLAP_POLICY_BUFFER_ONE);
    EXPECT_TRUE(request.schedule().state().limited_actions());
    const auto& start = request.schedule().action().start_workflow();
    EXPECT_EQ(start.workflow_type().name(), "clean_up");
    EXPECT_EQ(start.input().payloads(1).data(), "2");
    EXPECT_EQ(start.workflow_run_timeout().seconds(), 60);
}

TEST_F(ScheduleTest, WhatWasWrittenIsReadAgain) {
    const auto handle = schedules().create<clean_up>("nightly", nightly(), workflow(), "disk", 2);
    const ScheduleDescription description = handle.describe();
    temporal::api::schedule::v1::Schedule again;
    sdk::write_schedule(description.schedule, again);
    EXPECT_EQ(again.DebugString(), server_->schedule.DebugString());
    EXPECT_EQ(description.actions, 7);
    EXPECT_EQ(description.next_times, std::vector<Timestamp>{Timestamp(100s)});
    EXPECT_EQ(decode_value<std::string>(description.memo.at("owner")), "ada");
}

TEST_F(ScheduleTest, OneOfTheSameIdIsRefused) {
    (void)schedules().create("nightly", nightly(), ScheduleAction{"T", workflow(), {}});
    EXPECT_THROW((void)schedules().create("nightly", {}, ScheduleAction{"T", workflow(), {}}),
                 AlreadyExistsError);
}

TEST_F(ScheduleTest, WorkflowsHaveTheSchedulesIdWhenTheyAreGivenNone) {
    (void)schedules().create("nightly", {.trigger_immediately = true},
                             ScheduleAction{"T", {.task_queue = "q"}, {}});
    const auto& request = server_->request<api::CreateScheduleRequest>("CreateSchedule");
    EXPECT_EQ(request.schedule().action().start_workflow().workflow_id(), "nightly");
    EXPECT_TRUE(request.initial_patch().has_trigger_immediately());
}

TEST_F(ScheduleTest, UpdateChangesOneThingAndKeepsWhatItDoesNotKnow) {
    const auto handle = schedules().create<clean_up>("nightly", nightly(), workflow(), "disk", 2);
    auto& start = *server_->schedule.mutable_action()->mutable_start_workflow();
    (*start.mutable_header()->mutable_fields())["trace"].set_data("7");
    server_->schedule.mutable_policies()->set_keep_original_workflow_id(true);
    auto expected = server_->schedule;
    expected.mutable_state()->set_paused(false);
    expected.mutable_state()->set_limited_actions(false);
    expected.mutable_state()->set_remaining_actions(0);
    handle.update([](Schedule& schedule) {
        schedule.state.paused = false;
        schedule.state.remaining_actions.reset();
    });
    EXPECT_EQ(server_->schedule.DebugString(), expected.DebugString());
}

TEST_F(ScheduleTest, UpdateIsRepeatedWhenSomebodyElseWasFaster) {
    const auto handle = schedules().create<clean_up>("nightly", nightly(), workflow(), "disk", 2);
    server_->rivals = 2;
    int changes = 0;
    handle.update([&](Schedule& schedule) {
        schedule.state.notes = "changed";
        ++changes;
    });
    EXPECT_EQ(changes, 3);
    EXPECT_EQ(server_->schedule.state().notes(), "changed");
    server_->rivals = 1'000;
    EXPECT_THROW(handle.update([](Schedule&) {}), RpcError);
}

TEST_F(ScheduleTest, ChangeThatThrowsWritesNothing) {
    const auto handle = schedules().create<clean_up>("nightly", nightly(), workflow(), "disk", 2);
    EXPECT_THROW(handle.update([](Schedule&) { throw std::runtime_error("no"); }),
                 std::runtime_error);
    EXPECT_EQ(server_->calls["UpdateSchedule"], 0);
}

TEST_F(ScheduleTest, PatchesSayWhatTheyWant) {
    const auto handle = schedules().handle("nightly");
    const auto patch = [&]() -> const auto& {
        return server_->request<api::PatchScheduleRequest>("PatchSchedule").patch();
    };
    handle.pause();
    EXPECT_FALSE(patch().pause().empty());
    handle.unpause("back again");
    EXPECT_EQ(patch().unpause(), "back again");
    handle.trigger(ScheduleOverlap::kAllowAll);
    EXPECT_EQ(patch().trigger_immediately().overlap_policy(),
              enums::SCHEDULE_OVERLAP_POLICY_ALLOW_ALL);
    handle.backfill({{Timestamp(10s), Timestamp(20s)}, {Timestamp(30s), Timestamp(40s)}});
    EXPECT_EQ(patch().backfill_request(1).start_time().seconds(), 30);
    EXPECT_EQ(handle.matching_times(Timestamp(0s), Timestamp(9s)),
              std::vector<Timestamp>{Timestamp(5s)});
    handle.remove();
    EXPECT_EQ(server_->request<api::DeleteScheduleRequest>("DeleteSchedule").schedule_id(),
              "nightly");
}

TEST_F(ScheduleTest, ArgumentsBelongToTheWorkflowAndTheMemoToNone) {
    std::vector<std::string> seen;
    const auto client = schedules({.codecs = {std::make_shared<Owners>(&seen)}});
    const auto handle = client.create<clean_up>("nightly", nightly(), workflow(), "disk", 2);
    EXPECT_EQ(seen, (std::vector<std::string>{"encode clean", "encode "}));
    seen.clear();
    (void)handle.describe();
    EXPECT_EQ(seen, (std::vector<std::string>{"decode clean", "decode "}));
    seen.clear();
    EXPECT_EQ(client.list().to_vector().at(0).id, "nightly");
    EXPECT_EQ(seen, (std::vector<std::string>{"decode "}));
}

class DeploymentTest : public ScheduleTest {
protected:
    DeploymentHandle shop() {
        return DeploymentClient(
                   Client::connect({.lazy = true, .runtime = runtime_, .transport = server_}))
            .handle("shop");
    }
};

TEST_F(DeploymentTest, DescriptionTellsWhereWorkflowsGo) {
    const DeploymentDescription description = shop().describe();
    EXPECT_EQ(description.routing.current, (DeploymentVersion{"shop", "7"}));
    EXPECT_FALSE(description.routing.ramping.has_value());
    EXPECT_EQ(description.routing.ramping_percentage, 10);
    ASSERT_EQ(description.versions.size(), 1u);
    EXPECT_EQ(description.versions[0].status, DeploymentVersionStatus::kDrained);
    EXPECT_EQ(description.conflict_token, "now");
}

TEST_F(DeploymentTest, RoutingIsSetWithTheTokenThatWasRead) {
    EXPECT_EQ(shop().set_current("8", {.conflict_token = "now", .allow_no_pollers = true}), "next");
    const auto& current = server_->request<api::SetWorkerDeploymentCurrentVersionRequest>(
        "SetWorkerDeploymentCurrentVersion");
    EXPECT_EQ(current.deployment_name(), "shop");
    EXPECT_EQ(current.build_id(), "8");
    EXPECT_EQ(current.conflict_token(), "now");
    EXPECT_TRUE(current.allow_no_pollers());
    EXPECT_FALSE(current.ignore_missing_task_queues());
    shop().set_ramping("9", 25);
    EXPECT_EQ(server_
                  ->request<api::SetWorkerDeploymentRampingVersionRequest>(
                      "SetWorkerDeploymentRampingVersion")
                  .percentage(),
              25);
}

TEST_F(DeploymentTest, VersionsAreNamedByDeploymentAndBuild) {
    shop().remove_version("6", true);
    const auto& removed = server_->request<api::DeleteWorkerDeploymentVersionRequest>(
        "DeleteWorkerDeploymentVersion");
    EXPECT_EQ(removed.deployment_version().deployment_name(), "shop");
    EXPECT_EQ(removed.deployment_version().build_id(), "6");
    EXPECT_TRUE(removed.skip_drainage());
    (void)shop().update_metadata("7", {{"commit", encode_value(std::string("abc"))}}, {"old"});
    const auto& metadata = server_->request<api::UpdateWorkerDeploymentVersionMetadataRequest>(
        "UpdateWorkerDeploymentVersionMetadata");
    EXPECT_EQ(metadata.upsert_entries().at("commit").data(), "\"abc\"");
    EXPECT_EQ(metadata.remove_entries(0), "old");
}

}  // namespace
}  // namespace stele
