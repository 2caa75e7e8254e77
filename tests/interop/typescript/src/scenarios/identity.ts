/** Which run an id stands for, and which code a run is bound to. */

import { WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { TerminatedFailure, WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { DeterminismViolationError } from '@temporalio/workflow';
import { check, checkEqual, checkType, eventually, expectError } from '../checks';
import type { Context, Scenario } from '../context';
import { checkEventCounts, checkReplays } from '../history';
import { patching as patchingWorkflow, proceedSignal } from '../workflows/before-patch';
import { alwaysFail } from '../workflows/lifecycle';
import { collect, finishSignal } from '../workflows/messages';

async function idPolicies(context: Context): Promise<void> {
    await context.withWorker({}, async () => {
        await reusePolicies(context);
        await conflictPolicies(context);
    });
}

/** The id of a workflow that has completed or failed. */
async function closedWorkflow(context: Context, completed: boolean): Promise<string> {
    if (completed) {
        const handle = await context.start(collect, []);
        await handle.signal(finishSignal);
        await handle.result();
        return handle.workflowId;
    }
    const handle = await context.start(alwaysFail, ['on purpose']);
    await expectError(handle.result(), WorkflowFailedError, 'result of a failed workflow');
    return handle.workflowId;
}

async function reusePolicies(context: Context): Promise<void> {
    const cases = [
        { policy: 'ALLOW_DUPLICATE', completed: true, mayStart: true },
        { policy: 'ALLOW_DUPLICATE_FAILED_ONLY', completed: true, mayStart: false },
        { policy: 'ALLOW_DUPLICATE_FAILED_ONLY', completed: false, mayStart: true },
        { policy: 'REJECT_DUPLICATE', completed: true, mayStart: false },
        { policy: 'REJECT_DUPLICATE', completed: false, mayStart: false },
    ] as const;
    for (const { policy, completed, mayStart } of cases) {
        const what = `${policy} after ${completed ? 'completion' : 'failure'}`;
        const workflowId = await closedWorkflow(context, completed);
        const again = context.start(collect, [], { workflowId, workflowIdReusePolicy: policy });
        if (mayStart) {
            await again;
            continue;
        }
        const refused = await expectError(again, WorkflowExecutionAlreadyStartedError, what);
        checkEqual(refused.workflowId, workflowId, `workflow id in the refusal: ${what}`);
    }
}

async function conflictPolicies(context: Context): Promise<void> {
    const first = await context.start(collect, []);
    const { workflowId } = first;
    await expectError(
        context.start(collect, [], { workflowId, workflowIdConflictPolicy: 'FAIL' }),
        WorkflowExecutionAlreadyStartedError,
        'conflict policy fail'
    );

    const same = await context.start(collect, [], {
        workflowId,
        workflowIdConflictPolicy: 'USE_EXISTING',
    });
    checkEqual(same.firstExecutionRunId, first.firstExecutionRunId, 'run that is used');

    const other = await context.start(collect, [], {
        workflowId,
        workflowIdConflictPolicy: 'TERMINATE_EXISTING',
    });
    check(
        other.firstExecutionRunId !== first.firstExecutionRunId,
        'terminate-existing starts another run'
    );
    const failed = await expectError(
        first.result(),
        WorkflowFailedError,
        'result of the replaced run'
    );
    checkType(failed.cause, TerminatedFailure, 'cause of the failure');
    await other.signal(finishSignal);
    checkEqual(await other.result(), [], 'result of the run that replaced it');
}

async function patching(context: Context): Promise<void> {
    const start = async () => await context.start(patchingWorkflow, []);
    const old = await start();
    await context.withWorker({ bundle: 'before-patch' }, () => firstTaskIsDone(old));

    const [current, inBetween] = await context.withWorker({ bundle: 'after-patch' }, async () => {
        await old.signal(proceedSignal);
        checkEqual(await old.result(), 'Hello, old!', 'run that started before the patch');
        const patchedRun = await start();
        await patchedRun.signal(proceedSignal);
        checkEqual(await patchedRun.result(), 'Hello, new!', 'run that started after the patch');
        const openRun = await start();
        await firstTaskIsDone(openRun);
        return [patchedRun, openRun];
    });

    await context.withWorker({ bundle: 'patch-deprecated' }, async () => {
        await inBetween.signal(proceedSignal);
        checkEqual(await inBetween.result(), 'Hello, new!', 'run that saw the patch deprecated');
    });

    const oldHistory = await old.fetchHistory();
    const newHistory = await current.fetchHistory();
    checkEventCounts(oldHistory, { MarkerRecorded: 0 });
    checkEventCounts(newHistory, { MarkerRecorded: 1 });
    await checkReplays(oldHistory, 'before-patch');
    await checkReplays(oldHistory, 'after-patch');
    await checkReplays(newHistory, 'after-patch');
    await checkReplays(newHistory, 'patch-deprecated');
    await expectError(
        checkReplays(newHistory, 'before-patch'),
        DeterminismViolationError,
        'replay of a patched run with the old code'
    );
}

async function firstTaskIsDone(handle: WorkflowHandle): Promise<void> {
    await eventually(async () => {
        const { raw, historyLength } = await handle.describe();
        return !raw.pendingWorkflowTask && historyLength > 2;
    }, 'the workflow waits');
}

export const identityScenarios: Record<string, Scenario> = {
    id_policies: idPolicies,
    patching,
};
