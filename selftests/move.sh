#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Cores change hands while both kernels run: between node 0, successors and the
# free ones, in every direction; a party that dies in between takes nothing with
# it; what is refused changes nothing.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # run_tests calls the tests by name
. "$(dirname "$0")/functions.sh"
need_mint
[ "$free_at_start" -ge 4 ] || skip_all "needs 4 free cores"
need_moves

# shellcheck disable=SC2034 # read by settle()
panic_is_bad="no panic is"

# has <owner> <APIC ID>
has() {
	case " $(cores_of "$1")" in
	*" $2 "*) return 0 ;;
	esac
	return 1
}

# uses <node> <APIC ID>: its kernel runs on that core, by the core's own record
uses() {
	case " $(expand "$(cat "$MINT/nodes/$1/cpus_up")")" in
	*" $2 "*) return 0 ;;
	esac
	return 1
}

# owns <node> <APIC ID>: it has the core, and uses it
owns() {
	has "node $1" "$2" || fail "node $1 has not APIC ID $2: $(cat "$MINT/cores")"
	uses "$1" "$2" || fail "node $1 does not use APIC ID $2"
}

# is_free <APIC ID>
is_free() {
	has free "$1" || fail "APIC ID $1 is not free: $(cat "$MINT/cores")"
}

# counts <node> <n>: by its own word it has so many cores online
counts() {
	loop_until 60 grep -q "cpus.sh: $2\$" "$MINT/nodes/$1/log" ||
		fail "node $1 does not say that it has $2 cores"
}

# two_nodes: $first and $second, each with one core, and $spare, a free one
two_nodes() {
	initrd_with "$HERE/cpus.sh" "$HERE/stress_node.sh"
	more="mint.test=/test/cpus.sh ${more_first:-}" launch 1
	first=$node
	first_boot=$boot
	more="mint.test=/test/cpus.sh ${more_second:-}" launch 1
	second=$node
	spare=$(free_cores 1) || fail "no free core: $(cat "$MINT/cores")"
	spare=${spare%% *}
}

# cpu_of <APIC ID>: number of the CPU that node 0 has online there, or nothing
cpu_of() {
	awk -v id="$1" '/^processor/ { cpu = $3 }
		/^apicid/ && $3 == id { print cpu }' /proc/cpuinfo
}

# at_end: a test may have changed how long a party may take
at_end() {
	parameter move_ms 30000
	parameter peers give
}

# ---- every direction --------------------------------------------------------

free_and_back() {
	two_nodes
	moves core "$spare" "$first"
	owns "$first" "$spare"
	counts "$first" 2
	moves core "$spare" free
	is_free "$spare"
	uses "$first" "$spare" && fail "node $first still uses it"
	# What was moved can be lent, too
	launch 1
	alive "$first"
	alive "$second"
}

between_successors() {
	two_nodes
	moves core "$spare" "$first"
	for round in 1 2 3; do
		moves core "$spare" "$second"
		owns "$second" "$spare"
		# It looks now and then: while the core is there
		[ "$round" != 1 ] || counts "$second" 2
		moves core "$spare" "$first"
		owns "$first" "$spare"
	done
	alive "$first"
	alive "$second"
}

# Node 0 gets a core from a successor, gives one of its own, and gets it back.
with_node0() {
	two_nodes
	moves core "$spare" "$first"
	before=$(cores_of "node 0" | wc -w)
	moves core "$spare" 0
	has "node 0" "$spare" || fail "node 0 has it not: $(cat "$MINT/cores")"
	[ "$(cores_of "node 0" | wc -w)" = $((before + 1)) ] ||
		fail "node 0 has $(cores_of "node 0")"
	[ -n "$(cpu_of "$spare")" ] || fail "node 0 does not use APIC ID $spare"
	taskset -c "$(cpu_of "$spare")" true ||
		fail "nothing runs on APIC ID $spare"
	moves core "$spare" "$second"
	[ -z "$(cpu_of "$spare")" ] || fail "node 0 still uses APIC ID $spare"
	owns "$second" "$spare"
	moves core "$spare" free
	is_free "$spare"
}

