#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# PCI functions that go from one running node to another, and are used there.
# Needs functions behind ports of their own: an NVMe disk without a use, and two
# network cards on one cable, of which one has MSI-X and the other is node 0's;
# a card that has nothing but an interrupt line; and 33 functions without a driver and
# without a reset, which QEMU calls edu.

# shellcheck source-path=SCRIPTDIR disable=SC2317,SC3043
. "$(dirname "$0")/functions.sh"
need_mint
all_need_init
need_moves
[ "$free_at_start" -ge 2 ] || skip_all "needs 2 free cores"

pci=/sys/bus/pci/devices
MIB_OF_DATA=4
# shellcheck disable=SC2034 # read by settle()
panic_is_bad="no panic is"

# ---- the machine ------------------------------------------------------------

# driver_of <function>: the name of its driver, nothing without one
driver_of() {
	readlink "$pci/$1/driver" | sed 's/.*\///'
}

# has_reset <function>: one that leaves all others alone
has_reset() {
	grep -q . "$pci/$1/reset_method" 2>/dev/null
}

# functions_of <driver>: those that it has in node 0
functions_of() {
	local path

	for path in "/sys/bus/pci/drivers/$1"/*:*:*.*; do
		[ -e "$path" ] && echo "${path##*/}"
	done
}

# other_card <function>: the card of node 0 at the other end of its cable, whose
# address ends with an odd number that is lower by one
other_card() {
	local path mac

	mac=$(cat "$pci/$1"/net/*/address 2>/dev/null ||
		cat "$pci/$1"/virtio*/net/*/address)
	for path in /sys/class/net/*; do
		[ "$(cat "$path/address")" != "${mac%?}$((${mac##*:0} - 1))" ] ||
			echo "${path##*/}"
	done
}

