# Sourced from the root of the tree: what programs under a sanitizer are told. The argument is a directory
# into which each process reports in a file of its own, or empty: then all report on standard error.
into() { [ -z "$1" ] || echo ":log_path=$1/$2"; }
export ASAN_OPTIONS=detect_leaks=1$(into "$1" asan)
export LSAN_OPTIONS=suppressions=$PWD/tests/sanitizers/lsan.supp:print_suppressions=0
export UBSAN_OPTIONS=print_stacktrace=1$(into "$1" ubsan)
# ThreadSanitizer does not see what RocksDB and SQLite lock; where they unlock from a function that they share with
# us, it would miss the lock.
export TSAN_OPTIONS=report_mutex_bugs=0:suppressions=$PWD/tests/sanitizers/tsan.supp:print_suppressions=0:second_deadlock_stack=1$(into "$1" tsan)
