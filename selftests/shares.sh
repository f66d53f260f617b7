#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Shares: memory with a name, which processes of several nodes map.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # run_tests calls the tests by name
# shellcheck disable=SC3043 # BusyBox ash and dash have "local"
. "$(dirname "$0")/functions.sh"
. "$(dirname "$0")/linked.sh"

[ -d /sys/class/uio ] || skip_all "this kernel has no shares"

# sharing <name> <options>: launch a node with the program that uses shares
sharing() {
	need_helper share_user
	linked_with=$TMP/share_user
	connect "$@"
}

# there <node> <command of share_user>...: does it succeed there?
there() {
	local n="$1"

	shift
	[ "$(on "$n" "/test/share_user $* >/dev/null 2>&1; echo \$?")" = 0 ]
}

# line_of <file> <text>: it says so
line_of() {
	grep -q "^$2\$" "$1" 2>/dev/null
}

# members <node>...: of the share, which is open, these and no others
members() {
	local nodes

	nodes=$(sed -n 's/^[0-9]* share rt \([^ ]*\) 0x[0-9a-f]*-0x[0-9a-f]* open$/\1/p' \
		"$MINT/windows")
	[ "$(expand "$nodes")" = "$(printf '%s\n' "$@" | sort -n | tr '\n' ' ')" ]
}

