package scenarios

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"math/rand/v2"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"stele/tests/interop/internal/harness"
)

// timersWorkflow starts several timers, cancels one after the first has fired
// and waits for the rest.
func timersWorkflow(ctx workflow.Context) (string, error) {
	begin := workflow.Now(ctx)
	slow := workflow.NewTimer(ctx, 1500*time.Millisecond)
	scope, cancel := workflow.WithCancel(ctx)
	never := workflow.NewTimer(scope, time.Hour)
	quick := workflow.NewTimer(ctx, 300*time.Millisecond)
	middle := workflow.NewTimer(ctx, 800*time.Millisecond)
	if err := quick.Get(ctx, nil); err != nil {
		return "", err
	}
	cancel()
	if err := never.Get(ctx, nil); !temporal.IsCanceledError(err) {
		return "", fmt.Errorf("the canceled timer ended with %w", err)
	}
	for _, timer := range []workflow.Future{middle, slow} {
		if err := timer.Get(ctx, nil); err != nil {
			return "", err
		}
	}
	if elapsed := workflow.Now(ctx).Sub(begin); elapsed < 1500*time.Millisecond {
		return "", fmt.Errorf("the slow timer fired after %s", elapsed)
	}
	return "all over", nil
}

func timers(e *harness.Env) {
	e.Worker(func(w worker.Registry) { w.RegisterWorkflow(timersWorkflow) })
	run := e.Start("timers", timersWorkflow)
	e.Equal("all over", harness.Result[string](e, run), "end of the timers")
	e.HasEvents(run, 4, enumspb.EVENT_TYPE_TIMER_STARTED)
	e.HasEvents(run, 1, enumspb.EVENT_TYPE_TIMER_CANCELED)
	durations := map[string]time.Duration{}
	for _, event := range e.EventsOf(run, enumspb.EVENT_TYPE_TIMER_STARTED) {
		attributes := event.GetTimerStartedEventAttributes()
		durations[attributes.TimerId] = attributes.StartToFireTimeout.AsDuration()
	}
	var fired []time.Duration
	for _, event := range e.EventsOf(run, enumspb.EVENT_TYPE_TIMER_FIRED) {
		fired = append(fired, durations[event.GetTimerFiredEventAttributes().TimerId])
	}
	want := []time.Duration{300 * time.Millisecond, 800 * time.Millisecond, 1500 * time.Millisecond}
	e.Equal(want, fired, "timers in the order in which they fired")
}

func countDownWorkflow(ctx workflow.Context, remaining int, visited []string) ([]string, error) {
	visited = append(visited, workflow.GetInfo(ctx).WorkflowExecution.RunID)
	if remaining > 0 {
		return nil, workflow.NewContinueAsNewError(ctx, countDownWorkflow, remaining-1, visited)
	}
	return visited, nil
}

func continueAsNew(e *harness.Env) {
	e.Worker(func(w worker.Registry) { w.RegisterWorkflow(countDownWorkflow) })
	options := e.Options("count-down")
	options.Memo = map[string]any{"kept": "through the chain"}
	run := e.StartWith(options, countDownWorkflow, 4, []string{})
	firstRun := run.GetRunID()
	visited := harness.Result[[]string](e, run)
	e.Equal(5, len(visited), "runs")
	e.Equal(firstRun, visited[0], "first run")
	e.HasStatus(enumspb.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW, run.GetID(), firstRun)
	last := e.Describe(run.GetID(), "").WorkflowExecutionInfo
	e.Equal(visited[4], last.Execution.RunId, "current run")
	e.Equal(enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED, last.Status, "status of the last run")
	e.True(last.Memo.GetFields()["kept"] != nil, "the memo is carried over")
	started := e.History(run.GetID(), visited[4])[0].GetWorkflowExecutionStartedEventAttributes()
	e.Equal(visited[3], started.ContinuedExecutionRunId, "predecessor of the last run")
	e.Equal(firstRun, started.FirstExecutionRunId, "first run of the chain")
}

func echo(_ context.Context, data []byte) ([]byte, error) { return data, nil }

func echoWorkflow(ctx workflow.Context, data []byte) ([]byte, error) {
	ctx = withActivity(ctx)
	var result []byte
	err := workflow.ExecuteActivity(ctx, echo, data).Get(ctx, &result)
	return result, err
}

func payloadOfOneMebibyte(e *harness.Env) {
	e.Worker(func(w worker.Registry) {
		w.RegisterWorkflow(echoWorkflow)
		w.RegisterActivity(echo)
	})
	data := make([]byte, 1<<20)
	source := rand.NewChaCha8([32]byte{1})
	_, _ = source.Read(data)
	run := e.Start("echo", echoWorkflow, data)
	result := harness.Result[[]byte](e, run)
	e.Equal(sha256.Sum256(data), sha256.Sum256(result), "checksum of the result")
	e.True(e.Describe(run.GetID(), "").WorkflowExecutionInfo.HistorySizeBytes > 4<<20,
		"the payload is four times in the history")
}

// memoWorkflow changes its memo and, when a name is given, a search attribute.
func memoWorkflow(ctx workflow.Context, keyword string) error {
	err := workflow.UpsertMemo(ctx, map[string]any{"changed": "second", "removed": nil, "added": 3})
	if err != nil || keyword == "" {
		return err
	}
	return workflow.UpsertTypedSearchAttributes(ctx, temporal.NewSearchAttributeKeyKeyword(keyword).ValueSet("blue"))
}

