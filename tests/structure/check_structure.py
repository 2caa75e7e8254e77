#!/usr/bin/env python3
"""Fails when the source breaks a rule of rules.py, and says where and which.

Usage: check_structure.py <source directory>
"""

import os
import re
import subprocess
import sys

import rules

INCLUDE = re.compile(r'^\s*#\s*include\s*["<]([^">]+)[">]')
COMMENT_OR_LITERAL = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<tag>[^(\s]*)\(.*?\)(?P=tag)"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'',
    re.DOTALL)


def list_files(root):
    """All files that are, or could be, committed; in a directory without git simply all files."""
    command = ["git", "-C", root, "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    if os.path.exists(os.path.join(root, ".git")):
        names = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\0")
        return sorted(name for name in names if name and os.path.isfile(os.path.join(root, name)))
    found = []
    for folder, _, names in os.walk(root):
        found += [os.path.relpath(os.path.join(folder, name), root) for name in names]
    return sorted(found)


def read_text(path):
    """The text of a file, or None where it is binary."""
    with open(path, "rb") as file:
        content = file.read()
    if b"\0" in content:
        return None
    return content.decode("utf-8", errors="replace")


def under(path, prefixes):
    return any(path.startswith(prefix) for prefix in prefixes)


def code_only(text):
    """The text with comments and literals blanked out; line numbers stay as they are."""
    return COMMENT_OR_LITERAL.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)


def check_include(path, included):
    """Why `path` may not include `included`, or None."""
    target = included.split("/")[0]
    folder = path.split("/")[1] if path.startswith("src/") else None

    if included.startswith("stele/internal/"):
        if under(path, rules.NOT_FOR_INTERNAL_PROTO):
            return "stored messages belong to the engine"
    elif target == "stele":
        if not under(path, rules.SDK_USERS):
            return "the engine does not know the SDK"
    elif target in rules.ARROWS and "/" in included:
        if under(path, rules.PUBLIC_ONLY):
            return "users of the SDK see include/stele only"
        if folder is not None and folder != target:
            allowed = rules.ARROWS.get(folder, []) + rules.ARROW_EXCEPTIONS.get(path, [])
            if target not in allowed:
                return f"{folder} may include only: {', '.join(allowed) or 'itself'}"

    for library, users in rules.LIBRARIES.items():
        if included.startswith(library) and path.startswith("src/") and not under(path, users):
            return f"only these may use {library.rstrip('/')}: {', '.join(users)}"
    return None


def check_includes(path, text):
    if path.startswith("src/") and path.count("/") > 1 and path.split("/")[1] not in rules.ARROWS:
        yield 1, f"src/{path.split('/')[1]} has no line in ARROWS of tests/structure/rules.py"
    for number, line in enumerate(text.split("\n"), 1):
        match = INCLUDE.match(line)
        if match:
            reason = check_include(path, match.group(1))
            if reason:
                yield number, f"includes {match.group(1)}: {reason}"


def seam_allowance(path):
    allowed = set()
    for place, kinds, _ in rules.SEAM_ALLOWED:
        if path.startswith(place) if place.endswith("/") else path.endswith(place):
            allowed.update(kinds)
    return allowed


def check_seam(path, text):
    if not under(path, rules.SEAM_SCOPE):
        return
    allowed = seam_allowance(path)
    for number, line in enumerate(code_only(text).split("\n"), 1):
        for kind, pattern in rules.SEAM.items():
            match = pattern.search(line)
            if match and kind not in allowed:
                yield number, f"{match.group().strip()}: {kind} outside src/env"


def check_size(path, text):
    lines = text.count("\n")
    if path.endswith(rules.SIZED) and lines > rules.MAX_LINES:
        yield lines, f"{lines} lines; at most {rules.MAX_LINES}"


def check_foreign(path, text):
    if under(path, rules.FOREIGN_EXCEPT):
        return
    for number, line in enumerate(text.split("\n"), 1):
        for kind, pattern in rules.FOREIGN.items():
            match = pattern.search(line)
            if match:
                yield number, f"{kind}: {match.group()}"


def find_violations(root):
    """Yields (path, line, message) for everything in `root` that breaks a rule."""
    for path in list_files(root):
        text = read_text(os.path.join(root, path))
        if text is None:
            continue
        checks = [check_size, check_foreign]
        if path.endswith((".h", ".cc")):
            checks += [check_includes, check_seam]
        for check in checks:
            for line, message in check(path, text):
                yield path, line, message


def main():
    violations = list(find_violations(sys.argv[1]))
    for path, line, message in violations:
        print(f"{path}:{line}: {message}")
    print(f"structure: {len(violations)} violations")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
