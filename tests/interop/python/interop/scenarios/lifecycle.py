"""How a workflow starts, goes on and ends, and what it keeps on its way."""

from __future__ import annotations

from temporalio.api.enums.v1 import EventType, IndexedValueType
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.client import (
    WorkflowContinuedAsNewError,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
)
from temporalio.common import (
    SearchAttributeKey,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import CancelledError, TerminatedError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.workflow import NondeterminismError

from interop import activities
from interop.harness import (
    Context,
    check,
    check_equal,
    check_event_counts,
    check_event_ids,
    check_replays,
    check_type,
    eventually,
    expect_error,
    scenario,
)
from interop.workflows import (
    AfterPatch,
    AlwaysFail,
    BeforePatch,
    CleanUpWhenCancelled,
    Collect,
    CountDown,
    PatchDeprecated,
    RandomValues,
    Sleep,
    Timers,
    Upsert,
)


@scenario
async def timers(context: Context) -> None:
    async with context.worker([Timers]):
        handle = await context.start(Timers.run)
        check_equal(await handle.result(), ["first", "second", "cancelled"], "order")
        history = await handle.fetch_history()
        check_event_ids(history)
        check_event_counts(history, TIMER_STARTED=4, TIMER_FIRED=3, TIMER_CANCELED=1)
        started = {
            event.event_id: event
            for event in history.events
            if event.event_type == EventType.EVENT_TYPE_TIMER_STARTED
        }
        for event in history.events:
            if event.event_type == EventType.EVENT_TYPE_TIMER_FIRED:
                start = started[event.timer_fired_event_attributes.started_event_id]
                wanted = start.timer_started_event_attributes.start_to_fire_timeout.ToTimedelta()
                waited = event.event_time.ToDatetime() - start.event_time.ToDatetime()
                check(waited >= wanted, f"timer of {wanted} fired after {waited}")
        await check_replays(history, Timers)


@scenario
async def cancel_cleanup(context: Context) -> None:
    async with context.worker([CleanUpWhenCancelled], [activities.leave_mark]):
        key = context.new_id("cleanup")
        handle = await context.start(CleanUpWhenCancelled.run, key)
        await _until_timer_runs(handle)
        await handle.cancel()
        with expect_error(WorkflowFailureError, "result of a cancelled workflow") as failure:
            await handle.result()
        check_type(failure.value.cause, CancelledError, "cause of the failure")
        check_equal(activities.marks.count(key), 1, "times that the clean-up ran")
        description = await handle.describe()
        check_equal(description.status, WorkflowExecutionStatus.CANCELED, "status")
        history = await handle.fetch_history()
        check_event_counts(
            history,
            WORKFLOW_EXECUTION_CANCEL_REQUESTED=1,
            TIMER_CANCELED=1,
            ACTIVITY_TASK_COMPLETED=1,
            WORKFLOW_EXECUTION_CANCELED=1,
        )
        await check_replays(history, CleanUpWhenCancelled)


async def _until_timer_runs(handle: WorkflowHandle) -> None:
    async def timer_runs() -> bool:
        history = await handle.fetch_history()
        return any(e.event_type == EventType.EVENT_TYPE_TIMER_STARTED for e in history.events)

    await eventually(timer_runs, "the workflow waits for its timer")


@scenario
async def terminate(context: Context) -> None:
    async with context.worker([Sleep]):
        handle = await context.start(Sleep.run, 3600)
        await _until_timer_runs(handle)
        await handle.terminate("one", "two", reason="not needed any more")
        with expect_error(WorkflowFailureError, "result of a terminated workflow") as failure:
            await handle.result()
        cause = check_type(failure.value.cause, TerminatedError, "cause of the failure")
        check_equal(str(cause), "not needed any more", "reason")
        check_equal(list(cause.details), ["one", "two"], "details")
        description = await handle.describe()
        check_equal(description.status, WorkflowExecutionStatus.TERMINATED, "status")
        check_event_counts(await handle.fetch_history(), WORKFLOW_EXECUTION_TERMINATED=1)
        with expect_error(RPCError, "a second termination") as refused:
            await handle.terminate()
        check_equal(refused.value.status, RPCStatusCode.NOT_FOUND, "status of the second call")

    # A workflow that no worker ever touched can be terminated, too.
    untouched = await context.start(Sleep.run, 3600)
    await untouched.terminate()
    with expect_error(WorkflowFailureError, "result of an untouched terminated workflow"):
        await untouched.result()


@scenario
async def continue_as_new(context: Context) -> None:
    async with context.worker([CountDown]):
        handle = await context.start(CountDown.run, 3, [])
        runs = await handle.result()
        check_equal(len(set(runs)), 4, "number of runs")
        check_equal(runs[0], handle.first_execution_run_id, "first run")
        with expect_error(WorkflowContinuedAsNewError, "result of the first run alone") as next_run:
            await handle.result(follow_runs=False)
        check_equal(next_run.value.new_execution_run_id, runs[1], "run that follows the first")
        first = context.client.get_workflow_handle(handle.id, run_id=runs[0])
        check_equal(
            (await first.describe()).status,
            WorkflowExecutionStatus.CONTINUED_AS_NEW,
            "status of the first run",
        )
        last = context.client.get_workflow_handle(handle.id)
        check_equal((await last.describe()).run_id, runs[3], "current run")
        started = (await last.fetch_history()).events[0].workflow_execution_started_event_attributes
        check_equal(started.continued_execution_run_id, runs[2], "predecessor of the last run")
        check_equal(started.first_execution_run_id, runs[0], "first run in the last run's history")


@scenario
async def id_policies(context: Context) -> None:
    async with context.worker([Collect, AlwaysFail]):
        await _reuse_policies(context)
        await _conflict_policies(context)


async def _closed(context: Context, completed: bool) -> str:
    """The id of a workflow that has completed or failed."""
    identifier = context.new_id()
    if completed:
        handle = await context.start(Collect.run, id=identifier)
        await handle.signal(Collect.finish)
        await handle.result()
    else:
        handle = await context.start(AlwaysFail.run, "on purpose", id=identifier)
        with expect_error(WorkflowFailureError, "result of a failed workflow"):
            await handle.result()
    return identifier


async def _reuse_policies(context: Context) -> None:
    allow = WorkflowIDReusePolicy.ALLOW_DUPLICATE
    failed_only = WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY
    reject = WorkflowIDReusePolicy.REJECT_DUPLICATE
    for policy, after_completed, may_start in (
        (allow, True, True),
        (failed_only, True, False),
        (failed_only, False, True),
        (reject, True, False),
        (reject, False, False),
    ):
        identifier = await _closed(context, after_completed)
        what = f"{policy.name} after {'completion' if after_completed else 'failure'}"
        if may_start:
            await context.start(Collect.run, id=identifier, id_reuse_policy=policy)
            continue
        with expect_error(WorkflowAlreadyStartedError, what) as refused:
            await context.start(Collect.run, id=identifier, id_reuse_policy=policy)
        check_equal(refused.value.workflow_id, identifier, f"workflow id in the refusal: {what}")
        check(bool(refused.value.run_id), f"run id in the refusal: {what}")


async def _conflict_policies(context: Context) -> None:
    first = await context.start(Collect.run)
    with expect_error(WorkflowAlreadyStartedError, "conflict policy fail") as refused:
        await context.start(
            Collect.run, id=first.id, id_conflict_policy=WorkflowIDConflictPolicy.FAIL
        )
    check_equal(refused.value.run_id, first.first_execution_run_id, "run id in the refusal")

    same = await context.start(
        Collect.run, id=first.id, id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING
    )
    check_equal(same.first_execution_run_id, first.first_execution_run_id, "run that is used")

    other = await context.start(
        Collect.run, id=first.id, id_conflict_policy=WorkflowIDConflictPolicy.TERMINATE_EXISTING
    )
    check(
        other.first_execution_run_id != first.first_execution_run_id,
        "terminate-existing starts another run",
    )
    with expect_error(WorkflowFailureError, "result of the replaced run") as failure:
        await first.result()
    check_type(failure.value.cause, TerminatedError, "cause of the failure")
    await other.signal(Collect.finish)
    check_equal(await other.result(), [], "result of the run that replaced it")


@scenario
async def patching(context: Context) -> None:
    async with context.worker([BeforePatch], [activities.greet]):
        old = await context.start(BeforePatch.run)
        await _until_waiting(old)
    async with context.worker([AfterPatch], [activities.greet]):
        await old.signal(AfterPatch.proceed)
        check_equal(await old.result(), "Hello, old!", "run that started before the patch")
        new = await context.start(AfterPatch.run)
        await new.signal(AfterPatch.proceed)
        check_equal(await new.result(), "Hello, new!", "run that started after the patch")
        in_between = await context.start(AfterPatch.run)
        await _until_waiting(in_between)
    async with context.worker([PatchDeprecated], [activities.greet]):
        await in_between.signal(PatchDeprecated.proceed)
        check_equal(await in_between.result(), "Hello, new!", "run that saw the patch deprecated")

    old_history = await old.fetch_history()
    new_history = await new.fetch_history()
    check_event_counts(old_history, MARKER_RECORDED=0)
    check_event_counts(new_history, MARKER_RECORDED=1)
    for history, workflow in (
        (old_history, BeforePatch),
        (old_history, AfterPatch),
        (new_history, AfterPatch),
        (new_history, PatchDeprecated),
    ):
        await check_replays(history, workflow)
    with expect_error(NondeterminismError, "replay of a patched run with the old code"):
        await check_replays(new_history, BeforePatch)


async def _until_waiting(handle: WorkflowHandle) -> None:
    """Waits until the first workflow task is done."""

    async def task_done() -> bool:
        description = (await handle.describe()).raw_description
        return (
            not description.HasField("pending_workflow_task")
            and description.workflow_execution_info.history_length > 2
        )

    await eventually(task_done, "the workflow waits")


@scenario
async def memo_and_search_attributes(context: Context) -> None:
    keyword, integer = await _custom_search_attributes(context)
    async with context.worker([Upsert]):
        handle = await context.start(
            Upsert.run,
            keyword,
            integer,
            memo={"kept": "from start", "changed": "before", "removed": "soon"},
        )
        wanted = {"kept": "from start", "changed": "after", "added": "by workflow"}
        check_equal(await handle.result(), wanted, "memo inside the workflow")
        description = await handle.describe()
        check_equal(await description.memo(), wanted, "memo in the description")
        history = await handle.fetch_history()
        check_event_counts(history, WORKFLOW_PROPERTIES_MODIFIED=1)
        check_event_counts(history, UPSERT_WORKFLOW_SEARCH_ATTRIBUTES=bool(keyword) + bool(integer))
        attributes = description.typed_search_attributes
        if keyword:
            check_equal(
                attributes.get(SearchAttributeKey.for_keyword(keyword)),
                "from-workflow",
                f"search attribute {keyword}",
            )
        if integer:
            check_equal(
                attributes.get(SearchAttributeKey.for_int(integer)),
                42,
                f"search attribute {integer}",
            )
        await check_replays(history, Upsert)


async def _custom_search_attributes(context: Context) -> tuple[str, str]:
    """A keyword and an integer attribute that somebody added to the namespace; "" for none."""
    try:
        answer = await context.client.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=context.client.namespace)
        )
    except RPCError as error:
        check_equal(error.status, RPCStatusCode.UNIMPLEMENTED, "status of ListSearchAttributes")
        return "", ""

    def first_of(kind: int) -> str:
        names = sorted(name for name, its in answer.custom_attributes.items() if its == kind)
        return names[0] if names else ""

    return (
        first_of(IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD),
        first_of(IndexedValueType.INDEXED_VALUE_TYPE_INT),
    )


@scenario
async def side_effect_or_random(context: Context) -> None:
    # Without a cache every workflow task replays the run from its beginning.
    async with context.worker([RandomValues], max_cached_workflows=0):
        handle = await context.start(RandomValues.run)
        values = await handle.result()
        check_equal(len(set(values)), 9, "number of different values")
        check_equal(await handle.query(RandomValues.values), values, "values after replay")
        await check_replays(await handle.fetch_history(), RandomValues)
        other = await context.execute(RandomValues.run)
        check(not set(values) & set(other), "another run draws other values")
