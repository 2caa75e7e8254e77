/** Activities that the scenarios schedule. What they saw goes back in their results. */

import {
    activityInfo,
    ApplicationFailure,
    cancellationDetails,
    CancelledFailure,
    CompleteAsyncError,
    heartbeat,
    sleep,
} from '@temporalio/activity';

/** Keys that `leaveMark` was given in this process. */
export const marks: string[] = [];

/** Task tokens that `completeElsewhere` left behind, by workflow id and activity id. */
export const taskTokens = new Map<string, Uint8Array>();

export async function echo(value: Uint8Array): Promise<Uint8Array> {
    return value;
}

export async function greet(name: string): Promise<string> {
    return `Hello, ${name}!`;
}

/** Fails with a retryable error until the server says that it is attempt `wanted`. */
export async function succeedOnAttempt(wanted: number): Promise<number> {
    const { attempt } = activityInfo();
    if (attempt < wanted) {
        throw ApplicationFailure.create({
            message: `attempt ${attempt} of ${wanted}`,
            type: 'NotYet',
        });
    }
    return attempt;
}

export async function failWithType(type: string): Promise<void> {
    throw ApplicationFailure.create({
        message: `failed with ${type}`,
        type,
        details: [activityInfo().attempt],
    });
}

/** Never ends on its own and never heartbeats. */
export async function stall(): Promise<void> {
    await sleep('1 hour');
}

export async function heartbeatOnceThenStall(detail: string): Promise<void> {
    heartbeat(detail);
    await sleep('1 hour');
}

/** The first attempt records progress and fails; the next one returns what it was given. */
export async function resumeFromHeartbeat(progress: number): Promise<unknown> {
    if (activityInfo().attempt === 1) {
        heartbeat({ progress });
        throw ApplicationFailure.create({ message: 'interrupted', type: 'Interrupted' });
    }
    return activityInfo().heartbeatDetails;
}

export async function heartbeatUntilCancelled(): Promise<string> {
    try {
        for (let beats = 1; ; beats++) {
            heartbeat(beats);
            await sleep(100);
        }
    } catch (error) {
        if (error instanceof CancelledFailure && cancellationDetails()?.cancelRequested) {
            return 'cancelled while heartbeating';
        }
        throw error;
    }
}

export async function leaveMark(key: string): Promise<string> {
    marks.push(key);
    return `marked ${key}`;
}

export async function completeElsewhere(): Promise<string> {
    const { workflowExecution, activityId, taskToken } = activityInfo();
    taskTokens.set(`${workflowExecution?.workflowId} ${activityId}`, taskToken);
    throw new CompleteAsyncError();
}

export async function sleepAndSay(seconds: number): Promise<string> {
    await sleep(seconds * 1000);
    return `slept ${seconds} s`;
}

/** Returns the attempt it is and the heartbeat details of earlier attempts. */
export async function surviveWorker(): Promise<{ attempt: number; details: unknown }> {
    const { attempt, heartbeatDetails } = activityInfo();
    return { attempt, details: heartbeatDetails };
}
