#!/usr/bin/env python3
"""Writes docs/conformance.md: how many of the expected tests pass, and why each core test that does
not pass does not.

Usage: report.py RESULTS.tsv...

Results of later files go before those of earlier ones. Reasons that are in the document are kept; a
core test that fails without one is listed with the first error, for somebody to write the reason.
"""

import csv
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
DOCUMENT = HERE.parent.parent / "docs" / "conformance.md"
CORE_AREAS = {"workflow", "update", "visibility", "task-queue", "namespace", "activity"}
NOT_CORE = ("activity_standalone_", "activity_parity_")
ROW = re.compile(r"^\| `([^`]+)` \| (.*) \|$")

HEAD = """# Conformance

What Temporal's own functional tests say of Stele: `make conformance` runs them against a server of its own
(`tests/conformance`). `expected.tsv` there lists the tests that pass against a real server, which is all that a server can be
held to from outside. The core is what every user of a server meets: workflows, activities, updates, visibility, task queues
and namespaces.

"""


def read_tsv(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def is_core(test):
    return test["area"] in CORE_AREAS and not test["file"].startswith(NOT_CORE)


def read_reasons(text):
    """The reasons that somebody has written, by test or by the test above several."""
    matches = (ROW.match(line) for line in text.splitlines())
    return {match[1]: match[2] for match in matches if match and match[2] != "not yet looked into"}


def reason_of(name, reasons):
    """The reason of a test, or of the closest test above it that has one."""
    while name:
        if name in reasons:
            return reasons[name]
        name = name.rpartition("/")[0]
    return None


def table_of_areas(expected, passed):
    lines = ["| Area | Pass | Of |", "|---|---|---|"]
    for area in sorted({test["area"] for test in expected}):
        names = [test["name"] for test in expected if test["area"] == area]
        lines.append(f"| {area} | {sum(name in passed for name in names)} | {len(names)} |")
    return "\n".join(lines) + "\n"


def render(expected, results, reasons):
    passed = {name for name, result in results.items() if result["result"] == "PASS"}
    core = [test for test in expected if is_core(test)]
    failing = [test for test in core if test["name"] not in passed]
    lines = [HEAD + table_of_areas(expected, passed),
             f"core: {len(core) - len(failing)} of {len(core)}, "
             f"all: {sum(test['name'] in passed for test in expected)} of {len(expected)}\n",
             "## Core tests that do not pass\n"]
    for file in sorted({test["file"] for test in failing}):
        lines += [f"### {file}\n", "| Test | Reason |", "|---|---|"]
        for test in failing:
            if test["file"] == file:
                reason = reason_of(test["name"], reasons) or "not yet looked into"
                lines.append(f"| `{test['name']}` | {reason} |")
        lines.append("")
    return "\n".join(lines)


def main():
    paths = sys.argv[1:]
    expected = read_tsv(HERE / "expected.tsv")
    results = {}
    for path in paths:
        results.update({row["name"]: row for row in read_tsv(path)})
    old = DOCUMENT.read_text(encoding="utf-8") if DOCUMENT.exists() else ""
    text = render(expected, results, read_reasons(old))
    DOCUMENT.write_text(text, encoding="utf-8")
    missing = text.count("not yet looked into")
    print(f"{DOCUMENT.name}: {missing} core tests without a reason")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
