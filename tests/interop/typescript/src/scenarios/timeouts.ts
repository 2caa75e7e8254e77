/** Every timeout of an activity, and those of a workflow. */

import { WorkflowFailedError } from '@temporalio/client';
import {
    ActivityFailure,
    ApplicationFailure,
    type RetryState,
    TimeoutFailure,
    type TimeoutType,
} from '@temporalio/common';
import { check, checkEqual, checkType, expectError } from '../checks';
import type { Context, Scenario } from '../context';
import { checkEventCounts } from '../history';
import { type ActivityCall, callActivity } from '../workflows/activities';
import { alwaysFail, sleepFor } from '../workflows/lifecycle';

interface ExpectedTimeout {
    type: TimeoutType;
    /** It must not come sooner than this. */
    afterSeconds: number;
    retryState?: RetryState;
}

/** Runs an activity that must time out. */
async function expectActivityTimeout(
    context: Context,
    call: ActivityCall,
    expected: ExpectedTimeout
): Promise<TimeoutFailure> {
    const start = Date.now();
    const handle = await context.start(callActivity, [call]);
    const failed = await expectError(
        handle.result(),
        WorkflowFailedError,
        'result after an activity timeout'
    );
    const seconds = (Date.now() - start) / 1000;
    const error = checkType(failed.cause, ActivityFailure, 'cause of the failure');
    const timeout = checkType(error.cause, TimeoutFailure, 'cause of the activity failure');
    checkEqual(timeout.timeoutType, expected.type, 'timeout type');
    if (expected.retryState) {
        checkEqual(error.retryState, expected.retryState, 'retry state');
    }
    check(
        seconds >= expected.afterSeconds && seconds < expected.afterSeconds + 10,
        `timed out after ${seconds} s, expected ${expected.afterSeconds} s`
    );
    checkEventCounts(await handle.fetchHistory(), { ActivityTaskTimedOut: 1 });
    return timeout;
}

async function timeoutScheduleToStart(context: Context): Promise<void> {
    await context.withWorker({}, async () => {
        await expectActivityTimeout(
            context,
            {
                name: 'stall',
                options: {
                    taskQueue: `${context.taskQueue}-nobody-polls`,
                    scheduleToStartTimeout: '1 s',
                    startToCloseTimeout: '30 s',
                },
            },
            { type: 'SCHEDULE_TO_START', afterSeconds: 1, retryState: 'TIMEOUT' }
        );
    });
}

async function timeoutStartToClose(context: Context): Promise<void> {
    await context.withWorker({}, async () => {
        await expectActivityTimeout(
            context,
            {
                name: 'stall',
                options: { startToCloseTimeout: '1 s', retry: { maximumAttempts: 2 } },
            },
            { type: 'START_TO_CLOSE', afterSeconds: 2, retryState: 'MAXIMUM_ATTEMPTS_REACHED' }
        );
    });
}

async function timeoutScheduleToClose(context: Context): Promise<void> {
    await context.withWorker({}, async () => {
        await expectActivityTimeout(
            context,
            { name: 'stall', options: { scheduleToCloseTimeout: '1 s' } },
            { type: 'SCHEDULE_TO_CLOSE', afterSeconds: 1 }
        );
        await noRetryThatCouldNotStartInTime(context);
    });
}

async function noRetryThatCouldNotStartInTime(context: Context): Promise<void> {
    const start = Date.now();
    const failed = await expectError(
        context.execute(callActivity, [
            {
                name: 'failWithType',
                argument: 'Again',
                options: { scheduleToCloseTimeout: '20 s', retry: { initialInterval: '30 s' } },
            },
        ]),
        WorkflowFailedError,
        'result when no retry fits'
    );
    check(Date.now() - start < 15_000, 'the activity fails without waiting for its timeout');
    const error = checkType(failed.cause, ActivityFailure, 'cause of the failure');
    checkEqual(error.retryState, 'TIMEOUT', 'retry state');
    const last = checkType(error.cause, ApplicationFailure, 'cause of the activity failure');
    checkEqual(last.details, [1], 'attempt in the details');
}

async function timeoutHeartbeat(context: Context): Promise<void> {
    await context.withWorker({}, async () => {
        const timeout = await expectActivityTimeout(
            context,
            {
                name: 'heartbeatOnceThenStall',
                argument: 'half way',
                options: {
                    startToCloseTimeout: '30 s',
                    heartbeatTimeout: '1 s',
                    retry: { maximumAttempts: 1 },
                },
            },
            { type: 'HEARTBEAT', afterSeconds: 1 }
        );
        checkEqual(timeout.lastHeartbeatDetails, 'half way', 'last heartbeat details');
    });
}

async function workflowTimeouts(context: Context): Promise<void> {
    await context.withWorker({}, async () => {
        await runTimeoutEndsTheRun(context);
        await executionTimeoutEndsTheRetries(context);
        await executionTimeoutEndsARun(context);
    });
}

async function runTimeoutEndsTheRun(context: Context): Promise<void> {
    const handle = await context.start(sleepFor, [3600], { workflowRunTimeout: '1 s' });
    const failed = await expectError(
        handle.result(),
        WorkflowFailedError,
        'result after the run timeout'
    );
    const timeout = checkType(failed.cause, TimeoutFailure, 'cause of the failure');
    checkEqual(timeout.timeoutType, 'START_TO_CLOSE', 'timeout type');
    checkEqual((await handle.describe()).status.name, 'TIMED_OUT', 'status');
    checkEventCounts(await handle.fetchHistory(), { WorkflowExecutionTimedOut: 1 });
}

async function executionTimeoutEndsTheRetries(context: Context): Promise<void> {
    const start = Date.now();
    const handle = await context.start(alwaysFail, ['again'], {
        workflowExecutionTimeout: '3 s',
        retry: { initialInterval: 300, backoffCoefficient: 1 },
    });
    const failed = await expectError(
        handle.result(),
        WorkflowFailedError,
        'result after the last retry'
    );
    check(Date.now() - start < 12_000, 'retries end with the execution timeout');
    // The last run fails when a retry would start too late. If it was still waiting for its
    // backoff, it timed out.
    check(
        failed.cause instanceof ApplicationFailure || failed.cause instanceof TimeoutFailure,
        `cause is ${failed.cause}`
    );
    const last = context.client.workflow.getHandle(handle.workflowId);
    check(
        (await last.describe()).runId !== handle.firstExecutionRunId,
        'each attempt is a run of its own'
    );
    const history = await last.fetchHistory();
    const started = history.events?.[0].workflowExecutionStartedEventAttributes;
    check((started?.attempt ?? 0) > 1, `attempt of the last run is ${started?.attempt}`);
    checkEqual(started?.firstExecutionRunId, handle.firstExecutionRunId, 'first run of the chain');
}

async function executionTimeoutEndsARun(context: Context): Promise<void> {
    const failed = await expectError(
        context.execute(sleepFor, [3600], { workflowExecutionTimeout: '1 s' }),
        WorkflowFailedError,
        'result after the execution timeout'
    );
    checkType(failed.cause, TimeoutFailure, 'cause of the failure');
}

export const timeoutScenarios: Record<string, Scenario> = {
    timeout_schedule_to_start: timeoutScheduleToStart,
    timeout_start_to_close: timeoutStartToClose,
    timeout_schedule_to_close: timeoutScheduleToClose,
    timeout_heartbeat: timeoutHeartbeat,
    workflow_timeouts: workflowTimeouts,
};
