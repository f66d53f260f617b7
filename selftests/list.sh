#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Many nodes at once: kexec --mint-list, and calls of kexec side by side.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # run_tests calls the tests by name
. "$(dirname "$0")/functions.sh"
need_mint

# parts <n>: n free cores and a range for each, "<APIC ID> <start> <end>" a line
parts() {
	local id start end

	# shellcheck disable=SC2046 # two words
	set -- "$1" $(free_memory $(($1 * MINT_SIZE)))
	[ $# = 3 ] || skip "needs $(($1 * MINT_SIZE)) MiB of free memory"
	start=$(($2))
	for id in $(free_cores "$1"); do
		end=$((start + MINT_SIZE * MIB - 1))
		printf '%d 0x%x 0x%x\n' "$id" "$start" "$end"
		start=$((end + 1))
	done
}

# note <file>: remember the nodes that kexec started, to end them
note() {
	sed -n 's/^node \([0-9]*\) started on.*/\1/p' "$1" >>"$TMP/nodes"
}

# all_run <count> <file>: so many nodes were started, and all of them run
all_run() {
	local count

	count=$(grep -c "^node [0-9]* started on" "$2")
	[ "$count" = "$1" ] || fail "$count of $1 started: $(cat "$2")"
	# shellcheck disable=SC2013 # a number a line
	for node in $(sed -n 's/^node \([0-9]*\) started on.*/\1/p' "$2"); do
		runs "$node"
	done
}

list() {
	need_cores 3
	parts 3 | while read -r id start end; do
		echo "--mint-cpu=$id --mem-min=$start --mem-max=$end" \
			"--mint-name=n$id # core $id"
	done >"$TMP/list"
	mint_kexec --mint-list="$TMP/list" "$MINT_KERNEL" >"$TMP/out" 2>&1
	rc=$?
	note "$TMP/out"
	[ "$rc" = 0 ] || fail "status $rc: $(cat "$TMP/out")"
	all_run 3 "$TMP/out"
	# shellcheck disable=SC2013 # a number a line
	for node in $(sed -n 's/^node \([0-9]*\) .*/\1/p' "$TMP/out"); do
		[ "$(cat "$MINT/nodes/$node/name")" = \
			"n$(cat "$MINT/nodes/$node/cpus")" ] ||
			fail "node $node: $(cat "$MINT/nodes/$node/name")"
	done
}

# Words with blanks, comments and empty lines; from standard input, in two steps.
list_in_steps() {
	need_cores 2
	parts 2 >"$TMP/parts"
	{
		echo "# two of them"
		echo
		while read -r id start end; do
			echo "--mint-cpu=$id --mem-min=$start --mem-max=$end \
				--command-line=\"maxcpus=1 mint.name=of-$id\""
		done <"$TMP/parts"
	} | mint_kexec -l --mint-list=- "$MINT_KERNEL" >"$TMP/out" 2>&1 ||
		fail "load: $(cat "$TMP/out")"
	sed -n 's/^node \([0-9]*\) loaded for.*/\1/p' "$TMP/out" >>"$TMP/nodes"
	[ "$(grep -c "loaded for" "$TMP/out")" = 2 ] || fail "$(cat "$TMP/out")"
	sed 's/\([0-9]*\) .*/--mint-cpu=\1/' "$TMP/parts" |
		"$MINT_KEXEC" -e --mint-list=- >"$TMP/out" 2>&1 ||
		fail "start: $(cat "$TMP/out")"
	all_run 2 "$TMP/out"
	node=$(sed -n 's/^node \([0-9]*\) .*/\1/p' "$TMP/out" | head -n 1)
	[ "$(cat "$MINT/nodes/$node/name")" = "of-$(cat "$MINT/nodes/$node/cpus")" ] ||
		fail "name of node $node: $(cat "$MINT/nodes/$node/name")"
}

# One that is refused, and one whose file is missing, leave the others alone.
one_fails() {
	need_cores 3
	parts 3 >"$TMP/parts"
	{
		sed -n '1s/\(.*\) \(.*\) \(.*\)/--mint-cpu=\1 --mem-min=\2 --mem-max=\3/p' \
			"$TMP/parts"
		echo "--mint-cpu=0 --mem-min=16M --mem-max=64M"
		sed -n '2s/\(.*\) \(.*\) \(.*\)/--mint-cpu=\1 --mem-min=\2 --mem-max=\3/p' \
			"$TMP/parts"
		sed -n '3s/\(.*\) \(.*\) \(.*\)/--mint-cpu=\1 --mem-min=\2 --mem-max=\3/p' \
			"$TMP/parts" | sed 's/$/ --initrd=\/none/'
	} >"$TMP/list"
	mint_kexec --mint-list="$TMP/list" "$MINT_KERNEL" >"$TMP/out" 2>&1
	rc=$?
	note "$TMP/out"
	[ "$rc" = 64 ] || fail "status $rc, not 64 for some: $(cat "$TMP/out")"
	say "$(grep -v started "$TMP/out")"
	all_run 2 "$TMP/out"
}

# The same from shells of their own.
side_by_side() {
	need_cores 3
	cmdline=maxcpus=1
	parts 3 | while read -r id start end; do
		mint_kexec --mint-cpu="$id" --mem-min="$start" \
			--mem-max="$end" "$MINT_KERNEL" >"$TMP/out.$id" 2>&1 &
	done
	started() {
		cat "$TMP"/out.* >"$TMP/out" 2>/dev/null
		[ "$(grep -c . "$TMP/out")" -ge 3 ]
	}
	loop_until 60 started || fail "not all have come back: $(cat "$TMP/out")"
	note "$TMP/out"
	all_run 3 "$TMP/out"
}

# Two that want the same core or memory at once: one gets it, one is told.
rivals() {
	need_cores 2
	cmdline=maxcpus=1
	parts 2 >"$TMP/parts"
	read -r id start end <"$TMP/parts"
	other=$(sed -n '2s/ .*//p' "$TMP/parts")
	for core in "$id" "$id" "$other"; do
		echo "--mint-cpu=$core --mem-min=$start --mem-max=$end"
	done >"$TMP/list"
	if mint_kexec --mint-list="$TMP/list" "$MINT_KERNEL" >"$TMP/out" 2>&1; then
		note "$TMP/out"
		fail "all three got it: $(cat "$TMP/out")"
	fi
	note "$TMP/out"
	all_run 1 "$TMP/out"
	[ "$(grep -c "^kexec: " "$TMP/out")" = 2 ] ||
		fail "not two were told: $(cat "$TMP/out")"
}

# a list longer than any buffer: each of its lines is acted on once
long_list() {
	i=0
	while [ "$i" -lt 100 ]; do
		echo "--mint-cpu=60000 --mem-min=0x1000000 --mem-max=0x1ffffff" \
			"--mint-name=a_name_that_fills_$i"
		i=$((i + 1))
	done >"$TMP/long"
	mint_kexec --mint-list=- "$MINT_KERNEL" <"$TMP/long" >"$TMP/out" 2>&1
	rc=$?
	[ "$rc" = 1 ] || fail "status $rc, not 1 for none: $(sed -n 1p "$TMP/out")"
	# They write at the same time, but each writes its line at once.
	[ "$(grep -c "^kexec: memory .* is too small for" "$TMP/out")" = 100 ] ||
		fail "$(grep -c . "$TMP/out") refusals for 100 lines: \
$(sed -n 1p "$TMP/out")"
}

# What is wrong with the last line is found before the first is acted on.
quote() {
	need_cores 2
	parts 2 | sed 's/\(.*\) \(.*\) \(.*\)/--mint-cpu=\1 --mem-min=\2 --mem-max=\3/' \
		>"$TMP/list"
	echo '--mint-cpu=1 --command-line="maxcpus=1' >>"$TMP/list"
	refused "line 3" "quote" "nothing was launched" \
		mint_kexec --mint-list="$TMP/list" "$MINT_KERNEL"
}

run_tests list list_in_steps one_fails side_by_side rivals long_list quote
