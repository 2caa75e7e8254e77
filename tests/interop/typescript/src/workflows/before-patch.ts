/** Workflow `patching` before its code was changed. */

import { condition, defineSignal, proxyActivities, setHandler } from '@temporalio/workflow';
import type * as activities from '../activities';

export const proceedSignal = defineSignal('proceed');

export async function patching(): Promise<string> {
    const { greet } = proxyActivities<typeof activities>({ startToCloseTimeout: '10 s' });
    let proceed = false;
    setHandler(proceedSignal, () => {
        proceed = true;
    });
    await condition(() => proceed);
    return await greet('old');
}