# What the tests move, and what stays with node 0. A driver of node 0 has all of
# it before, and must have it afterwards.
nic=$(functions_of e1000e | tail -n 1)
disk=$(functions_of nvme | tail -n 1)
lined=$(functions_of e1000 | tail -n 1)
bare=$(cd "$pci" && grep -l 0x11e8 ./*/device | sed 's/^..//; s/.device$//')
[ -n "$nic" ] || skip_all "needs a card with e1000e"
cable=$(other_card "$nic")
[ -n "$cable" ] || skip_all "needs a card at the other end of $nic"

# ---- what a node does -------------------------------------------------------

# open_terminal <node>: write down what comes from its terminal
open_terminal() {
	# Two who read would get a part each, and a test that has failed leaves its own
	close_terminal "$1"
	cat <"/dev/mint$1" >"$TMP/tty.$1" 2>/dev/null &
	echo $! >"$TMP/listener.$1"
	in_node "$1" true
}

# close_terminal <node>: nobody reads it any more
close_terminal() {
	local pid

	read -r pid 2>/dev/null <"$TMP/listener.$1" || return 0
	kill "$pid" 2>/dev/null
	rm -f "$TMP/listener.$1"
}

# close_terminals: no more
close_terminals() {
	local path

	for path in "$TMP"/listener.*; do
		close_terminal "${path##*.}"
	done
}

at_end() {
	close_terminals
	killall httpd 2>/dev/null
}

answered() {
	grep -q "^end-$2-[0-9]" "$TMP/tty.$1"
}

# in_node <node> <command>: have its shell run that; prints what it printed,
# fails as it fails
in_node() {
	local mark

	mark=$(cat /proc/sys/kernel/random/uuid)
	mark=${mark%%-*}
	# What is typed is echoed: neither mark is in it as a line.
	# Messages of the kernel would come in between.
	printf 'dmesg -n 1; . /test/pci_node.sh; echo be""gin-%s; %s; echo en""d-%s-$?\n' \
		"$mark" "$2" "$mark" >"/dev/mint$1"
	loop_until 120 answered "$1" "$mark" ||
		fail "node $1 does not answer '$2': $(tail -n 5 "$TMP/tty.$1")"
	tr -d '\r' <"$TMP/tty.$1" |
		sed -n "/^begin-$mark\$/,/^end-$mark-/{/^begin-$mark\$/d;/^end-$mark-/d;p}"
	tr -d '\r' <"$TMP/tty.$1" | grep -q "^end-$mark-0\$"
}

# expect_in <node> <expected> <command>: it prints that, and succeeds
expect_in() {
	local got

	got=$(in_node "$1" "$3") || fail "node $1: $3: $got"
	[ "$got" = "$2" ] || fail "node $1: $3 prints '$got', not '$2'"
}

# nodes <number>: so many, with a terminal each: $one, $two, $beside
nodes() {
	initrd_with "$HERE/pci_node.sh"
	if [ "$1" = 3 ]; then
		launch 1
		beside=$node
		open_terminal "$beside"
	fi
	launch 1
	one=$node
	open_terminal "$one"
	[ "$1" = 1 ] && return
	launch 1
	two=$node
	open_terminal "$two"
}

# ---- moves ------------------------------------------------------------------

# owner <function>: the node that has it, 0 if no successor has
owner() {
	sed -n "s/^$1 node //p" "$MINT/devices" | grep . || echo 0
}

# move <function> <node>: it goes there, and all agree on that
move() {
	moves pci "$1" "$2"
	moved "$1" "$2"
}

# moved <function> <node>: each place that says whose it is says that
moved() {
	local to="$2"

	[ "$to" != free ] || to=0
	[ "$(owner "$1")" = "$to" ] ||
		fail "$1 is said to be node $(owner "$1")'s, not node $to's"
	if [ "$to" = 0 ]; then
		[ ! -e "$pci/$1/mint_node" ] || fail "$1 is marked"
		[ "$2" = 0 ] || [ -z "$(driver_of "$1")" ] ||
			fail "$1 is free, and driven by $(driver_of "$1")"
		[ "$2" = free ] || [ -n "$(driver_of "$1")" ] ||
			fail "node 0 does not drive $1"
		return
	fi
	[ "$(cat "$pci/$1/mint_node")" = "$to" ] || fail "$1 is not marked"
	[ "$(grep -c "$1" "$MINT/nodes/$to/devices")" = 1 ] ||
		fail "node $to has: $(cat "$MINT/nodes/$to/devices")"
	[ -z "$(driver_of "$1")" ] || fail "$1 is driven in node 0"
}

# refused_move <function> <node> <resource> <owner> <remedy>
refused_move() {
	no_move "$3" "$4" "$5" pci "$1" "$2"
}

# ---- tests ------------------------------------------------------------------

# serve: node 0 offers data on its end of the cable; $sum is what it offers
serve() {
	mkdir -p "$TMP/www"
	dd if=/dev/urandom of="$TMP/www/data" bs=1M count="$MIB_OF_DATA" 2>/dev/null
	sum=$(md5sum <"$TMP/www/data")
	ip addr flush dev "$cable"
	ip addr add 10.9.0.1/24 dev "$cable"
	ip link set "$cable" up
	httpd -h "$TMP/www" -p 10.9.0.1:80
}

no_server() {
	killall httpd
	ip addr flush dev "$cable"
	ip link set "$cable" down
}

# carries <node>: traffic has come in there
carries() {
	[ "$(in_node "$1" "received $nic")" -gt $((MIB_OF_DATA * MIB)) ]
}

# undisturbed: the node beside has got no interrupt that is not its own, and its
# heart has gone on beating
undisturbed() {
	expect_in "$beside" "0 0" "strangers"
	loop_until 20 beyond "$beside" $((beat_before + 10)) ||
		fail "node $beside: its heart has stood still"
}

# From one successor to another while it carries traffic: there it has its
# driver, its interrupts and its link.
card_under_load() {
	need_cores 3
	nodes 3
	beat_before=$(beat "$beside")
	serve
	move "$nic" "$one"
	expect_in "$one" "there: e1000e" "has $nic"
	in_node "$one" "card $nic 10.9.0.2" >/dev/null || fail "no card in node $one"
	in_node "$one" "traffic 10.9.0.1" >/dev/null || fail "no link in node $one"
	loop_until 60 carries "$one" || fail "no traffic in node $one"
	move "$nic" "$two"
	expect_in "$one" "not there" "has $nic"
	expect_in "$two" "there: e1000e" "has $nic"
	in_node "$two" "card $nic 10.9.0.2" >/dev/null || fail "no card in node $two"
	expect_in "$two" "$sum" "fetch 10.9.0.1"
	[ "$(in_node "$two" "vectors eth")" -gt 0 ] ||
		fail "no MSI: $(in_node "$two" "cat /proc/interrupts")"
	alive "$one"
	alive "$two"
	undisturbed
	no_server
	move "$nic" 0
	close_terminals
}

# To a successor, to node 0, which uses it, and to the successor again.
there_and_back() {
	local i

	nodes 1
	for i in 1 2 3; do
		move "$nic" "$one"
		expect_in "$one" "there: e1000e" "has $nic"
		move "$nic" 0
		expect_in "$one" "not there" "has $nic"
		dmesg | tail -n 60 | grep -q "$nic: from node $one to node 0, bus master off, reset: " ||
			fail "the log does not say how it was reset"
	done
	# Nothing of what the bridges need was lost on the way.
	move "$nic" "$one"
	serve
	in_node "$one" "card $nic 10.9.0.2" >/dev/null
	expect_in "$one" "$sum" "fetch 10.9.0.1"
	no_server
	# What is nobody's has no driver, and can be lent by a launch.
	move "$nic" free
	launch 1 --mint-devices="$nic"
	two=$node
	moved "$nic" "$two"
	move "$nic" 0
	move "$nic" free
	move "$nic" 0
	close_terminals
}

# A disk keeps its data, and stays where it is mounted.
disk_with_data() {
	local data

	[ -n "$disk" ] || skip "needs a disk with nvme"
	nodes 2
	move "$disk" "$one"
	data=$(in_node "$one" "make $disk $MIB_OF_DATA" | tail -n 1)
	refused_move "$disk" "$two" "nvme[0-9]n1" "node $one" "unmount"
	expect_in "$one" "$data" "md5sum </tmp/m/file"
	in_node "$one" release || fail "it cannot be unmounted"
	move "$disk" "$two"
	expect_in "$two" "$data" "check $disk"
	in_node "$two" release || fail "it cannot be unmounted"
	move "$disk" 0
	# shellcheck source=pci_node.sh
	[ "$(. "$HERE/pci_node.sh" && check "$disk")" = "$data" ] ||
		fail "node 0 does not read what was written"
	refused_move "$disk" "$one" "nvme[0-9]n1" "node 0" "unmount"
	umount /tmp/m
	move "$disk" "$one"
	expect_in "$one" "$data" "check $disk"
	in_node "$one" release
	move "$disk" 0
	close_terminals
}

# The node dies after the move: what it was given comes back with all else.
dead_receiver() {
	nodes 2
	move "$nic" "$one"
	move "$nic" "$two"
	echo force >"$MINT/nodes/$two/stop" || fail "force failed"
	moved "$nic" free
	move "$nic" "$one"
	expect_in "$one" "there: e1000e" "has $nic"
	echo force >"$MINT/nodes/$one/stop" || fail "force failed"
	moved "$nic" free
	move "$nic" 0
	close_terminals
}

# party <giver|receiver>: the node that is it, if it still runs, else a new one
party() {
	eval "node=\${$1:-}"
	if [ -z "$node" ] || ! in_state "$node" running; then
		launch 1
		eval "$1=$node"
	fi
}

# has_nic <giver|receiver|free>
has_nic() {
	case $1 in
	free) [ "$(owner "$nic")" = 0 ] ;;
	giver) [ "$(owner "$nic")" = "$giver" ] ;;
	receiver) [ "$(owner "$nic")" = "$receiver" ] ;;
	esac
}

# one_has <owner>[,<owner>]: one of them
one_has() {
	has_nic "${1%,*}" || has_nic "${1#*,}"
}

# party_dies <giver|receiver> <turn> <way> <owner>[,<owner>]
party_dies() {
	local victim to

	party giver
	party receiver
	move "$nic" "$giver"
	eval "victim=\$$1"
	dies "$victim" "$2" "$3" pci "$nic" "$receiver"
	loop_until 60 one_has "$4" ||
		fail "$nic is node $(owner "$nic")'s, not the $4's; giver $giver, receiver $receiver"
	to=$(owner "$nic")
	[ "$to" != 0 ] || to=free
	moved "$nic" "$to"
	[ "$to" = free ] || move "$nic" free
	undisturbed
}

# Whoever dies in the middle: one of both has the function then, or none, and a
# node beside notices nothing.
parties_die() {
	need_provoke
	need_cores 3
	initrd_with "$HERE/pci_node.sh"
	launch 1
	beside=$node third=$node
	open_terminal "$beside"
	beat_before=$(beat "$beside")
	giver='' receiver=''
	deaths party_dies
	move "$nic" 0
	close_terminals
}

# A kernel that starts by itself has what its node has by then.
own_reboot() {
	nodes 2
	move "$nic" "$one"
	printf 'reboot -f\n' >"/dev/mint$one"
	loop_until 120 rebooted "$one" 2 || fail "node $one does not reboot"
	expect_in "$one" "there: e1000e" "has $nic"
	move "$nic" "$two"
	printf 'reboot -f\n' >"/dev/mint$one"
	loop_until 120 rebooted "$one" 3 || fail "node $one does not reboot"
	expect_in "$one" "not there" "has $nic"
	expect_in "$two" "there: e1000e" "has $nic"
	move "$nic" 0
	close_terminals
}

rebooted() {
	[ "$(boots "$1")" = "$2" ] && in_state "$1" running &&
		[ "$(grep -c "node $1 up" "$MINT/nodes/$1/log")" = "$2" ]
}

# Functions that only a launch can give, and what is no function.
refusals() {
	nodes 1
	[ -z "$lined" ] ||
		refused_move "$lined" "$one" "$lined" "no MSI" "mint.devices="
	refused_move 0000:00:00.0 "$one" "0000:00:00.0" "all nodes" "behind"
	refused_move 0000:7f:1e.0 "$one" "7f:1e.0" "machine" "lspci"
	refused_move "${nic%.*}" "$one" "${nic%.*}" "segment" "one function"
	move "$nic" "$one"
	refused_move "$nic" "$one" "$nic" "node $one" "already"
	move "$nic" 0
	close_terminals
}

# without_reset <function>: mint.reset=must, and it has no reset; $nic has one
without_reset() {
	local card

	card=$(readlink -f "/sys/class/net/$cable/device")
	card=${card%/virtio*}
	card=${card##*/}
	for name in "$1" "$card"; do
		! has_reset "$name" || fail "$name has a reset"
		refused_move "$name" "$one" "$name cannot be reset" "mint.reset=must" \
			"exclamation mark \($name!\)"
		expect_in "$one" "not there" "has $name"
	done
	[ "$(driver_of "$card")" = virtio-pci ] || fail "node 0 has lost the driver of $card"
	move "$nic" "$one"
	moves pci "$1!" "$one"
	moved "$1" "$one"
	dmesg | tail -n 60 | grep -q "$1: from node 0 to node $one, bus master off, reset: none" ||
		fail "the log does not say that it was not reset"
	expect_in "$one" "there: " "has $1"
	# What a successor has goes on without the mark
	move "$1" "$two"
	move "$1" free
	move "$nic" 0
}

