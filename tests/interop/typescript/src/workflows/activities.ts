/** Workflows around activities. */

import {
    ActivityCancellationType,
    ActivityFailure,
    type ActivityOptions,
    ApplicationFailure,
    CancellationScope,
    condition,
    defineSignal,
    proxyActivities,
    proxyLocalActivities,
    setHandler,
} from '@temporalio/workflow';
import type * as activities from '../activities';

export interface ActivityCall {
    name: keyof typeof activities;
    argument?: unknown;
    options: ActivityOptions;
}

/** Runs one activity and has its outcome. */
export async function callActivity({ name, argument, options }: ActivityCall): Promise<unknown> {
    const run = proxyActivities<Record<string, (argument: unknown) => Promise<unknown>>>({
        ...options,
        retry: { initialInterval: 100, backoffCoefficient: 2, ...options.retry },
    })[name];
    return await run(argument);
}

export const cancelActivitySignal = defineSignal('cancelActivity');

/** Cancels its own activity when told to, and waits for what the activity makes of it. */
export async function cancelActivity(): Promise<string> {
    const { heartbeatUntilCancelled } = proxyActivities<typeof activities>({
        startToCloseTimeout: '30 s',
        heartbeatTimeout: '1 s',
        cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    });
    const scope = new CancellationScope();
    setHandler(cancelActivitySignal, () => scope.cancel());
    return await scope.run(() => heartbeatUntilCancelled());
}

/** Runs activities that somebody else completes, fails, and reports as cancelled. */
export async function completedElsewhere(): Promise<string[]> {
    let cancelRequested = false;
    setHandler(cancelActivitySignal, () => {
        cancelRequested = true;
    });
    const outcomes: string[] = [];
    for (const activityId of ['by-token', 'by-id', 'failed-by-id', 'cancelled-by-token']) {
        const { completeElsewhere } = proxyActivities<typeof activities>({
            activityId,
            startToCloseTimeout: '30 s',
            heartbeatTimeout: '20 s',
            retry: { maximumAttempts: 1 },
            cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        });
        const scope = new CancellationScope();
        const result = scope.run(() => completeElsewhere());
        if (activityId === 'cancelled-by-token') {
            await condition(() => cancelRequested);
            scope.cancel();
        }
        try {
            outcomes.push(await result);
        } catch (error) {
            const cause = error instanceof ActivityFailure ? error.cause : undefined;
            outcomes.push(`${cause?.name}: ${cause?.message}`);
        }
    }
    return outcomes;
}

/** A local activity that succeeds, one that is retried, one that outlives a workflow task. */
export async function localActivities(): Promise<unknown[]> {
    const { greet, succeedOnAttempt, sleepAndSay } = proxyLocalActivities<typeof activities>({
        startToCloseTimeout: '10 minutes',
        retry: { initialInterval: 50 },
    });
    const { failWithType } = proxyLocalActivities<typeof activities>({
        startToCloseTimeout: '10 minutes',
        retry: { maximumAttempts: 1 },
    });
    const results: unknown[] = [await greet('local'), await succeedOnAttempt(3)];
    try {
        await failWithType('Final');
    } catch (error) {
        const cause = error instanceof ActivityFailure ? error.cause : error;
        results.push(cause instanceof ApplicationFailure ? cause.type : String(error));
    }
    results.push(await sleepAndSay(6));
    return results;
}
