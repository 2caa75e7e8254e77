#!/usr/bin/env python3
"""Finds calls in workflow code that would not do the same when they are repeated.

Usage: stele-check-workflows -p BUILD_DIRECTORY [FILE...]

BUILD_DIRECTORY holds compile_commands.json (CMAKE_EXPORT_COMPILE_COMMANDS=ON); FILEs are the sources
to look at, all that include the SDK when there are none. clang 19 compiles them without optimising.

Workflow code is every function that returns wf::task, the member functions of classes that have such a
function, and what they call, also in other files. A finding is a line `file:line: ...`; it is accepted by
a comment `// check-workflows: REASON` on the line or above it. Calls of virtual functions and of functions in
libraries that are not compiled here are not followed.

Exits with 1 if there are findings, with 2 if nothing could be checked.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

# What it is, what to do instead, C functions, C++ names without template arguments.
FORBIDDEN = [
    ("reads a clock", "wf::now() is the same in every replay",
     r"time|clock|clock_gettime|gettimeofday|timespec_get|ftime|times|getrusage|localtime(_r)?|mktime",
     r"std::chrono::\w+_clock::now|std::chrono::(current_zone|get_tzdb)|absl::(Now|GetCurrentTimeNanos"
     r"|LocalTimeZone)"),
    ("sleeps outside of the history", "co_await wf::sleep()",
     r"sleep|usleep|nanosleep|clock_nanosleep|pause|poll|ppoll|select|pselect|epoll_wait",
     r"std::this_thread::(sleep_for|sleep_until|yield)|absl::SleepFor"),
    ("draws random numbers", "wf::random(), wf::random_between(), wf::uuid() are the same in every replay",
     r"rand|rand_r|srand|random|srandom|[dlm]rand48|srand48|getrandom|getentropy|arc4random\w*"
     r"|uuid_generate\w*|RAND_bytes",
     r"std::random_device::\w+|std::\w+_distribution::operator_call|std::(shuffle|sample)|absl::(BitGen|InsecureBitGen"
     r"|Uniform|Bernoulli)(::\w+)?"),
    ("uses threads", "wf::all(), wf::any() and wf::task are coroutines of the run",
     r"pthread_create|thrd_create|fork|vfork|clone",
     r"std::j?thread::(j?thread|join|detach)|std::async|std::this_thread::get_id"
     r"|std::(promise|future|shared_future|packaged_task)::\w+"),
    ("locks", "a run is never entered by two threads; wf::mutex and wf::semaphore are for coroutines",
     r"pthread_(mutex|rwlock|spin|cond|barrier)_\w+|sem_(wait|trywait|timedwait|post)",
     r"std::(\w+_)?mutex::(lock|try_lock|unlock|lock_shared)\w*|std::(lock_guard|unique_lock|scoped_lock"
     r"|shared_lock)::\w+|std::(lock|try_lock|call_once)|std::condition_variable(_any)?::\w+"
     r"|std::(counting_semaphore|latch|barrier)::\w+|absl::(Mutex|MutexLock|CondVar|Notification)::\w+"),
    ("does input or output", "an activity may; wf::log() writes to the log",
     r"f?printf|vf?printf|puts|fputs|putchar|fputc|putc|perror|fopen|freopen|fdopen|fclose|fread|fwrite"
     r"|fgets|fgetc|getc|getchar|scanf|fscanf|open|openat|creat|close|read|write|pread|pwrite|unlink|remove"
     r"|rename|mkdir|rmdir|stat|lstat|fstat|opendir|readdir|mmap|socket|connect|accept|bind|listen|send"
     r"|sendto|sendmsg|recv|recvfrom|recvmsg|getaddrinfo|gethostby\w+|system|popen|execv\w*|execl\w*"
     r"|posix_spawnp?|syslog",
     r"std::(cout|cerr|clog|cin|wcout|wcerr|wcin)|std::basic_[io]?f(stream|ilebuf)::\w+"
     r"|std::filesystem::(?!path::)(\w+::)?(exists|status|create_\w+|remove\w*|rename|copy\w*|file_size"
     r"|is_\w+|last_write_time|current_path|temp_directory_path|space|directory_iterator"
     r"|recursive_directory_iterator|canonical|resize_file|permissions)"),
    ("depends on the process", "pass it as an argument, or let an activity read it",
     r"(secure_)?getenv|setenv|putenv|unsetenv|getpid|getppid|gettid|getuid|gethostname|uname|sysconf"
     r"|get_nprocs|sched_getcpu|exit|_exit|quick_exit|abort|raise|kill|signal|sigaction",
     r"std::thread::hardware_concurrency|std::locale::(locale|global)"),
    ("hashes differently elsewhere", "the value may differ between builds; use one of your own",
     r"$^", r"std::hash::operator_call|std::type_info::hash_code|absl::Hash\w*(::\w+)?"),
    ("goes through an unordered container", "its order differs between builds: sort first, or use std::map",
     r"$^",
     r"std::unordered_\w+::c?begin|absl::(container_internal::raw_hash_(set|map)|(flat|node)_hash_(set|map))"
     r"::c?begin|boost::unordered\w*::(\w+::)?c?begin|tsl::\w+::c?begin"),
    ("calls what belongs outside of workflows", "only activities and other programs may",
     r"$^", r"stele::(activity::\w+|(Client|UntypedHandle|WorkflowHandle|Worker)::(?!(?:Client|UntypedHandle"
     r"|WorkflowHandle|Worker)$)\w+)"),
]
C_NAMES = [(re.compile(rf"(?:{c})$"), what, instead) for what, instead, c, _ in FORBIDDEN]
CPP_NAMES = [(re.compile(rf"(?:{cpp})$"), what, instead) for what, instead, _, cpp in FORBIDDEN]
BY_ADDRESS = re.compile(r"std::(?:multi)?(?:map|set)<[^<>,]*\*\s*[,>].*::c?begin$")
ACCEPTED = re.compile(r"//\s*check-workflows:\s*\S")

DEFINE = re.compile(r"^define [^@]*@(\"[^\"]+\"|[\w.$]+)\((.*)$")
SYMBOL = re.compile(r"@(\"[^\"]+\"|[\w.$]+)")
DEBUG = re.compile(r"!dbg !(\d+)")
METADATA = re.compile(r"^!(\d+) = (?:distinct )?!(DISubprogram|DIFile|DILocation)\((.*)\)$")
RETURNS_TASK = re.compile(r"sret\(%\"(?:class|struct)\.stele::wf::task[\".]")
WRITES = re.compile(r"^\s*(?:store .*, ptr|(?:atomicrmw \w+|cmpxchg) ptr) @(\"[^\"]+\"|[\w.$]+)")
INLINE_NAMESPACE = re.compile(r"\b(?:__cxx11|_V2|__1|__v1|lts_\d+)::")


class Function:
    """A function that was compiled: where it stands, and what it refers to at which line."""

    def __init__(self, file, line, is_task, has_object):
        self.file, self.line = file, line
        self.is_task, self.has_object = is_task, has_object
        self.references = []  # (symbol, line)
        self.writes = []  # (symbol, line)


# ---- Compiling ------------------------------------------------------------------------------------

KEPT = ("-D", "-U", "-I", "-std=", "-stdlib=", "-m", "--sysroot", "-nostdinc")
KEPT_WITH_VALUE = {"-isystem", "-iquote", "-idirafter", "-I", "-D", "-U", "-include", "-isysroot"}


def options_of(entry):
    """The options of a compile command that decide what the source means."""
    given = entry.get("arguments") or shlex.split(entry["command"])
    kept, index = [], 1
    while index < len(given):
        option = given[index]
        if option in KEPT_WITH_VALUE:
            # A precompiled header only saves time, and is another compiler's.
            if "cmake_pch" not in given[index + 1]:
                kept += [option, given[index + 1]]
            index += 1
        elif option in ("-Xclang", "-mllvm"):
            index += 1  # of parts of clang, such as its precompiled headers and its optimiser
        elif option.startswith(KEPT) and "_FORTIFY_SOURCE" not in option:
            kept.append(option)
        index += 1
    return kept


def compile_to_ir(clang, entry):
    source = os.path.join(entry["directory"], entry["file"])
    command = [clang, *options_of(entry), "-w", "-O0", "-gline-tables-only", "-fno-discard-value-names",
               "-Xclang", "-disable-llvm-passes", "-S", "-emit-llvm", "-o", "-", source]
    result = subprocess.run(command, cwd=entry["directory"], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise RuntimeError(f"{source}: {clang} does not compile it\n{result.stderr}")
    return result.stdout


def includes_sdk(path, folders, seen):
    """Whether a source or one of the project's headers in it includes a header of the SDK."""
    if path in seen or not path.is_file():
        return False
    seen.add(path)
    names = re.findall(r'^\s*#\s*include\s*["<]([^">]+)[">]', path.read_text(errors="replace"), re.M)
    return any(name.startswith("stele/") for name in names) or any(
        includes_sdk(folder / name, folders, seen) for name in names for folder in (path.parent, *folders))


