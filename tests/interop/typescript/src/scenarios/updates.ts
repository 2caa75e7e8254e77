/** Updates: accepted, rejected without a trace, and sent together with the start. */

import {
    WithStartWorkflowOperation,
    type WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateStage,
} from '@temporalio/client';
import { checkEqual, expectError } from '../checks';
import type { Context, Scenario } from '../context';
import { checkEventCounts, checkReplays } from '../history';
import { addUpdate, counter, finishCounting } from '../workflows/updates';

async function eventCount(handle: WorkflowHandle): Promise<number> {
    return (await handle.fetchHistory()).events?.length ?? 0;
}

async function update(context: Context): Promise<void> {
    await context.withWorker({}, async () => {
        const handle = await context.start(counter, []);
        checkEqual(await handle.executeUpdate(addUpdate, { args: [1] }), 1, 'first outcome');
        const accepted = await handle.startUpdate(addUpdate, {
            args: [2],
            waitForStage: WorkflowUpdateStage.ACCEPTED,
        });
        checkEqual(await accepted.result(), 3, 'outcome of an accepted update');
        await handle.signal(finishCounting);
        checkEqual(await handle.result(), 3, 'result');
        const history = await handle.fetchHistory();
        checkEventCounts(history, {
            WorkflowExecutionUpdateAccepted: 2,
            WorkflowExecutionUpdateCompleted: 2,
        });
        await checkReplays(history);
        const again = handle.getUpdateHandle<number>(accepted.updateId);
        checkEqual(await again.result(), 3, 'outcome after the workflow has closed');
    });
}

async function updateRejected(context: Context): Promise<void> {
    await context.withWorker({}, async () => {
        const handle = await context.start(counter, []);
        await handle.executeUpdate(addUpdate, { args: [1] });
        const before = await eventCount(handle);
        await expectError(
            handle.executeUpdate(addUpdate, { args: [-1] }),
            WorkflowUpdateFailedError,
            'outcome of a negative number'
        );
        checkEqual(await eventCount(handle), before, 'events after the rejection');
        checkEqual(await handle.executeUpdate(addUpdate, { args: [4] }), 5, 'outcome behind it');
        await handle.signal(finishCounting);
        checkEqual(await handle.result(), 5, 'result');
        await checkReplays(await handle.fetchHistory());
    });
}

async function updateWithStart(context: Context): Promise<void> {
    await context.withWorker({}, async () => {
        const workflowId = context.newId();
        const send = async (number: number): Promise<number> => {
            const startWorkflowOperation = new WithStartWorkflowOperation(counter, {
                workflowId,
                taskQueue: context.taskQueue,
                workflowIdConflictPolicy: 'USE_EXISTING',
            });
            return await context.client.workflow.executeUpdateWithStart(addUpdate, {
                args: [number],
                startWorkflowOperation,
            });
        };
        checkEqual(await send(1), 1, 'outcome with the start');
        checkEqual(await send(2), 3, 'outcome of the one that runs');
        const handle = context.client.workflow.getHandle(workflowId);
        await handle.signal(finishCounting);
        checkEqual(await handle.result(), 3, 'result');
    });
}

export const updateScenarios: Record<string, Scenario> = {
    update,
    update_rejected: updateRejected,
    update_with_start: updateWithStart,
};
