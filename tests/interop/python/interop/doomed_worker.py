"""A worker that takes tasks, never gives them back, and waits to be killed."""

from __future__ import annotations

import argparse
import asyncio
from datetime import timedelta

from temporalio.client import Client
from temporalio.worker import Worker

from interop import activities
from interop.workflows import StuckTaskInDyingWorker, SurviveWorker


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", required=True)
    parser.add_argument("--namespace", required=True)
    parser.add_argument("--task-queue", required=True)
    arguments = parser.parse_args()
    client = await Client.connect(arguments.address, namespace=arguments.namespace)
    worker = Worker(
        client,
        task_queue=arguments.task_queue,
        workflows=[SurviveWorker, StuckTaskInDyingWorker],
        activities=[activities.die_with_worker],
        # So long do the tasks of a dead worker wait for it: the default of 10 s tests nothing more.
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=2),
        # Without it the SDK would notice the stuck workflow task and fail it.
        debug_mode=True,
    )
    await worker.run()


if __name__ == "__main__":
    asyncio.run(main())