# ---- Reading the compiler's output ----------------------------------------------------------------


def read_ir(text, directory):
    """The functions of a translation unit by symbol, and its variables that can be written to."""
    functions, variables, files, places, lines = {}, set(), {}, {}, {}
    body, joined = None, ""
    for line in text.splitlines():
        if body is not None:
            if line == "}":
                body = None
                continue
            joined += line
            # The line of an invoke is on the next one.
            if " invoke " in line and "!dbg" not in line:
                continue
            if "@" in joined:
                debug = DEBUG.search(joined)
                written = WRITES.match(joined)
                body.append((joined, debug and debug[1], written and written[1].strip('"')))
            joined = ""
        elif line.startswith("define "):
            match = DEFINE.match(line)
            debug = DEBUG.search(line)
            body, joined = [], ""
            functions[match[1].strip('"')] = (line, debug and debug[1], body)
        elif line.startswith("@"):
            if re.search(r" = [\w ()]*\bglobal\b", line):
                variables.add(SYMBOL.match(line)[1].strip('"'))
        elif line.startswith("!") and (match := METADATA.match(line)):
            number, kind, fields = match.groups()
            if kind == "DIFile":
                name = re.search(r'filename: "([^"]*)"', fields)[1]
                folder = re.search(r'directory: "([^"]*)"', fields)
                files[number] = os.path.normpath(os.path.join(directory, folder[1] if folder else "", name))
            elif kind == "DISubprogram":
                file = re.search(r"file: !(\d+)", fields)
                first = re.search(r"line: (\d+)", fields)
                places[number] = (file and file[1], int(first[1]) if first else 0)
            else:
                lines[number] = int(re.search(r"line: (\d+)", fields)[1])
    found = {}
    for symbol, (header, debug, body) in functions.items():
        file, line = places.get(debug, (None, 0))
        function = Function(files.get(file), line, bool(RETURNS_TASK.search(header)), "%this" in header)
        for statement, debug_of_statement, written in body:
            at = lines.get(debug_of_statement, line)
            function.references += [(name.strip('"'), at) for name in SYMBOL.findall(statement)]
            if written in variables and not written.startswith("_ZGV"):
                function.writes.append((written, at))
        found[symbol] = function
    return found, {symbol for symbol, (header, _, _) in functions.items() if "internal" in header.split("@")[0]}


