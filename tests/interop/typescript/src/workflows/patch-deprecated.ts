/** Workflow `patching` when no run from before the change is left. */

import {
    condition,
    defineSignal,
    deprecatePatch,
    proxyActivities,
    setHandler,
    sleep,
} from '@temporalio/workflow';
import type * as activities from '../activities';

export const proceedSignal = defineSignal('proceed');

export async function patching(): Promise<string> {
    const { greet } = proxyActivities<typeof activities>({ startToCloseTimeout: '10 s' });
    let proceed = false;
    setHandler(proceedSignal, () => {
        proceed = true;
    });
    deprecatePatch('use-new-name');
    await sleep(50);
    await condition(() => proceed);
    return await greet('new');
}
