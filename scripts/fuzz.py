#!/usr/bin/env python3
"""Fuzzes every target of fuzz/ for a while, some of them at a time, and sums up.

Usage: fuzz.py [--seconds S] [--jobs N] [--memory MB] [--longest BYTES]
               <directory with the programs> [<target>...]

Each target starts from its committed corpus (fuzz/corpus) and from what earlier runs have found, which
stays in the directory. An input that fails is kept there too, and told with the command that repeats it.
"""

import argparse
import concurrent.futures
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SUFFIX = "_fuzz"
LONGEST_RUN_SECONDS = 10
STATISTIC = re.compile(r"^stat::(\w+):\s+(\d+)$", re.MULTILINE)


class Outcome:
    """What became of a target."""

    def __init__(self, name, output, findings, seconds, exit_code):
        statistics = dict(STATISTIC.findall(output))
        self.name, self.output, self.findings, self.seconds = name, output, findings, seconds
        self.executions = int(statistics.get("number_of_executed_units", 0))
        self.memory_mb = int(statistics.get("peak_rss_mb", 0))
        self.failed = exit_code != 0 or bool(findings) or self.executions == 0

    def line(self):
        rate = self.executions / self.seconds if self.seconds else 0
        return (f"{self.name:<20} {self.executions:>12,} runs {rate:>10,.0f}/s {self.memory_mb:>6} MB"
                f" {len(self.findings):>3} findings{'  FAILED' if self.failed else ''}")


def fuzz(program, options):
    name = program.name.removesuffix(SUFFIX)
    grown = program.parent / "corpus" / name
    findings = program.parent / "findings" / name
    grown.mkdir(parents=True, exist_ok=True)
    findings.mkdir(parents=True, exist_ok=True)
    before = set(findings.iterdir())
    command = [str(program), str(grown), str(ROOT / "fuzz" / "corpus" / name),
               f"-max_total_time={options.seconds}", f"-max_len={options.longest}",
               f"-timeout={LONGEST_RUN_SECONDS}", f"-rss_limit_mb={options.memory}",
               f"-artifact_prefix={findings}/", "-print_final_stats=1", "-detect_leaks=0",
               "-close_fd_mask=1"]
    words = ROOT / "fuzz" / "dictionaries" / f"{name}.dict"
    if words.exists():
        command.append(f"-dict={words}")
    started = time.monotonic()
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, errors="replace",
                             check=False)
    seconds = time.monotonic() - started
    (program.parent / f"{name}.log").write_text(process.stderr, encoding="utf-8")
    new = sorted(set(findings.iterdir()) - before)
    return Outcome(name, process.stderr, new, seconds, process.returncode)


def tell(outcome, program):
    print(outcome.line(), flush=True)
    if not outcome.failed:
        return
    for line in outcome.output.splitlines():
        if "stele: broken invariant" in line or "ERROR:" in line or "runtime error" in line:
            print(f"    {line.strip()}")
    for finding in outcome.findings:
        print(f"    repeat: {program} {finding}")
    if not outcome.findings:
        print(f"    see {program.parent / (outcome.name + '.log')}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=60, help="for each target (60)")
    parser.add_argument("--jobs", type=int, default=2, help="targets at a time (2)")
    parser.add_argument("--memory", type=int, default=2048, help="limit of each in MB (2048)")
    parser.add_argument("--longest", type=int, default=4096, help="input in bytes (4096)")
    parser.add_argument("directory", type=pathlib.Path, help="where the programs are")
    parser.add_argument("target", nargs="*", help="all, if none is named")
    options = parser.parse_args()

    programs = sorted(options.directory.resolve().glob("*" + SUFFIX))
    known = {program.name.removesuffix(SUFFIX) for program in programs}
    if unknown := set(options.target) - known:
        parser.error(f"there is no target {', '.join(sorted(unknown))} in {options.directory}")
    if options.target:
        programs = [p for p in programs if p.name.removesuffix(SUFFIX) in options.target]
    if not programs:
        parser.error(f"there are no fuzz targets in {options.directory}")

    print(f"{len(programs)} targets, {options.seconds} s each, {options.jobs} at a time", flush=True)
    outcomes = []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        running = {pool.submit(fuzz, program, options): program for program in programs}
        for done in concurrent.futures.as_completed(running):
            outcomes.append(done.result())
            tell(done.result(), running[done])
    failed = sum(outcome.failed for outcome in outcomes)
    print(f"{sum(outcome.executions for outcome in outcomes):,} executions")
    print(f"{len(outcomes) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
