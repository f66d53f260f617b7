#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Refusals: each names the resource, its owner and the remedy on one line,
# ends kexec with an error, and leaves everything as it was: cores, memory,
# devices, pins, /proc/iomem, the online mask, and a successor that runs.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # run_tests calls the tests by name
. "$(dirname "$0")/functions.sh"
need_mint

bsp() {
	bsp=$(cores_of bsp)
	bsp=${bsp% }
	resources 1
	boot=$bsp
	refused "APIC ID $bsp" "BSP, on which node 0 runs" "choose one that" try
}

online_core() {
	for id in $(cores_of "node 0"); do
		cores_of bsp | grep -qw "$id" || other=$id
	done
	[ -n "${other:-}" ] || skip "node 0 has one core: boot with maxcpus=2"
	resources 1
	boot=$other
	refused "APIC ID $other" "node 0, which is online" "echo 0" try
}

lent_core() {
	id=$(cores_of "node $lodger")
	resources 1
	boot=${id% }
	refused "APIC ID $boot" "node $lodger" "end that node first" try
}

lent_core_in_list() {
	id=$(cores_of "node $lodger")
	resources 1
	refused "APIC ID ${id% }" "node $lodger" "end that node first" \
		try --mint-cpus="$boot,${id% }"
}

absent_core() {
	resources 1
	boot=4242
	refused "APIC ID 4242" "does not exist" "see /sys/kernel/mint/cores" try
}

memory_of_node0() {
	resources 1
	# shellcheck disable=SC2046 # two words a line
	set -- $(owned_by "node 0" | tail -n 1)
	min=$(printf '0x%x' $(($2 + 1 - MINT_SIZE * MIB)))
	max=$(printf '0x%x' $(($2)))
	refused "memory $min-$max" "node 0" "use a range outside of mint\.mem" try
}

memory_of_successor() {
	# shellcheck disable=SC2046 # two words
	set -- $(owned_by "node $lodger")
	resources 1
	min=$1
	max=$2
	refused "0x[0-9a-f]+" "node $lodger" "end that node first" try
}

# one page too many at the start
memory_overlaps_successor() {
	# shellcheck disable=SC2046 # two words
	set -- $(owned_by "node $lodger")
	resources 1
	min=$(printf "0x%x" $(($2 + 1 - 4096)))
	max=$(printf '0x%x' $(($2 + MINT_SIZE * MIB - 1)))
	refused "0x[0-9a-f]+" "node $lodger" "end that node first" try
}

common_area() {
	# shellcheck disable=SC2046 # two words
	set -- $(owned_by "common area" | tail -n 1)
	resources 1
	min=$1
	max=$(printf '0x%x' $((min + MINT_SIZE * MIB - 1)))
	refused "0x[0-9a-f]+" "common area" "use a range that" try
}

gateway() {
	# shellcheck disable=SC2046 # two words
	set -- $(owned_by gateway)
	resources 1
	min=$(printf '0x%x' $(($1)))
	max=$2
	refused "--mem-min=$min" "the first MiB" "cannot be given away" try
}

