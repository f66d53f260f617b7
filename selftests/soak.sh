#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Launch and end, MINT_ROUNDS times (20): nothing gets less. `make soak` makes
# 500 rounds.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # run_tests calls the tests by name
. "$(dirname "$0")/functions.sh"
need_mint

: "${MINT_ROUNDS:=20}"
# Rounds before the memory is measured first: caches and pools fill up.
WARM_UP=4
# KiB that node 0 may have less at the end, and KiB more for each 100 rounds:
# the free lists of 4 KiB pages that each of its cores has are not exact.
SLACK=768
SLACK_PER_100=256

# Memory that the kernel itself holds, KiB
memory_kept() {
	awk '/^(SUnreclaim|KernelStack|PageTables|VmallocUsed|Percpu):/ {
		sum += $2 } END { print sum }' /proc/meminfo
}

# all_back: memory, of which the kernel frees some a while after it was given back
all_back() {
	now=$(memory_left)
	[ $((left - now)) -le "$slack" ]
}

# none_kept: the same of what the kernel holds
none_kept() {
	now=$(memory_kept)
	[ $((now - kept)) -le "$slack" ]
}

rounds() {
	round=0
	while [ "$round" -lt "$MINT_ROUNDS" ]; do
		launch 1 >/dev/null
		case $((round % 4)) in
		3)
			word=force
			;;
		2)
			word=park
			;;
		*)
			word=ask
			;;
		esac
		echo "$word" >"$MINT/nodes/$node/stop" ||
			fail "round $round: $word failed"
		over "$node" || fail "round $round: node $node is $(state "$node")"
		same_as before ||
			fail "round $round: $(diff "$TMP/state.before" "$TMP/state.now")"
		round=$((round + 1))
		# Nobody needs the old numbers, and the list is read each time.
		: >"$TMP/nodes"
		if [ "$round" = "$WARM_UP" ]; then
			left=$(memory_left)
			kept=$(memory_kept)
		fi
		[ $((round % 10)) != 0 ] ||
			say "round $round: $(memory_left) KiB left, $(memory_kept) KiB kept"
	done
	slack=$((SLACK + MINT_ROUNDS * SLACK_PER_100 / 100))
	loop_until 20 all_back ||
		fail "node 0 had $left KiB left after $WARM_UP rounds, now $now"
	loop_until 20 none_kept ||
		fail "node 0 kept $kept KiB after $WARM_UP rounds, now $now"
}

run_tests rounds
