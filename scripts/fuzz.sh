#!/bin/sh
# Fuzz every target for SECONDS each (libFuzzer with ASan and UBSan, needs clang), starting from the
# corpus in the repository; what is found new stays in build/fuzz/corpus, a crash stops the run.
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-60}
cmake --preset fuzz -G Ninja --log-level=WARNING >/dev/null
cmake --build build/fuzz
for target in $(find build/fuzz/tests/fuzz -maxdepth 1 -name 'fuzz_*' -type f -perm -u+x | sort); do
  name=$(basename "$target")
  found="build/fuzz/corpus/$name"
  mkdir -p "$found"
  seed="tests/fuzz/corpus/${name#fuzz_}"
  printf '== %s, %ss\n' "$name" "$seconds"
  "$target" -max_total_time="$seconds" -timeout=1 -rss_limit_mb=512 -print_final_stats=1 \
    -artifact_prefix="build/fuzz/$name-" "$found" "$seed" 2>&1 | grep -E 'stat::|ERROR|SUMMARY|BINGO|Test unit' || true
  ! ls "build/fuzz/$name-crash"* "build/fuzz/$name-timeout"* "build/fuzz/$name-oom"* 2>/dev/null
done
