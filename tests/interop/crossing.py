#!/usr/bin/env -S python3 -B
"""Lets the C++ SDK and the official ones meet on one namespace, and prints a table of what crossed.

Every language has a program with the same worker and the same client. A client starts a workflow of
another language, signals, queries, updates and awaits it, and looks at its search attributes; then
a workflow of the client's language does so as a parent. Payloads are text, numbers, lists and
bytes; failures have causes and details, and messages that travel as payloads. Without --address it
starts the server itself; one at an address, Temporal too, must have the namespace `default`. The
last line is `N passed, N failed`.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Iterator

import support

LIMIT_SECONDS = 60
# The largest number that every language keeps exactly, and text that none may take for ASCII.
PARCEL = {"text": 'Grüße, "世界" ☃', "number": 2**53 - 1, "ratio": 0.25, "tags": ["a", ""]}
ATTRIBUTES = {"CrossKeyword": "Keyword", "CrossInt": "Int", "CrossList": "KeywordList"}
SDKS = {"Go": "go", "Python": "python", "TypeScript": "typescript"}
PAIRS = [pair for other in SDKS for pair in (("C++", other), (other, "C++"))]


def expected(caller: str, callee: str) -> dict[str, object]:
    """What a client of one language has to see of the workflows of another."""

    def result(who: str) -> dict[str, object]:
        seen = {"keyword": who, "int": 1, "list": ["a", "b"]}
        return {"parcels": [PARCEL, PARCEL], "seen": seen}

    outer = {"message": f"outer from {callee}", "type": "OuterError", "non_retryable": True}
    inner = {"message": f"inner from {callee}", "type": "InnerError", "non_retryable": False}
    failure = [outer | {"details": [PARCEL]}, inner | {"details": []}]
    attributes = {"keyword": f"from {caller}", "int": 2, "list": ["a", "b"]}
    parent = {"result": result(f"a child of {caller}"), "failure": failure}
    return {
        "parcels": [PARCEL, PARCEL],
        "blob": list(range(256)),
        "stamped": PARCEL | {"text": f"{PARCEL['text']} stamped by {callee}"},
        "rejection": "no number below zero",
        "attributes": attributes,
        "result": result(f"from {caller}"),
        "failure": failure,
        "from_workflow": parent,
    }


# What the columns of the table are about: starts and signals show in what the query brings.
COLUMNS = {
    "parcels": "start, signal, query",
    "blob": "bytes",
    "stamped": "update",
    "rejection": "rejection",
    "attributes": "attributes",
    "result": "result",
    "failure": "failure",
    "from_workflow": "from a workflow",
}


class Crossing:
    """The programs of all languages, connected to one server."""

    def __init__(self, arguments: argparse.Namespace, address: str) -> None:
        build = arguments.build
        self._address = address
        self._stele = str(arguments.server)
        venv = build / "python" / "venv" / "bin" / "python"
        self._programs = {
            "C++": [str(arguments.cpp)],
            "Go": [str(build / "go" / "crossing")],
            "Python": [str(venv), "-B", str(support.HERE / "python" / "crossing.py")],
            "TypeScript": ["node", str(build / "typescript" / "dist" / "crossing.js")],
        }
        # Ids of earlier runs against the same server must not be met again.
        self._suffix = os.urandom(4).hex()

    def queue(self, language: str) -> str:
        return f"crossing-{language}-{self._suffix}"

    def register_attributes(self) -> None:
        words = [word for name, kind in ATTRIBUTES.items() for word in ("--name", name, "--type", kind)]
        command = [self._stele, "operator", "search-attribute", "create", *words]
        done = subprocess.run([*command, "--address", self._address], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"crossing: {done.stderr.strip()}")

    @contextlib.contextmanager
    def workers(self, logs: Path) -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            for language, program in self._programs.items():
                command = [*program, "worker", "--address", self._address]
                command += ["--task-queue", self.queue(language)]
                stack.enter_context(support.worker(command, logs / f"{language}.log"))
            yield

    def call(self, caller: str, callee: str) -> dict[str, object] | str:
        """What the client saw, or what went wrong with it."""
        command = [*self._programs[caller], "call", "--address", self._address]
        command += ["--task-queue", self.queue(callee), "--own-queue", self.queue(caller)]
        command += ["--id", f"crossing-{caller}-{callee}-{self._suffix}"]
        command += ["--parcel", json.dumps(PARCEL)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            return f"no end after {LIMIT_SECONDS} s"
        if done.returncode != 0:
            return done.stderr.strip()
        return json.loads(done.stdout)

    def hidden(self, callee: str) -> str:
        """Whether a failure's message stands in the history as a payload only: the trouble if not."""
        caller = "C++" if callee != "C++" else "Go"
        command = [self._stele, "workflow", "show", "--output", "json", "--address", self._address]
        command += ["-w", f"crossing-{caller}-{callee}-{self._suffix}-fails"]
        text = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_SECONDS).stdout
        if f"outer from {callee}" in text or '"Encoded failure"' not in text:
            return f"the message of a failure from {callee} is not encoded"
        return ""


def main() -> int:
    arguments = support.parse_arguments(__doc__.splitlines()[0], "stele_interop_crossing")
    failures: list[str] = []
    rows = [["from → to", *COLUMNS.values()]]
    with support.prepared(arguments, SDKS.values(), "crossing") as (address, scratch):
        crossing = Crossing(arguments, address)
        crossing.register_attributes()
        with crossing.workers(scratch), concurrent.futures.ThreadPoolExecutor(2) as pool:
            observed = list(pool.map(lambda pair: crossing.call(*pair), PAIRS))
        for pair, seen in zip(PAIRS, observed):
            rows.append(row(pair, seen, failures))
        hidden = [crossing.hidden(language) for language in ("C++", *SDKS)]
        failures += [trouble for trouble in hidden if trouble]
    support.print_table(rows)
    for failure in failures:
        print(f"FAILED {failure}")
    checks = len(PAIRS) * len(COLUMNS) + len(hidden)
    print(f"{checks - len(failures)} passed, {len(failures)} failed")
    return 1 if failures else 0


def row(pair: tuple[str, str], seen: dict[str, object] | str, failures: list[str]) -> list[str]:
    """A line of the table; what differs is added to the failures."""
    title = " → ".join(pair)
    cells = [title]
    for key, want in expected(*pair).items():
        got = seen if isinstance(seen, str) else seen.get(key)
        cells.append("ok" if got == want else "FAILED")
        if got != want:
            failures.append(f"{title}, {COLUMNS[key]}: want {want!r}, got {got!r}")
    return cells


if __name__ == "__main__":
    sys.exit(main())
