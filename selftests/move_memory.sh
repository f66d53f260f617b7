#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Memory moves between running nodes, to node 0 and to what is free, and back.

# shellcheck source-path=SCRIPTDIR disable=SC2317,SC3043 # run_tests calls the tests by name
. "$(dirname "$0")/functions.sh"
need_mint
need_moves
all_need_init

# shellcheck disable=SC2034 # read by settle()
panic_is_bad="no panic is"

BLOCK=$((128 * MIB))
# What is for use of a block, KiB: the rest is the memory map of its pages
USABLE=$((126 * 1024))

# move <which> <to>: have memory moved
move() {
	moves memory "$@"
}

# mover <cores> [<parameter>...]: launch a node that says how much memory it has
mover() {
	local count="$1"

	shift
	need_helper pin_pages
	initrd_with "$HERE/memory_node.sh" "$HERE/stress_node.sh" "$TMP/pin_pages"
	more="mint.test=/test/memory_node.sh $*" launch "$count"
	loop_until 60 says "$node" "total" || fail "node $node says nothing"
	first=$(total "$node")
}

# says <node> <text>: has its memory_node.sh said so?
says() {
	grep -q "memory_node: $2" "$MINT/nodes/$1/log"
}

# total <node>: KiB that it has said last
total() {
	sed -n 's/.*memory_node: total //p' "$MINT/nodes/$1/log" | tail -n 1
}

# has_total <node> <KiB>: but for a few pages, since a kernel that has rebooted may need a
# page of page tables more or less, as KASLR has placed its direct map
has_total() {
	local more

	more=$(total "$1")
	more=$((${more:-0} - $2))
	[ "${more#-}" -le 64 ]
}

# grown <node> <KiB> <blocks>: it has so many blocks more than those KiB
grown() {
	loop_until 30 has_total "$1" $(($2 + $3 * USABLE)) ||
		fail "node $1 has $(total "$1") KiB, not $(($2 + $3 * USABLE))"
}

# own_total: KiB that node 0 uses
own_total() {
	sed -n 's/^MemTotal: *\([0-9]*\).*/\1/p' /proc/meminfo
}

# block [above|below]: start of a free block, the lowest
block() {
	local start end

	owned_by free | while read -r start end; do
		start=$(((start + BLOCK - 1) / BLOCK * BLOCK))
		case ${1:-} in
		above)
			[ "$start" -ge "$GIB4" ] || continue
			;;
		esac
		if [ $((end - start + 1)) -ge "$BLOCK" ]; then
			printf '0x%x\n' "$start"
			break
		fi
	done | grep .
}

# is_of <start> <blocks> <owner>: all of it is in one range of that owner
is_of() {
	owned_by "$3" | {
		while read -r start end; do
			[ $((start)) -gt $(($1)) ] ||
				[ $((end)) -lt $(($1 + $2 * BLOCK - 1)) ] ||
				exit 0
		done
		exit 1
	}
}

# owned <start> <blocks> <owner>
owned() {
	is_of "$@" || fail "$1, $2 blocks, is not $3's: $(cat "$MINT/memory")"
}

# in_iomem <start>: a range of node $node has that block, and may have more beside it
in_iomem() {
	sed -n "s/^ *\([0-9a-f]*\)-\([0-9a-f]*\) : Mint node $node\$/0x\1 0x\2/p" /proc/iomem |
		while read -r start end; do
			[ $((start)) -gt $(($1)) ] || [ $((end)) -lt $(($1 + BLOCK - 1)) ] ||
				echo "$start-$end"
		done | grep -q .
}

# From what is free to a node, and back: as much as it had, and all as it was.
there_and_back() {
	mover 1
	at=$(block) || skip "needs a free block"
	snapshot moving
	move "128M@$at" "$node"
	owned "$at" 1 "node $node"
	grown "$node" "$first" 1
	in_iomem "$at" || fail "/proc/iomem: $(grep Mint /proc/iomem)"
	alive "$node"
	move "128M@$at" free
	owned "$at" 1 free
	grown "$node" "$first" 0
	unchanged moving || exit 1
}

# Without a place, the highest free one; two blocks at once; back by size.
by_size() {
	mover 1
	snapshot moving
	move 256M "$node"
	grown "$node" "$first" 2
	move "128M:$node" free
	grown "$node" "$first" 1
	move "128M:$node" free
	grown "$node" "$first" 0
	unchanged moving || exit 1
}

# Above 4 GiB.
high() {
	at=$(block above) || skip "needs a free block above 4 GiB"
	mover 1
	move "128M@$at" "$node"
	grown "$node" "$first" 1
	move "128M@$at" free
	grown "$node" "$first" 0
}

