#!/usr/bin/env -S python3 -B
"""Runs the scenarios of the official SDKs against a server and prints a table SDK by scenario.

Without --address it starts the server itself, on a fresh directory and free ports. Every SDK has
a folder beside this file with two programs: `setup BUILD_DIRECTORY` prepares everything that its
scenarios need, and `run BUILD_DIRECTORY --address HOST:PORT --namespace NAME --out FILE` writes a
JSON line for every scenario. What is built or written goes to build/interop.

The last line printed is `N passed, N failed`; the exit code is 0 only when nothing failed.
"""

from __future__ import annotations

import argparse
import collections
import concurrent.futures
import contextlib
import json
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterator

import support

SDKS = ["go", "java", "python", "typescript"]
RUN_LIMIT_SECONDS = 300
# Two processor cores are assumed; more programs at a time would starve each other.
PROGRAMS_AT_A_TIME = 2
# An SDK that reports fewer scenarios than this has lost some.
FEWEST_SCENARIOS = 16

SCENARIOS = [
    "activity_retry",
    "activity_heartbeat_cancel",
    "timeout_schedule_to_start",
    "timeout_start_to_close",
    "timeout_schedule_to_close",
    "timeout_heartbeat",
    "workflow_timeouts",
    "timers",
    "signal",
    "signal_with_start",
    "update",
    "update_rejected",
    "update_with_start",
    "query_open",
    "query_closed",
    "cancel_cleanup",
    "terminate",
    "continue_as_new",
    "reset_to_first_task",
    "child_result",
    "child_cancel",
    "child_close_policies",
    "child_retry",
    "child_fan_out_50",
    "cron",
    "payload_1mib",
    "history_2000_cold_cache",
    "worker_killed_mid_task",
    "id_policies",
    "local_activity",
    "patching",
    "memo_and_search_attributes",
    "async_completion",
    "side_effect_or_random",
    "concurrency_100",
]


@dataclass
class SdkRun:
    """What came of one SDK: its results by scenario, and what went wrong beside them."""

    sdk: str
    version: str = ""
    seconds: float = 0.0
    results: dict[str, dict] = field(default_factory=dict)
    trouble: str = ""


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sdks", default=",".join(SDKS), help="which SDKs, separated by commas")
    parser.add_argument("--only", default="", help="which scenarios, separated by commas")
    parser.add_argument("--address", help="a server that is already running, as host:port")
    parser.add_argument("--namespace", default="default")
    parser.add_argument("--server", type=Path, default=support.ROOT / "build/release/stele")
    parser.add_argument("--port", type=int, default=0, help="of the server; 0: a free one")
    parser.add_argument("--build", type=Path, default=support.ROOT / "build/interop")
    parser.add_argument("--keep", action="store_true", help="keep the server's files and logs")
    parser.add_argument(
        "--register-namespace",
        action="store_true",
        help="make the namespace first, on a server that does not come with it",
    )
    return parser.parse_args()


def main() -> int:
    arguments = parse_arguments()
    sdks = arguments.sdks.split(",")
    for sdk in sdks:
        if sdk not in SDKS:
            sys.exit(f"unknown SDK {sdk!r}; there are {', '.join(SDKS)}")
    scratch = arguments.build / "run"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    runs = [SdkRun(sdk) for sdk in sdks]
    for run in runs:
        run.trouble = support.set_up(run.sdk, arguments.build)
    with contextlib.ExitStack() as stack:
        address = arguments.address
        if not address:
            started = support.server(arguments.server, scratch, arguments.port)
            address = stack.enter_context(started)
        if arguments.register_namespace:
            register_namespace(arguments, address)
        with concurrent.futures.ThreadPoolExecutor(PROGRAMS_AT_A_TIME) as pool:
            list(pool.map(lambda run: execute(run, arguments, address, scratch), runs))
    print_table(runs)
    failures = list(list_failures(runs))
    for failure in failures:
        print(f"FAILED {failure}")
    if not failures and not arguments.keep:
        shutil.rmtree(scratch)
    elif failures:
        print(f"logs: {scratch}")
    passed = sum(1 for run in runs for result in run.results.values() if result["ok"])
    print(f"{passed} passed, {len(failures)} failed")
    return 1 if failures else 0


def execute(run: SdkRun, arguments: argparse.Namespace, address: str, scratch: Path) -> None:
    """Runs the program of one SDK and collects its results."""
    if run.trouble:
        return
    out = scratch / f"{run.sdk}.jsonl"
    log = scratch / f"{run.sdk}.log"
    command = [support.HERE / run.sdk / "run", arguments.build / run.sdk]
    command += ["--address", address, "--namespace", arguments.namespace, "--out", out]
    if arguments.only:
        command += ["--only", arguments.only]
    print(f"running {run.sdk} ...", flush=True)
    begin = time.monotonic()
    with log.open("w") as output:
        code = support.call(command, output, RUN_LIMIT_SECONDS)
    run.seconds = time.monotonic() - begin
    for line in out.read_text().splitlines() if out.exists() else []:
        result = json.loads(line)
        run.results[result["scenario"]] = result
        run.version = result["version"]
    wanted = len(arguments.only.split(",")) if arguments.only else FEWEST_SCENARIOS
    if code != 0 and all(result["ok"] for result in run.results.values()):
        run.trouble = f"the program ended with {code}: {support.tail(log)}"
    elif len(run.results) < wanted:
        run.trouble = f"only {len(run.results)} results: {support.tail(log)}"


def register_namespace(arguments: argparse.Namespace, address: str) -> None:
    program = arguments.build / "go" / "interop"
    command = [program, "register-namespace", "--address", address]
    subprocess.run([*command, "--namespace", arguments.namespace], check=True)


def print_table(runs: list[SdkRun]) -> None:
    """Prints scenarios as rows and SDKs as columns; a passed scenario shows its seconds."""
    extra = {name for run in runs for name in run.results} - set(SCENARIOS)
    rows = [["scenario", *(f"{run.sdk} {run.version}".strip() for run in runs)]]
    for scenario in SCENARIOS + sorted(extra):
        cells = [cell(run.results.get(scenario)) for run in runs]
        if any(cells):
            rows.append([scenario, *cells])
    counts = [collections.Counter(r["ok"] for r in run.results.values()) for run in runs]
    rows.append(["passed", *(f"{count[True]} of {sum(count.values())}" for count in counts)])
    rows.append(["seconds", *(f"{run.seconds:.0f}" for run in runs)])
    support.print_table(rows, closing=2)


def cell(result: dict | None) -> str:
    if result is None:
        return ""
    return f"ok {result['seconds']:.1f}" if result["ok"] else "FAILED"


def list_failures(runs: list[SdkRun]) -> Iterator[str]:
    for run in runs:
        for scenario, result in run.results.items():
            if not result["ok"]:
                yield f"{run.sdk} {scenario}: {result['error']}"
        if run.trouble:
            yield f"{run.sdk}: {run.trouble}"


if __name__ == "__main__":
    sys.exit(main())
