# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC3043
#
# What the Mint selftests share: KTAP output, bounded waits, the machine's
# state as text, and successors that never outlive a test.
#
# (SC3043: "local" is not POSIX, but BusyBox ash and dash have it.)
#
# A test is a shell function. run_tests runs each in a subshell of its own,
# ends the successors that it left behind, and fails it when the machine is
# then not as it was before, or when the kernel of any node has complained of
# something that the test did not announce (expects). Variables that a user may
# set:
#
#   MINT_KERNEL	image to launch
#   MINT_INITRD	its initrd
#   MINT_INIT	an initrd with this project's init, for tests in which a
#		successor runs programs; any initrd does for the others
#   MINT_VMLINUX	the same kernel as an ELF file
#   MINT_KEXEC	the kexec to use
#   MINT_APPEND	further parameters for every successor
#   MINT_SIZE	MiB of memory for each successor
#   MINT_BIN	directory of the compiled helpers
#   MINT_SLOW	whole factor for every time limit
#   MINT_BESIDE	number of a successor that lives beside those of the tests
#   MINT_BAD	see params.sh
#   MINT_SOME	set if several programs get the same list of tests
#
# Arguments of a program name the tests to run, by default all.

MINT=/sys/kernel/mint
HERE=$(cd "$(dirname "$0")" && pwd)

: "${MINT_KEXEC:=kexec}"
: "${MINT_SIZE:=192}"
: "${MINT_SLOW:=1}"

# The share of an emulated machine, else what a distribution boots.
if [ -e /mint/build/out/bzImage ]; then
	: "${MINT_KERNEL:=/mint/build/out/bzImage}"
	: "${MINT_INITRD:=/mint/build/out/initrd.cpio.lzo}"
	: "${MINT_INIT:=/mint/build/out/initrd.cpio.lzo}"
	[ ! -d /mint/build/selftests ] || : "${MINT_BIN:=/mint/build/selftests}"
else
	: "${MINT_KERNEL:=/boot/vmlinuz-$(uname -r)}"
	: "${MINT_INITRD:=/boot/initrd.img-$(uname -r)}"
fi
: "${MINT_BIN:=$HERE}"

GIB4=$((0x100000000))
MIB=$((0x100000))

TMP=$(mktemp -d /tmp/mint.XXXXXX) || exit 1
: >"$TMP/nodes"
number=0
failed=0
wanted="$*"

# clean_up: whatever ends a program, nothing of it stays
clean_up() {
	end_all
	at_end
	rm -rf "$TMP"
}
trap clean_up EXIT
trap 'exit 1' INT TERM HUP

# ---- KTAP -------------------------------------------------------------------

# say <text>...: a line for people
say() {
	printf '# %s\n' "$*"
}

# fail <text>...: end the present test as failed
fail() {
	say "$*"
	exit 1
}

# skip <reason>...: end the present test as skipped
skip() {
	echo "$*" >"$TMP/skip"
	exit 4
}

# skip_all <reason>...: end the whole program as skipped
skip_all() {
	echo "KTAP version 1"
	echo "1..0 # SKIP $*"
	exit 4
}

# need_helper <program>: copy a compiled helper to $TMP, where it runs at once
need_helper() {
	[ -x "$TMP/$1" ] || cp "$MINT_BIN/$1" "$TMP/$1" 2>/dev/null ||
		fail "no $MINT_BIN/$1: make -C selftests"
	chmod 755 "$TMP/$1"
}

# at_end: what a program has to put back, if anything
at_end() {
	:
}

# run_tests <function>...: print the plan and run the tests; when the program
# was called with arguments, only those that it names, which must be its own
run_tests() {
	local name all="$*"

	if [ -n "$wanted" ]; then
		for name in $wanted; do
			case " $all " in
			*" $name "*)
				;;
			*)
				[ -z "${MINT_SOME:-}" ] ||
					skip_all "no test $name here, but: $all"
				say "no test $name here, but: $all"
				exit 1
				;;
			esac
		done
		# shellcheck disable=SC2086 # one word for each test
		set -- $wanted
	fi
	echo "KTAP version 1"
	echo "1..$#"
	for name in "$@"; do
		run_test "$name"
	done
	# Those that lived through all tests have an end, too.
	end_all
	rm -f "$TMP/expected"
	healthy || failed=$((failed + 1))
	[ "$failed" = 0 ]
	exit
}

