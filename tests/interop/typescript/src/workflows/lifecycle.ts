/** Workflows that show how a run starts, goes on and ends, and what it keeps on its way. */

import { defineSearchAttributeKey } from '@temporalio/common';
import {
    ApplicationFailure,
    CancellationScope,
    continueAsNew,
    defineQuery,
    isCancellation,
    proxyActivities,
    setHandler,
    sleep,
    upsertMemo,
    upsertSearchAttributes,
    uuid4,
    workflowInfo,
} from '@temporalio/workflow';
import type * as activities from '../activities';

export async function sleepFor(seconds: number): Promise<void> {
    await sleep(seconds * 1000);
}

export async function alwaysFail(message: string): Promise<void> {
    throw ApplicationFailure.create({ message, type: 'AlwaysFail' });
}

/** Two timers fire in the order of their durations; a third is cancelled. */
export async function timers(): Promise<string[]> {
    const order: string[] = [];
    const noteAfter = async (milliseconds: number, name: string): Promise<void> => {
        await sleep(milliseconds);
        order.push(name);
    };
    const cancellable = new CancellationScope();
    const cancelled = cancellable.run(() => noteAfter(3_600_000, 'never'));
    const start = Date.now();
    await Promise.all([noteAfter(800, 'second'), noteAfter(300, 'first')]);
    if (Date.now() - start < 800) {
        order.push('too early');
    }
    cancellable.cancel();
    try {
        await cancelled;
    } catch (error) {
        order.push(isCancellation(error) ? 'cancelled' : String(error));
    }
    await sleep(100);
    return order;
}

export async function cleanUpWhenCancelled(key: string): Promise<void> {
    const { leaveMark } = proxyActivities<typeof activities>({ startToCloseTimeout: '10 s' });
    try {
        await sleep('1 hour');
    } finally {
        await CancellationScope.nonCancellable(() => leaveMark(key));
    }
}

/** Continues as new until nothing is left; the result is the run ids it went through. */
export async function countDown(left: number, runs: string[]): Promise<string[]> {
    const allRuns = [...runs, workflowInfo().runId];
    if (left > 0) {
        return await continueAsNew<typeof countDown>(left - 1, allRuns);
    }
    return allRuns;
}

/** Changes its memo and, where the server has custom ones, its search attributes. */
export async function upsert(
    keywordAttribute: string,
    integerAttribute: string
): Promise<Record<string, unknown>> {
    upsertMemo({ added: 'by workflow', changed: 'after', removed: null });
    if (keywordAttribute) {
        const key = defineSearchAttributeKey(keywordAttribute, 'KEYWORD');
        upsertSearchAttributes([{ key, value: 'from-workflow' }]);
    }
    if (integerAttribute) {
        const key = defineSearchAttributeKey(integerAttribute, 'INT');
        upsertSearchAttributes([{ key, value: 42 }]);
    }
    await sleep(50);
    return workflowInfo().memo ?? {};
}

export const valuesQuery = defineQuery<string[]>('values');

/** Draws random values at different moments; they must not change when they are replayed. */
export async function randomValues(): Promise<string[]> {
    const values: string[] = [];
    setHandler(valuesQuery, () => values);
    for (let round = 0; round < 3; round++) {
        values.push(uuid4(), String(Math.random()), new Date().toISOString());
        await sleep(50);
    }
    return values;
}
