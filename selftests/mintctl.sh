#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# mintctl on a real machine: what it shows is what sysfs says, what it chooses
# is what the node gets, and what it refuses changes nothing. Everything that
# needs no kernel is tested in tools/tests.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # run_tests calls the tests by name
. "$(dirname "$0")/functions.sh"
need_mint
# A successor that panics is what one of these tests asks for.
panic_is_bad="no panic is"
command -v mintctl >/dev/null || skip_all "no mintctl: make -C tools install"

# ctl <word>...: mintctl with the kexec of these tests
ctl() {
	mintctl --kexec="$MINT_KEXEC" "$@"
}

# Single threads of cores will do, for tests that count cores.
split=--split

# ctl_run <option>...: launch a node by it; its number in $node
ctl_run() {
	local out

	heed
	out=$(ctl run --image="$MINT_KERNEL" --initrd="$MINT_INITRD" \
		--command-line="${cmdline:-} ${MINT_APPEND:-}" ${split:+"$split"} "$@" 2>&1) ||
		fail "mintctl run: $out"
	launched "$out"
}

# column <name> <node>: what mintctl list has in a column without blanks
column() {
	ctl list | awk -v name="$1" -v node="$2" '
		NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i }
		NR > 1 && $1 == node { print $at }'
}

# same <what> <text> <text>
same() {
	[ "$2" = "$3" ] || fail "$1: mintctl says '$2', sysfs says '$3'"
}

# shown <row>: what mintctl show has in a row, further lines joined by blanks
shown() {
	awk -v row="$1" '
		/^[^ ]/ { on = $1 == row; $1 = "" }
		on { sub(/^ +/, ""); text = text (text == "" ? "" : " ") $0 }
		END { print text }' "$TMP/show"
}

