#!/usr/bin/env python3
"""Runs the suites of tests/suites.txt and ends with one line that sums up all of them.

Usage: run_tests.py <build directory> [<suite>...]

A suite tells its result in a line `N passed, N failed`. One that ends without such a line, or that
exits with an error although it counts no failure, is itself a failure.
"""

import pathlib
import re
import shlex
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SUMMARY = re.compile(r"\b(\d+) passed, (\d+) failed\b")


def read_suites(text):
    """The (name, command) pairs of a suites file."""
    lines = (line.strip() for line in text.splitlines())
    return [line.split(None, 1) for line in lines if line and not line.startswith("#")]


def judge(output_lines, exit_code):
    """What a suite's output and exit code amount to: (passed, failed)."""
    matches = [match for line in output_lines if (match := SUMMARY.search(line))]
    if not matches:
        return 0, 1
    passed, failed = (int(count) for count in matches[-1].groups())
    if exit_code != 0 and failed == 0:
        failed = 1
    return passed, failed


def run_suite(name, command, build):
    print(f"=== {name}", flush=True)
    arguments = [part.replace("{build}", build) for part in shlex.split(command)]
    try:
        process = subprocess.Popen(
            arguments, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace")
    except OSError as error:
        print(f"{name}: {error}")
        return 0, 1
    lines = []
    for line in process.stdout:
        print(line, end="", flush=True)
        lines.append(line)
    return judge(lines, process.wait())


def main():
    build, wanted = sys.argv[1], sys.argv[2:]
    suites = read_suites((ROOT / "tests" / "suites.txt").read_text(encoding="utf-8"))
    results = []
    for name, command in suites:
        if wanted and name not in wanted:
            continue
        started = time.monotonic()
        passed, failed = run_suite(name, command, build)
        results.append((name, passed, failed, time.monotonic() - started))

    print("=== summary")
    for name, passed, failed, seconds in results:
        print(f"{name:<16} {passed:>6} ok {failed:>6} not ok {seconds:>8.1f} s")
    failed = sum(result[2] for result in results)
    print(f"{sum(result[1] for result in results)} passed, {failed} failed")
    return 1 if failed or not results else 0


if __name__ == "__main__":
    sys.exit(main())
