package scenarios

import (
	"context"
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"stele/tests/interop/internal/harness"
)

// failUntil fails every attempt before the given one and returns its attempt.
func failUntil(ctx context.Context, succeedAt int32) (int32, error) {
	attempt := activity.GetInfo(ctx).Attempt
	if attempt < succeedAt {
		return 0, temporal.NewApplicationError(fmt.Sprintf("attempt %d is meant to fail", attempt), "Flaky")
	}
	return attempt, nil
}

func failForGood(context.Context) error {
	return temporal.NewNonRetryableApplicationError("never try this again", "Fatal", nil, "detail")
}

func retryWorkflow(ctx workflow.Context, succeedAt int32) (int32, error) {
	var attempt int32
	ctx = withActivity(ctx)
	err := workflow.ExecuteActivity(ctx, failUntil, succeedAt).Get(ctx, &attempt)
	return attempt, err
}

func noRetryWorkflow(ctx workflow.Context) error {
	ctx = withActivity(ctx)
	return workflow.ExecuteActivity(ctx, failForGood).Get(ctx, nil)
}

func activityRetry(e *harness.Env) {
	e.Worker(func(w worker.Registry) {
		w.RegisterWorkflow(retryWorkflow)
		w.RegisterWorkflow(noRetryWorkflow)
		w.RegisterActivity(failUntil)
		w.RegisterActivity(failForGood)
	})
	succeeds := e.Start("succeeds", retryWorkflow, int32(3))
	e.Equal(int32(3), harness.Result[int32](e, succeeds), "attempt that succeeds")
	started := e.EventsOf(succeeds, enumspb.EVENT_TYPE_ACTIVITY_TASK_STARTED)
	e.Equal(1, len(started), "started events of a retried activity")
	attributes := started[0].GetActivityTaskStartedEventAttributes()
	e.Equal(int32(3), attributes.Attempt, "attempt in the started event")
	e.Equal("attempt 2 is meant to fail", attributes.LastFailure.GetMessage(), "last failure in the started event")

	err := e.Start("exhausted", retryWorkflow, int32(9)).Get(e, nil)
	failed := harness.ErrorAs[*temporal.ActivityError](e, err, "attempts used up")
	e.Equal(enumspb.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED, failed.RetryState(), "retry state")
	e.Equal("Flaky", harness.ErrorAs[*temporal.ApplicationError](e, err, "attempts used up").Type(), "failure type")

	err = e.Start("fatal", noRetryWorkflow).Get(e, nil)
	failed = harness.ErrorAs[*temporal.ActivityError](e, err, "not retryable")
	e.Equal(enumspb.RETRY_STATE_NON_RETRYABLE_FAILURE, failed.RetryState(), "retry state")
	fatal := harness.ErrorAs[*temporal.ApplicationError](e, err, "not retryable")
	var detail string
	e.Check(fatal.Details(&detail), "failure details")
	e.Equal("detail", detail, "failure details")
}

// beatUntilCanceled reports progress until it is asked to stop. Its first
// attempt fails after reporting 7, so that the second finds that report.
func beatUntilCanceled(ctx context.Context) (string, error) {
	if activity.GetInfo(ctx).Attempt == 1 {
		activity.RecordHeartbeat(ctx, 7)
		return "", errors.New("the first attempt is meant to fail")
	}
	var progress int
	if err := activity.GetHeartbeatDetails(ctx, &progress); err != nil {
		return "", err
	}
	for {
		activity.RecordHeartbeat(ctx, progress)
		select {
		case <-ctx.Done():
			return "", temporal.NewCanceledError(progress)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// cancelActivityWorkflow cancels its activity when told to and returns what
// the activity said last.
func cancelActivityWorkflow(ctx workflow.Context) (int, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 30 * time.Second,
		HeartbeatTimeout:    10 * time.Second,
		WaitForCancellation: true,
		RetryPolicy:         quickRetry(2),
	})
	scope, cancel := workflow.WithCancel(ctx)
	future := workflow.ExecuteActivity(scope, beatUntilCanceled)
	workflow.GetSignalChannel(ctx, "cancel-activity").Receive(ctx, nil)
	cancel()
	err := future.Get(ctx, nil)
	var canceled *temporal.CanceledError
	if !errors.As(err, &canceled) {
		return 0, fmt.Errorf("want cancellation, got %w", err)
	}
	var progress int
	err = canceled.Details(&progress)
	return progress, err
}

func heartbeatDeliversCancellation(e *harness.Env) {
	e.Worker(func(w worker.Registry) {
		w.RegisterWorkflow(cancelActivityWorkflow)
		w.RegisterActivity(beatUntilCanceled)
	})
	run := e.Start("cancel", cancelActivityWorkflow)
	e.Eventually("a heartbeat of the second attempt", func() bool {
		pending := e.Describe(run.GetID(), "").PendingActivities
		return len(pending) == 1 && pending[0].Attempt == 2 && pending[0].HeartbeatDetails != nil &&
			pending[0].State == enumspb.PENDING_ACTIVITY_STATE_STARTED
	})
	e.Signal(run.GetID(), "cancel-activity", nil)
	e.Equal(7, harness.Result[int](e, run), "details of the cancellation")
	e.HasEvents(run, 1, enumspb.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED)
	e.HasEvents(run, 1, enumspb.EVENT_TYPE_ACTIVITY_TASK_CANCELED)
}

func failTwice(ctx context.Context) (int32, error) { return failUntil(ctx, 3) }

func napLocally(context.Context) (string, error) {
	time.Sleep(5 * time.Second)
	return "rested", nil
}

// localActivityWorkflow runs a local activity that is retried, one that fails
// for good and one that outlives the workflow task it started in.
func localActivityWorkflow(ctx workflow.Context) (string, error) {
	ctx = workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		ScheduleToCloseTimeout: 20 * time.Second,
		RetryPolicy:            quickRetry(5),
	})
	var attempt int32
	if err := workflow.ExecuteLocalActivity(ctx, failTwice).Get(ctx, &attempt); err != nil {
		return "", err
	}
	err := workflow.ExecuteLocalActivity(ctx, failForGood).Get(ctx, nil)
	var fatal *temporal.ApplicationError
	if !errors.As(err, &fatal) {
		return "", fmt.Errorf("want an application error, got %w", err)
	}
	var rested string
	if err := workflow.ExecuteLocalActivity(ctx, napLocally).Get(ctx, &rested); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d %s %s", attempt, fatal.Type(), rested), nil
}

