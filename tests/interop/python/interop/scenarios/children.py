"""What passes between a workflow and its children, and workflows on a schedule."""

from __future__ import annotations

from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError
from temporalio.exceptions import CancelledError

from interop.children import (
    Counting,
    EndBeforeChildren,
    FailTwice,
    RetryChild,
    Sleeper,
    Square,
    Squares,
    WaitForSleeper,
)
from interop.harness import (
    Context,
    check_equal,
    check_event_counts,
    check_event_ids,
    check_replays,
    check_type,
    event_counts,
    eventually,
    expect_error,
    scenario,
)


@scenario
async def child_fan_out_50(context: Context) -> None:
    async with context.worker([Square, Squares]):
        handle = await context.start(Squares.run, 50)
        check_equal(await handle.result(), 42925, "sum of 50 squares")
        history = await handle.fetch_history()
        check_event_counts(history, CHILD_WORKFLOW_EXECUTION_COMPLETED=50)
        await check_replays(history, Squares)


@scenario
async def child_result(context: Context) -> None:
    async with context.worker([Square, Squares]):
        handle = await context.start(Squares.run, 1)
        check_equal(await handle.result(), 1, "result of the child")
        history = await handle.fetch_history()
        check_event_ids(history)
        check_event_counts(
            history,
            START_CHILD_WORKFLOW_EXECUTION_INITIATED=1,
            CHILD_WORKFLOW_EXECUTION_STARTED=1,
            CHILD_WORKFLOW_EXECUTION_COMPLETED=1,
        )
        child = await context.client.get_workflow_handle(f"{handle.id}-1").describe()
        check_equal(child.parent_id, handle.id, "parent of the child")
        check_equal(child.root_run_id, handle.first_execution_run_id, "root of the child")


@scenario
async def child_cancel(context: Context) -> None:
    async with context.worker([Sleeper, WaitForSleeper]):
        child_id = context.new_id("child")
        handle = await context.start(WaitForSleeper.run, child_id)

        async def child_runs() -> bool:
            counts = event_counts(await handle.fetch_history())
            return counts["CHILD_WORKFLOW_EXECUTION_STARTED"] == 1

        await eventually(child_runs, "the child runs")
        await handle.cancel()
        with expect_error(WorkflowFailureError, "end of the parent") as caught:
            await handle.result()
        check_type(caught.value.cause, CancelledError, "cause")
        check_event_counts(await handle.fetch_history(), CHILD_WORKFLOW_EXECUTION_CANCELED=1)
        child = await context.client.get_workflow_handle(child_id).describe()
        check_equal(child.status, WorkflowExecutionStatus.CANCELED, "status of the child")


@scenario
async def child_close_policies(context: Context) -> None:
    async with context.worker([Sleeper, EndBeforeChildren]):
        handle = await context.start(EndBeforeChildren.run)
        await handle.result()

        async def status(name: str) -> WorkflowExecutionStatus | None:
            child = context.client.get_workflow_handle(f"{handle.id}-{name}")
            return (await child.describe()).status

        async def both_ended() -> bool:
            return (
                await status("terminated") == WorkflowExecutionStatus.TERMINATED
                and await status("cancelled") == WorkflowExecutionStatus.CANCELED
            )

        await eventually(both_ended, "the policies are applied")
        check_equal(await status("abandoned"), WorkflowExecutionStatus.RUNNING, "abandoned child")
        await context.client.get_workflow_handle(f"{handle.id}-abandoned").terminate()


@scenario
async def child_retry(context: Context) -> None:
    async with context.worker([FailTwice, RetryChild]):
        handle = await context.start(RetryChild.run)
        check_equal(await handle.result(), 3, "attempt that succeeded")
        check_event_counts(
            await handle.fetch_history(),
            CHILD_WORKFLOW_EXECUTION_FAILED=0,
            CHILD_WORKFLOW_EXECUTION_COMPLETED=1,
        )


@scenario
async def cron(context: Context) -> None:
    async with context.worker([Counting]):
        handle = await context.start(Counting.run, cron_schedule="@every 1s")
        current = context.client.get_workflow_handle(handle.id)

        async def third_run() -> bool:
            first_event = (await current.fetch_history()).events[0]
            started = first_event.workflow_execution_started_event_attributes
            check_equal(
                started.first_execution_run_id, handle.first_execution_run_id, "first run"
            )
            results = started.last_completion_result.payloads
            return bool(results) and int(results[0].data) >= 2

        await eventually(third_run, "the third run")
        await current.terminate()
        check_equal(
            (await current.describe()).status, WorkflowExecutionStatus.TERMINATED, "status"
        )
