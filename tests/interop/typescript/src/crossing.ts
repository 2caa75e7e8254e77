/**
 * The TypeScript side of the crossings: the same worker and the same client in every language, so that
 * each of them can meet each of the others. cpp/crossing.cc says what words it takes.
 */

import { parseArgs } from 'node:util';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { bundlePath } from './bundles';
import { attributesFrom, attributesOf, chainOf, LANGUAGE, type Parcel } from './crossing-shapes';

const dataConverter = { failureConverterPath: require.resolve('./crossing-failures') };

type Flags = Record<'address' | 'task-queue' | 'own-queue' | 'id' | 'parcel', string>;

async function serve(flags: Flags): Promise<void> {
    Runtime.install({ logger: new DefaultLogger('ERROR') });
    const worker = await Worker.create({
        connection: await NativeConnection.connect({ address: flags.address }),
        taskQueue: flags['task-queue'],
        workflowBundle: { codePath: bundlePath('crossing') },
        dataConverter,
    });
    console.log('ready');
    await worker.run();
}

async function call(flags: Flags): Promise<object> {
    const connection = await Connection.connect({ address: flags.address });
    const client = new Client({ connection, dataConverter });
    const parcel = JSON.parse(flags.parcel) as Parcel;
    const blob = Uint8Array.from({ length: 256 }, (_, index) => index);
    const taskQueue = flags['task-queue'];
    const handle = await client.workflow.start('crossing', {
        workflowId: flags.id,
        taskQueue,
        args: [parcel, blob],
        typedSearchAttributes: attributesFrom(`from ${LANGUAGE}`),
    });
    const seen = await talk(handle, parcel);
    const failure = await client.workflow
        .execute('crossing_fails', { workflowId: `${flags.id}-fails`, taskQueue, args: [parcel] })
        .then(() => [], chainOf);
    const fromWorkflow = await client.workflow.execute('cross_from', {
        workflowId: `${flags.id}-from`,
        taskQueue: flags['own-queue'],
        args: [taskQueue, `${flags.id}-child`, parcel, blob],
    });
    await connection.close();
    return { ...seen, failure, from_workflow: fromWorkflow };
}

/** Does with a workflow that runs all that a client can do, and lets it finish. */
async function talk(handle: WorkflowHandle, parcel: Parcel): Promise<object> {
    await handle.signal('put', parcel);
    const parcels = await handle.query('parcels');
    const blob = Array.from(await handle.query<Uint8Array>('blob'));
    const stamped = await handle.executeUpdate('stamp', { args: [parcel] });
    const rejection = await handle
        .executeUpdate('stamp', { args: [{ ...parcel, number: -1 }] })
        .then(() => '', (error) => chainOf(error).at(-1)?.message);
    const attributes = attributesOf((await handle.describe()).typedSearchAttributes);
    await handle.signal('finish');
    return { parcels, blob, stamped, rejection, attributes, result: await handle.result() };
}

async function main(): Promise<void> {
    const text = { type: 'string', default: '' } as const;
    const { values, positionals } = parseArgs({
        allowPositionals: true,
        options: { address: text, 'task-queue': text, 'own-queue': text, id: text, parcel: text },
    });
    if (positionals[0] === 'worker') await serve(values);
    else console.log(JSON.stringify(await call(values)));
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
