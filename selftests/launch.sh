#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Launching: one core and more, in one step and in two, several at a time,
# and the end of each by an orderly power-off.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # run_tests calls the tests by name
. "$(dirname "$0")/functions.sh"
need_mint

# owns <node> <ids> <start> <end>: sysfs says that these are its resources
owns() {
	[ "$(expand "$(cat "$MINT/nodes/$1/cpus")")" = "$2 " ] ||
		fail "node $1 has cores $(cat "$MINT/nodes/$1/cpus"), not $2"
	[ "$(cores_of "node $1")" = "$2 " ] ||
		fail "cores: node $1 has $(cores_of "node $1"), not $2"
	# shellcheck disable=SC2046 # two words a line
	set -- "$1" "$3" "$4" $(owned_by "node $1")
	[ $# = 5 ] || fail "memory: node $1 has $(($# / 2 - 1)) ranges, not 1"
	[ "$(($2)) $(($3))" = "$(($4)) $(($5))" ] ||
		fail "memory: node $1 has $4-$5, not $2-$3"
}

# launch and stop a successor with so many cores
launch_cores() {
	launch "$1"
	owns "$node" "$ids" "$min" "$max"
	[ "$(cat "$MINT/nodes/$node/boots")" = 1 ] ||
		fail "node $node: boots $(cat "$MINT/nodes/$node/boots")"
	stop "$node" || exit 1
	# shellcheck disable=SC2086 # one word for each core
	for id in $ids; do
		cores_of free | grep -qw "$id" || fail "core $id is not free"
	done
}

one_core() {
	launch_cores 1
}

two_cores() {
	launch_cores 2
}

three_cores() {
	launch_cores 3
}

# a core too many for the kernel: node 0 says that it does not run
fewer_cores() {
	resources 2
	cmdline="maxcpus=2 nr_cpus=1" start
	runs "$node"
	missing=${ids##* }
	loop_until 30 told_of_fewer || fail "reason: $(reason "$node")"
	[ "$(cat "$MINT/nodes/$node/cpus_up")" = "$boot" ] ||
		fail "cpus_up: $(cat "$MINT/nodes/$node/cpus_up"), not $boot"
	[ "$(cores_of "node $node")" = "$ids " ] ||
		fail "node $node has cores $(cores_of "node $node"), not $ids"
	loop_until 20 grep -q "1 of 2 cores came up, without APIC ID $missing" \
		"$MINT/nodes/$node/log" || fail "its log does not say so"
	dmesg | grep "node $node is up with 1 of 2 cores" >/dev/null ||
		fail "node 0's log does not say so"
	alive "$node"
}

told_of_fewer() {
	reason "$node" | grep -qx \
		"up with 1 of 2 cores, without APIC ID $missing"
}

# cores by an explicit list, the boot core not the lowest
core_list() {
	resources 2
	first=$boot
	boot=${ids##* }
	start --mint-cpus="$boot,$first"
	runs "$node"
	[ "$(cores_of "node $node")" = "$ids " ] ||
		fail "node $node has cores $(cores_of "node $node"), not $ids"
}

# maxcpus= adds free cores above the boot core; when there are too few, one below
# it is not taken in their place
not_below_boot_core() {
	resources 3
	# shellcheck disable=SC2086 # one word for each core
	set -- $ids
	boot=$2
	cmdline="maxcpus=2" start
	runs "$node"
	[ "$(cores_of "node $node")" = "$2 $3 " ] ||
		fail "node $node has cores $(cores_of "node $node"), not $2 $3"
	cores_of free | grep -qw "$1" ||
		fail "core $1, below boot core $boot, was taken"
	stop "$node" || exit 1
	# shellcheck disable=SC2046 # one word for each core
	boot=$(printf '%s\n' $(cores_of free) | tail -n 1)
	cmdline="maxcpus=2" refused "maxcpus=2 asks for 2 cores" \
		"from APIC ID $boot on, 1 are free" "end a node.*lower maxcpus" try
}

name() {
	launch 1 --mint-name=somebody
	[ "$(cat "$MINT/nodes/$node/name")" = somebody ] ||
		fail "name is $(cat "$MINT/nodes/$node/name")"
}

# load, then start
load_then_exec() {
	resources 1
	cmdline="maxcpus=1" load
	loaded=$node
	owns "$node" "$ids" "$min" "$max"
	start_loaded
	[ "$node" = "$loaded" ] || fail "loaded $loaded, started $node"
	runs "$node"
}

# several images loaded at a time, started in the other order
several_loaded() {
	resources 2
	one=${ids% *}
	two=${ids#* }
	for boot in $one $two; do
		# shellcheck disable=SC2046 # two words
		set -- $(free_memory "$MINT_SIZE")
		[ $# = 2 ] || skip "needs two ranges of $MINT_SIZE MiB"
		min=$1
		max=$2
		cmdline="maxcpus=1" load
	done
	last=$node
	boot=$two
	start_loaded
	[ "$node" = "$last" ] || fail "started $node, not $last"
	runs "$node"
	boot=$one
	start_loaded
	[ "$node" != "$last" ] || fail "started $node twice"
	runs "$node"
	alive "$last"
}

unload() {
	resources 1
	snapshot unload
	cmdline="maxcpus=1" load
	same_as unload && fail "loading changed nothing"
	"$MINT_KEXEC" -u --mint-cpu="$boot" >/dev/null || fail "kexec -u failed"
	unchanged unload || exit 1
	refused "APIC ID $boot|core $boot" "loaded|no node" "load|-l" \
		"$MINT_KEXEC" -e --mint-cpu="$boot"
}

# two successors from the same image file, alive at the same time
same_image() {
	need_cores 2
	launch 1
	one=$node
	launch 1
	two=$node
	[ "$one" != "$two" ] || fail "both are node $one"
	alive "$one"
	alive "$two"
	# The end of one is nothing to the other.
	stop "$one" || exit 1
	alive "$two"
}

# an ELF image in place of a bzImage
elf_image() {
	MINT_KERNEL=${MINT_VMLINUX:-${MINT_KERNEL%/*}/vmlinux}
	[ -r "$MINT_KERNEL" ] || skip "no $MINT_KERNEL"
	launch 1
}

# files in the page cache, which kexec maps: what it changes is its own copy
cached_image() {
	need_cores 2
	bzimage=$MINT_KERNEL
	vmlinux=${MINT_VMLINUX:-${MINT_KERNEL%/*}/vmlinux}
	[ -r "$vmlinux" ] || skip "no $vmlinux"
	cp "$MINT_INITRD" "$TMP/initrd" || fail "no room for a copy"
	MINT_INITRD=$TMP/initrd
	MINT_KERNEL=$TMP/image
	for image in "$bzimage" "$vmlinux"; do
		cp "$image" "$TMP/image" || fail "no room for a copy"
		launch 1
		one=${one:-$node}
		cmp "$image" "$TMP/image" || fail "the launch changed its file"
	done
	alive "$one"
	alive "$node"
}

# the same core and memory again and again
again() {
	for round in 1 2 3; do
		launch 1
		[ "$round" = 1 ] || [ "$boot $min" = "$was" ] ||
			fail "round $round: $boot $min, not $was"
		was="$boot $min"
		stop "$node" || exit 1
	done
}

run_tests one_core two_cores three_cores fewer_cores core_list not_below_boot_core \
	name load_then_exec several_loaded unload same_image \
	elf_image cached_image again
