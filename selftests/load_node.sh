#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC3043 # BusyBox ash and dash have "local"
#
# What load.sh measures, in node 0 and as mint.test= in successors: how much each
# node has done between two looks, as this one sees it.
#
#   load_node.sh once	print a line for each node that says something:
#			<node> <beats> <runnable tasks> <busy ms> <incarnation> <want>
#
# A successor says such lines in its log, again and again, and each number that
# poll(2) announces for the generation.

MINT=/sys/kernel/mint

# look <variable>: beats, runnable_sum and busy_ms of each node, by its number
look() {
	local n beats runnable_sum busy_ms rest

	for n in "$MINT"/nodes/*; do
		beats=''
		read -r beats runnable_sum busy_ms rest 2>/dev/null <"$n/load"
		case $rest in
		cpus=[1-9]*\ mem_mib=[1-9]*\ available_mib=[0-9]*) ;;
		*) continue ;;
		esac
		eval "$1_${n##*/}='${beats#*=} ${runnable_sum#*=} ${busy_ms#*=}'"
	done
}

# difference <counter> <earlier>: counters wrap at 32 bits
difference() {
	echo $((($1 - $2) & 0xffffffff))
}

# compare: what has happened between the looks "old" and "new"
# shellcheck disable=SC2120 # it sets its own arguments
compare() {
	local n want incarnation

	for n in "$MINT"/nodes/*; do
		n=${n##*/}
		eval "set -- \${old_$n:-} \${new_$n:-}"
		[ $# = 6 ] || continue
		incarnation='' want=''
		read -r incarnation 2>/dev/null <"$MINT/nodes/$n/incarnation"
		read -r want 2>/dev/null <"$MINT/nodes/$n/want"
		echo "$n $(difference "$4" "$1") $(difference "$5" "$2") $(difference "$6" "$3") $incarnation $want"
	done
}

# measure: two looks, 3 s apart, in which this node has nothing to do
measure() {
	look old
	sleep 3
	look new
	# shellcheck disable=SC2119 # the same
	compare
}

if [ "${1:-}" = once ]; then
	measure
	exit
fi

/test/poll_state "$MINT/generation" 3600 never | while read -r count; do
	echo "<5>generation: $count" >/dev/kmsg
done &
while :; do
	measure | while read -r line; do
		echo "<5>load: $line" >/dev/kmsg
	done
done
