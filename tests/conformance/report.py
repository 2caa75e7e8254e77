#!/usr/bin/env python3
"""Writes docs/conformance.md: how many of the expected tests pass, and why each core test that does
not pass does not.

Usage: report.py COMMIT RESULTS.tsv...

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
ROW = re.compile(r"^\| `([^`]+)` \| \d+ \| (.*) \|$")
UNKNOWN = "not yet looked into"
SKIPPED = {"result": "SKIP"}

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
    return {match[1]: match[2] for match in matches if match and not match[2].startswith(UNKNOWN)}


def explained_by(name, reasons):
    """The test itself or the closest one above it that has a reason; None without one."""
    while name:
        if name in reasons:
            return name
        name = name.rpartition("/")[0]
    return None


def table(title, key_of, tests, passed):
    lines = [f"| {title} | Pass | Of |", "|---|---|---|"]
    for key in sorted({key_of(test) for test in tests}):
        names = [test["name"] for test in tests if key_of(test) == key]
        lines.append(f"| {key} | {sum(name in passed for name in names)} | {len(names)} |")
    return "\n".join(lines) + "\n"


def first_error(name, results):
    if name not in results:
        return "not run"
    return (results[name]["reason"] or "no message").replace("|", "\\|")


def rows_of(names, results, reasons):
    """One row for each reason, which covers all tests at and below its name."""
    counts = {}
    unknown = []
    for name in names:
        key = explained_by(name, reasons)
        if key:
            counts[key] = counts.get(key, 0) + 1
        else:
            unknown.append(f"| `{name}` | 1 | {UNKNOWN}: {first_error(name, results)} |")
    return [f"| `{key}` | {count} | {reasons[key]} |" for key, count in counts.items()] + unknown


def render(commit, expected, results, reasons):
    passed = {name for name, result in results.items() if result["result"] == "PASS"}
    core = [test for test in expected if is_core(test)]
    failing = [test for test in core if test["name"] not in passed]
    lines = [HEAD + f"At commit {commit}: core {len(core) - len(failing)} of {len(core)}, "
             f"all {sum(test['name'] in passed for test in expected)} of {len(expected)}; "
             f"{sum(results.get(test['name'], SKIPPED)['result'] != 'SKIP' for test in core)} of the core ran to an outcome.\n",
             table("Area", lambda test: test["area"], expected, passed),
             "## Core by file\n",
             table("File", lambda test: test["file"].removesuffix("_test.go"), core, passed),
             "## Core tests that do not pass\n"]
    for file in sorted({test["file"] for test in failing}):
        names = [test["name"] for test in failing if test["file"] == file]
        lines += [f"### {file}\n", "| Test, or what several are below | Tests | Reason |", "|---|---|---|"]
        lines += rows_of(names, results, reasons)
        lines.append("")
    return "\n".join(lines)


def main():
    commit, *paths = sys.argv[1:]
    expected = read_tsv(HERE / "expected.tsv")
    results = {}
    for path in paths:
        results.update({row["name"]: row for row in read_tsv(path)})
    old = DOCUMENT.read_text(encoding="utf-8") if DOCUMENT.exists() else ""
    text = render(commit, expected, results, read_reasons(old))
    DOCUMENT.write_text(text, encoding="utf-8")
    missing = text.count(UNKNOWN)
    print(f"{DOCUMENT.name}: {missing} core tests without a reason")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