# run_test <function>: one test, with the state of the machine around it
run_test() {
	local rc

	number=$((number + 1))
	rm -f "$TMP/skip" "$TMP/expected"
	mark_log before
	snapshot before
	cp "$TMP/nodes" "$TMP/nodes.before"
	(
		"$1"
		exit 0
	)
	rc=$?
	end_since "$TMP/nodes.before" || rc=1
	settle || rc=1
	case $rc in
	0)
		echo "ok $number $1"
		;;
	4)
		echo "ok $number $1 # SKIP $(cat "$TMP/skip" 2>/dev/null)"
		;;
	*)
		echo "not ok $number $1"
		failed=$((failed + 1))
		;;
	esac
}

# ---- waiting ----------------------------------------------------------------

# now: whole seconds since the kernel started
now() {
	local up rest

	read -r up rest </proc/uptime
	echo "${up%%.*}"
}

# pause: a short while between two looks. Not every sleep takes fractions. A shell with
# "read -t" waits for a pipe into which nobody writes: a process for each pause would
# take time from those that are waited for.
pause() {
	usleep 50000 2>/dev/null || sleep 0.05 2>/dev/null || sleep 1
}
# shellcheck disable=SC3045 # BusyBox ash and bash have "read -t"
if mkfifo "$TMP/never" && exec 8<>"$TMP/never"; then
	(read -r -t 0.01 _ <&8) 2>/dev/null
	if [ $? != 2 ]; then
		pause() {
			read -r -t 0.05 _ <&8 || :
		}
	fi
fi

# loop_until <seconds> <command>...: run it until it succeeds, or give up
loop_until() {
	local end

	end=$(($(now) + $1 * MINT_SLOW))
	shift
	until "$@"; do
		[ "$(now)" -lt "$end" ] || return 1
		pause
	done
}

# wait_state <node> <seconds> <state>...: wait by poll(2) until the node is in
# one of these states; those it passed through are in $TMP/seen
wait_state() {
	local file="$MINT/nodes/$1/state" limit=$(($2 * MINT_SLOW))

	shift 2
	# Executing it from a share of the host would take longer than the wait.
	need_helper poll_state
	"$TMP/poll_state" "$file" "$limit" "$@" >"$TMP/seen"
}

# ---- the machine ------------------------------------------------------------

# word_of <file>: put its only line into $word, nothing if it cannot be read. $(cat)
# would need a process.
word_of() {
	word=''
	{
		read -r word <"$1"
	} 2>/dev/null
}

# mark_log <name>: said_since <name> prints what node 0's kernel says after this. A
# count of lines would not do: in a log that is full an old line goes for each new one.
mark_log() {
	echo "<7>mint selftests: $$ $1" >/dev/kmsg
}

# said_since <name>: what the log has behind that mark; all of it if the mark is gone
said_since() {
	dmesg | tac | sed "/mint selftests: $$ $1\$/,\$d" | tac
}

# need_mint: skip the program unless this is node 0 of a machine with Mint
need_mint() {
	[ "$(id -u)" = 0 ] || skip_all "needs root"
	[ -d "$MINT" ] || skip_all "this kernel has no Mint"
	[ -e "$MINT/node" ] || skip_all "Mint is not active: boot with mint.mem="
	[ "$(cat "$MINT/node")" = 0 ] || skip_all "this is not node 0"
	free_at_start=$(cores_of free | wc -w)
	command -v "$MINT_KEXEC" >/dev/null || skip_all "no $MINT_KEXEC"
	[ -r "$MINT_KERNEL" ] || skip_all "no image $MINT_KERNEL"
	[ -r "$MINT_INITRD" ] || skip_all "no initrd $MINT_INITRD"
	# What nodes said before is not for this program to judge.
	heed
	rm -f "$TMP/complaints"
}

# need_init: use the initrd with our init, or skip the test
need_init() {
	[ -r "${MINT_INIT:-}" ] ||
		skip "needs MINT_INIT=, the initrd of Mint's own build"
	MINT_INITRD=$MINT_INIT
}

