"""Signals and queries."""

from __future__ import annotations

from temporalio.api.enums.v1 import EventType
from temporalio.client import (
    WorkflowExecutionStatus,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
)
from temporalio.common import QueryRejectCondition
from temporalio.service import RPCError, RPCStatusCode

from interop.harness import (
    Context,
    check_equal,
    check_event_counts,
    check_replays,
    eventually,
    expect_error,
    scenario,
)
from interop.workflows import Collect, SignalAnother


@scenario
async def signal(context: Context) -> None:
    # Signals that arrive before any worker is there are kept, in order.
    handle = await context.start(Collect.run, 8)
    for number in range(3):
        await handle.signal(Collect.add, f"early {number}")
    async with context.worker([Collect, SignalAnother]):
        await _until_added(handle, 3)
        for number in range(3):
            await handle.signal(Collect.add, f"late {number}")
        await context.execute(SignalAnother.run, handle.id, ["from outside", "and again"])
        check_equal(
            await handle.result(),
            [
                *(f"early {number}" for number in range(3)),
                *(f"late {number}" for number in range(3)),
                "from outside",
                "and again",
            ],
            "signals in order",
        )
        history = await handle.fetch_history()
        check_event_counts(history, WORKFLOW_EXECUTION_SIGNALED=8)
        await check_replays(history, Collect)
        with expect_error(RPCError, "signal to a closed workflow") as refused:
            await handle.signal(Collect.add, "too late")
        check_equal(refused.value.status, RPCStatusCode.NOT_FOUND, "status of a late signal")


async def _until_added(handle: WorkflowHandle, count: int) -> None:
    async def added() -> bool:
        return len(await handle.query(Collect.added)) == count

    await eventually(added, f"{count} signals are handled")


@scenario
async def signal_with_start(context: Context) -> None:
    async with context.worker([Collect]):
        identifier = context.new_id()
        handles = [
            await context.start(
                Collect.run, 3, id=identifier, start_signal="add", start_signal_args=[item]
            )
            for item in ("starts", "joins", "ends")
        ]
        run_ids = {handle.result_run_id or handle.first_execution_run_id for handle in handles}
        check_equal(len(run_ids), 1, "number of runs")
        check_equal(await handles[0].result(), ["starts", "joins", "ends"], "signals in order")
        history = await handles[0].fetch_history()
        check_event_counts(history, WORKFLOW_EXECUTION_STARTED=1, WORKFLOW_EXECUTION_SIGNALED=3)
        check_equal(
            [event.event_type for event in history.events][:2],
            [
                EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
                EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
            ],
            "first events",
        )
        # The run is closed now: the same call starts another one.
        again = await context.start(
            Collect.run, 1, id=identifier, start_signal="add", start_signal_args=["anew"]
        )
        check_equal(await again.result(), ["anew"], "signals of the second run")


@scenario
async def query_open(context: Context) -> None:
    async with context.worker([Collect]):
        handle = await context.start(Collect.run)
        check_equal(await handle.query(Collect.added), [], "answer before any signal")
        for number in range(3):
            await handle.signal(Collect.add, f"item {number}")
            check_equal(
                await handle.query(Collect.added),
                [f"item {each}" for each in range(number + 1)],
                "answer sees every signal that was acknowledged before",
            )
        check_equal(
            await handle.query(Collect.item, 1), "item 1", "answer to a query with argument"
        )
        with expect_error(WorkflowQueryFailedError, "query that raises"):
            await handle.query(Collect.item, 99)
        with expect_error(WorkflowQueryFailedError, "query that the workflow does not know"):
            await handle.query("no_such_query")
        check_equal(
            await handle.query(Collect.item, 0, reject_condition=QueryRejectCondition.NOT_OPEN),
            "item 0",
            "answer of an open workflow with the reject condition",
        )
        await handle.signal(Collect.finish)
        await handle.result()


@scenario
async def query_closed(context: Context) -> None:
    async with context.worker([Collect]):
        handle = await context.start(Collect.run, 2)
        await handle.signal(Collect.add, "one")
        await handle.signal(Collect.add, "two")
        await handle.result()
        check_equal(await handle.query(Collect.added), ["one", "two"], "answer after the end")
        with expect_error(
            WorkflowQueryRejectedError, "query that wants an open workflow"
        ) as refused:
            await handle.query(Collect.added, reject_condition=QueryRejectCondition.NOT_OPEN)
        check_equal(
            refused.value.status, WorkflowExecutionStatus.COMPLETED, "status in the refusal"
        )
        check_equal(
            await handle.query(
                Collect.item, 0, reject_condition=QueryRejectCondition.NOT_COMPLETED_CLEANLY
            ),
            "one",
            "answer of a workflow that completed cleanly",
        )
    # Nobody has this run in a cache now, the worker reads it again from the beginning.
    async with context.worker([Collect]):
        check_equal(await handle.query(Collect.added), ["one", "two"], "answer of another worker")