# Below all that the node has booted with, where its own map has nothing but what is
# reserved, from the firmware's last pages below 1 MiB on.
below() {
	need_cores 2
	mover 1
	lowest=$node
	mover 1
	stop "$lowest" || exit 1
	at=$(block) || skip "needs a free block"
	[ $((at)) -lt $((min)) ] || skip "needs a free block below $min"
	move "128M@$at" "$node"
	owned "$at" 1 "node $node"
	grown "$node" "$first" 1
	move "128M@$at" free
	grown "$node" "$first" 0
}

# unused_device: $dev, a virtio device without a use
unused_device() {
	dev=$(grep -l 0x00ff00 /sys/bus/pci/devices/*/class | head -n 1)
	[ -n "$dev" ] || skip "needs a virtio device without a use"
	dev=${dev%/class}
	dev=${dev##*/}
}

# Memory above 4 GiB and functions do not meet in a node that has booted without
# bounce buffers, whichever comes first.
out_of_reach() {
	at=$(block above) || skip "needs a free block above 4 GiB"
	unused_device
	mover 1
	[ $((max)) -lt "$GIB4" ] || skip "the node has booted above 4 GiB"
	move "128M@$at" "$node"
	no_move "$dev" "node $node" "take from it" pci "$dev" "$node"
	move "128M@$at" free
	moves pci "$dev" "$node"
	not_moved "above 4 GiB" "node $node" "a range below" "128M@$at" "$node"
	moves pci "$dev" free
	resources 1
	refused "$dev" "the node has memory above" "ranges below" try --mint-devices="$dev" \
		--mint-mem="movable:128M@$at"
	moves pci "$dev" 0
}

# A node that lies above 4 GiB as a whole has no place for bounce buffers. It can be launched
# so with a function, which may reach further; node 0 warns.
all_above() {
	unused_device
	resources 1 above
	cmdline="maxcpus=1" start
	runs "$node"
	no_move "$dev" "node $node" "memory below" pci "$dev" "$node"
	stop "$node" || exit 1
	moves pci "$dev" free
	mark_log all_above
	cmdline="maxcpus=1" start --mint-devices="$dev"
	runs "$node"
	said_since all_above | grep -q "$dev, and others .* launch it with memory below" ||
		fail "no warning"
	stop "$node" || exit 1
	moves pci "$dev" 0
}

# A node says itself that it has bounce buffers, also if its memory is no reason for them.
forced_buffers() {
	at=$(block above) || skip "needs a free block above 4 GiB"
	unused_device
	mover 1 swiotlb=2048,force
	[ $((max)) -lt "$GIB4" ] || skip "the node has booted above 4 GiB"
	moves pci "$dev" "$node"
	move "128M@$at" "$node"
	grown "$node" "$first" 1
	moves pci "$dev" 0
	moves pci "$dev" "$node"
	move "128M@$at" free
	moves pci "$dev" 0
}

# From one node to another, while both run.
between_nodes() {
	need_cores 2
	mover 1
	one=$node one_first=$first
	mover 1
	two=$node two_first=$first
	at=$(block) || skip "needs a free block"
	move "128M@$at" "$one"
	grown "$one" "$one_first" 1
	move "128M@$at" "$two"
	owned "$at" 1 "node $two"
	grown "$one" "$one_first" 0
	grown "$two" "$two_first" 1
	move "128M@$at" "$one"
	grown "$one" "$one_first" 1
	grown "$two" "$two_first" 0
	alive "$one"
	alive "$two"
}

# Node 0 gets what a node had, and gives it back.
node0_too() {
	mover 1
	had=$(own_total)
	at=$(block) || skip "needs a free block"
	move "128M@$at" "$node"
	grown "$node" "$first" 1
	move "128M@$at" 0
	grown "$node" "$first" 0
	owned "$at" 1 "node 0"
	[ "$(own_total)" -gt $((had + USABLE - 1024)) ] ||
		fail "node 0 had $had KiB, it has $(own_total)"
	grep -q "System RAM (mint)" /proc/iomem ||
		fail "/proc/iomem does not name it"
	move "128M@$at" "$node"
	grown "$node" "$first" 1
	[ "$(own_total)" = "$had" ] ||
		fail "node 0 had $had KiB, it has $(own_total)"
	! grep -q "System RAM (mint)" /proc/iomem ||
		fail "/proc/iomem still names it"
}