def demangle(symbols):
    symbols = sorted(symbols)
    result = subprocess.run(["c++filt"], input="\n".join(symbols), capture_output=True, text=True, check=True)
    return dict(zip(symbols, result.stdout.split("\n")))


def without_brackets(text):
    """`std::map<int, int>::begin` as `std::map::begin`."""
    out, depth = [], 0
    for character in text:
        depth += character == "<"
        if depth == 0:
            out.append(character)
        depth -= character == ">" and depth > 0
    return "".join(out)


def name_of(demangled):
    """A function's qualified name, with template arguments, without its result and parameters."""
    text = demangled.replace("(anonymous namespace)::", "").replace("operator()", "operator_call")
    text = INLINE_NAMESPACE.sub("", re.sub(r"operator(<<|<=>|<=|<|>>|>=|->\*|->|>)", "operator_", text))
    text = re.sub(r"\[abi:\w+\]", "", text)
    depth, start = 0, 0
    for index, character in enumerate(text):
        if character in "<{[":
            depth += 1
        elif character in ">}]":
            depth -= 1
        elif depth == 0 and character == " ":
            start = index + 1
        elif depth == 0 and character == "(":
            return text[start:index]
    return text[start:]


def forbidden(symbol, demangled):
    """What is wrong with a reference to this: (name, what, instead), or None."""
    if symbol.startswith(("_ZTW", "llvm.threadlocal.address")):
        return "a thread_local", "is a variable of the thread", "a run moves from thread to thread"
    if not symbol.startswith("_Z"):
        return next(((symbol, what, instead) for pattern, what, instead in C_NAMES
                     if pattern.match(symbol.removeprefix("__isoc99_"))), None)
    full = name_of(demangled)
    if BY_ADDRESS.match(full):
        return without_brackets(full), "goes through a container in the order of addresses", "they differ"
    name = without_brackets(full)
    return next(((name.replace("operator_call", "operator()"), what, instead)
                 for pattern, what, instead in CPP_NAMES if pattern.match(name)), None)


