#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Ways out of a successor, each with one core and with three, idle and under
# load: none reaches the machine, each says how it ended, all give back what the
# node had, or start again in it. Another successor lives beside them all.
# run_test compares the machine before and after.
#
# A test is called <way>_<cores>_<idle|busy>; the words are those of way.sh. With
# MINT_CORNERS=1 only two of the four cells of a way are run: one core that is
# idle, and three that are busy.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # run_tests calls the tests by name
. "$(dirname "$0")/functions.sh"
need_mint
all_need_init

# A successor that panics is what some of these tests ask for.
# shellcheck disable=SC2034 # read by settle()
panic_is_bad="no panic is"

# Rows of /proc/interrupts that nobody else may make grow in node 0: the last
# three come from its own cores if it has several.
foreign() {
	awk -v cpus="$(grep -c ^processor /proc/cpuinfo)" '
		/^ *(NMI|SPU|ERR|MIS):/ ||
		cpus == 1 && /^ *(RES|CAL|TLB):/ {
			for (i = 2; i <= NF && $i ~ /^[0-9]+$/; i++)
				sum += $i
		}
		END { print sum + 0 }' /proc/interrupts
}

# go_away <way> <cores> <idle|busy> [<append>]: launch a node that ends itself
go_away() {
	load=0
	[ "$3" = idle ] || load=$2
	resources "$2"
	MINT_INITRD=$TMP/way.initrd
	[ "$1" != kexec_e ] || MINT_INITRD=$TMP/kexec.initrd
	cmdline="maxcpus=$2 way=$1 way.load=$load ${4:-mint.test=/test/way.sh}"
	set --
	# Its interrupts are the load, if this machine has the device to lend.
	grep -q '^com2 ' "$MINT/devices" || set -- --mint-devices=com2
	foreign=$(foreign)
	start "$@"
}

# stayed_away: what it did was not felt here
stayed_away() {
	[ "$(foreign)" = "$foreign" ] ||
		fail "node 0 has seen $(($(foreign) - foreign)) foreign interrupts"
	alive "$beside"
}

# gone_as <state> <reason>: it has ended so, and says so
gone_as() {
	wait_state "$node" 120 ended panicked silent quarantine
	in_state "$node" "$1" ||
		fail "node $node is $(state "$node") ($(reason "$node")), not $1"
	reason "$node" | grep -q "$2" ||
		fail "the reason is '$(reason "$node")', not '$2'"
	over "$node" || fail "node $node has ended and owns something"
	[ "$(boots "$node")" = 1 ] || fail "it has booted $(boots "$node") times"
	stayed_away
}

# second_boot: it has started again, with all it had
second_boot() {
	[ "$(boots "$node")" = 2 ]
}

back_again() {
	loop_until 120 second_boot ||
		fail "node $node is $(state "$node") ($(reason "$node")), boot $(boots "$node")"
	runs "$node"
	second_boot || fail "it has booted $(boots "$node") times"
	[ "$(cores_of "node $node")" = "$ids " ] ||
		fail "it has cores $(cores_of "node $node"), not $ids"
	[ "$(owned_by "node $node" | wc -l)" = 1 ] ||
		fail "it has memory: $(owned_by "node $node")"
	stayed_away
}

# hung: found out by node 0, not by itself
hung() {
	wait_state "$node" 120 silent quarantine ended panicked
	in_state "$node" silent || fail "node $node is $(state "$node"), not silent"
	reason "$node" | grep -q "no heartbeat for" ||
		fail "the reason is '$(reason "$node")'"
	over "$node" && fail "what a silent node has was taken away"
	stayed_away
}

# parked_by <reason>: "park" does for it
parked_by() {
	hung
	echo park >"$MINT/nodes/$node/stop" || fail "park failed"
	gone_as ended "$1"
}

# A core that no NMI reaches: park gives up and says so, force does not ask.
deaf_core() {
	hung
	echo park 2>"$TMP/err" >"$MINT/nodes/$node/stop" && fail "park succeeded"
	grep -qi "timed out" "$TMP/err" || fail "park: $(cat "$TMP/err")"
	in_state "$node" silent || fail "node $node is $(state "$node"), not silent"
	reason "$node" | grep -q "APIC ID ${ids##* } did not park on NMI" ||
		fail "the reason is '$(reason "$node")'"
	echo force >"$MINT/nodes/$node/stop" || fail "force failed"
	gone_as ended "reset by INIT"
}

