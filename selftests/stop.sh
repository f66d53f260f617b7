#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Stop from node 0: which strength does for which node, what is refused, and
# states as poll(2) announces them. The ways out of ends.sh park and force nodes
# that hang.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # run_tests calls the tests by name
. "$(dirname "$0")/functions.sh"
need_mint

# told <word>: it was written to stop; false while somebody else is at the node
told() {
	echo "$1" 2>"$TMP/err" >"$MINT/nodes/$node/stop" && return
	grep -q "busy" "$TMP/err" || fail "$1 failed: $(cat "$TMP/err")"
	return 1
}

# stop_by <word>: that ends $node, and the write returns when it has ended
stop_by() {
	# Node 0 itself may be looking after the node, which is EBUSY.
	loop_until 20 told "$1" || fail "$1 failed: $(cat "$TMP/err")"
	in_state "$node" ended || fail "node $node is $(state "$node") after $1"
	over "$node" || fail "node $node owns something after $1"
	reason "$node" | grep -q "$2" ||
		fail "the reason is '$(reason "$node")', not '$2'"
}

# fails <word> <error> <text>: it does not, with an error and a line in the log
# that says what does
fails() {
	mark_log stop
	echo "$1" 2>"$TMP/err" >"$MINT/nodes/$node/stop" && fail "$1 succeeded"
	grep -qi "$2" "$TMP/err" || fail "$1: $(cat "$TMP/err"), not $2"
	said_since stop | grep -q "$3" ||
		fail "$1: the log does not say '$3'"
}

ask_running() {
	launch 1
	stop_by ask "powered off"
}

park_running() {
	launch 2
	stop_by park "parked on request of node 0"
}

force_running() {
	launch 2
	stop_by force "reset by INIT from node 0"
}

# A node that has not come up yet is asked, too: it hears it once it can.
ask_starting() {
	resources 1
	cmdline="maxcpus=1" start
	stop_by ask "powered off"
}

force_starting() {
	resources 1
	cmdline="maxcpus=1" start
	stop_by force "reset by INIT from node 0"
}

# pauses <n>: so many of them, each longer where all is slow
pauses() {
	local i=0

	while [ "$i" -lt $(($1 * MINT_SLOW)) ]; do
		pause
		i=$((i + 1))
	done
}

# A kernel that starts has no entry for an NMI: at whatever moment it is told to
# park, it ends, and so does nobody else.
park_starting() {
	need_cores 2
	launch 1
	other=$node
	moment=0
	while [ "$moment" -lt 12 ]; do
		resources 1
		cmdline="maxcpus=1" start
		pauses $((moment * 2))
		stop_by park "parked \|reset by INIT"
		moment=$((moment + 1))
	done
	[ "$(boots "$other")" = 1 ] || fail "node $other has rebooted"
	alive "$other"
}

# The same of one that reboots again and again.
park_rebooting() {
	rebooted() {
		[ "$(boots "$node")" -gt 1 ]
	}
	need_cores 2
	launch 1
	other=$node
	initrd_with "$HERE/way.sh"
	for moment in 0 1 3; do
		resources 1
		cmdline="maxcpus=1 way=reboot_f way.boots=99 mint.test=/test/way.sh"
		start
		loop_until 120 rebooted || fail "node $node is $(state "$node")"
		pauses $((moment * 6))
		stop_by park "parked \|reset by INIT"
	done
	[ "$(boots "$other")" = 1 ] || fail "node $other has rebooted"
	alive "$other"
}

# An ask does not take the place of a park, which an NMI goes by, too.
ask_after_park() {
	# Who is silent cannot be asked
	with_parameter lost_ms $((60000 * MINT_SLOW)) ask_while_parked || exit
}

ask_while_parked() {
	initrd_with "$HERE/way.sh"
	resources 1
	cmdline="maxcpus=1 way=hang_all mint.test=/test/way.sh" start
	loop_until 60 stands_still || fail "node $node does not hang"
	in_state "$node" running || fail "node $node is $(state "$node")"
	loop_until 20 told park &
	pause
	pause
	# On a slow host the park may have come to its end by then, or nearly so
	if ! echo ask 2>"$TMP/asked" >"$MINT/nodes/$node/stop"; then
		grep -qi "no such process" "$TMP/asked" || fail "ask: $(cat "$TMP/asked")"
		! in_state "$node" running || fail "it runs, and is not asked"
	fi
	wait $! || fail "park failed"
	reason "$node" | grep -q "parked by NMI from node 0" ||
		fail "the reason is '$(reason "$node")'"
}

