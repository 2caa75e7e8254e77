#include "frontend/frontend_testing.h"

#include "temporal/api/enums/v1/command_type.pb.h"
#include "temporal/api/enums/v1/event_type.pb.h"
#include "temporal/api/errordetails/v1/message.pb.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

// What the published advisories of Temporal servers have taught, one test of each by its number. In all of
// them the namespace that was acted on was not the one that was authorised. Two namespaces, "mine" and
// "other"; the caller has been let into mine only.
namespace stele::frontend {
namespace {

namespace api = temporal::api;
namespace enums = api::enums::v1;
namespace service = api::workflowservice::v1;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::MessageFactory;
using google::protobuf::MethodDescriptor;
using testing::HasSubstr;
using Token = wire::TaskToken;

std::vector<const MethodDescriptor*> all_methods() {
    std::vector<const MethodDescriptor*> methods;
    for (const char* name : {kWorkflowService, kOperatorService}) {
        const auto* service =
            google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(name);
        for (int i = 0; i < service->method_count(); ++i) methods.push_back(service->method(i));
    }
    return methods;
}

bool has_field(const MethodDescriptor& method, const char* field) {
    return method.input_type()->FindFieldByName(field) != nullptr;
}

/// A request of the method with these top-level fields of text or bytes.
std::unique_ptr<Message> make_request(const MethodDescriptor& method,
                                      const std::map<std::string, std::string>& fields) {
    const Message* prototype =
        MessageFactory::generated_factory()->GetPrototype(method.input_type());
    std::unique_ptr<Message> request(prototype->New());
    for (const auto& [name, value] : fields) {
        request->GetReflection()->SetString(request.get(),
                                            method.input_type()->FindFieldByName(name), value);
    }
    return request;
}

class AdvisoryTest : public ::testing::Test, protected TestFrontend {
protected:
    AdvisoryTest() {
        settings.batches.runs_per_second = 1000;
        patience = std::chrono::seconds(30);
        restart();
        mine_ = create("mine");
        other_ = create("other");
        for (const std::string& path : parts().frontend->methods().built()) built_.insert(path);
    }

    bool is_built(const MethodDescriptor& method) const { return built_.contains(path_of(method)); }
    static std::string path_of(const MethodDescriptor& method) {
        return "/" + method.service()->full_name() + "/" + method.name();
    }
    absl::Status status_of(const MethodDescriptor& method,
                           const std::map<std::string, std::string>& fields) {
        return call(path_of(method), *make_request(method, fields)).status();
    }

    void start(const std::string& space, const std::string& id) {
        service::StartWorkflowExecutionRequest request;
        request.set_namespace_(space);
        request.set_workflow_id(id);
        request.mutable_workflow_type()->set_name("type");
        request.mutable_task_queue()->set_name("queue");
        const auto started =
            ask<service::StartWorkflowExecutionResponse>("StartWorkflowExecution", request);
        ASSERT_TRUE(started.ok()) << started.status();
    }
    service::PollWorkflowTaskQueueResponse poll(const std::string& space) {
        service::PollWorkflowTaskQueueRequest request;
        request.set_namespace_(space);
        request.mutable_task_queue()->set_name("queue");
        const auto task =
            ask<service::PollWorkflowTaskQueueResponse>("PollWorkflowTaskQueue", request);
        EXPECT_TRUE(task.ok()) << task.status();
        return task.ok() ? *task : service::PollWorkflowTaskQueueResponse();
    }
    absl::Status complete(const std::string& space, const std::string& token,
                          const api::command::v1::Command& command = {}) {
        service::RespondWorkflowTaskCompletedRequest request;
        request.set_namespace_(space);
        request.set_task_token(token);
        if (command.command_type() != enums::COMMAND_TYPE_UNSPECIFIED) {
            *request.add_commands() = command;
        }
        return ask<service::RespondWorkflowTaskCompletedResponse>("RespondWorkflowTaskCompleted",
                                                                  request)
            .status();
    }
    absl::StatusOr<service::GetWorkflowExecutionHistoryResponse> history(const std::string& space,
                                                                         const std::string& id,
                                                                         int page = 0) {
        service::GetWorkflowExecutionHistoryRequest request;
        request.set_namespace_(space);
        request.mutable_execution()->set_workflow_id(id);
        request.set_maximum_page_size(page);
        return ask<service::GetWorkflowExecutionHistoryResponse>("GetWorkflowExecutionHistory",
                                                                 request);
    }
    int count(const std::string& space, const std::string& id, enums::EventType type) {
        int found = 0;
        const auto read = history(space, id);
        EXPECT_TRUE(read.ok()) << read.status();
        if (!read.ok()) return -1;
        for (const auto& event : read->history().events()) found += event.event_type() == type;
        return found;
    }
    /// A command of a task of mine that wants something of the other namespace: the task fails or the call
    /// is refused, and nothing arrives there.
    void expect_unreached(const api::command::v1::Command& command) {
        start("mine", "from");
        start("other", "target");
        const auto status = complete("mine", poll("mine").task_token(), command);
        EXPECT_FALSE(status.ok());
        sim.run_for(std::chrono::minutes(1));
        EXPECT_EQ(count("other", "target", enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED), 0);
        EXPECT_EQ(count("other", "target", enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED),
                  0);
        EXPECT_EQ(history("other", "child").status().code(), absl::StatusCode::kNotFound);
        EXPECT_EQ(count("mine", "from", enums::EVENT_TYPE_WORKFLOW_TASK_FAILED), 1);
    }