# ---- Looking for what is forbidden ----------------------------------------------------------------


class Checker:
    def __init__(self, root, build):
        self.root, self.build = root, build
        self.functions = {}
        self.names = {}

    def add(self, functions, internal, unit):
        """Joins a translation unit with the others; its internal functions are its own."""
        own = {symbol: f"{symbol} {unit}" for symbol in internal}
        for symbol, function in functions.items():
            function.references = [(own.get(name, name), line) for name, line in function.references]
            self.functions.setdefault(own.get(symbol, symbol), function)

    def is_users(self, function):
        path = function.file
        return (path is not None and path.startswith(self.root + os.sep) and
                not path.startswith(self.build + os.sep) and "/include/stele/" not in path)

    def roots(self):
        """The workflow functions, and the other member functions of their classes."""
        tasks = [symbol for symbol, function in self.functions.items()
                 if function.is_task and self.is_users(function)]

        def class_of(symbol):
            return self.names[symbol].rpartition("::")[0]
        classes = {class_of(symbol) for symbol in tasks if self.functions[symbol].has_object} - {""}
        members = [symbol for symbol, function in self.functions.items()
                   if function.has_object and not function.is_task and self.is_users(function) and
                   class_of(symbol) in classes]
        return tasks, members

    def run(self):
        """The number of workflow functions, and the findings as (file, line, text)."""
        symbols = set(self.functions)
        for function in self.functions.values():
            symbols.update(name for name, _ in function.references)
        plain = {symbol: symbol.split(" ")[0] for symbol in symbols}
        demangled = demangle(set(plain.values()))
        self.demangled = {symbol: demangled[plain[symbol]] for symbol in symbols}
        self.names = {symbol: name_of(text) for symbol, text in self.demangled.items()}
        tasks, members = self.roots()
        findings, caller_of = {}, {symbol: None for symbol in [*tasks, *members]}
        queue = collections.deque(caller_of)
        while queue:
            symbol = queue.popleft()
            function = self.functions[symbol]
            if self.is_users(function):
                self.judge(symbol, function, caller_of, findings)
            for name, _ in function.references:
                if name in self.functions and name not in caller_of:
                    caller_of[name] = symbol
                    queue.append(name)
        return len(tasks), sorted(findings.values())

    def judge(self, symbol, function, caller_of, findings):
        found = [(line, wrong) for name, line in function.references
                 if (wrong := forbidden(name.split(" ")[0], self.demangled[name]))]
        found += [(line, (name_of(demangle({name})[name]), "changes a global variable",
                          "keep it in the workflow's object or its coroutine"))
                  for name, line in function.writes]
        for line, (name, what, instead) in found:
            if not self.is_accepted(function.file, line):
                text = f"{name} {what}, in {self.way_to(symbol, caller_of)} ({instead})"
                findings.setdefault((function.file, line, name), (function.file, line, text))

    def way_to(self, symbol, caller_of):
        way = []
        while symbol is not None:
            if self.is_users(self.functions[symbol]):
                way.append(without_brackets(self.names[symbol]).replace("operator_call", "operator()"))
            symbol = caller_of[symbol]
        return ", called by ".join(way)

    @staticmethod
    def is_accepted(file, line):
        try:
            lines = pathlib.Path(file).read_text(errors="replace").split("\n")
        except OSError:
            return False
        if not 0 < line <= len(lines):
            return False
        above = lines[line - 2].strip() if line > 1 else ""
        return bool(ACCEPTED.search(lines[line - 1]) or ACCEPTED.match(above))


