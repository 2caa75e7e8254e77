"""Activities: retries, heartbeats and cancellation, local ones, completion from elsewhere."""

from __future__ import annotations

from temporalio.api.enums.v1 import EventType
from temporalio.client import AsyncActivityCancelledError, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ActivityError, ApplicationError, RetryState

from interop import activities
from interop.harness import (
    Context,
    check,
    check_equal,
    check_event_counts,
    check_event_ids,
    check_replays,
    check_type,
    event_counts,
    eventually,
    expect_error,
    scenario,
    seconds,
)
from interop.workflows import (
    ActivityCall,
    CallActivity,
    CancelActivity,
    CompletedElsewhere,
    LocalActivities,
)


@scenario
async def activity_retry(context: Context) -> None:
    async with context.worker(
        [CallActivity],
        [
            activities.succeed_on_attempt,
            activities.fail_with_type,
            activities.resume_from_heartbeat,
        ],
    ):
        await _succeeds_on_third_attempt(context)
        await _non_retryable_type_ends_at_once(context)
        await _maximum_attempts_end_the_retries(context)
        details = await context.execute(
            CallActivity.run, ActivityCall("resume_from_heartbeat", 41, start_to_close=10)
        )
        check_equal(details, [41, 42], "heartbeat details of the failed attempt")


async def _succeeds_on_third_attempt(context: Context) -> None:
    handle = await context.start(
        CallActivity.run, ActivityCall("succeed_on_attempt", 3, start_to_close=10)
    )
    check_equal(await handle.result(), 3, "attempt that succeeded")
    history = await handle.fetch_history()
    check_event_ids(history)
    check_event_counts(
        history, ACTIVITY_TASK_SCHEDULED=1, ACTIVITY_TASK_STARTED=1, ACTIVITY_TASK_COMPLETED=1
    )
    started = next(
        event.activity_task_started_event_attributes
        for event in history.events
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED
    )
    check_equal(started.attempt, 3, "attempt in the started event")
    check_equal(started.last_failure.message, "attempt 2 of 3", "last failure in the started event")
    await check_replays(history, CallActivity)


async def _activity_error(
    context: Context, call: ActivityCall
) -> tuple[ActivityError, ApplicationError]:
    with expect_error(WorkflowFailureError, "result of a failed workflow") as failure:
        await context.execute(CallActivity.run, call)
    error = check_type(failure.value.cause, ActivityError, "cause of the failure")
    return error, check_type(error.cause, ApplicationError, "cause of the activity error")


async def _non_retryable_type_ends_at_once(context: Context) -> None:
    error, cause = await _activity_error(
        context,
        ActivityCall("fail_with_type", "Fatal", start_to_close=10, non_retryable=["Fatal"]),
    )
    check_equal(error.retry_state, RetryState.NON_RETRYABLE_FAILURE, "retry state")
    check_equal(error.activity_type, "fail_with_type", "activity type")
    check_equal(cause.type, "Fatal", "type of the application error")
    check_equal(list(cause.details), [1], "attempt in the details")


async def _maximum_attempts_end_the_retries(context: Context) -> None:
    error, cause = await _activity_error(
        context, ActivityCall("fail_with_type", "Soft", start_to_close=10, maximum_attempts=2)
    )
    check_equal(error.retry_state, RetryState.MAXIMUM_ATTEMPTS_REACHED, "retry state")
    check_equal(list(cause.details), [2], "attempt in the details")


@scenario
async def activity_heartbeat_cancel(context: Context) -> None:
    async with context.worker([CancelActivity], [activities.heartbeat_until_cancelled]):
        handle = await context.start(CancelActivity.run)

        async def heartbeat_is_visible() -> bool:
            description = (await handle.describe()).raw_description
            return any(one.HasField("heartbeat_details") for one in description.pending_activities)

        await eventually(heartbeat_is_visible, "describe shows heartbeat details")
        await handle.signal(CancelActivity.cancel_activity)
        check_equal(await handle.result(), "cancelled while heartbeating", "result")
        history = await handle.fetch_history()
        # The activity returned a value in answer to the cancellation, so it counts as completed.
        check_event_counts(
            history,
            ACTIVITY_TASK_SCHEDULED=1,
            ACTIVITY_TASK_CANCEL_REQUESTED=1,
            ACTIVITY_TASK_COMPLETED=1,
            ACTIVITY_TASK_CANCELED=0,
        )


@scenario
async def local_activity(context: Context) -> None:
    async with context.worker(
        [LocalActivities],
        [
            activities.greet,
            activities.succeed_on_attempt,
            activities.fail_with_type,
            activities.sleep_and_say,
        ],
    ):
        # The last local activity takes longer than a workflow task may: the worker has to keep
        # the task alive by heartbeats.
        handle = await context.start(LocalActivities.run, task_timeout=seconds(4))
        check_equal(await handle.result(), ["Hello, local!", 3, "Final", "slept 6 s"], "result")
        history = await handle.fetch_history()
        check_event_counts(history, MARKER_RECORDED=4, ACTIVITY_TASK_SCHEDULED=0)
        check(
            event_counts(history)["WORKFLOW_TASK_COMPLETED"] >= 2,
            "the long local activity heartbeats its workflow task",
        )
        await check_replays(history, LocalActivities)


@scenario
async def async_completion(context: Context) -> None:
    client = context.client
    async with context.worker([CompletedElsewhere], [activities.complete_elsewhere]):
        handle = await context.start(CompletedElsewhere.run)

        token = await _token_of(handle, "by-token")
        by_token = client.get_async_activity_handle(task_token=token)
        await by_token.heartbeat("still here")
        await by_token.complete("completed by token")

        await _token_of(handle, "by-id")
        by_id = client.get_async_activity_handle(
            workflow_id=handle.id, run_id=handle.result_run_id, activity_id="by-id"
        )
        await by_id.heartbeat("still here")
        await by_id.complete("completed by id")

        await _token_of(handle, "failed-by-id")
        # Without a run id the current run is meant.
        failed = client.get_async_activity_handle(
            workflow_id=handle.id, run_id=None, activity_id="failed-by-id"
        )
        await failed.fail(ApplicationError("failed by id", type="Elsewhere"))

        token = await _token_of(handle, "cancelled-by-token")
        await _cancel_by_token(context, handle, token)

        check_equal(
            await handle.result(),
            [
                "completed by token",
                "completed by id",
                "ApplicationError: Elsewhere: failed by id",
                "CancelledError: Cancelled",
            ],
            "outcomes",
        )
        check_event_counts(
            await handle.fetch_history(),
            ACTIVITY_TASK_COMPLETED=2,
            ACTIVITY_TASK_FAILED=1,
            ACTIVITY_TASK_CANCELED=1,
        )


async def _token_of(handle: WorkflowHandle, activity_id: str) -> bytes:
    key = (activity_id, handle.id)

    async def is_there() -> bool:
        return key in activities.task_tokens

    await eventually(is_there, f"activity {activity_id} is running")
    return activities.task_tokens[key]


async def _cancel_by_token(context: Context, handle: WorkflowHandle, token: bytes) -> None:
    activity_handle = context.client.get_async_activity_handle(task_token=token)
    await activity_handle.heartbeat()
    await handle.signal(CompletedElsewhere.cancel_activity)

    async def heartbeat_tells_of_cancellation() -> bool:
        try:
            await activity_handle.heartbeat()
        except AsyncActivityCancelledError:
            return True
        return False

    await eventually(heartbeat_tells_of_cancellation, "heartbeat answers that cancel is requested")
    await activity_handle.report_cancellation()
