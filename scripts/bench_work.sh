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
#	batch JOBS		so many jobs, at most four at a time
#	loops WORKERS JOBS	so many workers at once, each with so many jobs in turn
#	bursts AT:JOBS..	a batch at each of these times from now on
#
#	in node 0, of itself and node $RIGHT
#	both VERB [ARGUMENT..]		the same in both nodes at once
#	bursts2 AT:JOBS.. -- AT:JOBS..	bursts in node 0, others in node $RIGHT
#	alternate WAY PHASES JOBS	batches, in turns; WAY is in one, split or oracle
#	sample				what both have and do, each second
#
# Results are lines "bench: <what> <number>". Times are hundredths of a second.
set -u

data=/tmp/bench-data
here=/bench/work
# Bounds what the other node may take for one answer, s
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
	done | xargs -n 1 -P 4 gzip -c >/dev/null
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

# tell WORD..: node $RIGHT is to do that; what is typed there must not look like its answer
tell() {
	printf '%s\n' "$here $*; echo be\"\"nch: over $$" >&3
}

# hear: its results, until it has done it
hear() {
	# shellcheck disable=SC3045 # BusyBox has read -t
	while read -r -t $limit line <&3; do
		case $line in
		*"bench: over $$"*)
			return
			;;
		*"bench: "*)
			echo "bench: ${line#*bench: }"
			;;
		esac
	done
	echo "node $RIGHT does not answer"
	exit 1
}

both() {
	tell "$@"
	"$@"
	hear
}

bursts2() {
	mine=
	while [ "$1" != -- ]; do
		mine="$mine $1"
		shift
	done
	shift
	look
	echo "bench: begin $now"
	tell bursts "$@"
	# shellcheck disable=SC2086 # words on purpose
	bursts $mine
	hear
	look
	echo "bench: end $now"
}

# oracle PHASE NODE: each phase but the first has two cores to bring
oracle() {
	cores="$OWN $LENT"
	[ "$1" != 0 ] || cores=$OWN
	for core in $cores; do
		echo "core $core $2" >/sys/kernel/mint/move && echo "bench: move $core"
	done
}

alternate() {
	way=$1 phases=$2 jobs=$3 phase=0
	look
	began=$now
	echo "bench: begin $now"
	while [ $phase -lt "$phases" ]; do
		look
		from=$now node=0
		[ "$way" = one ] || [ $((phase % 2)) = 0 ] || node=$RIGHT
		[ "$way" != oracle ] || oracle $phase "$node" &
		if [ "$node" = 0 ]; then
			batch "$jobs"
		else
			tell batch "$jobs"
			hear
		fi
		# The oracle, too
		wait
		look
		echo "bench: phase $((now - from))"
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
		for node in 0 "$RIGHT"; do
			read -r text <"/sys/kernel/mint/nodes/$node/load"
			line="$line|load $node $text"
		done
		echo "$line"
		sleep 1
	done
}

case $1 in
both | bursts2 | alternate)
	[ -z "${RIGHT:-}" ] || exec 3<>"/dev/mint$RIGHT"
	;;
esac
"$@"
