"""What every scenario stands on: its own task queue, workers, handles, and checks.

A scenario is a coroutine function registered under its name with @scenario. It receives a
Context and passes when it returns; it fails with whatever it raises. Scenarios share one client
connection and nothing else, so any number of them can run at the same time.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, TypeVar

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHandle, WorkflowHistory
from temporalio.worker import Replayer, Worker

SCENARIO_LIMIT_SECONDS = 60.0

Kind = TypeVar("Kind")

ScenarioFunction = Callable[["Context"], Awaitable[None]]

SCENARIOS: dict[str, ScenarioFunction] = {}


def scenario(function: ScenarioFunction) -> ScenarioFunction:
    """Registers a scenario under the name of its function."""
    SCENARIOS[function.__name__] = function
    return function


class CheckFailed(Exception):
    """The server answered, but not what it should have."""


@dataclass
class Context:
    """One scenario's view of the server."""

    name: str
    client: Client
    address: str
    task_queue: str

    @staticmethod
    def create(name: str, client: Client, address: str) -> Context:
        return Context(name, client, address, f"interop-python-{name}-{uuid.uuid4().hex[:8]}")

    def new_id(self, suffix: str = "workflow") -> str:
        return f"{self.task_queue}-{suffix}-{uuid.uuid4().hex[:6]}"

    def worker(
        self,
        workflows: list[type],
        activities: list[Callable[..., Any]] | None = None,
        **options: Any,
    ) -> Worker:
        """A worker for this scenario's task queue; use it with `async with`."""
        return Worker(
            self.client,
            task_queue=options.pop("task_queue", self.task_queue),
            workflows=workflows,
            activities=activities or [],
            **options,
        )

    async def start(
        self, workflow: Any, *arguments: Any, **options: Any
    ) -> WorkflowHandle[Any, Any]:
        """Starts a workflow on this scenario's task queue, under a new id unless one is given."""
        return await self.client.start_workflow(
            workflow,
            args=arguments,
            id=options.pop("id", None) or self.new_id(),
            task_queue=self.task_queue,
            **options,
        )

    async def execute(self, workflow: Any, *arguments: Any, **options: Any) -> Any:
        handle = await self.start(workflow, *arguments, **options)
        return await handle.result()


def check(condition: bool, what: str) -> None:
    if not condition:
        raise CheckFailed(what)


def check_equal(actual: Any, expected: Any, what: str) -> None:
    if actual != expected:
        raise CheckFailed(f"{what}: got {actual!r}, want {expected!r}")


def check_type(value: object, kind: type[Kind], what: str) -> Kind:
    """Returns the value once it is known to be of a type."""
    if not isinstance(value, kind):
        raise CheckFailed(f"{what} is {value!r}, not a {kind.__name__}")
    return value


@contextmanager
def expect_error(kind: type[BaseException], what: str) -> Iterator[SimpleNamespace]:
    """Passes only if the body raises `kind`; the error is then `.value` of what is yielded."""
    caught = SimpleNamespace(value=None)
    try:
        yield caught
    except kind as error:
        caught.value = error
        return
    raise CheckFailed(f"{what}: no {kind.__name__} was raised")


def error_chain(error: BaseException) -> list[BaseException]:
    """An error and its causes, outermost first."""
    chain: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in chain:
        chain.append(current)
        current = getattr(current, "cause", None) or current.__cause__
    return chain


def describe_error(error: BaseException) -> str:
    return " <- ".join(f"{type(one).__name__}: {one}" for one in error_chain(error))


async def eventually(
    condition: Callable[[], Awaitable[bool]], what: str, seconds: float = 20.0
) -> None:
    """Waits until a condition holds that nothing but asking again can tell."""
    deadline = time.monotonic() + seconds
    while not await condition():
        if time.monotonic() > deadline:
            raise CheckFailed(f"not within {seconds:g} s: {what}")
        await asyncio.sleep(0.1)


def event_counts(history: WorkflowHistory) -> Counter[str]:
    """How often each event type occurs, by names such as `TIMER_FIRED`."""
    return Counter(
        EventType.Name(event.event_type).removeprefix("EVENT_TYPE_") for event in history.events
    )


def check_event_counts(history: WorkflowHistory, **expected: int) -> None:
    counts = event_counts(history)
    for name, count in expected.items():
        check_equal(counts[name], count, f"events of type {name}")


def check_event_ids(history: WorkflowHistory) -> None:
    check_equal(
        [event.event_id for event in history.events],
        list(range(1, len(history.events) + 1)),
        "event ids",
    )


async def check_replays(history: WorkflowHistory, *workflows: type) -> None:
    """Replays a history without a server; raises when the code and the history disagree."""
    await Replayer(workflows=list(workflows)).replay_workflow(history)


def seconds(value: float) -> timedelta:
    return timedelta(seconds=value)