# have <node> <APIC ID>...: it owns these, and uses them
have() {
	of=$1
	shift
	for id in "$@"; do
		owns "$of" "$id"
	done
}

# A number names a core with its threads, a range what is in it. On a machine with two
# threads a core, whose APIC IDs are an even one and the next.
whole_core() {
	dmesg | grep -q "Max. threads per core: *2\$" || skip "needs cores with two threads"
	# A node keeps no more than a number for each 32 MiB by itself
	more_first=mint.spare=all more_second=mint.spare=all
	two_nodes
	pair=
	for id in $(cores_of free); do
		[ $((id % 2)) = 1 ] || ! has free $((id + 1)) || pair="$pair $id"
	done
	# shellcheck disable=SC2086 # one word for each core
	set -- $pair
	[ "${2:-}" = $((${1:-0} + 2)) ] || skip "needs two free cores side by side"
	moves core $(($1 + 1)) "$first"
	have "$first" "$1" $(($1 + 1))
	moves core "$1-$1" "$second"
	have "$second" "$1"
	have "$first" $(($1 + 1))
	no_move "APIC IDs $1 and $(($1 + 1))" "same owner" "name each" core "$1" free
	moves core "$1-$1" "$first"
	moves core "$1" free
	moves core "$1-$(($1 + 3))" "$second"
	have "$second" "$1" $(($1 + 1)) $(($1 + 2)) $(($1 + 3))
	moves core "$1-$(($1 + 3))" free
	for id in "$1" $(($1 + 1)) $(($1 + 2)) $(($1 + 3)); do
		is_free "$id"
	done
}

# ---- what holds afterwards --------------------------------------------------

# answers <node> <mark> <command>: have its shell run the command; prints the line that it
# prints. A mark is used once for a node.
answers() {
	# shellcheck disable=SC2016 # for the shell there
	printf ' echo "<5>answer-%s $(%s)" >/dev/kmsg\n' "$2" "$3" >"/dev/mint$1"
	loop_until 60 grep -q "answer-$2 " "$MINT/nodes/$1/log" ||
		fail "node $1 does not answer '$3'"
	sed -n "s/.*answer-$2 //p" "$MINT/nodes/$1/log"
}

# counting_node: $first, with one core and a program that counts, and $spare, a free core
counting_node() {
	need_helper count_on
	initrd_with "$TMP/count_on"
	launch 1
	first=$node
	loop_until 60 grep -q "mint: node $first up" "$MINT/nodes/$first/log" ||
		fail "node $first is not up"
	spare=$(free_cores 1) || fail "no free core: $(cat "$MINT/cores")"
	spare=${spare%% *}
}

# field_there <field> <APIC ID>: what /proc/cpuinfo of $first says of that core
field_there() {
	answers "$first" "$round-$1-$2" \
		"awk '/^$1/ { m = \$3 } /^apicid/ && \$3 == $2 { print m }' /proc/cpuinfo"
}

# counts_there <clock|cycles> <APIC ID>: such a counter of perf counts there in $first
counts_there() {
	cpu=$(field_there processor "$2") || fail "$cpu"
	got=$(answers "$first" "$round-$1-$2" "/test/count_on $cpu $1 2>&1") || fail "$got"
	[ "$got" = counts ] || fail "APIC ID $2 in node $first: $got"
}

# A core that comes, and comes again, has the microcode that node 0 has loaded, as its new
# node's other core has; counters of perf count there as here.
same_microcode() {
	counting_node
	want=$(sed -n 's/^microcode[^:]*: //p' /proc/cpuinfo | sort -u)
	[ -n "$want" ] || skip "this processor does not tell its microcode"
	for round in 1 2; do
		moves core "$spare" "$first"
		owns "$first" "$spare"
		for id in "$boot" "$spare"; do
			got=$(field_there microcode "$id") || fail "$got"
			[ "$got" = "$want" ] ||
				fail "APIC ID $id has microcode '$got' in node $first, '$want' in node 0"
			counts_there clock "$id"
		done
		moves core "$spare" free
	done
	! grep -q "has microcode" "$MINT/nodes/$first/log" ||
		fail "node $first finds another microcode"
	alive "$first"
}

