/** A workflow that is updated. */

import {
    allHandlersFinished,
    ApplicationFailure,
    condition,
    defineSignal,
    defineUpdate,
    setHandler,
    sleep,
} from '@temporalio/workflow';

export const addUpdate = defineUpdate<number, [number]>('add');
export const finishCounting = defineSignal('finish');

/** Counts until it is told to finish; an update adds a number and returns the sum. */
export async function counter(): Promise<number> {
    let count = 0;
    let finished = false;
    setHandler(
        addUpdate,
        async (number) => {
            await sleep(1);
            count += number;
            return count;
        },
        {
            validator: (number) => {
                if (number < 0) {
                    throw ApplicationFailure.create({ message: 'negative' });
                }
            },
        }
    );
    setHandler(finishCounting, () => {
        finished = true;
    });
    await condition(() => finished && allHandlersFinished());
    return count;
}
