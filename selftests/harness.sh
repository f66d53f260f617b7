#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What functions.sh promises: a test whose successor complains fails, unless the
# test expects just that; a helper that is missing fails it, too. Each test here
# runs this program once more with a test that has to fail, or to pass.

# shellcheck source-path=SCRIPTDIR disable=SC2317,SC3043
. "$(dirname "$0")/functions.sh"
need_mint

# ---- tests that are run by tests --------------------------------------------

# warned: a successor has a WARNING in its log, and runs on
warned() {
	more="mint.test=/test/warn.sh" launch 1
	loop_until 60 grep -q "mint: provoked" "$MINT/nodes/$node/log" ||
		fail "node $node has not warned"
}

make_warner() {
	echo "echo warn >/sys/kernel/debug/mint/provoke" >"$TMP/warn.sh"
	initrd_with "$TMP/warn.sh"
}

inner_quiet() {
	launch 1
}

inner_warns() {
	make_warner
	warned
}

inner_warns_as_expected() {
	expects "WARNING: CPU: [0-9]* .* provoke_warn"
	make_warner
	warned
}

inner_warns_otherwise() {
	expects "Kernel panic"
	make_warner
	warned
}

# Its number goes to a node that says nothing.
inner_warned_before() {
	make_warner
	warned
	stop "$node" || exit 1
	launch_as "$node"
}

inner_no_helper() {
	MINT_BIN=/nonexistent
	need_helper tlb_storm
}

inner_leaves_a_core() {
	local cpu

	for cpu in /sys/devices/system/cpu/cpu[1-9]*; do
		[ "$(cat "$cpu/online")" = 0 ] || continue
		echo 1 >"$cpu/online" || fail "${cpu##*/} does not come up"
		echo "$cpu" >"$MINT_LEFT"
		return 0
	done
	fail "no core to leave behind"
}

# By a level that the console does not show.
inner_complains() {
	echo "<7>WARNING: CPU: 0 PID: 0 of no kernel" >/dev/kmsg
}

# ---- the tests --------------------------------------------------------------

# inner <test>: run it alone; its KTAP is in $TMP/ktap, its status in $rc
inner() {
	MINT_INNER=$1 MINT_LEFT=$TMP/left patience=${patience:-} sh "$0" >"$TMP/ktap" 2>&1
	rc=$?
}

# passes <test>
passes() {
	inner "$1"
	grep -q "^ok 1 $1\$" "$TMP/ktap" || fail "$1: $(cat "$TMP/ktap")"
	[ "$rc" = 0 ] || fail "$1: status $rc"
}

# fails <test> <reason>: and says why
fails() {
	inner "$1"
	grep -q "^not ok 1 $1\$" "$TMP/ktap" || fail "$1: $(cat "$TMP/ktap")"
	grep -Eq "^# .*$2" "$TMP/ktap" || fail "$1 fails for another reason: \
$(cat "$TMP/ktap")"
	[ "$rc" = 1 ] || fail "$1: status $rc"
}

# need_warner: of what the nodes of an inner test say, this program hears, too
need_warner() {
	expects "provoke_warn"
	need_provoke
}

quiet_node() {
	passes inner_quiet
}

warning_in_successor() {
	need_warner
	fails inner_warns "node [0-9]*: .*WARNING: CPU"
	fails inner_warns_otherwise "node [0-9]*: .*WARNING: CPU"
}

warning_before_reuse() {
	need_warner
	fails inner_warned_before "node [0-9]*: .*WARNING: CPU"
}

expected_warning() {
	need_warner
	passes inner_warns_as_expected
}

helper_missing() {
	fails inner_no_helper "no /nonexistent/tlb_storm"
}

# What a test leaves behind is found: the machine is not as it was.
left_behind() {
	patience=3 fails inner_leaves_a_core "machine is not as it was"
	echo 0 >"$(cat "$TMP/left")/online" || fail "it does not go down again"
}

# A complaint is found in a log that is full, where an old line goes for each new one.
full_log() {
	local i=0

	while [ "$i" -lt 3000 ]; do
		echo "<7>mint selftests: line $i ..........................................." \
			>/dev/kmsg
		i=$((i + 1))
	done
	expects "of no kernel"
	fails inner_complains "kernel: .*of no kernel"
}

no_such_test() {
	sh "$0" no_test_at_all >"$TMP/ktap" 2>&1 &&
		fail "a test that is not there passes: $(cat "$TMP/ktap")"
	grep -q "no test no_test_at_all" "$TMP/ktap" || fail "$(cat "$TMP/ktap")"
}

if [ -n "${MINT_INNER:-}" ]; then
	run_tests "$MINT_INNER"
fi
run_tests quiet_node warning_in_successor warning_before_reuse expected_warning \
	helper_missing left_behind full_log no_such_test