# By size, and from node 0, of what was added to it: what lies there stays node 0's, and a
# third one has its own.
from_node0() {
	need_cores 2
	mover 1 memory.fill=24
	third=$node third_first=$first
	mover 1
	had=$(own_total)
	move 128M "$third"
	loop_until 60 says "$third" filled || fail "node $third fills nothing"
	not_moved "256 MiB" "node 0" "booted with stays; see nodes/0/memory" 256M:0 "$node"
	[ -r "$MINT/nodes/0/memory" ] || fail "no nodes/0/memory to see"
	move 256M 0
	[ "$(own_total)" = $((had + 2 * USABLE)) ] ||
		fail "node 0 had $had KiB, it has $(own_total)"
	yes "memory of node 0" | head -c $((32 * MIB)) >"$TMP/text"
	sum=$(cksum <"$TMP/text")
	snapshot moving
	not_moved "384 MiB" "node 0" "see nodes/0/memory" 384M:0 "$node"
	move 256M:0 "$node"
	grown "$node" "$first" 2
	[ "$(own_total)" = "$had" ] || fail "node 0 had $had KiB, it has $(own_total)"
	! grep -q "System RAM (mint)" /proc/iomem || fail "/proc/iomem still names it"
	[ "$(cksum <"$TMP/text")" = "$sum" ] || fail "node 0: its memory is damaged"
	grown "$third" "$third_first" 1
	alive "$node"
	move "256M:$node" 0
	grown "$node" "$first" 0
	unchanged moving || exit 1
	move 256M:0 free
	[ "$(own_total)" = "$had" ] || fail "node 0 had $had KiB, it has $(own_total)"
	rm -f "$TMP/text"
	node=$third
	still_intact
	alive "$third"
}

# still_intact: what $node has in memory is, as it finds from now on
still_intact() {
	looks=$(sed -n 's/.*memory_node: intact //p' "$MINT/nodes/$node/log" |
		tail -n 1)
	loop_until 60 says "$node" "intact $((looks + 2))" ||
		fail "node $node does not look any more"
	! says "$node" damaged || fail "node $node: its memory is damaged"
}

# What lies in a block that leaves stays the node's, elsewhere.
full() {
	mover 1 memory.fill=32
	at=$(block) || skip "needs a free block"
	move "128M@$at" "$node"
	loop_until 60 says "$node" intact || fail "node $node fills nothing"
	move "128M@$at" free
	grown "$node" "$first" 0
	still_intact
}

# texts <start>: how often "memory of a node" is in a block that node 0 has
texts() {
	"$TMP/find_text" "$1" "$BLOCK" "memory of a node" ||
		fail "node 0 cannot look at $1"
}

# What a node had written there, nobody sees; but what is there can be seen.
scrubbed() {
	[ -r /proc/kcore ] || skip "no /proc/kcore"
	need_helper find_text
	mover 1 memory.fill=32
	at=$(block) || skip "needs a free block"
	move "128M@$at" "$node"
	loop_until 60 says "$node" filled || fail "node $node fills nothing"
	move "128M@$at" 0
	left=$(texts "$at") || fail "$left"
	# Its own, in the same place.
	yes "memory of a node" | head -c $((64 * MIB)) >"$TMP/text"
	own=$(texts "$at") || fail "$own"
	rm -f "$TMP/text"
	move "128M@$at" free
	# A million lines and more; a few are in these programs themselves.
	[ "$own" -gt 100000 ] || fail "node 0 sees $own lines of its own"
	[ "$left" -lt 1000 ] || fail "node 0 sees $left lines of node $node"
}

# A page that cannot be moved: the block stays, and the reason says why.
pinned() {
	mover 1 memory.pin=24
	at=$(block) || skip "needs a free block"
	move "128M@$at" "$node"
	loop_until 60 says "$node" pinned || fail "node $node pins nothing"
	not_moved "$at" "node $node" "pages stay|in use|pinned" "128M@$at" free
	grown "$node" "$first" 1
	# It comes back with the node.
	stop "$node" || exit 1
	owned "$at" 1 free
}

# The same of node 0, which says that nothing has changed.
pinned_in_node0() {
	need_helper pin_pages
	at=$(block) || skip "needs a free block"
	move "128M@$at" 0
	mkfifo "$TMP/pinned"
	"$TMP/pin_pages" 24 >"$TMP/pinned" &
	holder=$!
	read -r word <"$TMP/pinned"
	say "$word"
	(
		not_moved "$at" "node 0" "pages stay|in use|pinned" "128M@$at" free
		case $said in
		*" refused "*) ;;
		*) fail "nothing has changed, and its line says: $said" ;;
		esac
	)
	rc=$?
	kill "$holder"
	wait "$holder" 2>/dev/null
	move "128M@$at" free
	[ "$rc" = 0 ] || exit 1
}

