package main

import (
	"bytes"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
)

// long is a name longer than any server takes.
func long() string { return strings.Repeat("n", 1001) }

// huge is more than a payload may be, and less than a message may be.
func huge() *commonpb.Payloads { return payloads(strings.Repeat("x", 2200000)) }

const absentRun = "11111111-2222-3333-4444-555555555555"

func badStart(name string, change func(*startRequest)) BadInput {
	return BadInput{name: name, request: func(p *Play) proto.Message { return p.startOf(change) }}
}

func badSignalWithStart(name string, change func(*signalWithStartRequest)) BadInput {
	return BadInput{name: name, request: func(p *Play) proto.Message { return p.signalWithStartOf(change) }}
}

// onRun is a bad call about a run that exists and waits in its first task.
func onRun(name string, request func(*Play) proto.Message) BadInput {
	return BadInput{name: name, request: func(p *Play) proto.Message {
		p.start()
		return request(p)
	}}
}

// withTask is a bad answer to a task that a worker has.
func withTask(name string, request func(*Play, workflowTask) proto.Message) BadInput {
	return onRun(name, func(p *Play) proto.Message { return request(p, p.poll()) })
}

func withActivity(name string, request func(*Play, activityTask) proto.Message) BadInput {
	return onRun(name, func(p *Play) proto.Message {
		p.step(p.scheduleActivity("1"))
		return request(p, p.pollActivity())
	})
}

// invalidText replaces a piece of text in the encoded request by bytes that are not UTF-8.
func invalidText(request proto.Message, text string) proto.Message {
	encoded, err := proto.Marshal(request)
	if err != nil {
		panic(err)
	}
	invalid := bytes.Repeat([]byte{0xff}, len(text))
	return raw{request, bytes.Replace(encoded, []byte(text), invalid, 1)}
}

// forged changes the first byte of a token.
func forged(token []byte) []byte {
	changed := bytes.Clone(token)
	// A wire type that there is not. Any other change is decoded or not as the namespace id of the day falls.
	changed[0] ^= 0x05
	return changed
}