    std::string mine_;
    std::string other_;
    std::set<std::string> built_;
};

// ---- A token says whose task it is, and is believed ------------------------------------------------

TEST_F(AdvisoryTest, CVE_2023_3485_ForgedTokenDoesNotCrossNamespaces) {
    int methods = 0;
    for (const MethodDescriptor* method : all_methods()) {
        if (!is_built(*method) || !has_field(*method, "task_token")) continue;
        ++methods;
        ASSERT_TRUE(has_field(*method, "namespace")) << method->name();
        for (const Token::Kind kind : {Token::KIND_WORKFLOW_TASK, Token::KIND_ACTIVITY,
                                       Token::KIND_QUERY, Token::KIND_NEXUS}) {
            Token token;
            token.set_kind(kind);
            token.set_namespace_id(other_);
            token.set_workflow_id("w");
            token.set_run_id("r");
            const auto send = [&](const std::string& bytes) {
                return status_of(*method, {{"namespace", "mine"}, {"task_token", bytes}});
            };
            // The server's own token of the other namespace, and what a stranger can make himself.
            EXPECT_EQ(message_of(send(signer.sign(token))),
                      "Operation requested with a token from a different namespace.")
                << method->name();
            std::string forged = signer.sign(token);
            forged.replace(forged.find(other_), other_.size(), mine_);
            const std::string unsigned_token = token.SerializeAsString();
            const TokenSigner stranger("fedcba9876543210");
            for (const std::string& bytes : {forged, unsigned_token, stranger.sign(token)}) {
                EXPECT_EQ(message_of(send(bytes)), "Error deserializing task token.")
                    << method->name();
            }
        }
    }
    EXPECT_GE(methods, 8);
}

TEST_F(AdvisoryTest, CVE_2023_3485_NamespaceAloneIsNoToken) {
    const std::set<std::string> methods = {
        "RespondWorkflowTaskCompleted", "RespondWorkflowTaskFailed", "RespondQueryTaskCompleted",
        "RespondActivityTaskCompleted", "RecordActivityTaskHeartbeat"};
    std::size_t seen = 0;
    for (const MethodDescriptor* method : all_methods()) {
        if (!methods.contains(method->name())) continue;
        ++seen;
        EXPECT_EQ(message_of(status_of(*method, {{"namespace", "mine"}})),
                  "Task token not set on request.")
            << method->name();
    }
    EXPECT_EQ(seen, methods.size());
}

TEST_F(AdvisoryTest, CVE_2023_3485_TaskOfAnotherNamespaceStaysUntouched) {
    start("other", "w");
    const std::string token = poll("other").task_token();
    EXPECT_FALSE(complete("mine", token).ok());
    service::RespondWorkflowTaskFailedRequest failed;
    failed.set_namespace_("mine");
    failed.set_task_token(token);
    EXPECT_FALSE(
        ask<service::RespondWorkflowTaskFailedResponse>("RespondWorkflowTaskFailed", failed).ok());
    EXPECT_TRUE(complete("other", token).ok()) << "the task was harmed";
}

TEST_F(AdvisoryTest, CVE_2023_3485_ActivityByIdIsLookedForInTheNamespaceOfTheCall) {
    start("other", "w");
    api::command::v1::Command command;
    command.set_command_type(enums::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK);
    auto& activity = *command.mutable_schedule_activity_task_command_attributes();
    activity.set_activity_id("a");
    activity.mutable_activity_type()->set_name("type");
    activity.mutable_task_queue()->set_name("activities");
    *activity.mutable_start_to_close_timeout() = to_proto(std::chrono::seconds(100));
    ASSERT_TRUE(complete("other", poll("other").task_token(), command).ok());
    service::PollActivityTaskQueueRequest taken;
    taken.set_namespace_("other");
    taken.mutable_task_queue()->set_name("activities");
    ASSERT_TRUE(ask<service::PollActivityTaskQueueResponse>("PollActivityTaskQueue", taken).ok());

    service::RespondActivityTaskCompletedByIdRequest request;
    request.set_namespace_("mine");
    request.set_workflow_id("w");
    request.set_activity_id("a");
    const auto respond = [&] {
        return ask<service::RespondActivityTaskCompletedByIdResponse>(
                   "RespondActivityTaskCompletedById", request)
            .status();
    };
    EXPECT_EQ(respond().code(), absl::StatusCode::kNotFound);
    request.set_namespace_("other");
    EXPECT_TRUE(respond().ok());
}

TEST_F(AdvisoryTest, CVE_2023_3485_PageTokenOfAnotherNamespaceIsRefused) {
    start("mine", "w");
    start("other", "w");
    service::SignalWorkflowExecutionRequest signal;
    signal.set_namespace_("other");
    signal.mutable_workflow_execution()->set_workflow_id("w");
    signal.set_signal_name("go");
    ASSERT_TRUE(
        ask<service::SignalWorkflowExecutionResponse>("SignalWorkflowExecution", signal).ok());
    const auto first = history("other", "w", 1);
    ASSERT_TRUE(first.ok());
    ASSERT_FALSE(first->next_page_token().empty());
    service::GetWorkflowExecutionHistoryRequest request;
    request.set_namespace_("mine");
    request.mutable_execution()->set_workflow_id("w");
    request.set_next_page_token(first->next_page_token());
    const auto read =
        ask<service::GetWorkflowExecutionHistoryResponse>("GetWorkflowExecutionHistory", request);
    EXPECT_EQ(message_of(read.status()), "Invalid NextPageToken.");

    // Lists of what belongs to a namespace; the token is one that the server would give out there.
    wire::RunListToken place;
    place.set_namespace_id(other_);
    for (const char* name : {"ListWorkflowExecutions", "ListOpenWorkflowExecutions",
                             "ListClosedWorkflowExecutions", "ListBatchOperations"}) {
        const auto* method = google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(
            std::string(kWorkflowService) + "." + name);
        ASSERT_NE(method, nullptr) << name;
        const std::string token = signer.sign(place);
        const auto status = status_of(*method, {{"namespace", "mine"}, {"next_page_token", token}});
        EXPECT_EQ(message_of(status), "Invalid NextPageToken.") << name;
        EXPECT_TRUE(status_of(*method, {{"namespace", "other"}, {"next_page_token", token}}).ok())
            << name;
    }
}

// ---- The namespace inside of a request -------------------------------------------------------------

TEST_F(AdvisoryTest, CVE_2025_14986_InnerNamespaceMustBeThatOfTheRequest) {
    service::ExecuteMultiOperationRequest request;
    request.set_namespace_("mine");
    auto& start = *request.add_operations()->mutable_start_workflow();
    start.set_namespace_("mine");
    start.set_workflow_id("w");
    start.mutable_workflow_type()->set_name("type");
    start.mutable_task_queue()->set_name("queue");
    start.set_workflow_id_conflict_policy(enums::WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING);
    auto& update = *request.add_operations()->mutable_update_workflow();
    update.set_namespace_("mine");
    update.mutable_workflow_execution()->set_workflow_id("w");
    update.mutable_request()->mutable_meta()->set_update_id("u");
    update.mutable_request()->mutable_input()->set_name("add");
    for (std::string* inner : {start.mutable_namespace_(), update.mutable_namespace_()}) {
        *inner = "other";
        const auto answer =
            ask<service::ExecuteMultiOperationResponse>("ExecuteMultiOperation", request);
        EXPECT_EQ(answer.status().code(), absl::StatusCode::kInvalidArgument);
        const auto detail = detail_of(answer.status());
        ASSERT_TRUE(detail.has_value());
        EXPECT_THAT(detail->value, HasSubstr("did not match request's namespace"));
        *inner = "mine";
    }
    for (const char* space : {"mine", "other"}) {
        EXPECT_EQ(history(space, "w").status().code(), absl::StatusCode::kNotFound) << space;
    }
}

/// The messages with a namespace of their own that `type` may hold.
void find_namespaces(const Descriptor& type, std::set<const Descriptor*>& seen,
                     std::set<std::string>& found, bool outermost) {
    if (!seen.insert(&type).second) return;
    for (int i = 0; i < type.field_count(); ++i) {
        const FieldDescriptor& field = *type.field(i);
        if (!outermost && field.name() == "namespace") found.insert(type.full_name());
        if (field.message_type() != nullptr) {
            find_namespaces(*field.message_type(), seen, found, false);
        }
    }
}

TEST_F(AdvisoryTest, CVE_2025_14986_EveryInnerNamespaceIsKnown) {
    // A message that is new here needs an answer to whose namespace its field may name, and a test.
    const std::set<std::string> kCommands = {
        "temporal.api.command.v1.StartChildWorkflowExecutionCommandAttributes",
        "temporal.api.command.v1.SignalExternalWorkflowExecutionCommandAttributes",
        "temporal.api.command.v1.RequestCancelExternalWorkflowExecutionCommandAttributes"};
    const std::set<std::string> kParts = {
        "temporal.api.workflowservice.v1.StartWorkflowExecutionRequest",
        "temporal.api.workflowservice.v1.UpdateWorkflowExecutionRequest"};
    // Pointers for people to follow, which nothing is done with; where they lead is read by a call of its
    // own.
    const std::set<std::string> kLinks = {
        "temporal.api.common.v1.Link.Activity", "temporal.api.common.v1.Link.NexusOperation",
        "temporal.api.common.v1.Link.Workflow", "temporal.api.common.v1.Link.WorkflowEvent",
        "temporal.api.failure.v1.ChildWorkflowExecutionFailureInfo"};
    // Who makes an endpoint is an operator of all namespaces.
    const std::set<std::string> kOperators = {"temporal.api.nexus.v1.EndpointTarget.Worker"};
    std::set<std::string> known;
    for (const auto& group : {kCommands, kParts, kLinks, kOperators}) {
        known.insert(group.begin(), group.end());
    }
    std::set<std::string> found;
    for (const MethodDescriptor* method : all_methods()) {
        if (!is_built(*method)) continue;
        std::set<const Descriptor*> seen;
        find_namespaces(*method->input_type(), seen, found, true);
    }
    EXPECT_EQ(found, known);
}

// ---- Commands of a workflow ------------------------------------------------------------------------

TEST_F(AdvisoryTest, CVE_2025_14987_SignalDoesNotReachAnotherNamespace) {
    api::command::v1::Command command;
    command.set_command_type(enums::COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION);
    auto& signal = *command.mutable_signal_external_workflow_execution_command_attributes();
    signal.set_namespace_("other");
    signal.mutable_execution()->set_workflow_id("target");
    signal.set_signal_name("go");
    expect_unreached(command);
}

TEST_F(AdvisoryTest, CVE_2025_14987_CancellationDoesNotReachAnotherNamespace) {
    api::command::v1::Command command;
    command.set_command_type(enums::COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION);
    auto& cancel = *command.mutable_request_cancel_external_workflow_execution_command_attributes();
    cancel.set_namespace_("other");
    cancel.set_workflow_id("target");
    expect_unreached(command);
}

TEST_F(AdvisoryTest, CVE_2025_14987_ChildIsNotStartedInAnotherNamespace) {
    api::command::v1::Command command;
    command.set_command_type(enums::COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION);
    auto& child = *command.mutable_start_child_workflow_execution_command_attributes();
    child.set_namespace_("other");
    child.set_workflow_id("child");
    child.mutable_workflow_type()->set_name("type");
    child.mutable_task_queue()->set_name("queue");
    expect_unreached(command);
}

// ---- Batch operations ------------------------------------------------------------------------------

class BatchAdvisoryTest : public AdvisoryTest {
protected:
    /// A signal to "w", which both namespaces have, by the way that `choose` fills in.
    void expect_only_mine_signalled(
        const std::function<void(service::StartBatchOperationRequest&)>& choose) {
        start("mine", "w");
        start("other", "w");
        service::StartBatchOperationRequest request;
        request.set_namespace_("mine");
        request.set_job_id("job");
        request.set_reason("because");
        request.mutable_signal_operation()->set_signal("go");
        choose(request);
        const auto started =
            ask<service::StartBatchOperationResponse>("StartBatchOperation", request);
        ASSERT_TRUE(started.ok()) << started.status();
        restart();  // the job goes on in its own namespace
        sim.run_for(std::chrono::minutes(1));
        EXPECT_EQ(count("mine", "w", enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED), 1);
        EXPECT_EQ(count("other", "w", enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED), 0);
    }
};

TEST_F(BatchAdvisoryTest, CVE_2026_5199_BatchByQueryStaysInItsNamespace) {
    expect_only_mine_signalled(
        [](auto& request) { request.set_visibility_query("WorkflowId = 'w'"); });
}

TEST_F(BatchAdvisoryTest, CVE_2026_5199_BatchOfNamedRunsStaysInItsNamespace) {
    expect_only_mine_signalled(
        [](auto& request) { request.add_executions()->set_workflow_id("w"); });
}

TEST_F(BatchAdvisoryTest, CVE_2026_5199_JobOfAnotherNamespaceIsNotFound) {
    start("other", "w");
    service::StartBatchOperationRequest request;
    request.set_namespace_("other");
    request.set_job_id("job");
    request.set_reason("because");
    request.set_visibility_query("WorkflowId = 'w'");
    request.mutable_signal_operation()->set_signal("go");
    ASSERT_TRUE(ask<service::StartBatchOperationResponse>("StartBatchOperation", request).ok());
    service::DescribeBatchOperationRequest describe;
    describe.set_namespace_("mine");
    describe.set_job_id("job");
    EXPECT_EQ(ask<service::DescribeBatchOperationResponse>("DescribeBatchOperation", describe)
                  .status()
                  .code(),
              absl::StatusCode::kNotFound);
    service::StopBatchOperationRequest stop;
    stop.set_namespace_("mine");
    stop.set_job_id("job");
    stop.set_reason("because");
    EXPECT_FALSE(ask<service::StopBatchOperationResponse>("StopBatchOperation", stop).ok());
}

// ---- Every method ----------------------------------------------------------------------------------

/// Methods that concern no single namespace, or say of one only what everybody may know; the rest is
/// authorised for its namespace before its handler runs.
const std::set<std::string>& methods_of_the_cluster() {
    static const std::set<std::string> names = {
        "RegisterNamespace",   "DescribeNamespace",   "ListNamespaces",      "DeleteNamespace",
        "GetSystemInfo",       "GetClusterInfo",      "GetSearchAttributes", "CreateNexusEndpoint",
        "UpdateNexusEndpoint", "DeleteNexusEndpoint", "GetNexusEndpoint",    "ListNexusEndpoints",
    };
    return names;
}

TEST_F(AdvisoryTest, CVE_2026_5724_NoMethodStreams) {
    // What authorises unary calls would not see those of a stream.
    for (const MethodDescriptor* method : all_methods()) {
        EXPECT_FALSE(method->client_streaming() || method->server_streaming())
            << method->full_name();
    }
}

TEST_F(AdvisoryTest, CVE_2026_5724_EveryMethodAuthorisesItsNamespaceFirst) {
    int authorised = 0;
    for (const MethodDescriptor* method : all_methods()) {
        if (!is_built(*method)) continue;
        if (methods_of_the_cluster().contains(method->name())) continue;
        ASSERT_TRUE(has_field(*method, "namespace"))
            << method->full_name()
            << " has no rule: it is neither of a namespace nor of the cluster";
        // Empty otherwise: before anything else is looked at, the namespace is.
        const absl::Status status = status_of(*method, {{"namespace", "nowhere"}});
        EXPECT_EQ(message_of(status), "Namespace nowhere is not found.") << method->full_name();
        ++authorised;
    }
    EXPECT_GE(authorised, 60);
}

TEST_F(AdvisoryTest, CVE_2026_5724_NoBuiltMethodIsLeftOut) {
    std::set<std::string> names;
    for (const MethodDescriptor* method : all_methods()) {
        if (is_built(*method)) names.insert(method->name());
    }
    for (const std::string& name : methods_of_the_cluster()) {
        EXPECT_TRUE(names.contains(name)) << name << " is listed and not built";
    }
    EXPECT_EQ(names.size(), built_.size()) << "two methods of one name";
}

}  // namespace
}  // namespace stele::frontend