# not_moved <resource> <owner> <remedy> <which> <to>: that is refused
not_moved() {
	no_move "$1" "$2" "$3" memory "$4" "$5"
}

refused_moves() {
	mover 1
	boot=$((min + BLOCK - 1))
	boot=$(printf '0x%x' $((boot / BLOCK * BLOCK)))
	at=$(block) || skip "needs a free block"
	[ $((boot + BLOCK - 1)) -gt $((max)) ] ||
		not_moved "$boot" "node $node has booted" "name blocks" \
			"128M@$boot" free
	not_moved 64M want "multiples of 128" "64M@$at" "$node"
	not_moved 128Mx want "multiples of 128" 128Mx "$node"
	# More than 64 bits: 128M would be what is left of it
	not_moved 17592186044544M want "multiples of 128" 17592186044544M "$node"
	# Beyond all addresses, and round to the first ones again
	not_moved 128M want "multiples of 128" "128M@0xFFFFFFFFF8000000" "$node"
	not_moved 4503599359459328 want "multiples of 128" \
		"4503599359459328@0xFFF0000010000000" "$node"
	not_moved 128M want "multiples of 128" \
		"128M@$(printf '0x%x' $((at + 2 * MIB)))" "$node"
	not_moved "0x9e000" "gateway" "name a range" 128M@0 "$node"
	not_moved "0x8000000" "node 0 has booted" "name blocks" \
		128M@0x8000000 "$node"
	not_moved "0x10000000000" "no memory" "name a range" \
		128M@0x10000000000 "$node"
	not_moved "1024 MiB|1048576 MiB|no " "free" "ask for less" 1T "$node"
	not_moved "128 MiB" "node $node" "added" "128M:$node" free
	for n in 1 2 3; do
		[ "$n" = "$node" ] || break
	done
	not_moved "node $n" "is (none|ended|panicked)" "that runs" "128M:$n" "$node"
	not_moved "$at" free already "128M@$at" free
	grown "$node" "$first" 0
}

# A node that has booted with as many ranges as there can be gets none that lies apart.
too_many_ranges() {
	resources 1
	page=$((max + 1)) pages=
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
		page=$((page + 8192))
		pages=$pages,4K@$(printf '0x%x' "$page")
	done
	cmdline="maxcpus=1 mint.mem=${pages#,}" start
	runs "$node"
	at=$(block) || skip "needs a free block"
	not_moved "more than 16 ranges" "node $node" "beside one of its own" "128M@$at" "$node"
}

# While a block is on its way nobody else gets it, nor does its receiver get another one.
meanwhile() {
	need_provoke
	need_cores 2
	expects "provoked at turn"
	mover 1
	giver=$node
	mover 1
	receiver=$node
	at=$(block) || skip "needs a free block"
	move "128M@$at" "$giver"
	other=$(block) || skip "needs another free block"
	arm "$giver" 3 wait
	echo "memory 128M@$at $receiver" 2>/dev/null >"$MINT/move" &
	writer=$!
	loop_until 30 grep -q "provoked at turn 3" "$MINT/nodes/$giver/log" ||
		fail "node $giver gives nothing"
	not_moved "128M@$at" "move [0-9]* has" "see .*moves" "128M@$at" free
	not_moved "such a thing" "same giver or receiver" "wait for it" "128M@$other" "$receiver"
	arm "$giver" 99 wait
	wait "$writer" || fail "$(grep "128M@$at $giver >" "$MINT/moves")"
	owned "$at" 1 "node $receiver"
}

# Here and there, while both nodes look after what they have in memory.
at_random() {
	need_cores 3
	mover 1 memory.fill=24 memory.stress
	one=$node one_first=$first
	mover 1 memory.fill=24 memory.stress
	two=$node two_first=$first
	bystander
	stressed "$one" "$two" "$third"
	at=$(block) || skip "needs a free block"
	for where in "$one" "$two"; do
		move "128M@$at" "$where"
		loop_until 60 says "$where" filled ||
			fail "node $where fills nothing"
	done
	wander "$one" "$two" "$where" move "128M@$at"
	owned "$at" 1 free
	grown "$one" "$one_first" 0
	grown "$two" "$two_first" 0
	unharmed "$one" "$two" "$third"
	for node in "$one" "$two"; do
		still_intact
		alive "$node"
	done
	node=$third
	alive "$node"
	[ "$(boots "$third")" = "$third_boots" ] || fail "node $third has started again"
}

