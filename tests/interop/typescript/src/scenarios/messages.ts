/** Signals and queries. */

import {
    QueryNotRegisteredError,
    QueryRejectedError,
    WorkflowClient,
    type WorkflowHandle,
    WorkflowNotFoundError,
} from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { checkEqual, eventually, expectError } from '../checks';
import type { Context, Scenario } from '../context';
import { checkEventCounts, checkReplays, eventName } from '../history';
import {
    addedQuery,
    addSignal,
    collect,
    finishSignal,
    itemQuery,
    signalAnother,
} from '../workflows/messages';

async function signal(context: Context): Promise<void> {
    // Signals that arrive before any worker is there are kept, in order.
    const handle = await context.start(collect, [8]);
    for (const number of [0, 1, 2]) {
        await handle.signal(addSignal, `early ${number}`);
    }
    await context.withWorker({}, async () => {
        await eventually(
            async () => (await handle.query(addedQuery)).length === 3,
            'the early signals are handled'
        );
        for (const number of [0, 1, 2]) {
            await handle.signal(addSignal, `late ${number}`);
        }
        await context.execute(signalAnother, [handle.workflowId, ['from outside', 'and again']]);
        checkEqual(
            await handle.result(),
            [
                ...[0, 1, 2].map((number) => `early ${number}`),
                ...[0, 1, 2].map((number) => `late ${number}`),
                'from outside',
                'and again',
            ],
            'signals in order'
        );
        const history = await handle.fetchHistory();
        checkEventCounts(history, { WorkflowExecutionSignaled: 8 });
        await checkReplays(history);
        await expectError(
            handle.signal(addSignal, 'too late'),
            WorkflowNotFoundError,
            'signal to a closed workflow'
        );
    });
}

async function signalWithStart(context: Context): Promise<void> {
    const workflowId = context.newId();
    const signalOrStart = async (item: string, expected: number) =>
        await context.client.workflow.signalWithStart(collect, {
            workflowId,
            taskQueue: context.taskQueue,
            args: [expected],
            signal: addSignal,
            signalArgs: [item],
        });
    await context.withWorker({}, async () => {
        const handles = [
            await signalOrStart('starts', 3),
            await signalOrStart('joins', 3),
            await signalOrStart('ends', 3),
        ];
        const runIds = new Set(handles.map((handle) => handle.signaledRunId));
        checkEqual(runIds.size, 1, 'number of runs');
        checkEqual(await handles[0].result(), ['starts', 'joins', 'ends'], 'signals in order');
        const history = await handles[0].fetchHistory();
        checkEventCounts(history, { WorkflowExecutionStarted: 1, WorkflowExecutionSignaled: 3 });
        checkEqual(
            history.events?.slice(0, 2).map(eventName),
            ['WorkflowExecutionStarted', 'WorkflowExecutionSignaled'],
            'first events'
        );
        // The run is closed now: the same call starts another one.
        const again = await signalOrStart('anew', 1);
        checkEqual(await again.result(), ['anew'], 'signals of the second run');
    });
}

/** The same workflow, seen through a client whose queries have a condition. */
function withCondition(
    context: Context,
    handle: WorkflowHandle,
    queryRejectCondition: 'NOT_OPEN' | 'NOT_COMPLETED_CLEANLY'
): WorkflowHandle {
    const { connection } = context.client;
    const { namespace } = context;
    const client = new WorkflowClient({ connection, namespace, queryRejectCondition });
    return client.getHandle(handle.workflowId);
}

async function queryOpen(context: Context): Promise<void> {
    await context.withWorker({}, async () => {
        const handle = await context.start(collect, []);
        checkEqual(await handle.query(addedQuery), [], 'answer before any signal');
        const sent: string[] = [];
        for (const number of [0, 1, 2]) {
            sent.push(`item ${number}`);
            await handle.signal(addSignal, `item ${number}`);
            checkEqual(
                await handle.query(addedQuery),
                sent,
                'answer sees every signal that was acknowledged before'
            );
        }
        checkEqual(await handle.query(itemQuery, 1), 'item 1', 'answer to a query with argument');
        await expectError(
            handle.query(itemQuery, 99),
            QueryNotRegisteredError,
            'query that throws'
        );
        await expectError(
            handle.query('noSuchQuery'),
            QueryNotRegisteredError,
            'query that the workflow does not know'
        );
        checkEqual(
            await withCondition(context, handle, 'NOT_OPEN').query(itemQuery, 0),
            'item 0',
            'answer of an open workflow with the reject condition'
        );
        await handle.signal(finishSignal);
        await handle.result();
    });
}

async function queryClosed(context: Context): Promise<void> {
    const handle = await context.start(collect, [2]);
    await context.withWorker({}, async () => {
        await handle.signal(addSignal, 'one');
        await handle.signal(addSignal, 'two');
        await handle.result();
        checkEqual(await handle.query(addedQuery), ['one', 'two'], 'answer after the end');
        const refused = await expectError(
            withCondition(context, handle, 'NOT_OPEN').query(addedQuery),
            QueryRejectedError,
            'query that wants an open workflow'
        );
        checkEqual(
            refused.status,
            temporal.api.enums.v1.WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_COMPLETED,
            'status in the refusal'
        );
        checkEqual(
            await withCondition(context, handle, 'NOT_COMPLETED_CLEANLY').query(itemQuery, 0),
            'one',
            'answer of a workflow that completed cleanly'
        );
    });
    // Nobody has this run in a cache now, the worker reads it again from the beginning.
    await context.withWorker({}, async () => {
        checkEqual(await handle.query(addedQuery), ['one', 'two'], 'answer of another worker');
    });
}

export const messageScenarios: Record<string, Scenario> = {
    signal,
    signal_with_start: signalWithStart,
    query_open: queryOpen,
    query_closed: queryClosed,
};
