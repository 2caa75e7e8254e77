"""stele server start-dev, and the program as a whole."""

import os
import pathlib
import signal
import socket
import tempfile

import harness
from case import CommandTest


class Server(CommandTest):
    def test_ends_cleanly_when_asked(self):
        for how in (signal.SIGINT, signal.SIGTERM):
            server, _ = self.stele.start_server()
            self.assertEqual(server.stop(how), 0, server.output())

    def test_tells_what_it_serves_and_what_it_does_not(self):
        server, address = self.stele.start_server("--namespace", "orders", "--namespace", "bills")
        server.wait_for_output("(Stop with Ctrl-C)")
        server.stop()
        self.assertIn(address, server.output())
        self.assertIn("default, orders, bills", server.output())
        self.assertIn("in memory only", server.output())
        self.assertIn("web UI are not built yet", server.output())

    def test_keeps_workflows_in_its_directory(self):
        with tempfile.TemporaryDirectory() as directory:
            server, address = self.stele.start_server("--db-filename", directory)
            self.succeed("workflow", "start", "-w", "kept", "-t", "q", "--type", "T",
                         "--address", address, address=False)
            self.assertEqual(server.stop(), 0, server.output())
            server, address = self.stele.start_server("--db-filename", directory)
            shown = self.succeed("workflow", "describe", "-w", "kept", "--address", address,
                                 address=False)
            self.assertEqual(shown.field("Status"), "Running", shown)
            server.stop()

    def test_restarts_under_a_client_that_waits(self):
        with tempfile.TemporaryDirectory() as directory:
            server, address = self.stele.start_server("--db-filename", directory)
            at = ("--address", address)
            self.succeed("workflow", "start", "-w", "waited", "-t", "q", "--type", "T", *at,
                         address=False)
            follower = harness.Program([self.stele.program, "workflow", "show", "-w", "waited",
                                        "--follow", *at])
            follower.wait_for_output("(WorkflowTaskScheduled)")
            self.assertEqual(server.stop(), 0, server.output())
            server, _ = self.stele.start_server("--db-filename", directory,
                                                port=address.rpartition(":")[2])
            self.succeed("workflow", "terminate", "-w", "waited", *at, address=False)
            self.assertEqual(follower.process.wait(harness.COMMAND_LIMIT_SECONDS), 0,
                             follower.output())
            self.assertIn("WorkflowExecutionTerminated", follower.output())
            server.stop()

    def test_refuses_a_directory_that_is_in_use(self):
        with tempfile.TemporaryDirectory() as directory:
            self.stele.start_server("--db-filename", directory)
            self.fail_with("already open", "server", "start-dev", "--port", "0",
                           "--db-filename", directory)

    def test_refuses_a_file_as_its_directory(self):
        with tempfile.NamedTemporaryFile() as file:
            self.fail_with(file.name, "server", "start-dev", "--port", "0",
                           "--db-filename", file.name)

    def test_refuses_a_port_that_is_taken(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = str(taken.getsockname()[1])
            self.fail_with(port, "server", "start-dev", "--port", port)

    def test_refuses_an_open_network_unless_told(self):
        self.fail_with("--allow-insecure-network", "server", "start-dev", "--port", "0",
                       "--ip", "0.0.0.0")
        self.fail_with("not an IP address", "server", "start-dev", "--ip", "nowhere")

    def test_keeps_its_files_to_itself(self):
        with tempfile.TemporaryDirectory() as parent:
            directory = pathlib.Path(parent) / "store"
            before = os.umask(0)  # the loosest there is
            try:
                server, address = self.stele.start_server("--db-filename", str(directory))
            finally:
                os.umask(before)
            self.succeed("workflow", "start", "-w", "kept", "-t", "q", "--type", "T",
                         "--address", address, address=False)
            self.succeed("workflow", "list", "--address", address, address=False)
            files = [directory, *directory.rglob("*")]
            self.assertIn("visibility.sqlite", {file.name for file in files})
            open_to_others = [f"{file.relative_to(parent)} {file.stat().st_mode & 0o777:o}"
                              for file in files if file.exists() and file.stat().st_mode & 0o077]
            self.assertEqual(open_to_others, [])
            server.stop()

    def test_takes_a_directory_on_with_other_threads(self):
        ids = [f"threads-{i}" for i in range(8)]
        with tempfile.TemporaryDirectory() as directory:
            for threads in ("4", "1"):
                server, address = self.stele.start_server("--db-filename", directory, "--threads", threads)
                at = ("--address", address)
                for id in ids:
                    if threads == "4":
                        self.succeed("workflow", "start", "-w", id, "-t", "q", "--type", "T", *at, address=False)
                    else:
                        self.succeed("workflow", "terminate", "-w", id, *at, address=False)
                        shown = self.succeed("workflow", "show", "-w", id, *at, address=False)
                        self.assertIn("WorkflowExecutionTerminated", shown.out)
                self.assertEqual(server.stop(), 0)

    def test_refuses_unknown_flags_and_values(self):
        self.fail_with("--nonsense", "server", "start-dev", "--nonsense")
        self.fail_with("70000", "server", "start-dev", "--port", "70000")
        self.fail_with("loud", "server", "start-dev", "--log-level", "loud")
        self.fail_with("--threads", "server", "start-dev", "--threads", "0")
        self.fail_with("--threads", "server", "start-dev", "--threads", "65")


class Program(CommandTest):
    def test_explains_itself(self):
        top = self.succeed("--help", address=False)
        for group in ("server", "workflow", "operator"):
            self.assertIn(group, top.out)
        for command in (["server", "start-dev"], ["workflow", "start"], ["workflow", "show"],
                        ["operator", "namespace", "create"]):
            shown = self.succeed(*command, "--help", address=False)
            self.assertIn("Examples:", shown.out)

    def test_refuses_unknown_commands(self):
        self.fail_with("subcommand", "workflow", address=False)
        self.fail_with("dance", "workflow", "dance", address=False)
