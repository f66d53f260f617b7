#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Memory: who owns which range, below and above 4 GiB, and that node 0 keeps
# its hands off what it does not own.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # run_tests calls the tests by name
. "$(dirname "$0")/functions.sh"
need_mint

# The ranges in sysfs are ascending and do not overlap.
map_is_sane() {
	last=-1
	while read -r range owner; do
		[ -n "$owner" ] || fail "$range has no owner"
		start=$((${range%-*}))
		end=$((${range#*-}))
		[ "$start" -gt "$last" ] || fail "$range overlaps or is unsorted"
		[ "$end" -ge "$start" ] || fail "$range is empty"
		last=$end
	done <"$MINT/memory"
	grep -q ' node 0$' "$MINT/memory" || fail "node 0 owns nothing"
	grep -q ' common area$' "$MINT/memory" || fail "no common area"
	grep -q ' gateway$' "$MINT/memory" || fail "no gateway"
}

# The gateway lies below 1 MiB, as real mode needs it.
gateway_is_low() {
	# shellcheck disable=SC2046 # two words
	set -- $(owned_by gateway)
	[ $(($2)) -lt "$MIB" ] || fail "gateway at $1-$2"
}

# Node 0 has no more than it owns, and none of it is free.
node0_keeps_its_own() {
	owned=$(owned_by "node 0" | {
		sum=0
		while read -r start end; do
			sum=$((sum + end - start + 1))
		done
		echo $((sum / 1024))
	})
	total=$(sed -n 's/^MemTotal: *\([0-9]*\).*/\1/p' /proc/meminfo)
	[ "$total" -le "$owned" ] || fail "uses $total KiB, owns $owned KiB"
	# No free range is System RAM of this kernel.
	owned_by free | while read -r start end; do
		grep 'System RAM' /proc/iomem | while read -r range _; do
			first=$((0x${range%-*}))
			last=$((0x${range#*-}))
			[ "$first" -gt $((end)) ] || [ "$last" -lt $((start)) ] ||
				echo "$start-$end: System RAM at $range"
		done
	done >"$TMP/overlap"
	[ ! -s "$TMP/overlap" ] || fail "$(cat "$TMP/overlap")"
}

# A successor's memory is a named resource of node 0 that it cannot map.
not_mappable() {
	launch 1
	first=$(printf '%08x' $((min)))
	grep -i "^ *0*$first-" /proc/iomem | grep -iq mint ||
		fail "/proc/iomem does not name node $node's memory: \
$(grep -i "$first-" /proc/iomem)"
	[ -c /dev/mem ] || skip "no /dev/mem"
	if dd if=/dev/mem bs=4096 count=1 skip=$((min / 4096)) \
		>/dev/null 2>&1; then
		fail "/dev/mem gives memory of node $node"
	fi
	alive "$node"
}

below_4g() {
	resources 1 below
	cmdline="maxcpus=1" start
	runs "$node"
	[ $((max)) -lt "$GIB4" ] || fail "at $min-$max"
}

above_4g() {
	resources 1 above
	cmdline="maxcpus=1" start
	runs "$node"
	# Nothing of it may lie below.
	owned_by "node $node" >"$TMP/ranges"
	[ -s "$TMP/ranges" ] || fail "node $node owns nothing"
	while read -r from _; do
		[ $((from)) -ge "$GIB4" ] || fail "node $node owns $from"
	done <"$TMP/ranges"
}

# One on each side of 4 GiB at the same time.
both_sides() {
	need_cores 2
	resources 1 above
	cmdline="maxcpus=1" start
	high=$node
	resources 1 below
	cmdline="maxcpus=1" start
	runs "$node"
	alive "$high"
}

# The last range of the machine, up to its last byte.
to_the_end() {
	resources 1
	owned_by free | tail -n 1 >"$TMP/last"
	read -r start end <"$TMP/last"
	[ $((end - start + 1)) -ge $((MINT_SIZE * MIB)) ] ||
		skip "the last free range is smaller than $MINT_SIZE MiB"
	max=$end
	min=$(printf '0x%x' $(((end + 1 - MINT_SIZE * MIB) / MIB * MIB)))
	cmdline="maxcpus=1" start
	runs "$node"
}

# A range whose ends are no multiple of 2 MiB.
odd_range() {
	resources 1
	min=$(printf '0x%x' $((min + 0x5000)))
	max=$(printf '0x%x' $((max - 0x3000)))
	cmdline="maxcpus=1" start
	runs "$node"
	# shellcheck disable=SC2046 # two words
	set -- $(owned_by "node $node")
	[ "$(($1)) $(($2))" = "$((min)) $((max))" ] ||
		fail "node $node owns $1-$2, not $min-$max"
}

# like_whole <how> <command>...: it prints what $TMP/whole has
like_whole() {
	how=$1
	shift
	"$@" 2>/dev/null | cmp -s - "$TMP/whole" || fail "$how: not what cat reads"
}

# More ranges than fit into a page, of nodes that are only loaded: the file has all of
# them, in pieces of any size, and all pieces are of one text.
many_ranges() {
	resources 3
	# shellcheck disable=SC2046 # two words
	set -- $(free_memory $((3 * MINT_SIZE + 2)))
	[ $# = 2 ] || skip "needs $((3 * MINT_SIZE + 2)) MiB of free memory"
	from=$(($1))
	page=$((from + 3 * MINT_SIZE * MIB))
	head -n 1 "$MINT/memory" >"$TMP/ends"
	tail -n 1 "$MINT/memory" >>"$TMP/ends"
	: >"$TMP/wanted"
	for boot in $ids; do
		min=$(printf '0x%x' "$from")
		from=$((from + MINT_SIZE * MIB))
		max=$(printf '0x%x' $((from - 1)))
		pages=
		for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
			pages=$pages,4K@$(printf '0x%x' "$page")
			page=$((page + 8192))
		done
		cmdline="maxcpus=1 mint.mem=${pages#,}" load
		sed "s/\$/ node $node/" "$MINT/nodes/$node/memory" >>"$TMP/wanted"
	done
	sort -o "$TMP/wanted" "$TMP/wanted"
	[ "$(wc -l <"$TMP/wanted")" = 48 ] || fail "loaded: $(cat "$TMP/wanted")"

	cat "$MINT/memory" >"$TMP/whole"
	[ "$(wc -c <"$TMP/whole")" -gt 4096 ] || fail "$(wc -c <"$TMP/whole") bytes"
	grep ' node [1-9]' "$TMP/whole" | sort | cmp -s - "$TMP/wanted" ||
		fail "not the ranges of the nodes: $(cat "$TMP/whole")"
	{
		head -n 1 "$TMP/whole"
		tail -n 1 "$TMP/whole"
	} | cmp -s - "$TMP/ends" || fail "ends with $(tail -n 1 "$TMP/whole")"
	map_is_sane

	for size in 1 13 4095 4096 4097 65536; do
		like_whole "pieces of $size" dd if="$MINT/memory" bs="$size"
	done
	head -c 4100 "$MINT/memory" >"$TMP/pieces"
	dd if="$MINT/memory" bs=4100 skip=1 2>/dev/null >>"$TMP/pieces"
	like_whole "from 4100 on" cat "$TMP/pieces"
	[ "$(tail -n 1 "$MINT/memory")" = "$(tail -n 1 "$TMP/whole")" ] ||
		fail "tail: $(tail -n 1 "$MINT/memory")"

	# A text that was begun before a change is read to its end
	exec 3<"$MINT/memory"
	dd bs=100 count=1 <&3 2>/dev/null >"$TMP/pieces"
	stop "$(tail -n 1 "$TMP/nodes")" || exit 1
	cat <&3 >>"$TMP/pieces"
	exec 3<&-
	like_whole "begun before" cat "$TMP/pieces"
	cmp -s "$MINT/memory" "$TMP/whole" && fail "unloading changed nothing"
	return 0
}

run_tests map_is_sane gateway_is_low node0_keeps_its_own not_mappable \
	below_4g above_4g both_sides to_the_end odd_range many_ranges
