#!/usr/bin/env python3
"""Runs ctest and counts the single tests inside the GoogleTest programs.

Usage: ctest_summary.py <build directory> [<ctest argument>...]

Every program writes a report. One that ends without a report has crashed, and one that fails although
no test in its report did (a sanitizer at exit, for instance) counts as one failure more.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import xml.etree.ElementTree


def count_program(report, succeeded):
    """(passed, failed) of one ctest entry; `report` is its GoogleTest report, or None."""
    if report is None:
        return (1, 0) if succeeded else (0, 1)
    failed = report["failures"] + report.get("errors", 0)
    disabled = report.get("disabled", 0)
    passed = report["tests"] - failed - disabled
    if not succeeded and failed == 0:
        failed = 1
    return passed, failed


def read_report(path):
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def main():
    build, arguments = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:]
    reports = build / "test-reports"
    shutil.rmtree(reports, ignore_errors=True)
    reports.mkdir(parents=True)

    junit = reports / "ctest.xml"
    environment = dict(os.environ, GTEST_OUTPUT=f"json:{reports}/", GTEST_COLOR="no")
    status = subprocess.run(
        ["ctest", "--test-dir", str(build), "--output-on-failure", "--no-tests=error",
         "-j", str(os.cpu_count()), "--output-junit", str(junit), *arguments],
        env=environment, check=False).returncode

    passed = failed = 0
    for case in xml.etree.ElementTree.parse(junit).getroot().iter("testcase"):
        name = case.get("name")
        more_passed, more_failed = count_program(
            read_report(reports / f"{name}.json"), case.get("status") == "run")
        passed, failed = passed + more_passed, failed + more_failed
    print(f"{passed} passed, {failed} failed")
    return 1 if status or failed else 0


if __name__ == "__main__":
    sys.exit(main())
