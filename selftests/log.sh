#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The last words: node 0 reads each successor's kernel log, from its first line
# on, live and after its death, and is told what it missed.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # run_tests calls the tests by name
. "$(dirname "$0")/functions.sh"
need_mint
all_need_init

# A successor that panics is what some of these tests ask for.
# shellcheck disable=SC2034 # read by settle()
panic_is_bad="no panic is"

# log <node>: all of its log that is kept
log() {
	cat "$MINT/nodes/$1/log"
}

# says <node> <expression>: its log has such a line
says() {
	log "$1" 2>/dev/null | grep -Eq -- "$2"
}

# heard <node> <expression>: wait for it
heard() {
	loop_until 60 says "$1" "$2" ||
		fail "node $1 never said '$2': $(log "$1" | tail -n 3)"
}

# from_the_start <node>: the first line of its kernel is the first of the log
from_the_start() {
	log "$1" | head -n 1 | grep -q "Linux version" ||
		fail "node $1 begins with: $(log "$1" | head -n 1)"
}

# script <text>: what the init of the next successors shall run
script() {
	echo "$1" >"$TMP/script.sh"
	initrd_with "$TMP/script.sh"
}

# starts_with <append>: a successor that runs the script
starts_with() {
	resources 1
	cmdline="maxcpus=1 $1 mint.test=/test/script.sh" start
}

live() {
	launch 1
	heard "$node" "mint: node $node up"
	from_the_start "$node"
	[ "$(stat -c %a "$MINT/nodes/$node/log")" = 400 ] ||
		fail "mode $(stat -c %a "$MINT/nodes/$node/log")"
	[ ! -e "$MINT/nodes/0/log" ] || fail "node 0 has a log"
	# A reader that was at the end goes on with what is new, and nothing else.
	exec 4<"$MINT/nodes/$node/log"
	cat <&4 >"$TMP/before"
	stop "$node" || exit 1
	cat <&4 >"$TMP/after"
	exec 4<&-
	grep -q "reboot: Power down" "$TMP/after" ||
		fail "the end is not in what is new: $(cat "$TMP/after")"
	cat "$TMP/before" "$TMP/after" >"$TMP/whole"
	log "$node" | cmp -s - "$TMP/whole" ||
		fail "what is new does not begin where the reader was: \
$(head -n 1 "$TMP/after")"
}

# the log has every record that the node itself has, whatever the console shows
complete() {
	# shellcheck disable=SC2016 # for the shell there
	script 'dmesg >/tmp/all
		set -- $(wc -l </tmp/all) $(md5sum </tmp/all)
		echo "<5>digest $1 $2" >/dev/kmsg'
	for words in ignore_loglevel quiet; do
		starts_with "$words"
		heard "$node" "digest [0-9]+ [0-9a-f]{32}"
		from_the_start "$node"
		# shellcheck disable=SC2046 # two words
		set -- $(log "$node" | sed -n 's/.*digest //p')
		say "$1 lines with '$words'"
		[ "$1" -gt 50 ] || fail "the node has only $1 lines"
		[ "$(log "$node" | head -n "$1" | md5sum | cut -d' ' -f1)" = \
			"$2" ] || fail "with '$words': not what dmesg says there"
		stop "$node" || exit 1
	done
}

after_poweroff() {
	script "/bin/busybox poweroff -f"
	starts_with quiet
	loop_until 120 over "$node" || fail "node $node is $(state "$node")"
	from_the_start "$node"
	heard "$node" "reboot: Power down"
}

after_panic() {
	expects "sysrq triggered crash"
	script "echo c >/proc/sysrq-trigger"
	starts_with quiet
	loop_until 120 over "$node" || fail "node $node is $(state "$node")"
	from_the_start "$node"
	heard "$node" "Kernel panic - not syncing: sysrq triggered crash"
	heard "$node" "Call Trace"
}

no_init() {
	expects "Kernel panic - not syncing: (No working init|VFS: Unable to mount root)"
	resources 1
	cmdline="maxcpus=1 quiet rdinit=/none init=/none" start
	loop_until 120 over "$node" || fail "node $node is $(state "$node")"
	from_the_start "$node"
	heard "$node" "Kernel panic - not syncing"
}

