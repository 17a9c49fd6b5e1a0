#!/bin/sh
# Kill the product's processes at random under load, and compare what is stored with a ledger kept
# outside of it. Takes a few minutes; docs/faults.md holds the results of release runs.
set -eu
cd "$(dirname "$0")/.."
CORONG_BINARY=$PWD/build/corong node tests/fault/kill.mjs --kills "${KILLS:-20}" "$@"