var badInputs = []BadInput{
	badStart("StartWithoutNamespace", func(r *startRequest) { r.Namespace = "" }),
	badStart("StartInUnknownNamespace", func(r *startRequest) { r.Namespace = "nowhere" }),
	badStart("StartWithoutWorkflowId", func(r *startRequest) { r.WorkflowId = "" }),
	badStart("StartWithLongWorkflowId", func(r *startRequest) { r.WorkflowId = long() }),
	badStart("StartWithoutType", func(r *startRequest) { r.WorkflowType = nil }),
	badStart("StartWithEmptyType", func(r *startRequest) { r.WorkflowType.Name = "" }),
	badStart("StartWithLongType", func(r *startRequest) { r.WorkflowType.Name = long() }),
	badStart("StartWithoutQueue", func(r *startRequest) { r.TaskQueue = nil }),
	badStart("StartWithEmptyQueue", func(r *startRequest) { r.TaskQueue.Name = "" }),
	badStart("StartWithLongQueue", func(r *startRequest) { r.TaskQueue.Name = long() }),
	badStart("StartOnReservedQueue", func(r *startRequest) { r.TaskQueue.Name = "/_sys/queue" }),
	badStart("StartWithLongRequestId", func(r *startRequest) { r.RequestId = long() }),
	badStart("StartWithNegativeRunTimeout", func(r *startRequest) { r.WorkflowRunTimeout = seconds(-1) }),
	badStart("StartWithNegativeExecutionTimeout", func(r *startRequest) { r.WorkflowExecutionTimeout = seconds(-1) }),
	badStart("StartWithNegativeTaskTimeout", func(r *startRequest) { r.WorkflowTaskTimeout = seconds(-1) }),
	badStart("StartWithNegativeDelay", func(r *startRequest) { r.WorkflowStartDelay = seconds(-1) }),
	badStart("StartWithDurationOfTwoSigns", func(r *startRequest) {
		r.WorkflowRunTimeout = &durationpb.Duration{Seconds: 1, Nanos: -1}
	}),
	badStart("StartWithDelayAndCron", func(r *startRequest) {
		r.WorkflowStartDelay, r.CronSchedule = seconds(5), "* * * * *"
	}),
	badStart("StartWithSmallBackoff", func(r *startRequest) {
		r.RetryPolicy = &commonpb.RetryPolicy{BackoffCoefficient: 0.5}
	}),
	badStart("StartWithNegativeRetryInterval", func(r *startRequest) {
		r.RetryPolicy = &commonpb.RetryPolicy{InitialInterval: seconds(-1)}
	}),
	badStart("StartWithMaximumIntervalBelowInitial", func(r *startRequest) {
		r.RetryPolicy = &commonpb.RetryPolicy{InitialInterval: seconds(10), MaximumInterval: seconds(1)}
	}),
	badStart("StartWithNegativeAttempts", func(r *startRequest) {
		r.RetryPolicy = &commonpb.RetryPolicy{MaximumAttempts: -1}
	}),
	badStart("StartWithUnknownTimeoutKind", func(r *startRequest) {
		r.RetryPolicy = &commonpb.RetryPolicy{NonRetryableErrorTypes: []string{"TemporalTimeout:Other"}}
	}),
	badStart("StartWithBothReuseAndConflict", func(r *startRequest) {
		r.WorkflowIdReusePolicy = enumspb.WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING
		r.WorkflowIdConflictPolicy = enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL
	}),
	badStart("StartTerminatingYetRejecting", func(r *startRequest) {
		r.WorkflowIdReusePolicy = enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE
		r.WorkflowIdConflictPolicy = enumspb.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING
	}),
	badStart("StartWithNegativePriority", func(r *startRequest) {
		r.Priority = &commonpb.Priority{PriorityKey: -1}
	}),
	badStart("StartWithOversizedInput", func(r *startRequest) { r.Input = huge() }),
	badStart("StartWithOversizedMemo", func(r *startRequest) {
		r.Memo = &commonpb.Memo{Fields: map[string]*commonpb.Payload{"m": huge().Payloads[0]}}
	}),
	{name: "StartWithInvalidText", request: func(p *Play) proto.Message {
		return invalidText(p.startOf(), "-workflow")
	}},
	onRun("StartOfARunningIdWithUnknownConflictPolicy", func(p *Play) proto.Message {
		return p.startOf(p.requestID("other"), conflict(99))
	}),
	onRun("StartOfARunningId", func(p *Play) proto.Message { return p.startOf(p.requestID("other")) }),

	badSignalWithStart("SignalWithStartWithoutSignal", func(r *signalWithStartRequest) { r.SignalName = "" }),
	badSignalWithStart("SignalWithStartWithLongSignal", func(r *signalWithStartRequest) { r.SignalName = long() }),
	badSignalWithStart("SignalWithStartWithoutWorkflowId", func(r *signalWithStartRequest) { r.WorkflowId = "" }),
	badSignalWithStart("SignalWithStartWithoutType", func(r *signalWithStartRequest) { r.WorkflowType = nil }),
	badSignalWithStart("SignalWithStartWithConflictFail", func(r *signalWithStartRequest) {
		r.WorkflowIdConflictPolicy = enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL
	}),
	badSignalWithStart("SignalWithStartWithOversizedSignal", func(r *signalWithStartRequest) { r.SignalInput = huge() }),

	{name: "SignalOfAMissingRun", request: func(p *Play) proto.Message { return p.signalOf("signal") }},
	onRun("SignalWithoutName", func(p *Play) proto.Message { return p.signalOf("") }),
	onRun("SignalWithLongName", func(p *Play) proto.Message { return p.signalOf(long()) }),
	onRun("SignalWithoutExecution", func(p *Play) proto.Message {
		request := p.signalOf("signal")
		request.WorkflowExecution = nil
		return request
	}),
	onRun("SignalWithBadRunId", func(p *Play) proto.Message {
		request := p.signalOf("signal")
		request.WorkflowExecution.RunId = "not-a-run"
		return request
	}),
	onRun("SignalOfAnotherRunOfTheId", func(p *Play) proto.Message {
		request := p.signalOf("signal")
		request.WorkflowExecution.RunId = absentRun
		return request
	}),
	onRun("SignalWithOversizedInput", func(p *Play) proto.Message {
		request := p.signalOf("signal")
		request.Input = huge()
		return request
	}),
	onRun("SignalWithInvalidText", func(p *Play) proto.Message {
		request := p.signalOf("signal")
		request.Identity = "invalid-text"
		return invalidText(request, "invalid-text")
	}),
	{name: "CancelOfAMissingRun", request: func(p *Play) proto.Message { return p.cancelOf() }},
	{name: "TerminateOfAMissingRun", request: func(p *Play) proto.Message { return p.terminateOf() }},
	onRun("TerminateWithBadRunId", func(p *Play) proto.Message {
		request := p.terminateOf()
		request.WorkflowExecution.RunId = "not-a-run"
		return request
	}),

	{name: "DescribeOfAMissingRun", request: func(p *Play) proto.Message { return p.describeOf(p.run()) }},
	{name: "DescribeWithoutExecution", request: func(p *Play) proto.Message { return p.describeOf(nil) }},
	{name: "DescribeWithoutWorkflowId", request: func(p *Play) proto.Message { return p.describeOf(p.runOf("", "")) }},
	{name: "HistoryOfAMissingRun", request: func(p *Play) proto.Message { return p.historyOf(p.run()) }},
	onRun("HistoryWithBadPageToken", func(p *Play) proto.Message {
		request := p.historyOf(p.run())
		request.NextPageToken = []byte("not a token")
		return request
	}),
	onRun("HistoryWithBadRunId", func(p *Play) proto.Message { return p.historyOf(p.runOf(p.id(), "bad")) }),
	onRun("HistoryOfAnAbsentRun", func(p *Play) proto.Message { return p.historyOf(p.runOf(p.id(), absentRun)) }),
	onRun("QueryWithoutQuery", func(p *Play) proto.Message {
		request := p.queryOf()
		request.Query = nil
		return request
	}),
	{name: "QueryOfAMissingRun", request: func(p *Play) proto.Message { return p.queryOf() }},

	{name: "PollWithoutDeadline", limit: -1, request: func(p *Play) proto.Message { return p.pollOf(p.queue()) }},
	{name: "PollWithShortDeadline", limit: 1500 * time.Millisecond, request: func(p *Play) proto.Message {
		return p.pollOf(p.queue())
	}},
	{name: "PollWithoutQueue", request: func(p *Play) proto.Message { return p.pollOf(nil) }},
	{name: "PollWithLongQueue", request: func(p *Play) proto.Message {
		return p.pollOf(&taskqueuepb.TaskQueue{Name: long()})
	}},
	{name: "PollInUnknownNamespace", request: func(p *Play) proto.Message {
		request := p.pollOf(p.queue())
		request.Namespace = "nowhere"
		return request
	}},
	{name: "PollWithLongIdentity", request: func(p *Play) proto.Message {
		request := p.pollOf(p.queue())
		request.Identity = long()
		return request
	}},
	{name: "ActivityPollWithoutDeadline", limit: -1, request: func(p *Play) proto.Message { return p.activityPollOf() }},
	{name: "ActivityPollWithoutQueue", request: func(p *Play) proto.Message {
		request := p.activityPollOf()
		request.TaskQueue = nil
		return request
	}},

	{name: "CompletionWithoutToken", request: func(p *Play) proto.Message { return p.completionOf(nil) }},
	{name: "CompletionWithNonsenseToken", request: func(p *Play) proto.Message {
		request := p.completionOf(nil)
		request.TaskToken = []byte("nonsense")
		return request
	}},
	withTask("CompletionWithForgedToken", func(p *Play, task workflowTask) proto.Message {
		request := p.completionOf(task)
		request.TaskToken = forged(task.TaskToken)
		return request
	}),
	withTask("CompletionWithLongIdentity", func(p *Play, task workflowTask) proto.Message {
		request := p.completionOf(task)
		request.Identity = long()
		return request
	}),
	withTask("CompletionInAnotherNamespace", func(p *Play, task workflowTask) proto.Message {
		request := p.completionOf(task)
		request.Namespace = "nowhere"
		return request
	}),
	withTask("CompletionOfAnOldTask", func(p *Play, task workflowTask) proto.Message {
		p.complete(task)
		return p.completionOf(task)
	}),
	{name: "TaskFailureWithoutToken", request: func(p *Play) proto.Message {
		return &workflowservice.RespondWorkflowTaskFailedRequest{Namespace: defaultNamespace}
	}},
	withTask("QueryAnswerWithAWorkflowTaskToken", func(p *Play, task workflowTask) proto.Message {
		return p.answerOf(task)
	}),
	{name: "ActivityCompletionWithoutToken", request: func(p *Play) proto.Message {
		return &workflowservice.RespondActivityTaskCompletedRequest{Namespace: defaultNamespace}
	}},
	withActivity("ActivityCompletionWithForgedToken", func(p *Play, task activityTask) proto.Message {
		return &workflowservice.RespondActivityTaskCompletedRequest{
			Namespace: defaultNamespace, TaskToken: forged(task.TaskToken)}
	}),
	withActivity("ActivityCanceledWithoutRequest", func(p *Play, task activityTask) proto.Message {
		return &workflowservice.RespondActivityTaskCanceledRequest{
			Namespace: defaultNamespace, TaskToken: task.TaskToken}
	}),
	withActivity("ActivityFailureOfAnotherKind", func(p *Play, task activityTask) proto.Message {
		return &workflowservice.RespondActivityTaskFailedRequest{
			Namespace: defaultNamespace, TaskToken: task.TaskToken,
			Failure: &failurepb.Failure{FailureInfo: &failurepb.Failure_TimeoutFailureInfo{
				TimeoutFailureInfo: &failurepb.TimeoutFailureInfo{}}}}
	}),
	{name: "HeartbeatWithoutToken", request: func(p *Play) proto.Message {
		return &workflowservice.RecordActivityTaskHeartbeatRequest{Namespace: defaultNamespace}
	}},
	{name: "HeartbeatWithNonsenseToken", request: func(p *Play) proto.Message {
		return &workflowservice.RecordActivityTaskHeartbeatRequest{
			Namespace: defaultNamespace, TaskToken: []byte("nonsense")}
	}},
	onRun("CompletionOfAnUnknownActivityId", func(p *Play) proto.Message { return p.completionByID("none") }),
	onRun("CompletionOfAnEmptyActivityId", func(p *Play) proto.Message { return p.completionByID("") }),

	{name: "RegistrationWithoutName", request: func(p *Play) proto.Message {
		request := p.registration()
		request.Namespace = ""
		return request
	}},
	{name: "RegistrationWithLongName", request: func(p *Play) proto.Message {
		request := p.registration()
		request.Namespace = long()
		return request
	}},
	{name: "RegistrationWithShortRetention", request: func(p *Play) proto.Message {
		request := p.registration()
		request.WorkflowExecutionRetentionPeriod = seconds(60)
		return request
	}},
	{name: "RegistrationWithoutRetention", request: func(p *Play) proto.Message {
		request := p.registration()
		request.WorkflowExecutionRetentionPeriod = nil
		return request
	}},
	{name: "RegistrationOfAnExistingName", request: func(p *Play) proto.Message {
		request := p.registration()
		request.Namespace = defaultNamespace
		return request
	}},
	{name: "DescribeOfAnUnknownNamespace", request: func(p *Play) proto.Message {
		return &workflowservice.DescribeNamespaceRequest{Namespace: "nowhere"}
	}},
}
