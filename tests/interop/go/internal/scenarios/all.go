// Package scenarios holds what is shown with the Go SDK. Every file holds the
// scenarios of one subject with the workflows and activities they use.
package scenarios

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"stele/tests/interop/internal/harness"
)

// All lists the scenarios; those that take longest come first, so that they
// overlap with the rest.
func All() []harness.Scenario {
	return []harness.Scenario{
		{Name: "history_2000_cold_cache", Run: historyWithColdCache},
		{Name: "worker_killed_mid_task", Run: workerKilledMidTask},
		{Name: "local_activity", Run: localActivity},
		{Name: "patching", Run: patching},
		{Name: "id_policies", Run: idPolicies},
		{Name: "activity_heartbeat_cancel", Run: heartbeatDeliversCancellation},
		{Name: "activity_retry", Run: activityRetry},
		{Name: "timeout_schedule_to_start", Run: scheduleToStartTimeout},
		{Name: "timeout_start_to_close", Run: startToCloseTimeout},
		{Name: "timeout_schedule_to_close", Run: scheduleToCloseTimeout},
		{Name: "timeout_heartbeat", Run: heartbeatTimeout},
		{Name: "workflow_timeouts", Run: workflowTimeouts},
		{Name: "timers", Run: timers},
		{Name: "signal", Run: signals},
		{Name: "signal_with_start", Run: signalWithStart},
		{Name: "update", Run: update},
		{Name: "update_rejected", Run: updateRejected},
		{Name: "update_with_start", Run: updateWithStart},
		{Name: "query_open", Run: queryOpen},
		{Name: "query_closed", Run: queryClosed},
		{Name: "cancel_cleanup", Run: cancelWithCleanup},
		{Name: "terminate", Run: terminate},
		{Name: "continue_as_new", Run: continueAsNew},
		{Name: "reset_to_first_task", Run: resetToFirstTask},
		{Name: "child_result", Run: childResult},
		{Name: "child_cancel", Run: childCancel},
		{Name: "child_close_policies", Run: childClosePolicies},
		{Name: "child_retry", Run: childRetry},
		{Name: "child_fan_out_50", Run: childFanOut},
		{Name: "cron", Run: cron},
		{Name: "payload_1mib", Run: payloadOfOneMebibyte},
		{Name: "memo_and_search_attributes", Run: memoAndSearchAttributes},
		{Name: "async_completion", Run: asyncCompletion},
		{Name: "side_effect_or_random", Run: sideEffects},
		{Name: "concurrency_100", Run: hundredAtOnce, Alone: true},
	}
}

// Roles are what a worker process can register, by name.
func Roles() map[string]func(worker.Registry) {
	return map[string]func(worker.Registry){
		"long_history":    registerLongHistory,
		"stuck_activity":  registerStuckActivity,
		"stuck_workflows": registerStuckWorkflow,
	}
}

// quickRetry retries soon, up to the given number of attempts.
func quickRetry(attempts int32) *temporal.RetryPolicy {
	return &temporal.RetryPolicy{
		InitialInterval:    50 * time.Millisecond,
		BackoffCoefficient: 2,
		MaximumAttempts:    attempts,
	}
}

// withActivity is a context for activities with a start-to-close timeout that
// no scenario is meant to reach.
func withActivity(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 20 * time.Second,
		RetryPolicy:         quickRetry(3),
	})
}
