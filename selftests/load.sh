#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What nodes say of themselves to whom it may concern: their load, what they want,
# which of the nodes of their number they are; and that changes of all nodes are
# announced, in node 0 and in successors.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # run_tests calls the tests by name
. "$(dirname "$0")/functions.sh"
need_mint
all_need_init

# observer: a node that looks at all others: $first. It lives through all tests.
observer() {
	[ ! -s "$TMP/first" ] || {
		first=$(cat "$TMP/first")
		return
	}
	need_helper poll_state
	initrd_with "$HERE/load_node.sh" "$TMP/poll_state"
	more="mint.test=/test/load_node.sh" launch 1
	first=$node
}

# told <expression>: the observer has said so since it was asked the last time
told() {
	tail -n +"$((lines + 1))" "$MINT/nodes/$first/log" | grep -q "$1"
}

# from_now: what the observer has said until now does not count
from_now() {
	lines=$(wc -l <"$MINT/nodes/$first/log")
}

# in_successor <node> <command>: its shell does that
in_successor() {
	echo "$2" >"/dev/mint$1"
}

# judge <file>: in what a node has measured, is $node busy, and the observer idle?
judge() {
	awk -v busy="$node" -v idle="$first" '
		$1 == busy && $2 >= 3 { b = $3 >= $2 && $4 >= 20 * $2 }
		$1 == idle && $2 >= 3 { i = $3 < $2 / 2 && $4 < 50 * $2 }
		END { exit !(b && i) }' "$1"
}

busy_for_node0() {
	sh "$HERE/load_node.sh" once >"$TMP/measured" && judge "$TMP/measured"
}

# Three nodes tell of their beats, and have some
all_beat() {
	sh "$HERE/load_node.sh" once >"$TMP/measured"
	awk '$2 < 1 { bad = 1 } END { exit bad || NR < 3 }' "$TMP/measured"
}

# The node that is to be busy is not, as yet
idle_for_node0() {
	sh "$HERE/load_node.sh" once >"$TMP/measured" &&
		awk -v n="$node" '$1 == n && $2 >= 3 { idle = $3 < $2 / 2 }
			END { exit !idle }' "$TMP/measured"
}

# As the observer has measured last, of each node
busy_for_first() {
	tail -n +"$((lines + 1))" "$MINT/nodes/$first/log" |
		sed -n 's/.*load: \([0-9]* [0-9]* [0-9]* [0-9]* .*\)/\1/p' >"$TMP/measured"
	judge "$TMP/measured"
}

# One node has a task that runs all the time: every node sees that it is that one,
# and no other.
load_of_busy_node() {
	need_cores 2
	observer
	launch 1
	# A kernel counts its first beats before it tells of its load
	loop_until 30 all_beat || fail "not every heart beats: $(cat "$TMP/measured")"
	# What it does to come up takes a while.
	loop_until 60 idle_for_node0 ||
		fail "node $node is busy before: $(cat "$TMP/measured")"
	from_now
	in_successor "$node" "while :; do :; done &"
	loop_until 60 busy_for_node0 ||
		fail "node 0 measures: $(cat "$TMP/measured")"
	loop_until 60 busy_for_first ||
		fail "node $first measures: $(cat "$TMP/measured")"
	for file in load want incarnation; do
		unwritable "$MINT/nodes/$node/$file"
	done
}

# unwritable <file>
unwritable() {
	(echo 1 >"$1") 2>/dev/null && fail "$1 can be written"
	return 0
}

# wants <node> <text>
wants() {
	[ "$(cat "$MINT/nodes/$1/want")" = "$2" ]
}

