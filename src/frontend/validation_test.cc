#include <gtest/gtest.h>

#include "frontend/validation.h"

#include <functional>
#include <string>
#include <vector>

namespace stele::frontend {
namespace {

using Start = service::StartWorkflowExecutionRequest;
using std::chrono::hours;
using std::chrono::seconds;
namespace enums = api::enums::v1;

Start valid_start() {
    Start request;
    request.set_workflow_id("workflow");
    request.mutable_workflow_type()->set_name("type");
    request.mutable_task_queue()->set_name("queue");
    return request;
}

struct Refusal {
    std::function<void(Start&)> fault;
    std::string text;
};

const std::string& overlong() {
    static const std::string kName(1001, 'n');
    return kName;
}

TEST(Validation, StartThatLacksNothingGetsItsDefaults) {
    Start request = valid_start();
    ASSERT_TRUE(validate_start(request, {}, "fresh").ok());
    EXPECT_EQ(request.request_id(), "fresh");
    EXPECT_EQ(request.task_queue().kind(), enums::TASK_QUEUE_KIND_NORMAL);
    EXPECT_EQ(request.workflow_id_reuse_policy(), enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE);
    EXPECT_EQ(request.workflow_id_conflict_policy(), enums::WORKFLOW_ID_CONFLICT_POLICY_FAIL);
}

TEST(Validation, EveryFaultOfAStartIsRefusedInItsWords) {
    const std::vector<Refusal> refusals = {
        {[](Start& r) { r.clear_workflow_id(); }, "WorkflowId is not set on request."},
        {[](Start& r) { r.set_workflow_id(overlong()); },
         "WorkflowId exceeds maximum allowed length (1001/1000)"},
        {[](Start& r) { r.clear_workflow_type(); }, "WorkflowType is not set on request."},
        {[](Start& r) { r.mutable_workflow_type()->set_name(overlong()); },
         "WorkflowType length exceeds limit."},
        {[](Start& r) { r.clear_task_queue(); }, "taskQueue is not set"},
        {[](Start& r) { r.mutable_task_queue()->clear_name(); }, "missing task queue name"},
        {[](Start& r) { r.mutable_task_queue()->set_name(overlong()); },
         "taskQueue length exceeds limit"},
        {[](Start& r) { r.mutable_task_queue()->set_name("/_sys/queue"); },
         "task queue name cannot start with reserved prefix /_sys/"},
        {[](Start& r) { r.mutable_task_queue()->set_name("temporal-sys-per-ns-tq"); },
         "cannot use internal per-namespace task queue:temporal-sys-per-ns-tq"},
        {[](Start& r) { r.set_request_id(overlong()); }, "RequestId length exceeds limit."},
        {[](Start& r) { r.mutable_workflow_execution_timeout()->set_seconds(-1); },
         "An invalid WorkflowExecutionTimeoutSeconds is set on request. cause: negative duration"},
        {[](Start& r) { r.mutable_workflow_run_timeout()->set_nanos(-1); },
         "An invalid WorkflowRunTimeoutSeconds is set on request. cause: negative duration"},
        {[](Start& r) { r.mutable_workflow_task_timeout()->set_seconds(-1); },
         "An invalid WorkflowTaskTimeoutSeconds is set on request. cause: negative duration"},
        {[](Start& r) { r.mutable_workflow_start_delay()->set_seconds(-1); },
         "An invalid WorkflowStartDelaySeconds is set on request. cause: negative duration"},
        {[](Start& r) {
             r.set_cron_schedule("* * * * *");
             r.mutable_workflow_start_delay()->set_seconds(1);
         },
         "CronSchedule and WorkflowStartDelay may not be used together."},
        {[](Start& r) { r.mutable_retry_policy()->set_backoff_coefficient(0.5); },
         "BackoffCoefficient cannot be less than 1 on retry policy."},
        {[](Start& r) { r.mutable_retry_policy()->mutable_initial_interval()->set_seconds(-1); },
         "invalid InitialInterval set on retry policy: negative duration"},
        {[](Start& r) {
             r.mutable_retry_policy()->mutable_initial_interval()->set_seconds(2);
             r.mutable_retry_policy()->mutable_maximum_interval()->set_seconds(1);
         },
         "MaximumInterval cannot be less than InitialInterval on retry policy."},
        {[](Start& r) { r.mutable_retry_policy()->set_maximum_attempts(-1); },
         "MaximumAttempts cannot be negative on retry policy."},
        {[](Start& r) {
             r.mutable_retry_policy()->add_non_retryable_error_types("TemporalTimeout:Other");
         },
         "Invalid timeout type value: Other."},
        {[](Start& r) { r.mutable_priority()->set_priority_key(-1); },
         "priority key can't be negative"},
        {[](Start& r) { r.mutable_priority()->set_fairness_key(std::string(65, 'k')); },
         "fairness key length exceeds limit"},
        {[](Start& r) { r.mutable_priority()->set_fairness_weight(-1); },
         "must be greater than zero"},
        {[](Start& r) {
             r.set_workflow_id_reuse_policy(enums::WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE);
             r.set_workflow_id_conflict_policy(
                 enums::WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING);
         },
         "Invalid WorkflowIDReusePolicy: WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE cannot be used "
         "together with WorkflowIdConflictPolicy WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING"},
        {[](Start& r) { r.mutable_input()->add_payloads()->set_data(std::string(3U << 20, 'x')); },
         "Blob data size exceeds limit."},
        {[](Start& r) {
             (*r.mutable_memo()->mutable_fields())["memo"].set_data(std::string(3U << 20, 'x'));
         },
         "Memo size exceeds limit."},
    };
    for (const Refusal& refusal : refusals) {
        Start request = valid_start();
        refusal.fault(request);
        const absl::Status status = validate_start(request, {}, "fresh");
        EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << refusal.text;
        EXPECT_EQ(message_of(status), refusal.text);
    }
}

TEST(Validation, CallbacksGoWhereAnOperatorAllowsOnly) {
    Start request = valid_start();
    auto& nexus = *request.add_completion_callbacks()->mutable_nexus();
    nexus.set_url("https://example.com/done");
    EXPECT_EQ(message_of(validate_start(request, {}, "fresh")),
              "invalid url: url does not match any configured callback address: "
              "https://example.com/done");
    history::Limits limits;
    limits.callback_addresses = {{"example.com", false}};
    (*nexus.mutable_header())["Authorization"] = "secret";
    EXPECT_TRUE(validate_start(request, limits, "fresh").ok());
    EXPECT_EQ(nexus.header().at("authorization"), "secret");
}

TEST(Validation, CallbacksAreBounded) {
    history::Limits limits;
    limits.callback_addresses = {{"*", true}};
    limits.callback_url_bytes = 20;
    limits.callback_header_bytes = 10;
    Start request = valid_start();
    auto& nexus = *request.add_completion_callbacks()->mutable_nexus();
    nexus.set_url("http://example.com/long");
    EXPECT_EQ(message_of(validate_start(request, limits, "fresh")),
              "invalid url: url length longer than max length allowed of 20");
    nexus.set_url("http://example.com");
    (*nexus.mutable_header())["name"] = "a value";
    EXPECT_EQ(message_of(validate_start(request, limits, "fresh")),
              "invalid header: header size longer than max allowed size of 10");
    limits.callbacks_per_request = 0;
    EXPECT_EQ(message_of(validate_start(request, limits, "fresh")),
              "cannot attach more than 0 callbacks to an execution");
    limits.callbacks_per_request = 1;
    request.mutable_completion_callbacks(0)->mutable_internal();
    EXPECT_EQ(validate_start(request, limits, "fresh").code(), absl::StatusCode::kUnimplemented);
}

TEST(Validation, LinksSayWhatTheyPointTo) {
    Start request = valid_start();
    auto& event = *request.add_links()->mutable_workflow_event();
    event.set_namespace_("default");
    event.set_workflow_id("caller");
    EXPECT_EQ(message_of(validate_start(request, {}, "fresh")),
              "workflow event link must not have an empty run ID field");
    event.set_run_id("run");
    EXPECT_TRUE(validate_start(request, {}, "fresh").ok());
    for (int i = 0; i < 10; ++i) *request.add_links() = request.links(0);
    EXPECT_EQ(message_of(validate_start(request, {}, "fresh")),
              "cannot attach more than 10 links per request, got 11");
}

TEST(Validation, CallbacksAreAttachedWithARequestIdOnly) {
    Start request = valid_start();
    request.mutable_on_conflict_options()->set_attach_completion_callbacks(true);
    EXPECT_EQ(message_of(validate_start(request, {}, "fresh")),
              "attaching request ID is required for attaching completion callbacks");
}

TEST(Validation, TerminatingReusePolicyBecomesTheConflictPolicyOfThatMeaning) {
    Start request = valid_start();
    request.set_workflow_id_reuse_policy(enums::WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING);
    ASSERT_TRUE(validate_start(request, {}, "fresh").ok());
    EXPECT_EQ(request.workflow_id_conflict_policy(),
              enums::WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING);
    EXPECT_EQ(request.workflow_id_reuse_policy(), enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE);
}

TEST(Validation, HugeFirstRetryIntervalGetsAMaximumThatIsNotSmaller) {
    for (const Duration interval :
         {Duration(hours(24 * 365 * 10)), Duration(hours(24 * 365 * 99))}) {
        Start request = valid_start();
        *request.mutable_retry_policy()->mutable_initial_interval() = to_proto(interval);
        const absl::Status status = validate_start(request, {}, "fresh");
        ASSERT_TRUE(status.ok()) << message_of(status);
        EXPECT_GE(from_proto(request.retry_policy().maximum_interval()), interval);
    }
}

TEST(Validation, DurationLongerThanACenturyBecomesACentury) {
    google::protobuf::Duration duration;
    duration.set_seconds(315'576'000'000);
    ASSERT_TRUE(validate_duration(duration).ok());
    EXPECT_EQ(from_proto(duration), Duration(hours(24)) * 365 * 100);
    duration.set_seconds(1);
    duration.set_nanos(-1);
    EXPECT_EQ(message_of(validate_duration(duration)),
              "duration has seconds and nanos with different signs");
}

TEST(Validation, ExecutionNeedsAWorkflowIdAndARunIdThatIsAUuid) {
    api::common::v1::WorkflowExecution execution;
    EXPECT_EQ(message_of(validate_execution(false, execution)), "Execution is not set on request.");
    EXPECT_EQ(message_of(validate_execution(true, execution)), "WorkflowId is not set on request.");
    execution.set_workflow_id("workflow");
    EXPECT_TRUE(validate_execution(true, execution).ok());
    execution.set_run_id("0198c6d5-1111-4222-8333-0123456789ab");
    EXPECT_TRUE(validate_execution(true, execution).ok());
    for (const char* bad :
         {"run", "0198c6d5-1111-4222-8333-0123456789ag", "0198c6d5a1111-4222-8333-0123456789ab"}) {
        execution.set_run_id(bad);
        EXPECT_EQ(message_of(validate_execution(true, execution)), "Invalid RunId.") << bad;
    }
}

TEST(Validation, PollNeedsADeadlineThatIsNotTooNear) {
    const Timestamp now{hours(1000)};
    EXPECT_EQ(message_of(validate_poll_deadline(kNever, now)), "Context timeout is not set.");
    EXPECT_EQ(message_of(validate_poll_deadline(now + seconds(1), now)),
              "Context timeout is too short.");
    EXPECT_TRUE(validate_poll_deadline(now + seconds(2), now).ok());
}

TEST(Validation, SignalWithStartCanNotFailOnARunningWorkflow) {
    service::SignalWithStartWorkflowExecutionRequest request;
    request.set_workflow_id("workflow");
    request.mutable_workflow_type()->set_name("type");
    request.mutable_task_queue()->set_name("queue");
    EXPECT_EQ(message_of(validate_signal_with_start(request, {}, "fresh")), "signal not set");
    request.set_signal_name("signal");
    request.set_workflow_id_conflict_policy(enums::WORKFLOW_ID_CONFLICT_POLICY_FAIL);
    EXPECT_EQ(validate_signal_with_start(request, {}, "fresh").code(),
              absl::StatusCode::kInvalidArgument);
    request.clear_workflow_id_conflict_policy();
    ASSERT_TRUE(validate_signal_with_start(request, {}, "fresh").ok());
    EXPECT_EQ(request.workflow_id_conflict_policy(),
              enums::WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING);
}

TEST(Validation, SignalAndQueryNeedTheirNames) {
    service::SignalWorkflowExecutionRequest signal;
    signal.mutable_workflow_execution()->set_workflow_id("workflow");
    EXPECT_EQ(message_of(validate_signal(signal, {})), "SignalName is not set on request.");
    signal.set_signal_name(overlong());
    EXPECT_EQ(message_of(validate_signal(signal, {})), "SignalName length exceeds limit.");
    service::QueryWorkflowRequest query;
    query.mutable_execution()->set_workflow_id("workflow");
    EXPECT_EQ(message_of(validate_query(query, {})), "WorkflowQuery is not set on request.");
    query.mutable_query();
    EXPECT_EQ(message_of(validate_query(query, {})), "QueryType is not set on request.");
}

TEST(Validation, RetentionHasALeastValue) {
    google::protobuf::Duration retention = to_proto(hours(1));
    EXPECT_TRUE(validate_retention(retention, hours(1)).ok());
    retention = to_proto(seconds(3599));
    EXPECT_EQ(message_of(validate_retention(retention, hours(1))),
              "A valid retention period is not set on request.");
}

}  // namespace
}  // namespace stele::frontend
