"""What the runners of this folder share: starting servers and programs."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Iterable, Iterator

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SETUP_LIMIT_SECONDS = 900
START_LIMIT_SECONDS = 30


def parse_arguments(summary: str, cpp: str) -> argparse.Namespace:
    """The options of a runner that lets programs of several languages meet; `cpp` is the C++ one."""
    parser = argparse.ArgumentParser(description=summary)
    parser.add_argument("--server", type=Path, default=ROOT / "build/release" / "stele")
    parser.add_argument("--cpp", type=Path, help="the C++ program; beside the server if not given")
    parser.add_argument("--address", help="a server that is already running, as host:port")
    parser.add_argument("--build", type=Path, default=ROOT / "build/interop")
    arguments = parser.parse_args()
    arguments.cpp = arguments.cpp or arguments.server.parent / cpp
    return arguments


@contextlib.contextmanager
def prepared(
    arguments: argparse.Namespace, sdks: Iterable[str], name: str
) -> Iterator[tuple[str, Path]]:
    """Sets SDKs up, and gives the server's address and an empty directory for what is left behind."""
    for sdk in sdks:
        trouble = set_up(sdk, arguments.build)
        if trouble:
            sys.exit(f"{sdk}: {trouble}")
    scratch = arguments.build / name
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    if arguments.address:
        yield arguments.address, scratch
    else:
        with server(arguments.server, scratch) as address:
            yield address, scratch


def set_up(sdk: str, build: Path) -> str:
    """Prepares the programs of an SDK; says what went wrong, or nothing."""
    print(f"setting up {sdk} ...", flush=True)
    build.mkdir(parents=True, exist_ok=True)
    log = build / f"{sdk}-setup.log"
    with log.open("w") as output:
        code = call([HERE / sdk / "setup", build / sdk], output, SETUP_LIMIT_SECONDS)
    return "" if code == 0 else f"setup ended with {code}: {tail(log)}"


def call(command: list, output, limit: float) -> int | str:
    """Runs a command in a process group of its own, which is ended with it."""
    process = subprocess.Popen(
        [str(word) for word in command],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        return process.wait(limit)
    except subprocess.TimeoutExpired:
        return f"no end after {limit:.0f} s"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextlib.contextmanager
def server(program: Path, scratch: Path, port: int = 0) -> Iterator[str]:
    """Starts a server on a fresh directory, gives its address and stops it at the end."""
    if not program.exists():
        sys.exit(f"{program} is not built; see `make build`, or give --address")
    port = port or free_port()
    command = [str(program), "server", "start-dev"]
    command += ["--db-filename", str(scratch / "data"), "--ip", "127.0.0.1", "--headless"]
    command += ["--port", str(port), "--http-port", str(free_port())]
    log = scratch / "server.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        wait_for_port(process, port, log)
        yield f"127.0.0.1:{port}"
        if process.poll() is not None:
            print(f"THE SERVER ENDED with {process.returncode} during the run: {tail(log)}")
    finally:
        stop(process)


@contextlib.contextmanager
def worker(command: list[str], log: Path) -> Iterator[None]:
    """A worker that says "ready" when it polls and ends when it is told to."""
    name = Path(command[0]).name
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=output, text=True)
    try:
        if process.stdout.readline().strip() != "ready":
            raise AssertionError(f"{name} is not ready: {tail(log)}")
        yield
    finally:
        stop(process)


def stop(process: subprocess.Popen) -> None:
    """Asks a process to end, and makes it."""
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_for_port(process: subprocess.Popen, port: int, log: Path) -> None:
    deadline = time.monotonic() + START_LIMIT_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            sys.exit(f"the server ended with {process.returncode}: {tail(log)}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    sys.exit(f"the server does not listen on port {port}: {tail(log)}")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def tail(log: Path) -> str:
    return " | ".join(log.read_text(errors="replace").splitlines()[-5:])


def print_table(rows: list[list[str]], closing: int = 0) -> None:
    """Prints rows of cells, the first of which are the heads; the last `closing` stand apart."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    print()
    for index, row in enumerate(rows):
        if index == 1 or (closing > 0 and index == len(rows) - closing):
            print("  ".join("-" * width for width in widths))
        first, *others = (text.ljust(width) for text, width in zip(row, widths))
        print("  ".join([first, *others]).rstrip())
    print()
