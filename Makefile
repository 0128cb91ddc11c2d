# Everything a developer of Kauri does, by name. `make run` and `make test` need nothing but Debian 12 (or newer) and a
# Swift toolchain: they install what else is missing.
#
# There is one build: release mode, tests included. `make build`, `make run`, `make bench` and `make test` pass the
# compiler the same flags, so what one of them compiled the others use. That is why tests reach inside a module through
# `package` declarations and not through `@testable import`, which would need a build of its own.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
.PHONY: help run build test bench format check-format clean

SWIFT_BUILD := TMPDIR="$$build_tmp" swift build --configuration release
# One test after the other: many of them start servers, and on a small machine those would wait for each other.
SWIFT_TEST := swift test --configuration release --disable-testable-imports --disable-xctest --no-parallel
SOURCES := Package.swift Sources Tests

# Extra arguments: make run ARGS='--port 9000', make test ARGS='--filter LedgerTests', make bench ARGS='--json'.
ARGS ?=

help:
	@echo 'make run           set up this machine, build, and start the whole stack with a demonstration bank'
	@echo 'make test          set up this machine, build, and run every test'
	@echo 'make build         set up this machine and leave .build/release/kauri'
	@echo 'make bench         build and measure'
	@echo 'make format        format the sources in place'
	@echo 'make check-format  fail when a source is not formatted'
	@echo 'make clean         remove what was built (not the data in .kauri)'

run: build
	@source scripts/environment.sh
	exec .build/release/kauri dev --demo $(ARGS)

build:
	@scripts/setup
	source scripts/environment.sh
	$(SWIFT_BUILD) --product kauri

test:
	@scripts/setup
	source scripts/environment.sh
	$(SWIFT_BUILD) --build-tests
	$(SWIFT_TEST) --skip-build $(ARGS)

bench: build
	@source scripts/environment.sh
	exec .build/release/kauri bench $(ARGS)

format:
	@source scripts/environment.sh
	swift format --in-place --parallel --recursive $(SOURCES)

check-format:
	@source scripts/environment.sh
	swift format lint --strict --parallel --recursive $(SOURCES)

clean:
	@rm -rf .build