# The same of the processor's own counters.
hardware_counters() {
	[ -e /sys/bus/event_source/devices/cpu ] ||
		skip "no driver for this processor's counters"
	counting_node
	round=1
	counts_there cycles "$boot"
	moves core "$spare" "$first"
	counts_there cycles "$spare"
	moves core "$spare" free
	alive "$first"
}

# An own reboot begins with what the node has by then.
reboot_with_more() {
	initrd_with "$HERE/cpus.sh"
	more="mint.test=/test/cpus.sh cpus.reboot_at=2" launch 1
	first=$node
	spare=$(free_cores 1)
	spare=${spare%% *}
	# It may reboot before it has said that it has the core: its next kernel does
	with_parameter move_ms $((60000 * MINT_SLOW)) moves core "$spare" "$first" || exit
	rebooted() {
		[ "$(boots "$first")" = 2 ]
	}
	loop_until 60 rebooted || fail "node $first has booted $(boots "$first") times"
	runs "$first"
	loop_until 60 uses "$first" "$spare" || fail "it has lost APIC ID $spare"
	moves core "$spare" free
	is_free "$spare"
}

# And without what it gave away.
reboot_with_less() {
	initrd_with "$HERE/cpus.sh"
	more="mint.test=/test/cpus.sh cpus.reboot_at=1 cpus.after=2" launch 2
	first=$node
	counts "$first" 2
	spare=${ids##* }
	moves core "$spare" free
	rebooted() {
		[ "$(boots "$first")" = 2 ]
	}
	loop_until 60 rebooted || fail "node $first has booted $(boots "$first") times"
	runs "$first"
	is_free "$spare"
	moves core "$spare" "$first"
	owns "$first" "$spare"
}

# A core that came by a move goes with all others.
ends_with_its_node() {
	two_nodes
	moves core "$spare" "$first"
	echo force >"$MINT/nodes/$first/stop" || fail "force fails"
	over "$first" || fail "node $first is $(state "$first")"
	is_free "$spare"
	alive "$second"
}

# What is gone stays gone, whatever its old node tries.
given_away_stays_away() {
	expects "CPU . (APIC ID [0-9]*) .*(not this node's|belongs to node)"
	initrd_with "$HERE/cpus.sh"
	more="mint.test=/test/cpus.sh cpus.grab=2" launch 2
	first=$node
	spare=${ids##* }
	counts "$first" 2
	moves core "$spare" 0
	loop_until 60 grep -q "cpus.sh: grab fails" "$MINT/nodes/$first/log" ||
		fail "node $first brings a core of node 0 online, or does not try"
	[ -n "$(cpu_of "$spare")" ] || fail "node 0 has lost APIC ID $spare"
	moves core "$spare" free
}

# ---- wishes -----------------------------------------------------------------

# wishes <cores> <text> <granted|refused>: a new node $first says so of its wish
wishes() {
	initrd_with "$HERE/cpus.sh"
	more="mint.test=/test/cpus.sh cpus.wish=$2 cpus.after=$1" launch "$1"
	first=$node
	loop_until 60 grep -q "cpus.sh: wish $3" "$MINT/nodes/$first/log" ||
		fail "node $first: wish $2 is not $3: $(tail -n 1 "$MINT/moves")"
}

# A successor gives away what is its own, and node 0 may forbid it.
wish_to_give() {
	two_nodes
	wanted=$(free_cores 2)
	spare=${wanted##* }
	wishes 2 "core+$spare-$spare+$second" granted
	owns "$second" "$spare"
	stop "$first" || exit 1
	moves core "$spare" free
	parameter peers none
	wishes 2 "core+$spare-$spare+$second" refused
	owns "$first" "$spare"
}

# It gets what is free only if node 0 allows that, and never what is another's.
wish_to_get() {
	wanted=$(free_cores 3)
	spare=${wanted##* }
	wishes 1 "core+$spare-$spare+self" refused
	tail -n 1 "$MINT/moves" | grep -q "mint.peers=" ||
		fail "the reason is $(tail -n 1 "$MINT/moves")"
	is_free "$spare"
	parameter peers all
	wishes 1 "core+$spare-$spare+self" granted
	second=$first
	owns "$second" "$spare"
	wishes 1 "core+$spare-$spare+free" refused
	owns "$second" "$spare"
}

# ---- refusals ---------------------------------------------------------------

refusals() {
	two_nodes
	no_move "APIC ID 0" "node 0" "another core" core 0 "$first"
	no_move "APIC ID $first_boot" "node $first" "another|end the node" \
		core "$first_boot" "$second"
	no_move "APIC ID 4711" "does not exist" "see .*cores" core 4711 "$first"
	no_move "'x'" "is not" "<APIC ID>" core x "$first"
	no_move "'1-70'" "more than 64 cores" "in parts" core 1-70 "$first"
	for n in 1 2 3; do
		[ "$n" = "$first" ] || [ "$n" = "$second" ] || break
	done
	no_move "node $n" "is (none|ended|panicked)" "that runs" core "$spare" "$n"
	moves core "$spare" "$first"
	no_move "core $spare" "node $first" "already" core "$spare" "$first"
	moves core "$spare" free
	no_move "core $spare" "is free" "already" core "$spare" free
	alive "$first"
	alive "$second"
}

# nonsense: what is no request at all
nonsense() {
	snapshot nonsense
	for text in "" core "core 1" "core 1 1 1" "disk 1 0" "core 1 99" \
		"core 1 x" "$(head -c 3000 /dev/zero | tr '\0' x)"; do
		echo "$text" 2>/dev/null >"$MINT/move" &&
			fail "'$text' was taken for a request"
	done
	unchanged nonsense || exit 1
}

not_spare() {
	more_first=mint.spare=none
	two_nodes
	no_move "APIC ID $spare" "node $first" "mint.spare=" core "$spare" "$first"
	moves core "$spare" "$second"
}

# deadline_node: $first has two cores, of which $spare does not go offline
deadline_node() {
	need_helper deadline
	initrd_with "$HERE/cpus.sh" "$TMP/deadline"
	more="mint.test=/test/cpus.sh cpus.deadline=1" launch 2
	first=$node
	spare=${ids##* }
	loop_until 60 grep -q "cpus.sh: deadline" "$MINT/nodes/$first/log" ||
		fail "no task with a deadline in node $first"
}

# A giver whose core does not go offline keeps it.
busy_core() {
	deadline_node
	no_move "APIC ID $spare" "node $first" "deadline" core "$spare" free
	owns "$first" "$spare"
}

# ---- a party dies -----------------------------------------------------------

# dies <giver|receiver> <turn> <way>: and the core is where it belongs then
dies() {
	local who="$1" turn="$2" way="$3"

	need_provoke
	expects "provoked at turn"
	parameter move_ms 8000
	case $who in
	giver)
		more_first="cpus.provoke=$turn:$way"
		;;
	receiver)
		more_second="cpus.provoke=$turn:$way"
		;;
	esac
	launch 1
	third=$node
	two_nodes
	moves core "$spare" "$first"
	loop_until 60 grep -q "cpus.sh: armed" "$MINT/nodes/$first/log" \
		"$MINT/nodes/$second/log" || fail "nobody is armed"
	last=$(beat "$third")
	try_move core "$spare" "$second" 2>/dev/null
	say "$said"
	loop_until 30 beyond "$third" $((last + 3)) ||
		fail "node $third has noticed something"
	case $who in
	giver) n=$first ;;
	*) n=$second ;;
	esac
	loop_until 20 grep -q "provoked at turn $turn: $way" "$MINT/nodes/$n/log" ||
		fail "node $n was not provoked at turn $turn"
	if [ "$way" = hang ]; then
		over "$n" || echo force >"$MINT/nodes/$n/stop" ||
			fail "force fails"
	fi
	settled_core() {
		has free "$spare" || uses "$first" "$spare" ||
			uses "$second" "$spare"
	}
	loop_until 60 settled_core || fail "APIC ID $spare: $(cat "$MINT/cores")"
	grep -q "in flight" "$MINT/cores" && fail "$(cat "$MINT/cores")"
	parameter move_ms 30000
	alive "$third"
}

# each <who> <turn>:<way>...: one after the other
each() {
	local who="$1" case

	shift
	for case in "$@"; do
		say "$who, $case"
		dies "$who" "${case%:*}" "${case#*:}"
		end_all || exit 1
	done
}

# MINT_CORNERS is what there is time for; the rest differs less.
giver_dies() {
	each giver 2:reboot 3:panic
	[ -n "${MINT_CORNERS:-}" ] ||
		each giver 2:panic 2:hang 3:hang 3:reboot
}

receiver_dies() {
	each receiver 5:hang 6:reboot
	[ -n "${MINT_CORNERS:-}" ] ||
		each receiver 5:panic 5:reboot 6:panic 6:hang
}

# gone <node> <APIC ID>: the node does not use that core
gone() {
	! uses "$@"
}

# The receiver ends while the giver is at it: the move is called off at once, and the
# giver keeps the core.
receiver_ends_first() {
	need_provoke
	expects "provoked at turn"
	more_first="cpus.provoke=3:wait"
	two_nodes
	moves core "$spare" "$first"
	loop_until 60 grep -q "cpus.sh: armed" "$MINT/nodes/$first/log" ||
		fail "nobody is armed"
	echo "core $spare $second" 2>/dev/null >"$MINT/move" &
	writer=$!
	loop_until 20 gone "$first" "$spare" || fail "node $first gives nothing"
	echo force >"$MINT/nodes/$second/stop" || fail "force fails"
	wait "$writer" && fail "the move succeeds: $(tail -n 1 "$MINT/moves")"
	tail -n 1 "$MINT/moves" | grep -q "node $second has ended" ||
		fail "the reason is $(tail -n 1 "$MINT/moves")"
	has "node $first" "$spare" || fail "node $first has lost it: $(cat "$MINT/cores")"
	# The giver is held at its turn for a minute
	loop_until 90 uses "$first" "$spare" ||
		fail "node $first does not use APIC ID $spare again"
}

# asked <node> <mark>: how many interrupts its cores have had so far from other cores; it
# is asked on its console, which costs it a few
asked() {
	# shellcheck disable=SC2016 # for the shell there
	printf 'echo "<5>asked-%s $(awk "/PLT:|RES:|CAL:|TLB:/ { for (i = 2; \\$i ~ /^[0-9]+\$/; i++) n += \\$i } END { print n }" %s)" >/dev/kmsg\n' \
		"$2" /proc/interrupts >"/dev/mint$1"
	loop_until 60 grep -q "asked-$2 [0-9]" "$MINT/nodes/$1/log" ||
		fail "node $1 does not tell its interrupts"
	sed -n "s/.*asked-$2 //p" "$MINT/nodes/$1/log"
}

# A move interrupts who has a part in it, and nobody else: its stop_machine() and its
# bells end at the borders of a node. Less than one for two moves is nothing of theirs.
third_is_not_interrupted() {
	need_init
	two_nodes
	launch 1
	third=$node
	spare=$(free_cores 1) || fail "no free core: $(cat "$MINT/cores")"
	loop_until 60 grep -q "mint: node $third up" "$MINT/nodes/$third/log" ||
		fail "node $third is not up"
	begin=$(asked "$third" 1) || fail "$begin"
	before=$(asked "$third" 2) || fail "$before"
	party=$(asked "$first" 1) || fail "$party"
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		moves core "$spare" "$first"
		moves core "$spare" "$second"
	done
	after=$(asked "$third" 3) || fail "$after"
	say "node $third: $((before - begin)) by being asked, $((after - before)) with 20 moves"
	[ $((after - before)) -lt $((before - begin + 10)) ] ||
		fail "node $third has been interrupted by moves of others"
	# This is how a party is interrupted, so what is counted is there to be counted
	after=$(asked "$first" 2) || fail "$after"
	[ $((after - party)) -ge 20 ] ||
		fail "node $first has had $((after - party)) interrupts with its 20 moves"
	alive "$third"
}

# two_armed <first|second> <turn>: two_nodes, one of which is to be held before it changes
# a move to that turn, until release()
two_armed() {
	need_provoke
	expects "provoked at turn"
	more_first='' more_second='' held=''
	eval "more_$1=cpus.provoke=$2:wait"
	two_nodes
	eval "held=\$$1"
	loop_until 60 grep -q "cpus.sh: armed" "$MINT/nodes/$held/log" ||
		fail "node $held is not armed"
}

# release: who was held goes on, and is not held again
release() {
	arm "$held" 99 wait
}

# is_late <APIC ID> <to>: a move there fails, because node $held is late
is_late() {
	with_parameter move_ms 2000 try_move core "$1" "$2" 2>/dev/null &&
		fail "the move succeeds: $(tail -n 1 "$MINT/moves")"
	tail -n 1 "$MINT/moves" | grep -q " failed .*node $held did not do its part" ||
		fail "its line says: $(tail -n 1 "$MINT/moves")"
}

# A giver that lets go of a core too late takes it into use again, and can give it then.
late_giver() {
	two_armed first 3
	moves core "$spare" "$first"
	is_late "$spare" "$second"
	has "node $first" "$spare" || fail "node $first has lost it: $(cat "$MINT/cores")"
	release
	loop_until 60 uses "$first" "$spare" ||
		fail "node $first does not use APIC ID $spare again"
	moves core "$spare" "$second"
	owns "$second" "$spare"
}

# A receiver that takes it too late has it, by the book, too; so it can go on from there.
late_receiver() {
	has_it() {
		has "node $second" "$spare" && uses "$second" "$spare"
	}
	two_armed second 6
	is_late "$spare" "$second"
	release
	# Who has not even begun in that time does not get it
	loop_until 60 has_it || is_free "$spare"
	! grep -q "in flight" "$MINT/cores" || fail "$(cat "$MINT/cores")"
	# Refused until node 0 has seen that the first move is over
	moved_on() {
		try_move core "$spare" "$first" 2>/dev/null
	}
	loop_until 60 moved_on || fail "$said"
	owns "$first" "$spare"
}

# A move goes on though its writer was killed.
killed_writer() {
	# The giver is held for longer than a slow machine takes to see that
	parameter move_ms $((60000 * MINT_SLOW))
	two_armed first 3
	moves core "$spare" "$first"
	sh -c 'echo "$1" >"$2"' sh "core $spare $second" "$MINT/move" 2>/dev/null &
	writer=$!
	loop_until 20 gone "$first" "$spare" || fail "node $first gives nothing"
	kill -KILL "$writer"
	wait "$writer" && fail "the writer was not killed"
	tail -n 1 "$MINT/moves" | grep -q " moving " ||
		fail "its line says: $(tail -n 1 "$MINT/moves")"
	release
	loop_until 60 uses "$second" "$spare" || fail "$(tail -n 1 "$MINT/moves")"
	owns "$second" "$spare"
}

# ---- news -------------------------------------------------------------------

# listens [<request>]: $listener writes what poll(2) says of moves to $TMP/told, until one
# has ended, and asks for that then
listens() {
	need_helper poll_moves
	: >"$TMP/told"
	"$TMP/poll_moves" "$MINT/moves" $((240 * MINT_SLOW)) ${1:+"$MINT/move" "$1"} \
		>"$TMP/told" &
	listener=$!
	# A test that fails leaves nobody who asks for its move in the next one
	trap 'kill "$listener" 2>/dev/null' EXIT
	loop_until 20 grep -q waits "$TMP/told" || fail "nobody listens"
}

# told_end: the listener has been told of an end, which is how it stands in "moves" now
told_end() {
	wait "$listener" || fail "no end is announced: $(cat "$TMP/told")"
	told=$(tail -n 1 "$TMP/told")
	say "$told"
	[ "$told" = "$(tail -n 1 "$MINT/moves")" ] ||
		fail "announced is '$told', and then it is '$(tail -n 1 "$MINT/moves")'"
}

# The end of a move wakes who waits for it: not before, and with all that is told of it.
announced() {
	# The giver is held for longer than a slow machine takes to see that
	parameter move_ms $((60000 * MINT_SLOW))
	two_armed first 3
	moves core "$spare" "$first"
	listens
	echo "core $spare $second" 2>/dev/null >"$MINT/move" &
	writer=$!
	loop_until 20 gone "$first" "$spare" || fail "node $first gives nothing"
	loop_until 20 grep -q " moving " "$TMP/told" || fail "its begin is not announced"
	! grep -Eq " (taken|refused|failed) " "$TMP/told" ||
		fail "its end is announced before: $(cat "$TMP/told")"
	release
	told_end
	owns "$second" "$spare"
	wait "$writer" || fail "the write fails: $told"
	case $told in
	*" core $spare $first > $second taken "*" give "*" clear "*" take "*) ;;
	*) fail "its line says: $told" ;;
	esac
	! echo "$told" | grep -Eq "(taken|give|clear|take) 0\.000" ||
		fail "a step took no time: $told"
	parameter move_ms 30000

	listens
	no_move "core $spare" "node $second" "already" core "$spare" "$second"
	told_end
	case $told in
	*" core $spare $second > $second refused "*) ;;
	*) fail "its line says: $told" ;;
	esac
	moves core "$spare" free
	is_free "$spare"
	alive "$first"
	alive "$second"
}

