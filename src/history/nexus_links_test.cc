#include "history/nexus_links.h"

#include <gtest/gtest.h>

namespace stele::history {
namespace {

namespace enums = temporal::api::enums::v1;
using temporal::api::common::v1::Link;

Link::WorkflowEvent event() {
    Link::WorkflowEvent event;
    event.set_namespace_("a b");
    event.set_workflow_id("order/1?");
    event.set_run_id("run");
    event.mutable_event_ref()->set_event_id(5);
    event.mutable_event_ref()->set_event_type(enums::EVENT_TYPE_NEXUS_OPERATION_SCHEDULED);
    return event;
}

TEST(NexusLinks, AnEventHasAnAddress) {
    const auto link = to_nexus_link(event());
    EXPECT_EQ(link.url(),
              "temporal:///namespaces/a%20b/workflows/order%2F1%3F/run/history?"
              "eventID=5&eventType=NexusOperationScheduled&referenceType=EventReference");
    EXPECT_EQ(link.type(), "temporal.api.common.v1.Link.WorkflowEvent");
}

TEST(NexusLinks, AnAddressIsReadAsItWasWritten) {
    Link::WorkflowEvent by_request = event();
    by_request.mutable_request_id_ref()->set_request_id("r&d");
    by_request.mutable_request_id_ref()->set_event_type(
        enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED);
    for (const Link::WorkflowEvent& original : {event(), by_request}) {
        const auto read = from_nexus_link(to_nexus_link(original));
        ASSERT_TRUE(read.has_value());
        EXPECT_EQ(read->workflow_event().SerializeAsString(), original.SerializeAsString());
    }
}

TEST(NexusLinks, WhatIsNoAddressOfAnEventIsLeftOut) {
    auto link = to_nexus_link(event());
    for (const char* url :
         {"", "https://example.com", "temporal:///namespaces/n", "temporal://?",
          "temporal:///namespaces/n/workflows/w/r/history",
          "temporal:///namespaces/n/workflows/w/r/history?referenceType=EventReference",
          "temporal:///namespaces/%/workflows/w/r/history?eventType=TimerFired&"
          "referenceType=EventReference"}) {
        link.set_url(url);
        EXPECT_FALSE(from_nexus_link(link).has_value()) << url;
    }
    link = to_nexus_link(event());
    link.set_type("another");
    EXPECT_FALSE(from_nexus_link(link).has_value());
}

}  // namespace
}  // namespace stele::history