# cell <way> <cores> <idle|busy>: one of the matrix
cell() {
	local way="$1"

	shift
	case $way in
	exit)
		expects "Attempted to kill init"
		;;
	panic_*)
		expects "sysrq triggered crash"
		;;
	oops)
		expects "NULL pointer dereference, address: 0*10\$|Oops:|provoke_oops"
		;;
	hang_* | deaf)
		# What the cores that still run say of the one that does not
		expects "stall|lockup|blocked for more"
		;;
	esac
	case $way in
	poweroff | poweroff_f)
		go_away "$way" "$@"
		gone_as ended "powered off"
		;;
	halt | halt_f)
		go_away "$way" "$@"
		gone_as ended "halted"
		;;
	reboot | reboot_f)
		go_away "$way" "$@"
		back_again
		;;
	sysrq_b)
		go_away "$way" "$@"
		back_again
		;;
	sysrq_o)
		go_away "$way" "$@"
		gone_as ended "powered off"
		;;
	exit)
		go_away exit "$@" "rdinit=/test/way.sh panic=0"
		gone_as panicked "panic: Attempted to kill init"
		;;
	panic_0)
		go_away sysrq_c "$@" "mint.test=/test/way.sh panic=0"
		gone_as panicked "panic: sysrq triggered crash"
		;;
	panic_[15])
		go_away sysrq_c "$@" \
			"mint.test=/test/way.sh panic=${way#panic_}"
		wait_state "$node" 120 panicked silent quarantine ended
		in_state "$node" panicked || second_boot ||
			fail "node $node is $(state "$node"), not panicked"
		over "$node" && fail "it will be back, and owns nothing"
		back_again
		;;
	panic_now)
		go_away sysrq_c "$@" "mint.test=/test/way.sh panic=-1"
		back_again
		;;
	oops)
		go_away oops "$@"
		gone_as ended "powered off"
		;;
	kexec_e)
		go_away kexec_e "$@"
		gone_as ended "kexec of an image that has no hand-over"
		;;
	hang_one | hang_all)
		go_away "$way" "$@"
		parked_by "parked by NMI from node 0"
		;;
	deaf)
		go_away deaf "$@"
		deaf_core
		;;
	esac
}

# A kernel that finds no init panics before there is user space.
no_init() {
	expects "Kernel panic - not syncing: (No working init|VFS: Unable to mount root)"
	go_away none 1 idle "panic=0 rdinit=/none init=/none"
	gone_as panicked "panic: .*\(init found\|mount root fs\)"
}

panic_after_5_seconds() {
	cell panic_5 1 idle
}

# A node has panicked, and one of its cores does not park by itself. A force then leaves
# the state and the reason that the node has given.
force_after_panic() {
	expects "sysrq triggered crash"
	expects "stall|lockup|blocked for more"
	go_away deaf_panic 2 idle "mint.test=/test/way.sh panic=0"
	# On a busy host it is silent first: its cores are stopped before it says so.
	wait_state "$node" 120 ending panicked ended quarantine
	# It fails if the node is over already
	echo force 2>/dev/null >"$MINT/nodes/$node/stop"
	gone_as panicked "panic: sysrq triggered crash"
}

need_beside
cp "$MINT_KERNEL" "$TMP/bzImage"
make_initrd "$TMP/way.initrd" "$HERE/way.sh" "$MINT_BIN/tlb_storm"
make_initrd "$TMP/kexec.initrd" "$HERE/way.sh" "$MINT_BIN/tlb_storm" "$TMP/bzImage"

# A gap in the heartbeat of the node beside would be found, and a hang is found
# without a long wait.
was=$(parameter lost_ms)
parameter lost_ms $((4000 * MINT_SLOW))
at_end() {
	parameter lost_ms "$was"
}

all=
for way in poweroff poweroff_f halt halt_f reboot reboot_f exit panic_0 \
	panic_1 panic_now oops sysrq_b sysrq_o kexec_e hang_one hang_all deaf; do
	for cores in 1 3; do
		# All cores of one core is one core.
		[ $way$cores != hang_one1 ] || continue
		for load in idle busy; do
			name=${way}_${cores}_$load
			eval "$name() { cell $way $cores $load; }"
			case ${MINT_CORNERS:-0}$cores$load in
			11busy | 13idle)
				;;
			*)
				all="$all $name"
				;;
			esac
		done
	done
done

# shellcheck disable=SC2086 # one word for each test
run_tests $all panic_after_5_seconds force_after_panic no_init
