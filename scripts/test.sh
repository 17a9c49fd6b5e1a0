#!/bin/sh
# Every test: C under ASan and UBSan, the browser parts on Node, then the whole product end to end.
# What waits for processes, browsers and clocks is run once more where it fails: what passes then is
# named in the last lines as unsteady, and is to be mended. Everything else has one chance.
set -eu
cd "$(dirname "$0")/.."
started=$(date +%s)
step() { printf '\n== %s (%ss)\n' "$*" "$(($(date +%s) - started))"; }
: "${CORONG_TEST_DATA:=$PWD/../shared/data}"
export CORONG_TEST_DATA
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1
UNSTEADY=$PWD/build/unsteady.txt
export UNSTEADY
mkdir -p build
: >"$UNSTEADY"

# One more than there are cores: some tests mostly wait. What failed once more, alone.
c_tests() {
  ctest --test-dir build/dev --output-on-failure -j "$(($(nproc) + 1))" && return
  failed=$(sed 's/^[0-9]*://' build/dev/Testing/Temporary/LastTestsFailed.log)
  printf '\nonce more, alone:\n%s\n' "$failed"
  ctest --test-dir build/dev --output-on-failure --rerun-failed
  printf '%s\n' "$failed" | sed 's/^/unsteady: C test: /' >>"$UNSTEADY"
}

step "C tests, with sanitizers"
cmake --preset dev -G Ninja --log-level=WARNING >/dev/null
cmake --build build/dev
c_tests

step "fuzzing, ${FUZZ_SECONDS:=10} s a target"
# 60 s for one input: a busy machine is no hang
FUZZ_SEED=1 FUZZ_HANG=60 scripts/fuzz.sh "$FUZZ_SECONDS"

step "snippet: tests and size"
(cd js-snippet && npm test --silent)

step "dashboard: lint, tests and size"
(cd web/ui && npm run --silent lint && npm test --silent && npm run --silent size)

step "dashboard: every screen in Chromium"
(cd web/ui && npm run --silent browser)

step "end to end"
CORONG_BINARY=$PWD/build/corong
export CORONG_BINARY
(cd tests/e2e && npm test --silent)

step "all passed"
cat "$UNSTEADY"
