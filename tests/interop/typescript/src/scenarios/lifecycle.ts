/** How a workflow starts, goes on and ends, and what it keeps on its way. */

import {
    isGrpcServiceError,
    WorkflowContinuedAsNewError,
    WorkflowFailedError,
    WorkflowNotFoundError,
} from '@temporalio/client';
import {
    CancelledFailure,
    defineSearchAttributeKey,
    TerminatedFailure,
} from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import { marks } from '../activities';
import { check, checkEqual, checkType, eventually, expectError } from '../checks';
import type { Context, Scenario } from '../context';
import {
    checkEventCounts,
    checkEventIds,
    checkReplays,
    eventsOf,
    hasEvent,
    milliseconds,
} from '../history';
import {
    cleanUpWhenCancelled,
    countDown,
    randomValues,
    sleepFor,
    timers as timersWorkflow,
    upsert,
    valuesQuery,
} from '../workflows/lifecycle';

async function timers(context: Context): Promise<void> {
    await context.withWorker({}, async () => {
        const handle = await context.start(timersWorkflow, []);
        checkEqual(await handle.result(), ['first', 'second', 'cancelled'], 'order');
        const history = await handle.fetchHistory();
        checkEventIds(history);
        checkEventCounts(history, { TimerStarted: 4, TimerFired: 3, TimerCanceled: 1 });
        const started = eventsOf(history, 'TimerStarted');
        for (const event of eventsOf(history, 'TimerFired')) {
            const startId = Number(event.timerFiredEventAttributes?.startedEventId);
            const start = started.find((one) => Number(one.eventId) === startId);
            const wanted = milliseconds(start?.timerStartedEventAttributes?.startToFireTimeout);
            const waited = milliseconds(event.eventTime) - milliseconds(start?.eventTime);
            check(waited >= wanted, `timer of ${wanted} ms fired after ${waited} ms`);
        }
        await checkReplays(history);
    });
}

async function cancelCleanup(context: Context): Promise<void> {
    await context.withWorker({}, async () => {
        const key = context.newId('cleanup');
        const handle = await context.start(cleanUpWhenCancelled, [key]);
        await eventually(() => hasEvent(handle, 'TimerStarted'), 'the workflow waits');
        await handle.cancel();
        const failed = await expectError(
            handle.result(),
            WorkflowFailedError,
            'result of a cancelled workflow'
        );
        checkType(failed.cause, CancelledFailure, 'cause of the failure');
        checkEqual(marks.filter((one) => one === key).length, 1, 'times that the clean-up ran');
        checkEqual((await handle.describe()).status.name, 'CANCELLED', 'status');
        const history = await handle.fetchHistory();
        checkEventCounts(history, {
            WorkflowExecutionCancelRequested: 1,
            TimerCanceled: 1,
            ActivityTaskCompleted: 1,
            WorkflowExecutionCanceled: 1,
        });
        await checkReplays(history);
    });
}

async function terminate(context: Context): Promise<void> {
    await context.withWorker({}, async () => {
        const handle = await context.start(sleepFor, [3600]);
        await eventually(() => hasEvent(handle, 'TimerStarted'), 'the workflow waits');
        await handle.terminate('not needed any more');
        const failed = await expectError(
            handle.result(),
            WorkflowFailedError,
            'result of a terminated workflow'
        );
        const cause = checkType(failed.cause, TerminatedFailure, 'cause of the failure');
        checkEqual(cause.message, 'not needed any more', 'reason');
        checkEqual((await handle.describe()).status.name, 'TERMINATED', 'status');
        checkEventCounts(await handle.fetchHistory(), { WorkflowExecutionTerminated: 1 });
        await expectError(handle.terminate(), WorkflowNotFoundError, 'a second termination');
    });

    // A workflow that no worker ever touched can be terminated, too.
    const untouched = await context.start(sleepFor, [3600]);
    await untouched.terminate();
    await expectError(
        untouched.result(),
        WorkflowFailedError,
        'result of an untouched terminated workflow'
    );
}

