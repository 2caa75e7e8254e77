"""A server, a worker and a way to run `stele` commands, for the tests of the command line."""

import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time

START_LIMIT_SECONDS = 60
COMMAND_LIMIT_SECONDS = 60


class CommandResult:
    """What a command printed and how it ended."""

    def __init__(self, arguments, process):
        self.arguments = arguments
        self.code = process.returncode
        self.out = process.stdout
        self.error = process.stderr

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def json_lines(self):
        return [json.loads(line) for line in self.out.splitlines()]

    def field(self, name):
        """The value of a field of a card."""
        match = re.search(rf"^  {re.escape(name)} +(.*)$", self.out, re.MULTILINE)
        return match.group(1) if match else None

    def __str__(self):
        return (f"stele {' '.join(self.arguments)}\nexit code {self.code}\n"
                f"--- stdout\n{self.out}--- stderr\n{self.error}---")


def clean_environment(extra=None):
    """The environment without anything that would configure a client."""
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith("TEMPORAL_")}
    environment["XDG_CONFIG_HOME"] = os.devnull
    environment.update(extra or {})
    return environment


class Program:
    """A program in the background, whose output goes to a file."""

    def __init__(self, arguments):
        self.log = tempfile.NamedTemporaryFile("w+", prefix="stele-cli-", suffix=".log")
        self.process = subprocess.Popen(arguments, stdout=self.log, stderr=subprocess.STDOUT,
                                        env=clean_environment())

    def output(self):
        return pathlib.Path(self.log.name).read_text(encoding="utf-8")

    def wait_for_output(self, pattern):
        deadline = time.monotonic() + START_LIMIT_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            match = re.search(pattern, self.output(), re.MULTILINE)
            if match:
                return match.group(1)
            time.sleep(0.05)
        raise AssertionError(f"no line {pattern} in:\n{self.output()}")

    def stop(self, how=signal.SIGTERM):
        """Asks the program to end and returns its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            return self.process.wait(timeout=START_LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


class Stele:
    """The program under test, and the server that its clients are pointed at."""

    def __init__(self, build):
        self.program = str(pathlib.Path(build) / "stele")
        self.worker_program = str(pathlib.Path(build) / "stele_cli_test_worker")
        self.address = None
        self.programs = []

    def start_server(self, *flags, port="0"):
        server = Program([self.program, "server", "start-dev", "--port", port, *flags])
        self.programs.append(server)
        return server, server.wait_for_output(r"^gRPC: *(\S+)$")

    def start_worker(self):
        worker = Program([self.worker_program, self.address])
        self.programs.append(worker)
        return worker

    def stop_all(self):
        for program in reversed(self.programs):
            program.stop()
        self.programs.clear()

    def run(self, *arguments, environment=None, address=True):
        """Runs a command; a client's is pointed at the server unless `address` is False."""
        full = [*arguments]
        if address and arguments[0] != "server":
            full += ["--address", self.address]
        process = subprocess.run([self.program, *full], capture_output=True, text=True,
                                 timeout=COMMAND_LIMIT_SECONDS, check=False,
                                 env=clean_environment(environment))
        return CommandResult(full, process)

    def json(self, *arguments):
        """Runs a command that must succeed, and reads its JSON."""
        result = self.run(*arguments, "-o", "json")
        if result.code != 0:
            raise AssertionError(str(result))
        return result.json
