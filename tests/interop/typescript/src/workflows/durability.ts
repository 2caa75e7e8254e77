/** Workflows for large payloads, long histories, many runs at once, and dying workers. */

import { condition, defineQuery, proxyActivities, setHandler, sleep } from '@temporalio/workflow';
import type * as activities from '../activities';
import { finishSignal } from './messages';

export const firedQuery = defineQuery<number>('fired');

/** Makes a history of many timers, then stays open until `finish`. */
export async function longHistory(batches: number, batchSize: number): Promise<number> {
    let fired = 0;
    let finished = false;
    setHandler(firedQuery, () => fired);
    setHandler(finishSignal, () => {
        finished = true;
    });
    const oneTimer = async (): Promise<void> => {
        await sleep(10);
        fired++;
    };
    for (let batch = 0; batch < batches; batch++) {
        await Promise.all(Array.from({ length: batchSize }, oneTimer));
    }
    await condition(() => finished);
    return fired;
}

export async function echoThroughActivity(value: Uint8Array): Promise<Uint8Array> {
    const { echo } = proxyActivities<typeof activities>({ startToCloseTimeout: '20 s' });
    return await echo(value);
}

export async function greeting(name: string): Promise<string> {
    const { greet } = proxyActivities<typeof activities>({ startToCloseTimeout: '30 s' });
    await sleep(50);
    return await greet(name);
}

export async function surviveWorker(): Promise<{ attempt: number; details: unknown }> {
    const survivor = proxyActivities<typeof activities>({
        startToCloseTimeout: '60 s',
        heartbeatTimeout: '2 s',
        retry: { initialInterval: 100 },
    });
    return await survivor.surviveWorker();
}

export async function stuckTask(): Promise<string> {
    await sleep(100);
    return 'finished by another worker';
}
