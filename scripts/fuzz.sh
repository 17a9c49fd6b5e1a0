#!/bin/sh
# Fuzz every target for SECONDS each (libFuzzer with ASan and UBSan, needs clang), two at a time,
# starting from the corpus in the repository and from the random number FUZZ_SEED (0: another one
# each time; `make test` has the same one always, so that it says something about the change). What
# is found new stays in build/fuzz/corpus. A crash, a hang (an input that takes FUZZ_HANG seconds)
# or too much memory is printed, its input stays in build/fuzz, and the run ends with 1.
set -eu
cd "$(dirname "$0")/.."

if [ "${1:-}" = one ]; then # one SECONDS TARGET
  name=$(basename "$3")
  found="build/fuzz/corpus/$name"
  log="build/fuzz/$name.log"
  mkdir -p "$found"
  if "$3" -max_total_time="$2" -seed="${FUZZ_SEED:-0}" -timeout="${FUZZ_HANG:-5}" -rss_limit_mb=1024 \
    -print_final_stats=1 -artifact_prefix="build/fuzz/$name-" "$found" "tests/fuzz/corpus/${name#fuzz_}" >"$log" 2>&1; then
    sed -n "s/^stat::number_of_executed_units: */$name: executed /p" "$log"
    exit 0
  fi
  printf '%s failed; its words (all of them in %s):\n' "$name" "$log"
  tail -30 "$log"
  exit 255 # ends xargs too
fi

seconds=${1:-60}
cmake --preset fuzz -G Ninja --log-level=WARNING >/dev/null
cmake --build build/fuzz --target fuzzers
find build/fuzz/tests/fuzz -maxdepth 1 -name 'fuzz_*' -type f -perm -u+x | sort |
  xargs -P 2 -n 1 scripts/fuzz.sh one "$seconds"
