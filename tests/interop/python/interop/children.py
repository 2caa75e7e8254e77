"""Workflows that are, or have, children."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError
from temporalio.workflow import ParentClosePolicy

POLICIES = {
    "terminated": ParentClosePolicy.TERMINATE,
    "cancelled": ParentClosePolicy.REQUEST_CANCEL,
    "abandoned": ParentClosePolicy.ABANDON,
}


@workflow.defn
class Square:
    @workflow.run
    async def run(self, number: int) -> int:
        return number * number


@workflow.defn
class Squares:
    """Runs as many children as it is told to, all at once, and adds up what they give."""

    @workflow.run
    async def run(self, count: int) -> int:
        own_id = workflow.info().workflow_id
        return sum(
            await asyncio.gather(
                *(
                    workflow.execute_child_workflow(Square.run, i, id=f"{own_id}-{i}")
                    for i in range(1, count + 1)
                )
            )
        )


@workflow.defn
class Sleeper:
    @workflow.run
    async def run(self) -> None:
        await asyncio.sleep(3600)


@workflow.defn
class WaitForSleeper:
    @workflow.run
    async def run(self, child_id: str) -> None:
        await workflow.execute_child_workflow(Sleeper.run, id=child_id)


@workflow.defn
class EndBeforeChildren:
    """Ends while three children, one for each policy, go on."""

    @workflow.run
    async def run(self) -> None:
        for name, policy in POLICIES.items():
            await workflow.start_child_workflow(
                Sleeper.run,
                id=f"{workflow.info().workflow_id}-{name}",
                parent_close_policy=policy,
            )


@workflow.defn
class FailTwice:
    @workflow.run
    async def run(self) -> int:
        attempt = workflow.info().attempt
        if attempt < 3:
            raise ApplicationError(f"attempt {attempt} fails")
        return attempt


@workflow.defn
class RetryChild:
    @workflow.run
    async def run(self) -> int:
        return await workflow.execute_child_workflow(
            FailTwice.run,
            id=f"{workflow.info().workflow_id}-child",
            retry_policy=RetryPolicy(
                initial_interval=timedelta(milliseconds=50), maximum_attempts=3
            ),
        )


@workflow.defn
class Counting:
    """Adds one to what the run before it gave."""

    @workflow.run
    async def run(self) -> int:
        return (workflow.get_last_completion_result(int) or 0) + 1
