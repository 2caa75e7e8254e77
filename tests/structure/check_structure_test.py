#!/usr/bin/env python3
"""Plants violations in a scratch tree: a check that cannot fail is worth nothing."""

import os
import tempfile
import unittest

import check_structure


class CheckStructure(unittest.TestCase):
    def violations(self, path, text):
        """The messages for a tree that holds one file."""
        with tempfile.TemporaryDirectory() as root:
            file_path = os.path.join(root, path)
            os.makedirs(os.path.dirname(file_path), exist_ok=True)
            with open(file_path, "w", encoding="utf-8") as file:
                file.write(text)
            return [message for _, _, message in check_structure.find_violations(root)]

    def assert_refused(self, path, text, fragment):
        messages = self.violations(path, text)
        self.assertEqual(len(messages), 1, messages)
        self.assertIn(fragment, messages[0])

    def assert_accepted(self, path, text):
        self.assertEqual(self.violations(path, text), [])

    def test_refuses_includes_against_the_arrows(self):
        for path, included in [
            ("src/history/run.cc", "store/store.h"),
            ("src/history/run.cc", "env/env.h"),
            ("src/base/ids.h", "env/env.h"),
            ("src/store/rocksdb/store.cc", "shard/engine.h"),
            ("src/shard/engine.cc", "matching/matching.h"),
            ("src/sdk/worker.cc", "history/run.h"),
            ("src/cli/workflow.cc", "frontend/service.h"),
            ("src/server/server.cc", "cli/command.h"),
            ("src/matching/matching.cc", "stele/client.h"),
            ("src/sdk/worker.cc", "stele/internal/rows.pb.h"),
            ("include/stele/client.h", "base/time.h"),
            ("examples/hello.cc", "sdk/worker.h"),
            ("src/history/run.cc", "rocksdb/db.h"),
            ("src/frontend/service.cc", "grpcpp/server.h"),
            ("src/shard/index.cc", "sqlite3.h"),
        ]:
            with self.subTest(path=path, included=included):
                self.assert_refused(path, f'#include "{included}"\n', included)
                self.assert_refused(path, f"#  include <{included}>\n", included)

    def test_accepts_includes_along_the_arrows(self):
        for path, included in [
            ("src/history/run.cc", "history/rows.h"),
            ("src/history/run.cc", "base/time.h"),
            ("src/history/run.cc", "stele/internal/rows.pb.h"),
            ("src/store/rocksdb/store.cc", "rocksdb/db.h"),
            ("src/sdk/worker.cc", "stele/worker.h"),
            ("src/server/main.cc", "cli/command.h"),
            ("sim/world.cc", "stele/worker.h"),
            ("examples/hello.cc", "stele/client.h"),
            ("include/stele/client.h", "temporal/api/common/v1/message.pb.h"),
        ]:
            with self.subTest(path=path, included=included):
                self.assert_accepted(path, f'#include "{included}"\n')

    def test_refuses_a_folder_without_arrows(self):
        self.assert_refused("src/misc/x.cc", "\n", "no line in ARROWS")

    def test_refuses_the_world_outside_the_seam(self):
        for code, kind in [
            ("auto now = std::chrono::system_clock::now();", "clock"),
            ("using Clock = std::chrono::steady_clock;", "clock"),
            ("absl::Now();", "clock"),
            ("time(nullptr);", "clock"),
            ("std::random_device device;", "randomness"),
            ("int n = rand();", "randomness"),
            ("absl::BitGen generator;", "randomness"),
            ("std::this_thread::sleep_for(delay);", "sleep"),
            ("usleep(10);", "sleep"),
            ("::sleep(1);", "sleep"),
            ("std::thread worker;", "thread"),
            ("std::mutex mutex;", "thread"),
            ("std::lock_guard lock(mutex);", "thread"),
            ("std::condition_variable ready;", "thread"),
            ("absl::Mutex mutex;", "thread"),
        ]:
            with self.subTest(code=code):
                messages = self.violations("src/shard/engine.cc", code + "\n")
                self.assertTrue(any(f"{kind} outside src/env" in m for m in messages), messages)
                self.assert_accepted("src/env/posix/env.cc", code + "\n")
                self.assertTrue(self.violations("include/stele/worker.h", code + "\n"))
                self.assertTrue(self.violations("sim/world.cc", code + "\n"))

    def test_allows_threads_but_no_clock_in_unit_tests(self):
        self.assert_accepted("src/store/store_test.cc", "std::thread reader;\n")
        self.assertTrue(self.violations("src/store/store_test.cc", "usleep(10);\n"))

    def test_ignores_comments_strings_and_names_that_only_look_alike(self):
        for code in [
            "// std::mutex is not needed here.",
            "/* std::thread\n std::mutex */",
            'const char* text = "std::mutex";',
            "env.rand(3); operand(4); grand(5); next_time(0);",
            "std::chrono::system_clock::time_point when;",
            "const int thread = 1;",
            "wf::sleep(10s); context.sleep_for(10ms);",
        ]:
            with self.subTest(code=code):
                self.assert_accepted("src/shard/engine.cc", code + "\n")

    def test_finds_code_after_a_literal_that_looks_like_a_comment(self):
        self.assert_refused(
            "src/shard/engine.cc", 'f("//"); std::thread t;\n', "thread outside src/env")
        self.assert_refused(
            "src/shard/engine.cc", "f('\"'); std::thread t; g('\"');\n", "thread outside src/env")

    def test_refuses_long_files(self):
        self.assert_accepted("src/shard/engine.cc", "\n" * 900)
        self.assert_refused("src/shard/engine.cc", "\n" * 901, "901 lines")

    def test_refuses_machine_paths_and_registry_hosts(self):
        self.assert_refused("docs/x.md", "see /root/notes\n", "machine path")
        self.assert_refused("docs/x.md", "cd /tmp/scratch\n", "machine path")
        self.assert_refused("scripts/x.sh", "curl https://pypi.org/simple\n", "registry host")
        self.assert_accepted("docs/x.md", "The prefix is build/root/x, or ${TMPDIR}/tmp/x.\n")


if __name__ == "__main__":
    unittest.main()
