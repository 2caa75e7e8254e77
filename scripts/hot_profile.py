#!/usr/bin/env python3
"""Keeps of a profile what a load has run often: hot_profile.py FROM TO, both as llvm-profdata writes text.

What a load has hardly run is not known to be of no use to other loads, so it is left out of the profile and
compiled as if there were none; the compiler would make it small and slow.
"""

import re
import sys

OFTEN = 100  # runs of the part of a function that ran most

HEADER = re.compile(r"(?:[#:].*\n)*")
COUNTERS = re.compile(r"# Num Counters:\n(\d+)\n# Counter Values:\n((?:\d+\n)+)")


def is_hot(record):
    counters = COUNTERS.search(record + "\n")
    if counters is None:
        raise ValueError(f"no counters in {record.splitlines()[0]!r}")
    values = [int(value) for value in counters.group(2).split()]
    return max(values[: int(counters.group(1))]) >= OFTEN


def main():
    source, destination = sys.argv[1:]
    with open(source, encoding="utf-8") as file:
        text = file.read()
    header = HEADER.match(text).group()
    records = [record for record in text[len(header) :].split("\n\n") if record.strip()]
    hot = [record for record in records if is_hot(record)]
    with open(destination, "w", encoding="utf-8") as file:
        file.write(header + "\n\n".join(hot) + "\n")
    print(f"profile: {len(hot)} of {len(records)} functions")


if __name__ == "__main__":
    main()
