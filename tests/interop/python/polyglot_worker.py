"""A Python worker for workflows that clients and workflows in other languages use.

    polyglot_worker.py --address HOST:PORT --task-queue NAME [--namespace NAME]

Workflow `greet_python(name) -> str` and workflow `collect_signals(n) -> list[str]`, which returns
the arguments of the first n signals named `add` in the order of their arrival. The program prints
"ready" once its worker polls, and ends cleanly on SIGTERM or SIGINT.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys

from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import Worker


@workflow.defn(name="greet_python")
class GreetPython:
    @workflow.run
    async def run(self, name: str) -> str:
        return f"Hello, {name}, from Python!"


@workflow.defn(name="collect_signals")
class CollectSignals:
    def __init__(self) -> None:
        self._added: list[str] = []

    @workflow.run
    async def run(self, count: int) -> list[str]:
        await workflow.wait_condition(lambda: len(self._added) >= count)
        return self._added[:count]

    @workflow.signal
    def add(self, item: str) -> None:
        self._added.append(item)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", required=True)
    parser.add_argument("--namespace", default="default")
    parser.add_argument("--task-queue", required=True)
    arguments = parser.parse_args()

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    client = await Client.connect(arguments.address, namespace=arguments.namespace)
    async with Worker(
        client, task_queue=arguments.task_queue, workflows=[GreetPython, CollectSignals]
    ):
        print("ready", flush=True)
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(main())
    # Threads of the SDK may call into an interpreter that is ending, which ends the process with an error.
    sys.stdout.flush()
    os._exit(0)
