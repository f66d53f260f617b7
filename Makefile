# SPDX-License-Identifier: GPL-2.0
#
# Makefile: the commands of Mint.  The work is done by scripts/; this file only
# says which of them run for a command, and in which order.
#
# BUILD (default: build) is where everything goes that is fetched or built.

MAKEFLAGS += --no-print-directory --no-builtin-rules
SHELL := /bin/sh
ifdef BUILD
export BUILD
endif

.PHONY: help
help:	## this list
	@awk -F ':.*##' '/^[a-z-]+:.*##/ { printf "  make %-16s%s\n", $$1, $$2 }' Makefile

# --- run and test ----------------------------------------------------------

.PHONY: demo demo-move demo-talk run distro run-distro check check-debug soak bench bench-quick
demo: ready host	## boot a machine, launch two successors, show all three, end them
	@scripts/demo

demo-move: ready host	## a core, memory and a network card walk from one node to another
	@scripts/demo-move

demo-talk: ready host	## one node serves its disk and its network card to the others
	@scripts/demo-talk

run: ready host	## the machine of the demo, to stay: a console for each node
	@scripts/run

distro: ready host	## Debian 12 and 13 as successors side by side, then one without a device
	@scripts/distro
	@scripts/tests/check_distro.py served

run-distro: ready host	## the same, and stay: a console and ssh for each
	@scripts/distro run

check: ready host qemu user-kernel	## every test; last line "N passed, N failed, N skipped"
	@scripts/setup check
	@scripts/check

soak: ready host	## 500 rounds of launch and end, moves, forced ends, eight nodes that talk
	@scripts/setup soak
	@scripts/check --soak 500

check-debug: ready host qemu	## the tests on a kernel with KASAN, UBSAN and lockdep
	@scripts/build --if-changed debug-kernel
	@scripts/setup check
	@scripts/check --debug $(if $(ONLY),-k '$(ONLY)')

bench: ready host	## every measurement, then build/bench/report.html
	@scripts/setup bench
	@scripts/build --if-changed kvm-kernel gzip-kernel zstd-kernel
	@scripts/distro build
	@scripts/bench

bench-quick: ready host	## a part of them, in less than an hour on two cores
	@scripts/setup bench
	@scripts/bench --quick

# --- build -----------------------------------------------------------------

# The scripts are Python but for those that install it.
.PHONY: base
base:
	@scripts/setup base

.PHONY: all ready host qemu fetch prepare kernel kexec mintctl busybox initrd config
all: base	## everything that a machine runs, into build/out
	@scripts/build all

# What demo, run and check need; nothing is looked at twice.
ready: base
	@scripts/build --if-changed all

host:
	@scripts/setup base run

qemu: host	## a QEMU with x2APIC, into build/qemu if the host's has none
	@scripts/qemu

fetch: base	## the sources from the Debian archive, into build/dl
	@scripts/fetch

prepare:	## the source trees with their patches applied
	@scripts/setup base build
	@scripts/fetch
	@scripts/prepare

kernel: base	## the kernel, incrementally
	@scripts/build kernel

kexec: base	## kexec-tools, static
	@scripts/build kexec

mintctl: base	## the tool that launches, watches and stops nodes, static
	@scripts/build mintctl

busybox: base	## BusyBox, static
	@scripts/build busybox

initrd: base	## the initrd, from initrd/list
	@scripts/build initrd

config: base	## build/kernel/.config from kernel-config/
	@scripts/build config

.PHONY: user-kernel server-kernel debug-kernel distro-kernel
user-kernel: base	## the kernel without kernel-config/test.config
	@scripts/build --if-changed user-kernel

server-kernel: base	## the same with kernel-config/server.config, as users get it
	@scripts/build --if-changed server-kernel

debug-kernel: base	## the kernel with kernel-config/debug.config
	@scripts/build debug-kernel

.PHONY: deb
deb: ready server-kernel	## Debian packages of all of it, into build/out/deb
	@scripts/setup deb
	@scripts/deb

.PHONY: check-deb
check-deb: ready host server-kernel	## Debian, booted from the packages of make deb by its GRUB
	@scripts/setup deb
	@scripts/tests/check_distro.py server

distro-kernel: base	## an image with Debian's own configuration and Mint
	@scripts/build distro-kernel

# --- patches ---------------------------------------------------------------

.PHONY: seams series lint check-series check-prefixes
seams: base	## commits of build/linux and build/kexec-tools back to patch files
	@scripts/seams

series: prepare	## build/series: everything as one plain series for git am
	@scripts/series

check-series: prepare	## git am of that series gives the prepared tree
	@scripts/series --check

check-prefixes: prepare	## every prefix of the series builds; CONFIG_MINT=n is stock
	@scripts/check-prefixes

lint: prepare	## checkpatch, sparse, W=1, folders, clang-format, shellcheck, Python, mandoc
	@scripts/setup lint
	@scripts/lint

# --- clean -----------------------------------------------------------------

.PHONY: clean distclean
clean:	## remove what was built; keep archives and prepared trees
	@scripts/clean

distclean:	## remove build/ whole, unless a tree in it holds unsaved work
	@scripts/clean --all
