# libtfa: build, demonstrate, test, measure, install.
#
#   make demo       builds all and runs the main job, told in the terminal
#   make test       runs every test
#   make bench      measures, and writes docs/benchmarks.md
#   make install    as root; DESTDIR, PREFIX, LIBDIR as usual; make uninstall takes it away again
#   make header     writes include/tfa.h anew after a change in src/ffi
#   make wheel      the Python package with the library in it
#   make fuzz       fuzzes every door for longer than the tests do: SECONDS_EACH=600

PREFIX  ?= /usr/local
LIBDIR  ?= $(PREFIX)/lib
BINDIR  ?= $(PREFIX)/bin
INCDIR  ?= $(PREFIX)/include
DATADIR ?= $(PREFIX)/share

VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
MAJOR   := $(firstword $(subst ., ,$(VERSION)))
RELEASE := target/release
LINKS   := whmapi1 uapi

all: build perl

demo: build perl
	@scripts/demo

dependencies:
	@scripts/install-deps

test-dependencies:
	@scripts/install-deps test

build: dependencies
	cargo build --release --all-features
	@ln -sfn libtfa.so $(RELEASE)/libtfa.so.$(MAJOR)

perl: build
	cd perl && perl Makefile.PL >/dev/null && $(MAKE) --no-print-directory >/dev/null

test: test-dependencies build
	cargo fmt --check
	cargo clippy --all-targets --all-features -- -D warnings
	cargo test --all-features
	RUSTDOCFLAGS='-D warnings' cargo doc --all-features --no-deps --quiet
	$(MAKE) -C c-tests all
	scripts/test-install
	$(MAKE) --no-print-directory deny
	scripts/check-abi
	perl/run-tests
	python/run-tests
	php/run-tests
	fuzz/run 30

bench: test-dependencies build perl
	scripts/bench

header:
	TFA_GENERATE=1 cargo test --all-features --test agreement --test doors -- header reference

# The rules are in deny.toml. Advisories need a network: cargo deny check advisories.
deny: target/tools/bin/cargo-deny
	target/tools/bin/cargo-deny check bans licenses sources

target/tools/bin/cargo-deny:
	CARGO_TARGET_DIR=target/tools/build cargo install cargo-deny --locked --root target/tools
	rm -rf target/tools/build

# Minutes a target find more than the tests' seconds.
fuzz: test-dependencies
	fuzz/run $(or $(SECONDS_EACH),600)

wheel: build
	python/make-wheel

# What `make` has built is installed as it is, so that `sudo make install` needs no cargo.
export DESTDIR PREFIX LIBDIR BINDIR INCDIR DATADIR VERSION MAJOR RELEASE LINKS
install: | $(RELEASE)/libtfa.so
	@scripts/install install

uninstall: | $(RELEASE)/libtfa.so
	@scripts/install uninstall

$(RELEASE)/libtfa.so:
	$(MAKE) build

clean:
	cargo clean
	$(MAKE) -C c-tests clean

.PHONY: all demo deny dependencies test-dependencies build perl test bench fuzz header wheel install uninstall clean
