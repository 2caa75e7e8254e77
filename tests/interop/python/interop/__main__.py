"""Runs the scenarios against a server and writes one JSON line for each of them."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import sys
import time
from dataclasses import dataclass
from importlib.metadata import version
from typing import TextIO

from temporalio.client import Client
from temporalio.runtime import Runtime, TelemetryConfig

import interop.scenarios  # noqa: F401  (registers every scenario)
from interop.harness import SCENARIO_LIMIT_SECONDS, SCENARIOS, Context, describe_error

SCENARIOS_AT_A_TIME = 5
# These take all the processor there is, so they run alone, after all others.
ALONE = ["concurrency_100"]
CONNECT_LIMIT_SECONDS = 15.0
# A scenario that ran out of time gets this long to put its workers away; then it is left behind.
ABANDON_AFTER_SECONDS = 3.0


@dataclass
class Outcome:
    scenario: str
    seconds: float
    error: str

    @property
    def ok(self) -> bool:
        return self.error == ""

    def line(self) -> str:
        return json.dumps(
            {
                "sdk": "python",
                "version": version("temporalio"),
                "scenario": self.scenario,
                "ok": self.ok,
                "seconds": round(self.seconds, 3),
                "error": self.error,
            }
        )


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="interop", description=__doc__)
    parser.add_argument("command", nargs="?", choices=["run"], default="run")
    parser.add_argument("--address", required=True)
    parser.add_argument("--namespace", default="default")
    parser.add_argument("--out", required=True)
    parser.add_argument("--verbose", action="store_true", help="show what the SDK logs")
    parser.add_argument("--only", default="", help="scenario names, separated by commas")
    return parser.parse_args()


def select(only: str) -> list[str]:
    if not only:
        return list(SCENARIOS)
    names = only.split(",")
    unknown = [name for name in names if name not in SCENARIOS]
    if unknown:
        sys.exit(f"interop: unknown scenario: {', '.join(unknown)}")
    return names


async def play(name: str, client: Client, address: str) -> Outcome:
    start = time.monotonic()
    task = asyncio.ensure_future(SCENARIOS[name](Context.create(name, client, address)))
    finished, _ = await asyncio.wait([task], timeout=SCENARIO_LIMIT_SECONDS)
    error = ""
    if not finished:
        error = f"not finished within {SCENARIO_LIMIT_SECONDS:g} s"
        task.cancel()
        await asyncio.wait([task], timeout=ABANDON_AFTER_SECONDS)
    elif task.cancelled():
        error = "cancelled"
    elif (raised := task.exception()) is not None:
        error = describe_error(raised)
    return Outcome(name, time.monotonic() - start, error)


async def connect(address: str, namespace: str) -> Client:
    async with asyncio.timeout(CONNECT_LIMIT_SECONDS):
        return await Client.connect(address, namespace=namespace)


def quieten() -> None:
    """Silences what the SDK logs about failures that the scenarios cause on purpose."""
    logging.getLogger("temporalio").setLevel(logging.CRITICAL)
    Runtime.set_default(Runtime(telemetry=TelemetryConfig(logging=None)))


async def run_all(arguments: argparse.Namespace, names: list[str], out: TextIO) -> bool:
    all_ok = True

    def report(outcome: Outcome) -> None:
        nonlocal all_ok
        all_ok = all_ok and outcome.ok
        print(outcome.line(), file=out, flush=True)
        verdict = "ok" if outcome.ok else f"FAILED {outcome.error}"
        print(f"python {outcome.scenario:28} {outcome.seconds:6.1f} s  {verdict}", flush=True)

    try:
        client = await connect(arguments.address, arguments.namespace)
    except Exception as error:
        for name in names:
            report(Outcome(name, 0.0, f"cannot connect: {describe_error(error)}"))
        return False

    places = asyncio.Semaphore(SCENARIOS_AT_A_TIME)

    async def play_in_turn(name: str) -> None:
        async with places:
            report(await play(name, client, arguments.address))

    await asyncio.gather(*(play_in_turn(name) for name in names if name not in ALONE))
    for name in ALONE:
        if name in names:
            await play_in_turn(name)
    return all_ok


def main() -> None:
    arguments = parse_arguments()
    names = select(arguments.only)
    if not arguments.verbose:
        quieten()
    with open(arguments.out, "w", encoding="utf-8") as out:
        # Not asyncio.run and not a plain return: both wait for what abandoned scenarios left over.
        all_ok = asyncio.new_event_loop().run_until_complete(run_all(arguments, names, out))
    sys.stdout.flush()
    os._exit(0 if all_ok else 1)


if __name__ == "__main__":
    main()