# all_need_init: the same for the whole program
all_need_init() {
	[ -r "${MINT_INIT:-}" ] ||
		skip_all "needs MINT_INIT=, the initrd of Mint's own build"
	MINT_INITRD=$MINT_INIT
}

# need_cores <n>: skip the test on a machine with fewer cores to lend
need_cores() {
	[ "$free_at_start" -ge "$1" ] || skip "needs $1 free cores"
}

# expand <list>: "1,4-6" becomes "1 4 5 6 "; there may be several lines
expand() {
	local part first last IFS=',
 '

	for part in $1; do
		first=${part%-*}
		last=${part#*-}
		while [ "$first" -le "$last" ]; do
			printf '%s ' "$first"
			first=$((first + 1))
		done
	done
}

# cores_of <owner>: APIC IDs of "free", "node N" or "bsp"
cores_of() {
	expand "$(sed -n "s/^$1: *//p" "$MINT/cores")"
}

# free_cores <n>: the n lowest free APIC IDs; fails when there are fewer
free_cores() {
	local count="$1"

	# shellcheck disable=SC2046 # one word for each core
	set -- $(cores_of free)
	[ $# -ge "$count" ] || return 1
	echo "$*" | cut -d' ' -f "1-$count"
}

# owned_by <owner>: the memory ranges of an owner, "start end" a line
owned_by() {
	sed -n "s/^\\(0x[0-9a-f]*\\)-\\(0x[0-9a-f]*\\) $1\$/\\1 \\2/p" \
		"$MINT/memory"
}

# free_memory <MiB> [above|below]: "start end" of a free range, 2 MiB aligned
free_memory() {
	local start end need=$(($1 * MIB))

	owned_by free | while read -r start end; do
		start=$(((start + 2 * MIB - 1) / (2 * MIB) * (2 * MIB)))
		end=$((end))
		case $2 in
		above)
			[ "$start" -ge "$GIB4" ] || continue
			;;
		below)
			[ "$end" -lt "$GIB4" ] || continue
			;;
		esac
		if [ $((end - start + 1)) -ge "$need" ]; then
			printf '0x%x 0x%x\n' "$start" $((start + need - 1))
			break
		fi
	done | grep .
}

# free_port: the first serial port that node 0 can lend
free_port() {
	local port

	for port in com1 com2 com3 com4; do
		grep -q "^$port " "$MINT/devices" || {
			echo "$port"
			return
		}
	done
	return 1
}

# state_of_machine: who owns what, and what the kernel makes of it. One process reads
# all files: this runs before and after each test and each refusal, and on emulated
# cores a process takes long.
state_of_machine() {
	local dir file word cpu=/sys/devices/system/cpu

	set -- "$MINT/cores" "$MINT/memory" "$MINT/devices" "$MINT/pins" /proc/iomem \
		"$cpu/online" "$cpu/present" "$cpu/possible"
	for dir in "$MINT"/nodes/*; do
		word_of "$dir/state"
		case $word in
		'' | ended | panicked)
			continue
			;;
		esac
		for file in state cpus memory devices boots; do
			set -- "$@" "$dir/$file"
		done
	done
	grep -a . "$@"
	printf '%s\n' /sys/bus/pci/devices/*
	stat -c %N /sys/bus/pci/devices/*/driver
	sed -n 's/^ *\([0-9]*\):[ 0-9]*/interrupt \1 /p' /proc/interrupts
}

# snapshot <name>: keep the state of the machine, and what nodes have counted
snapshot() {
	local dir word

	state_of_machine >"$TMP/state.$1" 2>&1
	for dir in "$MINT"/nodes/*; do
		word_of "$dir/state"
		[ "$word" = running ] || continue
		word_of "$dir/heartbeat"
		[ -z "$word" ] || echo "${dir##*/} $word"
	done >"$TMP/beats.$1"
}

# same_as <name>: the state of the machine is what it was
same_as() {
	state_of_machine >"$TMP/state.now" 2>&1
	cmp -s "$TMP/state.$1" "$TMP/state.now"
}

