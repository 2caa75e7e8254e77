"""Workflows that the scenarios start."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy, SearchAttributeKey
from temporalio.exceptions import ActivityError, ApplicationError, FailureError

with workflow.unsafe.imports_passed_through():
    from interop import activities


@dataclass
class ActivityCall:
    """An activity with its options; durations in seconds, none where zero."""

    name: str
    argument: str | int
    schedule_to_close: float = 0
    schedule_to_start: float = 0
    start_to_close: float = 0
    heartbeat: float = 0
    retry_interval: float = 0.1
    maximum_attempts: int = 0
    non_retryable: list[str] = field(default_factory=list)
    task_queue: str = ""


def _duration(seconds: float) -> timedelta | None:
    return timedelta(seconds=seconds) if seconds else None


@workflow.defn
class CallActivity:
    """Runs one activity and has its outcome."""

    @workflow.run
    async def run(self, call: ActivityCall) -> str | int | list[int]:
        return await workflow.execute_activity(
            call.name,
            call.argument,
            task_queue=call.task_queue or None,
            schedule_to_close_timeout=_duration(call.schedule_to_close),
            schedule_to_start_timeout=_duration(call.schedule_to_start),
            start_to_close_timeout=_duration(call.start_to_close),
            heartbeat_timeout=_duration(call.heartbeat),
            retry_policy=RetryPolicy(
                initial_interval=timedelta(seconds=call.retry_interval),
                backoff_coefficient=2.0,
                maximum_attempts=call.maximum_attempts,
                non_retryable_error_types=call.non_retryable,
            ),
        )


@workflow.defn
class CancelActivity:
    """Cancels its own activity when told to, and waits for what the activity makes of it."""

    def __init__(self) -> None:
        self._told = False

    @workflow.run
    async def run(self) -> str:
        task = workflow.start_activity(
            activities.heartbeat_until_cancelled,
            "",
            start_to_close_timeout=timedelta(seconds=30),
            heartbeat_timeout=timedelta(seconds=1),
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )
        await workflow.wait_condition(lambda: self._told)
        task.cancel()
        return await task

    @workflow.signal
    def cancel_activity(self) -> None:
        self._told = True


@workflow.defn
class Sleep:
    @workflow.run
    async def run(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@workflow.defn
class AlwaysFail:
    @workflow.run
    async def run(self, message: str) -> None:
        raise ApplicationError(message, workflow.info().attempt, type="AlwaysFail")


@workflow.defn
class Timers:
    """Two timers fire in the order of their durations; a third is cancelled."""

    @workflow.run
    async def run(self) -> list[str]:
        order: list[str] = []

        async def note_after(seconds: float, name: str) -> None:
            await asyncio.sleep(seconds)
            order.append(name)

        cancelled = asyncio.create_task(note_after(3600, "never"))
        second = asyncio.create_task(note_after(0.8, "second"))
        first = asyncio.create_task(note_after(0.3, "first"))
        start = workflow.now()
        await asyncio.gather(first, second)
        if workflow.now() - start < timedelta(seconds=0.8):
            order.append("too early")
        cancelled.cancel()
        try:
            await cancelled
        except asyncio.CancelledError:
            order.append("cancelled")
        await asyncio.sleep(0.1)
        return order


@workflow.defn
class Collect:
    """Collects what it is signalled until `finish`; queries look at it at any time."""

    def __init__(self) -> None:
        self._added: list[str] = []
        self._finished = False

    @workflow.run
    async def run(self, expected: int = 0) -> list[str]:
        await workflow.wait_condition(
            lambda: self._finished or (expected > 0 and len(self._added) >= expected)
        )
        return self._added

    @workflow.signal
    def add(self, item: str) -> None:
        self._added.append(item)

    @workflow.signal
    def finish(self) -> None:
        self._finished = True

    @workflow.query
    def added(self) -> list[str]:
        return self._added

    @workflow.query
    def item(self, index: int) -> str:
        return self._added[index]


@workflow.defn
class SignalAnother:
    @workflow.run
    async def run(self, workflow_id: str, items: list[str]) -> None:
        other = workflow.get_external_workflow_handle(workflow_id)
        for item in items:
            await other.signal("add", item)


@workflow.defn
class CleanUpWhenCancelled:
    @workflow.run
    async def run(self, key: str) -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            await asyncio.shield(
                workflow.execute_activity(
                    activities.leave_mark, key, start_to_close_timeout=timedelta(seconds=10)
                )
            )


@workflow.defn
class CountDown:
    """Continues as new until nothing is left; the result is the run ids it went through."""

    @workflow.run
    async def run(self, left: int, runs: list[str]) -> list[str]:
        runs = [*runs, workflow.info().run_id]
        if left > 0:
            workflow.continue_as_new(args=[left - 1, runs])
        return runs


@workflow.defn
class EchoThroughActivity:
    @workflow.run
    async def run(self, value: bytes) -> bytes:
        return await workflow.execute_activity(
            activities.echo, value, start_to_close_timeout=timedelta(seconds=20)
        )


@workflow.defn
class LongHistory:
    """Makes a history of many timers, then stays open until `finish`."""

    def __init__(self) -> None:
        self._fired = 0
        self._finished = False

    @workflow.run
    async def run(self, batches: int, batch_size: int) -> int:
        for _ in range(batches):
            await asyncio.gather(*(self._one_timer() for _ in range(batch_size)))
        await workflow.wait_condition(lambda: self._finished)
        return self._fired

    async def _one_timer(self) -> None:
        await asyncio.sleep(0.01)
        self._fired += 1

    @workflow.signal
    def finish(self) -> None:
        self._finished = True

    @workflow.query
    def fired(self) -> int:
        return self._fired


@workflow.defn
class SurviveWorker:
    @workflow.run
    async def run(self) -> list[int | str]:
        return await workflow.execute_activity(
            activities.survive_worker,
            start_to_close_timeout=timedelta(seconds=60),
            heartbeat_timeout=timedelta(seconds=2),
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=100)),
        )


@workflow.defn(name="StuckTask", sandboxed=False)
class StuckTaskInDyingWorker:
    """What the worker that gets killed runs: it never gives its workflow task back."""

    @workflow.run
    async def run(self) -> str:
        while True:
            time.sleep(0.05)


@workflow.defn
class StuckTask:
    @workflow.run
    async def run(self) -> str:
        await asyncio.sleep(0.1)
        return "finished by another worker"


@workflow.defn
class LocalActivities:
    """A local activity that succeeds, one that is retried, one that outlives a workflow task."""

    @workflow.run
    async def run(self) -> list[str | int]:
        timeout = timedelta(minutes=10)
        greeting = await workflow.execute_local_activity(
            activities.greet, "local", start_to_close_timeout=timeout
        )
        attempts = await workflow.execute_local_activity(
            activities.succeed_on_attempt,
            3,
            start_to_close_timeout=timeout,
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=50)),
        )
        failure = ""
        try:
            await workflow.execute_local_activity(
                activities.fail_with_type,
                "Final",
                start_to_close_timeout=timeout,
                retry_policy=RetryPolicy(maximum_attempts=1),
            )
        except FailureError as error:
            failure = getattr(error.cause or error, "type", "")
        slept = await workflow.execute_local_activity(
            "sleep_and_say", 6.0, result_type=str, start_to_close_timeout=timeout
        )
        return [greeting, attempts, failure, slept]


@workflow.defn(name="Patching")
class BeforePatch:
    def __init__(self) -> None:
        self._proceed = False

    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: self._proceed)
        return await workflow.execute_activity(
            activities.greet, "old", start_to_close_timeout=timedelta(seconds=10)
        )

    @workflow.signal
    def proceed(self) -> None:
        self._proceed = True


@workflow.defn(name="Patching")
class AfterPatch:
    def __init__(self) -> None:
        self._proceed = False

    @workflow.run
    async def run(self) -> str:
        name = "old"
        if workflow.patched("use-new-name"):
            await asyncio.sleep(0.05)
            name = "new"
        await workflow.wait_condition(lambda: self._proceed)
        return await workflow.execute_activity(
            activities.greet, name, start_to_close_timeout=timedelta(seconds=10)
        )

    @workflow.signal
    def proceed(self) -> None:
        self._proceed = True


@workflow.defn(name="Patching")
class PatchDeprecated:
    def __init__(self) -> None:
        self._proceed = False

    @workflow.run
    async def run(self) -> str:
        workflow.deprecate_patch("use-new-name")
        await asyncio.sleep(0.05)
        await workflow.wait_condition(lambda: self._proceed)
        return await workflow.execute_activity(
            activities.greet, "new", start_to_close_timeout=timedelta(seconds=10)
        )

    @workflow.signal
    def proceed(self) -> None:
        self._proceed = True


@workflow.defn
class Upsert:
    """Changes its memo and, where the server has custom ones, its search attributes."""

    @workflow.run
    async def run(self, keyword_attribute: str, integer_attribute: str) -> dict[str, str]:
        workflow.upsert_memo({"added": "by workflow", "changed": "after", "removed": None})
        if keyword_attribute:
            key = SearchAttributeKey.for_keyword(keyword_attribute)
            workflow.upsert_search_attributes([key.value_set("from-workflow")])
        if integer_attribute:
            number = SearchAttributeKey.for_int(integer_attribute)
            workflow.upsert_search_attributes([number.value_set(42)])
        await asyncio.sleep(0.05)
        return {name: workflow.memo_value(name, type_hint=str) for name in sorted(workflow.memo())}


@workflow.defn
class CompletedElsewhere:
    """Runs activities that somebody else completes, fails, and reports as cancelled."""

    def __init__(self) -> None:
        self._cancel = False

    @workflow.run
    async def run(self) -> list[str]:
        outcomes = []
        for activity_id in ("by-token", "by-id", "failed-by-id", "cancelled-by-token"):
            task = workflow.start_activity(
                activities.complete_elsewhere,
                "",
                activity_id=activity_id,
                start_to_close_timeout=timedelta(seconds=30),
                heartbeat_timeout=timedelta(seconds=20),
                retry_policy=RetryPolicy(maximum_attempts=1),
                cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            )
            try:
                if activity_id == "cancelled-by-token":
                    await workflow.wait_condition(lambda: self._cancel)
                    task.cancel()
                outcomes.append(await task)
            except ActivityError as error:
                outcomes.append(f"{type(error.cause).__name__}: {error.cause}")
        return outcomes

    @workflow.signal
    def cancel_activity(self) -> None:
        self._cancel = True


@workflow.defn
class RandomValues:
    """Draws random values at different moments; the result must not change when it is replayed."""

    def __init__(self) -> None:
        self._values: list[str] = []

    @workflow.run
    async def run(self) -> list[str]:
        for _ in range(3):
            self._values.append(str(workflow.uuid4()))
            self._values.append(str(workflow.random().randint(0, 10**12)))
            self._values.append(workflow.now().isoformat())
            await asyncio.sleep(0.05)
        return self._values

    @workflow.query
    def values(self) -> list[str]:
        return self._values


@workflow.defn
class Greet:
    @workflow.run
    async def run(self, name: str) -> str:
        await asyncio.sleep(0.05)
        return await workflow.execute_activity(
            activities.greet, name, start_to_close_timeout=timedelta(seconds=30)
        )


@workflow.defn
class Counter:
    """Counts until it is told to finish; an update adds a number and returns the sum."""

    def __init__(self) -> None:
        self.count = 0
        self.finished = False

    @workflow.run
    async def run(self) -> int:
        await workflow.wait_condition(lambda: self.finished and workflow.all_handlers_finished())
        return self.count

    @workflow.update
    async def add(self, number: int) -> int:
        await workflow.sleep(0.001)
        self.count += number
        return self.count

    @add.validator
    def check_number(self, number: int) -> None:
        if number < 0:
            raise ApplicationError("negative")

    @workflow.signal
    def finish(self) -> None:
        self.finished = True
