#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Ways out of a successor: none of them reaches the machine, all of them give
# back what the node had. run_test compares the machine before and after.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # run_tests calls the tests by name
. "$(dirname "$0")/functions.sh"
need_mint

# A successor that panics is what some of these tests ask for.
# shellcheck disable=SC2034 # read by settle()
panic_is_bad="no panic is"

# end_by <cores> <append> <command>: a successor ends itself by a command that
# its init runs, another one beside it lives on
end_by() {
	need_cores $(($1 + 1))
	launch 1
	beside=$node
	echo "$3" >"$TMP/end.sh"
	initrd_with "$TMP/end.sh"
	resources "$1"
	cmdline="maxcpus=$1 $2 mint.test=/test/end.sh" start
	loop_until 120 over "$node" ||
		fail "node $node is $(state "$node") after: $3"
	alive "$beside"
}

poweroff_at_once() {
	end_by 2 "" "/bin/busybox poweroff -f"
}

halt_at_once() {
	end_by 2 "" "/bin/busybox halt -f"
}

reboot_at_once() {
	end_by 2 "" "/bin/busybox reboot -f"
}

sysrq_off() {
	end_by 2 "" "echo o >/proc/sysrq-trigger"
}

sysrq_boot() {
	end_by 2 "" "echo b >/proc/sysrq-trigger"
}

panic_stays() {
	end_by 2 "panic=0" "echo c >/proc/sysrq-trigger"
}

panic_at_once() {
	end_by 2 "panic=-1" "echo c >/proc/sysrq-trigger"
}

panic_after_a_second() {
	end_by 1 "panic=1" "echo c >/proc/sysrq-trigger"
}

# A kernel that finds no init panics before there is user space.
no_init() {
	need_cores 2
	launch 1
	beside=$node
	resources 1
	cmdline="maxcpus=1 rdinit=/none init=/none" start
	loop_until 120 over "$node" || fail "node $node is $(state "$node")"
	alive "$beside"
}

run_tests poweroff_at_once halt_at_once reboot_at_once sysrq_off sysrq_boot \
	panic_stays panic_at_once panic_after_a_second no_init
