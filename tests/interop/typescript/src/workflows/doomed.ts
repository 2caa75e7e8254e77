/** Workflows of the worker that gets killed. */

export { surviveWorker } from './durability';

/** Never gives its workflow task back. */
export async function stuckTask(): Promise<string> {
    const nobodyWakesThis = new Int32Array(new SharedArrayBuffer(4));
    Atomics.wait(nobodyWakesThis, 0, 0);
    return 'woken';
}
