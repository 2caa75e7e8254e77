/** Large payloads, long histories, many workflows at once, and a worker that dies. */

import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import path from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { check, checkEqual, eventually } from '../checks';
import type { Context, Scenario } from '../context';
import {
    checkEventCounts,
    checkEventIds,
    checkReplays,
    eventsOf,
    historyInPages,
} from '../history';
import {
    echoThroughActivity,
    firedQuery,
    greeting,
    longHistory,
    stuckTask,
    surviveWorker,
} from '../workflows/durability';
import { finishSignal } from '../workflows/messages';

const MEBIBYTE = 1024 * 1024;

async function history2000ColdCache(context: Context): Promise<void> {
    const batches = 2;
    const batchSize = 510;
    const total = batches * batchSize;
    await context.withWorker({ maxCachedWorkflows: 0 }, async () => {
        const handle = await context.start(longHistory, [batches, batchSize]);
        // Each query makes the worker replay the run from its beginning: not one to wait with.
        await eventually(
            async () => {
                const { raw, historyLength } = await handle.describe();
                return historyLength > 2 * total && !raw.pendingWorkflowTask;
            },
            'all timers have fired',
            45
        );
        checkEqual(await handle.query(firedQuery), total, 'answer while the run is open');
        await handle.signal(finishSignal);
        checkEqual(await handle.result(), total, 'number of timers');
        checkEqual(await handle.query(firedQuery), total, 'answer after the end');
        const history = await historyInPages(context, handle, 300);
        const length = history.events?.length ?? 0;
        check(length >= 2000, `history has only ${length} events`);
        checkEventIds(history);
        checkEventCounts(history, { TimerStarted: total, TimerFired: total });
        await checkReplays(history);
    });
}

async function payload1mib(context: Context): Promise<void> {
    await context.withWorker({}, async () => {
        const value = new Uint8Array(randomBytes(MEBIBYTE));
        const handle = await context.start(echoThroughActivity, [value]);
        const returned = await handle.result();
        checkEqual(returned.length, MEBIBYTE, 'size of the result');
        checkEqual(digest(returned), digest(value), 'digest of the result');
        // All events in one page would be more than the client takes in one message.
        const history = await historyInPages(context, handle, 3);
        checkEventCounts(history, { ActivityTaskCompleted: 1 });
        const scheduled = eventsOf(history, 'ActivityTaskScheduled')[0];
        const { input } = scheduled.activityTaskScheduledEventAttributes ?? {};
        checkEqual(input?.payloads?.[0].data?.length, MEBIBYTE, 'size of the payload in history');
        await checkReplays(history);
    });
}

function digest(value: Uint8Array): string {
    return createHash('sha256').update(value).digest('hex');
}

async function concurrency100(context: Context): Promise<void> {
    await context.withWorker({}, async () => {
        const names = Array.from({ length: 100 }, (_, index) => `number ${index}`);
        const handles = await Promise.all(names.map((name) => context.start(greeting, [name])));
        const results = await Promise.all(handles.map((handle) => handle.result()));
        checkEqual(
            results,
            names.map((name) => `Hello, ${name}!`),
            'results'
        );
        checkEventCounts(await handles[50].fetchHistory(), { ActivityTaskCompleted: 1 });
    });
}

async function workerKilledMidTask(context: Context): Promise<void> {
    const worker = startDoomedWorker(context);
    let inActivity;
    let inWorkflowTask;
    try {
        const activityRun = await context.start(surviveWorker, []);
        await eventually(() => activityRuns(activityRun), 'the activity runs', 40);
        const taskRun = await context.start(stuckTask, [], { workflowTaskTimeout: '2 s' });
        await eventually(() => workflowTaskRuns(taskRun), 'the workflow task runs');
        [inActivity, inWorkflowTask] = [activityRun, taskRun];
    } finally {
        worker.kill('SIGKILL');
        await once(worker, 'exit');
    }
    await context.withWorker({}, async () => {
        checkEqual(await inWorkflowTask.result(), 'finished by another worker', 'first result');
        checkEventCounts(await inWorkflowTask.fetchHistory(), { WorkflowTaskTimedOut: 1 });
        const { attempt, details } = await inActivity.result();
        check(attempt > 1, `the activity ended on attempt ${attempt}`);
        checkEqual(details, 'alive', 'heartbeat details from the killed worker');
        await checkReplays(await inActivity.fetchHistory());
    });
}

/** A process of its own that polls the scenario's task queue until it is killed. */
function startDoomedWorker(context: Context): ChildProcess {
    return spawn(
        process.execPath,
        [
            path.join(__dirname, '..', 'doomed-worker.js'),
            ...['--address', context.address],
            ...['--namespace', context.namespace],
            ...['--task-queue', context.taskQueue],
        ],
        { stdio: ['ignore', 'ignore', 'inherit'] }
    );
}

async function activityRuns(handle: WorkflowHandle): Promise<boolean> {
    const { raw } = await handle.describe();
    const started = temporal.api.enums.v1.PendingActivityState.PENDING_ACTIVITY_STATE_STARTED;
    return (raw.pendingActivities ?? []).some(
        (one) => one.state === started && Boolean(one.heartbeatDetails?.payloads)
    );
}

async function workflowTaskRuns(handle: WorkflowHandle): Promise<boolean> {
    const { raw } = await handle.describe();
    return (
        raw.pendingWorkflowTask?.state ===
        temporal.api.enums.v1.PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_STARTED
    );
}

export const durabilityScenarios: Record<string, Scenario> = {
    worker_killed_mid_task: workerKilledMidTask,
    history_2000_cold_cache: history2000ColdCache,
    payload_1mib: payload1mib,
    concurrency_100: concurrency100,
};
