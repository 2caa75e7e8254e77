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

// History is the events of one run.
type History = []*historypb.HistoryEvent

// checkAll reads back every workflow of the record, waiting for those that have not ended, and compares
// them with the lists.
func checkAll(service workflowservice.WorkflowServiceClient, record *Record, limit time.Duration,
	tally *Tally) {
	total := Counts{}
	for _, queue := range queues {
		counts := record.CountOf(queue)
		tally.Check(counts.starts > 0 && counts.signals > 0 && counts.completions > 0,
			"there was no load on %s: %+v acknowledged", queue, counts)
		total = total.plus(counts)
	}
	end := time.Now().Add(limit)
	events, ended := 0, map[string]enumspb.WorkflowExecutionStatus{}
	for id, acknowledged := range record.All() {
		chain, err := readEndedChain(service, id, acknowledged.RunID, end)
		if err != nil {
			tally.Check(false, "%s: an acknowledged workflow cannot be read: %v", id, err)
			continue
		}
		for _, history := range chain {
			events += len(history)
			ended[runOf(history)] = statusOf(history)
		}
		CheckWorkflow(id, acknowledged, chain, tally)
	}
	checkLists(service, ended, end, tally)
	fmt.Printf("checked %d events of %d runs against %d acknowledged starts, %d signals and %d completions\n",
		events, len(ended), total.starts, total.signals, total.completions)
}

// readEndedChain returns the histories of a workflow's runs, from the first one, which the current one names
// where nobody was told of it. The last one is what there is at `end` if it has not ended by then.
func readEndedChain(service workflowservice.WorkflowServiceClient, id, run string,
	end time.Time) ([]History, error) {
	if run == "" {
		current, err := readHistory(service, id, "")
		if err != nil {
			return nil, err
		}
		run = started(current).GetFirstExecutionRunId()
	}
	var chain []History
	for {
		history, err := readEndedHistory(service, id, run, end)
		if err != nil {
			return nil, err
		}
		chain = append(chain, history)
		if run = successorOf(history); run == "" {
			return chain, nil
		}
	}
}

func readEndedHistory(service workflowservice.WorkflowServiceClient, id, run string,
	end time.Time) (History, error) {
	for {
		history, err := readHistory(service, id, run)
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

func readHistory(service workflowservice.WorkflowServiceClient, id, run string) (History, error) {
	var history History
	request := &workflowservice.GetWorkflowExecutionHistoryRequest{
		Namespace: namespace, Execution: &commonpb.WorkflowExecution{WorkflowId: id, RunId: run}}
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

// CheckWorkflow compares the runs of a workflow with what was acknowledged for it.
func CheckWorkflow(id string, acknowledged Acknowledged, chain []History, tally *Tally) {
	signals, completions, ended := map[string]int{}, map[string]int{}, 0
	for index, history := range chain {
		checkShape(id, history, index+1 == len(chain), tally)
		for _, event := range history {
			if attributes := event.GetWorkflowExecutionSignaledEventAttributes(); attributes != nil {
				signals[payloadText(attributes.GetInput())]++
			}
			if attributes := event.GetActivityTaskCompletedEventAttributes(); attributes != nil {
				completions[payloadText(attributes.GetResult())]++
			}
			if event.GetEventType() == enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED {
				ended++
			}
		}
	}
	checkRuns(id, acknowledged, chain, tally)
	if acknowledged.Kind == "Family" {
		tally.Check(ended == children, "%s: %d of %d children have ended", id, ended, children)
		for number := 1; number <= children; number++ {
			text := errandSignal(childID(id, number))
			tally.Check(signals[text] == 1, "%s: signal %q of a child is there %d times", id, text, signals[text])
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

// checkRuns wants the run that was acknowledged, and behind it those that it continues as.
func checkRuns(id string, acknowledged Acknowledged, chain []History, tally *Tally) {
	length, run := 1, acknowledged.RunID
	if acknowledged.Kind == "Chain" {
		length = chainLength
	}
	if run != "" || acknowledged.Kind != "" {
		tally.Check(len(chain) == length, "%s: %d runs instead of %d", id, len(chain), length)
		tally.Check(runOf(chain[0]) == run, "%s: run %s was acknowledged, run %q is there", id, run, runOf(chain[0]))
	}
	for index := 1; index < len(chain); index++ {
		tally.Check(runOf(chain[index]) == successorOf(chain[index-1]) &&
			started(chain[index]).GetContinuedExecutionRunId() == runOf(chain[index-1]),
			"%s: runs %q and %q do not name each other", id, runOf(chain[index-1]), runOf(chain[index]))
	}
}

func started(history History) *historypb.WorkflowExecutionStartedEventAttributes {
	if len(history) == 0 {
		return nil
	}
	return history[0].GetWorkflowExecutionStartedEventAttributes()
}

func runOf(history History) string { return started(history).GetOriginalExecutionRunId() }

func successorOf(history History) string {
	if len(history) == 0 {
		return ""
	}
	return history[len(history)-1].GetWorkflowExecutionContinuedAsNewEventAttributes().GetNewExecutionRunId()
}

func checkShape(id string, history History, isLast bool, tally *Tally) {
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
	if isLast {
		tally.Check(statusOf(history) == enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED, "%s: did not complete", id)
	}
}

// statusOf tells apart only the two ways in which a run may end here.
func statusOf(history History) enumspb.WorkflowExecutionStatus {
	if len(history) > 0 {
		switch history[len(history)-1].GetEventType() {
		case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
			return enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED
		case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
			return enumspb.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW
		}
	}
	return enumspb.WORKFLOW_EXECUTION_STATUS_UNSPECIFIED
}

// checkLists wants every run that was read in the list once, as it has ended. The index follows the
// store, so that it may need a moment.
func checkLists(service workflowservice.WorkflowServiceClient,
	ended map[string]enumspb.WorkflowExecutionStatus, end time.Time, tally *Tally) {
	for {
		listed, err := listAll(service)
		faults := CompareLists(ended, listed)
		if err == nil && len(faults) == 0 {
			tally.passed += len(ended)
			return
		}
		if time.Now().After(end) {
			tally.Check(err == nil, "runs cannot be listed: %v", err)
			for _, fault := range faults {
				tally.Check(false, "%s", fault)
			}
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// CompareLists says what the lists have else than the histories.
func CompareLists(ended map[string]enumspb.WorkflowExecutionStatus,
	listed map[string][]enumspb.WorkflowExecutionStatus) []string {
	var faults []string
	for run, status := range ended {
		if len(listed[run]) != 1 || listed[run][0] != status {
			faults = append(faults, fmt.Sprintf("run %s has ended as %v and is listed as %v", run, status, listed[run]))
		}
	}
	return faults
}

func listAll(service workflowservice.WorkflowServiceClient) (map[string][]enumspb.WorkflowExecutionStatus, error) {
	listed := map[string][]enumspb.WorkflowExecutionStatus{}
	request := &workflowservice.ListWorkflowExecutionsRequest{Namespace: namespace}
	for {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		reply, err := service.ListWorkflowExecutions(ctx, request)
		cancel()
		if err != nil {
			return nil, err
		}
		for _, info := range reply.GetExecutions() {
			run := info.GetExecution().GetRunId()
			listed[run] = append(listed[run], info.GetStatus())
		}
		if request.NextPageToken = reply.GetNextPageToken(); len(request.NextPageToken) == 0 {
			return listed, nil
		}
	}
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
