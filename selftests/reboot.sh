#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A successor reboots by itself, again and again, and what it has stays its own.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # run_tests calls the tests by name
. "$(dirname "$0")/functions.sh"
need_mint

# A successor that panics is what one of these tests asks for.
# shellcheck disable=SC2034 # read by settle()
panic_is_bad="no panic is"

# has_booted <n>: that often
has_booted() {
	[ "$(boots "$node")" = "$1" ]
}

# what $node has, as node 0 tells it
belongings() {
	(cd "$MINT/nodes/$node" && cat cpus memory devices name)
}

# three_times <cores>: three reboots in a row
three_times() {
	need_cores $(($1 + 1))
	launch 1
	beside=$node
	initrd_with "$HERE/way.sh"
	resources "$1"
	cmdline="maxcpus=$1 way=reboot way.boots=3 mint.test=/test/way.sh" \
		start --mint-name=phoenix
	belongings >"$TMP/had"
	loop_until 180 has_booted 4 ||
		fail "node $node is $(state "$node"), boot $(boots "$node")"
	runs "$node"
	belongings >"$TMP/has"
	cmp -s "$TMP/had" "$TMP/has" ||
		fail "it had $(cat "$TMP/had"), it has $(cat "$TMP/has")"
	has_booted 4 || fail "it has booted $(boots "$node") times"
	[ "$(boots "$beside")" = 1 ] || fail "the node beside has rebooted"
	alive "$beside"
	# Other strengths reach it as before.
	echo park >"$MINT/nodes/$node/stop" || fail "park failed"
}

one_core() {
	three_times 1
}

three_cores() {
	three_times 3
}

# Not kept: a reboot is the end.
keep_nothing() {
	initrd_with "$HERE/way.sh"
	resources 1
	cmdline="maxcpus=1 mint.keep=0 way=reboot_f mint.test=/test/way.sh" start
	wait_state "$node" 120 ended panicked silent quarantine
	in_state "$node" ended || fail "node $node is $(state "$node")"
	reason "$node" | grep -q rebooted || fail "reason: $(reason "$node")"
	has_booted 1 || fail "it has booted $(boots "$node") times"
}

# A panic that would be followed by a reboot is the end then, too.
keep_nothing_panic() {
	expects "sysrq triggered crash"
	initrd_with "$HERE/way.sh"
	resources 1
	cmdline="maxcpus=1 mint.keep=0 panic=1 way=sysrq_c mint.test=/test/way.sh"
	start
	wait_state "$node" 120 ended panicked silent quarantine
	in_state "$node" panicked || fail "node $node is $(state "$node")"
	over "$node" || fail "it owns something"
}

keep_too_little() {
	resources 1
	cmdline="maxcpus=1 mint.keep=64K"
	refused "mint.keep=64K" "the image needs [0-9]+ KiB" "0 keeps none" \
		mint_kexec --mint-cpu="$boot" --mem-min="$min" \
		--mem-max="$max" "$MINT_KERNEL"
}

keep_nonsense() {
	resources 1
	for size in junk 1x "" -1; do
		cmdline="maxcpus=1 mint.keep=$size"
		refused "mint.keep=" "is not a size|the image needs|has no" \
			"in bytes|0 keeps none|raise --mem-max" \
			mint_kexec --mint-cpu="$boot" --mem-min="$min" \
			--mem-max="$max" "$MINT_KERNEL"
	done
}

keep_more() {
	initrd_with "$HERE/way.sh"
	resources 1
	cmdline="maxcpus=1 mint.keep=32M way=reboot_f mint.test=/test/way.sh" start
	loop_until 120 has_booted 2 || fail "boot $(boots "$node")"
	runs "$node"
}

# The clock goes on as it was set, not as it was at the launch.
clock_goes_on() {
	tells_the_year() {
		grep -q "way.sh: the year is" "$MINT/nodes/$node/log"
	}
	initrd_with "$HERE/way.sh"
	resources 1
	cmdline="maxcpus=1 way=new_year mint.test=/test/way.sh" start
	loop_until 120 tells_the_year ||
		fail "node $node is $(state "$node"), boot $(boots "$node")"
	year=$(sed -n 's/.*way.sh: the year is //p' "$MINT/nodes/$node/log")
	[ "$year" = 2041 ] || fail "the year was 2041, it is $year"
}

run_tests one_core three_cores clock_goes_on keep_nothing keep_nothing_panic \
	keep_too_little keep_nonsense keep_more
