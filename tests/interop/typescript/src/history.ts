/** What scenarios look at in event histories. */

import type { WorkflowHandle } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { Worker } from '@temporalio/worker';
import { type Bundle, bundlePath } from './bundles';
import { checkEqual } from './checks';
import type { Context } from './context';

export type History = temporal.api.history.v1.IHistory;
export type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

/** `TimerFired` and so on; the server's enum has them as `EVENT_TYPE_TIMER_FIRED`. */
export function eventName(event: HistoryEvent): string {
    const name = temporal.api.enums.v1.EventType[event.eventType ?? 0] ?? '';
    return name
        .replace('EVENT_TYPE_', '')
        .toLowerCase()
        .replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

export function eventsOf(history: History, name: string): HistoryEvent[] {
    return (history.events ?? []).filter((event) => eventName(event) === name);
}

export function checkEventCounts(history: History, expected: Record<string, number>): void {
    for (const [name, count] of Object.entries(expected)) {
        checkEqual(eventsOf(history, name).length, count, `events of type ${name}`);
    }
}

export function checkEventIds(history: History): void {
    const ids = (history.events ?? []).map((event) => Number(event.eventId));
    checkEqual(
        ids,
        ids.map((_, index) => index + 1),
        'event ids'
    );
}

/** Replays a history without a server; throws when the code and the history disagree. */
export async function checkReplays(history: History, bundle: Bundle = 'main'): Promise<void> {
    await Worker.runReplayHistory({ workflowBundle: { codePath: bundlePath(bundle) } }, history);
}

export async function historyInPages(
    context: Context,
    handle: WorkflowHandle,
    pageSize: number
): Promise<History> {
    const events: HistoryEvent[] = [];
    let nextPageToken: Uint8Array | undefined;
    do {
        const page = await context.client.workflowService.getWorkflowExecutionHistory({
            namespace: context.namespace,
            execution: { workflowId: handle.workflowId },
            maximumPageSize: pageSize,
            nextPageToken,
        });
        events.push(...(page.history?.events ?? []));
        nextPageToken = page.nextPageToken;
    } while (nextPageToken && nextPageToken.length > 0);
    return { events };
}

/** Milliseconds of a timestamp or duration. */
export function milliseconds(
    time: { seconds?: unknown; nanos?: number | null } | null | undefined
): number {
    return Number(time?.seconds ?? 0) * 1000 + (time?.nanos ?? 0) / 1e6;
}

/** Waits for an event that the server writes on behalf of the worker. */
export async function hasEvent(handle: WorkflowHandle, name: string): Promise<boolean> {
    return eventsOf(await handle.fetchHistory(), name).length > 0;
}
