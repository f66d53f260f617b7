#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Trust: a successor scribbles over all that it may write, kexec_load() gets
# nonsense, kexec gets images with damaged bytes; node 0 and the node beside do
# not mind, and all comes back. What is
# random comes from seeds that are printed: MINT_SEED is the first of them,
# MINT_ROUNDS how many.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # run_tests calls the tests by name
. "$(dirname "$0")/functions.sh"
need_mint

: "${MINT_SEED:=1}"
: "${MINT_ROUNDS:=4}"

# A record that says "panicked" is what scribbling may make.
# shellcheck disable=SC2034 # read by settle()
panic_is_bad="no panic is"

# look_around: what is shown of the scribbled node is shown without harm. Its
# log may be any bytes, and by its counts without end.
look_around() {
	local file

	for file in "$MINT/nodes/$node"/* "$MINT/cores" "$MINT/memory" \
		"$MINT/devices" "$MINT/pins"; do
		case ${file##*/} in
		stop)
			;;
		log)
			head -c "$((MIB / 4))" "$file" >"$TMP/node_log" ||
				fail "reading $file: status $?"
			[ "$(wc -c <"$TMP/node_log")" -le $((MIB / 4)) ] ||
				fail "$file gives more than was asked for"
			;;
		*)
			[ "$(wc -c <"$file")" -le 4096 ] ||
				fail "$file has more than a page"
			;;
		esac
	done
}

# forced: the node is over. It may end by itself between a look and the order,
# which then finds nobody, or node 0 on it.
forced() {
	over "$node" || echo force >"$MINT/nodes/$node/stop" || over "$node"
}

# scribble <cores>: each seed is a node that scribbles while it lives
scribble() {
	need_cores "$1"
	initrd_with "$HERE/way.sh"
	seed=$MINT_SEED
	while [ $((seed - MINT_SEED)) -lt "$MINT_ROUNDS" ]; do
		resources "$1"
		say "seed $seed, $1 cores"
		cmdline="maxcpus=$1 way=scribble:$seed:2000000 mint.test=/test/way.sh"
		start
		# Its log is among what it may write: there may be anything.
		expects "^node $node: "
		wait_state "$node" 60 running ended panicked silent quarantine
		# Long enough for the others to look at it several times
		last=$(beat "$beside")
		while ! beyond "$beside" $((last + 30)); do
			look_around
			pause
		done
		alive "$beside"
		loop_until 60 forced ||
			fail "seed $seed: force fails, node $node is $(state "$node"): $(reason "$node")"
		alive "$beside"
		same_as before ||
			fail "$(diff "$TMP/state.before" "$TMP/state.now")"
		seed=$((seed + 1))
	done
}

scribble_one_core() {
	scribble 1
}

scribble_three_cores() {
	scribble 3
}

# What node 0 has is not what its record says.
record_of_node0() {
	initrd_with "$HERE/way.sh"
	cat "$MINT/memory" "$MINT/devices" >"$TMP/owners"
	owned_by "node 0" >"$TMP/mine"
	resources 1
	cmdline="maxcpus=1 way=erase mint.test=/test/way.sh" start
	runs "$node"
	erased() {
		grep -q "way.sh: erased" "$MINT/nodes/$node/log"
	}
	loop_until 60 erased || fail "node $node does not erase it"
	stop "$node" || exit 1
	cat "$MINT/memory" "$MINT/devices" >"$TMP/owners.now"
	cmp -s "$TMP/owners" "$TMP/owners.now" ||
		fail "$(diff "$TMP/owners" "$TMP/owners.now")"
	# The end of the largest range: its start may be in the first MiB.
	# shellcheck disable=SC2046 # two words
	set -- $(while read -r first last; do
		echo $((last - first)) "$last"
	done <"$TMP/mine" | sort -n | tail -n 1)
	resources 1
	refused "memory" "node 0" "outside of mint.mem=" \
		mint_kexec --mint-cpu="$boot" --mem-max="$2" \
		--mem-min="$(printf '0x%x' $(($2 + 1 - MINT_SIZE * MIB)))" \
		"$MINT_KERNEL"
}

# broken: how often node 0 took the lock of the PCI ports from its holder
broken() {
	sed -n 's/^pci: taken [0-9]*, broken \([0-9]*\),.*/\1/p' \
		/sys/kernel/debug/mint/locks
}

