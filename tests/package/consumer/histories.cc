#include <stele/stele.h>
#include <temporal/api/workflowservice/v1/request_response.pb.h>

#include <iostream>

int main() {
    temporal::api::workflowservice::v1::GetWorkflowExecutionHistoryResponse reply;
    auto& event = *reply.mutable_history()->add_events();
    event.set_event_id(1);
    event.set_event_type(temporal::api::enums::v1::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED);
    event.mutable_workflow_execution_started_event_attributes()->mutable_workflow_type()->set_name(
        "greet");
    // Descriptors of all messages are there, also of those that nothing here names.
    const auto* pool = google::protobuf::DescriptorPool::generated_pool();
    const bool found = pool->FindFileByName("temporal/api/nexus/v1/message.proto") != nullptr;
    const auto result = stele::Replayer().replay(reply.history(), "workflow");
    std::cout << (found ? "all descriptors" : "a descriptor is missing") << ", "
              << (result.ok ? "replayed" : result.error) << "\n";
}
