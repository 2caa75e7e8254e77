package main

import (
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	sdkpb "go.temporal.io/api/sdk/v1"
	"go.temporal.io/api/workflowservice/v1"
)

// Behaviour holds the scripts: every method is one, and is named after what it shows.
type Behaviour struct{}

func conflict(policy enumspb.WorkflowIdConflictPolicy) func(*startRequest) {
	return func(r *startRequest) { r.WorkflowIdConflictPolicy = policy }
}

func reuse(policy enumspb.WorkflowIdReusePolicy) func(*startRequest) {
	return func(r *startRequest) { r.WorkflowIdReusePolicy = policy }
}

func (p *Play) requestID(suffix string) func(*startRequest) {
	return func(r *startRequest) { r.RequestId = p.name(suffix) }
}

func (Behaviour) StartFillsInDefaults(p *Play) {
	p.start()
	p.describe()
	p.history()
}

func (Behaviour) StartKeepsEverythingItIsGiven(p *Play) {
	p.start(func(r *startRequest) {
		r.WorkflowExecutionTimeout, r.WorkflowRunTimeout = seconds(3600), seconds(600)
		r.WorkflowTaskTimeout = seconds(7)
		r.RetryPolicy = &commonpb.RetryPolicy{MaximumAttempts: 3, NonRetryableErrorTypes: []string{"Bad"}}
		r.Memo = &commonpb.Memo{Fields: map[string]*commonpb.Payload{"note": payload("memo")}}
		r.Header = header("trace")
		r.UserMetadata = &sdkpb.UserMetadata{Summary: payload("summary"), Details: payload("details")}
		r.Priority = &commonpb.Priority{PriorityKey: 2}
	})
	p.describe()
	p.history()
}

func (Behaviour) RunTimeoutIsCappedByExecutionTimeout(p *Play) {
	p.start(func(r *startRequest) {
		r.WorkflowExecutionTimeout, r.WorkflowRunTimeout = seconds(60), seconds(600)
		r.WorkflowTaskTimeout = seconds(500)
	})
	p.history()
}

func (Behaviour) SecondStartOfRunningIdIsRefused(p *Play) {
	p.start()
	p.start(p.requestID("other"))
	p.history()
}

func (Behaviour) StartWithSameRequestIdIsTheSameStart(p *Play) {
	p.start()
	p.start()
	p.step(completeWorkflow())
	p.start()
	p.history()
}

func (Behaviour) ConflictPolicyUseExistingReturnsRunningRun(p *Play) {
	p.start()
	p.start(p.requestID("other"), conflict(enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING))
	p.history()
}

func (Behaviour) ConflictPolicyTerminateExistingReplacesRun(p *Play) {
	first := p.start()
	p.start(p.requestID("other"), conflict(enumspb.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING))
	p.send(p.historyOf(p.runOf(p.id(), first.RunId)))
	p.history()
	p.describe()
}

func (Behaviour) ReusePolicyTerminateIfRunningReplacesRun(p *Play) {
	first := p.start()
	p.start(p.requestID("other"), reuse(enumspb.WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING))
	p.send(p.historyOf(p.runOf(p.id(), first.RunId)))
	p.history()
}

func (Behaviour) ReusePolicyAllowsDuplicateAfterCompletion(p *Play) {
	p.start()
	p.step(completeWorkflow())
	p.start(p.requestID("other"), reuse(enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE))
	p.history()
}

func (Behaviour) ReusePolicyFailedOnlyRefusesAfterCompletion(p *Play) {
	p.start()
	p.step(completeWorkflow())
	p.start(p.requestID("other"), reuse(enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY))
}

func (Behaviour) ReusePolicyFailedOnlyAllowsAfterFailure(p *Play) {
	p.start()
	p.step(failWorkflow("Failed"))
	p.start(p.requestID("other"), reuse(enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY))
	p.terminate()
	p.start(p.requestID("third"), reuse(enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY))
}

func (Behaviour) ReusePolicyRejectRefusesAfterAnyClose(p *Play) {
	p.start()
	p.terminate()
	p.start(p.requestID("other"), reuse(enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE))
}

func (Behaviour) SignalWithStartStartsAndSignals(p *Play) {
	p.send(p.signalWithStartOf())
	p.history()
	p.step(completeWorkflow())
	p.history()
}

