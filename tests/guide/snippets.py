#!/usr/bin/env python3
"""The code in the guide is the code that is compiled and run.

A document names the source of a code block in a comment before it:

    <!-- examples/guide/workflows_test.cc#cart -->
    ```cpp
    ...
    ```

The block is what stands there between `// >>> cart` and `// <<<`, without its indentation; several
places of one name are joined. Without a name the whole file is meant.

Usage: snippets.py check | write      compares the documents, or brings them up to date
"""

import pathlib
import re
import sys
import textwrap

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DOCUMENTS = ["README.md", "docs/sdk.md"]

# Blocks of these need a source; the others are for shells and for other programs.
WITH_SOURCE = {"cpp", "cmake"}
WITHOUT_SOURCE = {"sh", "ini"}

FENCE = re.compile(r"^```(\S*)[ \t]*$")
SOURCE = re.compile(r"^<!-- ([\w./-]+\.\w+|[\w./-]*CMakeLists\.txt)(?:#([\w-]+))? -->$")
BEGIN = re.compile(r"^\s*(?://|#) >>> ([\w-]+)$")
END = re.compile(r"^\s*(?://|#) <<<$")


class Wrong(Exception):
    """Something that a document or a source file must not be."""


def sections(text):
    """The marked parts of a source file: name -> list of (first line, lines), lines counted from 1."""
    found, name, first, lines = {}, None, 0, []
    for number, line in enumerate(text.split("\n"), 1):
        if begin := BEGIN.match(line):
            if name is not None:
                raise Wrong(f"line {number}: {begin[1]} begins inside of {name}")
            name, first, lines = begin[1], number + 1, []
        elif END.match(line):
            if name is None:
                raise Wrong(f"line {number}: nothing ends here")
            found.setdefault(name, []).append((first, lines))
            name = None
        elif name is not None:
            lines.append(line)
    if name is not None:
        raise Wrong(f"{name} does not end")
    return found


def code_of(text, name):
    """What a document shows of a source file."""
    if name is None:
        return text.rstrip("\n")
    parts = sections(text).get(name)
    if parts is None:
        raise Wrong(f"there is no part {name}")
    return "\n".join(textwrap.dedent("\n".join(lines)) for _, lines in parts)


class Block:
    """A fenced block of a document; its code is lines[first:last]."""

    def __init__(self, language, path, name, first, last):
        self.language, self.path, self.name = language, path, name
        self.first, self.last = first, last


def blocks(lines):
    """The blocks of a document that have a source. Throws Wrong for one that should."""
    found, opened = [], None
    for index, line in enumerate(lines):
        if opened is not None:
            if line == "```":
                language, path, name, first = opened
                if language in WITH_SOURCE:
                    found.append(Block(language, path, name, first, index))
                opened = None
            continue
        fence = FENCE.match(line)
        if not fence:
            continue
        language = fence[1]
        if language not in WITH_SOURCE | WITHOUT_SOURCE:
            raise Wrong(f"line {index + 1}: a block of \"{language}\", which is none of "
                        f"{', '.join(sorted(WITH_SOURCE | WITHOUT_SOURCE))}")
        source = SOURCE.match(lines[index - 1]) if index > 0 else None
        if language in WITH_SOURCE and source is None:
            raise Wrong(f"line {index + 1}: the comment before this block must name its source, as in "
                        "<!-- examples/guide/hello.cc -->")
        opened = (language, source[1] if source else None, source[2] if source else None, index + 1)
    if opened is not None:
        raise Wrong("a block does not end")
    return found


def read_source(root, path):
    file = root / path
    if not file.is_file():
        raise Wrong(f"there is no {path}")
    return file.read_text(encoding="utf-8")


def up_to_date(root, text):
    """The document with the code that its sources have now."""
    lines = text.split("\n")
    for block in reversed(blocks(lines)):
        try:
            code = code_of(read_source(root, block.path), block.name)
        except Wrong as error:
            raise Wrong(f"line {block.first}: {block.path}: {error}") from error
        lines[block.first:block.last] = code.split("\n")
    return "\n".join(lines)


def sources(root, documents):
    """The C++ that the documents show: path -> the set of its lines that are shown."""
    shown = {}
    for document in documents:
        for block in blocks((root / document).read_text(encoding="utf-8").split("\n")):
            if block.language != "cpp":
                continue
            text = read_source(root, block.path)
            lines = shown.setdefault(block.path, set())
            if block.name is None:
                lines.update(range(1, text.count("\n") + 2))
            for first, part in sections(text).get(block.name, []):
                lines.update(range(first, first + len(part)))
    return shown


def main():
    wrong = 0
    for document in DOCUMENTS:
        path = ROOT / document
        text = path.read_text(encoding="utf-8")
        try:
            wanted = up_to_date(ROOT, text)
        except Wrong as error:
            print(f"{document}: {error}")
            wrong += 1
            continue
        if wanted == text:
            continue
        if sys.argv[1] == "write":
            path.write_text(wanted, encoding="utf-8")
            print(f"{document}: brought up to date")
        else:
            print(f"{document}: differs from its sources; tests/guide/snippets.py write mends it")
            wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    if sys.argv[1:] not in (["check"], ["write"]):
        sys.exit(__doc__)
    sys.exit(main())
