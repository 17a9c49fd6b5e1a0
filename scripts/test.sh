#!/bin/sh
# Every test: C under ASan and UBSan, the browser parts on Node, then the whole product end to end.
set -eu
cd "$(dirname "$0")/.."
started=$(date +%s)
step() { printf '\n== %s (%ss)\n' "$*" "$(($(date +%s) - started))"; }
: "${CORONG_TEST_DATA:=$PWD/../shared/data}"
export CORONG_TEST_DATA
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1

step "C tests, with sanitizers"
cmake --preset dev -G Ninja --log-level=WARNING >/dev/null
cmake --build build/dev
ctest --test-dir build/dev --output-on-failure -j2

step "fuzzing, ${FUZZ_SECONDS:=10} s a target"
FUZZ_SEED=1 scripts/fuzz.sh "$FUZZ_SECONDS"

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
