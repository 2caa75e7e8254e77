package main

import (
	"testing"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
)

func startedEvent(id int64) *historypb.HistoryEvent {
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

func startedAs(run, continued string) *historypb.HistoryEvent {
	event := startedEvent(1)
	event.GetWorkflowExecutionStartedEventAttributes().OriginalExecutionRunId = run
	event.GetWorkflowExecutionStartedEventAttributes().ContinuedExecutionRunId = continued
	return event
}

func continued(id int64, run string) *historypb.HistoryEvent {
	return &historypb.HistoryEvent{EventId: id,
		EventType: enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
		Attributes: &historypb.HistoryEvent_WorkflowExecutionContinuedAsNewEventAttributes{
			WorkflowExecutionContinuedAsNewEventAttributes: &historypb.WorkflowExecutionContinuedAsNewEventAttributes{
				NewExecutionRunId: run}}}
}

func childCompleted(id int64) *historypb.HistoryEvent {
	return &historypb.HistoryEvent{EventId: id, EventType: enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED}
}

func failures(acknowledged Acknowledged, history ...*historypb.HistoryEvent) int {
	return failuresOf(acknowledged, history)
}

func failuresOf(acknowledged Acknowledged, chain ...History) int {
	tally := &Tally{}
	CheckWorkflow("id", acknowledged, chain, tally)
	return tally.failed
}

var agreed = Acknowledged{Kind: "Notes", RunID: "run", Signals: []string{"signal"}, Completions: []string{"result"}}

func TestAHistoryWithAllThatWasAcknowledgedPasses(t *testing.T) {
	if failures(agreed, startedEvent(1), signaled(2, "signal"), activityCompleted(3, "result"), completed(4)) != 0 {
		t.Fatal("a good history failed")
	}
}

func TestEachKindOfLossIsFound(t *testing.T) {
	cases := map[string][]*historypb.HistoryEvent{
		"signal lost":       {startedEvent(1), activityCompleted(2, "result"), completed(3)},
		"signal twice":      {startedEvent(1), signaled(2, "signal"), signaled(3, "signal"), activityCompleted(4, "result"), completed(5)},
		"completion lost":   {startedEvent(1), signaled(2, "signal"), activityCompleted(3, "another"), completed(4)},
		"start lost":        {signaled(1, "signal"), activityCompleted(2, "result"), completed(3)},
		"gap in the ids":    {startedEvent(1), signaled(2, "signal"), activityCompleted(4, "result"), completed(5)},
		"never ended":       {startedEvent(1), signaled(2, "signal"), activityCompleted(3, "result")},
		"ended twice":       {startedEvent(1), signaled(2, "signal"), activityCompleted(3, "result"), completed(4), completed(5)},
		"event after close": {startedEvent(1), signaled(2, "signal"), completed(3), activityCompleted(4, "result")},
		"nothing there":     {},
	}
	for name, history := range cases {
		if failures(agreed, history...) == 0 {
			t.Errorf("%s: not found", name)
		}
	}
}

func TestASignalWithoutAnAnswerMayBeThereOnceOnly(t *testing.T) {
	acknowledged := Acknowledged{Kind: "Notes", RunID: "run"}
	if failures(acknowledged, startedEvent(1), signaled(2, "other"), completed(3)) != 0 {
		t.Error("once is allowed")
	}
	if failures(acknowledged, startedEvent(1), signaled(2, "other"), signaled(3, "other"), completed(4)) == 0 {
		t.Error("twice was not found")
	}
}

func TestAnotherRunThanTheAcknowledgedOneIsFound(t *testing.T) {
	acknowledged := Acknowledged{Kind: "Notes", RunID: "another"}
	if failures(acknowledged, startedEvent(1), completed(2)) == 0 {
		t.Error("not found")
	}
}

func TestAChainMustHaveAllItsRuns(t *testing.T) {
	acknowledged := Acknowledged{Kind: "Chain", RunID: "a", Completions: []string{"result"}}
	first := History{startedAs("a", ""), continued(2, "b")}
	second := History{startedAs("b", "a"), activityCompleted(2, "result"), continued(3, "c")}
	third := History{startedAs("c", "b"), completed(2)}
	if failuresOf(acknowledged, first, second, third) != 0 {
		t.Fatal("a good chain failed")
	}
	again := History{startedAs("c", "b"), activityCompleted(2, "result"), completed(3)}
	cases := map[string][]History{
		"last run lost":        {first, second},
		"ended too early":      {first, {startedAs("b", "a"), activityCompleted(2, "result"), completed(3)}},
		"another predecessor":  {first, second, {startedAs("c", "a"), completed(2)}},
		"completion in two":    {first, second, again},
		"completion in no run": {first, {startedAs("b", "a"), continued(2, "c")}, third},
	}
	for name, chain := range cases {
		if failuresOf(acknowledged, chain...) == 0 {
			t.Errorf("%s: not found", name)
		}
	}
}

func TestAFamilyMustHearOfEachChild(t *testing.T) {
	acknowledged := Acknowledged{Kind: "Family", RunID: "run"}
	one, two := signaled(2, errandSignal(childID("id", 1))), signaled(3, errandSignal(childID("id", 2)))
	if failures(acknowledged, startedEvent(1), one, two, childCompleted(4), childCompleted(5), completed(6)) != 0 {
		t.Fatal("a good family failed")
	}
	if failures(acknowledged, startedEvent(1), one, two, childCompleted(4), completed(5)) == 0 {
		t.Error("an end that is missing was not found")
	}
	three := signaled(3, errandSignal(childID("id", 3)))
	if failures(acknowledged, startedEvent(1), one, three, childCompleted(4), childCompleted(5), completed(6)) == 0 {
		t.Error("a signal that is missing was not found")
	}
}

func TestListsMustHaveEachRunOnceAsItHasEnded(t *testing.T) {
	type Status = enumspb.WorkflowExecutionStatus
	const ended, open = enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED, enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING
	runs := map[string]Status{"run": ended}
	if len(CompareLists(runs, map[string][]Status{"run": {ended}, "another": {open}})) != 0 {
		t.Error("a good list failed")
	}
	for name, listed := range map[string][]Status{"missing": {}, "twice": {ended, ended}, "open": {open}} {
		if len(CompareLists(runs, map[string][]Status{"run": listed})) == 0 {
			t.Errorf("%s: not found", name)
		}
	}
}