# A reboot of its own keeps what came later.
own_reboot() {
	has_booted() {
		[ "$(boots "$node")" = "$1" ]
	}
	mover 1 memory.reboot
	at=$(block) || skip "needs a free block"
	# It may reboot before it has said that it has it: its next kernel does
	with_parameter move_ms $((60000 * MINT_SLOW)) move "128M@$at" "$node" || exit
	loop_until 120 has_booted 2 || fail "boot $(boots "$node")"
	runs "$node"
	owned "$at" 1 "node $node"
	grown "$node" "$first" 1
	# And it is what can leave.
	move "128M@$at" free
	grown "$node" "$first" 0
}

# The end of a node gives all back.
ends() {
	mover 1
	at=$(block) || skip "needs a free block"
	move "128M@$at" "$node"
	grown "$node" "$first" 1
	stop "$node" || exit 1
	owned "$at" 1 free
}

# party <giver|receiver>: the node that is it, if it still runs, else a new one
party() {
	eval "node=\${$1:-}"
	if [ -z "$node" ] || ! in_state "$node" running; then
		mover 1
		eval "$1=$node $1_first=$first"
	fi
}

# has_block <giver|receiver|free>: by the book, and by what the nodes that are left
# use: one of them or none
has_block() {
	local who blocks

	case $1 in
	free) is_of "$at" 1 free || return 1 ;;
	giver) is_of "$at" 1 "node $giver" || return 1 ;;
	receiver) is_of "$at" 1 "node $receiver" || return 1 ;;
	esac
	for who in giver receiver; do
		eval "node=\$$who first=\$${who}_first"
		in_state "$node" running || continue
		blocks=0
		[ "$who" != "$1" ] || blocks=1
		# Another boot of it has a few pages more or less.
		[ $((($(total "$node") - first + USABLE / 2) / USABLE)) = "$blocks" ] ||
			return 1
	done
}

# one_has <owner>[,<owner>]: one of them
one_has() {
	has_block "${1%,*}" || has_block "${1#*,}"
}

# party_dies <giver|receiver> <turn> <way> <owner>[,<owner>]
party_dies() {
	local victim

	party giver
	party receiver
	at=$(block) || skip "needs a free block"
	move "128M@$at" "$giver"
	loop_until 30 has_block giver ||
		fail "node $giver has $(total "$giver") KiB, before $giver_first"
	eval "victim=\$$1"
	dies "$victim" "$2" "$3" memory "128M@$at" "$receiver"
	loop_until 60 one_has "$4" ||
		fail "$at is not the $4's: $(cat "$MINT/memory"), node $giver has $(total "$giver") of $giver_first KiB, node $receiver $(total "$receiver") of $receiver_first"
	is_of "$at" 1 free || move "128M@$at" free
}

# Whoever dies in the middle: one of both has the block then, or none, and a node
# beside notices nothing.
parties_die() {
	need_provoke
	need_cores 3
	launch 1
	third=$node
	giver='' giver_first=0
	receiver='' receiver_first=0
	deaths party_dies
}

# A launch may say what can leave.
launched_movable() {
	resources 1
	at=$(owned_by free | while read -r start end; do
		[ $((max)) -ge $((start)) ] || start=$((start))
		start=$((start > max ? start : max + 1))
		start=$(((start + BLOCK - 1) / BLOCK * BLOCK))
		[ $((end - start + 1)) -lt "$BLOCK" ] || {
			printf '0x%x\n' "$start"
			break
		}
	done)
	[ -n "$at" ] || skip "needs a free block beside $min-$max"
	cp "$HERE/memory_node.sh" "$TMP/memory_node.sh"
	initrd_with "$TMP/memory_node.sh"
	cmdline="maxcpus=1 mint.test=/test/memory_node.sh" \
		start --mint-mem="movable:128M@$at"
	runs "$node"
	owned "$at" 1 "node $node"
	loop_until 60 says "$node" "total" || fail "node $node says nothing"
	first=$(total "$node")
	move "128M@$at" free
	loop_until 30 has_total "$node" $((first - USABLE)) ||
		fail "node $node had $first KiB, it has $(total "$node")"
	owned "$at" 1 free
}

run_tests there_and_back by_size high below out_of_reach all_above forced_buffers between_nodes \
	node0_too from_node0 full scrubbed pinned pinned_in_node0 refused_moves too_many_ranges meanwhile \
	at_random own_reboot ends parties_die launched_movable
