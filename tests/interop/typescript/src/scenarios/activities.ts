/** Activities: retries, heartbeats and cancellation, local ones, completion from elsewhere. */

import {
    ActivityCancelledError,
    WorkflowFailedError,
    type WorkflowHandle,
} from '@temporalio/client';
import { ActivityFailure, ApplicationFailure } from '@temporalio/common';
import { taskTokens } from '../activities';
import { check, checkEqual, checkType, eventually, expectError } from '../checks';
import type { Context, Scenario } from '../context';
import { checkEventCounts, checkEventIds, checkReplays, eventsOf } from '../history';
import {
    type ActivityCall,
    callActivity,
    cancelActivity,
    cancelActivitySignal,
    completedElsewhere,
    localActivities,
} from '../workflows/activities';

async function activityRetry(context: Context): Promise<void> {
    await context.withWorker({}, async () => {
        await succeedsOnThirdAttempt(context);
        await nonRetryableTypeEndsAtOnce(context);
        await maximumAttemptsEndTheRetries(context);
        const details = await context.execute(callActivity, [
            {
                name: 'resumeFromHeartbeat',
                argument: 41,
                options: { startToCloseTimeout: '10 s' },
            },
        ]);
        checkEqual(details, { progress: 41 }, 'heartbeat details of the failed attempt');
    });
}

async function succeedsOnThirdAttempt(context: Context): Promise<void> {
    const handle = await context.start(callActivity, [
        { name: 'succeedOnAttempt', argument: 3, options: { startToCloseTimeout: '10 s' } },
    ]);
    checkEqual(await handle.result(), 3, 'attempt that succeeded');
    const history = await handle.fetchHistory();
    checkEventIds(history);
    checkEventCounts(history, {
        ActivityTaskScheduled: 1,
        ActivityTaskStarted: 1,
        ActivityTaskCompleted: 1,
    });
    const started = eventsOf(history, 'ActivityTaskStarted')[0].activityTaskStartedEventAttributes;
    checkEqual(started?.attempt, 3, 'attempt in the started event');
    checkEqual(started?.lastFailure?.message, 'attempt 2 of 3', 'last failure in that event');
    await checkReplays(history);
}

async function activityErrors(
    context: Context,
    call: ActivityCall
): Promise<[ActivityFailure, ApplicationFailure]> {
    const failed = await expectError(
        context.execute(callActivity, [call]),
        WorkflowFailedError,
        'result of a failed workflow'
    );
    const error = checkType(failed.cause, ActivityFailure, 'cause of the failure');
    return [error, checkType(error.cause, ApplicationFailure, 'cause of the activity failure')];
}

async function nonRetryableTypeEndsAtOnce(context: Context): Promise<void> {
    const [error, cause] = await activityErrors(context, {
        name: 'failWithType',
        argument: 'Fatal',
        options: { startToCloseTimeout: '10 s', retry: { nonRetryableErrorTypes: ['Fatal'] } },
    });
    checkEqual(error.retryState, 'NON_RETRYABLE_FAILURE', 'retry state');
    checkEqual(error.activityType, 'failWithType', 'activity type');
    checkEqual(cause.type, 'Fatal', 'type of the failure');
    checkEqual(cause.details, [1], 'attempt in the details');
}

async function maximumAttemptsEndTheRetries(context: Context): Promise<void> {
    const [error, cause] = await activityErrors(context, {
        name: 'failWithType',
        argument: 'Soft',
        options: { startToCloseTimeout: '10 s', retry: { maximumAttempts: 2 } },
    });
    checkEqual(error.retryState, 'MAXIMUM_ATTEMPTS_REACHED', 'retry state');
    checkEqual(cause.details, [2], 'attempt in the details');
}

