# libtfa: builds, demonstrates, tests, measures and installs.

PREFIX  ?= /usr/local
LIBDIR  ?= $(PREFIX)/lib
BINDIR  ?= $(PREFIX)/bin
INCDIR  ?= $(PREFIX)/include
DATADIR ?= $(PREFIX)/share

VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
MAJOR   := $(firstword $(subst ., ,$(VERSION)))
RELEASE := target/release
LINKS   := whmapi1 uapi
# The C ABI and the command line.
FEATURES := --features capi,cli

all: build perl

help:             ## shows these targets
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r target about; do \
		printf '  make %-10s %s\n' "$$target" "$$about"; done

demo: build perl  ## builds everything, then shows enrolment, login, lockout and recovery
	@scripts/demo

dependencies:
	@scripts/install-deps

test-dependencies:
	@scripts/install-deps test

build: dependencies ## builds the library and the command
	cargo build --release $(FEATURES)
	@ln -sfn libtfa.so $(RELEASE)/libtfa.so.$(MAJOR)

perl: build       ## builds the Perl module
	cd perl && perl Makefile.PL >/dev/null && $(MAKE) --no-print-directory >/dev/null

check:            ## quick tests: format, lints, unit tests, agreement, interfaces, sizes, references
	cargo fmt --check
	cargo clippy --all-targets $(FEATURES) --quiet -- -D warnings
	cargo test $(FEATURES) --quiet --lib --test agreement --test doors
	scripts/check-sizes
	scripts/check-references

test: test-dependencies build ## runs every test
	cargo fmt --check
	cargo clippy --all-targets $(FEATURES) -- -D warnings
	scripts/check-sizes
	scripts/check-references
	cargo test $(FEATURES)
	scripts/check-promises
	RUSTDOCFLAGS='-D warnings' cargo doc $(FEATURES) --no-deps --quiet
	scripts/test-crate
	$(MAKE) -C c-tests all
	scripts/test-install
	$(MAKE) --no-print-directory deny
	scripts/check-abi
	scripts/test-older-library
	perl/run-tests
	python/run-tests
	php/run-tests
	fuzz/run 10

generate: perl    ## writes everything that is generated and checked in
	TFA_GENERATE=1 cargo test $(FEATURES) --quiet --test agreement --test doors -- header_is reference readme
	php/make-header
	perl/generate-pod

# The rules are in deny.toml. Advisories need a network: cargo deny check advisories.
deny: target/tools/bin/cargo-deny ## checks licences, duplicates and sources of the dependencies
	target/tools/bin/cargo-deny --all-features check bans licenses sources

target/tools/bin/cargo-deny:
	CARGO_TARGET_DIR=target/tools/build cargo install cargo-deny --locked --root target/tools
	rm -rf target/tools/build

bench: test-dependencies build perl ## measures, and writes docs/benchmarks.md
	scripts/bench

fuzz: test-dependencies ## fuzzes every interface, SECONDS_EACH=600 by default
	fuzz/run $(or $(SECONDS_EACH),600)

mutants:          ## changes the code in small ways and reports changes that no test notices; takes hours
	scripts/mutants

wheel: build      ## builds the Python package with the library in it
	python/make-wheel

# What scripts/install reads. It is not exported: a make that a recipe calls, with a PREFIX of its own, would inherit the rest.
SETTINGS = $(foreach name,DESTDIR PREFIX LIBDIR BINDIR INCDIR DATADIR VERSION MAJOR RELEASE LINKS,$(name)='$($(name))')

# Installs what make has built, so that `sudo make install` needs no cargo.
install: | $(RELEASE)/libtfa.so ## installs, as root: DESTDIR, PREFIX and LIBDIR as usual; LINKS= leaves out whmapi1 and uapi
	@$(SETTINGS) scripts/install install

uninstall: | $(RELEASE)/libtfa.so ## removes what install installed
	@$(SETTINGS) scripts/install uninstall

$(RELEASE)/libtfa.so:
	$(MAKE) build

clean:            ## removes what was built
	cargo clean
	$(MAKE) -C c-tests clean

.PHONY: all help demo dependencies test-dependencies build perl check test generate deny bench fuzz mutants wheel install uninstall clean
