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
	scripts/check-licences
	scripts/check-abi
	perl/run-tests
	python/run-tests
	php/run-tests
	fuzz/run 30

bench: test-dependencies build perl
	scripts/bench

header:
	TFA_GENERATE=1 cargo test --all-features --test agreement --test doors -- header reference

# Minutes a target find more than the tests' seconds.
fuzz: test-dependencies
	fuzz/run $(or $(SECONDS_EACH),600)

wheel: build
	python/make-wheel

install: build
	install -d "$(DESTDIR)$(LIBDIR)/pkgconfig" "$(DESTDIR)$(INCDIR)" "$(DESTDIR)$(BINDIR)" "$(DESTDIR)$(DATADIR)"
	install -m 644 include/tfa.h "$(DESTDIR)$(INCDIR)/tfa.h"
	install -m 755 $(RELEASE)/libtfa.so "$(DESTDIR)$(LIBDIR)/libtfa.so.$(VERSION)"
	ln -sfn libtfa.so.$(VERSION) "$(DESTDIR)$(LIBDIR)/libtfa.so.$(MAJOR)"
	ln -sfn libtfa.so.$(MAJOR) "$(DESTDIR)$(LIBDIR)/libtfa.so"
	install -m 644 $(RELEASE)/libtfa.a "$(DESTDIR)$(LIBDIR)/libtfa.a"
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@INCDIR@|$(INCDIR)|' -e 's|@VERSION@|$(VERSION)|' \
		tfa.pc.in > "$(DESTDIR)$(LIBDIR)/pkgconfig/tfa.pc"
	install -m 755 $(RELEASE)/tfa "$(DESTDIR)$(BINDIR)/tfa"
	for link in $(LINKS); do ln -sfn tfa "$(DESTDIR)$(BINDIR)/$$link"; done
	$(RELEASE)/tfa generate "$(DESTDIR)$(DATADIR)"
	[ -n "$(DESTDIR)" ] || ldconfig

# What tfa generate writes is asked of it, so that both know the same files.
uninstall: build
	rm -f "$(DESTDIR)$(INCDIR)/tfa.h" "$(DESTDIR)$(LIBDIR)/pkgconfig/tfa.pc" "$(DESTDIR)$(LIBDIR)/libtfa.a"
	rm -f "$(DESTDIR)$(LIBDIR)/libtfa.so" "$(DESTDIR)$(LIBDIR)/libtfa.so.$(MAJOR)" "$(DESTDIR)$(LIBDIR)/libtfa.so.$(VERSION)"
	for name in tfa $(LINKS); do rm -f "$(DESTDIR)$(BINDIR)/$$name"; done
	rm -rf target/share && $(RELEASE)/tfa generate target/share
	cd target/share && find . -type f | while read -r file; do rm -f "$(DESTDIR)$(DATADIR)/$$file"; done

clean:
	cargo clean
	$(MAKE) -C c-tests clean

.PHONY: all demo dependencies test-dependencies build perl test bench fuzz header wheel install uninstall clean
