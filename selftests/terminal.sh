#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Terminals: /dev/mint<n> of node 0 is the line to node n, where it is the
# console unless the command line names another.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # run_tests calls the tests by name
# shellcheck disable=SC2016 # what is typed is for the shell there
. "$(dirname "$0")/functions.sh"
need_mint
all_need_init

SIZE=$MIB

# listen <node>: write down what comes from its terminal
listen() {
	cat <"/dev/mint$1" >"$TMP/tty.$1" &
	echo $! >"$TMP/listener.$1"
}

# silence <node>: no more
silence() {
	kill "$(cat "$TMP/listener.$1")" 2>/dev/null
	wait "$(cat "$TMP/listener.$1")" 2>/dev/null
	rm -f "$TMP/listener.$1"
}

# enter <node> <text>: type a line there
enter() {
	printf '%s\n' "$2" >"/dev/mint$1"
}

# shown <node>: what its terminal has shown, as lines
shown() {
	tr -d '\r' <"$TMP/tty.$1"
}

# shows <node> <expression>: such a line was there
shows() {
	shown "$1" | grep -Eq -- "$2"
}

# expect <node> <expression>: wait for such a line
expect() {
	loop_until 60 shows "$1" "$2" ||
		fail "node $1 does not show '$2': $(shown "$1" | tail -n 5)"
}

# talk <node>: listen, and wait until a shell answers
talk() {
	listen "$1"
	enter "$1" "echo shell-of-\$(cat $MINT/node)"
	expect "$1" "^shell-of-$1\$"
}

# ask the shell, and be understood
shell() {
	launch 1
	talk "$node"
	enter "$node" 'echo $((6 * 7))-answer; cat /sys/class/tty/console/active'
	expect "$node" '^42-answer$'
	expect "$node" '^mint0$'
	shows "$node" "Linux version" || fail "it was not the kernel's console: $(shown "$node" | head -n 2)"
	shows "$node" "job control turned off" && fail "no job control"
	silence "$node"
}

# console= by name; kernel messages come there as well
console_named() {
	more="console=mint ignore_loglevel" launch 1
	talk "$node"
	enter "$node" 'echo "<5>to the kernel" >/dev/kmsg'
	expect "$node" '^\[ *[0-9.]+\] to the kernel$'
	silence "$node"
}

# another console is named: the line is there, but quiet
console_elsewhere() {
	resources 1
	cmdline="maxcpus=1 console=ttyS3" start
	runs "$node"
	loop_until 60 grep -q "node $node up" "$MINT/nodes/$node/log" ||
		fail "node $node is not up"
	listen "$node"
	enter "$node" "echo nobody"
	alive "$node"
	shows "$node" "Linux version|nobody" && fail "it is a console"
	silence "$node"
}

interrupt() {
	launch 1
	talk "$node"
	enter "$node" 'trap "" USR1; echo be""gin; sleep 1000; echo status-$?'
	expect "$node" '^begin$'
	printf '\003' >"/dev/mint$node"
	enter "$node" 'echo status-$?'
	expect "$node" '^status-130$'
	silence "$node"
}

# two nodes talk at the same time, each to its own line
two_nodes() {
	need_cores 2
	launch 1
	one=$node
	launch 1
	two=$node
	talk "$one"
	talk "$two"
	for node in $one $two; do
		# No line of the kernel may cut through the others.
		enter "$node" "dmesg -n 1; i=1000; while [ \$i -lt 1500 ]; do echo node-$node-\$i; i=\$((i + 1)); done"
	done
	for node in $one $two; do
		expect "$node" "^node-$node-1499\$"
		shown "$node" | sed -n "s/^node-$node-\\([0-9]*\\)\$/\\1/p" >"$TMP/seen"
		seq 1000 1499 | cmp -s - "$TMP/seen" ||
			fail "node $node: $(wc -l <"$TMP/seen") of 500 lines"
	done
	shows "$one" "node-$two-" && fail "node $two on the line of node $one"
	shows "$two" "node-$one-" && fail "node $one on the line of node $two"
	silence "$one"
	silence "$two"
}

