package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
)

// Tally counts checks, and prints those that failed.
type Tally struct{ passed, failed int }

func (t *Tally) Check(holds bool, format string, arguments ...any) {
	if holds {
		t.passed++
		return
	}
	t.failed++
	fmt.Printf("FAILED: "+format+"\n", arguments...)
}

// checkAll reads back every workflow of the record, waiting for those that have not ended.
func checkAll(service workflowservice.WorkflowServiceClient, record *Record, limit time.Duration,
	tally *Tally) {
	counts := record.Count()
	tally.Check(counts.starts > 0 && counts.signals > 0 && counts.completions > 0,
		"there was no load: %+v acknowledged", counts)
	end := time.Now().Add(limit)
	events := 0
	for id, acknowledged := range record.All() {
		history, err := readEndedHistory(service, id, end)
		if err != nil {
			tally.Check(false, "%s: an acknowledged workflow cannot be read: %v", id, err)
			continue
		}
		events += len(history)
		CheckWorkflow(id, acknowledged, history, tally)
	}
	fmt.Printf("checked %d events against %d acknowledged starts, %d signals and %d completions\n",
		events, counts.starts, counts.signals, counts.completions)
}

// readEndedHistory returns what there is at `end` if the workflow has not ended by then.
func readEndedHistory(service workflowservice.WorkflowServiceClient, id string,
	end time.Time) ([]*historypb.HistoryEvent, error) {
	for {
		history, err := readHistory(service, id)
		var missing *serviceerror.NotFound
		if errors.As(err, &missing) || time.Now().After(end) {
			return history, err
		}
		if err == nil && len(history) > 0 && isClosing(history[len(history)-1]) {
			return history, nil
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func readHistory(service workflowservice.WorkflowServiceClient,
	id string) ([]*historypb.HistoryEvent, error) {
	var history []*historypb.HistoryEvent
	request := &workflowservice.GetWorkflowExecutionHistoryRequest{
		Namespace: namespace, Execution: &commonpb.WorkflowExecution{WorkflowId: id}}
	for {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		reply, err := service.GetWorkflowExecutionHistory(ctx, request)
		cancel()
		if err != nil {
			return nil, err
		}
		history = append(history, reply.GetHistory().GetEvents()...)
		if request.NextPageToken = reply.GetNextPageToken(); len(request.NextPageToken) == 0 {
			return history, nil
		}
	}
}

// CheckWorkflow compares one history with what was acknowledged for it.
func CheckWorkflow(id string, acknowledged Acknowledged, history []*historypb.HistoryEvent,
	tally *Tally) {
	checkShape(id, history, tally)
	if acknowledged.RunID != "" {
		checkStart(id, acknowledged.RunID, history, tally)
	}
	signals, completions := map[string]int{}, map[string]int{}
	for _, event := range history {
		if attributes := event.GetWorkflowExecutionSignaledEventAttributes(); attributes != nil {
			signals[payloadText(attributes.GetInput())]++
		}
		if attributes := event.GetActivityTaskCompletedEventAttributes(); attributes != nil {
			completions[payloadText(attributes.GetResult())]++
		}
	}
	for _, text := range acknowledged.Signals {
		tally.Check(signals[text] == 1, "%s: acknowledged signal %q is there %d times", id, text, signals[text])
		delete(signals, text)
	}
	for text, count := range signals {
		tally.Check(count == 1, "%s: signal %q without an answer is there %d times", id, text, count)
	}
	for _, text := range acknowledged.Completions {
		tally.Check(completions[text] == 1, "%s: acknowledged completion %q is there %d times", id, text,
			completions[text])
	}
}

func checkStart(id, runID string, history []*historypb.HistoryEvent, tally *Tally) {
	found := ""
	if len(history) > 0 {
		found = history[0].GetWorkflowExecutionStartedEventAttributes().GetOriginalExecutionRunId()
	}
	tally.Check(found == runID, "%s: run %s was acknowledged, run %q is there", id, runID, found)
}

func checkShape(id string, history []*historypb.HistoryEvent, tally *Tally) {
	contiguous, closings := true, 0
	for index, event := range history {
		contiguous = contiguous && event.GetEventId() == int64(index+1)
		if isClosing(event) {
			closings++
		}
	}
	tally.Check(contiguous, "%s: event ids are not contiguous from 1", id)
	closed := len(history) > 0 && isClosing(history[len(history)-1])
	tally.Check(closed && closings == 1, "%s: %d closing events, the last event is one: %v", id, closings,
		closed)
	tally.Check(closed && history[len(history)-1].GetEventType() ==
		enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED, "%s: did not complete", id)
}

func isClosing(event *historypb.HistoryEvent) bool {
	switch event.GetEventType() {
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
		enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
		enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
		enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
		return true
	}
	return false
}