# A kernel that dies before it has memory to allocate leaves its words as well.
early_panic() {
	expects "Kernel panic - not syncing"
	resources 1
	cmdline="maxcpus=1 quiet mem=1M" start
	heard "$node" "Kernel panic - not syncing"
	from_the_start "$node"
	says "$node" "WARNING|records missed" && fail "it stumbled over its log"
	loop_until 120 over "$node" || fail "node $node is $(state "$node")"
}

# the kernels of own reboots follow each other
own_reboot() {
	launch 1
	heard "$node" "mint: node $node up"
	echo "reboot -f" >"/dev/mint$node"
	loop_until 60 came_back || fail "node $node did not come back"
	from_the_start "$node"
	[ "$(log "$node" | grep -c "Linux version")" = 2 ] ||
		fail "$(log "$node" | grep -c "Linux version") kernels in the log"
	log "$node" | grep -A 1 "Restarting system" | grep -q "Linux version" ||
		fail "something stands between the two"
}

came_back() {
	[ "$(log "$node" | grep -c "mint: node $node up")" = 2 ]
}

# flooded [<command>]: a successor that has said more than is kept, by this
# command; set $first, what a reader on fd 4 had read before
flooded() {
	local flood="${1:-$FLOOD}"

	script "
		mkfifo /run/go
		read -r -t 120 go <>/run/go || exit
		$flood
		echo '<5>dry again' >/dev/kmsg"
	starts_with "printk.devkmsg=on loglevel=8"
	heard "$node" "mint: node $node up"
	exec 4<"$MINT/nodes/$node/log"
	read -r first <&4
	echo 'echo go >/run/go' >"/dev/mint$node"
	heard "$node" "dry again"
	# The last line of the node: its log does not change from here on.
	heard "$node" "mint: test .* ended with status"
}

# shellcheck disable=SC2016 # for the shell there
FLOOD='i=10000
while [ $i -lt 14000 ]; do
	echo "<7>flood $i ......................................"
	i=$((i + 1))
done >/dev/kmsg'

# missed <file>: how much it says was missed
missed() {
	sed -n 's/^\[mint: \([0-9]*\) bytes missed\]$/\1/p' "$1"
}