# agrees <node>: list and show are what nodes/<n> says
agrees() {
	local dir="$MINT/nodes/$1" ids

	same name "$(column NAME "$1")" "$(cat "$dir/name")"
	same state "$(column STATE "$1")" "$(cat "$dir/state")"
	# shellcheck disable=SC2046 # one word for each core
	set -- "$1" $(expand "$(cat "$dir/cpus")")
	same cores "$(column CORES "$1" | sed 's/^-$/0/')" $(($# - 1))
	ctl show "$1" >"$TMP/show" || fail "show $1 failed"
	for ids in name state reason cores:cpus cores_up:cpus_up memory devices boots; do
		same "$ids" "$(shown "${ids%:*}" | sed 's/^-$//')" \
			"$(tr '\n' ' ' <"$dir/${ids#*:}" | sed 's/ *$//')"
	done
}

list_agrees() {
	agrees 0
	same cores "$(ctl list --cores | awk '$2 == "free" { printf "%s ", $1 }')" \
		"$(cores_of free)"
	ctl list --memory | sed -n 's/^\(0x[^ ]*\) *\(0x[^ ]*\) *[^ ]* *free$/\1 \2/p' \
		>"$TMP/free"
	owned_by free | while read -r start end; do
		printf '0x%x 0x%x\n' "$start" "$end"
	done | cmp - "$TMP/free" || fail "free memory differs: $(cat "$TMP/free")"
}

run_show_log_stop() {
	cmdline="quiet" ctl_run --cores=1 --memory="${MINT_SIZE}M" --wait=120 first
	runs "$node"
	agrees "$node"
	ctl want cores=1 prio=5 || fail "node 0 cannot want anything"
	ctl want | grep -q "^ *0 .* cores=+1 prio=5\$" || fail "it wants: $(ctl want)"
	ctl want nothing || fail "it cannot want nothing"
	ctl top --once >"$TMP/top" || fail "no loads"
	grep -Eq "^ *$node +first +running +1 +[0-9.]+ +[0-9.]+ " "$TMP/top" ||
		fail "top shows: $(cat "$TMP/top")"
	ctl reboot first || fail "it does not reboot"
	runs "$node"
	[ "$(boots "$node")" = 2 ] || fail "$(boots "$node") boots"
	ctl log first | grep -q "Linux version" || fail "no log of it"
	ctl stop first || fail "it was not stopped"
	in_state "$node" ended || fail "node $node is $(state "$node")"
	over "$node" || fail "node $node owns something"
	agrees "$node"
}

# What plan shows is what run takes, and what a second launch of the name gets.
plan_is_kept() {
	need_cores 2
	ctl plan --image="$MINT_KERNEL" --cores=2 --split --memory="${MINT_SIZE}M" second \
		>"$TMP/show" || fail "no plan"
	ids=$(shown cores)
	ctl_run --cores=2 --memory="${MINT_SIZE}M" second
	runs "$node"
	same cores "$ids" "$(cat "$MINT/nodes/$node/cpus")"
	same memory "$(shown memory)" "$(sed 's/0x0*/0x/g' "$MINT/nodes/$node/memory")"
	ctl stop "$node" || fail "it was not stopped"
	ctl_run --cores=2 --memory="${MINT_SIZE}M" second
	same "cores again" "$ids" "$(cat "$MINT/nodes/$node/cpus")"
}

two_nodes() {
	need_cores 2
	ctl_run --memory="${MINT_SIZE}M" one
	one=$node
	ctl_run --memory="${MINT_SIZE}M" two
	runs "$one"
	runs "$node"
	ctl stop one two || fail "they were not stopped"
	over "$one" || fail "node $one is $(state "$one")"
	over "$node" || fail "node $node is $(state "$node")"
}

# A core goes to another node, by names, and list says so.
move_core() {
	need_cores 3
	ctl_run --cores=2 --memory="${MINT_SIZE}M" giver
	giver=$node
	ctl_run --cores=1 --memory="${MINT_SIZE}M" taker
	runs "$giver"
	runs "$node"
	# shellcheck disable=SC2046 # one word for each core
	set -- $(cores_of "node $giver")
	ctl move core "$2" taker >"$TMP/out" 2>&1 || fail "move: $(cat "$TMP/out")"
	grep -q " core $2 $giver > $node taken" "$TMP/out" || fail "it says $(cat "$TMP/out")"
	ctl timeline | awk -v id="$2" -v from="$giver" -v to="$node" '
		$1 == id { before = last; last = $3 }
		END { exit before != from || last != to }' || fail "timeline: $(ctl timeline)"
	cores_of "node $node" | grep -qw "$2" || fail "$2 is not of node $node: $(cat "$MINT/cores")"
	agrees "$giver"
	agrees "$node"
	# Its last one, on which it was started, is refused in the words of the kernel
	ctl move core "$1" taker >"$TMP/out" 2>&1 && fail "the boot core was moved"
	grep -q "^mintctl: move core $1 $node: .*refused" "$TMP/out" ||
		fail "it says $(cat "$TMP/out")"
}

# try_run <option>...: as ctl_run, for refused
try_run() {
	ctl run --image="${image:-$MINT_KERNEL}" --initrd="$MINT_INITRD" ${split:+"$split"} "$@"
}

# Without --split a node gets all threads of a core, by the APIC IDs of this
# processor; a half is refused.
whole_cores() {
	threads=$(ctl check | sed -n 's/^ok .* threads of cores with up to \([0-9]*\):.*/\1/p')
	threads=${threads:-1}
	split=
	ctl_run --cores="$threads" --memory="${MINT_SIZE}M" whole
	runs "$node"
	# shellcheck disable=SC2046 # one word for each core
	set -- $(cores_of "node $node")
	say "threads of a core: $threads; APIC IDs of the node: $*"
	[ $# = "$threads" ] || fail "it has $# threads"
	while [ $# -gt 0 ]; do
		[ $(($1 % threads)) = $((threads - $#)) ] || fail "$1 is of another core"
		shift
	done
	[ "$threads" = 1 ] ||
		refused "$((threads + 1)) threads" "whole cores" "by --split" \
			try_run --cores=$((threads + 1)) --memory="${MINT_SIZE}M" other
}

refusals() {
	launch 1 --mint-name=taken
	refused "node $node" "is called taken already" "choose another name" \
		try_run --memory="${MINT_SIZE}M" taken
	refused "4000 cores" "are free" "end a node" \
		try_run --cores=4000 --memory="${MINT_SIZE}M" other
	refused "APIC ID $boot" "is not free" "choose another" \
		try_run --apic-ids="$boot" --memory="${MINT_SIZE}M" other
	refused "64T of memory" "are free" "ask for less" try_run --memory=64T other
	refused "memory $min-" "is not free" "says whose" \
		try_run --memory="${MINT_SIZE}M@$min" other
	refused "nobody" "no node is called" "there is 0 predecessor" ctl stop nobody
	# What kexec refuses, in its words
	image=$TMP/image
	seq 20000 >"$image"
	refused "$image" "no kernel" "bzImage" try_run --memory="${MINT_SIZE}M" other
}

statuses() {
	# status <number> <word>...
	status() {
		local wanted="$1" rc

		shift
		ctl "$@" >"$TMP/out" 2>&1
		rc=$?
		[ "$rc" = "$wanted" ] || fail "$*: status $rc, not $wanted: $(cat "$TMP/out")"
	}
	status 0 list
	status 2 fly
	status 2 run --memory=1M 1
	status 3 show nobody
	status 3 log 0
	status 0 check
}

# A node that hangs does not end when asked.
ladder() {
	# Who is silent cannot be asked, which is another status
	with_parameter lost_ms $((60000 * MINT_SLOW)) ladder_of_hung || exit
}

ladder_of_hung() {
	initrd_with "$HERE/way.sh"
	cmdline="way=hang_all mint.test=/test/way.sh" \
		ctl_run --memory="${MINT_SIZE}M" hung
	loop_until 60 stands_still || fail "node $node does not hang"
	with_parameter ask_ms $((2000 * MINT_SLOW)) ctl stop hung 2>"$TMP/err"
	rc=$?
	[ "$rc" = 4 ] || fail "stop: status $rc, not 4: $(cat "$TMP/err")"
	grep -q -- "use --park" "$TMP/err" || fail "no remedy: $(cat "$TMP/err")"
	# From here on it may become silent: it is asked until then at the most
	parameter lost_ms $((3000 * MINT_SLOW))
	ctl stop --ladder hung || fail "the ladder does not stop it"
	reason "$node" | grep -q "parked by NMI" || fail "the reason is '$(reason "$node")'"
}

# watched <parameters>: write a node file and supervise the node; $node, $watcher
watched() {
	heed
	mkdir -p /etc/mint
	# A line of a node file has an end
	cat >/etc/mint/watched.node <<-END
		[Node]
		Image=$MINT_KERNEL
		Initrd=$MINT_INITRD
		CommandLine=$*
		  ${MINT_APPEND:-}
		Memory=${MINT_SIZE}M
		[Policy]
		SMT=split
	END
	ctl supervise watched >"$TMP/watched" 2>&1 &
	watcher=$!
	loop_until 60 grep -q "started on" "$TMP/watched" ||
		fail "it is not launched: $(cat "$TMP/watched")"
	launched "$(cat "$TMP/watched")"
}

# fate <status> <text>: that is how the supervisor ends
fate() {
	local rc

	wait "$watcher"
	rc=$?
	rm /etc/mint/watched.node
	[ "$rc" = "$1" ] || fail "status $rc, not $1: $(cat "$TMP/watched")"
	grep -q "node $node (watched) $2" "$TMP/watched" || fail "$(cat "$TMP/watched")"
	over "$node" || fail "node $node owns something"
}

supervised_stop() {
	watched maxcpus=1
	runs "$node"
	ctl diff watched || fail "it differs from its file"
	ctl stop watched || fail "it was not stopped"
	fate 0 "has ended"
}

supervised_panic() {
	expects "Kernel panic - not syncing: (No working init|VFS: Unable to mount root)"
	watched "panic=0 rdinit=/none init=/none"
	fate 10 "has panicked"
}

# cores <node>: how many it has
cores() {
	ctl list | awk -v node="$1" '$1 == node { sub("/.*", "", $4); print $4 }'
}

# has <node> <number of cores>
has() {
	[ "$(cores "$1")" = "$2" ]
}

# busy <node>: two endless loops there, until quiet
busy() {
	echo "for i in 1 2; do while :; do :; done & done" >"/dev/mint$1"
}

quiet() {
	echo "kill \$(jobs -p)" >"/dev/mint$1"
}

# at_rest <node>...: as they say, for three seconds less than half a task was there
at_rest() {
	local n

	sh "$HERE/load_node.sh" once >"$TMP/loads"
	for n in "$@"; do
		awk -v n="$n" '$1 == n && $2 >= 3 { rest = $3 < $2 / 2 }
			END { exit !rest }' "$TMP/loads" || return 1
	done
}

# told_moves <number>: so many has the broker made
told_moves() {
	[ "$(grep -c "^move core .*: done" "$TMP/mintd")" = "$1" ]
}

# start_broker: $broker; it ends with the test, whatever comes of that
start_broker() {
	mintd >"$TMP/mintd" 2>&1 &
	broker=$!
	trap 'kill "$broker" 2>/dev/null' EXIT
}

# end_broker: it goes, and leaves the cores where they are
end_broker() {
	kill "$broker"
	wait "$broker" || fail "mintd ended with status $?: $(cat "$TMP/mintd")"
	trap - EXIT
}

# A core goes to the node that has something to do, and stays there until another
# one has. There is one broker.
broker() {
	command -v mintd >/dev/null || skip "no mintd: make -C tools install"
	need_cores 3
	need_init
	mkdir -p /etc/mint
	for name in left right; do
		printf '[Policy]\nMode=autonomous\nCoresMin=1\nCoresMax=2\n' \
			>"/etc/mint/$name.node"
		ctl_run --cores=1 --memory="${MINT_SIZE}M" --wait "$name"
		eval "$name=$node"
	done
	# Who comes up is busy: the free core would be for that one.
	# shellcheck disable=SC2154 # by eval
	loop_until 60 at_rest "$left" "$right" || fail "they are busy: $(cat "$TMP/loads")"
	start_broker
	busy "$left"
	loop_until 90 has "$left" 2 || fail "node $left gets no core: $(cat "$TMP/mintd")"
	mintd --steps=1 >"$TMP/second" 2>&1 && fail "there are two brokers"
	grep -q "$broker" "$TMP/second" || fail "who is the other? $(cat "$TMP/second")"
	quiet "$left"
	busy "$right"
	loop_until 90 has "$right" 2 || fail "node $right gets no core: $(cat "$TMP/mintd")"
	has "$left" 1 || fail "node $left has $(cores "$left")"
	quiet "$right"
	# As many steps of its own later nothing more has moved
	mintd --dry-run --steps=10 >"$TMP/second" 2>&1 || fail "$(cat "$TMP/second")"
	loop_until 30 told_moves 2 ||
		fail "it moves cores of idle nodes: $(cat "$TMP/mintd")"
	end_broker
	has "$right" 2 || fail "its end has moved cores"
	rm /etc/mint/left.node /etc/mint/right.node
}

# refused_core <node>: it was to get one, and could not
refused_core() {
	grep -q "^move core .* $1: node $1 lacks: .*: No space left on device" "$TMP/mintd"
}

# A core that a busy node cannot take, for which it keeps no CPU number, goes to the
# other one, although that one has half its weight.
broker_full() {
	command -v mintd >/dev/null || skip "no mintd: make -C tools install"
	need_cores 3
	need_init
	mkdir -p /etc/mint
	printf '[Policy]\nMode=autonomous\nWeight=200\n' >/etc/mint/full.node
	printf '[Policy]\nMode=autonomous\n' >/etc/mint/other.node
	cmdline=mint.spare=none ctl_run --cores=1 --memory="${MINT_SIZE}M" --wait full
	full=$node
	ctl_run --cores=1 --memory="${MINT_SIZE}M" --wait other
	loop_until 60 at_rest "$full" "$node" || fail "they are busy: $(cat "$TMP/loads")"
	start_broker
	busy "$full"
	loop_until 90 refused_core "$full" || fail "it gets one: $(cat "$TMP/mintd" "$MINT/moves")"
	busy "$node"
	loop_until 90 has "$node" 2 || fail "node $node gets no core: $(cat "$TMP/mintd")"
	has "$full" 1 || fail "node $full has $(cores "$full")"
	quiet "$full"
	quiet "$node"
	end_broker
	rm /etc/mint/full.node /etc/mint/other.node
}

# mib <word> <node>: what the node says in its load
mib() {
	sed -n "s/.* $1=\([0-9]*\).*/\1/p" "$MINT/nodes/$2/load"
}

# more_memory <node> <MiB>: it has more than so much
more_memory() {
	[ "$(mib mem_mib "$1" | grep . || echo 0)" -gt "$2" ]
}

# blocks: so many has the broker moved
blocks() {
	[ "$(grep -c "^move memory .*: done" "$TMP/mintd")" = "$1" ]
}

# A block of memory goes to the node that has used up its own, one is enough, and it
# stays.
broker_memory() {
	command -v mintd >/dev/null || skip "no mintd: make -C tools install"
	need_cores 1
	need_init
	mkdir -p /etc/mint
	printf '[Policy]\nMode=autonomous\nCoresMax=1\nMemoryMin=64M\nMemoryMax=512M\n' \
		>/etc/mint/eater.node
	ctl_run --cores=1 --memory="${MINT_SIZE}M" --wait eater
	free_memory 256 >/dev/null || skip "needs 256 MiB of free memory"
	# It says so with its heartbeat. What its start gives back to it is no block.
	loop_until 20 more_memory "$node" 64 || fail "node $node says nothing of its load"
	# What it takes to come up is no longer available then.
	loop_until 60 at_rest "$node" || fail "node $node is busy: $(cat "$TMP/loads")"
	before=$(($(mib mem_mib "$node") + 64))
	start_broker
	# A twelfth is left: less than an eighth, and enough to go on.
	eat=$(($(mib available_mib "$node") - before / 16))
	[ "$eat" -gt 0 ] || fail "only $(mib available_mib "$node") MiB are available"
	echo "mkdir /eat; mount -t tmpfs -o size=100% eat /eat; head -c $((eat * MIB)) /dev/zero >/eat/all" \
		>"/dev/mint$node"
	loop_until 90 more_memory "$node" "$before" ||
		fail "node $node gets no memory: $(cat "$TMP/mintd" "$MINT/moves")"
	grep -q "^move memory .*: node $node lacks memory: .* MiB are available.*: done" \
		"$TMP/mintd" || fail "no reason: $(cat "$TMP/mintd")"
	mintd --dry-run --steps=10 >"$TMP/second" 2>&1 || fail "$(cat "$TMP/second")"
	blocks 1 || fail "it moves memory that nobody lacks: $(cat "$TMP/mintd")"
	end_broker
	more_memory "$node" "$before" || fail "its end has moved memory"
	alive "$node"
	rm /etc/mint/eater.node
	stop "$node"
}

run_tests list_agrees whole_cores run_show_log_stop plan_is_kept two_nodes move_core \
	refusals statuses ladder supervised_stop supervised_panic broker broker_full \
	broker_memory