# ---- The program ----------------------------------------------------------------------------------


def fail(message):
    print(f"check-workflows: {message}", file=sys.stderr)
    sys.exit(2)


def source_root(build):
    """Where the project is: what CMake was told, else the working directory."""
    try:
        cache = (build / "CMakeCache.txt").read_text()
        return re.search(r"^CMAKE_HOME_DIRECTORY:INTERNAL=(.*)$", cache, re.M)[1]
    except (OSError, TypeError):
        return os.getcwd()


def select(commands, files):
    """The entries of the files that are asked for, or of all that include the SDK."""
    by_path = {os.path.realpath(os.path.join(entry["directory"], entry["file"])): entry for entry in commands}
    if files:
        missing = [file for file in files if os.path.realpath(file) not in by_path]
        if missing:
            fail(f"compile_commands.json does not tell how {missing[0]} is compiled")
        return [by_path[os.path.realpath(file)] for file in files]
    chosen = []
    for path, entry in by_path.items():
        options = options_of(entry)
        folders = [pathlib.Path(entry["directory"], option[2:]) for option in options
                   if option.startswith("-I") and len(option) > 2]
        if includes_sdk(pathlib.Path(path), folders, set()):
            chosen.append(entry)
    return chosen


def main():
    parser = argparse.ArgumentParser(
        prog="stele-check-workflows", description=__doc__.split("\n", 1)[0],
        epilog="A line with a comment `// check-workflows: REASON`, or below one, is accepted.")
    parser.add_argument("-p", dest="build", required=True, type=pathlib.Path,
                        help="the build directory, which holds compile_commands.json")
    parser.add_argument("--root", help="where the project's own code is; else where CMake's is")
    parser.add_argument("--clang", default="clang++-19")
    parser.add_argument("-j", dest="jobs", type=int, default=os.cpu_count())
    parser.add_argument("files", nargs="*", metavar="FILE")
    arguments = parser.parse_args()
    try:
        commands = json.loads((arguments.build / "compile_commands.json").read_text())
    except (OSError, ValueError) as error:
        fail(f"{error}; CMake writes this file with -DCMAKE_EXPORT_COMPILE_COMMANDS=ON")
    entries = select(commands, arguments.files)
    if not entries:
        fail("no source of the project includes the SDK")
    checker = Checker(os.path.realpath(arguments.root or source_root(arguments.build)),
                      os.path.realpath(arguments.build))

    def read(entry):
        return read_ir(compile_to_ir(arguments.clang, entry), entry["directory"])
    try:
        with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
            for unit, (functions, internal) in enumerate(pool.map(read, entries)):
                checker.add(functions, internal, unit)
    except (OSError, RuntimeError) as error:
        fail(str(error))
    tasks, findings = checker.run()
    for file, line, text in findings:
        print(f"{os.path.relpath(file)}:{line}: {text}")
    if tasks == 0:
        fail("there is no workflow: no function of the project returns wf::task")
    print(f"check-workflows: {tasks} workflow functions in {len(entries)} files, {len(findings)} findings",
          file=sys.stderr)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
