"""The rules of the source tree as data: arrows between folders, the seam, and their exceptions."""

import re

# What each folder under src may include besides itself. Arrows go one way (design: "Layout");
# a name on the right must stand above its user.
ARROWS = {
    "base": [],
    "env": ["base"],
    "config": ["base", "env"],
    "store": ["base", "env"],
    # Cron schedules; reads the system's time zones and nothing else.
    "cron": ["base"],
    # The pure core does no input or output, so it sees neither env nor store.
    "history": ["base", "cron"],
    "shard": ["base", "env", "store", "history"],
    "matching": ["base", "env", "history", "shard"],
    "visibility": ["base", "env", "store", "history"],
    "batch": ["base", "env", "store", "history", "shard", "visibility"],
    "frontend": [
        "base", "cron", "env", "store", "history", "shard", "matching", "visibility", "batch",
    ],
    "schedule": ["base", "env", "history", "shard", "matching"],
    "nexus": ["base", "env", "history", "shard", "matching"],
    "deployment": ["base", "env", "history", "shard", "matching"],
    "cluster": ["base", "env", "store", "history", "shard", "matching"],
    # The SDK shares base and the generated API with the engine, and nothing else.
    "sdk": ["base"],
    # Joins the engine and the SDK in one process.
    "embedded": [
        "base", "env", "config", "store", "history", "shard", "matching", "frontend", "server", "sdk",
    ],
    "cli": ["base", "sdk"],
    "server": [
        "base", "env", "config", "store", "history", "shard", "matching", "visibility", "frontend",
        "schedule", "batch", "nexus", "deployment", "cluster",
    ],
    "proto": [],
}

# Single files that may include more than their folder may.
ARROW_EXCEPTIONS = {
    "src/server/main.cc": ["cli"],  # One program: the server and the command line.
}

# Folders of users. They see the SDK's public headers, never what is behind them.
PUBLIC_ONLY = ["include/", "examples/"]

# The SDK's public headers ("stele/x.h"), and who may include them.
SDK_USERS = ["include/", "examples/", "src/sdk/", "src/embedded/", "src/cli/", "sim/", "bench/",
             "tests/", "fuzz/"]

# Stored messages ("stele/internal/x.pb.h") belong to the engine.
NOT_FOR_INTERNAL_PROTO = ["include/", "examples/", "src/sdk/", "src/cli/", "src/base/", "src/env/"]

# Libraries that only some folders may know. Everything else is free to be used anywhere.
LIBRARIES = {
    "rocksdb/": ["src/store/"],
    "sqlite3.h": ["src/visibility/"],
    "nghttp2/": ["src/server/grpc/"],
    "date/": ["src/cron/", "src/schedule/"],
    "grpcpp/": ["src/server/", "src/sdk/", "src/cli/", "tests/", "bench/"],
    "spdlog/": ["src/server/", "src/env/", "bench/"],
}

# The seam: clocks, randomness, sleeping and threads exist in Env only, so that a simulation can own
# them. Each pattern is looked for in code, not in comments or strings.
SEAM = {
    "clock": re.compile(
        r"\b(?:system|steady|high_resolution|utc)_clock\b(?!\s*::\s*(?:time_point|duration)\b)"
        r"|\babsl::Now\b|\bGetCurrentTimeNanos\b|\bclock_gettime\b|\bgettimeofday\b|\bgpr_now\b"
        r"|\bTimeUtil::GetCurrentTime\b|(?<![\w.>])time\s*\(\s*(?:nullptr|NULL|0|&\w+)\s*\)"
    ),
    "randomness": re.compile(
        r"\brandom_device\b|(?<![\w.>])s?rand\s*\(|\babsl::\w*BitGen\b|\bRAND_(?:priv_)?bytes\b"
        r"|\bgetrandom\b|\bgetentropy\b|\barc4random\w*\b|\buuid_generate\w*\b"
    ),
    "sleep": re.compile(
        # Not every "sleep(": a workflow's sleep is a timer in its history.
        r"\bthis_thread::sleep_\w+|\busleep\s*\(|(?<![\w:>])::sleep\s*\(|\b(?:clock_)?nanosleep\b"
        r"|\babsl::SleepFor\b"
    ),
    "thread": re.compile(
        r"\bstd::(?:j?thread|async|this_thread|(?:recursive_|shared_)?(?:timed_)?mutex"
        r"|condition_variable(?:_any)?|(?:unique|shared|scoped)_lock|lock_guard|once_flag|call_once"
        r"|counting_semaphore|binary_semaphore|latch|barrier)\b"
        r"|\babsl::(?:Mutex|CondVar|Notification|BlockingCounter|Barrier)\b|\bpthread_(?!sigmask)\w+"
    ),
}

# Where the seam is looked for; what lies outside are programs that measure and tests of the whole.
SEAM_SCOPE = ["src/", "include/", "sim/"]

# Who may nevertheless use what, and why. A path that ends in "/" stands for the whole folder.
SEAM_ALLOWED = [
    ("src/env/", ["clock", "randomness", "sleep", "thread"], "it is the seam"),
    ("src/sdk/runtime/", ["clock", "randomness", "sleep", "thread"],
     "the SDK runs in its user's process and has its own seam"),
    ("src/embedded/", ["thread"],
     "clients call an engine in the same process from any thread, and tests have a seam of their own"),
    ("src/sdk/metrics/", ["thread"],
     "a meter is read by one thread while others write to it"),
    ("src/server/grpc/", ["clock", "thread"],
     "it serves sockets on real threads, whose end it waits for"),
    ("sim/sim_main.cc", ["clock"], "it tells how long the seeds took, after the last of them"),
    ("src/sdk/transport/", ["clock"], "gRPC takes a call's deadline on its own clock"),
    ("src/store/faults/inline_environment.h", ["clock"], "RocksDB has its own, of which the sleep is replaced"),
    ("src/store/faults/", ["thread"], "RocksDB calls its files from threads of its own"),
    ("_test.cc", ["thread"], "a test may call from several threads what says it is thread safe"),
    ("_testing.cc", ["thread"], "as for tests"),
    ("_testing.h", ["thread"], "as for tests"),
]

# A hand-written file over this is several ideas in one.
MAX_LINES = 900
SIZED = (".h", ".cc", ".proto", ".py", ".sh", ".go", ".ts", ".js", ".java", ".cmake", ".md")

# Nothing may depend on, or tell of, the machine or the mirrors that it was written with.
FOREIGN = {
    "machine path": re.compile(r"(?<![\w.${}/-])/(?:root|home|work|tmp)/[\w.-]"),
    "registry host": re.compile(
        r"\b(?:registry\.npmjs\.org|registry\.yarnpkg\.com|pypi\.org|files\.pythonhosted\.org"
        r"|(?:proxy|sum)\.golang\.org|repo1?\.maven\.(?:apache\.)?org|(?:static\.|index\.)?crates\.io"
        r"|deb\.debian\.org|(?:registry-1|hub)\.docker\.(?:io|com)|rubygems\.org|api\.nuget\.org)\b"
    ),
}

# These hold the patterns themselves.
FOREIGN_EXCEPT = ["tests/structure/"]
