#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# When successors reach the phases of their boot, by the TSC: every phase has
# its stamp, in its order, from one clock for all nodes. The stamps are printed,
# so that this is also the measurement on metal; scripts/bench makes tables.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # run_tests calls the tests by name
. "$(dirname "$0")/functions.sh"
need_mint
all_need_init

# What every successor must tell; the decompressor's stamp needs KASLR.
phases="begin load copy loaded start ipi gateway purgatory start_kernel \
kernel_init initcalls init services"

# timing [<option>...]: launch and keep the stamps in $TMP/stamps
timing() {
	need_helper boot_timing
	"$TMP/boot_timing" -x "$MINT_KEXEC" -i "$MINT_INITRD" \
		-a "${MINT_APPEND:-}" -m "$MINT_SIZE" \
		-t $((120 * MINT_SLOW)) "$@" "$MINT_KERNEL" \
		>"$TMP/stamps" 2>"$TMP/err" || fail "$(cat "$TMP/err")"
	sed 's/^/# stamp /' "$TMP/stamps"
}

# stamp <index> <phase>: its TSC
stamp() {
	sed -n "s/^$1 [0-9]* $2 //p" "$TMP/stamps"
}

# in_order <index>: all phases are there, none before the one in front of it
in_order() {
	last=0
	for phase in $phases; do
		now=$(stamp "$1" "$phase")
		[ -n "$now" ] || fail "successor $1 has no stamp of $phase"
		# With -e, the start is asked for after the load.
		[ "$now" -ge "$last" ] || [ "$phase" = start ] ||
			fail "successor $1: $phase at $now, before $last"
		last=$now
	done
}

# one launch
one() {
	need_cores 1
	timing
	in_order 0
}

# load first, start later
load_then_start() {
	need_cores 1
	timing -e
	in_order 0
	[ "$(stamp 0 execute)" -gt "$(stamp 0 loaded)" ] ||
		fail "it was loaded after it was started"
}

# two, one after the other: the second begins when the first is up
serial() {
	need_cores 2
	timing -n 2
	in_order 0
	in_order 1
	[ "$(stamp 1 begin)" -gt "$(stamp 0 services)" ] ||
		fail "the second did not wait for the first"
}

# two at once: the second begins before the first is up
parallel() {
	need_cores 2
	timing -n 2 -p
	in_order 0
	in_order 1
	[ "$(stamp 1 begin)" -lt "$(stamp 0 services)" ] ||
		fail "the second waited for the first"
}

# two at once, by one call of kexec
list() {
	need_cores 2
	timing -n 2 -l
	in_order 0
	in_order 1
	[ "$(stamp 1 begin)" = "$(stamp 0 begin)" ] ||
		fail "there was more than one call"
}

# own stamps: node 0 has some, and a mark is the present time
own() {
	for phase in start_kernel kernel_init initcalls; do
		grep -q "^$phase [0-9]" "$MINT/timing" || fail "no $phase"
	done
	echo mark >"$MINT/timing" || fail "mark cannot be written"
	before=$(sed -n 's/^mark //p' "$MINT/timing")
	echo mark >"$MINT/timing"
	[ "$(sed -n 's/^mark //p' "$MINT/timing")" -gt "$before" ] ||
		fail "the mark does not move"
	if echo kernel_init 2>/dev/null >"$MINT/timing"; then
		fail "user space can write the kernel's stamps"
	fi
}

run_tests own one load_then_start serial parallel list
