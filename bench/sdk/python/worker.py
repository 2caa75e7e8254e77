"""The Python worker that is compared with those of other SDKs, which take the same words:

    worker.py serve ADDRESS TASK_QUEUE CACHED_RUNS    until standard input ends; prints "ready"
    worker.py replay FILE TIMES                       a serialised History; prints what it took

The workflows are the same in every language.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from datetime import timedelta
from pathlib import Path

from temporalio import activity, workflow
from temporalio.api.history.v1 import History
from temporalio.client import Client, WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, Worker

LIMIT = timedelta(seconds=30)


@activity.defn(name="Greet")
async def greet(name: str) -> str:
    return f"Hello, {name}"


@workflow.defn(name="OneActivity")
class OneActivity:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(greet, "world", start_to_close_timeout=LIMIT)


@workflow.defn(name="ManyActivities")
class ManyActivities:
    """Makes a long history: an activity after the other."""

    @workflow.run
    async def run(self, count: int) -> None:
        for _ in range(count):
            await workflow.execute_activity(greet, "world", start_to_close_timeout=LIMIT)


@workflow.defn(name="Switches")
class Switches:
    """Two coroutines take turns, within one workflow task."""

    @workflow.run
    async def run(self, rounds: int) -> None:
        self._turn = 0
        await asyncio.gather(self._play(0, rounds), self._play(1, rounds))

    async def _play(self, mine: int, rounds: int) -> None:
        for _ in range(rounds):
            await workflow.wait_condition(lambda: self._turn == mine)
            self._turn = 1 - mine


# How many idle runs are in memory, which proves that they are in the cache.
idle_runs = 0


@workflow.defn(name="Idle")
class Idle:
    def __init__(self) -> None:
        self._ended = False

    @workflow.run
    async def run(self) -> None:
        global idle_runs
        idle_runs += 1
        try:
            await workflow.wait_condition(lambda: self._ended)
        finally:
            idle_runs -= 1

    @workflow.signal
    def end(self) -> None:
        self._ended = True


@activity.defn(name="CountIdleRuns")
async def count_idle_runs() -> int:
    return idle_runs


@workflow.defn(name="Alive")
class Alive:
    @workflow.run
    async def run(self) -> int:
        return await workflow.execute_activity(count_idle_runs, start_to_close_timeout=LIMIT)


WORKFLOWS = [OneActivity, ManyActivities, Switches, Idle, Alive]


async def serve(address: str, task_queue: str, cached_runs: int) -> None:
    client = await Client.connect(address)
    async with Worker(
        client,
        task_queue=task_queue,
        workflows=WORKFLOWS,
        activities=[greet, count_idle_runs],
        # Faster than with the sandbox, which the other languages have not.
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_cached_workflows=cached_runs,
        max_concurrent_workflow_task_polls=8,
        max_concurrent_activity_task_polls=8,
    ):
        print("ready", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


async def replay(path: str, times: int) -> None:
    history = WorkflowHistory("replayed", History.FromString(Path(path).read_bytes()).events)
    replayer = Replayer(workflows=WORKFLOWS, workflow_runner=UnsandboxedWorkflowRunner())
    begin, processor_begin = time.monotonic(), processor_seconds()
    for _ in range(times):
        await replayer.replay_workflow(history)
    seconds, processor = time.monotonic() - begin, processor_seconds() - processor_begin
    print(json.dumps({"seconds": seconds, "cpu_seconds": processor}))


def processor_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        asyncio.run(serve(sys.argv[2], sys.argv[3], int(sys.argv[4])))
    else:
        asyncio.run(replay(sys.argv[2], int(sys.argv[3])))
