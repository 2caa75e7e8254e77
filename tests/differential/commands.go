package main

import (
	commandpb "go.temporal.io/api/command/v1"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
)

type scheduleAttributes = commandpb.ScheduleActivityTaskCommandAttributes

// scheduleActivity is a valid command of an activity on the script's queue, with changes.
func (p *Play) scheduleActivity(id string, changes ...func(*scheduleAttributes)) *commandpb.Command {
	attributes := &scheduleAttributes{
		ActivityId: id, ActivityType: &commonpb.ActivityType{Name: "Activity"}, TaskQueue: p.queue(),
		Input: payloads("activity"), ScheduleToCloseTimeout: seconds(60), StartToCloseTimeout: seconds(30),
	}
	for _, change := range changes {
		change(attributes)
	}
	return &commandpb.Command{
		CommandType: enumspb.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK,
		Attributes: &commandpb.Command_ScheduleActivityTaskCommandAttributes{
			ScheduleActivityTaskCommandAttributes: attributes},
	}
}

func attempts(n int32) func(*scheduleAttributes) {
	return func(a *scheduleAttributes) {
		a.RetryPolicy = &commonpb.RetryPolicy{MaximumAttempts: n, InitialInterval: seconds(0.1)}
	}
}

func requestCancelActivity(scheduled int64) *commandpb.Command {
	return &commandpb.Command{
		CommandType: enumspb.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK,
		Attributes: &commandpb.Command_RequestCancelActivityTaskCommandAttributes{
			RequestCancelActivityTaskCommandAttributes: &commandpb.RequestCancelActivityTaskCommandAttributes{
				ScheduledEventId: scheduled}},
	}
}

func startTimer(id string, after float64) *commandpb.Command {
	return &commandpb.Command{
		CommandType: enumspb.COMMAND_TYPE_START_TIMER,
		Attributes: &commandpb.Command_StartTimerCommandAttributes{
			StartTimerCommandAttributes: &commandpb.StartTimerCommandAttributes{
				TimerId: id, StartToFireTimeout: seconds(after)}},
	}
}

func cancelTimer(id string) *commandpb.Command {
	return &commandpb.Command{
		CommandType: enumspb.COMMAND_TYPE_CANCEL_TIMER,
		Attributes: &commandpb.Command_CancelTimerCommandAttributes{
			CancelTimerCommandAttributes: &commandpb.CancelTimerCommandAttributes{TimerId: id}},
	}
}

func completeWorkflow() *commandpb.Command {
	return &commandpb.Command{
		CommandType: enumspb.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
		Attributes: &commandpb.Command_CompleteWorkflowExecutionCommandAttributes{
			CompleteWorkflowExecutionCommandAttributes: &commandpb.CompleteWorkflowExecutionCommandAttributes{
				Result: payloads("done")}},
	}
}

func failWorkflow(kind string) *commandpb.Command {
	return &commandpb.Command{
		CommandType: enumspb.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION,
		Attributes: &commandpb.Command_FailWorkflowExecutionCommandAttributes{
			FailWorkflowExecutionCommandAttributes: &commandpb.FailWorkflowExecutionCommandAttributes{
				Failure: applicationFailure(kind, false)}},
	}
}

func cancelWorkflow() *commandpb.Command {
	return &commandpb.Command{
		CommandType: enumspb.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION,
		Attributes: &commandpb.Command_CancelWorkflowExecutionCommandAttributes{
			CancelWorkflowExecutionCommandAttributes: &commandpb.CancelWorkflowExecutionCommandAttributes{
				Details: payloads("canceled")}},
	}
}

type continueAttributes = commandpb.ContinueAsNewWorkflowExecutionCommandAttributes

func (p *Play) continueAsNew(changes ...func(*continueAttributes)) *commandpb.Command {
	attributes := &continueAttributes{
		WorkflowType: &commonpb.WorkflowType{Name: "Next"}, TaskQueue: p.queue(),
		Input: payloads("next"), Memo: &commonpb.Memo{Fields: map[string]*commonpb.Payload{
			"carried": payload("memo")}},
	}
	for _, change := range changes {
		change(attributes)
	}
	return &commandpb.Command{
		CommandType: enumspb.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION,
		Attributes: &commandpb.Command_ContinueAsNewWorkflowExecutionCommandAttributes{
			ContinueAsNewWorkflowExecutionCommandAttributes: attributes},
	}
}

func recordMarker(name string) *commandpb.Command {
	return &commandpb.Command{
		CommandType: enumspb.COMMAND_TYPE_RECORD_MARKER,
		Attributes: &commandpb.Command_RecordMarkerCommandAttributes{
			RecordMarkerCommandAttributes: &commandpb.RecordMarkerCommandAttributes{
				MarkerName: name, Header: header("marker"),
				Details: map[string]*commonpb.Payloads{"data": payloads("data")},
				Failure: applicationFailure("Marked", true)}},
	}
}

func upsertMemo(fields map[string]*commonpb.Payload) *commandpb.Command {
	return &commandpb.Command{
		CommandType: enumspb.COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES,
		Attributes: &commandpb.Command_ModifyWorkflowPropertiesCommandAttributes{
			ModifyWorkflowPropertiesCommandAttributes: &commandpb.ModifyWorkflowPropertiesCommandAttributes{
				UpsertedMemo: &commonpb.Memo{Fields: fields}}},
	}
}

func upsertSearchAttributes(fields map[string]*commonpb.Payload) *commandpb.Command {
	return &commandpb.Command{
		CommandType: enumspb.COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
		Attributes: &commandpb.Command_UpsertWorkflowSearchAttributesCommandAttributes{
			UpsertWorkflowSearchAttributesCommandAttributes: &commandpb.UpsertWorkflowSearchAttributesCommandAttributes{
				SearchAttributes: &commonpb.SearchAttributes{IndexedFields: fields}}},
	}
}

func signalExternal(target *commonpb.WorkflowExecution, name string) *commandpb.Command {
	return &commandpb.Command{
		CommandType: enumspb.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION,
		Attributes: &commandpb.Command_SignalExternalWorkflowExecutionCommandAttributes{
			SignalExternalWorkflowExecutionCommandAttributes: &commandpb.SignalExternalWorkflowExecutionCommandAttributes{
				Namespace: defaultNamespace, Execution: target, SignalName: name,
				Input: payloads(name), Control: "control"}},
	}
}

func cancelExternal(target *commonpb.WorkflowExecution) *commandpb.Command {
	return &commandpb.Command{
		CommandType: enumspb.COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION,
		Attributes: &commandpb.Command_RequestCancelExternalWorkflowExecutionCommandAttributes{
			RequestCancelExternalWorkflowExecutionCommandAttributes: &commandpb.RequestCancelExternalWorkflowExecutionCommandAttributes{
				Namespace: defaultNamespace, WorkflowId: target.WorkflowId, RunId: target.RunId,
				Control: "control", Reason: "over"}},
	}
}

func (p *Play) stickyQueue() *taskqueuepb.TaskQueue {
	return &taskqueuepb.TaskQueue{Name: p.prefix + "-sticky",
		Kind: enumspb.TASK_QUEUE_KIND_STICKY, NormalName: p.queue().Name}
}
