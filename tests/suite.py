"""What the suites of this folder that are unittest's share: running tests, and the line that counts."""

import sys
import unittest


def run(tests, verbosity=1):
    """Runs tests, prints `N passed, N failed` as the last line and gives the exit code. To run none is
    a failure."""
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=verbosity).run(tests)
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed - len(result.skipped)} passed, {failed} failed")
    return 1 if failed or result.testsRun == 0 else 0
