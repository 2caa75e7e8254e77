#!/usr/bin/env python3
"""Compares the guide with the code behind it and runs that code.

Usage: run.py BUILD_DIRECTORY

Prints a line `N passed, N failed` at the end. Where the compiler counts what runs (not under sanitizers), every
line of every snippet that can run must have.
"""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

import snippets

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import suite

ROOT = snippets.ROOT
BUILD = None
TESTS = "stele_guide_test"
PROGRAMS = ["stele_guide_hello", "stele_guide_orders_worker"]

# A line of what gcov prints: how often a line of the source has run, where that can be said; its number; it. The end
# of a block says nothing: clang counts there what falls out of a coroutine without co_return.
COUNTED = re.compile(r" *(\d+\*?|#####|=====): *(\d+):(?!\s*\}$)")


def run(*command, **options):
    try:
        result = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                                timeout=60, **options)
    except subprocess.TimeoutExpired as error:
        raise AssertionError(f"{command[0]} does not end\n{error.stdout.decode()}") from error
    if result.returncode != 0:
        raise AssertionError(f"{command[0]}: exit {result.returncode}\n{result.stdout}{result.stderr}")
    return result.stdout


class Snippets(unittest.TestCase):
    """What the comparison refuses."""

    SOURCE = "int a;\n    // >>> part\n    int b;\n        int c;\n    // <<<\n// >>> part\nint d;\n// <<<\n"
    SHOWN = "int b;\n    int c;\nint d;"

    def document(self, code, comment="<!-- code.cc#part -->", language="cpp"):
        return f"text\n{comment}\n```{language}\n{code}\n```\n"

    def update(self, document, source=SOURCE):
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory)
            (root / "code.cc").write_text(source)
            return snippets.up_to_date(root, document)

    def test_same_code_is_accepted(self):
        self.assertEqual(self.update(self.document(self.SHOWN)), self.document(self.SHOWN))

    def test_other_code_is_replaced(self):
        self.assertEqual(self.update(self.document("int b;")), self.document(self.SHOWN))

    def test_whole_file_may_be_shown(self):
        document = self.document("int x;", "<!-- code.cc -->")
        self.assertEqual(self.update(document, "int x;\n"), document)

    def test_code_without_a_source_is_refused(self):
        for document in (self.document("int b;", ""), self.document("int b;", "<!-- other.cc -->"),
                         self.document("int b;", "<!-- code.cc#none -->"),
                         self.document("int b;", language=""), self.document("int b;", language="c++")):
            with self.subTest(document=document), self.assertRaises(snippets.Wrong):
                self.update(document)

    def test_marks_that_do_not_match_are_refused(self):
        for source in ("// >>> part\n", "// <<<\n", "// >>> part\n// >>> other\n// <<<\n"):
            with self.subTest(source=source), self.assertRaises(snippets.Wrong):
                self.update(self.document("int b;"), source)


class Guide(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = pathlib.Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.directory)
        for old in cls.counters("gcda"):
            old.unlink()
        address = cls.enterClassContext(suite.serving(BUILD / "stele", cls.directory / "data"))
        cls.environment = dict(os.environ, TEMPORAL_ADDRESS=address)

    @staticmethod
    def counters(ending):
        """The files in which the compiler (gcno) and the programs (gcda) tell about lines."""
        return [path for program in (TESTS, *PROGRAMS)
                for path in BUILD.glob(f"examples/CMakeFiles/{program}.dir/**/*.{ending}")]

    @staticmethod
    def reader():
        """The command that reads what programs of this compiler have counted."""
        cache = (BUILD / "CMakeCache.txt").read_text(encoding="utf-8")
        compiler = re.search(r"^CMAKE_CXX_COMPILER:\w+=(.*)", cache, re.MULTILINE)[1]
        if "clang" not in compiler:
            return ["gcov"]
        return [pathlib.Path(compiler).name.replace("clang++", "llvm-cov"), "gcov"]

    # In the order of their names.

    def test_1_documents_show_the_code(self):
        for document in snippets.DOCUMENTS:
            text = (ROOT / document).read_text(encoding="utf-8")
            self.assertMultiLineEqual(text, snippets.up_to_date(ROOT, text), document)

    def test_2_tests_pass(self):
        run(BUILD / TESTS, cwd=ROOT / "examples" / "guide" / "orders")

    def test_3_first_program_greets(self):
        self.assertEqual(run(BUILD / PROGRAMS[0], env=self.environment), "Hello, world\n")

    def test_4_worker_serves_until_it_is_told_to_stop(self):
        worker = subprocess.Popen([BUILD / PROGRAMS[1]], env=self.environment, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            result = run(BUILD / "stele", "workflow", "execute", "--type", "Purchase", "--task-queue",
                         "orders", "--workflow-id", "order-7", "--input", '{"id": "7", "cents": 500}',
                         env=self.environment)
            self.assertIn("shipped", result)
        finally:
            worker.send_signal(signal.SIGTERM)
        output, _ = worker.communicate(timeout=60)
        self.assertEqual((output, worker.returncode), ("reserved 7\nshipped 7\n", 0))

    def test_5_every_line_that_is_shown_has_run(self):
        notes = self.counters("gcno")
        if not notes:
            self.skipTest("this compiler does not count lines")
        counts = {}
        for data in self.counters("gcda"):
            for line in run(*self.reader(), "-t", data, cwd=self.directory).splitlines():
                if source := re.match(r" *-: *0:Source:(.*)", line):
                    lines = counts.setdefault(str((BUILD / source[1]).resolve()), {})
                elif counted := COUNTED.match(line):
                    ran = int(counted[1].rstrip("*")) if counted[1][0].isdigit() else 0
                    number = int(counted[2])
                    lines[number] = lines.get(number, 0) + ran
        for path, shown in snippets.sources(ROOT, snippets.DOCUMENTS).items():
            lines = counts.get(str((ROOT / path).resolve()))
            self.assertIsNotNone(lines, f"{path} is shown, but it is not compiled or does not run")
            idle = sorted(line for line in shown if lines.get(line) == 0)
            self.assertEqual(idle, [], f"lines of {path} that are shown, but do not run")


def main():
    global BUILD
    BUILD = pathlib.Path(sys.argv[1]).resolve()
    return suite.run(unittest.defaultTestLoader.loadTestsFromModule(sys.modules[__name__]))


if __name__ == "__main__":
    sys.exit(main())
