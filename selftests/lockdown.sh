#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Lockdown: a kernel that takes no unsigned kernel takes no successor either.
# Destructive: lockdown stays until the next boot of node 0.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # run_tests calls the tests by name
. "$(dirname "$0")/functions.sh"
need_mint

lockdown=/sys/kernel/security/lockdown
[ -w "$lockdown" ] || skip_all "no $lockdown"

# Before: a launch works. After: it is refused, and a node that was launched
# before lives on and can be stopped.
integrity() {
	launch 1
	snapshot lockdown
	grep -q '\[none\]' "$lockdown" || skip "already: $(cat "$lockdown")"
	echo integrity >"$lockdown" || fail "cannot switch lockdown on"
	resources 1
	cmdline="maxcpus=1" refused "lets nobody load a kernel" \
		"/sys/kernel/security/lockdown" \
		"sysctl kernel.kexec_load_disabled" mint_kexec --mint-cpu="$boot" \
		--mem-min="$min" --mem-max="$max" "$MINT_KERNEL"
	unchanged lockdown || exit 1
	alive "$node"
}

# The sysctl that closes kexec for good does so for Mint, too.
load_disabled() {
	knob=/proc/sys/kernel/kexec_load_disabled
	[ -w "$knob" ] || skip "no $knob"
	echo 1 >"$knob"
	resources 1
	[ "$(cat "$knob")" = 1 ] || fail "$knob is $(cat "$knob")"
	cmdline="maxcpus=1" refused "lets nobody load a kernel" \
		"/sys/kernel/security/lockdown" \
		"sysctl kernel.kexec_load_disabled" mint_kexec \
		--mint-cpu="$boot" --mem-min="$min" --mem-max="$max" \
		"$MINT_KERNEL"
}

# A limit of loading is for loading: to start and to unload counts nothing.
load_limit() {
	knob=/proc/sys/kernel/kexec_load_limit_reboot
	[ -w "$knob" ] || skip "no $knob"
	echo 20 >"$knob" || fail "cannot set $knob"
	resources 1
	cmdline="maxcpus=1" load
	[ "$(cat "$knob")" = 19 ] || fail "a load counts $((20 - $(cat "$knob")))"
	"$MINT_KEXEC" -u --mint-cpu="$boot" >/dev/null || fail "kexec -u failed"
	[ "$(cat "$knob")" = 19 ] || fail "unloading has counted"
	cmdline="maxcpus=1" load
	start_loaded
	[ "$(cat "$knob")" = 18 ] || fail "starting has counted: $(cat "$knob")"
	runs "$node"
}

run_tests load_limit integrity load_disabled
