#!/usr/bin/env -S python3 -B
"""Runs every command of `stele` against a fresh server, and looks at outputs and exit codes.

Usage: run.py <build directory> [<test name>...]
"""

import pathlib
import sys
import unittest

import harness

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import suite

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
        return suite.run(loader.loadTestsFromNames(MODULES), verbosity=2)
    finally:
        stele.stop_all()


if __name__ == "__main__":
    sys.exit(main())
