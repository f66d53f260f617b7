#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# /sys/kernel/mint: what it says is well-formed, complete and consistent, and
# nothing but the stop file can be written.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # run_tests calls the tests by name
. "$(dirname "$0")/functions.sh"
need_mint

version() {
	grep -Eqx '[0-9]+\.[0-9]+.*' "$MINT/version" ||
		fail "version: $(cat "$MINT/version")"
}

# unwritable <file>: not by its mode, and root, for whom modes do not count, gets
# an error
unwritable() {
	case $(stat -c %a "$1") in
	444 | 440 | 400)
		;;
	*)
		fail "$1 has mode $(stat -c %a "$1")"
		;;
	esac
	(echo 1 >"$1") 2>/dev/null && fail "$1 can be written"
	return 0
}

# every file can be read, and written by nobody
read_only() {
	for file in version node cores memory devices pins windows; do
		[ -n "$(cat "$MINT/$file")" ] || [ "$file" = devices ] ||
			[ "$file" = windows ] || fail "$file is empty"
		unwritable "$MINT/$file"
	done
}

# each core has one owner, the BSP among them, and node 0 its online CPUs
cores_once() {
	grep -v '^bsp:' "$MINT/cores" >"$TMP/owners"
	while IFS= read -r line; do
		expand "$(echo "${line#*:}" | tr -d ' ')"
	done <"$TMP/owners" | tr ' ' '\n' | grep . >"$TMP/all"
	[ -z "$(sort -n "$TMP/all" | uniq -d)" ] ||
		fail "owned twice: $(sort -n "$TMP/all" | uniq -d)"
	bsp=$(cores_of bsp)
	[ "$(echo "$bsp" | wc -w)" = 1 ] || fail "bsp: $bsp"
	cores_of "node 0" | grep -qw "${bsp% }" ||
		fail "the BSP is not of node 0"
	# What /proc/cpuinfo shows is what node 0 owns.
	sed -n 's/^apicid[^0-9]*//p' /proc/cpuinfo | sort -n | tr '\n' ' ' \
		>"$TMP/online"
	[ "$(cat "$TMP/online")" = "$(cores_of "node 0")" ] ||
		fail "node 0 runs on $(cat "$TMP/online"), owns \
$(cores_of "node 0")"
}

# each pin has one owner
pins_once() {
	while IFS= read -r line; do
		expand "$(echo "${line#*:}" | tr -d ' ')"
	done <"$MINT/pins" | tr ' ' '\n' | grep . | sort -n >"$TMP/all"
	[ -s "$TMP/all" ] || fail "no pins"
	[ -z "$(uniq -d "$TMP/all")" ] ||
		fail "owned twice: $(uniq -d "$TMP/all")"
}

# each device has one owner
devices_once() {
	if grep -Evqx '[0-9a-z:.]+ (node [0-9]+|free)' "$MINT/devices"; then
		fail "devices: $(grep -Evx '[0-9a-z:.]+ (node [0-9]+|free)' \
			"$MINT/devices" | head -n 1)"
	fi
	twice=$(cut -d' ' -f1 "$MINT/devices" | sort | uniq -d)
	[ -z "$twice" ] || fail "owned twice: $twice"
	# What a driver of this kernel drives is nobody else's.
	for dev in /sys/bus/pci/devices/*; do
		[ -e "$dev/driver" ] || continue
		if grep "^${dev##*/} " "$MINT/devices" | grep -qv ' node 0$'; then
			fail "driven by node 0, but: \
$(grep "^${dev##*/}" "$MINT/devices")"
		fi
	done
}

# a node's files and the machine's files say the same
node_directory() {
	port=$(free_port) || skip "no free serial port to lend"
	launch 2 --mint-devices="$port"
	dir=$MINT/nodes/$node
	for file in state reason since name cpus memory devices heartbeat boots; do
		[ -e "$dir/$file" ] || fail "no nodes/$node/$file"
	done
	for file in "$dir"/*; do
		[ "${file##*/}" = stop ] || unwritable "$file"
	done
	[ "$(expand "$(cat "$dir/cpus")")" = "$(cores_of "node $node")" ] ||
		fail "cpus: $(cat "$dir/cpus")"
	# shellcheck disable=SC2046 # two words
	set -- $(owned_by "node $node")
	grep -q "$1-$2" "$dir/memory" || fail "memory: $(cat "$dir/memory")"
	[ "$(cat "$dir/devices")" = "$port" ] ||
		fail "devices: $(cat "$dir/devices"), not $port"
	[ "$(grep " node $node\$" "$MINT/devices")" = "$port node $node" ] ||
		fail "devices: $(grep " node $node\$" "$MINT/devices")"
	stop "$node" || exit 1
	[ ! -e "$dir" ] || [ "$(cat "$dir/state")" = ended ] ||
		fail "nodes/$node is still there: $(cat "$dir/state")"
}

# a word that is none of its three is an error, and ends nobody
stop_takes_one_word() {
	launch 1
	for word in "" halt poweroffs "poweroff now" 0 xxxxxxxxxxxxxxxxxxxxxxxxx; do
		if echo "$word" 2>/dev/null >"$MINT/nodes/$node/stop"; then
			fail "stop takes '$word'"
		fi
	done
	alive "$node"
}

# reading all of it again and again, while nodes come and go
read_while_launching() {
	(
		while [ ! -e "$TMP/enough" ]; do
			find "$MINT" -type f ! -name stop -exec cat {} + \
				>/dev/null 2>&1
		done
	) &
	reader=$!
	for _ in 1 2 3; do
		(launch 1 && stop "$node") || {
			: >"$TMP/enough"
			wait "$reader"
			fail "a launch failed while sysfs was read"
		}
	done
	: >"$TMP/enough"
	wait "$reader"
}

run_tests version read_only cores_once pins_once devices_once node_directory \
	stop_takes_one_word read_while_launching
