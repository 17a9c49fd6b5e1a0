# The front door. Everything here is a few words around scripts/setup.sh, CMake and npm.

SHELL := /bin/sh
.DELETE_ON_ERROR:
.PHONY: pictures help setup frontend build up test check-format check-full format bench bench-query bench-full bench-ingest bench-aggregate bench-steady bench-tools faults fuzz clean

help:
	@echo 'make up      set up, build, and run the demonstration: corong up --demo'
	@echo 'make test    set up, build, and run every test'
	@echo 'make build   the release binary, build/corong'
	@echo 'make check-full  the long sweeps: CHECK_FULL_QUERIES=1000 random funnels against ClickHouse (where setup.sh clickhouse has put it), every screen in every look, random reports'
	@echo 'make bench   measure on this machine: bench-query, import and memory, the aggregator'
	@echo 'make bench-query  a million events in Corong and in ClickHouse: answers compared, times side by side'
	@echo 'make bench-full  the same at SIZES="1 10 21.6 100" million events (an hour, 40 GB of disk)'
	@echo 'make bench-ingest  measure the collector beside nginx (INGEST_ROUNDS=5 of INGEST_SECONDS=3)'
	@echo 'make bench-aggregate  how fast the aggregator takes what waits in Redis'
	@echo 'make bench-steady  from beacon to figure, and the memory of the collector (12 minutes)'
	@echo 'make faults  kill processes under load and compare with a ledger (minutes)'
	@echo 'make fuzz    fuzz every parser, FUZZ_SECONDS=60 each'
	@echo 'make pictures  the pictures of all pages in docs/pictures, anew'
	@echo 'make format  format the C code'

setup:
	@scripts/setup.sh

# the snippet and the dashboard, which are compiled into the binary
snippet_sources := $(wildcard js-snippet/*.js js-snippet/*.mjs js-snippet/package-lock.json)
ui_sources := $(shell find web/text web/ui/scripts/words.mjs web/ui/src web/ui/public web/ui/index.html web/ui/*.json web/ui/*.ts -type f 2>/dev/null)

js-snippet/dist/corong.js: $(snippet_sources) | setup
	cd js-snippet && npm run --silent build

web/ui/dist/index.html: $(ui_sources) | setup
	cd web/ui && npm run --silent build

frontend: js-snippet/dist/corong.js web/ui/dist/index.html

build: frontend
	@cmake --preset release -G Ninja --log-level=WARNING -DCORONG_TESTS=OFF >/dev/null
	@cmake --build build/release
	@cp -f build/release/cmd/corong build/corong.new && mv -f build/corong.new build/corong

bench-tools: build
	@cmake --build build/release --target bench-tools

up: build
	build/corong up --demo

test: build check-format
	@scripts/test.sh

# both in Corong and in ClickHouse (npm chdb) on two cores, answers compared; SIZES are millions of events
two_cores := $(shell taskset -c 0,1 true 2>/dev/null && echo taskset -c 0,1)
bench-query: bench-tools
	@scripts/setup.sh clickhouse
	@$(two_cores) node bench/query.mjs 1
	@$(two_cores) node bench/puffy.mjs

SIZES ?= 1 10 21.6 100
bench-full: bench-tools
	@scripts/setup.sh clickhouse
	@$(two_cores) node bench/query.mjs $(SIZES)
	@$(two_cores) node bench/query.mjs --people 1
	@$(two_cores) node bench/puffy.mjs

bench: bench-query
	@node bench/run.mjs
	@node bench/aggregate.mjs 1000000 100 1

CHECK_FULL_QUERIES ?= 1000
full_tests := cli/random_reports.test.mjs browser/hostile.test.mjs browser/drop_off.test.mjs browser/acceptance.test.mjs
# docs/pictures, of the demonstration: look at them before they are committed
pictures: build
	@node tests/e2e/browser/pictures.mjs

check-full: build
	@$(two_cores) node tests/clickhouse/window_funnel.mjs $(CHECK_FULL_QUERIES)
	@cd web/ui && FULL=1 npm run --silent browser
	@cd tests/e2e && FULL=1 node --test $(full_tests)

INGEST_SECONDS ?= 3
INGEST_ROUNDS ?= 5
bench-ingest: bench-tools
	@scripts/setup.sh bench
	@node bench/ingest.mjs $(INGEST_SECONDS) $(INGEST_ROUNDS)

AGGREGATE_EVENTS ?= 2000000
bench-aggregate: bench-tools
	@node bench/aggregate.mjs $(AGGREGATE_EVENTS)

FRESH_SECONDS ?= 60
MEMORY_SECONDS ?= 600
bench-steady: bench-tools
	@node bench/steady.mjs $(FRESH_SECONDS) $(MEMORY_SECONDS)

faults: build
	@scripts/faults.sh

FUZZ_SECONDS ?= 60
fuzz: setup
	@scripts/fuzz.sh $(FUZZ_SECONDS)

c_files = $(shell git ls-files '*.c' '*.h')
format: setup
	@clang-format -i $(c_files)
check-format: setup
	@clang-format --dry-run --Werror $(c_files)

clean:
	rm -rf build js-snippet/dist web/ui/dist