# unchanged <name>: fail unless the machine is as it was and others live on
unchanged() {
	local node beat

	if ! loop_until "${patience:-30}" same_as "$1"; then
		diff "$TMP/state.$1" "$TMP/state.now" | sed -n 's/^[-+<>]/#  &/p'
		say "the machine is not as it was before"
		return 1
	fi
	while read -r node beat; do
		if ! loop_until 20 beyond "$node" "$beat"; then
			say "node $node: no heartbeat after $beat"
			return 1
		fi
	done <"$TMP/beats.$1"
}

# memory_left: of node 0, free or only cached, KiB
memory_left() {
	sync
	echo 3 >/proc/sys/vm/drop_caches
	awk '/^(MemFree|Buffers|Cached|SReclaimable):/ { sum += $2 }
		END { print sum }' /proc/meminfo
}

# settle: what must hold after every test
settle() {
	local bad rc=0

	bad=$(said_since before |
		grep -E "$complaint|node ${beside:-none} is silent|${panic_is_bad:-has panicked}")
	[ -z "$bad" ] || bad=$(printf '%s\n' "$bad" | unexpected)
	if [ -n "$bad" ]; then
		say "kernel: $bad"
		rc=1
	fi
	healthy || rc=1
	unchanged before || rc=1
	return $rc
}

# ---- complaints of kernels --------------------------------------------------

# What no healthy kernel says, as one expression.
complaint=$(grep -v '^#' "$HERE/complaints" | tr '\n' '|')
complaint=${complaint%|}

# A program may set this to an expression: what all of its tests expect.
expected=

# expects <expression>: lines that match are what the present test asks for, no
# complaints; those of a successor begin with "node <n>: "
expects() {
	printf '%s\n' "$*" >>"$TMP/expected"
}

# unexpected: of the lines that come in, those that the test does not expect
unexpected() {
	local allow

	allow=$( (
		printf '%s\n' "$expected"
		cat "$TMP/expected" 2>/dev/null
	) | grep . | tr '\n' '|')
	if [ -n "$allow" ]; then
		grep -Ev -- "${allow%|}"
	else
		cat
	fi
}

# heed: look for complaints in the logs of all successors that had something to
# say since the last look, the dead included; what is new goes to $TMP/complaints.
# Prints nothing. A log lasts until the number of its node is used again, so this
# comes before each launch, and after each test.
heed() {
	local dir n state since boots was

	for dir in "$MINT"/nodes/[1-9]*; do
		[ -e "$dir/log" ] || continue
		n=${dir##*/}
		state='' since='' boots='' was=''
		{
			read -r state <"$dir/state"
			read -r since <"$dir/since"
			read -r boots <"$dir/boots"
			read -r was <"$TMP/heed.$n"
		} 2>/dev/null
		case $state in
		ended | panicked)
			# The dead say no more.
			[ "$state $since $boots" != "$was" ] || continue
			;;
		esac
		echo "$state $since $boots" >"$TMP/heed.$n"
		# A node that scribbles may have left anything there.
		tr -d '\000' 2>/dev/null <"$dir/log" |
			LC_ALL=C grep -E -- "$complaint" >"$TMP/heard" || continue
		if [ -s "$TMP/heard.$n" ]; then
			grep -vxF -f "$TMP/heard.$n" "$TMP/heard" >"$TMP/new" ||
				continue
		else
			cp "$TMP/heard" "$TMP/new"
		fi
		cat "$TMP/new" >>"$TMP/heard.$n"
		sed "s/^/node $n: /" "$TMP/new" >>"$TMP/complaints"
	done
	return 0
}

# healthy: fail if a successor has complained of what the test did not expect
healthy() {
	heed
	[ -s "$TMP/complaints" ] || return 0
	unexpected <"$TMP/complaints" >"$TMP/bad"
	rm -f "$TMP/complaints"
	[ -s "$TMP/bad" ] || return 0
	sed 's/^/# /' "$TMP/bad"
	say "a kernel complains; a test that asks for that says so: expects"
	return 1
}

# ---- successors -------------------------------------------------------------

# state <node>: its state, or "gone"
state() {
	local word

	word_of "$MINT/nodes/$1/state"
	echo "${word:-gone}"
}

