/** Checks that scenarios make; what does not hold is thrown. */

import { isDeepStrictEqual } from 'node:util';

/** The server answered, but not what it should have. */
export class CheckFailed extends Error {
    override readonly name = 'CheckFailed';
}

export function check(condition: boolean, what: string): asserts condition {
    if (!condition) {
        throw new CheckFailed(what);
    }
}

export function checkEqual(actual: unknown, expected: unknown, what: string): void {
    if (!isDeepStrictEqual(actual, expected)) {
        throw new CheckFailed(
            `${what}: got ${JSON.stringify(actual)}, want ${JSON.stringify(expected)}`
        );
    }
}

type Class<T> = abstract new (...args: any[]) => T;

/** Returns the value once it is known to be of a class. */
export function checkType<T>(value: unknown, kind: Class<T>, what: string): T {
    if (!(value instanceof kind)) {
        throw new CheckFailed(`${what} is ${describeError(value)}, not a ${kind.name}`);
    }
    return value;
}

/** Passes only if the promise is rejected with an error of a class; returns that error. */
export async function expectError<T>(
    promise: Promise<unknown>,
    kind: Class<T>,
    what: string
): Promise<T> {
    try {
        await promise;
    } catch (error) {
        if (error instanceof kind) {
            return error;
        }
        throw error;
    }
    throw new CheckFailed(`${what}: no ${kind.name} was thrown`);
}

/** An error and its causes, outermost first, on one line. */
export function describeError(error: unknown): string {
    const parts: string[] = [];
    let current = error;
    while (current instanceof Error && parts.length < 10) {
        parts.push(`${current.name}: ${current.message}`);
        current = current.cause;
    }
    return parts.length > 0 ? parts.join(' <- ') : String(error);
}

/** Waits until a condition holds that nothing but asking again can tell. */
export async function eventually(
    condition: () => Promise<boolean> | boolean,
    what: string,
    seconds = 20
): Promise<void> {
    const deadline = Date.now() + seconds * 1000;
    while (!(await condition())) {
        if (Date.now() > deadline) {
            throw new CheckFailed(`not within ${seconds} s: ${what}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 100));
    }
}
