/** The workflows of the crossings, the same in every language. */

import {
    ApplicationFailure,
    ChildWorkflowFailure,
    condition,
    defineQuery,
    defineSignal,
    defineUpdate,
    executeChild,
    setHandler,
    startChild,
    upsertSearchAttributes,
    workflowInfo,
} from '@temporalio/workflow';
import {
    attributesFrom,
    attributesOf,
    chainOf,
    INT,
    type Attributes,
    type Failure,
    LANGUAGE,
    type Outcome,
    type Parcel,
} from '../crossing-shapes';

/** Takes parcels until it is told to finish. */
export async function crossing(first: Parcel, blob: Uint8Array): Promise<Outcome> {
    const parcels = [first];
    let finished = false;
    setHandler(defineSignal<[Parcel]>('put'), (parcel) => void parcels.push(parcel));
    setHandler(defineSignal('finish'), () => {
        finished = true;
    });
    setHandler(defineQuery<Parcel[]>('parcels'), () => parcels);
    setHandler(defineQuery<Uint8Array>('blob'), () => blob);
    setHandler(
        defineUpdate<Parcel, [Parcel]>('stamp'),
        (parcel) => ({ ...parcel, text: `${parcel.text} stamped by ${LANGUAGE}` }),
        {
            validator: (parcel) => {
                if (parcel.number < 0) throw ApplicationFailure.create({ message: 'no number below zero' });
            },
        }
    );
    const seen: Attributes = attributesOf(workflowInfo().typedSearchAttributes);
    upsertSearchAttributes([{ key: INT, value: seen.int + 1 }]);
    await condition(() => finished);
    return { parcels, seen };
}

export async function crossing_fails(parcel: Parcel): Promise<void> {
    const inner = ApplicationFailure.create({ message: `inner from ${LANGUAGE}`, type: 'InnerError' });
    throw ApplicationFailure.create({
        message: `outer from ${LANGUAGE}`,
        type: 'OuterError',
        nonRetryable: true,
        details: [parcel],
        cause: inner,
    });
}

/** Does as a workflow what `call` does as a client. */
export async function cross_from(
    taskQueue: string,
    workflowId: string,
    parcel: Parcel,
    blob: Uint8Array
): Promise<{ result: Outcome; failure: Failure[] }> {
    const child = await startChild<typeof crossing>('crossing', {
        args: [parcel, blob],
        workflowId,
        taskQueue,
        typedSearchAttributes: attributesFrom(`a child of ${LANGUAGE}`),
    });
    await child.signal('put', parcel);
    await child.signal('finish');
    const result = await child.result();
    let failure: Failure[] = [];
    try {
        await executeChild<typeof crossing_fails>('crossing_fails', { args: [parcel], taskQueue });
    } catch (error) {
        if (!(error instanceof ChildWorkflowFailure)) throw error;
        failure = chainOf(error);
    }
    return { result, failure };
}
