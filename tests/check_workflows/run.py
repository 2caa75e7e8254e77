#!/usr/bin/env python3
"""Runs the checker of workflow code on workflows that do what they must not, and on others.

Usage: run.py BUILD_DIRECTORY

Prints a line `N passed, N failed` at the end.
"""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import suite

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CHECKER = ROOT / "scripts" / "check_workflows.py"
BUILD = None


def check(*files, commands):
    """The exit code, the findings as (file name, line, text), and what went to standard error."""
    with tempfile.TemporaryDirectory() as directory:
        (pathlib.Path(directory) / "compile_commands.json").write_text(json.dumps(commands))
        result = subprocess.run([CHECKER, "-p", directory, "--root", HERE, *(HERE / file for file in files)],
                                capture_output=True, text=True, cwd=HERE, check=False)
    findings = [re.fullmatch(r"(\S+):(\d+): (.*)", line) for line in result.stdout.splitlines()]
    return result.returncode, [(match[1], int(match[2]), match[3]) for match in findings], result.stderr


def command_of(file):
    """How the tree compiles such a file, with what is not for clang in it."""
    example = next(entry for entry in json.loads((BUILD / "compile_commands.json").read_text())
                   if entry["file"].endswith("examples/hello.cc"))
    return {"directory": example["directory"], "file": str(HERE / file),
            "command": example["command"].replace(example["file"], str(HERE / file))}


def expected(*files):
    """What stands in comments `expect: X`, as (file name, line, X)."""
    return [(file, number, match[1]) for file in files
            for number, line in enumerate((HERE / file).read_text().split("\n"), 1)
            if (match := re.search(r"// expect: (.*)", line))]


@unittest.skipIf(shutil.which("clang++-19") is None, "there is no clang++-19")
class CheckWorkflows(unittest.TestCase):
    def test_every_forbidden_call_is_found_and_nothing_else(self):
        commands = [command_of(file) for file in ("bad.cc", "helper.cc")]
        status, findings, errors = check(commands=commands)
        self.assertEqual(status, 1, errors)
        wanted = expected("bad.cc", "helper.cc")
        self.assertGreater(len(wanted), 40)
        for file, line, text in wanted:
            with self.subTest(file=file, line=line):
                at = [found for name, number, found in findings if (name, number) == (file, line)]
                self.assertTrue(any(text in found for found in at), f"{text} is not among {at}")
        places = {(file, line) for file, line, _ in wanted}
        self.assertEqual([finding for finding in findings if finding[:2] not in places], [])

    def test_nothing_is_found_in_good_workflows(self):
        status, findings, errors = check("good.cc", commands=[command_of("good.cc")])
        self.assertEqual((status, findings), (0, []), errors)
        self.assertRegex(errors, r"[2-9] workflow functions in 1 files, 0 findings")

    def test_check_of_nothing_does_not_pass(self):
        with tempfile.NamedTemporaryFile(suffix=".cc") as empty:
            status, _, errors = check(empty.name, commands=[command_of(empty.name)])
        self.assertEqual(status, 2)
        self.assertIn("there is no workflow", errors)
        status, _, errors = check("good.cc", commands=[])
        self.assertEqual(status, 2)
        self.assertIn("does not tell how", errors)


def main():
    global BUILD
    BUILD = pathlib.Path(sys.argv[1]).resolve()
    return suite.run(unittest.defaultTestLoader.loadTestsFromModule(sys.modules[__name__]))


if __name__ == "__main__":
    sys.exit(main())
