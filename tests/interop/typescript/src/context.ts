/** One scenario's view of the server: its own task queue, its workers and its handles. */

import { randomUUID } from 'node:crypto';
import type { Client, WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import type { Workflow } from '@temporalio/common';
import { NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import * as activities from './activities';
import { type Bundle, bundlePath } from './bundles';

export interface ScenarioWorkerOptions extends Partial<WorkerOptions> {
    bundle?: Bundle;
}

/** Options of a start, without the two that every scenario has in common. */
type StartOptions = Partial<Parameters<Client['workflow']['start']>[1]>;

export class Context {
    readonly taskQueue: string;

    constructor(
        readonly name: string,
        readonly address: string,
        readonly namespace: string,
        readonly client: Client,
        private readonly connection: NativeConnection
    ) {
        this.taskQueue = `interop-typescript-${name}-${randomUUID().slice(0, 8)}`;
    }

    newId(suffix = 'workflow'): string {
        return `${this.taskQueue}-${suffix}-${randomUUID().slice(0, 6)}`;
    }

    /** Runs a worker on this scenario's task queue for as long as the body takes. */
    async withWorker<T>(options: ScenarioWorkerOptions, body: () => Promise<T>): Promise<T> {
        const { bundle = 'main', ...workerOptions } = options;
        const worker = await Worker.create({
            connection: this.connection,
            namespace: this.namespace,
            taskQueue: this.taskQueue,
            workflowBundle: { codePath: bundlePath(bundle) },
            activities,
            ...workerOptions,
        });
        return await worker.runUntil(body);
    }

    /** Starts a workflow on this scenario's task queue, under a new id unless one is given. */
    async start<T extends Workflow>(
        workflow: T | string,
        args: Parameters<T>,
        options: StartOptions = {}
    ): Promise<WorkflowHandleWithFirstExecutionRunId<T>> {
        const allOptions = {
            taskQueue: this.taskQueue,
            workflowId: this.newId(),
            args,
            ...options,
        } as Parameters<Client['workflow']['start']>[1];
        const handle = await this.client.workflow.start<Workflow>(workflow, allOptions);
        return handle as WorkflowHandleWithFirstExecutionRunId<T>;
    }

    async execute<T extends Workflow>(
        workflow: T,
        args: Parameters<T>,
        options: StartOptions = {}
    ): Promise<Awaited<ReturnType<T>>> {
        const handle = await this.start(workflow, args, options);
        return (await handle.result()) as Awaited<ReturnType<T>>;
    }
}

export type Scenario = (context: Context) => Promise<void>;
