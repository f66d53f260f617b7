#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Links: mint<n> is the network to node n, by memory that both share.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # run_tests calls the tests by name
# shellcheck disable=SC3043 # BusyBox ash and dash have "local"
. "$(dirname "$0")/functions.sh"
need_mint
all_need_init
[ -e "$MINT/windows" ] || skip_all "this kernel has no windows"
grep -q ' shared$' "$MINT/memory" || skip_all "no memory is shared: mint.shared="

panic_is_bad="no panic is"
SIZE=$((4 * MIB))
# How often a node is forced to end under load; 100 times by `make soak`
: "${MINT_FORCED:=2}"

# windows: how many there are
windows() {
	wc -l <"$MINT/windows"
}

# no_windows: all of them are free
no_windows() {
	[ "$(windows)" = 0 ]
}

# all_free: the nodes of this test have ended, and nothing of their links is left
all_free() {
	local n

	for n in "$@"; do
		stop "$n" || exit 1
	done
	loop_until 20 no_windows || fail "left over: $(cat "$MINT/windows")"
	for n in "$@"; do
		[ ! -e "/sys/class/net/mint$n" ] || fail "mint$n is still there"
	done
}

# address <of> <to>: of a node, on its link to another one
address() {
	if [ "$1" -lt "$2" ]; then
		echo "10.$1.$2.1"
	else
		echo "10.$2.$1.2"
	fi
}

# carrier <node> <0|1>: of the link from node 0
carrier() {
	[ "$(cat "/sys/class/net/mint$1/carrier" 2>/dev/null || echo 0)" = "$2" ]
}

# connect <name> [<option>...]: launch a node with one core and its links
connect() {
	local name="$1"

	shift
	need_helper share_user
	initrd_with "$HERE/link_end.sh" "$TMP/share_user"
	resources 1
	cmdline="maxcpus=1 mint.name=$name mint.test=/test/link_end.sh $*" start
	runs "$node"
	[ -e "/sys/class/net/mint$node" ] || return 0
	sh "$HERE/link_end.sh" once
	loop_until 60 carrier "$node" 1 || fail "node $node: no carrier"
	loop_until 60 answers "$node" || fail "node $node does not answer"
}

# on <node> <command>: run it there, by the link
on() {
	printf '%s\n' "$2" |
		timeout $((60 * MINT_SLOW)) nc "$(address "$1" 0)" 7
}

# answers <node>: its shell is there
answers() {
	[ "$(echo 'echo yes' | timeout 5 nc "$(address "$1" 0)" 7 2>/dev/null)" = yes ]
}

# reaches <node> <address> [<option>...]: ping from there
reaches() {
	local from="$1" to="$2"

	shift 2
	[ "$(on "$from" "ping -c 1 -W 2 $* $to >/dev/null 2>&1; echo \$?")" = 0 ]
}

# pings <node> [<option>...]: from node 0
pings() {
	local to="$1"

	shift
	ping -c 1 -W 2 "$@" "$(address "$to" 0)" >/dev/null 2>&1
}

# both_ways <node> <bytes>: data of all values goes there and comes from there
both_ways() {
	local there sum

	head -c "$2" /dev/urandom >"$TMP/data"
	sum=$(md5sum <"$TMP/data" | cut -d' ' -f1)
	there=$(timeout $((60 * MINT_SLOW)) nc "$(address "$1" 0)" 8 <"$TMP/data" |
		cut -d' ' -f1)
	[ "$there" = "$sum" ] || fail "to node $1: sum is $there, not $sum"
	sum=$(on "$1" "head -c $2 /dev/urandom >/tmp/data; md5sum </tmp/data" |
		cut -d' ' -f1)
	on "$1" 'cat /tmp/data' >"$TMP/data"
	there=$(md5sum <"$TMP/data" | cut -d' ' -f1)
	[ "$there" = "$sum" ] || fail "from node $1: sum is $there, not $sum"
}

# from <node> <node> <bytes>: data goes from one successor to the other
from() {
	local sums

	sums=$(on "$1" "head -c $3 /dev/urandom >/tmp/data; md5sum </tmp/data; timeout 60 nc $(address "$2" "$1") 8 </tmp/data" |
		cut -d' ' -f1)
	if [ "$(echo "$sums" | wc -l)" != 2 ] ||
		[ "$(echo "$sums" | sort -u | wc -l)" != 1 ]; then
		fail "from node $1 to node $2: $sums"
	fi
}