# a reader that fell behind hears how far, then whole lines to the end
behind() {
	flooded
	cat <&4 >"$TMP/rest"
	exec 4<&-
	log "$node" >"$TMP/fresh"
	alive "$node"
	for file in rest fresh; do
		[ "$(missed "$TMP/$file" | wc -l)" = 1 ] ||
			fail "$file: $(grep -c missed "$TMP/$file") notices"
		grep -q "records missed" "$TMP/$file" && fail "$file: records"
		awk 'told; /bytes missed/ { told = 1 }' "$TMP/$file" |
			sed -n 's/.*\] flood \([0-9]*\) \.*$/\1/p' >"$TMP/seen"
		seq "$(head -n 1 "$TMP/seen")" 13999 | cmp -s - "$TMP/seen" ||
			fail "$file: lines are missing without a word"
		say "$file: $(missed "$TMP/$file") bytes missed," \
			"$(wc -l <"$TMP/seen") lines read"
	done
	# Both counts end at the same byte of the stream.
	one=$((${#first} + 1 + $(missed "$TMP/rest") +
		$(grep -v "bytes missed" "$TMP/rest" | wc -c)))
	two=$(($(missed "$TMP/fresh") +
		$(grep -v "bytes missed" "$TMP/fresh" | wc -c)))
	[ "$one" = "$two" ] || fail "the counts differ: $one, $two"
}

# a NUL in a line is a byte as others, also in the first one behind a notice
nul_bytes() {
	flooded 'echo "nuls 4000" >/sys/kernel/debug/mint/provoke || exit'
	cat <&4 >"$TMP/rest" || fail "the reader that fell behind: status $?"
	exec 4<&-
	log "$node" >"$TMP/fresh" || fail "a new reader: status $?"
	alive "$node"
	for file in rest fresh; do
		[ "$(tr -d '\000' <"$TMP/$file" | grep -c "bytes missed")" = 1 ] ||
			fail "$file: $(grep -c missed "$TMP/$file") notices"
		tr '\000' '|' <"$TMP/$file" |
			sed -n 's/.*nul \([0-9]*\) \.*|$/\1/p' >"$TMP/seen"
		[ "$(wc -l <"$TMP/seen")" -gt 100 ] ||
			fail "$file: $(wc -l <"$TMP/seen") lines with a NUL"
		seq "$(head -n 1 "$TMP/seen")" 3999 | cmp -s - "$TMP/seen" ||
			fail "$file: lines are missing without a word"
	done
}

# a reader that takes one byte at a time gets the same
byte_by_byte() {
	flooded
	exec 4<&-
	dd bs=1 count=3000 if="$MINT/nodes/$node/log" 2>/dev/null >"$TMP/slow"
	[ "$(wc -c <"$TMP/slow")" = 3000 ] || fail "$(wc -c <"$TMP/slow") bytes"
	log "$node" | head -c 3000 | cmp -s - "$TMP/slow" ||
		fail "differs: $(head -n 2 "$TMP/slow")"
	head -n 1 "$TMP/slow" | grep -q "bytes missed" ||
		fail "begins with $(head -n 1 "$TMP/slow")"
}

# a new node with the same number begins with an empty log
anew() {
	launch 1
	heard "$node" "mint: node $node up"
	stop "$node" || exit 1
	launch_as "$node"
	heard "$node" "mint: node $node up"
	from_the_start "$node"
	[ "$(log "$node" | grep -c "Linux version")" = 1 ] ||
		fail "the log of the last one is still there"
}

# words <node>: all that is left of a node that ended
words() {
	for file in state reason since name boots heartbeat timing; do
		echo "== $file"
		cat "$MINT/nodes/$1/$file"
	done
	log "$1"
}

# A load that fails after its number was claimed leaves the last words of the
# node that had it before, and the next one gets it all the same.
failed_load() {
	need_cores 3
	launch 1
	gone=$node
	heard "$gone" "mint: node $gone up"
	stop "$gone" || exit 1
	# All other numbers are taken, so that this one is next.
	while [ "$(cores_of free | wc -w)" -gt 1 ]; do
		resources 1
		cmdline="maxcpus=1" load
		[ "$node" != "$gone" ] || skip "number $gone comes too early"
	done
	need_helper fuzz_kexec
	resources 1
	words "$gone" >"$TMP/words"
	grep -q "Linux version" "$TMP/words" || fail "nothing to be lost"
	# A reader that is at the end gets nothing again.
	exec 4<"$MINT/nodes/$gone/log"
	cat <&4 >/dev/null
	"$TMP/fuzz_kexec" fault "$boot" "$min" "$max" >"$TMP/out" ||
		fail "$(cat "$TMP/out")"
	words "$gone" >"$TMP/words.now"
	cmp -s "$TMP/words" "$TMP/words.now" ||
		fail "lost: $(diff "$TMP/words" "$TMP/words.now" | head -5)"
	cat <&4 >"$TMP/rest"
	exec 4<&-
	[ ! -s "$TMP/rest" ] ||
		fail "a reader that was at the end goes on with $(head -n 1 "$TMP/rest")"
	cmdline="maxcpus=1" load
	[ "$node" = "$gone" ] || fail "the next one is node $node, not $gone"
	[ -z "$(log "$gone")" ] || fail "the log of the last one is still there"
}

# a reader that stays hears the next node from its first line on
reader_stays() {
	local first

	launch 1
	heard "$node" "mint: node $node up"
	exec 4<"$MINT/nodes/$node/log"
	# One line only: it is nowhere near the end.
	read -r first <&4
	stop "$node" || exit 1
	launch_as "$node"
	heard "$node" "mint: node $node up"
	cat <&4 >"$TMP/rest"
	exec 4<&-
	head -n 1 "$TMP/rest" | grep -q "Linux version" ||
		fail "it goes on with $(head -n 1 "$TMP/rest")"
	log "$node" | head -c "$(wc -c <"$TMP/rest")" | cmp -s - "$TMP/rest" ||
		fail "it is not the log of the next node"
}

run_tests live complete after_poweroff after_panic no_init early_panic \
	own_reboot behind nul_bytes byte_by_byte anew reader_stays \
	failed_load
