#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Malformed mint.* parameters: reported in the log with the text, and the
# kernel goes on with what is valid.
#
# node 0: MINT_BAD lists, separated by blanks, the malformed parts of its
# command line; a machine without such parts skips that test.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # run_tests calls the tests by name
. "$(dirname "$0")/functions.sh"
need_mint

# every malformed part of the own command line is in the log
node0_reports() {
	[ -n "${MINT_BAD:-}" ] || skip "no malformed parameter (MINT_BAD)"
	for part in $MINT_BAD; do
		grep -qF -- "$part" /proc/cmdline ||
			fail "$part is not on the command line"
		dmesg | grep 'mint' | grep -v 'Command line' |
			grep -v 'Kernel command line' | grep -qF -- "'$part'" ||
			fail "$part is not reported"
	done
}

# the ranges of mint.mem= that are well-formed are node 0's
node0_goes_on() {
	line=$(tr ' ' '\n' </proc/cmdline | sed -n 's/^mint\.mem=//p' |
		tail -n 1)
	count=0
	for part in $(echo "$line" | tr ',' ' '); do
		echo "$part" | grep -Eqx '[0-9]+[MG]@[0-9]+[MG]?' || continue
		size=${part%@*}
		start=${part#*@}
		case $start in
		*G)
			start=$((${start%G} * 1024))
			;;
		*M)
			start=${start%M}
			;;
		*)
			start=$((start / MIB))
			;;
		esac
		case $size in
		*G)
			size=$((${size%G} * 1024))
			;;
		*)
			size=${size%M}
			;;
		esac
		# Its middle is a good place to ask whose it is.
		belongs $(((start + size / 2) * MIB)) "node 0" ||
			fail "the middle of $part is not of node 0"
		count=$((count + 1))
	done
	[ "$count" -gt 0 ] || skip "no mint.mem= on the command line"
}

# belongs <address> <owner>: it does
belongs() {
	owned_by "$2" >"$TMP/ranges"
	while read -r first last; do
		if [ "$1" -ge $((first)) ] && [ "$1" -le $((last)) ]; then
			return 0
		fi
	done <"$TMP/ranges"
	return 1
}

# a launch with a malformed parameter is refused, with the text
refused_parameter() {
	resources 1
	cmdline="maxcpus=1 $1" refused "$2" "mint\.|maxcpus" "$3" try
}

bad_memory() {
	refused_parameter "mint.mem=64M" "'64M'" "size.*start"
	refused_parameter "mint.mem=,,@" "mint.mem" "size.*start"
	refused_parameter "mint.mem=1@1" "'1@1'" "size.*start"
	refused_parameter "mint.mem=64M@0xzz" "'64M@0xzz'" "size.*start"
	refused_parameter "mint.mem=0xfffffffffffff000@0x2000" \
		"0xfffffffffffff000@0x2000" "size.*start"
}

bad_cores() {
	resources 1
	refused_parameter "mint.cpus=$boot,x" "'x'" "APIC ID"
	refused_parameter "mint.cpus=3-1" "'3-1'" "APIC ID"
	refused_parameter "mint.cpus=99999999999" "'99999999999'" "APIC ID"
	refused_parameter "mint.cpus=0-4294967295" "0-4294967295" "APIC ID"
}

bad_maxcpus() {
	resources 1
	cmdline="maxcpus=many" refused "maxcpus" "many" "number" try
}

bad_devices() {
	refused_parameter "mint.devices=fax" "'fax'" "com1|dev"
	refused_parameter "mint.devices=00:zz.9" "'00:zz.9'" "com1|dev"
	refused_parameter "mint.devices=00:1f.8" "'00:1f.8'" "com1|dev"
	refused_parameter "mint.devices=com5" "'com5'" "com1|dev"
}

# A parameter of Mint that does not exist is an ordinary unknown parameter.
unknown_parameter() {
	more="mint.nonsense=1" launch 1
}

# bad_time <parameter> <least> <most>: a time in ms has bounds; to write another one is
# an error, which the log names, and changes nothing.
bad_time() {
	was=$(parameter "$1")
	for value in 0 $(($2 - 1)) $(($3 + 1)) 4294967295 4294967296 -1 soon; do
		mark_log time
		if parameter "$1" "$value" 2>/dev/null; then
			parameter "$1" "$was"
			fail "$1 takes $value"
		fi
		[ "$(parameter "$1")" = "$was" ] ||
			fail "$1 is $(parameter "$1"), was $was"
		said_since time | grep -q "mint.$1=: '$value' ignored" ||
			fail "the log does not say that $value is ignored"
	done
	for value in "$2" "$3" "$was"; do
		parameter "$1" "$value" || fail "$1 does not take $value"
		[ "$(parameter "$1")" = "$value" ] ||
			fail "$1 is $(parameter "$1"), not $value"
	done
}

bad_times() {
	bad_time ask_ms 1000 3600000
	bad_time move_ms 1000 3600000
	bad_time lost_ms 100 3600000
	bad_time start_ms 1000 3600000
}

# Another mint.mem= range than --mem-min gives is added to it.
more_memory() {
	resources 1
	# shellcheck disable=SC2046 # two words
	set -- $(free_memory $((MINT_SIZE + 32)))
	[ $# = 2 ] || skip "needs $((MINT_SIZE + 32)) MiB in one piece"
	min=$1
	max=$(printf '0x%x' $((min + MINT_SIZE * MIB - 1)))
	more=$(printf '32M@0x%x' $((max + 1)))
	cmdline="maxcpus=1 mint.mem=$more" start
	runs "$node"
	belongs $((max + 1)) "node $node" ||
		fail "node $node does not own $more: $(owned_by "node $node")"
}

run_tests node0_reports node0_goes_on bad_memory bad_cores bad_maxcpus \
	bad_devices bad_times unknown_parameter more_memory
