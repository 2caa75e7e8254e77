"""Activities that the scenarios schedule. What they saw goes back in their results."""

from __future__ import annotations

import asyncio

from temporalio import activity
from temporalio.exceptions import ApplicationError

FOREVER_SECONDS = 3600.0

# Keys that `leave_mark` was given in this process.
marks: list[str] = []

# Task tokens that `complete_elsewhere` left behind, by activity id and workflow id.
task_tokens: dict[tuple[str, str], bytes] = {}


@activity.defn
async def echo(value: bytes) -> bytes:
    return value


@activity.defn
async def greet(name: str) -> str:
    return f"Hello, {name}!"


@activity.defn
async def succeed_on_attempt(wanted: int) -> int:
    """Fails with a retryable error until the server says that it is attempt `wanted`."""
    attempt = activity.info().attempt
    if attempt < wanted:
        raise ApplicationError(f"attempt {attempt} of {wanted}", type="NotYet")
    return attempt


@activity.defn
async def fail_with_type(kind: str) -> None:
    raise ApplicationError(f"failed with {kind}", activity.info().attempt, type=kind)


@activity.defn
async def stall(_: str) -> None:
    """Never ends on its own and never heartbeats."""
    await asyncio.sleep(FOREVER_SECONDS)


@activity.defn
async def heartbeat_once_then_stall(detail: str) -> None:
    activity.heartbeat(detail)
    await asyncio.sleep(FOREVER_SECONDS)


@activity.defn
async def resume_from_heartbeat(progress: int) -> list[int]:
    """The first attempt records progress and fails; the next one returns what it was given."""
    if activity.info().attempt == 1:
        activity.heartbeat(progress, progress + 1)
        raise ApplicationError("interrupted", type="Interrupted")
    return list(activity.info().heartbeat_details)


@activity.defn
async def heartbeat_until_cancelled(_: str) -> str:
    beats = 0
    try:
        while True:
            beats += 1
            activity.heartbeat(beats)
            await asyncio.sleep(0.1)
    except asyncio.CancelledError:
        details = activity.cancellation_details()
        if details is None or not details.cancel_requested:
            raise
        return "cancelled while heartbeating"


@activity.defn
async def leave_mark(key: str) -> str:
    marks.append(key)
    return f"marked {key}"


@activity.defn
async def complete_elsewhere(_: str) -> str:
    info = activity.info()
    task_tokens[info.activity_id, info.workflow_id or ""] = info.task_token
    activity.raise_complete_async()


@activity.defn(name="survive_worker")
async def die_with_worker() -> list[int | str]:
    """What the worker that gets killed runs: it heartbeats and never ends."""
    while True:
        activity.heartbeat("alive")
        await asyncio.sleep(0.1)


@activity.defn
async def survive_worker() -> list[int | str]:
    """The attempt it is, then the heartbeat details of earlier attempts."""
    return [activity.info().attempt, *activity.info().heartbeat_details]


@activity.defn
async def sleep_and_say(duration: float) -> str:
    await asyncio.sleep(duration)
    return f"slept {duration:g} s"
