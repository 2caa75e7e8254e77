/** Workflows that are signalled and queried. */

import {
    condition,
    defineQuery,
    defineSignal,
    getExternalWorkflowHandle,
    setHandler,
} from '@temporalio/workflow';

export const addSignal = defineSignal<[string]>('add');
export const finishSignal = defineSignal('finish');
export const addedQuery = defineQuery<string[]>('added');
export const itemQuery = defineQuery<string, [number]>('item');

/** Collects what it is signalled until `finish`; queries look at it at any time. */
export async function collect(expected = 0): Promise<string[]> {
    const added: string[] = [];
    let finished = false;
    setHandler(addedQuery, () => added);
    setHandler(itemQuery, (index) => {
        if (index >= added.length) {
            throw new RangeError(`there is no item ${index}`);
        }
        return added[index];
    });
    setHandler(finishSignal, () => {
        finished = true;
    });
    setHandler(addSignal, (item) => {
        added.push(item);
    });
    await condition(() => finished || (expected > 0 && added.length >= expected));
    return added;
}

export async function signalAnother(workflowId: string, items: string[]): Promise<void> {
    const other = getExternalWorkflowHandle(workflowId);
    for (const item of items) {
        await other.signal(addSignal, item);
    }
}