reserved_memory() {
	resources 1
	# shellcheck disable=SC2046 # two words a line
	set -- $(owned_by reserved | tail -n 1)
	[ $# = 2 ] || skip "the firmware reserves nothing"
	min=$1
	max=$2
	refused "0x[0-9a-f]+" "reserved|firmware" "use a range that" try
}

# What node 0 was told to leave alone (a bad DIMM) is nobody's, and for who
# lives beside it is reserved
withheld_memory() {
	# shellcheck disable=SC2016 # the dollar is the parameter's
	grep -qF 'memmap=64K$0x6c000000' /proc/cmdline ||
		skip "boot node 0 with memmap=64K\$0x6c000000"
	grep -qx '0x0*6c000000-0x0*6c00ffff reserved by node 0' "$MINT/memory" ||
		fail "$(cat "$MINT/memory")"
	resources 1
	min=0x6b000000
	max=$(printf '0x%x' $((0x6b000000 + MINT_SIZE * MIB - 1)))
	refused "0x6b000000" "reserved by node 0 at 0x6c000000" \
		"use a range" try
	max=0x6bffffff
	min=$(printf '0x%x' $((0x6c000000 - MINT_SIZE * MIB)))
	cmdline="maxcpus=1" start
	runs "$node"
	grep -q 'e820: \[mem 0x0*6c000000-.*\] reserved' \
		"$MINT/nodes/$node/log" ||
		fail "its map: $(grep 'BIOS-e820' "$MINT/nodes/$node/log")"
}

no_memory() {
	resources 1
	min=0x3f0000000000
	max=0x3f000fffffff
	refused "0x3f0000000000|0x3f000fffffff" "no memory|not exist|not in" \
		"use a range that" try
}

# too small for the image: the message says how much is needed
too_small() {
	resources 1
	max=$(printf '0x%x' $((min + 8 * MIB - 1)))
	refused "memory $min-$max \(8 MiB\)" "is too small for $MINT_KERNEL" \
		"needs at least [0-9]+ MiB; raise --mem-max" try
}

# an end before the start, and an end without a start
senseless_range() {
	resources 1
	swap=$min
	min=$max
	max=$swap
	refused "--mem-max=$max" "lies not above" "--mem-min=$min" try
}

com_of_node0() {
	grep -q '^com1 node 0' "$MINT/devices" || skip "com1 is not of node 0"
	refused_devices com1 "com1" "node 0" "mint\.devices|unbind"
}

device_of_successor() {
	[ -n "$port" ] || skip "no free serial port to lend"
	refused_devices "$port" "$port" "node $lodger" \
		"end that node first"
}

# a PCI function that a driver of node 0 drives
driven_device() {
	for dev in /sys/bus/pci/devices/*; do
		if [ -e "$dev/driver" ]; then
			driven=${dev##*/}
			break
		fi
	done
	[ -n "${driven:-}" ] || skip "no driver of node 0 drives a PCI function"
	refused_devices "$driven" "${driven#0000:}" "node 0|driver" "unbind"
}

absent_device() {
	refused_devices 7f:1e.7 "7f:1e\.7" "not exist|not on this machine" \
		"lspci|devices"
}

# bridges of any kind: to another bus, to the host, to legacy devices
bridge() {
	found=
	for dev in /sys/bus/pci/devices/*; do
		case $(cat "$dev/class") in
		0x06*)
			found=${dev##*/}
			refused_devices "$found" "${found#0000:}" \
				"bridge|driven|node 0" "name the|unbind"
			;;
		esac
	done
	[ -n "$found" ] || skip "no bridge"
}

bad_device_name() {
	refused_devices fax "fax" "devices" "com1"
}

not_an_image() {
	resources 1
	image=$TMP/image
	seq 20000 >"$image"
	refused "$image" "no kernel" "bzImage" try
}

no_such_file() {
	resources 1
	image=$TMP/absent
	refused "Cannot open .$image" "no such file" "or directory\$" try
}

truncated_image() {
	resources 1
	image=$TMP/image
	size=$(wc -c <"$MINT_KERNEL")
	head -c $((size / 2)) "$MINT_KERNEL" >"$image"
	refused "$image: " "the file is damaged or cut short" "copy or build it again" try
}

# relocatable_kernel is the byte at 0x234 of a bzImage
not_relocatable() {
	resources 1
	image=$TMP/image
	cp "$MINT_KERNEL" "$image"
	printf '\0' | dd of="$image" bs=1 seek=$((0x234)) conv=notrunc \
		2>/dev/null
	refused "$image|image" "relocatable" "CONFIG_RELOCATABLE" try
}