async function continueAsNew(context: Context): Promise<void> {
    const { workflow } = context.client;
    await context.withWorker({}, async () => {
        const handle = await context.start(countDown, [3, []]);
        const { workflowId } = handle;
        const runs = await handle.result();
        checkEqual(new Set(runs).size, 4, 'number of runs');
        checkEqual(runs[0], handle.firstExecutionRunId, 'first run');
        const continued = await expectError(
            workflow.result(workflowId, runs[0], { followRuns: false }),
            WorkflowContinuedAsNewError,
            'result of the first run alone'
        );
        checkEqual(continued.newExecutionRunId, runs[1], 'run that follows the first');
        const first = await workflow.getHandle(workflowId, runs[0]).describe();
        checkEqual(first.status.name, 'CONTINUED_AS_NEW', 'status of the first run');
        const last = workflow.getHandle(workflowId);
        checkEqual((await last.describe()).runId, runs[3], 'current run');
        const { events } = await last.fetchHistory();
        const started = events?.[0].workflowExecutionStartedEventAttributes;
        checkEqual(started?.continuedExecutionRunId, runs[2], 'predecessor of the last run');
        checkEqual(started?.firstExecutionRunId, runs[0], "first run in the last run's history");
    });
}

async function memoAndSearchAttributes(context: Context): Promise<void> {
    const [keyword, integer] = await customSearchAttributes(context);
    await context.withWorker({}, async () => {
        const handle = await context.start(upsert, [keyword, integer], {
            memo: { kept: 'from start', changed: 'before', removed: 'soon' },
        });
        const wanted = { kept: 'from start', changed: 'after', added: 'by workflow' };
        checkEqual({ ...(await handle.result()) }, wanted, 'memo inside the workflow');
        const description = await handle.describe();
        checkEqual({ ...description.memo }, wanted, 'memo in the description');
        const history = await handle.fetchHistory();
        checkEventCounts(history, {
            WorkflowPropertiesModified: 1,
            UpsertWorkflowSearchAttributes: Number(keyword !== '') + Number(integer !== ''),
        });
        const attributes = description.typedSearchAttributes;
        if (keyword) {
            checkEqual(
                attributes.get(defineSearchAttributeKey(keyword, 'KEYWORD')),
                'from-workflow',
                `search attribute ${keyword}`
            );
        }
        if (integer) {
            checkEqual(
                attributes.get(defineSearchAttributeKey(integer, 'INT')),
                42,
                `search attribute ${integer}`
            );
        }
        await checkReplays(history);
    });
}

/** A keyword and an integer attribute that somebody added to the namespace; '' for none. */
async function customSearchAttributes(context: Context): Promise<[string, string]> {
    const unimplemented = 12;
    const { IndexedValueType } = temporal.api.enums.v1;
    let custom: Record<string, number>;
    try {
        const answer = await context.client.connection.operatorService.listSearchAttributes({
            namespace: context.namespace,
        });
        custom = answer.customAttributes;
    } catch (error) {
        check(isGrpcServiceError(error), `answer to ListSearchAttributes is ${error}`);
        checkEqual(error.code, unimplemented, 'status of ListSearchAttributes');
        return ['', ''];
    }
    const firstOf = (type: number): string =>
        Object.keys(custom)
            .filter((name) => custom[name] === type)
            .sort()[0] ?? '';
    return [
        firstOf(IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD),
        firstOf(IndexedValueType.INDEXED_VALUE_TYPE_INT),
    ];
}

async function sideEffectOrRandom(context: Context): Promise<void> {
    // Without a cache every workflow task replays the run from its beginning.
    await context.withWorker({ maxCachedWorkflows: 0 }, async () => {
        const handle = await context.start(randomValues, []);
        const values = await handle.result();
        checkEqual(new Set(values).size, 9, 'number of different values');
        checkEqual(await handle.query(valuesQuery), values, 'values after replay');
        await checkReplays(await handle.fetchHistory());
        const other = await context.execute(randomValues, []);
        check(
            !other.some((value) => values.includes(value)),
            'another run draws other values'
        );
    });
}

export const lifecycleScenarios: Record<string, Scenario> = {
    timers,
    cancel_cleanup: cancelCleanup,
    terminate,
    continue_as_new: continueAsNew,
    memo_and_search_attributes: memoAndSearchAttributes,
    side_effect_or_random: sideEffectOrRandom,
};
