#!/usr/bin/env python3
"""Makes generated C++ compile where a protobuf package is named after a C++ keyword.

The package temporal.api.namespace.v1 becomes `namespace namespace {`, which no compiler accepts.
This renames the C++ namespace to `namespace_`, as protoc does for fields. String literals hold the
serialised descriptors and are left alone, so names on the wire and in reflection do not change.
"""

import re
import sys

STRING_LITERAL = re.compile(r'("(?:[^"\\]|\\.)*")')
OPENING = re.compile(r"\bnamespace namespace\b")
QUALIFIED = re.compile(r"::namespace\b(?!_)")


def rename(text):
    pieces = STRING_LITERAL.split(text)
    for index in range(0, len(pieces), 2):  # The odd pieces are the literals.
        pieces[index] = QUALIFIED.sub("::namespace_", OPENING.sub("namespace namespace_", pieces[index]))
    return "".join(pieces)


def main(paths):
    for path in paths:
        with open(path, encoding="utf-8") as file:
            before = file.read()
        after = "\n".join(rename(line) for line in before.split("\n"))
        if after != before:
            with open(path, "w", encoding="utf-8") as file:
                file.write(after)


if __name__ == "__main__":
    main(sys.argv[1:])