func (Behaviour) SignalWithStartSignalsRunningRun(p *Play) {
	p.start()
	p.send(p.signalWithStartOf(func(r *signalWithStartRequest) { r.RequestId = p.name("other") }))
	p.history()
}

func (Behaviour) SignalWithStartTwiceSignalsTwice(p *Play) {
	p.send(p.signalWithStartOf())
	p.send(p.signalWithStartOf())
	p.history()
}

func (Behaviour) SignalWithStartTerminatesWhenAsked(p *Play) {
	first := p.start()
	p.send(p.signalWithStartOf(func(r *signalWithStartRequest) {
		r.RequestId = p.name("other")
		r.WorkflowIdConflictPolicy = enumspb.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING
	}))
	p.send(p.historyOf(p.runOf(p.id(), first.RunId)))
	p.history()
}

func (Behaviour) SignalWithStartHonoursReusePolicy(p *Play) {
	p.start()
	p.terminate()
	p.send(p.signalWithStartOf(func(r *signalWithStartRequest) {
		r.RequestId = p.name("other")
		r.WorkflowIdReusePolicy = enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE
	}))
}

func (Behaviour) DelayedStartWaitsBeforeItsFirstTask(p *Play) {
	p.start(func(r *startRequest) { r.WorkflowStartDelay = seconds(2) })
	p.history()
	p.describe()
	p.signal("early")
	p.history()
	p.step(completeWorkflow())
	p.history()
}

func (Behaviour) SignalWithStartEndsADelay(p *Play) {
	p.start(func(r *startRequest) { r.WorkflowStartDelay = seconds(60) })
	p.send(p.signalWithStartOf(func(r *signalWithStartRequest) { r.RequestId = p.name("other") }))
	p.step(completeWorkflow())
	p.history()
}

func (Behaviour) CancelEndsADelay(p *Play) {
	p.start(func(r *startRequest) { r.WorkflowStartDelay = seconds(60) })
	p.send(p.cancelOf())
	p.step(cancelWorkflow())
	p.history()
}

func (Behaviour) EagerStartReturnsTheFirstTask(p *Play) {
	answer := p.start(func(r *startRequest) { r.RequestEagerExecution = true })
	p.complete(answer.EagerWorkflowTask, completeWorkflow())
	p.history()
}

func (Behaviour) RunTimeoutEndsTheRun(p *Play) {
	p.start(func(r *startRequest) { r.WorkflowRunTimeout = seconds(1) })
	p.awaitClose()
	p.history()
	p.describe()
}

func (Behaviour) ExecutionTimeoutEndsTheRun(p *Play) {
	p.start(func(r *startRequest) { r.WorkflowExecutionTimeout = seconds(1) })
	p.awaitClose()
	p.history()
}

func (Behaviour) FailedRunIsRetriedByItsPolicy(p *Play) {
	first := p.start(func(r *startRequest) {
		r.RetryPolicy = &commonpb.RetryPolicy{MaximumAttempts: 2, InitialInterval: seconds(0.1)}
	})
	p.step(failWorkflow("Once"))
	p.step(failWorkflow("Twice"))
	p.send(p.historyOf(p.runOf(p.id(), first.RunId)))
	p.history()
	p.describe()
}

func (Behaviour) FailureOfANonRetryableTypeIsNotRetried(p *Play) {
	p.start(func(r *startRequest) {
		r.RetryPolicy = &commonpb.RetryPolicy{NonRetryableErrorTypes: []string{"Fatal"}}
	})
	p.step(failWorkflow("Fatal"))
	p.history()
}

func (Behaviour) SystemInfoClaimsWhatSdksRelyOn(p *Play) {
	answer := call[*workflowservice.GetSystemInfoResponse](p.muted(), &workflowservice.GetSystemInfoRequest{})
	p.transcript.note("capabilities",
		Line{"signal_and_query_header", boolText(answer.GetCapabilities().GetSignalAndQueryHeader())},
		Line{"eager_workflow_start", boolText(answer.GetCapabilities().GetEagerWorkflowStart())},
		Line{"upsert_memo", boolText(answer.GetCapabilities().GetUpsertMemo())},
		Line{"sdk_metadata", boolText(answer.GetCapabilities().GetSdkMetadata())})
}

func (Behaviour) StartWithUnknownSearchAttributeIsRefused(p *Play) {
	p.start(func(r *startRequest) {
		r.SearchAttributes = &commonpb.SearchAttributes{
			IndexedFields: map[string]*commonpb.Payload{"Nothing": payload("x")}}
	})
}
