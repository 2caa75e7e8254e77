/** Runs the scenarios against a server and writes one JSON line for each of them. */

import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import { describeError } from './checks';
import { Context, type Scenario } from './context';
import { activityScenarios } from './scenarios/activities';
import { durabilityScenarios } from './scenarios/durability';
import { identityScenarios } from './scenarios/identity';
import { lifecycleScenarios } from './scenarios/lifecycle';
import { messageScenarios } from './scenarios/messages';
import { timeoutScenarios } from './scenarios/timeouts';
import { updateScenarios } from './scenarios/updates';

const SCENARIO_LIMIT_SECONDS = 60;
const SCENARIOS_AT_A_TIME = 5;
// These take all the processor there is, so they run alone, after all others.
const ALONE = ['concurrency_100'];

// The slowest first, so that they start first.
const SCENARIOS: Record<string, Scenario> = {
    ...durabilityScenarios,
    ...activityScenarios,
    ...timeoutScenarios,
    ...identityScenarios,
    ...lifecycleScenarios,
    ...messageScenarios,
    ...updateScenarios,
};

interface Outcome {
    scenario: string;
    seconds: number;
    error: string;
}

interface Arguments {
    address: string;
    namespace: string;
    out: string;
    names: string[];
    verbose: boolean;
}

function parseArguments(): Arguments {
    const { values } = parseArgs({
        allowPositionals: true,
        options: {
            address: { type: 'string' },
            namespace: { type: 'string', default: 'default' },
            out: { type: 'string' },
            only: { type: 'string', default: '' },
            verbose: { type: 'boolean', default: false },
        },
    });
    const { address, namespace, out, only, verbose } = values;
    if (!address || !out) {
        throw new Error('--address and --out are required');
    }
    const names = only ? only.split(',') : Object.keys(SCENARIOS);
    const unknown = names.filter((name) => !(name in SCENARIOS));
    if (unknown.length > 0) {
        throw new Error(`unknown scenario: ${unknown.join(', ')}`);
    }
    return { address, namespace, out, names, verbose };
}

function sdkVersion(): string {
    const modules = path.join(__dirname, '..', 'node_modules');
    const file = path.join(modules, '@temporalio', 'worker', 'package.json');
    return JSON.parse(readFileSync(file, 'utf8')).version;
}

async function play(context: Context): Promise<Outcome> {
    const start = Date.now();
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<never>((_, reject) => {
        timer = setTimeout(
            () => reject(new Error(`not finished within ${SCENARIO_LIMIT_SECONDS} s`)),
            SCENARIO_LIMIT_SECONDS * 1000
        );
    });
    let error = '';
    try {
        await Promise.race([SCENARIOS[context.name](context), limit]);
    } catch (caught) {
        error = describeError(caught) || 'unknown error';
    } finally {
        clearTimeout(timer);
    }
    return { scenario: context.name, seconds: (Date.now() - start) / 1000, error };
}

/** Plays scenarios, a few at a time, in the order of their names. */
async function playAll(
    names: string[],
    atATime: number,
    playOne: (name: string) => Promise<void>
): Promise<void> {
    const waiting = [...names];
    const playNext = async (): Promise<void> => {
        for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
            await playOne(name);
        }
    };
    await Promise.all(Array.from({ length: atATime }, playNext));
}

async function run(args: Arguments, report: (outcome: Outcome) => void): Promise<void> {
    const { address, namespace, names } = args;
    let connection: Connection;
    let nativeConnection: NativeConnection;
    try {
        connection = await Connection.connect({ address, connectTimeout: '15 s' });
        nativeConnection = await NativeConnection.connect({ address });
    } catch (error) {
        for (const scenario of names) {
            report({ scenario, seconds: 0, error: `cannot connect: ${describeError(error)}` });
        }
        return;
    }
    const client = new Client({ connection, namespace });
    const playOne = async (name: string): Promise<void> => {
        report(await play(new Context(name, address, namespace, client, nativeConnection)));
    };
    const together = names.filter((name) => !ALONE.includes(name));
    await playAll(together, SCENARIOS_AT_A_TIME, playOne);
    await playAll(
        names.filter((name) => ALONE.includes(name)),
        1,
        playOne
    );
}

async function main(): Promise<number> {
    const args = parseArguments();
    const logLevel = args.verbose ? 'INFO' : 'ERROR';
    Runtime.install({
        logger: new DefaultLogger(logLevel),
        telemetryOptions: { logging: { filter: logLevel } },
        shutdownSignals: [],
    });
    const version = sdkVersion();
    const out = openSync(args.out, 'w');
    let allOk = true;
    await run(args, ({ scenario, seconds, error }) => {
        const ok = error === '';
        allOk = allOk && ok;
        const line = { sdk: 'typescript', version, scenario, ok, seconds, error };
        writeSync(out, `${JSON.stringify(line)}\n`);
        const verdict = ok ? 'ok' : `FAILED ${error}`;
        const time = seconds.toFixed(1).padStart(6);
        console.log(`typescript ${scenario.padEnd(28)} ${time} s  ${verdict}`);
    });
    closeSync(out);
    return allOk ? 0 : 1;
}

// Workers of a scenario that ran out of time may still be there; they must not keep the process.
main().then(
    (code) => process.exit(code),
    (error) => {
        console.error(`interop: ${describeError(error)}`);
        process.exit(2);
    }
);