# Nobody in there can be asked; it is said as soon as that is known.
ask_hung() {
	initrd_with "$HERE/way.sh"
	resources 1
	cmdline="maxcpus=1 way=hang_all mint.test=/test/way.sh" start
	was=$(parameter lost_ms)
	parameter lost_ms $((4000 * MINT_SLOW))
	wait_state "$node" 60 silent
	parameter lost_ms "$was"
	in_state "$node" silent ||
		fail "node $node is $(state "$node"), not silent"
	fails ask "no such process" "nobody there can be asked"
	stop_by force "reset by INIT from node 0"
}

# What was never started is unloaded, not stopped.
only_loaded() {
	resources 1
	cmdline="maxcpus=1" load
	fails ask "no such process" "nobody there can be asked"
	fails park "no such process" "kexec -u unloads it"
	fails force "no such process" "kexec -u unloads it"
	in_state "$node" loaded || fail "node $node is $(state "$node")"
}

# Once it is over, there is nothing to stop.
over_already() {
	launch 1
	stop_by ask "powered off"
	for word in ask park force; do
		fails "$word" "no such process" "node $node"
	done
	in_state "$node" ended || fail "node $node is $(state "$node")"
}

other_words() {
	launch 1
	for word in kill "" "ask please" 1 forced par; do
		echo "$word" 2>"$TMP/err" >"$MINT/nodes/$node/stop" &&
			fail "'$word' is understood"
		grep -qi "invalid argument" "$TMP/err" ||
			fail "'$word': $(cat "$TMP/err")"
	done
	alive "$node"
}

# Every state is announced: poll_state reads it only when poll(2) says so.
states_by_poll() {
	initrd_with "$HERE/way.sh"
	resources 1
	cmdline="maxcpus=1 way=reboot_f way.boots=1 mint.test=/test/way.sh" load
	wait_state "$node" 1 loaded || fail "not loaded"
	"$TMP/poll_state" "$MINT/nodes/$node/state" $((120 * MINT_SLOW)) \
		ended panicked silent quarantine >"$TMP/states" &
	# It has to look before there is anything to see.
	loop_until 30 grep -q "^loaded" "$TMP/states" ||
		fail "poll_state has seen nothing"
	start_loaded
	loop_until 120 grep -q "^running" "$TMP/states" ||
		fail "poll(2) has announced: $(cat "$TMP/states")"
	rebooted() {
		[ "$(grep -c "^running" "$TMP/states")" = 2 ]
	}
	loop_until 120 rebooted ||
		fail "poll(2) has announced: $(cat "$TMP/states")"
	stop_by ask "powered off"
	wait $! || fail "poll_state failed"
	# "ending" may be over before it is read: poll(2) tells that there is news
	[ "$(grep -v "^ending" "$TMP/states" | tr '\n' ' ')" = \
		"loaded starting running starting running ended " ] ||
		fail "poll(2) has announced: $(cat "$TMP/states")"
}

# The time of a state is that of node 0's clock.
since() {
	early=$(date +%s)
	launch 1
	stop_by ask "powered off"
	when=$(cut -d. -f1 "$MINT/nodes/$node/since")
	if [ "$when" -lt $((early - 1)) ] || [ "$when" -gt "$(date +%s)" ]; then
		fail "ended at $when, launched after $early"
	fi
}

# reboots_by_word: the word is taken, and the next kernel comes up
reboots_by_word() {
	local last

	last=$(boots "$node")
	echo reboot >"$MINT/nodes/$node/stop" || fail "reboot failed"
	[ "$(boots "$node")" = $((last + 1)) ] ||
		fail "$(boots "$node") boots after $last and one reboot"
	runs "$node"
	[ "$(boots "$node")" = $((last + 1)) ] || fail "it goes on rebooting"
}

# A node that is asked reboots in an orderly way, once each time.
reboot_running() {
	launch 1
	incarnation=$(cat "$MINT/nodes/$node/incarnation")
	reboots_by_word
	reboots_by_word
	[ "$(cat "$MINT/nodes/$node/incarnation")" = "$incarnation" ] ||
		fail "it is another node now"
	# Init that is slow to listen is asked again after 15 s; each heartbeat would be
	# far more
	asked=$(grep -c "node 0 asks for a reboot" "$MINT/nodes/$node/log")
	if [ "$asked" -lt 2 ] || [ "$asked" -gt 8 ]; then
		fail "it says that it was asked $asked times, not twice"
	fi
	stop_by ask "powered off"
	fails reboot "no such process" "node $node does not run"
}

# One that cannot is refused, and lives on as it was.
reboot_without_image() {
	more="mint.keep=0" launch 1
	fails reboot "no data" "node $node keeps no image.*mint.keep=0"
	alive "$node"
	[ "$(boots "$node")" = 1 ] || fail "it has rebooted"
}

run_tests ask_running park_running force_running ask_starting force_starting \
	park_starting park_rebooting ask_after_park ask_hung only_loaded over_already other_words states_by_poll since \
	reboot_running reboot_without_image
