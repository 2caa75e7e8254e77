#include "sdk/data/owner.h"

#include <gtest/gtest.h>

#include "temporal/api/workflowservice/v1/request_response.pb.h"

namespace stele::sdk {
namespace {

using temporal::api::command::v1::Command;
using temporal::api::history::v1::HistoryEvent;

std::string text(const Owner& owner) {
    return owner.workflow_id + "|" + owner.activity_type + "|" + owner.activity_id;
}

const Owner kOuter{"outer"};

HistoryEvent scheduled(std::int64_t id, const std::string& type) {
    HistoryEvent event;
    event.set_event_id(id);
    auto& attributes = *event.mutable_activity_task_scheduled_event_attributes();
    attributes.mutable_activity_type()->set_name(type);
    attributes.set_activity_id(std::to_string(id));
    return event;
}

TEST(OwnerTest, CommandBelongsToWhomItIsFor) {
    Command command;
    command.mutable_complete_workflow_execution_command_attributes();
    EXPECT_EQ(text(owner_of(command, kOuter)), "outer||");
    auto& activity = *command.mutable_schedule_activity_task_command_attributes();
    activity.set_activity_id("5");
    activity.mutable_activity_type()->set_name("charge");
    EXPECT_EQ(text(owner_of(command, kOuter)), "outer|charge|5");
    command.mutable_start_child_workflow_execution_command_attributes()->set_workflow_id("child");
    EXPECT_EQ(text(owner_of(command, kOuter)), "child||");
    command.mutable_signal_external_workflow_execution_command_attributes()
        ->mutable_execution()
        ->set_workflow_id("other");
    EXPECT_EQ(text(owner_of(command, kOuter)), "other||");
}

TEST(OwnerTest, MarkerOfALocalActivityTellsWhoseItIs) {
    Command command;
    auto& marker = *command.mutable_record_marker_command_attributes();
    EXPECT_EQ(text(owner_of(command, kOuter)), "outer||");
    auto& data = *(*marker.mutable_details())["data"].add_payloads();
    data.set_data("not json");
    EXPECT_EQ(text(owner_of(command, kOuter)), "outer||");
    data.set_data(R"({"activity_type": "charge", "activity_id": "7", "seq": 1})");
    EXPECT_EQ(text(owner_of(command, kOuter)), "outer|charge|7");
}

TEST(OwnerTest, EndOfAnActivityIsFoundByTheEventThatScheduledIt) {
    ScheduledActivities activities;
    EXPECT_EQ(text(owner_of(scheduled(5, "charge"), kOuter, activities)), "outer|charge|5");
    (void)owner_of(scheduled(6, "refund"), kOuter, activities);
    HistoryEvent started;
    started.mutable_activity_task_started_event_attributes()->set_scheduled_event_id(5);
    EXPECT_EQ(text(owner_of(started, kOuter, activities)), "outer|charge|5");
    HistoryEvent failed;
    failed.mutable_activity_task_failed_event_attributes()->set_scheduled_event_id(6);
    EXPECT_EQ(text(owner_of(failed, kOuter, activities)), "outer|refund|6");
    HistoryEvent completed;
    completed.mutable_activity_task_completed_event_attributes()->set_scheduled_event_id(5);
    EXPECT_EQ(text(owner_of(completed, kOuter, activities)), "outer|charge|5");
    EXPECT_TRUE(activities.empty());
}

TEST(OwnerTest, EndOfAChildBelongsToTheChild) {
    ScheduledActivities activities;
    HistoryEvent event;
    event.mutable_child_workflow_execution_failed_event_attributes()
        ->mutable_workflow_execution()
        ->set_workflow_id("child");
    EXPECT_EQ(text(owner_of(event, kOuter, activities)), "child||");
    event.mutable_child_workflow_execution_completed_event_attributes()
        ->mutable_workflow_execution()
        ->set_workflow_id("child");
    EXPECT_EQ(text(owner_of(event, kOuter, activities)), "child||");
    event.mutable_workflow_execution_signaled_event_attributes();
    EXPECT_EQ(text(owner_of(event, kOuter, activities)), "outer||");
}

/// Puts its context into what it decodes.
class Stamp final : public PayloadCodec {
public:
    Payloads encode(Payloads payloads, const SerializationContext&) const override {
        return payloads;
    }
    Payloads decode(Payloads payloads, const SerializationContext& context) const override {
        for (Payload& payload : payloads)
            payload.set_data(std::string(context.namespace_name) + "/" +
                             std::string(context.workflow_id) + "/" +
                             std::string(context.activity_type));
        return payloads;
    }
};

TEST(OwnerTest, ActivitiesAreRememberedFromPageToPage) {
    const DataConverter converter{.codecs = {std::make_shared<Stamp>()}};
    const SerializationContext context{.namespace_name = "n", .workflow_id = "w"};
    ScheduledActivities activities;
    temporal::api::workflowservice::v1::GetWorkflowExecutionHistoryResponse page;
    auto& event = *page.mutable_history()->add_events();
    event = scheduled(5, "charge");
    event.mutable_activity_task_scheduled_event_attributes()->mutable_input()->add_payloads();
    decode_incoming(converter, page, context, &activities);
    EXPECT_EQ(event.activity_task_scheduled_event_attributes().input().payloads(0).data(),
              "n/w/charge");
    page.Clear();
    auto& end =
        *page.mutable_history()->add_events()->mutable_activity_task_completed_event_attributes();
    end.set_scheduled_event_id(5);
    end.mutable_result()->add_payloads();
    decode_incoming(converter, page, context, &activities);
    EXPECT_EQ(end.result().payloads(0).data(), "n/w/charge");
}

TEST(OwnerTest, ListsHoldDataOfManyWorkflows) {
    const DataConverter converter{.codecs = {std::make_shared<Stamp>()}};
    temporal::api::workflowservice::v1::ListWorkflowExecutionsResponse list;
    for (const char* id : {"a", "b"}) {
        auto& info = *list.add_executions();
        info.mutable_execution()->set_workflow_id(id);
        (*info.mutable_memo()->mutable_fields())["note"].set_data("?");
    }
    decode_incoming(converter, list, {.namespace_name = "n"});
    EXPECT_EQ(list.executions(1).memo().fields().at("note").data(), "n/b/");
}

}  // namespace
}  // namespace stele::sdk
