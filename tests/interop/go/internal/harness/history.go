package harness

import (
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
)

// History reads the whole history of a run and checks that its event ids are
// contiguous.
func (e *Env) History(workflowID, runID string) []*historypb.HistoryEvent {
	iterator := e.Client.GetWorkflowHistory(
		e, workflowID, runID, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	var events []*historypb.HistoryEvent
	for iterator.HasNext() {
		event, err := iterator.Next()
		e.Check(err, "read history of "+workflowID)
		e.Equal(int64(len(events)+1), event.EventId, "next event id")
		events = append(events, event)
	}
	return events
}

// EventsOf picks the events of one type from the history of a run.
func (e *Env) EventsOf(run client.WorkflowRun, kind enumspb.EventType) []*historypb.HistoryEvent {
	var found []*historypb.HistoryEvent
	for _, event := range e.History(run.GetID(), run.GetRunID()) {
		if event.EventType == kind {
			found = append(found, event)
		}
	}
	return found
}

// HasEvents ends the scenario unless the run has so many events of a type.
func (e *Env) HasEvents(run client.WorkflowRun, want int, kind enumspb.EventType) {
	e.Equal(want, len(e.EventsOf(run, kind)), "number of events "+kind.String())
}

// Describe describes a run; an empty run id means the current one.
func (e *Env) Describe(workflowID, runID string) *workflowservice.DescribeWorkflowExecutionResponse {
	description, err := e.Client.DescribeWorkflowExecution(e, workflowID, runID)
	e.Check(err, "describe "+workflowID)
	return description
}

// HasStatus ends the scenario unless a run has the status; an empty run id
// means the current one.
func (e *Env) HasStatus(want enumspb.WorkflowExecutionStatus, workflowID, runID string) {
	got := e.Describe(workflowID, runID).WorkflowExecutionInfo.Status
	e.Equal(want, got, "status of "+workflowID)
}

// ActivityStarted tells whether an activity of the workflow is in a worker's
// hands.
func (e *Env) ActivityStarted(workflowID string) bool {
	pending := e.Describe(workflowID, "").PendingActivities
	return len(pending) == 1 && pending[0].State == enumspb.PENDING_ACTIVITY_STATE_STARTED
}
