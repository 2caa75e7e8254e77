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
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import suite

HERE = pathlib.Path(__file__).resolve().parent
EXAMPLES = HERE.parent.parent / "examples"
GUIDE = EXAMPLES / "guide" / "orders"
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
        for component in ("server", "sdk", "embedded"):
            run("cmake", "--install", BUILD, "--prefix", cls.prefix, "--component", component)
        shutil.copytree(HERE / "consumer", cls.consumer)
        run("cmake", "-S", cls.consumer, "-B", cls.consumer / "build", "-G", "Ninja",
            "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_CXX_COMPILER=g++", "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON",
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
        self.assertEqual(run(self.consumer / "build" / "histories"), "all descriptors, replayed\n")
        with suite.serving(self.prefix / "bin" / "stele", self.directory / "data") as address:
            environment = dict(os.environ, TEMPORAL_ADDRESS=address)
            for program in (self.consumer / "build").glob("hello*"):
                if program.is_file() and os.access(program, os.X_OK):
                    self.assertEqual(run(program, env=environment, timeout=60), "Hello, world\n")

    def test_examples_run_with_the_compiler_of_most_users(self):
        # The SDK's library may be of another one, and what coroutines do with temporaries is the compiler's affair
        # (docs/adr/0003).
        build = self.directory / "examples"
        run("cmake", "-S", HERE / "examples", "-B", build, "-G", "Ninja", "-DCMAKE_CXX_COMPILER=g++",
            *(["-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []),
            f"-DEXAMPLES={EXAMPLES}", f"-DCMAKE_PREFIX_PATH={self.prefix}")
        # The prefix is another one each time, which the cache of the compiler is not to see.
        run("ninja", "-C", build, env=dict(os.environ, CCACHE_BASEDIR=str(self.directory), CCACHE_NOHASHDIR="1"))
        run(build / "stele_guide_test", cwd=GUIDE)
        with suite.serving(self.prefix / "bin" / "stele", self.directory / "examples-data") as address:
            run(HERE.parent / "sdk" / "examples.py", build, address)

    def test_program_with_the_server_inside_goes_on_after_a_restart(self):
        run("ninja", "-C", self.consumer / "build", "embedded")
        program, store = self.consumer / "build" / "embedded", self.directory / "store"
        self.assertEqual(run(program, store, timeout=60), "started\n")
        self.assertEqual(run(program, store, "42", timeout=60), "result 42\n")

    def test_project_of_the_guide_is_built_tested_and_checked(self):
        project = self.directory / "orders"
        shutil.copytree(GUIDE, project)
        run("cmake", "-S", project, "-B", project / "build", "-G", "Ninja",
            "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON", f"-DCMAKE_PREFIX_PATH={self.prefix}")
        run("ninja", "-C", project / "build")
        self.assertIn("100% tests passed", run("ctest", "--test-dir", project / "build"))
        checker = self.prefix / "bin" / "stele-check-workflows"
        if shutil.which("clang++-19"):
            self.assertEqual(run(checker, "-p", project / "build", "--root", project), "")

    def test_libraries_hold_code_for_any_linker(self):
        for library in self.prefix.rglob("*.a"):
            sections = run("objdump", "--section-headers", library)
            self.assertIn(".text", sections)
            self.assertNotIn("llvm.lto", sections, library.name)

    def test_engine_is_a_component_of_its_own(self):
        prefix = self.directory / "sdk-only"
        run("cmake", "--install", BUILD, "--prefix", prefix, "--component", "sdk")
        self.assertFalse((prefix / "include" / "stele" / "testing.h").exists())
        configured = subprocess.run(
            ["cmake", "-S", GUIDE, "-B", self.directory / "no-engine", "-G", "Ninja",
             f"-DCMAKE_PREFIX_PATH={prefix}"], capture_output=True, text=True, check=False)
        self.assertNotEqual(configured.returncode, 0)
        self.assertIn("The component embedded is not installed", configured.stderr)

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
                 "libgrpc++-dev"),
                ("libstele-embedded-dev", ["./usr/include/stele/testing.h", "libstele_embedded.a"],
                 "libstele-dev")):
            (package,) = packages.glob(f"{name}_*.deb")
            content = run("dpkg-deb", "--contents", package)
            for file in files:
                self.assertIn(file, content)
            self.assertIn(depends, run("dpkg-deb", "--field", package, "Depends"))


def main():
    global BUILD
    BUILD = pathlib.Path(sys.argv[1]).resolve()
    return suite.run(unittest.defaultTestLoader.loadTestsFromTestCase(Package))


if __name__ == "__main__":
    sys.exit(main())
