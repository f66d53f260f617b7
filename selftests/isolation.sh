#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Isolation: what goes on between the cores of one node reaches no other.
#
# Counts of interrupts between cores are taken in node 0; where it has one
# core, none of them may grow at all.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # run_tests calls the tests by name
. "$(dirname "$0")/functions.sh"
need_mint

# Rows of /proc/interrupts that nothing but another core can make grow.
rows="SPU ERR MIS"
[ "$(cat /proc/sys/kernel/nmi_watchdog 2>/dev/null)" = 1 ] || rows="$rows NMI"
[ "$(cat /sys/devices/system/cpu/online)" = 0 ] && rows="$rows RES CAL TLB"

# foreign: the counts of these rows, summed over the cores of node 0
foreign() {
	for row in $rows; do
		awk -v row="$row:" '$1 == row {
			for (i = 2; $i ~ /^[0-9]+$/; i++)
				sum += $i
		} END { print row, sum + 0 }' /proc/interrupts
	done
}

# quiet <command>...: none of the counts of node 0 grows while it runs
quiet() {
	foreign >"$TMP/counts.before"
	"$@" || fail "$1 failed"
	foreign >"$TMP/counts.after"
	cmp -s "$TMP/counts.before" "$TMP/counts.after" ||
		fail "node 0 got interrupts: $(diff "$TMP/counts.before" \
			"$TMP/counts.after" | grep '^[<>]' | tr '\n' ' ')"
}

# A launch itself sends node 0 nothing.
launch_is_quiet() {
	quiet launch 2
	quiet stop "$node"
}

storm_round() {
	cmdline="maxcpus=2 mint.test=/test/storm.sh.poweroff" start
	loop_until 120 over "$node" ||
		fail "node $node is $(state "$node"): the storm failed"
}

# TLB flushes, calls and NMIs in a successor, with another one beside it.
storm_in_successor() {
	need_helper tlb_storm
	need_cores 3
	launch 1
	beside=$node
	cat >"$TMP/storm.sh.poweroff" <<-'END'
		exec sh /test/storm.sh poweroff
	END
	initrd_with "$HERE/storm.sh" "$TMP/storm.sh.poweroff" \
		"$TMP/tlb_storm"
	resources 2
	quiet storm_round
	alive "$beside"
}

# The same in node 0, where it has the cores for it: the others live on.
storm_in_node0() {
	need_helper tlb_storm
	[ "$(cat /sys/devices/system/cpu/online)" != 0 ] ||
		skip "node 0 has one core: boot with maxcpus=2"
	launch 2
	cp "$HERE/storm.sh" "$TMP"
	sh "$TMP/storm.sh" 3 >"$TMP/storm" || fail "$(cat "$TMP/storm")"
	say "$(cat "$TMP/storm")"
	alive "$node"
}

# nmis <count>: the row of NMIs of $node, told in its log
nmis() {
	# shellcheck disable=SC2016 # for the shell there
	printf 'echo "<5>nmis-%s $(grep NMI: /proc/interrupts)" >/dev/kmsg\n' \
		"$1" >"/dev/mint$node"
	loop_until 30 grep -q "nmis-$1 .*NMI:" "$MINT/nodes/$node/log" ||
		fail "node $node does not tell its NMIs"
	sed -n "s/.*nmis-$1 //p" "$MINT/nodes/$node/log"
}

# sysrq-l in node 0 asks its own cores, each of them, and nobody else's.
backtrace_in_node0() {
	need_init
	launch 2
	loop_until 60 grep -q "mint: node $node up" "$MINT/nodes/$node/log" ||
		fail "node $node is not up"
	before=$(nmis 1) || fail "$before"
	mark_log backtrace
	echo l >/proc/sysrq-trigger
	backtraces() {
		said_since backtrace | grep -c "NMI backtrace for cpu [0-9]"
	}
	all_of_them() {
		[ "$(backtraces)" = "$(grep -c ^processor /proc/cpuinfo)" ]
	}
	loop_until 20 all_of_them ||
		fail "$(backtraces) backtraces, not one of each core"
	after=$(nmis 2) || fail "$after"
	[ "$before" = "$after" ] ||
		fail "node $node got NMIs: $after, were $before"
	alive "$node"
}

run_tests launch_is_quiet storm_in_successor storm_in_node0 backtrace_in_node0