# in_state <node> <state>: that is its state
in_state() {
	local word

	word_of "$MINT/nodes/$1/state"
	[ "${word:-gone}" = "$2" ]
}

# over <node>: it runs no more and owns nothing
over() {
	local word

	word_of "$MINT/nodes/$1/state"
	case ${word:-gone} in
	gone | ended | panicked)
		! grep -q "node $1\$" "$MINT/memory" &&
			! grep -q "^node $1:" "$MINT/cores"
		;;
	*)
		return 1
		;;
	esac
}

# beat <node>: its heartbeat
beat() {
	local word

	word_of "$MINT/nodes/$1/heartbeat"
	echo "${word:-0}"
}

# beyond <node> <count>: its heartbeat is past count
beyond() {
	local word

	word_of "$MINT/nodes/$1/heartbeat"
	[ "${word:-0}" -gt "$2" ]
}

# pass_beats <n>: wait until node 0's heart has beaten so often, which is the time
# that all nodes go by
pass_beats() {
	loop_until 60 beyond 0 $(($(beat 0) + $1)) || fail "node 0's heart stands"
}

# stands_still: the heart of $node has beaten, and does not while node 0's goes on.
# For longer than the host lets one core wait for the others.
stands_still() {
	local last

	last=$(beat "$node")
	[ "$last" -gt 0 ] || return 1
	pass_beats 30
	[ "$(beat "$node")" = "$last" ]
}

# ---- moves ------------------------------------------------------------------

# need_moves: skip the program where nothing moves
need_moves() {
	[ -w "$MINT/move" ] || skip_all "this kernel moves nothing"
}

# need_provoke: skip the test unless a successor fails on request
need_provoke() {
	zcat /proc/config.gz 2>/dev/null | grep -q "^CONFIG_MINT_PROVOKE=y" ||
		skip "needs CONFIG_MINT_PROVOKE in the successor"
}

# try_move <kind> <which> <to>: what the line of it says then is in $said; why it
# fails goes to stderr
try_move() {
	local rc=0

	echo "$*" 2>/dev/null >"$MINT/move" || rc=1
	said=$(tail -n 1 "$MINT/moves")
	[ "$rc" = 0 ] ||
		printf '%s\n' "$said" | sed 's/.* \(refused\|failed\) [0-9.]* //' >&2
	return "$rc"
}

# moves <kind> <which> <to>: it has to succeed
moves() {
	try_move "$@" || fail "move $*: $said"
	say "$said"
	case $said in
	*" taken "*) ;;
	*) fail "move $* succeeds, and its line says: $said" ;;
	esac
}

# no_move <resource> <owner> <remedy> <kind> <which> <to>: it is refused, as refused
# says
no_move() {
	refused "$1" "$2" "$3" try_move "$4" "$5" "$6"
}

# arm <node> <turn> <way>: it is to fail so, before it changes a move to that turn
arm() {
	echo " echo move $2 $3 >/sys/kernel/debug/mint/provoke &&" \
		"echo '<5>armed: $2 $3' >/dev/kmsg" >"/dev/mint$1"
	loop_until 60 grep -q "armed: $2 $3" "$MINT/nodes/$1/log" ||
		fail "node $1 is not armed"
}

# came_back <node> <boots>: so many kernels of it have started, and it runs
came_back() {
	[ "$(boots "$1")" = "$2" ] && in_state "$1" running
}

# dies <node> <turn> <way> <kind> <which> <to>: the node fails so in that move; what
# is to be made of it is over then. The heart of $third beats on meanwhile.
# shellcheck disable=SC2154 # $third is the program's
dies() {
	local victim="$1" turn="$2" way="$3" last booted

	shift 3
	expects "provoked at turn"
	booted=$(boots "$victim")
	arm "$victim" "$turn" "$way"
	last=$(beat "$third")
	# Who hangs is waited for, who starts again has to come up meanwhile.
	case $way in
	hang) parameter move_ms 8000 ;;
	reboot) parameter move_ms $((60000 * MINT_SLOW)) ;;
	esac
	try_move "$@" 2>/dev/null
	parameter move_ms 30000
	say "$said"
	loop_until 30 beyond "$third" $((last + 3)) ||
		fail "node $third has noticed something"
	loop_until 20 grep -q "provoked at turn $turn: $way" \
		"$MINT/nodes/$victim/log" ||
		fail "node $victim was not provoked at turn $turn"
	case $way in
	reboot)
		loop_until 60 came_back "$victim" $((booted + 1)) || fail "node $victim does not reboot"
		;;
	hang)
		over "$victim" || echo force >"$MINT/nodes/$victim/stop" ||
			fail "force fails"
		;;
	esac
	[ "$way" = reboot ] || loop_until 60 over "$victim" ||
		fail "node $victim is $(state "$victim")"
	alive "$third"
}

