/** A worker that takes tasks, never gives them back, and waits to be killed. */

import { parseArgs } from 'node:util';
import { heartbeat, sleep } from '@temporalio/activity';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { bundlePath } from './bundles';

/** Heartbeats and never ends. */
async function surviveWorker(): Promise<never> {
    for (;;) {
        heartbeat('alive');
        await sleep(100);
    }
}

async function main(): Promise<void> {
    const { values } = parseArgs({
        options: {
            address: { type: 'string', default: '' },
            namespace: { type: 'string', default: '' },
            'task-queue': { type: 'string', default: '' },
        },
    });
    Runtime.install({ logger: new DefaultLogger('ERROR') });
    const worker = await Worker.create({
        connection: await NativeConnection.connect({ address: values.address }),
        namespace: values.namespace,
        taskQueue: values['task-queue'],
        workflowBundle: { codePath: bundlePath('doomed') },
        activities: { surviveWorker },
        // So long do the tasks of a dead worker wait for it: the default of 10 s tests no more.
        stickyQueueScheduleToStartTimeout: '2 s',
    });
    await worker.run();
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
