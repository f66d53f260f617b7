#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What comes back after the end of a successor: cores that node 0 uses as its
# own, and that go to the next node at once.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # run_tests calls the tests by name
. "$(dirname "$0")/functions.sh"
need_mint

cpus=/sys/devices/system/cpu

# offline: CPUs that node 0 does not use
offline() {
	for dir in "$cpus"/cpu[1-9]*; do
		[ "$(cat "$dir/online")" = 1 ] || echo "${dir##*/cpu}"
	done
}

# ended_by <word>: after that, node 0 works on each core itself, and lends all
# of them again
ended_by() {
	need_cores 3
	launch 3
	had=$ids
	echo "$1" >"$MINT/nodes/$node/stop" || fail "$1 failed"
	for cpu in $(offline); do
		echo 1 >"$cpus/cpu$cpu/online" || fail "CPU $cpu does not come up"
		echo "$cpu" >>"$TMP/up"
		# A task there, seen by the kernel to run there
		# shellcheck disable=SC2016 # the inner shell expands it
		at=$(taskset -c "$cpu" sh -c \
			'read -r _ line </proc/self/stat; set -- ${line##*)}; echo ${37}')
		[ "$at" = "$cpu" ] || fail "a task for CPU $cpu ran on $at"
	done
	# shellcheck disable=SC2086 # one word for each core
	for id in $had; do
		cores_of "node 0" | grep -qw "$id" ||
			fail "node 0 has not got APIC ID $id back"
	done
	while read -r cpu; do
		echo 0 >"$cpus/cpu$cpu/online" || fail "CPU $cpu stays online"
	done <"$TMP/up"
	launch 3
	[ "$ids" = "$had" ] || fail "the next node got $ids, not $had"
	alive "$node"
}

after_ask() {
	ended_by ask
}

after_park() {
	ended_by park
}

after_force() {
	ended_by force
}

# No pause between the end of one and the launch of another in its place.
at_once() {
	launch 2
	for word in ask park force; do
		echo "$word" >"$MINT/nodes/$node/stop" || fail "$word failed"
		cmdline="maxcpus=2" start
		runs "$node"
	done
}

# Filled with zeroes, it can be lent as before.
scrubbed() {
	parameter scrub 1
	launch 1
	stop "$node"
	rc=$?
	parameter scrub 0
	[ "$rc" = 0 ] || exit 1
	cmdline="maxcpus=1" start
	runs "$node"
}

run_tests after_ask after_park after_force at_once scrubbed
