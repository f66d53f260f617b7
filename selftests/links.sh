#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Links: mint<n> is the network to node n, by memory that both share.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # run_tests calls the tests by name
# shellcheck disable=SC3043 # BusyBox ash and dash have "local"
. "$(dirname "$0")/functions.sh"
. "$(dirname "$0")/linked.sh"

panic_is_bad="no panic is"
SIZE=$((4 * MIB))
# How often a node is forced to end under load, and for how many seconds all
# nodes talk to all others; `make soak` does so 100 times, and for an hour.
: "${MINT_FORCED:=2}"
: "${MINT_TALK:=0}"

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

# from <node> <node> <bytes> [<address>]: data goes from one successor to the other
from() {
	local sums to="${4:-$(address "$2" "$1")}"

	sums=$(on "$1" "head -c $3 /dev/urandom >/tmp/data; md5sum </tmp/data; timeout $((60 * MINT_SLOW)) nc $to 8 </tmp/data" |
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
	[ "$(cat "$dev/address")" = "$(printf 'fe:4d:00:00:00:%02x' "$node")" ] ||
		fail "address: $(cat "$dev/address")"
	[ "$(cat "$dev/mtu")" = 1500 ] || fail "MTU: $(cat "$dev/mtu")"
	[ "$(cat "$dev/speed")" = 10000 ] || fail "speed: $(cat "$dev/speed")"
	loop_until 20 pings "$node" || fail "no answer by IPv4"
	loop_until 20 reaches "$node" "$(address 0 "$node")" ||
		fail "no answer to node $node by IPv4"
	# The address that it makes of that of its device
	six=$(printf 'fe80::fc4d:%xff:fe%02x:0' $((node >> 8)) $((node & 255)))
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
	loop_until 20 pings "$node" || fail "no answer"
	[ "$(rung)" -gt "$before" ] || fail "no interrupt is seen at all"
	# Now and then a kernel looks for routers, by IPv6.
	loop_until 60 quiet || fail "an idle link rings"
	all_free "$node"
}

# not_cut <node> <command>...: it sends $SIZE bytes, and they go by the link to that node in
# segments, not in a frame for each 1500 bytes. On a busy machine a sender may send piece by
# piece; what is cut is so each time.
not_cut() {
	local to="$1"

	shift
	whole() {
		local frames

		frames=$(sent_to "$to")
		"$@" || exit 1
		frames=$(($(sent_to "$to") - frames))
		say "$frames frames for $SIZE bytes"
		[ $((frames * 2000)) -lt "$SIZE" ]
	}
	of_three whole "$@" || fail "$SIZE bytes are cut each time"
}

# routed: data of node $one takes the way by node 0, from one link to the other: segments
# that are cut nowhere on it
routed() {
	forward=$(cat /proc/sys/net/ipv4/ip_forward)
	trap 'echo "$forward" >/proc/sys/net/ipv4/ip_forward' EXIT
	echo 1 >/proc/sys/net/ipv4/ip_forward
	on "$one" "ip route add 10.0.$two.0/30 via $(address 0 "$one")" >/dev/null
	on "$two" "ip route add 10.0.$one.0/30 via $(address 0 "$two")" >/dev/null
	loop_until 20 reaches "$one" "$(address "$two" 0)" ||
		fail "node $one does not reach node $two by node 0"
	before=$(cat "/sys/class/net/mint$two/statistics/tx_bytes")
	not_cut "$two" from "$one" "$two" "$SIZE" "$(address "$two" 0)"
	moved "$two" tx $((before + SIZE)) || fail "it did not go by node 0"
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
	routed
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

# of_three <command>...: it succeeds once in three times. A core that the host lets stand
# still for a second costs a carrier, which is no fault.
of_three() {
	for _ in 1 2 3; do
		"$@" && return
		say "$1: not this time"
	done
	return 1
}

# link_over_reboot: the node reboots, its link works again, and has got its carrier once
link_over_reboot() {
	booted=$(boots "$node")
	ups=$(cat "/sys/class/net/mint$node/carrier_up_count")
	downs=$(cat "/sys/class/net/mint$node/carrier_down_count")
	# The shell has no time to say good-bye.
	on "$node" 'busybox reboot -f' >/dev/null 2>&1 &
	# The carrier may be back before it is looked at
	lost() {
		[ "$(cat "/sys/class/net/mint$node/carrier_down_count")" -gt "$downs" ]
	}
	loop_until 20 lost || fail "the carrier stays on"
	wait_boot "$node" $((booted + 1))
	kill $! 2>/dev/null
	loop_until 60 carrier "$node" 1 || fail "no carrier after its reboot"
	loop_until 60 answers "$node" || fail "no answer after its reboot"
	both_ways "$node" "$MIB"
	# What the old kernel has left there is no session of the new one.
	[ "$(cat "/sys/class/net/mint$node/carrier_up_count")" = $((ups + 1)) ]
}

# carrier and data follow the life of the other side
own_reboot() {
	connect web
	loop_until 20 pings "$node" || fail "no answer"
	of_three link_over_reboot || fail "the carrier came more than once, each time"
	all_free "$node"
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

# held <node>: its heart does not beat
held() {
	local last

	last=$(beat "$1")
	pass_beats 3
	[ "$(beat "$1")" = "$last" ]
}

# A node forges that the other member has left their window, and ends. The window must
# stay closed until the other member itself has left it.
said_for_another() {
	need_cores 2
	need_provoke
	connect one
	one=$node
	connect two "mint.links=0,one"
	two=$node
	[ "$(on "$two" 'echo disown >/sys/kernel/debug/mint/provoke; echo $?')" = 0 ] ||
		fail "node $two cannot write there"
	# Less than mint.lost_ms=, so that it does not become silent
	on "$one" 'echo "<5>it pauses" >/dev/kmsg
		echo pause 8000 >/sys/kernel/debug/mint/provoke' >/dev/null &
	paused=$!
	loop_until 60 grep -q "it pauses" "$MINT/nodes/$one/log" ||
		fail "node $one has not got so far"
	loop_until 5 held "$one" || fail "node $one goes on"
	echo force >"$MINT/nodes/$two/stop" || fail "force: $(state "$two")"
	pass_beats 3
	cat "$MINT/windows" >"$TMP/windows"
	held "$one" || skip "node $one was not held for long enough"
	low=$one high=$two
	[ "$one" -lt "$two" ] || low=$two high=$one
	grep -q " link $low,$high .* closed\$" "$TMP/windows" ||
		fail "node $one has not left its window: $(cat "$TMP/windows")"
	kill "$paused" 2>/dev/null
	left() {
		[ "$(windows)" = 1 ]
	}
	loop_until 20 left || fail "left over: $(cat "$MINT/windows")"
	loop_until 60 answers "$one" || fail "node $one does not answer"
	all_free "$one"
}

# stacked <device> <host>: commands that make a VLAN of it, and one in that
stacked() {
	echo "ip link add link $1 name vlan5 type vlan id 5 &&
		ip link add link vlan5 name vlan6 type vlan id 6 &&
		ip addr add 10.5.0.$2/24 dev vlan5 && ip link set vlan5 up &&
		ip addr add 10.6.0.$2/24 dev vlan6 && ip link set vlan6 up"
}

# sent_to <node>: frames, by node 0 on its link
sent_to() {
	cat "/sys/class/net/mint$1/statistics/tx_packets"
}

# sends <address>: $TMP/data, and the answer is its sum
sends() {
	sum=$(timeout $((60 * MINT_SLOW)) nc "$1" 8 <"$TMP/data" | cut -d' ' -f1)
	[ "$sum" = "$(md5sum <"$TMP/data" | cut -d' ' -f1)" ] || fail "$1: sum is $sum"
}

# datagrams in pieces, and segments that nobody cuts, in frames of a VLAN of their link,
# and of one in that
vlans() {
	[ -d /proc/net/vlan ] || skip "needs CONFIG_VLAN_8021Q"
	connect web
	eval "$(stacked "mint$node" 1)" || fail "no VLAN"
	on "$node" "$(stacked mint0 2)" >/dev/null
	head -c "$SIZE" /dev/urandom >"$TMP/data"
	for to in 10.5.0.2 10.6.0.2; do
		loop_until 20 ping -c 1 -W 2 -s 8000 "$to" >/dev/null 2>&1 ||
			fail "$to: no answer in the VLAN"
		not_cut "$node" sends "$to"
	done
	ip link del vlan6
	ip link del vlan5
	all_free "$node"
}

# frames of any length, datagrams in pieces, and a device that goes down and up
mtu() {
	connect web
	for size in 1473 8000 65000; do
		loop_until 20 pings "$node" -s "$size" || fail "$size bytes in pieces: no answer"
	done
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

# the address of a device that is up changes, as bonds and users want it to
another_address() {
	connect web
	dev=/sys/class/net/mint$node
	was=$(cat "$dev/address")
	for mac in 02:00:00:00:00:07 "$was"; do
		ip link set "mint$node" address "$mac" || fail "address $mac"
		[ "$(cat "$dev/address")" = "$mac" ] || fail "it has $(cat "$dev/address")"
		loop_until 20 pings "$node" || fail "$mac: no answer"
	done
	all_free "$node"
}

# lend_device: to a network namespace, whose one process is $holder
lend_device() {
	unshare -n sleep 600 &
	holder=$!
	trap 'kill "$holder" 2>/dev/null' EXIT
	apart() {
		[ -e "/proc/$holder/ns/net" ] &&
			[ "$(readlink "/proc/$holder/ns/net")" != "$(readlink /proc/self/ns/net)" ]
	}
	loop_until 20 apart || fail "no network namespace"
	ip link set "mint$node" netns "$holder" || fail "mint$node stays"
	[ ! -e "/sys/class/net/mint$node" ] || fail "mint$node is still here"
}

# a device in another network namespace comes back from there, and ends there
namespaces() {
	[ -e /proc/self/ns/net ] || skip "needs network namespaces: CONFIG_NET_NS"
	connect web
	lend_device
	kill "$holder"
	loop_until 20 test -e "/sys/class/net/mint$node" || fail "mint$node has not come back"
	linked "$node"
	loop_until 20 pings "$node" || fail "no answer"
	lend_device
	all_free "$node"
	kill "$holder"
}

# rots: in the windows of node $one; the carrier of node $two does not change
rots() {
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
	[ "$(cat "/sys/class/net/mint$two/carrier_changes")" = "$sound" ]
}

# rot in its windows costs a node its own links, and these only for a while
rot() {
	need_cores 2
	need_provoke
	connect one
	one=$node
	connect two
	two=$node
	of_three rots || fail "the link to node $two has suffered, each time"
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

# talk <node> <node>...: commands of the first one, which sends data to each of the
# others at once and prints how many have got what was sent
talk() {
	local self="$1" peer

	shift
	echo "cd /tmp; rm -f same.*"
	for peer in "$@"; do
		echo "( head -c $MIB /dev/urandom >sent.$peer
			# Who was launched last may still set its links up
			i=0
			until ping -c 1 -W 1 $(address "$peer" "$self") >/dev/null 2>&1; do
				i=\$((i + 1))
				[ \$i -lt 30 ] || break
			done
			got=\$(timeout $((120 * MINT_SLOW)) nc $(address "$peer" "$self") 8 <sent.$peer)
			[ \"\$got\" != \"\$(md5sum <sent.$peer)\" ] || : >same.$peer ) &"
	done
	# The pattern is there if no file is.
	echo "wait; set -- same.*; [ -e \"\$1\" ] || shift; echo \$#"
}

# All talk to all at once; as many nodes as there are cores and windows for
all_to_all() {
	# shellcheck disable=SC2046 # two words
	set -- $(sed -n 's/^\(0x[0-9a-f]*\)-\(0x[0-9a-f]*\) shared$/\1 \2/p' "$MINT/memory")
	room=$((($2 - $1 + 1) / MIB)) count=0
	while [ "$count" -lt "$free_at_start" ] &&
		[ $(((count + 1) * (count + 2) / 2)) -le "$room" ]; do
		count=$((count + 1))
	done
	[ "$count" -ge 2 ] || skip "needs 2 free cores, and 3 MiB of mint.shared="
	initrd_with "$HERE/link_end.sh"
	nodes=
	while [ "$count" -gt 0 ]; do
		begin "node$count" "mint.links=all"
		nodes="$nodes $node"
		count=$((count - 1))
	done
	for n in $nodes; do
		linked "$n"
	done
	nc -ll -p 8 -e md5sum &
	server=$!
	# shellcheck disable=SC2086 # a word for each node
	set -- 0 $nodes
	say "$# nodes, $(windows) links"
	[ "$(windows)" = $(($# * ($# - 1) / 2)) ] || fail "windows: $(cat "$MINT/windows")"
	end=$(($(now) + MINT_TALK))
	round=0
	while :; do
		for n in "$@"; do
			# shellcheck disable=SC2046 # a word for each node
			talk "$n" $(echo "$*" | tr ' ' '\n' | grep -vx "$n") >"$TMP/talk.$n"
			if [ "$n" = 0 ]; then
				sh "$TMP/talk.0" >"$TMP/same.0" &
			else
				timeout $((180 * MINT_SLOW)) nc "$(address "$n" 0)" 7 \
					<"$TMP/talk.$n" >"$TMP/same.$n" &
			fi
			jobs="${jobs:-} $!"
		done
		# shellcheck disable=SC2086 # a word for each job
		wait $jobs
		jobs=
		for n in "$@"; do
			[ "$(cat "$TMP/same.$n")" = $(($# - 1)) ] ||
				fail "round $round: of what node $n has sent to $(($# - 1)) nodes, $(cat "$TMP/same.$n") have got it right"
		done
		round=$((round + 1))
		[ "$(now)" -lt "$end" ] || break
	done
	kill "$server"
	for n in $nodes; do
		alive "$n"
	done
	# shellcheck disable=SC2086 # a word for each node
	all_free $nodes
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
	[ "$(windows)" = 3 ] || fail "windows: $(cat "$MINT/windows")"
	# Without a wish it goes without. A share takes what one link leaves of the pool.
	[ -d /sys/class/uio ] || skip "needs CONFIG_UIO, so that no room is left for any link"
	stop "$two" || exit 1
	left() {
		[ "$(windows)" = 1 ]
	}
	loop_until 20 left || fail "left over: $(cat "$MINT/windows")"
	initrd_with "$HERE/link_end.sh"
	begin rest "mint.links=none" "mint.share=rest:$((($2 - $1 + 1) / MIB - 1))M"
	rest=$node
	runs "$rest"
	begin plain
	runs "$node"
	[ -z "$(cat "$MINT/nodes/$node/links")" ] ||
		fail "links: $(cat "$MINT/nodes/$node/links")"
	said_since before |
		grep -q "no shared memory is free: the new node gets no link" ||
		fail "node 0 does not say that there is no link"
	all_free "$node" "$rest" "$one"
}

# What a node's kernel says goes out by its link, from a console of the stock kernel
netconsole() {
	connect web
	mac=$(cat "/sys/class/net/mint$node/address")
	[ "$(on "$node" "mount -t configfs none /sys/kernel/config 2>/dev/null
		mkdir /sys/kernel/config/netconsole/node0 && cd /sys/kernel/config/netconsole/node0 &&
		echo mint0 >dev_name && echo $(address "$node" 0) >local_ip &&
		echo $(address 0 "$node") >remote_ip && echo $mac >remote_mac &&
		echo 1 >enabled && cat enabled")" = 1 ] || fail "node $node has no netconsole"
	need_helper hear
	"$TMP/hear" 6666 >"$TMP/net" &
	listener=$!
	# The first words may be said before the listener is there.
	heard() {
		on "$node" 'echo "<1>said by netconsole" >/dev/kmsg' >/dev/null
		grep -q "said by netconsole" "$TMP/net"
	}
	loop_until 20 heard || fail "nothing comes: $(cat "$TMP/net")"
	# It takes the way of any other data: that goes on.
	both_ways "$node" "$MIB"
	: >"$TMP/net"
	loop_until 20 heard || fail "it has gone silent: $(cat "$TMP/net")"
	kill "$listener"
	all_free "$node"
}

# untaken: nothing but links has the name of one
untaken() {
	for dev in $taken; do
		ip link del "$dev"
	done 2>/dev/null
	ip link del foreign 2>/dev/null
}

# complaints_of <node>: how often node 0 has said that its link has no name
complaints_of() {
	dmesg | grep -c "no link with node $1 yet: another device is called mint$1"
}

# If another device has the name of the link, the log says so once. The link is there
# as soon as the name is free.
name_taken() {
	count=$(cores_of '.*' | wc -w)
	taken=
	trap untaken EXIT
	n=0
	while [ $((n += 1)) -lt "$count" ]; do
		[ ! -e "/sys/class/net/mint$n" ] || continue
		ip link add "mint$n" type bridge || fail "no bridge mint$n"
		taken="$taken mint$n"
	done
	n=1
	while [ "$n" -lt "$count" ]; do
		complaints_of "$n" >"$TMP/said.$n"
		n=$((n + 1))
	done
	initrd_with "$HERE/link_end.sh"
	begin web
	runs "$node"
	[ -e "/sys/class/net/mint$node/bridge" ] || fail "mint$node is no bridge"
	pass_beats 20
	[ "$(complaints_of "$node")" = $(($(cat "$TMP/said.$node") + 1)) ] ||
		fail "said $(complaints_of "$node") times, before $(cat "$TMP/said.$node")"
	ip link set "mint$node" name foreign || fail "mint$node is not renamed"
	named() {
		[ "$(cat "/sys/class/net/mint$node/address" 2>/dev/null)" = \
			"$(printf 'fe:4d:00:00:00:%02x' "$node")" ]
	}
	loop_until 20 named || fail "no link, though its name is free"
	linked "$node"
	loop_until 20 pings "$node" || fail "no answer"
	stop "$node" || exit 1
	# One that ends without a link leaves nothing behind, either
	loop_until 20 ip link set foreign name "mint$node" 2>/dev/null ||
		fail "mint$node is still there"
	begin web
	runs "$node"
	[ -e "/sys/class/net/mint$node/bridge" ] || fail "mint$node is no bridge"
	stop "$node" || exit 1
	untaken
	all_free "$node"
}

run_tests addresses data_of_node0 idle successors no_links name_taken own_reboot \
	hang_and_panic other_end_leaves said_for_another mtu vlans another_address \
	namespaces rot forced_under_load netconsole all_to_all exhausted
