#!/usr/bin/env python3
"""Runs the examples against a server and looks for what they must print.

Usage: examples.py BUILD_DIRECTORY HOST:PORT

Prints a line `N passed, N failed` at the end. Examples that need a worker of another language are
covered by the interop tests.
"""

import os
import re
import subprocess
import sys

# What must be found in the output, in this order.
EXPECTED = {
    "hello": [r"result: Hello"],
    "names": [r"default name of the workflow:"],
    "signals_and_queries": [r"waiting", r"result: a telescope approved by Ada", r"status: approved"],
    "updates": [r"total: 30", r"rejected: how many\?", r"total: 50", r"thank you, Ada", r"paid: 50"],
    "cancel_and_clean_up": [r"reserved", r"released", r"the workflow ended:"],
    "continue_as_new": [r"first run: ", r"visited 9 places", r"last run: ",
                        r"so it came from continue-as-new"],
    "encryption": [r"with the key:", r"without the key: \d+ bytes"],
    "result_elsewhere": [r"started ", r"another process reads the result"],
    "money_transfer": [r"ada 7500, bob 2500", r"undone: gift/withdraw",
                       r"failed: no account nobody", r"ada 7500"],
    "order_approval": [r"small: shipped", r"large: waiting", r"order 2 waits for you",
                       r"rejected: nobody approves their own", r"order 2 will be shipped",
                       r"large: shipped", r"forgotten: nobody decided"],
    "polling": [r"seldom: ready at attempt 3", r"often: ready after 5 questions"],
    "sliding_window": [r"records: 120, processed: 108, at a time: 5"],
    "local_activities": [r"Ada pays 360", r"total: 360", r"events: [12]\d\n"],
    "fan_out": [r"1000 children: 333833500"],
    "entity": [r"rejected: not enough points", r"left: 200",
               r"Ada: 200 points, 26 messages, several runs"],
    "tracing": [r"below nothing: StartWorkflow:shop", r"below \d+: StartActivity:price",
                r"below \d+: RunActivity:price", r"price: 42",
                r"RunActivity:price failed: .*nobody sells one", r"no unicorn"],
    "listing": [r"Eve of Wherever", r"visited Ada", r"visited Bob", r"visited Eve", r"count: [3-9]"],
}


def missing(output, patterns):
    """The first pattern that does not follow the ones before it, or None."""
    position = 0
    for pattern in patterns:
        match = re.compile(pattern).search(output, position)
        if match is None:
            return pattern
        position = match.end()
    return None


def run(program, address):
    try:
        result = subprocess.run([program, "--address", address], capture_output=True, text=True,
                                timeout=180)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error), 1
    return result.stdout + result.stderr, result.returncode


def main():
    build, address = sys.argv[1:]
    passed = failed = 0
    for name, patterns in EXPECTED.items():
        output, status = run(os.path.join(build, "stele_example_" + name), address)
        pattern = missing(output, patterns)
        if status == 0 and pattern is None:
            passed += 1
            continue
        failed += 1
        print(f"example {name}: exit {status}, missing: {pattern}\n{output}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
