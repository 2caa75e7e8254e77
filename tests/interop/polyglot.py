#!/usr/bin/env -S python3 -B
"""Shows programs in different languages working on the same workflows.

A C++ client starts a Python workflow by its type name; a Go client starts a C++ workflow; a C++
workflow sends ten signals to a Python workflow; results are read by processes that started
nothing. Without --address it starts the server itself. The last line is `N passed, N failed`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Callable, Iterator

import support

LIMIT_SECONDS = 60
SIGNALS = 10


class Polyglot:
    """The programs of all languages, connected to one server."""

    def __init__(self, arguments: argparse.Namespace, address: str) -> None:
        self._address = ["--address", address]
        self._cpp = str(arguments.cpp)
        self._go = str(arguments.build / "go" / "start")
        self._python_build = str(arguments.build / "python")
        # Ids of earlier runs against the same server must not be met again.
        self._suffix = os.urandom(4).hex()

    def id(self, name: str) -> str:
        return f"polyglot-{name}-{self._suffix}"

    @contextlib.contextmanager
    def workers(self, logs: Path) -> Iterator[None]:
        """A Python worker and a C++ worker, each on the task queue of its language."""
        python = [str(support.HERE / "python" / "polyglot_worker"), self._python_build]
        with (
            support.worker(
                [*python, *self._address, "--task-queue", self.id("python")], logs / "python.log"
            ),
            support.worker(
                [self._cpp, "worker", *self._address, "--task-queue", self.id("cpp")],
                logs / "cpp.log",
            ),
        ):
            yield

    def start_from_cpp(self, type_name: str, name: str, argument: object) -> None:
        """Starts a Python workflow and does not wait for it."""
        self._read(
            [self._cpp, "start", *self._address, "--type", type_name, "--id", self.id(name)],
            ["--task-queue", self.id("python"), "--argument", json.dumps(argument)],
        )

    def result_in_cpp(self, name: str) -> object:
        result = self._read([self._cpp, "result", *self._address, "--id", self.id(name)], [])
        return json.loads(result)

    def execute_from_go(self, type_name: str, name: str, *values: object) -> object:
        """Starts a C++ workflow and waits for its result."""
        words = [word for value in values for word in ("-arg", json.dumps(value))]
        words += ["-type", type_name, "-task-queue", self.id("cpp")]
        return json.loads(self._read([self._go, *self._address, "-id", self.id(name)], words))

    def result_in_go(self, name: str) -> object:
        return json.loads(self._read([self._go, *self._address, "-id", self.id(name)], []))

    @staticmethod
    def _read(program: list[str], words: list[str]) -> str:
        done = subprocess.run(
            [*program, *words], capture_output=True, text=True, timeout=LIMIT_SECONDS
        )
        if done.returncode != 0:
            raise AssertionError(f"{Path(program[0]).name} failed: {done.stderr.strip()}")
        return done.stdout


def equal(want: object, got: object) -> None:
    if want != got:
        raise AssertionError(f"want {want!r}, got {got!r}")


def cpp_client_starts_python_workflow(polyglot: Polyglot) -> None:
    polyglot.start_from_cpp("greet_python", "greet", "C++")
    equal("Hello, C++, from Python!", polyglot.result_in_cpp("greet"))


def go_client_starts_cpp_workflow(polyglot: Polyglot) -> None:
    equal("Hello, Go, from C++!", polyglot.execute_from_go("greet_cpp", "greet-go", "Go"))


def cpp_workflow_signals_python_workflow(polyglot: Polyglot) -> None:
    polyglot.start_from_cpp("collect_signals", "collect", SIGNALS)
    sent = polyglot.execute_from_go("send_signals", "send", polyglot.id("collect"), SIGNALS)
    equal(SIGNALS, sent)
    equal([f"signal {i}" for i in range(SIGNALS)], polyglot.result_in_cpp("collect"))


def results_are_read_elsewhere(polyglot: Polyglot) -> None:
    equal("Hello, C++, from Python!", polyglot.result_in_go("greet"))
    equal("Hello, Go, from C++!", polyglot.result_in_cpp("greet-go"))


CHECKS: list[tuple[str, Callable[[Polyglot], None]]] = [
    ("a C++ client starts a Python workflow by type name", cpp_client_starts_python_workflow),
    ("a Go client starts a C++ workflow", go_client_starts_cpp_workflow),
    ("a C++ workflow sends ten signals to a Python one", cpp_workflow_signals_python_workflow),
    ("results are read from different processes", results_are_read_elsewhere),
]


def main() -> int:
    arguments = support.parse_arguments(__doc__.splitlines()[0], "stele_interop_polyglot")
    failed = 0
    with support.prepared(arguments, ("go", "python"), "polyglot") as (address, scratch):
        polyglot = Polyglot(arguments, address)
        with polyglot.workers(scratch):
            for title, check in CHECKS:
                try:
                    check(polyglot)
                    print(f"ok      {title}", flush=True)
                except (AssertionError, subprocess.TimeoutExpired, ValueError) as error:
                    failed += 1
                    print(f"FAILED  {title}: {error}", flush=True)
    print(f"{len(CHECKS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