# With mint.reset=must a function without a reset moves by force alone.
must_be_reset() {
	[ -n "$bare" ] || skip "needs a function without a reset"
	nodes 1
	launch 1
	two=$node
	with_parameter reset must without_reset "$(echo "$bare" | head -n 1)" || exit
	close_terminals
}

# A node with 32 devices gets no other one, and none that brings a bridge with it when
# there is one place left; a place that is free again is used.
full_node() {
	local first list

	# shellcheck disable=SC2086 # one word for each
	set -- $bare
	[ $# = 33 ] || skip "needs 33 functions for one node"
	first=$1 list=$1
	shift
	while [ $# -gt 2 ]; do
		list=$list,$1
		shift
	done
	initrd_with "$HERE/pci_node.sh"
	launch 1
	two=$node
	launch 1 --mint-devices="$list"
	one=$node
	open_terminal "$one"
	expect_in "$one" 31 "ls \$pci | wc -l"
	refused_move "$nic" "$one" "$nic" "node $one has no room" "32 devices.*take others"
	move "$1" "$one"
	refused_move "$2" "$one" "$2" "node $one has no room" "32 devices.*take others"
	expect_in "$one" 32 "ls \$pci | wc -l"
	move "$2" "$two"
	refused_move "$2" "$one" "$2" "node $one has no room" "32 devices.*take others"
	move "$first" free
	move "$2" "$one"
	expect_in "$one" "there: " "has $2"
	expect_in "$one" "not there" "has $first"
	expect_in "$one" 32 "ls \$pci | wc -l"
	alive "$one"
	alive "$two"
	close_terminals
}

run_tests card_under_load there_and_back disk_with_data dead_receiver \
	parties_die own_reboot refusals must_be_reset full_node