# deaths <command>: for each way in which a giver or a receiver dies in a move the
# command gets who, the turn, the way, and who may have the thing then. With
# MINT_CORNERS only those for which there is always time.
deaths() {
	local who turn way whose often

	while read -r who turn way whose often <&3; do
		[ -z "${MINT_CORNERS:-}" ] || [ "$often" = often ] || continue
		say "$who, turn $turn, $way"
		"$1" "$who" "$turn" "$way" "$whose"
	done 3<<-EOF
	giver 2 panic free
	giver 2 reboot giver,receiver often
	giver 2 hang free
	giver 3 panic free often
	giver 3 reboot giver
	giver 3 hang free
	receiver 5 panic free
	receiver 5 reboot receiver often
	receiver 5 hang free
	receiver 6 panic free often
	receiver 6 reboot receiver
	receiver 6 hang free
	EOF
}

# wander <first> <second> <owner> <command>: MINT_MOVES times (24), what the command
# moves to the owner that is its last word goes to a random one, from MINT_SEED (1)
# on: node 0, one of the two, or nobody, whose it is in the end
wander() {
	local first="$1" second="$2" at="$3" i=0 random="${MINT_SEED:-1}" to

	shift 3
	while [ "$i" -lt "${MINT_MOVES:-24}" ]; do
		random=$(((random * 1103515245 + 12345) & 0x7fffffff))
		case $((random >> 16 & 3)) in
		0) to=0 ;;
		1) to=$first ;;
		2) to=$second ;;
		*) to=free ;;
		esac
		[ "$to" != "$at" ] || continue
		"$@" "$to"
		at=$to
		i=$((i + 1))
	done
	[ "$at" = free ] || "$@" free
}

# has_stress: has node 0's initrd, which is that of the nodes, stress-ng?
has_stress() {
	command -v stress-ng >/dev/null
}

# bystander: a node that nothing moves to or from, $third; with stress-ng if there is
bystander() {
	more=''
	has_stress && {
		initrd_with "$HERE/stress_node.sh"
		more="mint.test=/test/stress_node.sh"
	}
	launch 1
	# shellcheck disable=SC2034 # read by who calls it
	third=$node third_boots=$(boots "$third")
}

# stressed <node>...: stress-ng runs there, if there is one
stressed() {
	local node

	has_stress || return 0
	for node in "$@"; do
		loop_until 120 grep -q "stress_node: runs" "$MINT/nodes/$node/log" ||
			fail "node $node runs no stress-ng"
	done
}

# unharmed <node>...: stress-ng has found nothing there
unharmed() {
	local node

	for node in "$@"; do
		! grep -q "stress_node: ended" "$MINT/nodes/$node/log" ||
			fail "node $node: $(grep "stress_node: ended" "$MINT/nodes/$node/log")"
	done
}

# alive <node>: it runs, and its heart beats three times
alive() {
	local i last

	for i in 1 2 3; do
		last=$(beat "$1")
		loop_until 20 beyond "$1" "$last" ||
			fail "node $1: heartbeat stays at $last ($i)"
	done
	in_state "$1" running || fail "node $1 is $(state "$1"), not running"
}

# launched <text>: take the number of the node from what kexec printed
launched() {
	node=$(echo "$1" | sed -n 's/^node \([0-9]*\) started on.*/\1/p')
	[ -n "$node" ] || fail "kexec printed no node number: $1"
	echo "$node" >>"$TMP/nodes"
}