func memoAndSearchAttributes(e *harness.Env) {
	e.Worker(func(w worker.Registry) { w.RegisterWorkflow(memoWorkflow) })
	keyword := customKeyword(e)
	options := e.Options("memo")
	options.Memo = map[string]any{"kept": "zero", "changed": "first", "removed": true}
	run := e.StartWith(options, memoWorkflow, keyword)
	harness.Result[any](e, run)
	info := e.Describe(run.GetID(), "").WorkflowExecutionInfo
	memo := map[string]string{}
	for name, payload := range info.Memo.GetFields() {
		memo[name] = converter.GetDefaultDataConverter().ToString(payload)
	}
	e.True(maps.Equal(map[string]string{"kept": `"zero"`, "changed": `"second"`, "added": "3"}, memo),
		fmt.Sprintf("the memo is as changed, not %v", memo))
	if keyword != "" {
		var color string
		payload := info.SearchAttributes.GetIndexedFields()[keyword]
		e.Check(converter.GetDefaultDataConverter().FromPayload(payload, &color), "decode search attribute")
		e.Equal("blue", color, "search attribute")
	}
}

// customKeyword finds a custom search attribute of type keyword; there may be
// none.
func customKeyword(e *harness.Env) string {
	answer, err := e.Client.OperatorService().ListSearchAttributes(e,
		&operatorservice.ListSearchAttributesRequest{Namespace: e.Namespace})
	if err != nil {
		return ""
	}
	for name, kind := range answer.CustomAttributes {
		if kind == enumspb.INDEXED_VALUE_TYPE_KEYWORD {
			return name
		}
	}
	return ""
}

type chosen struct {
	Once   int64
	Stable []int
	Waits  bool // for the signal: nothing but that makes another workflow task
}

// choosingWorkflow makes choices that must not change when it is replayed.
func choosingWorkflow(ctx workflow.Context) (chosen, error) {
	var result chosen
	once := workflow.SideEffect(ctx, func(workflow.Context) any { return rand.Int64() })
	if err := once.Get(&result.Once); err != nil {
		return result, err
	}
	err := workflow.SetQueryHandler(ctx, "chosen", func() (chosen, error) { return result, nil })
	if err != nil {
		return result, err
	}
	for i := range 4 {
		value := workflow.MutableSideEffect(ctx, "stable", func(workflow.Context) any { return i / 2 },
			func(a, b any) bool { return a == b })
		var stable int
		if err := value.Get(&stable); err != nil {
			return result, err
		}
		result.Stable = append(result.Stable, stable)
		if err := workflow.Sleep(ctx, 50*time.Millisecond); err != nil {
			return result, err
		}
	}
	result.Waits = true
	workflow.GetSignalChannel(ctx, "finish").Receive(ctx, nil)
	return result, nil
}

func sideEffects(e *harness.Env) {
	register := func(w worker.Registry) { w.RegisterWorkflow(choosingWorkflow) }
	stop := e.Worker(register)
	run := e.Start("choose", choosingWorkflow)
	// Not earlier: a worker that stops does not answer the task that it is given at that moment, and a
	// query waits for the task.
	e.Eventually("all choices are made", func() bool {
		return harness.Query[chosen](e, run.GetID(), "chosen").Waits
	})
	before := harness.Query[chosen](e, run.GetID(), "chosen")
	stop()
	e.Worker(register)
	e.Equal(before, harness.Query[chosen](e, run.GetID(), "chosen"), "choices after a replay")
	e.Signal(run.GetID(), "finish", nil)
	e.Equal(before, harness.Result[chosen](e, run), "choices at the end")
	e.Equal([]int{0, 0, 1, 1}, before.Stable, "mutable side effect")
	// One marker is of the side effect and two are of changes of the mutable one.
	e.HasEvents(run, 3, enumspb.EVENT_TYPE_MARKER_RECORDED)
}

func greet(_ context.Context, number int) (int, error) { return number + 1000, nil }

func smallWorkflow(ctx workflow.Context, number int) (int, error) {
	ctx = withActivity(ctx)
	if err := workflow.Sleep(ctx, 100*time.Millisecond); err != nil {
		return 0, err
	}
	var result int
	err := workflow.ExecuteActivity(ctx, greet, number).Get(ctx, &result)
	return result, err
}

func hundredAtOnce(e *harness.Env) {
	e.Worker(func(w worker.Registry) {
		w.RegisterWorkflow(smallWorkflow)
		w.RegisterActivity(greet)
	})
	const count = 100
	type started struct {
		run client.WorkflowRun
		err error
	}
	starts := make(chan started, count)
	for i := range count {
		go func() {
			run, err := e.Client.ExecuteWorkflow(e, e.Options(fmt.Sprint(i)), smallWorkflow, i)
			starts <- started{run, err}
		}()
	}
	sum := 0
	for range count {
		one := <-starts
		e.Check(one.err, "start")
		sum += harness.Result[int](e, one.run)
	}
	e.Equal(count*1000+count*(count-1)/2, sum, "sum of the results")
}
