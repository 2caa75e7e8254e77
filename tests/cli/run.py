#!/usr/bin/env -S python3 -B
"""Runs every command of `stele` against a fresh server, and looks at outputs and exit codes.

Usage: run.py <build directory> [<test name>...]
"""

import pathlib
import sys
import unittest

import harness

# The modules of the tests, each about one group of commands.
MODULES = ["test_server", "test_workflow", "test_workflow_operations", "test_input",
           "test_operator", "test_settings", "test_activity", "test_task_queue", "test_visibility"]


def main():
    build, wanted = sys.argv[1], sys.argv[2:]
    sys.path.insert(0, str(pathlib.Path(__file__).parent))
    stele = harness.Stele(build)
    harness.stele = stele
    _, stele.address = stele.start_server("--namespace", "spare")
    loader = unittest.TestLoader()
    loader.testNamePatterns = [f"*{name}*" for name in wanted] or None
    try:
        stele.start_worker()
        result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(
            loader.loadTestsFromNames(MODULES))
    finally:
        stele.stop_all()
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed")
    return 1 if failed or result.testsRun == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