# what a link of node 0 looks like, and that it carries both protocols
addresses() {
	connect web
	[ "$(cat "$MINT/nodes/$node/links")" = 0 ] ||
		fail "links: $(cat "$MINT/nodes/$node/links")"
	[ "$(windows)" = 1 ] || fail "windows: $(cat "$MINT/windows")"
	grep -q "^[0-9]* link 0,$node 0x[0-9a-f]*-0x[0-9a-f]* open\$" "$MINT/windows" ||
		fail "windows: $(cat "$MINT/windows")"
	dev=/sys/class/net/mint$node
	[ "$(cat "$dev/ifalias")" = web ] || fail "alias: $(cat "$dev/ifalias")"
	[ "$(cat "$dev/address")" = "$(printf '02:4d:00:00:00:%02x' "$node")" ] ||
		fail "address: $(cat "$dev/address")"
	[ "$(cat "$dev/mtu")" = 1500 ] || fail "MTU: $(cat "$dev/mtu")"
	loop_until 20 pings "$node" || fail "no answer by IPv4"
	loop_until 20 reaches "$node" "$(address 0 "$node")" ||
		fail "no answer to node $node by IPv4"
	# The address that it makes of that of its device
	six=$(printf 'fe80::4d:%xff:fe%02x:0' $((node >> 8)) $((node & 255)))
	loop_until 20 ping -c 1 -W 2 -I "mint$node" "$six" >/dev/null ||
		fail "no answer from $six"
	all_free "$node"
}

data_of_node0() {
	connect web
	both_ways "$node" "$SIZE"
	all_free "$node"
}

# rung: interrupts of other nodes that node 0 has taken
rung() {
	awk '$1 == "PLT:" { for (i = 2; $i ~ /^[0-9]+$/; i++) sum += $i
		print sum }' /proc/interrupts
}

# quiet: nobody rings node 0 for twenty beats
quiet() {
	local before

	before=$(rung)
	pass_beats 20
	[ "$(rung)" = "$before" ]
}

# a link without frames costs no interrupt
idle() {
	connect web
	before=$(rung)
	pings "$node"
	[ "$(rung)" -gt "$before" ] || fail "no interrupt is seen at all"
	# Now and then a kernel looks for routers, by IPv6.
	loop_until 60 quiet || fail "an idle link rings"
	all_free "$node"
}

# two successors, one of which asks for the link, by name
successors() {
	need_cores 2
	connect one
	one=$node
	connect two "mint.links=0,one"
	two=$node
	[ "$(windows)" = 3 ] || fail "windows: $(cat "$MINT/windows")"
	loop_until 20 reaches "$two" "$(address "$one" "$two")" ||
		fail "node $two does not reach node $one"
	loop_until 20 reaches "$one" "$(address "$two" "$one")" ||
		fail "node $one does not reach node $two"
	from "$one" "$two" "$SIZE"
	from "$two" "$one" "$SIZE"
	# The one without a link to node 0 is reached by the other alone.
	stop "$two" || exit 1
	connect three "mint.links=one"
	[ ! -e "/sys/class/net/mint$node" ] || fail "node 0 has mint$node"
	loop_until 60 reaches "$one" "$(address "$node" "$one")" ||
		fail "node $one does not reach node $node"
	all_free "$node" "$one"
}

no_links() {
	connect alone "mint.links=none"
	no_windows || fail "windows: $(cat "$MINT/windows")"
	[ ! -e "/sys/class/net/mint$node" ] || fail "node 0 has mint$node"
}

# carrier and data follow the life of the other side
own_reboot() {
	connect web
	pings "$node" || fail "no answer"
	ups=$(cat "/sys/class/net/mint$node/carrier_up_count")
	# The shell has no time to say good-bye.
	on "$node" 'busybox reboot -f' >/dev/null 2>&1 &
	loop_until 20 carrier "$node" 0 || fail "the carrier stays on"
	wait_boot "$node" 2
	kill $! 2>/dev/null
	loop_until 60 carrier "$node" 1 || fail "no carrier after its reboot"
	loop_until 60 answers "$node" || fail "no answer after its reboot"
	both_ways "$node" "$MIB"
	# What the old kernel has left there is no session of the new one.
	[ "$(cat "/sys/class/net/mint$node/carrier_up_count")" = $((ups + 1)) ] ||
		fail "the carrier came more than once"
	all_free "$node"
}

# wait_boot <node> <count>: it has started so often
wait_boot() {
	loop_until 60 booted "$1" "$2" || fail "boots: $(boots "$1")"
}

booted() {
	[ "$(boots "$1")" -ge "$2" ]
}

