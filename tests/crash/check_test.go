package main

import (
	"testing"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
)

func started(id int64) *historypb.HistoryEvent {
	return &historypb.HistoryEvent{EventId: id, EventType: enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
		Attributes: &historypb.HistoryEvent_WorkflowExecutionStartedEventAttributes{
			WorkflowExecutionStartedEventAttributes: &historypb.WorkflowExecutionStartedEventAttributes{
				OriginalExecutionRunId: "run"}}}
}

func signaled(id int64, text string) *historypb.HistoryEvent {
	return &historypb.HistoryEvent{EventId: id, EventType: enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
		Attributes: &historypb.HistoryEvent_WorkflowExecutionSignaledEventAttributes{
			WorkflowExecutionSignaledEventAttributes: &historypb.WorkflowExecutionSignaledEventAttributes{
				Input: textPayloads(text)}}}
}

func activityCompleted(id int64, text string) *historypb.HistoryEvent {
	return &historypb.HistoryEvent{EventId: id, EventType: enumspb.EVENT_TYPE_ACTIVITY_TASK_COMPLETED,
		Attributes: &historypb.HistoryEvent_ActivityTaskCompletedEventAttributes{
			ActivityTaskCompletedEventAttributes: &historypb.ActivityTaskCompletedEventAttributes{
				Result: textPayloads(text)}}}
}

func completed(id int64) *historypb.HistoryEvent {
	return &historypb.HistoryEvent{EventId: id, EventType: enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED}
}

func failures(acknowledged Acknowledged, history ...*historypb.HistoryEvent) int {
	tally := &Tally{}
	CheckWorkflow("id", acknowledged, history, tally)
	return tally.failed
}

var agreed = Acknowledged{RunID: "run", Signals: []string{"signal"}, Completions: []string{"result"}}

func TestAHistoryWithAllThatWasAcknowledgedPasses(t *testing.T) {
	if failures(agreed, started(1), signaled(2, "signal"), activityCompleted(3, "result"), completed(4)) != 0 {
		t.Fatal("a good history failed")
	}
}

func TestEachKindOfLossIsFound(t *testing.T) {
	cases := map[string][]*historypb.HistoryEvent{
		"signal lost":       {started(1), activityCompleted(2, "result"), completed(3)},
		"signal twice":      {started(1), signaled(2, "signal"), signaled(3, "signal"), activityCompleted(4, "result"), completed(5)},
		"completion lost":   {started(1), signaled(2, "signal"), activityCompleted(3, "another"), completed(4)},
		"start lost":        {signaled(1, "signal"), activityCompleted(2, "result"), completed(3)},
		"gap in the ids":    {started(1), signaled(2, "signal"), activityCompleted(4, "result"), completed(5)},
		"never ended":       {started(1), signaled(2, "signal"), activityCompleted(3, "result")},
		"ended twice":       {started(1), signaled(2, "signal"), activityCompleted(3, "result"), completed(4), completed(5)},
		"event after close": {started(1), signaled(2, "signal"), completed(3), activityCompleted(4, "result")},
		"nothing there":     {},
	}
	for name, history := range cases {
		if failures(agreed, history...) == 0 {
			t.Errorf("%s: not found", name)
		}
	}
}

func TestASignalWithoutAnAnswerMayBeThereOnceOnly(t *testing.T) {
	acknowledged := Acknowledged{RunID: "run"}
	if failures(acknowledged, started(1), signaled(2, "other"), completed(3)) != 0 {
		t.Error("once is allowed")
	}
	if failures(acknowledged, started(1), signaled(2, "other"), signaled(3, "other"), completed(4)) == 0 {
		t.Error("twice was not found")
	}
}

func TestAnotherRunThanTheAcknowledgedOneIsFound(t *testing.T) {
	acknowledged := Acknowledged{RunID: "another"}
	if failures(acknowledged, started(1), completed(2)) == 0 {
		t.Error("not found")
	}
}
