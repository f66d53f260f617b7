#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What the benchmark `broker` does in the nodes of its machine; bench_broker.py calls it
# there as /bench/work.
#
# Usage: work VERB [ARGUMENT..]
#
#	in any node
#	prepare			make what jobs work on
#	batch JOBS		so many jobs, at most $WORKERS at a time
#	loops WORKERS JOBS	so many workers at once, each with so many jobs in turn
#	bursts AT:JOBS..	a batch at each of these times from now on
#
#	in node 0, of itself and the nodes $OTHERS
#	all VERB [ARGUMENT..]		the same in all nodes at once
#	chance AT:JOBS.. -- AT:JOBS..	bursts in node 0, others in each of the others
#	alternate WAY PHASES JOBS	batches, in turns; WAY is in one, split or oracle
#	sample				what all have and do, each second
#
# $MOVABLE are the cores that may move, one of each node, in the order of the nodes.
# Results are lines "bench: <what> <number>". Times are hundredths of a second.
set -u

data=/tmp/bench-data
here=/bench/work
# Bounds what another node may take for one answer, s
limit=900

# look: the time since this kernel has started: $now
look() {
	read -r now _ </proc/uptime
	now=${now%.*}${now#*.}
}

prepare() {
	head -c 524288 /bin/busybox >$data
}

batch() {
	i=0
	while [ $i -lt "$1" ]; do
		echo $data
		i=$((i + 1))
	done | xargs -n 1 -P "$WORKERS" gzip -c >/dev/null
}

worker() {
	look
	begin=$now i=0
	while [ $i -lt "$1" ]; do
		gzip -c $data >/dev/null
		i=$((i + 1))
	done
	look
	echo "bench: loop $((now - begin))"
}

loops() {
	count=$1
	while [ "$count" -gt 0 ]; do
		worker "$2" &
		count=$((count - 1))
	done
	wait
}

# A batch that is late has waited: it is timed from when it was due. What is waited for is that
# time, which no event announces.
bursts() {
	look
	zero=$now
	for burst in "$@"; do
		due=$((zero + ${burst%:*}))
		look
		[ "$now" -ge $due ] || usleep $(((due - now) * 10000))
		batch "${burst#*:}"
		look
		echo "bench: batch $((now - due))"
	done
}

# The console of node $1 is file descriptor 3 or one of those after it: $fd
descriptor() {
	fd=3
	for other in $OTHERS; do
		[ "$other" != "$1" ] || return 0
		fd=$((fd + 1))
	done
	echo "there is no node $1"
	exit 1
}

# tell NODE WORD..: it is to do that; what is typed there must not look like its answer
tell() {
	descriptor "$1"
	shift
	printf '%s\n' "WORKERS=$WORKERS $here $*; echo be\"\"nch: over $$" >&$fd
}

# hear NODE: its results, until it has done it
hear() {
	descriptor "$1"
	# shellcheck disable=SC3045 # BusyBox has read -t
	while read -r -t $limit line <&$fd; do
		case $line in
		*"bench: over $$"*)
			return
			;;
		*"bench: "*)
			echo "bench: ${line#*bench: }"
			;;
		esac
	done
	echo "node $1 does not answer"
	exit 1
}

hear_all() {
	for from in $OTHERS; do
		hear "$from"
	done
}

all() {
	for to in $OTHERS; do
		tell "$to" "$@"
	done
	"$@"
	hear_all
}

# The first schedule is node 0's, which begins when the others have been told theirs
chance() {
	mine=
	while [ "$1" != -- ]; do
		mine="$mine $1"
		shift
	done
	look
	echo "bench: begin $now"
	for to in $OTHERS; do
		shift
		theirs=
		while [ $# -gt 0 ] && [ "$1" != -- ]; do
			theirs="$theirs $1"
			shift
		done
		# shellcheck disable=SC2086 # words on purpose
		tell "$to" bursts $theirs
	done
	# shellcheck disable=SC2086 # words on purpose
	bursts $mine
	hear_all
	look
	echo "bench: end $now"
}

# oracle PHASE NODE: it gets all cores that may move; in the first phase it has its own
oracle() {
	first=$1
	for core in $MOVABLE; do
		if [ "$first" = 0 ]; then
			first=
			continue
		fi
		echo "core $core $2" >/sys/kernel/mint/move && echo "bench: move $core"
	done
}

# turn PHASE: whose it is: $node
turn() {
	# shellcheck disable=SC2086 # words on purpose
	set -- "$1" 0 $OTHERS
	shift $(($1 % ($# - 1) + 1))
	node=$1
}

alternate() {
	way=$1 phases=$2 jobs=$3 phase=0
	look
	began=$now
	echo "bench: begin $now"
	while [ $phase -lt "$phases" ]; do
		look
		since=$now node=0
		[ "$way" = one ] || turn $phase
		busy=$node
		[ "$way" != oracle ] || oracle $phase "$busy" &
		if [ "$busy" = 0 ]; then
			batch "$jobs"
		else
			tell "$busy" batch "$jobs"
			hear "$busy"
		fi
		# The oracle, too
		wait
		look
		echo "bench: phase $((now - since))"
		phase=$((phase + 1))
	done
	echo "bench: end $now"
	echo "bench: makespan $((now - began))"
}

# All but sleep is the shell's own: little to do itself. A sample is due each second, whatever
# happens meanwhile.
sample() {
	while :; do
		look
		line="at $now"
		while read -r text; do
			line="$line|$text"
		done </sys/kernel/mint/cores
		for node in 0 $OTHERS; do
			read -r text <"/sys/kernel/mint/nodes/$node/load"
			line="$line|load $node $text"
		done
		echo "$line"
		sleep 1
	done
}

OTHERS=${OTHERS:-} WORKERS=${WORKERS:-4}
case $1 in
all | chance | alternate)
	for node in $OTHERS; do
		descriptor "$node"
		eval "exec $fd<>/dev/mint$node"
	done
	;;
esac
"$@"