async function activityHeartbeatCancel(context: Context): Promise<void> {
    await context.withWorker({}, async () => {
        const handle = await context.start(cancelActivity, []);
        await eventually(async () => {
            const { raw } = await handle.describe();
            return (raw.pendingActivities ?? []).some((one) => one.heartbeatDetails?.payloads);
        }, 'describe shows heartbeat details');
        await handle.signal(cancelActivitySignal);
        checkEqual(await handle.result(), 'cancelled while heartbeating', 'result');
        // The activity returned a value in answer to the cancellation, so it counts as completed.
        checkEventCounts(await handle.fetchHistory(), {
            ActivityTaskScheduled: 1,
            ActivityTaskCancelRequested: 1,
            ActivityTaskCompleted: 1,
            ActivityTaskCanceled: 0,
        });
    });
}

async function localActivity(context: Context): Promise<void> {
    await context.withWorker({}, async () => {
        // The last local activity takes longer than a workflow task may: the worker has to keep
        // the task alive by heartbeats.
        const handle = await context.start(localActivities, [], { workflowTaskTimeout: '4 s' });
        checkEqual(await handle.result(), ['Hello, local!', 3, 'Final', 'slept 6 s'], 'result');
        const history = await handle.fetchHistory();
        checkEventCounts(history, { MarkerRecorded: 4, ActivityTaskScheduled: 0 });
        check(
            eventsOf(history, 'WorkflowTaskCompleted').length >= 2,
            'the long local activity heartbeats its workflow task'
        );
        await checkReplays(history);
    });
}

async function asyncCompletion(context: Context): Promise<void> {
    const { activity } = context.client;
    await context.withWorker({}, async () => {
        const handle = await context.start(completedElsewhere, []);
        const { workflowId, firstExecutionRunId: runId } = handle;

        const token = await tokenOf(handle, 'by-token');
        await activity.heartbeat(token, 'still here');
        await activity.complete(token, 'completed by token');

        await tokenOf(handle, 'by-id');
        await activity.heartbeat({ workflowId, runId, activityId: 'by-id' }, 'still here');
        await activity.complete({ workflowId, runId, activityId: 'by-id' }, 'completed by id');

        await tokenOf(handle, 'failed-by-id');
        // Without a run id the current run is meant.
        await activity.fail(
            { workflowId, activityId: 'failed-by-id' },
            ApplicationFailure.create({ message: 'failed by id', type: 'Elsewhere' })
        );

        await cancelByToken(context, handle, await tokenOf(handle, 'cancelled-by-token'));

        const outcomes = await handle.result();
        checkEqual(
            outcomes.slice(0, 3),
            ['completed by token', 'completed by id', 'ApplicationFailure: failed by id'],
            'outcomes'
        );
        check(outcomes[3].startsWith('CancelledFailure'), `last outcome: ${outcomes[3]}`);
        checkEventCounts(await handle.fetchHistory(), {
            ActivityTaskCompleted: 2,
            ActivityTaskFailed: 1,
            ActivityTaskCanceled: 1,
        });
    });
}

async function tokenOf(handle: WorkflowHandle, activityId: string): Promise<Uint8Array> {
    const key = `${handle.workflowId} ${activityId}`;
    await eventually(() => taskTokens.has(key), `activity ${activityId} is running`);
    return taskTokens.get(key) as Uint8Array;
}

async function cancelByToken(
    context: Context,
    handle: WorkflowHandle,
    token: Uint8Array
): Promise<void> {
    const { activity } = context.client;
    await activity.heartbeat(token);
    await handle.signal(cancelActivitySignal);
    await eventually(async () => {
        try {
            await activity.heartbeat(token);
            return false;
        } catch (error) {
            checkType(error, ActivityCancelledError, 'answer to the heartbeat');
            return true;
        }
    }, 'heartbeat answers that cancel is requested');
    await activity.reportCancellation(token);
}

export const activityScenarios: Record<string, Scenario> = {
    activity_retry: activityRetry,
    activity_heartbeat_cancel: activityHeartbeatCancel,
    local_activity: localActivity,
    async_completion: asyncCompletion,
};
