#!/usr/bin/env python3
"""Installs a build into an empty directory and uses the SDK from there, as a stranger would.

Usage: run.py BUILD_DIRECTORY

Prints how long a hello workflow takes to compile, and a line `N passed, N failed` at the end.
"""

import os
import pathlib
import re
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
BUILD = None

# What a public header may include besides the SDK's own and those of the language.
ALLOWED = re.compile(r"^(stele|temporal/api|google/protobuf|nlohmann|absl)/")


def run(*command, **options):
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    if result.returncode != 0:
        raise AssertionError(f"{command[0]}: exit {result.returncode}\n{result.stdout}{result.stderr}")
    return result.stdout


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = pathlib.Path(tempfile.mkdtemp())
        cls.prefix = cls.directory / "prefix"
        cls.consumer = cls.directory / "consumer"
        for component in ("server", "sdk"):
            run("cmake", "--install", BUILD, "--prefix", cls.prefix, "--component", component)
        shutil.copytree(HERE / "consumer", cls.consumer)
        run("cmake", "-S", cls.consumer, "-B", cls.consumer / "build", "-G", "Ninja",
            "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON",
            f"-DCMAKE_PREFIX_PATH={cls.prefix}")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.directory)

    def compile_command(self):
        """The compiler and the options of the consumer's program, without input and output."""
        commands = (self.consumer / "build" / "compile_commands.json").read_text()
        command = re.search(r'"command": "(.*?) -o ', commands).group(1)
        return command.replace('\\"', '"').split()

    def test_hello_is_built_and_runs_against_the_installed_server(self):
        # The figure to watch. What it is depends on the machine, so nothing is demanded of it here.
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        run("ninja", "-C", self.consumer / "build", "CMakeFiles/hello.dir/hello.cc.o",
            env=dict(os.environ, CCACHE_DISABLE="1"))
        spent = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
        print(f"a hello workflow takes {spent:.1f} s of processor time to compile, unoptimised")
        run("ninja", "-C", self.consumer / "build")
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
        server = subprocess.Popen(
            [self.prefix / "bin" / "stele", "server", "start-dev", "--headless", "--port", str(port),
             "--db-filename", self.directory / "data"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            environment = dict(os.environ, TEMPORAL_ADDRESS=f"127.0.0.1:{port}")
            self.assertEqual(run(self.consumer / "build" / "histories"),
                             "all descriptors, replayed\n")
            for program in (self.consumer / "build").glob("hello*"):
                if program.is_file() and os.access(program, os.X_OK):
                    self.assertEqual(run(program, env=environment, timeout=60), "Hello, world\n")
        finally:
            server.terminate()
            server.wait()

    def test_every_public_header_stands_alone(self):
        headers = sorted((self.prefix / "include" / "stele").rglob("*.h"))
        self.assertGreater(len(headers), 20)
        source = self.directory / "header.cc"
        for header in headers:
            name = header.relative_to(self.prefix / "include")
            # Twice, so that a header without a guard is found out.
            source.write_text(f"#include <{name}>\n#include <{name}>\n")
            with self.subTest(header=str(name)):
                run(*self.compile_command(), "-fsyntax-only", source)

    def test_public_headers_include_nothing_private(self):
        for header in sorted((self.prefix / "include" / "stele").rglob("*.h")):
            for included in re.findall(r'#include ["<]([^">]+)[">]', header.read_text()):
                if "/" in included:
                    self.assertRegex(included, ALLOWED, f"{header.name} includes {included}")

    def test_headers_of_others_are_not_shadowed(self):
        self.assertEqual({path.name for path in (self.prefix / "include").iterdir()},
                         {"stele", "stele-api"})

    def test_debian_packages_hold_the_server_and_the_sdk(self):
        if shutil.which("dpkg-deb") is None:
            self.skipTest("there is no dpkg-deb")
        packages = self.directory / "packages"
        run("cpack", "--config", BUILD / "CPackConfig.cmake", "-B", packages)
        for name, files, depends in (
                ("stele", ["./usr/bin/stele"], "libgrpc++"),
                ("libstele-dev", ["./usr/include/stele/stele.h", "libstele_sdk.a", "stele-config.cmake"],
                 "libgrpc++-dev")):
            (package,) = packages.glob(f"{name}_*.deb")
            content = run("dpkg-deb", "--contents", package)
            for file in files:
                self.assertIn(file, content)
            self.assertIn(depends, run("dpkg-deb", "--field", package, "Depends"))


def main():
    global BUILD
    BUILD = pathlib.Path(sys.argv[1]).resolve()
    result = unittest.TextTestRunner(stream=sys.stdout).run(
        unittest.defaultTestLoader.loadTestsFromTestCase(Package))
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed - len(result.skipped)} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