# A line of text comes to all others as it was written, and goes with its node.
want_is_passed_on() {
	need_cores 2
	observer
	launch 1
	[ -z "$(cat "$MINT/nodes/$node/want")" ] ||
		fail "it wants something: $(cat "$MINT/nodes/$node/want")"
	text="cores=+2 memory=+512M prio=5 urgency=high hold=30s"
	in_successor "$node" "echo $text >$MINT/want"
	loop_until 60 wants "$node" "$text" ||
		fail "node 0 sees: $(cat "$MINT/nodes/$node/want")"
	from_now
	loop_until 60 told "load: $node .* $text\$" || fail "node $first does not see it"
	echo "cores=-1" >"$MINT/want" || fail "node 0 wants nothing"
	loop_until 60 told "load: 0 .* cores=-1\$" || fail "node $first does not see node 0's"
	long=$(printf '%096d' 1)
	for bad in "$long" "a
b"; do
		(printf '%s\n' "$bad" >"$MINT/want") 2>/dev/null && fail "takes '$bad'"
	done
	wants 0 "cores=-1" || fail "a refusal has changed it: $(cat "$MINT/want")"
	echo >"$MINT/want" || fail "it cannot want nothing"
	[ -z "$(cat "$MINT/want")" ] || fail "it still wants $(cat "$MINT/want")"
	stop "$node" || exit 1
	[ -z "$(cat "$MINT/nodes/$node/want" 2>/dev/null)" ] || fail "the dead want something"
	[ -z "$(cat "$MINT/nodes/$node/load" 2>/dev/null)" ] || fail "the dead have a load"
}

# generations <n>: poll(2) has announced at least so many in node 0
generations() {
	[ "$(wc -l <"$TMP/generations")" -ge "$1" ]
}

# all_announced: the last number that was announced is the present one
all_announced() {
	[ "$(tail -n 1 "$TMP/generations")" = "$(cat "$MINT/generation")" ]
}

# A poller wakes up when a node comes, gets something and goes, here and in a
# successor, where its directory comes and goes, too.
generation_by_poll() {
	need_cores 3
	observer
	need_helper poll_state
	"$TMP/poll_state" "$MINT/generation" $((300 * MINT_SLOW)) never >"$TMP/generations" &
	poller=$!
	loop_until 30 generations 1 || fail "nothing is announced"
	from_now
	launch 1
	loop_until 30 generations 2 || fail "no word of the launch"
	loop_until 30 told "generation: " || fail "node $first hears nothing of the launch"
	loop_until 60 told "load: $node " || fail "node $first does not see node $node"
	in_successor "$first" "ls $MINT/nodes | tr '\n' ' ' | sed 's/^/<5>nodes: /' >/dev/kmsg"
	loop_until 30 told "nodes: .*\<$node\>" || fail "node $first does not list node $node"
	life=$(cat "$MINT/nodes/$node/incarnation")
	told "load: $node [0-9]* [0-9]* [0-9]* $life\>" || fail "another incarnation there"
	before=$(wc -l <"$TMP/generations")
	from_now
	moves core "$(free_cores 1)" "$node"
	loop_until 30 generations $((before + 1)) || fail "no word of the move"
	loop_until 30 told "generation: " || fail "node $first hears nothing of the move"
	before=$(wc -l <"$TMP/generations")
	from_now
	stop "$node" || exit 1
	loop_until 30 generations $((before + 1)) || fail "no word of the end"
	loop_until 30 told "generation: " || fail "node $first hears nothing of the end"
	settled() {
		from_now
		in_successor "$first" \
			"ls $MINT/nodes | tr '\n' ' ' | sed 's/^/<5>nodes: /' >/dev/kmsg"
		loop_until 30 told "nodes: " && ! told "nodes: .*\<$node\>"
	}
	loop_until 30 settled || fail "node $first still lists node $node"
	loop_until 30 all_announced ||
		fail "the last one announced is $(tail -n 1 "$TMP/generations")"
	kill "$poller" 2>/dev/null
	[ -z "$(sort "$TMP/generations" | uniq -d)" ] || fail "one was announced twice"
}

# The next node of a number has another incarnation.
incarnations() {
	launch 1
	number=$node
	life=$(cat "$MINT/nodes/$number/incarnation")
	stop "$number" || exit 1
	[ "$(cat "$MINT/nodes/$number/incarnation")" = "$life" ] || fail "it has changed"
	launch_as "$number"
	[ "$(cat "$MINT/nodes/$number/incarnation")" = $((life + 1)) ] ||
		fail "$life, then $(cat "$MINT/nodes/$number/incarnation")"
	[ "$(cat "$MINT/nodes/0/incarnation")" = 1 ] || fail "node 0: another one"
}

# It shall live through all tests.
(
	observer
	echo "$first" >"$TMP/first"
) >"$TMP/out" 2>&1 || : >"$TMP/first"

run_tests load_of_busy_node want_is_passed_on generation_by_poll incarnations