# load [<option>...]: as start, but only load
# shellcheck disable=SC2120 # the options are optional
load() {
	local out

	out=$(try -l "$@" 2>&1) || fail "kexec -l refused: $out"
	node=$(echo "$out" | sed -n 's/^node \([0-9]*\) loaded for.*/\1/p')
	[ -n "$node" ] || fail "kexec printed no node number: $out"
	echo "$node" >>"$TMP/nodes"
	in_state "$node" loaded || fail "node $node is $(state "$node")"
}

# start_loaded: start what is loaded for $boot
start_loaded() {
	local out

	out=$("$MINT_KEXEC" -e --mint-cpu="$boot" 2>&1) ||
		fail "kexec -e refused: $out"
	launched "$out"
}

# resources <cores> [above|below]: choose $boot, $ids, $min and $max
resources() {
	need_cores "$1"
	ids=$(free_cores "$1") || fail "$1 free cores wanted: $(cores_of free)"
	boot=${ids%% *}
	# shellcheck disable=SC2046 # two words
	set -- $(free_memory "$MINT_SIZE" "${2:-}")
	[ $# = 2 ] || skip "needs $MINT_SIZE MiB of free memory"
	min=$1
	max=$2
}

# mint_kexec <option>...: kexec with what every successor of ours gets
mint_kexec() {
	"$MINT_KEXEC" --initrd="$MINT_INITRD" \
		--command-line="${cmdline:-} ${MINT_APPEND:-}" "$@"
}

# try [<option>...]: kexec of an $image on $boot, $min, $max with $cmdline
try() {
	heed
	mint_kexec --mint-cpu="$boot" --mem-min="$min" --mem-max="$max" \
		"$@" "${image:-$MINT_KERNEL}"
}

# start <option>...: launch on $boot, $min, $max with $cmdline; set $node
start() {
	local out

	out=$(try "$@" 2>&1) || fail "kexec refused: $out"
	launched "$out"
}

# launch <cores> [<option>...]: choose resources, launch, wait until it runs
launch() {
	local count="$1"

	shift
	resources "$count"
	cmdline="maxcpus=$count ${more:-}" start "$@"
	runs "$node"
	say "node $node: APIC IDs $ids, memory $min-$max"
}

# launch_as <node>: launch with one core and that number; numbers that have
# been free for longer would be taken first, so something is loaded there
launch_as() {
	local wanted="$1"

	while :; do
		resources 1
		cmdline="maxcpus=1 ${more:-}" load
		[ "$node" != "$wanted" ] || break
		[ "$(cores_of free | wc -w)" -gt 0 ] ||
			skip "number $wanted does not come again"
	done
	start_loaded
	runs "$node"
}

# need_beside: a successor that lives through the whole program: $beside. It is
# the one of MINT_BESIDE, whose owner watches it, or one of our own.
need_beside() {
	beside=${MINT_BESIDE:-}
	[ -z "$beside" ] || return 0
	if ! (
		launch 1
		echo "$node" >"$TMP/beside"
	) >"$TMP/out" 2>&1; then
		echo "KTAP version 1"
		echo "1..1"
		cat "$TMP/out"
		echo "not ok 1 node_beside"
		exit 1
	fi
	beside=$(cat "$TMP/beside")
}

# reason <node>: why it is in its state
reason() {
	cat "$MINT/nodes/$1/reason"
}

# boots <node>: how often its kernel has started
boots() {
	local word

	word_of "$MINT/nodes/$1/boots"
	echo "$word"
}

# parameter <name> [<value>]: print or set a parameter of node 0's Mint
parameter() {
	if [ $# = 1 ]; then
		cat "/sys/module/mint/parameters/$1"
	else
		echo "$2" >"/sys/module/mint/parameters/$1"
	fi
}

# with_parameter <name> <value> <command>...: the command, in a subshell, while the
# parameter has that value; its status is the command's
with_parameter() {
	local name="$1" was rc

	was=$(parameter "$name")
	parameter "$name" "$2"
	shift 2
	("$@")
	rc=$?
	parameter "$name" "$was"
	return $rc
}

# runs <node>: wait until it runs and its heart beats
runs() {
	wait_state "$1" 60 running ended panicked silent quarantine
	in_state "$1" running ||
		fail "node $1 is $(state "$1"), not running"
	alive "$1"
}

# stop <node>: ask it to power off, wait until it owns nothing
stop() {
	case $(state "$1") in
	gone)
		return 0
		;;
	loaded)
		"$MINT_KEXEC" -u \
			--mint-cpu="$(cut -d, -f1 "$MINT/nodes/$1/cpus" |
				cut -d- -f1)" >/dev/null
		;;
	starting | running)
		ask "$1" || echo force >"$MINT/nodes/$1/stop"
		;;
	panicked | silent | quarantine)
		over "$1" || echo force >"$MINT/nodes/$1/stop"
		;;
	esac 2>/dev/null
	case $(state "$1") in
	gone | ended | panicked)
		;;
	*)
		wait_state "$1" 60 ended panicked gone
		;;
	esac
	if ! over "$1"; then
		say "node $1 did not end: $(state "$1")"
		return 1
	fi
}