# the mark of a kernel with Mint, see MINT_MARKER in asm/mint.h
image_without_mint() {
	resources 1
	image=$TMP/image
	cp "$MINT_KERNEL" "$image"
	if command -v strings >/dev/null; then
		strings -t d "$image" | sed -n 's/^ *\([0-9]*\) Mint image mark.*/\1/p'
	else
		grep -abo "Mint image mark" "$image" | cut -d: -f1
	fi >"$TMP/marks"
	[ -s "$TMP/marks" ] || fail "the image has no mark"
	while read -r offset; do
		printf 'X' | dd of="$image" bs=1 seek="$offset" conv=notrunc \
			2>/dev/null
	done <"$TMP/marks"
	refused "$image|image" "no Mint" "CONFIG_MINT" try --mint-no-checksum
}

more_cores_than_free() {
	resources 1
	# shellcheck disable=SC2046 # one word for each core
	set -- $(cores_of free)
	cmdline="maxcpus=$(($# + 1))" \
		refused "cores?" "free" "maxcpus|choose|end a node" try
}

bad_core_number() {
	resources 1
	boot=one
	refused "--mint-cpu=one" "is not a" "number" try
}

long_name() {
	resources 1
	refused "mint.name=: '0+1\.\.'" "31 characters of a node's name" "shorten it" \
		try --mint-name="$(printf '%031d0' 1)"
}

start_without_load() {
	resources 1
	refused "APIC ID $boot" "nothing is loaded" "load an image first" \
		"$MINT_KEXEC" -e --mint-cpu="$boot"
}

unload_without_load() {
	resources 1
	refused "APIC ID $boot" "nothing is loaded" "load an image first" \
		"$MINT_KEXEC" -u --mint-cpu="$boot"
}

unload_running() {
	id=$(cores_of "node $lodger")
	refused "APIC ID ${id% }" "is node $lodger's, which was started" "end that node first" \
		"$MINT_KEXEC" -u --mint-cpu="${id% }"
}

not_root() {
	need_helper nobody
	resources 1
	chmod 755 "$TMP"
	refused "^--mint-cpu " "needs root" "CAP_SYS_BOOT" "$TMP/nobody" "$MINT_KEXEC" \
		--mint-cpu="$boot" --mem-min="$min" --mem-max="$max" \
		--initrd="$MINT_INITRD" --command-line=maxcpus=1 "$MINT_KERNEL"
}

# a kernel built without CONFIG_MINT has no such directory
kernel_without_mint() {
	resources 1
	cat >"$TMP/hide" <<-END
		mount -t tmpfs none $MINT
		exec "\$@"
	END
	refused "kernel" "no Mint" "CONFIG_MINT" unshare -m sh "$TMP/hide" \
		"$MINT_KEXEC" --mint-cpu="$boot" --mem-min="$min" \
		--mem-max="$max" --initrd="$MINT_INITRD" \
		--command-line=maxcpus=1 "$MINT_KERNEL"
}

# A lodger that must not notice any of this. With a serial port where one is
# free, so that there is a device to refuse.
port=
for name in com2 com3 com4; do
	grep -q "^$name " "$MINT/devices" || port=${port:-$name}
done
lodger=
lodge() {
	launch 1 ${port:+"--mint-devices=$port"}
	echo "$node" >"$TMP/lodger"
}
(lodge) >"$TMP/lodge.log" 2>&1
lodger=$(cat "$TMP/lodger" 2>/dev/null)
if [ -z "$lodger" ]; then
	cat "$TMP/lodge.log"
	echo "KTAP version 1"
	echo "1..1"
	echo "not ok 1 lodger # no successor for the others to disturb"
	exit 1
fi

run_tests bsp online_core lent_core lent_core_in_list absent_core \
	more_cores_than_free bad_core_number memory_of_node0 \
	memory_of_successor memory_overlaps_successor common_area gateway \
	reserved_memory withheld_memory no_memory too_small senseless_range \
	com_of_node0 device_of_successor driven_device absent_device bridge \
	bad_device_name long_name not_an_image no_such_file truncated_image \
	not_relocatable image_without_mint start_without_load \
	unload_without_load unload_running not_root kernel_without_mint