# no_device: node 0 has no share
no_device() {
	! grep -qs '^mint:' /sys/class/uio/*/name
}

# waits <node>: start a process of the node that waits for a ring; $! is its wait here
waits() {
	: >"$TMP/rung"
	if [ "$1" = 0 ]; then
		"$TMP/share_user" rt wait $((60 * MINT_SLOW)) >"$TMP/rung" &
	else
		on "$1" "/test/share_user rt wait $((60 * MINT_SLOW))" >"$TMP/rung" &
	fi
	loop_until 60 line_of "$TMP/rung" ready || fail "node $1 does not wait"
}

# rings <who rings> <who waits>, each a node; 0: this one
rings() {
	waits "$2"
	if [ "$1" = 0 ]; then
		"$TMP/share_user" rt ring || fail "node 0 cannot ring"
	else
		there "$1" rt ring || fail "node $1 cannot ring"
	fi
	loop_until 60 line_of "$TMP/rung" rung || fail "node $1 does not wake node $2"
	wait $! || fail "node $2 was rung, and says: $(cat "$TMP/rung")"
}

# quick <who rings> <who answers>, both successors: a ring gets there as an interrupt
# does. The heartbeat looks, too: by that alone, both ways together take one beat.
quick() {
	local beat count=30 took

	beat=$(cat /sys/module/mint/parameters/beat_ms)
	# Where the host lets a core wait, the time is not that of the ring.
	for _ in 1 2 3; do
		: >"$TMP/rung"
		on "$2" "/test/share_user rt pong $count" >"$TMP/rung" &
		loop_until 60 line_of "$TMP/rung" ready || fail "node $2 does not wait"
		took=$(on "$1" "/test/share_user rt ping $count 2>&1")
		wait $!
		say "$count rings there and back: $took ms, emulated"
		case $took in
		'' | *[!0-9]*) fail "node $1: $took" ;;
		esac
		[ "$took" -ge $((count * beat * MINT_SLOW / 2)) ] || return 0
	done
	fail "$took ms for $count rings there and back: no interrupt comes"
}

# three nodes have the same memory, and lose it one after the other
share() {
	need_cores 2
	no_device || fail "a share is left: $(cat "$MINT/windows")"
	sharing one "mint.share=rt:64K"
	one=$node
	sharing two "mint.share=rt:64K"
	two=$node
	members 0 "$one" "$two" || fail "windows: $(cat "$MINT/windows")"
	"$TMP/share_user" rt has 0 0 || fail "it does not begin empty"
	"$TMP/share_user" rt put 0 17 || fail "node 0 cannot write"
	there "$one" rt has 0 17 || fail "node $one does not see what node 0 wrote"
	there "$one" rt put 4096 34 || fail "node $one cannot write"
	there "$two" rt has 4096 34 || fail "node $two does not see what node $one wrote"
	there "$two" rt put 61440 51 || fail "node $two cannot write"
	"$TMP/share_user" rt has 61440 51 || fail "node 0 does not see what node $two wrote"
	rings 0 "$one"
	rings "$one" "$two"
	rings "$two" 0
	quick "$one" "$two"
	"$TMP/share_user" rt rules || fail "node 0 maps what it must not"
	there "$one" rt rules || fail "node $one maps what it must not"
	# One starts again, and finds what was there.
	boots=$(boots "$two")
	on "$two" 'busybox reboot -f' >/dev/null 2>&1 &
	wait_boot "$two" $((boots + 1))
	kill $! 2>/dev/null
	loop_until 60 answers "$two" || fail "node $two does not answer after its reboot"
	there "$two" rt has 61440 51 || fail "node $two has lost it by its reboot"
	rings "$one" "$two"
	# One goes: the others keep it.
	on "$one" "/test/share_user rt hold 17 $((600 * MINT_SLOW)) >/tmp/held 2>&1 &" >/dev/null
	held() {
		[ "$(on "$one" 'cat /tmp/held')" = mapped ]
	}
	loop_until 20 held || fail "node $one does not map it"
	echo force >"$MINT/nodes/$two/stop" || fail "force: $(state "$two")"
	held || fail "node $one: $(on "$one" 'cat /tmp/held')"
	members 0 "$one" || fail "windows: $(cat "$MINT/windows")"
	there "$one" rt has 61440 51 || fail "node $one has lost it"
	rings "$one" 0
	# The last one goes: so does what node 0 has mapped.
	"$TMP/share_user" rt hold 17 $((60 * MINT_SLOW)) >"$TMP/held" &
	loop_until 20 line_of "$TMP/held" mapped || fail "node 0 has lost it"
	all_free "$two" "$one"
	wait $! || fail "the mapping of node 0: $(cat "$TMP/held")"
	line_of "$TMP/held" SIGBUS || fail "no SIGBUS: $(cat "$TMP/held")"
	no_device || fail "node 0 has still a device"
	# The next one gets nothing of it, and need not wait for anything.
	sharing one "mint.share=rt:1M"
	"$TMP/share_user" rt has 0 0 || fail "what others wrote is there"
	there "$node" rt has 61440 0 || fail "what others wrote is there"
	all_free "$node"
}

# A ring without an interrupt is found with a heartbeat, by node 0 and by a successor.
lost_ring() {
	need_provoke
	sharing one "mint.share=rt:4K"
	for n in 0 "$node"; do
		waits "$n"
		[ "$(on "$node" "echo tug $n >/sys/kernel/debug/mint/provoke; echo \$?")" = 0 ] ||
			fail "node $node cannot tug at node $n"
		loop_until 20 line_of "$TMP/rung" rung || fail "node $n sleeps on"
		wait $! || fail "node $n was rung, and says: $(cat "$TMP/rung")"
	done
	all_free "$node"
}

# free_mib: how much of the shared memory nobody has, MiB
free_mib() {
	local used=0 range

	# shellcheck disable=SC2013 # a word a line
	for range in $(sed -n 's/.* \(0x[0-9a-f]*-0x[0-9a-f]*\) .*/\1/p' "$MINT/windows"); do
		used=$((used + (${range#*-} - ${range%-*} + 0x100000) / 0x100000))
	done
	# shellcheck disable=SC2046 # two words
	set -- $(sed -n 's/^ *\([0-9a-f]*\)-\([0-9a-f]*\) : Mint shared memory$/0x\1 0x\2/p' \
		/proc/iomem)
	echo $((($2 - $1 + 1) / 0x100000 - used))
}

# sizes, names and wishes that cannot be
share_refusals() {
	local left

	need_cores 2
	sharing one "mint.share=rt:1M"
	one=$node
	MINT_INITRD=$MINT_INIT
	resources 1
	cmdline="maxcpus=1 mint.share=rt:64K"
	refused "share 'rt'.* has 1024 KiB" "of node $one" "that size" try
	cmdline="maxcpus=1 mint.share=a/b:1M"
	refused "'a/b:1M'" "mint.share=" "is not <name>:<size>" try
	cmdline="maxcpus=1 mint.share=huge:2048M"
	refused "share 'huge' needs 2097152 KiB" "node 0" "larger mint.shared=" try
	# The link of the new node has its place before a share does
	left=$(free_mib)
	cmdline="maxcpus=1 mint.share=rest:${left}M"
	refused "share 'rest' needs $((left * 1024)) KiB" \
		"node 0 has $(((left - 1) * 1024)) KiB" "mint.links=none.* larger mint.shared=" try
	cmdline="maxcpus=1 mint.links=none mint.share=rest:${left}M" load
	stop "$node" || exit 1
	cmdline="maxcpus=1 mint.links=none mint.share=rest:$((left + 1))M"
	refused "share 'rest' needs $(((left + 1) * 1024)) KiB" \
		"node 0 has $((left * 1024)) KiB: boot" "larger mint.shared=" try
	alive "$one"
	all_free "$one"
}

run_tests share lost_ring share_refusals