# ask <node>: have it power itself off; fails unless it does
ask() {
	echo ask 2>/dev/null >"$MINT/nodes/$1/stop"
}

# end_since <file>: end the successors launched since the list was kept
end_since() {
	local node rc=0

	tail -n +$(($(wc -l <"$1") + 1)) "$TMP/nodes" >"$TMP/nodes.new"
	while read -r node; do
		stop "$node" </dev/null || rc=1
	done <"$TMP/nodes.new"
	cp "$1" "$TMP/nodes"
	return $rc
}

# end_all: end every successor that this program launched
end_all() {
	: >"$TMP/none"
	end_since "$TMP/none"
}

# make_initrd <to> <file>...: an initrd that has these in /test
make_initrd() {
	local to="$1"

	shift
	need_init
	rm -rf "$TMP/add"
	mkdir -p "$TMP/add/test"
	cp "$@" "$TMP/add/test/"
	chmod 755 "$TMP/add/test"/*
	(
		cat "$MINT_INITRD"
		cd "$TMP/add" && find . | cpio -o -H newc 2>/dev/null | gzip -1
	) >"$to"
}

# initrd_with <file>...: launch with an initrd that has these in /test
initrd_with() {
	make_initrd "$TMP/initrd" "$@"
	MINT_INITRD=$TMP/initrd
}

# ---- refusals ---------------------------------------------------------------

# refused <resource> <owner> <remedy> <command>...: the command fails, says
# one line that matches the three expressions, and changes nothing. What the line
# of kexec begins with does not count: it is the same for every refusal. Where a
# refusal has no owner or no remedy to name, the reason is asked for in words.
refused() {
	local what="$1" whose="$2" remedy="$3" rc

	shift 3
	snapshot refusal
	"$@" >"$TMP/out" 2>"$TMP/err"
	rc=$?
	say "$(cat "$TMP/err")"
	if [ $rc = 0 ]; then
		sed -n 's/^node \([0-9]*\) [sl].*/\1/p' "$TMP/out" \
			>>"$TMP/nodes"
		fail "was not refused: $(cat "$TMP/out")"
	fi
	[ $rc -lt 126 ] || fail "ended with status $rc"
	[ ! -s "$TMP/out" ] || fail "prints on stdout: $(cat "$TMP/out")"
	[ "$(wc -l <"$TMP/err")" = 1 ] || fail "the reason is not one line"
	sed 's/^kexec: //' "$TMP/err" >"$TMP/reason"
	grep -Eqi -- "$what" "$TMP/reason" || fail "names no resource ($what)"
	grep -Eqi -- "$whose" "$TMP/reason" || fail "names no owner ($whose)"
	grep -Eqi -- "$remedy" "$TMP/reason" || fail "names no remedy ($remedy)"
	# An expression that fits anything would prove nothing.
	echo "the other words of some refusal" >"$TMP/some"
	grep -Eqi -e "$what" -e "$whose" -e "$remedy" "$TMP/some" &&
		fail "an expression that every refusal matches: $what, $whose or $remedy"
	unchanged refusal || exit 1
}

# refused_devices <list> <resource> <owner> <remedy>: as refused, of a launch
# with these devices
refused_devices() {
	resources 1
	refused "$2" "$3" "$4" try --mint-devices="$1"
}
