/** Workflow `patching` with a change that runs from before it do not see. */

import {
    condition,
    defineSignal,
    patched,
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
    let name = 'old';
    if (patched('use-new-name')) {
        await sleep(50);
        name = 'new';
    }
    await condition(() => proceed);
    return await greet(name);
}
