"""Every timeout of an activity, and those of a workflow."""

from __future__ import annotations

import time

from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError
from temporalio.common import RetryPolicy
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    RetryState,
    TimeoutError,
    TimeoutType,
)

from interop import activities
from interop.harness import (
    Context,
    check,
    check_equal,
    check_event_counts,
    check_type,
    expect_error,
    scenario,
    seconds,
)
from interop.workflows import ActivityCall, AlwaysFail, CallActivity, Sleep


async def _expect_activity_timeout(
    context: Context, call: ActivityCall, kind: TimeoutType, after: float
) -> tuple[RetryState | None, TimeoutError]:
    """Runs an activity that must time out, no sooner than `after` seconds."""
    start = time.monotonic()
    handle = await context.start(CallActivity.run, call)
    with expect_error(WorkflowFailureError, "result after an activity timeout") as failure:
        await handle.result()
    elapsed = time.monotonic() - start
    error = check_type(failure.value.cause, ActivityError, "cause of the failure")
    timeout = check_type(error.cause, TimeoutError, "cause of the activity error")
    check_equal(timeout.type, kind, "timeout type")
    check(elapsed >= after, f"timed out after {elapsed:.2f} s, which is before {after:g} s")
    check(elapsed < after + 10, f"timed out only after {elapsed:.2f} s")
    check_event_counts(await handle.fetch_history(), ACTIVITY_TASK_TIMED_OUT=1)
    return error.retry_state, timeout


@scenario
async def timeout_schedule_to_start(context: Context) -> None:
    async with context.worker([CallActivity]):
        state, _ = await _expect_activity_timeout(
            context,
            ActivityCall(
                "stall",
                "",
                task_queue=f"{context.task_queue}-nobody-polls",
                schedule_to_start=1,
                start_to_close=30,
            ),
            TimeoutType.SCHEDULE_TO_START,
            after=1,
        )
        check_equal(state, RetryState.TIMEOUT, "retry state")


@scenario
async def timeout_start_to_close(context: Context) -> None:
    async with context.worker([CallActivity], [activities.stall]):
        state, _ = await _expect_activity_timeout(
            context,
            ActivityCall("stall", "", start_to_close=1, maximum_attempts=2),
            TimeoutType.START_TO_CLOSE,
            after=2,
        )
        check_equal(state, RetryState.MAXIMUM_ATTEMPTS_REACHED, "retry state")


@scenario
async def timeout_schedule_to_close(context: Context) -> None:
    async with context.worker([CallActivity], [activities.stall, activities.fail_with_type]):
        await _expect_activity_timeout(
            context,
            ActivityCall("stall", "", schedule_to_close=1),
            TimeoutType.SCHEDULE_TO_CLOSE,
            after=1,
        )
        await _no_retry_that_could_not_start_in_time(context)


async def _no_retry_that_could_not_start_in_time(context: Context) -> None:
    start = time.monotonic()
    call = ActivityCall("fail_with_type", "Again", schedule_to_close=20, retry_interval=30)
    with expect_error(WorkflowFailureError, "result when no retry fits") as failure:
        await context.execute(CallActivity.run, call)
    check(time.monotonic() - start < 15, "the activity fails without waiting for its timeout")
    error = check_type(failure.value.cause, ActivityError, "cause of the failure")
    check_equal(error.retry_state, RetryState.TIMEOUT, "retry state")
    last = check_type(error.cause, ApplicationError, "cause of the activity error")
    check_equal(list(last.details), [1], "attempt in the details")


@scenario
async def timeout_heartbeat(context: Context) -> None:
    async with context.worker([CallActivity], [activities.heartbeat_once_then_stall]):
        _, timeout = await _expect_activity_timeout(
            context,
            ActivityCall(
                "heartbeat_once_then_stall",
                "half way",
                start_to_close=30,
                heartbeat=1,
                maximum_attempts=1,
            ),
            TimeoutType.HEARTBEAT,
            after=1,
        )
        check_equal(list(timeout.last_heartbeat_details), ["half way"], "last heartbeat details")


@scenario
async def workflow_timeouts(context: Context) -> None:
    async with context.worker([Sleep, AlwaysFail]):
        await _run_timeout_ends_the_run(context)
        await _execution_timeout_ends_the_retries(context)
        await _execution_timeout_ends_a_run(context)


async def _run_timeout_ends_the_run(context: Context) -> None:
    handle = await context.start(Sleep.run, 3600, run_timeout=seconds(1))
    with expect_error(WorkflowFailureError, "result after the run timeout") as failure:
        await handle.result()
    timeout = check_type(failure.value.cause, TimeoutError, "cause of the failure")
    check_equal(timeout.type, TimeoutType.START_TO_CLOSE, "timeout type")
    description = await handle.describe()
    check_equal(description.status, WorkflowExecutionStatus.TIMED_OUT, "status")
    check_event_counts(await handle.fetch_history(), WORKFLOW_EXECUTION_TIMED_OUT=1)


async def _execution_timeout_ends_the_retries(context: Context) -> None:
    start = time.monotonic()
    handle = await context.start(
        AlwaysFail.run,
        "again",
        execution_timeout=seconds(3),
        retry_policy=RetryPolicy(initial_interval=seconds(0.3), backoff_coefficient=1.0),
    )
    with expect_error(WorkflowFailureError, "result after the last retry") as failure:
        await handle.result()
    check(time.monotonic() - start < 12, "retries end with the execution timeout")
    # The last run fails when a retry would start too late. If it was still waiting for its
    # backoff, it timed out.
    cause = failure.value.cause
    check(isinstance(cause, ApplicationError | TimeoutError), f"cause is {cause!r}")
    last = context.client.get_workflow_handle(handle.id)
    check(
        (await last.describe()).run_id != handle.first_execution_run_id,
        "each attempt is a run of its own",
    )
    started = (await last.fetch_history()).events[0].workflow_execution_started_event_attributes
    check(started.attempt > 1, f"attempt of the last run is {started.attempt}")
    check_equal(
        started.first_execution_run_id, handle.first_execution_run_id, "first run of the chain"
    )


async def _execution_timeout_ends_a_run(context: Context) -> None:
    handle = await context.start(Sleep.run, 3600, execution_timeout=seconds(1))
    with expect_error(WorkflowFailureError, "result after the execution timeout") as failure:
        await handle.result()
    check_type(failure.value.cause, TimeoutError, "cause of the failure")
