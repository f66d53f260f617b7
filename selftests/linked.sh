# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# What the tests of links and of shares have in common: nodes that node 0 reaches
# by their links. Read after functions.sh.

# shellcheck disable=SC3043 # BusyBox ash and dash have "local"
# shellcheck disable=SC2154 # functions.sh sets $node
need_mint
all_need_init
[ -e "$MINT/windows" ] || skip_all "this kernel has no windows"
grep -q ' shared$' "$MINT/memory" || skip_all "no memory is shared: mint.shared="

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

# begin <name> [<option>...]: launch a node with one core, which sets up its links
begin() {
	local name="$1"

	shift
	resources 1
	cmdline="maxcpus=1 mint.name=$name mint.test=/test/link_end.sh $*" start
}

# linked <node>: it has what it needs for a test, or has no link to node 0
linked() {
	runs "$1"
	grep -q " link 0,$1 " "$MINT/windows" || return 0
	loop_until 20 test -e "/sys/class/net/mint$1" || fail "node 0 has no mint$1"
	sh "$HERE/link_end.sh" once
	loop_until 60 carrier "$1" 1 || fail "node $1: no carrier"
	loop_until 60 answers "$1" || fail "node $1 does not answer"
}

# connect <name> [<option>...]: launch a node and wait for its links; its initrd has
# the programs that $linked_with names, too
linked_with=
connect() {
	# shellcheck disable=SC2086 # a word for each program
	initrd_with "$HERE/link_end.sh" $linked_with
	begin "$@"
	linked "$node"
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

# wait_boot <node> <count>: it has started so often
wait_boot() {
	loop_until 60 booted "$1" "$2" || fail "boots: $(boots "$1")"
}

booted() {
	[ "$(boots "$1")" -ge "$2" ]
}