# sum_shown <node>: the digest that it printed
sum_shown() {
	shown "$1" | sed -n 's/^sum-\([0-9a-f]\{32\}\).*/\1/p' | tail -n 1
}

# bytes of all values arrive, none is lost
binary_out() {
	launch 1
	talk "$node"
	enter "$node" "dmesg -n 1; head -c $SIZE /dev/urandom >/tmp/r; echo sum-\$(md5sum </tmp/r)"
	expect "$node" '^sum-'
	sum=$(sum_shown "$node")
	enter "$node" "stty raw -echo; echo quiet; read -r go; cat /tmp/r; read -r go; stty sane"
	expect "$node" '^quiet$'
	# Hold the line, so that nothing is lost between the two readers.
	exec 5<>"/dev/mint$node"
	silence "$node"
	timeout $((120 * MINT_SLOW)) head -c "$SIZE" <&5 >"$TMP/got" &
	enter "$node" go
	wait $! || fail "only $(wc -c <"$TMP/got") bytes came"
	enter "$node" go
	exec 5>&-
	[ "$(md5sum <"$TMP/got" | cut -d' ' -f1)" = "$sum" ] ||
		fail "damaged: $(wc -c <"$TMP/got") bytes"
}

binary_in() {
	launch 1
	talk "$node"
	head -c "$SIZE" /dev/urandom >"$TMP/put"
	enter "$node" "stty raw -echo; echo ready; head -c $SIZE >/tmp/i; stty sane; echo sum-\$(md5sum </tmp/i)"
	expect "$node" '^ready$'
	timeout $((120 * MINT_SLOW)) cat "$TMP/put" >"/dev/mint$node" ||
		fail "the line takes no more"
	expect "$node" '^sum-'
	[ "$(sum_shown "$node")" = "$(md5sum <"$TMP/put" | cut -d' ' -f1)" ] ||
		fail "damaged"
	silence "$node"
}

# writes_much <append>: a successor that fills its terminal, then says so
writes_much() {
	cat >"$TMP/much.sh" <<-'END'
		yes "a line that nobody reads" | head -c 300000
		echo "<5>wrote all" >/dev/kmsg
	END
	initrd_with "$TMP/much.sh"
	resources 1
	cmdline="maxcpus=1 mint.test=/test/much.sh" start
}

wrote_all() {
	grep -q "wrote all" "$MINT/nodes/$node/log" 2>/dev/null
}

# nobody listens: the node does not wait, who comes later is told
nobody_reads() {
	writes_much
	loop_until 60 wrote_all || fail "node $node waits for a reader"
	alive "$node"
	talk "$node"
	shows "$node" '^\[mint: [0-9]+ bytes missed\]$' ||
		fail "nothing is said of what was missed"
	silence "$node"
}

# somebody has the line open but does not read: no more than a short wait
reader_sleeps() {
	writes_much
	exec 5<"/dev/mint$node"
	loop_until 60 wrote_all || fail "node $node waits for a reader"
	alive "$node"
	exec 5<&-
}

# typing to a node that does not listen does not hang, nor does closing
nobody_listens() {
	# No shell there: nobody opens the line.
	more="mint.shell=0 console=ttyS3" launch 1
	timeout $((20 * MINT_SLOW)) \
		sh -c "head -c 100000 /dev/zero >/dev/mint$node" ||
		fail "waits for ever"
	alive "$node"
}

# the line stays open when its node ends, and serves the next one
next_node() {
	launch 1
	talk "$node"
	stop "$node" || exit 1
	launch_as "$node"
	enter "$node" 'echo again-$((6 * 7))'
	expect "$node" '^again-42$'
	shows "$node" "bytes missed" && fail "something was missed"
	silence "$node"
}

run_tests shell console_named console_elsewhere interrupt two_nodes \
	binary_out binary_in nobody_reads reader_sleeps nobody_listens \
	next_node