# A node that hangs or panics has no carrier; what it had is free in the end
hang_and_panic() {
	expects "sysrq triggered crash"
	connect web
	on "$node" 'echo "hang 0" >/sys/kernel/debug/mint/provoke' >/dev/null &
	loop_until 20 carrier "$node" 0 || fail "the carrier stays on"
	kill $! 2>/dev/null
	echo force >"$MINT/nodes/$node/stop" || fail "force: $(state "$node")"
	all_free "$node"
	connect web
	on "$node" 'echo c >/proc/sysrq-trigger' >/dev/null &
	loop_until 20 carrier "$node" 0 || fail "the carrier stays on"
	kill $! 2>/dev/null
	loop_until 60 over "$node" || fail "node $node is $(state "$node")"
	all_free "$node"
}

# one node ends while another one lives on: their window goes, too
other_end_leaves() {
	need_cores 2
	connect one
	one=$node
	connect two "mint.links=0,one"
	two=$node
	echo force >"$MINT/nodes/$two/stop" || fail "force: $(state "$two")"
	left() {
		[ "$(windows)" = 1 ]
	}
	loop_until 20 left || fail "left over: $(cat "$MINT/windows")"
	[ "$(on "$one" 'ls /sys/class/net' | tr '\n' ' ')" = "lo mint0 " ] ||
		fail "node $one has $(on "$one" 'ls /sys/class/net')"
	all_free "$one"
}

# frames of any length, and a device that goes down and up
mtu() {
	connect web
	for mtu in 68 1280 9000 65500; do
		ip link set "mint$node" mtu "$mtu" || fail "MTU $mtu"
	done
	ip link set "mint$node" mtu 65501 2>/dev/null && fail "takes an MTU of 65501"
	on "$node" 'ip link set mint0 mtu 65500' >/dev/null
	for size in 0 1 1000 1472 8000 65000; do
		loop_until 20 pings "$node" -s "$size" || fail "$size bytes: no answer"
	done
	both_ways "$node" "$SIZE"
	ip link set "mint$node" down
	carrier "$node" 0 || fail "the carrier of a device that is down"
	ip link set "mint$node" up
	loop_until 20 carrier "$node" 1 || fail "no carrier"
	loop_until 20 pings "$node" || fail "no answer"
	all_free "$node"
}

# rot in its windows costs a node its own links, and these only for a while
rot() {
	need_cores 2
	need_provoke
	connect one
	one=$node
	connect two
	two=$node
	rotten=$(cat "/sys/class/net/mint$one/carrier_changes")
	sound=$(cat "/sys/class/net/mint$two/carrier_changes")
	# It does so while data comes and goes, and again for a while afterwards.
	on "$one" "(for seed in 1 2 3 4 5 6 7 8; do echo rot \$seed 20000; usleep 50000; done; echo) |
		while read -r line; do echo \"\$line\" >/sys/kernel/debug/mint/provoke; done &" >/dev/null &
	for i in 1 2 3; do
		timeout 5 nc "$(address "$one" 0)" 8 <"$MINT_KERNEL" >/dev/null 2>&1
		both_ways "$two" "$MIB"
	done
	wait
	loop_until 60 answers "$one" || fail "node $one does not answer any more"
	both_ways "$one" "$MIB"
	[ "$(cat "/sys/class/net/mint$one/carrier_changes")" -gt "$rotten" ] ||
		fail "nothing has rotted in the window of node $one"
	[ "$(cat "/sys/class/net/mint$two/carrier_changes")" = "$sound" ] ||
		fail "the link to node $two has suffered"
	alive "$one"
	alive "$two"
	all_free "$one" "$two"
}

# moved <node> <rx|tx> <bytes>: node 0 has more of them than that on its link
moved() {
	[ "$(cat "/sys/class/net/mint$1/statistics/$2_bytes")" -gt "$3" ]
}

# What ends in the middle of sending and of receiving leaves nothing behind
forced_under_load() {
	i=0
	while [ "$i" -lt "$MINT_FORCED" ]; do
		connect load
		timeout 600 nc "$(address "$node" 0)" 8 </dev/zero >/dev/null 2>&1 &
		there=$!
		echo 'cat /dev/zero' |
			timeout 600 nc "$(address "$node" 0)" 7 >/dev/null 2>&1 &
		for way in rx tx; do
			loop_until 60 moved "$node" "$way" "$SIZE" ||
				fail "round $i: no load ($way)"
		done
		echo force >"$MINT/nodes/$node/stop" ||
			fail "round $i: force: $(state "$node")"
		loop_until 20 no_windows || fail "round $i: left: $(cat "$MINT/windows")"
		over "$node" || fail "round $i: node $node is $(state "$node")"
		kill "$there" $! 2>/dev/null
		wait
		i=$((i + 1))
	done
}