# Who is told of the end can ask for the next one: nothing of the first is in its way.
again_at_once() {
	deadline_node
	listens "core $spare free"
	echo "core $spare free" 2>/dev/null >"$MINT/move" && fail "the core goes"
	wait "$listener" || fail "no end is announced: $(cat "$TMP/told")"
	say "$(tail -n 1 "$TMP/told")"
	tail -n 1 "$MINT/moves" | grep -q "core $spare $first > free refused .*deadline" ||
		fail "asked again at once, it says: $(tail -n 1 "$MINT/moves")"
	[ "$(tail -n 1 "$MINT/moves")" != "$(tail -n 1 "$TMP/told")" ] ||
		fail "it was not asked again: $(cat "$TMP/told")"
	owns "$first" "$spare"
	alive "$first"
}

# ---- many -------------------------------------------------------------------

# Random owners, busy ones, beside a node that has no part in it; in the end all is
# as it was.
at_random() {
	more_first=cpus.busy=1 more_second=cpus.busy=1
	two_nodes
	bystander
	# The core that two_nodes found is that of the third node now
	spare=$(free_cores 1) || fail "no free core: $(cat "$MINT/cores")"
	stressed "$first" "$second" "$third"
	wander "$first" "$second" free moves core "$spare"
	is_free "$spare"
	unharmed "$first" "$second" "$third"
	for node in "$first" "$second" "$third"; do
		alive "$node"
	done
	[ "$(boots "$third")" = "$third_boots" ] || fail "node $third has started again"
}

run_tests free_and_back between_successors with_node0 whole_core reboot_with_more \
	reboot_with_less ends_with_its_node given_away_stays_away wish_to_give wish_to_get refusals nonsense \
	not_spare busy_core giver_dies receiver_dies \
	receiver_ends_first late_giver late_receiver killed_writer third_is_not_interrupted \
	same_microcode hardware_counters announced again_at_once at_random