# need_lock: node 0 shows its locks, and there is something to read by the ports
need_lock() {
	[ -n "$(broken)" ] || skip "no /sys/kernel/debug/mint/locks"
	config=$(echo /sys/bus/pci/devices/*/config | cut -d' ' -f1)
	[ -r "$config" ] || skip "no PCI function"
	before=$(broken)
}

# holder <way>: a successor that does this with the lock of the PCI ports
holder() {
	initrd_with "$HERE/way.sh"
	resources 1
	cmdline="maxcpus=1 way=$1 mint.test=/test/way.sh" start
	loop_until 60 said "way: $1" || fail "node $node never said '$1'"
}

# said <expression>: the log of the node has such a line
said() {
	grep -q "$1" "$MINT/nodes/$node/log"
}

# read_config [<expression>]: node 0 needs the lock, again and again: for a
# hundred times, or until the node has said this
read_config() {
	local i=0

	while [ "$i" -lt 100 ] || [ -n "$1" ]; do
		cat "$config" >/dev/null || fail "reading $config: status $?"
		[ -z "$1" ] || ! said "$1" || return 0
		i=$((i + 1))
		[ "$i" -lt $((2000 * MINT_SLOW)) ] || fail "node $node never said $1"
	done
}

# A holder that is slow, for whatever reason, and lives: nobody steals
lock_held_long() {
	need_lock
	holder hold:pci:2000
	read_config "way: pci:"
	alive "$node"
	[ "$(broken)" = "$before" ] || fail "node 0 took the lock from it"
	# Its own measure: it had the lock all the time, and gave it back.
	said 'way: pci: .* broken 0, longest \([2-9][0-9]\{9\}\|[0-9]\{11,\}\) ns' ||
		fail "$(grep "way: pci:" "$MINT/nodes/$node/log")"
	alive "$beside"
}

# A core that parks in the middle of a section: it says so, and is reset
lock_of_parked() {
	need_lock
	holder die:pci
	loop_until 60 taken_once || fail "broken $before times before, $(broken) now"
	read_config
	[ "$(broken)" = $((before + 1)) ] || fail "broken $(broken) times"
	alive "$beside"
	echo force >"$MINT/nodes/$node/stop" || fail "force fails"
	over "$node" || fail "node $node is $(state "$node")"
}

# A core that hangs in a section: reset when its heart has stood still long
# enough, whoever needs the lock goes on
lock_of_hung() {
	need_lock
	holder hold:pci:0
	read_config
	loop_until 60 taken_once || fail "broken $before times before, $(broken) now"
	dmesg | grep -q 'node '"$node"' has the lock "pci".*reset by INIT' ||
		fail "nothing is said of the reset"
	alive "$beside"
	echo force >"$MINT/nodes/$node/stop" || fail "force fails"
	over "$node" || fail "node $node is $(state "$node")"
}

taken_once() {
	[ "$(broken)" = $((before + 1)) ]
}

# What a peer makes of the memory map in the common area is nothing to node 0
map_of_liar() {
	cat >"$TMP/liar.sh" <<-'END'
		echo "map 1" >/sys/kernel/debug/mint/provoke
		echo "<5>liar: all is free" >/dev/kmsg
		mkfifo /run/back
		read -r -t 120 _ <>/run/back
		echo "map 0" >/sys/kernel/debug/mint/provoke
		echo "<5>liar: as it was" >/dev/kmsg
	END
	initrd_with "$TMP/liar.sh"
	resources 1
	cmdline="maxcpus=1 mint.test=/test/liar.sh" start
	runs "$node"
	loop_until 60 said "liar: all is free" || fail "it does not lie"
	grep -q ' reserved$' "$MINT/memory" || fail "nothing is reserved any more"
	echo "echo >/run/back" >"/dev/mint$node"
	loop_until 60 said "liar: as it was" || fail "it goes on lying"
	alive "$beside"
}

# no_complaint: nothing in the log so far, which is thrown away: it fills up
no_complaint() {
	dmesg -c >"$TMP/log"
	if grep -E -- "$complaint" "$TMP/log" >"$TMP/bad"; then
		fail "kernel: $(head -5 "$TMP/bad")"
	fi
}

# all_back: memory, of which the kernel frees some a while after it was given back
all_back() {
	now=$(memory_left)
	[ $((left - now)) -le 1024 ]
}

# Wrong requests of all kinds, valid ones among them, which are unloaded
kexec_load() {
	resources 1
	need_helper fuzz_kexec
	dmesg -n 1
	seed=$MINT_SEED
	while [ $((seed - MINT_SEED)) -lt $((MINT_ROUNDS * 2)) ]; do
		"$TMP/fuzz_kexec" "$seed" 300 "$boot" "$min" "$max" >"$TMP/out" 2>&1
		rc=$?
		say "$(cat "$TMP/out")"
		[ "$rc" = 0 ] || break
		same_as before || break
		no_complaint
		[ "$seed" != "$MINT_SEED" ] || left=$(memory_left)
		seed=$((seed + 1))
	done
	dmesg -n 7
	[ "$rc" = 0 ] || fail "seed $seed: status $rc"
	[ $((seed - MINT_SEED)) = $((MINT_ROUNDS * 2)) ] ||
		fail "seed $seed: the machine has changed"
	loop_until 20 all_back ||
		fail "node 0 had $left KiB left after the first round, now $now"
	alive "$beside"
}

# hurt <seed> <image> <offset> <length>: $TMP/image, with some bytes damaged
hurt() {
	cp "$2" "$TMP/image" || fail "no room for a copy"
	hurt=$("$TMP/damage" "$1" "$TMP/image" "$3" "$4" $((1 + $1 % 3))) ||
		fail "no damage"
}

# refused_damaged [<option>]: the image is refused, with one line
refused_damaged() {
	if cmdline="maxcpus=1" image=$TMP/image try "$@" >"$TMP/out" \
		2>"$TMP/err"; then
		node=$(sed -n 's/^node \([0-9]*\) started on.*/\1/p' "$TMP/out")
		echo "$node" >>"$TMP/nodes"
		return 1
	fi
	[ "$(cat "$TMP/out" "$TMP/err" | wc -l)" = 1 ] ||
		fail "seed $seed:$hurt: not one line: $(cat "$TMP/out" "$TMP/err")"
	refused=$((refused + 1))
}

# runs_or_refused [<option>]: or it runs, if nothing depends on what was damaged
runs_or_refused() {
	refused_damaged "$@" && return
	[ -n "$node" ] || fail "seed $seed:$hurt: no node: $(cat "$TMP/out")"
	wait_state "$node" 60 running ended panicked silent
	in_state "$node" running ||
		fail "seed $seed:$hurt: node $node is $(state "$node"): $(reason "$node")"
	echo force >"$MINT/nodes/$node/stop" || fail "node $node does not end"
	ran=$((ran + 1))
}

# each_seed <rounds> <command>...: for so many seeds; what came of it
each_seed() {
	local rounds="$1"

	shift
	resources 1
	need_helper damage
	refused=0
	ran=0
	seed=$MINT_SEED
	while [ $((seed - MINT_SEED)) -lt "$rounds" ]; do
		"$@"
		seed=$((seed + 1))
	done
	say "seeds $MINT_SEED to $((seed - 1)): $refused refused, $ran ran"
	[ "$refused" -gt 0 ] || fail "nothing was refused"
	alive "$beside"
}

# A bzImage has a checksum: whatever is damaged, it is refused.
anywhere() {
	if [ $((seed % 2)) = 0 ]; then
		hurt "$seed" "$MINT_KERNEL" $((0x1f1)) $((0x26c - 0x1f1))
	else
		hurt "$seed" "$MINT_KERNEL" 0 "$(wc -c <"$MINT_KERNEL")"
	fi
	refused_damaged || fail "seed $seed:$hurt: launched as node $node"
}

image_bytes() {
	each_seed $((MINT_ROUNDS * 4)) anywhere
}

# Without it, what the start believes of the header is consistent, or refused.
in_header() {
	hurt "$seed" "$MINT_KERNEL" $((0x1f1)) $((0x26c - 0x1f1))
	runs_or_refused --mint-no-checksum
}

image_header() {
	each_seed $((MINT_ROUNDS * 5)) in_header
}

# A vmlinux has none; its headers are checked, its code is not.
in_elf_header() {
	hurt "$seed" "$vmlinux" 0 $((64 + 5 * 56))
	runs_or_refused
}

elf_header() {
	vmlinux=${MINT_VMLINUX:-${MINT_KERNEL%/*}/vmlinux}
	[ -r "$vmlinux" ] || skip "no $vmlinux"
	each_seed $((MINT_ROUNDS * 3)) in_elf_header
}

need_beside
run_tests scribble_one_core scribble_three_cores record_of_node0 kexec_load \
	lock_held_long lock_of_parked lock_of_hung map_of_liar \
	image_bytes image_header elf_header