func localActivity(e *harness.Env) {
	e.Worker(func(w worker.Registry) {
		w.RegisterWorkflow(localActivityWorkflow)
	})
	options := e.Options("local")
	options.WorkflowTaskTimeout = 5 * time.Second
	run := e.StartWith(options, localActivityWorkflow)
	e.Equal("3 Fatal rested", harness.Result[string](e, run), "results of the local activities")
	e.HasEvents(run, 3, enumspb.EVENT_TYPE_MARKER_RECORDED)
	e.HasEvents(run, 0, enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED)
	e.True(len(e.EventsOf(run, enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED)) > 1,
		"a workflow task that was kept alive across the long local activity")
}

// completeElsewhere leaves its completion to somebody who has its task token
// or its ids.
func completeElsewhere(tokens chan<- []byte) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		tokens <- activity.GetInfo(ctx).TaskToken
		return "", activity.ErrResultPending
	}
}

func asyncWorkflow(ctx workflow.Context) (string, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		ActivityID:          "completed-elsewhere",
		StartToCloseTimeout: 20 * time.Second,
		RetryPolicy:         quickRetry(1),
	})
	var result string
	err := workflow.ExecuteActivity(ctx, "completeElsewhere").Get(ctx, &result)
	return result, err
}

func asyncCompletion(e *harness.Env) {
	tokens := make(chan []byte, 3)
	e.Worker(func(w worker.Registry) {
		w.RegisterWorkflow(asyncWorkflow)
		w.RegisterActivityWithOptions(completeElsewhere(tokens), activity.RegisterOptions{Name: "completeElsewhere"})
	})
	byToken := e.Start("by-token", asyncWorkflow)
	token := receive(e, tokens)
	e.Check(e.Client.RecordActivityHeartbeat(e, token, "still here"), "heartbeat by token")
	e.Check(e.Client.CompleteActivity(e, token, "by token", nil), "complete by token")
	e.Equal("by token", harness.Result[string](e, byToken), "result by token")
	err := e.Client.CompleteActivity(e, token, "again", nil)
	e.True(err != nil, "a second completion is refused")

	byID := e.Start("by-id", asyncWorkflow)
	receive(e, tokens)
	err = e.Client.CompleteActivityByID(e, e.Namespace, byID.GetID(), byID.GetRunID(), "completed-elsewhere", "by id", nil)
	e.Check(err, "complete by id")
	e.Equal("by id", harness.Result[string](e, byID), "result by id")

	failing := e.Start("failing", asyncWorkflow)
	receive(e, tokens)
	err = e.Client.CompleteActivityByID(e, e.Namespace, failing.GetID(), "", "completed-elsewhere", nil,
		temporal.NewApplicationError("failed elsewhere", "Elsewhere"))
	e.Check(err, "fail by id")
	failed := harness.ErrorAs[*temporal.ApplicationError](e, failing.Get(e, nil), "failure by id")
	e.Equal("Elsewhere", failed.Type(), "failure type")
}

func receive(e *harness.Env, tokens <-chan []byte) []byte {
	select {
	case token := <-tokens:
		return token
	case <-e.Done():
		e.Failf("the activity never started")
		return nil
	}
}
