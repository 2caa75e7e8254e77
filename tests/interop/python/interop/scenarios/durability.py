"""Large payloads, long histories, many workflows at once, and a worker that dies."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from temporalio.api.enums.v1 import PendingActivityState, PendingWorkflowTaskState
from temporalio.client import WorkflowHandle, WorkflowHistory

from interop import activities
from interop.harness import (
    Context,
    check,
    check_equal,
    check_event_counts,
    check_event_ids,
    check_replays,
    event_counts,
    eventually,
    scenario,
    seconds,
)
from interop.workflows import EchoThroughActivity, Greet, LongHistory, StuckTask, SurviveWorker

MEBIBYTE = 1024 * 1024


@scenario
async def history_2000_cold_cache(context: Context) -> None:
    batches, batch_size = 2, 510
    async with context.worker([LongHistory], max_cached_workflows=0):
        handle = await context.start(LongHistory.run, batches, batch_size)

        # Each query makes the worker replay the run from its beginning: not one to wait with.
        async def all_fired() -> bool:
            description = await handle.describe()
            return (
                description.history_length > 2 * batches * batch_size
                and not description.raw_description.HasField("pending_workflow_task")
            )

        await eventually(all_fired, "all timers have fired", seconds=45)
        check_equal(
            await handle.query(LongHistory.fired),
            batches * batch_size,
            "answer while the run is open",
        )
        await handle.signal(LongHistory.finish)
        check_equal(await handle.result(), batches * batch_size, "number of timers")
        check_equal(
            await handle.query(LongHistory.fired), batches * batch_size, "answer after the end"
        )
        history = await _history_in_pages(handle, page_size=300)
        check(len(history.events) >= 2000, f"history has only {len(history.events)} events")
        check_event_ids(history)
        check_event_counts(
            history, TIMER_STARTED=batches * batch_size, TIMER_FIRED=batches * batch_size
        )
        await check_replays(history, LongHistory)


async def _history_in_pages(handle: WorkflowHandle, page_size: int) -> WorkflowHistory:
    events = [event async for event in handle.fetch_history_events(page_size=page_size)]
    return WorkflowHistory(handle.id, events)


@scenario
async def payload_1mib(context: Context) -> None:
    async with context.worker([EchoThroughActivity], [activities.echo]):
        value = random.Random(1).randbytes(MEBIBYTE)
        handle = await context.start(EchoThroughActivity.run, value)
        returned = await handle.result()
        check_equal(len(returned), MEBIBYTE, "size of the result")
        check_equal(_digest(returned), _digest(value), "digest of the result")
        history = await handle.fetch_history()
        check_event_counts(history, ACTIVITY_TASK_COMPLETED=1)
        check(
            sum(event.ByteSize() for event in history.events) > 4 * MEBIBYTE,
            "the history holds the payload four times",
        )
        await check_replays(history, EchoThroughActivity)


def _digest(value: bytes) -> str:
    return hashlib.sha256(value).hexdigest()


@scenario
async def concurrency_100(context: Context) -> None:
    async with context.worker([Greet], [activities.greet]):
        handles = await asyncio.gather(
            *(context.start(Greet.run, str(number)) for number in range(100))
        )
        results = await asyncio.gather(*(handle.result() for handle in handles))
        check_equal(results, [f"Hello, {number}!" for number in range(100)], "results")
        history = await handles[50].fetch_history()
        check_equal(event_counts(history)["ACTIVITY_TASK_COMPLETED"], 1, "completed activities")


@scenario
async def worker_killed_mid_task(context: Context) -> None:
    async with _worker_process(context) as process:
        in_activity = await context.start(SurviveWorker.run)
        await eventually(lambda: _activity_runs(in_activity), "the activity runs", seconds=40)
        in_workflow_task = await context.start(StuckTask.run, task_timeout=seconds(2))
        await eventually(lambda: _workflow_task_runs(in_workflow_task), "the workflow task runs")
        process.kill()
        await process.wait()
    async with context.worker([SurviveWorker, StuckTask], [activities.survive_worker]):
        check_equal(
            await in_workflow_task.result(), "finished by another worker", "workflow task's result"
        )
        check_event_counts(await in_workflow_task.fetch_history(), WORKFLOW_TASK_TIMED_OUT=1)
        attempt, *details = await in_activity.result()
        check(attempt > 1, f"the activity ended on attempt {attempt}")
        check_equal(details, ["alive"], "heartbeat details from the killed worker")
        await check_replays(await in_activity.fetch_history(), SurviveWorker)


@asynccontextmanager
async def _worker_process(context: Context) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process of its own that polls the scenario's task queue until it is killed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "interop.doomed_worker"),
        *("--address", context.address),
        *("--namespace", context.client.namespace),
        *("--task-queue", context.task_queue),
        stdin=asyncio.subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _activity_runs(handle: WorkflowHandle) -> bool:
    description = (await handle.describe()).raw_description
    return any(
        one.state == PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
        and one.HasField("heartbeat_details")
        for one in description.pending_activities
    )


async def _workflow_task_runs(handle: WorkflowHandle) -> bool:
    task = (await handle.describe()).raw_description.pending_workflow_task
    return task.state == PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_STARTED
