#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# kexec_options: what kexec(8) refuses before it asks the kernel
#
# usage: kexec_options.sh <kexec> [<bzImage with Mint>]
#
# Runs in a mount namespace of its own, where /sys/kernel/mint is an empty
# directory, and as a user without CAP_SYS_BOOT where it can be: nothing here
# gets as far as loading. $range is two words on purpose.
#
# shellcheck disable=SC2086

if [ -z "$KEXEC_OPTIONS_NS" ] && ! unshare -rm true 2>/dev/null; then
	echo "1..0 # SKIP no user and mount namespaces here"
	exit 4
fi
[ -n "$KEXEC_OPTIONS_NS" ] ||
	exec env KEXEC_OPTIONS_NS=1 unshare -rm sh "$0" "$@"

kexec=$1
image=${2:-/dev/zero}
tmp=/sys/kernel/kexec_options
count=0
failed=0

# refuse <name> <text in the message> <arguments of kexec..>
refuse()
{
	name=$1
	text=$2
	shift 2
	count=$((count + 1))
	out=$("$kexec" "$@" 2>&1)
	status=$?
	case $out in
	*"$text"*) [ $status -eq 1 ] && echo "ok $count $name" && return ;;
	esac
	echo "# status $status: $out"
	echo "not ok $count $name"
	failed=1
}

mount -t tmpfs none /sys/kernel || { echo "1..0 # SKIP no mount namespace"; exit 4; }
mkdir -p $tmp
range="--mem-min=1G --mem-max=0x4fffffff"
c="--mint-cpu=1"

echo "TAP version 13"
refuse no_mint "this kernel has no Mint" $c $range x
mkdir -p /sys/kernel/mint
: > /sys/kernel/mint/version
for id in abc "" -1 +1 1z 0x 0x1g 1K; do
	refuse "apic_id_${id:-empty}" "is not a number" "--mint-cpu=$id" $range x
done
refuse apic_id_wide "an APIC ID has 32 bits" --mint-cpu=0x100000000 $range x
refuse no_cpu "--mint-cpu is missing" --mint-name=a $range x
refuse no_range "--mem-min and --mem-max are needed" $c x
refuse no_mem_max "--mem-min and --mem-max are needed" $c --mem-min=1G x
refuse first_mib "the first MiB cannot" $c --mem-min=0 --mem-max=1G x
refuse upside_down "lies not above" $c --mem-min=2G --mem-max=1G x
refuse too_wide "is not a number" $c --mem-min=1G --mem-max=99999999999T x
refuse no_image "no kernel image given" $c $range
refuse two_images "one image at a time" $c $range x y
refuse name_blank "without blanks and quotes" $c $range "--mint-name=a b" x
refuse name_empty "without blanks and quotes" $c $range --mint-name= x
refuse two_actions "exclude one another" -l -e $c $range x
refuse exec_image "no image" -e $c x
refuse unload_initrd "--initrd is for loading" -u $c --initrd=x
for o in --force --load-panic --kexec-file-syscall --load-preserve-context \
	 --status --reuse-cmdline --console-serial --console-vga --reset-vga; do
	refuse "with$o" "$o cannot be used with --mint-cpu" $c $range $o x
done
refuse file_missing "No such file" $c $range $tmp/missing
head -c 4096 /dev/urandom > $tmp/noise
refuse file_noise "no kernel image" $c $range $tmp/noise
head -c 100 $tmp/noise > $tmp/short
refuse file_short "damaged or cut short" $c $range $tmp/short
head -c 2000 /bin/sh > $tmp/elf
refuse file_elf_cut "damaged or cut short" $c $range $tmp/elf
refuse file_elf_other "no Mint" $c $range /bin/sh
# The notes are where the mark of a vmlinux is looked for: beyond the file here
cp /bin/sh $tmp/elf
at=64
while [ "$(od -An -tu4 -j$at -N4 $tmp/elf)" -ne 4 ]; do
	at=$((at + 56))
done
printf '\377\377\377\377' |
	dd of=$tmp/elf bs=1 seek=$((at + 8)) conv=notrunc 2>/dev/null
refuse file_elf_note "damaged or cut short" $c $range $tmp/elf
if [ "$image" != /dev/zero ]; then
	head -c 3000000 "$image" > $tmp/cut
	refuse image_cut "damaged or cut short" $c $range $tmp/cut
	refuse too_small "raise --mem-max" $c --mem-min=1G --mem-max=0x401fffff "$image"
	refuse line_long "do not fit" $c $range \
		"--command-line=$(printf '%2048s' x)" "$image"
	: > $tmp/empty
	refuse initrd_empty "Cannot read" $c $range --initrd=$tmp/empty "$image"
	refuse initrd_missing "No such file" $c $range --initrd=$tmp/x "$image"
fi
echo "1..$count"
exit $failed
