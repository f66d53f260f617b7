#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Cores change hands: what is lent stays lent, what node 0 gives up is free.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # run_tests calls the tests by name
. "$(dirname "$0")/functions.sh"
need_mint

cpus=/sys/devices/system/cpu

# Node 0 must not send INIT to a core on which another kernel runs.
lent_core_stays_lent() {
	tried=0

	launch 1
	for dir in "$cpus"/cpu[1-9]*; do
		[ "$(cat "$dir/online")" = 0 ] || continue
		# Free cores may come up, and go again; the lent one may not.
		if echo 1 >"$dir/online" 2>/dev/null; then
			echo 0 >"$dir/online" || fail "${dir##*/} stays online"
		else
			tried=$((tried + 1))
		fi
	done
	[ "$tried" = 1 ] || fail "$tried cores refused to come up, not one"
	alive "$node"
}

# A core that node 0 brings up is its own, and free when it is offline again.
free_core_comes_and_goes() {
	for dir in "$cpus"/cpu[1-9]*; do
		[ "$(cat "$dir/online")" = 0 ] && break
	done
	[ "$(cat "$dir/online")" = 0 ] || skip "node 0 has all cores"
	before=$(cores_of "node 0" | wc -w)
	echo 1 >"$dir/online" || fail "${dir##*/} does not come up"
	[ "$(cores_of "node 0" | wc -w)" = $((before + 1)) ] ||
		fail "node 0 does not own ${dir##*/}: $(cat "$MINT/cores")"
	echo 0 >"$dir/online" || fail "${dir##*/} does not go down"
	[ "$(cores_of "node 0" | wc -w)" = "$before" ] ||
		fail "node 0 still owns ${dir##*/}: $(cat "$MINT/cores")"
	launch 1
	alive "$node"
}

run_tests lent_core_stays_lent free_core_comes_and_goes
