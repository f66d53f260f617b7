#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A storm of interrupts between the cores of this node: TLB flushes, calls of
# functions on other cores, NMIs for back-traces (sysrq-l). Fails unless the
# node's own counts show that there was one.
#
#   storm.sh [<rounds>]	a round takes about a second; if these are too few
#			where all is slow, up to twenty more
#   storm.sh poweroff	storm, then end the node; a failure panics it, which
#			node 0 sees (mint.test= of isolation.sh)

here=$(dirname "$0")

# count <row>: sum of a row of /proc/interrupts over all cores
count() {
	awk -v row="$1:" '$1 == row {
		for (i = 2; $i ~ /^[0-9]+$/; i++)
			sum += $i
	} END { print sum + 0 }' /proc/interrupts
}

# storm <rounds>: make one, judge it by the node's own counts
storm() {
	round=0
	tlb_before=$(($(count TLB) + $(count CAL)))
	nmi_before=$(count NMI)
	while [ "$round" -lt $(($1 + 20)) ]; do
		"$here/tlb_storm" 1000 || return 1
		echo l >/proc/sysrq-trigger
		round=$((round + 1))
		[ "$round" -ge "$1" ] || continue
		tlb=$(($(count TLB) + $(count CAL) - tlb_before))
		nmi=$(($(count NMI) - nmi_before))
		echo "storm: $tlb flushes and calls, $nmi NMIs"
		[ "$tlb" -lt 100 ] || [ "$nmi" -lt 1 ] || return 0
	done
	return 1
}

case $1 in
poweroff)
	if storm 3; then
		poweroff
	else
		echo c >/proc/sysrq-trigger
	fi
	;;
*)
	storm "${1:-3}"
	;;
esac