# a node wants more links than there is memory for, or one with nobody
exhausted() {
	need_cores 3
	# shellcheck disable=SC2046 # two words
	set -- $(sed -n 's/^\(0x[0-9a-f]*\)-\(0x[0-9a-f]*\) shared$/\1 \2/p' "$MINT/memory")
	[ $((${2:-0} - ${1:-0})) -lt $((5 * MIB)) ] ||
		skip "needs mint.shared=4M: the pool has room for all"
	connect one
	one=$node
	connect two "mint.links=0,one"
	two=$node
	MINT_INITRD=$MINT_INIT
	resources 1
	cmdline="maxcpus=1 mint.links=all"
	# One is free, which would be for node 0.
	refused "link to node ($one|$two) needs 1024 KiB of shared memory" "node [1-9]" \
		"mint.shared=|end a node" try
	cmdline="maxcpus=1 mint.links=nobody"
	refused "'nobody'" "no node's number or name" "launch that node first|leave it out" try
	# Without a wish it goes without.
	[ "$(windows)" = 3 ] || fail "windows: $(cat "$MINT/windows")"
	all_free "$two" "$one"
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

# members <list>: of the share
members() {
	grep -q "^[0-9]* share rt $1 0x[0-9a-f]*-0x[0-9a-f]* open\$" "$MINT/windows"
}

# no_device: node 0 has no share
no_device() {
	! grep -qs '^mint:' /sys/class/uio/*/name
}

# rings <who rings> <who waits>, each a node; 0: this one
rings() {
	: >"$TMP/rung"
	if [ "$2" = 0 ]; then
		"$TMP/share_user" rt wait $((60 * MINT_SLOW)) >"$TMP/rung" &
	else
		on "$2" "/test/share_user rt wait $((60 * MINT_SLOW))" >"$TMP/rung" &
	fi
	loop_until 60 line_of "$TMP/rung" ready || fail "node $2 does not wait"
	if [ "$1" = 0 ]; then
		"$TMP/share_user" rt ring || fail "node 0 cannot ring"
	else
		there "$1" rt ring || fail "node $1 cannot ring"
	fi
	loop_until 60 line_of "$TMP/rung" rung || fail "node $1 does not wake node $2"
	wait $!
}

# three nodes have the same memory, and lose it one after the other
share() {
	need_cores 2
	no_device || fail "a share is left: $(cat "$MINT/windows")"
	connect one "mint.share=rt:64K"
	one=$node
	connect two "mint.share=rt:64K"
	two=$node
	members "0,$one,$two" || members "0-$two" || fail "windows: $(cat "$MINT/windows")"
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
	# One goes: the others keep it.
	on "$one" "/test/share_user rt hold 17 $((600 * MINT_SLOW)) >/tmp/held 2>&1 &" >/dev/null
	held() {
		[ "$(on "$one" 'cat /tmp/held')" = mapped ]
	}
	loop_until 20 held || fail "node $one does not map it"
	echo force >"$MINT/nodes/$two/stop" || fail "force: $(state "$two")"
	held || fail "node $one: $(on "$one" 'cat /tmp/held')"
	members "0,$one" || members "0-$one" || fail "windows: $(cat "$MINT/windows")"
	there "$one" rt has 61440 51 || fail "node $one has lost it"
	rings "$one" 0
	# The last one goes: so does what node 0 has mapped.
	"$TMP/share_user" rt hold 17 $((60 * MINT_SLOW)) >"$TMP/held" &
	loop_until 20 line_of "$TMP/held" mapped || fail "node 0 has lost it"
	all_free "$two" "$one"
	wait $! || fail "the mapping of node 0: $(cat "$TMP/held")"
	line_of "$TMP/held" SIGBUS || fail "no SIGBUS: $(cat "$TMP/held")"
	no_device || fail "node 0 has still a device"
	# The next one gets nothing of it.
	connect one "mint.share=next:1M"
	loop_until 20 "$TMP/share_user" next has 0 0 || fail "what others wrote is there"
	there "$node" next has 61440 0 || fail "what others wrote is there"
	all_free "$node"
}

# sizes, names and wishes that cannot be
share_refusals() {
	need_cores 2
	connect one "mint.share=rt:1M"
	one=$node
	MINT_INITRD=$MINT_INIT
	resources 1
	cmdline="maxcpus=1 mint.share=rt:64K"
	refused "share 'rt'.* has 1024 KiB" "of node $one" "that size" try
	cmdline="maxcpus=1 mint.share=a/b:1M"
	refused "'a/b:1M'" "mint.share=" "is not <name>:<size>" try
	cmdline="maxcpus=1 mint.share=huge:2048M"
	refused "share 'huge' needs 2097152 KiB" "node 0" "larger mint.shared=" try
	alive "$one"
	all_free "$one"
}

run_tests addresses data_of_node0 idle successors no_links own_reboot \
	hang_and_panic other_end_leaves mtu rot forced_under_load exhausted \
	share share_refusals
