#!/usr/bin/env python3
"""Reads from the built server how it was hardened, by readelf.

Usage: tests/hardening/run.py <build directory>

Only a Release build ships, and only that one is hardened throughout; of any other build what all of them
must have is checked.
"""

import pathlib
import re
import subprocess
import sys


def read(program, *flags):
    return subprocess.run(["readelf", "--wide", *flags, str(program)], check=True,
                          capture_output=True, text=True).stdout


def build_type(build):
    cache = (build / "CMakeCache.txt").read_text(encoding="utf-8")
    found = re.search(r"^CMAKE_BUILD_TYPE:\w+=(\w*)$", cache, re.MULTILINE)
    return found.group(1) if found else ""


def checks(program, is_release):
    """(what, whether it is so) of the program."""
    header, segments = read(program, "--file-header"), read(program, "--program-headers")
    dynamic, symbols = read(program, "--dynamic"), read(program, "--dyn-syms")
    stack = re.search(r"GNU_STACK\s+(?:0x\w+\s+){5}(\w+)", segments)
    yield "is position-independent (PIE)", "Type:" in header and "DYN" in header
    yield "has no executable stack", stack is not None and "E" not in stack.group(1)
    yield "has no segment that is writable and executable", not re.search(
        r"LOAD\s+(?:0x\w+\s+){5}RWE", segments)
    if not is_release:
        return
    yield "has relocations that are read-only (RELRO)", "GNU_RELRO" in segments
    yield "binds at start (BIND_NOW)", bool(
        re.search(r"\(BIND_NOW\)|\(FLAGS\).*BIND_NOW|\(FLAGS_1\).*NOW", dynamic))
    yield "guards the stack (-fstack-protector-strong)", "__stack_chk_fail" in symbols
    yield "checks the sizes of buffers (_FORTIFY_SOURCE)", bool(
        re.search(r"\b__\w+_chk\b", symbols.replace("__stack_chk_fail", "")))
    yield "checks the library's preconditions (_GLIBCXX_ASSERTIONS)", (
        "__glibcxx_assert_fail" in symbols)


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__.strip())
        return 0 if sys.argv[1:] == ["--help"] else 2
    build = pathlib.Path(sys.argv[1])
    program = build / "stele"
    if not program.exists():
        print(f"{program} has not been built")
        return 2
    passed = failed = 0
    for what, holds in checks(program, build_type(build) == "Release"):
        print(f"{'ok    ' if holds else 'NOT OK'}  {program} {what}")
        passed, failed = passed + holds, failed + (not holds)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
