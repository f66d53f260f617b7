#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Node 0 would take its successors with it, or their cores: refused, with the
# reason.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # run_tests calls the tests by name
. "$(dirname "$0")/functions.sh"
need_mint

at_end() {
	parameter leave ask
}

# log_says <text>: since it was marked
log_says() {
	said_since leave | grep -q "$1"
}

# stays <command>...: it fails, and the log says who is in the way
stays() {
	mark_log leave
	"$@" >"$TMP/out" 2>&1 && fail "$* succeeded"
	log_says "node $node lives and would go down with this one: end it first" ||
		fail "$*: $(cat "$TMP/out"); the log names no reason"
	alive "$node"
}

# mint.leave=refuse: no way down while a node lives
refuse() {
	[ "$(parameter leave)" = ask ] || fail "mint.leave is $(parameter leave)"
	launch 1
	parameter leave refuse
	stays /bin/busybox reboot -f
	stays /bin/busybox poweroff -f
	stays /bin/busybox halt -f
	"$MINT_KEXEC" -l --initrd="$MINT_INITRD" --reuse-cmdline \
		"$MINT_KERNEL" >"$TMP/out" 2>&1 ||
		fail "kexec -l: $(cat "$TMP/out")"
	stays "$MINT_KEXEC" -e
	"$MINT_KEXEC" -u >"$TMP/out" 2>&1 || fail "kexec -u: $(cat "$TMP/out")"
	parameter leave ask
}

leave_words() {
	for word in never "" asks 1; do
		parameter leave "$word" 2>/dev/null && fail "'$word' is taken"
		[ "$(parameter leave)" = ask ] || fail "it is $(parameter leave)"
	done
	return 0
}

# Sleep would stop what is lent; a loaded node is enough.
sleep_refused() {
	[ -e /sys/power/state ] || skip "this kernel cannot sleep"
	launch 1
	read -r words </sys/power/state
	[ -n "$words" ] || fail "/sys/power/state is empty"
	for word in $words; do
		mark_log leave
		echo "$word" 2>/dev/null >/sys/power/state &&
			fail "node 0 went to sleep by $word"
		log_says "sleep would stop node $node: end or unload it first" ||
			fail "$word: the log names no reason"
	done
	alive "$node"
}

# Alone it may, as far as this test lets it: tasks are frozen and thawed.
sleep_when_alone() {
	[ -e /sys/power/pm_test ] || skip "this kernel has no rehearsal of sleep"
	echo freezer >/sys/power/pm_test
	for word in freeze disk; do
		echo "$word" >/sys/power/state || {
			echo none >/sys/power/pm_test
			fail "node 0 cannot sleep by $word"
		}
	done
	echo none >/sys/power/pm_test
	# And then it lends again.
	launch 1
	alive "$node"
}

# Threads that SMT control brings up: all but those of others
smt_control() {
	smt=/sys/devices/system/cpu/smt
	[ "$(cat "$smt/control")" = on ] || skip "no SMT that can be switched"
	launch 1
	echo off >"$smt/control" || fail "SMT cannot be switched off"
	mark_log leave
	echo on 2>"$TMP/err" >"$smt/control"
	alive "$node"
	# shellcheck disable=SC2086 # one word for each core
	for id in $ids; do
		[ "$(cores_of "node $node")" = "$id " ] ||
			fail "APIC ID $id went to $(cat "$MINT/cores")"
	done
	log_says "APIC ID $ids) belongs to node $node, which must end first" ||
		fail "the log does not say why APIC ID $ids stays down"
	# What came up beside it goes again.
	for dir in /sys/devices/system/cpu/cpu[1-9]*; do
		[ "$(cat "$dir/online")" = 0 ] || echo 0 >"$dir/online"
	done
}

run_tests refuse leave_words sleep_refused sleep_when_alone \
	smt_control
