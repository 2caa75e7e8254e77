"""Updates: accepted, rejected without a trace, and sent together with the start."""

from __future__ import annotations

from temporalio.client import (
    WithStartWorkflowOperation,
    WorkflowUpdateFailedError,
    WorkflowUpdateStage,
)
from temporalio.common import WorkflowIDConflictPolicy

from interop.harness import (
    Context,
    check_equal,
    check_event_counts,
    check_replays,
    expect_error,
    scenario,
)
from interop.workflows import Counter


@scenario
async def update(context: Context) -> None:
    async with context.worker([Counter]):
        handle = await context.start(Counter.run)
        check_equal(await handle.execute_update(Counter.add, 1), 1, "first outcome")
        accepted = await handle.start_update(
            Counter.add, 2, wait_for_stage=WorkflowUpdateStage.ACCEPTED
        )
        check_equal(await accepted.result(), 3, "outcome of an accepted update")
        await handle.signal(Counter.finish)
        check_equal(await handle.result(), 3, "result")
        history = await handle.fetch_history()
        check_event_counts(
            history, WORKFLOW_EXECUTION_UPDATE_ACCEPTED=2, WORKFLOW_EXECUTION_UPDATE_COMPLETED=2
        )
        await check_replays(history, Counter)
        again = handle.get_update_handle_for(Counter.add, accepted.id)
        check_equal(await again.result(), 3, "outcome after the workflow has closed")


@scenario
async def update_rejected(context: Context) -> None:
    async with context.worker([Counter]):
        handle = await context.start(Counter.run)
        await handle.execute_update(Counter.add, 1)
        before = len((await handle.fetch_history()).events)
        with expect_error(WorkflowUpdateFailedError, "outcome of a negative number"):
            await handle.execute_update(Counter.add, -1)
        after = len((await handle.fetch_history()).events)
        check_equal(after, before, "events after the rejection")
        check_equal(await handle.execute_update(Counter.add, 4), 5, "outcome behind it")
        await handle.signal(Counter.finish)
        check_equal(await handle.result(), 5, "result")
        await check_replays(await handle.fetch_history(), Counter)


@scenario
async def update_with_start(context: Context) -> None:
    async with context.worker([Counter]):
        identifier = context.new_id()
        runs = []
        for number, wanted in [(1, 1), (2, 3)]:
            start = WithStartWorkflowOperation(
                Counter.run,
                id=identifier,
                task_queue=context.task_queue,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            )
            count = await context.client.execute_update_with_start_workflow(
                Counter.add, number, start_workflow_operation=start
            )
            check_equal(count, wanted, f"outcome of {number}")
            runs.append((await start.workflow_handle()).first_execution_run_id)
        check_equal(runs[1], runs[0], "run")
        handle = context.client.get_workflow_handle_for(Counter.run, identifier)
        await handle.signal(Counter.finish)
        check_equal(await handle.result(), 3, "result")
