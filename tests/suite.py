"""What the suites of this folder that are unittest's share: running tests, the line that counts, and a server."""

import contextlib
import re
import subprocess
import sys
import time
import unittest


def run(tests, verbosity=1):
    """Runs tests, prints `N passed, N failed` as the last line and gives the exit code. To run none is
    a failure."""
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=verbosity).run(tests)
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed - len(result.skipped)} passed, {failed} failed")
    return 1 if failed or result.testsRun == 0 else 0


@contextlib.contextmanager
def serving(program, directory):
    """A server of the program on this directory (a path); gives its address. Its log lies beside."""
    log = directory.with_suffix(".log")
    with log.open("w") as output:
        server = subprocess.Popen([program, "server", "start-dev", "--headless", "--port", "0",
                                   "--db-filename", directory], stdout=output, stderr=subprocess.STDOUT)
    try:
        while not (address := re.search(r"^gRPC: *(\S+)", log.read_text(), re.MULTILINE)):
            if server.poll() is not None:
                raise AssertionError("the server does not start: " + log.read_text())
            time.sleep(0.05)
        yield address[1]
    finally:
        server.terminate()
        server.wait()
