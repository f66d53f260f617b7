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

# What kexec says once it has asked the kernel: it found nothing wrong itself
asked="no kexec_load|lacks CAP_SYS_BOOT|needs root|kexec_load:"

# refuse <name> <expression> <arguments of kexec..>, or sh and its arguments: it
# fails, with one line that matches
refuse()
{
	name=$1
	text=$2
	shift 2
	count=$((count + 1))
	if [ "$1" = sh ]; then
		out=$("$@" 2>&1)
	else
		out=$("$kexec" "$@" 2>&1)
	fi
	status=$?
	if [ $status -eq 1 ] && echo "$out" | grep -qE -- "$text" &&
		[ "$(echo "$out" | wc -l)" = 1 ]; then
		echo "ok $count $name"
		return
	fi
	echo "# status $status: $out"
	echo "not ok $count $name"
	failed=1
}

# composed <name> <command line> <text>: with --mint-cpus=1-2 the node gets this line
composed()
{
	refuse "$1" "^mint: command-line=$3\$" sh -c '
		"$@" 2>&1 | grep "^mint: command-line="
		exit 1' sh "$kexec" -d $c $range --mint-cpus=1-2 \
		"--command-line=$2" "$image"
}

# word <file> <offset> <bytes>: a little-endian number in it
word()
{
	od -An -tu"$3" -j"$2" -N"$3" "$1" | tr -d ' '
}

# patch <file> <offset> <octal bytes>: write these there
patch()
{
	# shellcheck disable=SC2059 # the bytes are escapes
	printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

# damaged <name> <text> <offset> <octal bytes>: refused although nobody looks
# at the checksum
damaged()
{
	cp "$image" $tmp/damaged
	patch $tmp/damaged "$3" "$4"
	refuse "image_$1" "$2" $c $range --mint-no-checksum $tmp/damaged
}

# What the start believes, field by field, and the checksum for all else
image_tests()
{
	damaged setup_sects "damaged or cut short|no Mint" $((0x1f1)) '\001'
	damaged syssize "(syssize)" $((0x1f4)) '\377\377\377\377'
	damaged boot_flag "no kernel image" $((0x1fe)) '\0'
	damaged jump "(jump)" $((0x201)) '\020'
	damaged magic "no kernel image" $((0x202)) '\0'
	damaged version "(version)" $((0x207)) '\177'
	damaged version_old "64-bit kernels" $((0x207)) '\0'
	damaged loadflags "(loadflags)" $((0x211)) '\0'
	damaged code32_start "(code32_start)" $((0x216)) '\021'
	damaged alignment "(kernel_alignment)" $((0x230)) '\020\0\0'
	damaged alignment_none "(kernel_alignment)" $((0x232)) '\0'
	damaged relocatable "not relocatable" $((0x234)) '\0'
	damaged min_alignment "(kernel_alignment)" $((0x235)) '\014'
	damaged xloadflags "64-bit kernels" $((0x236)) '\0'
	damaged levels "(xloadflags)" $((0x236)) '\003'
	damaged cmdline_size "(cmdline_size)" $((0x238)) '\0\0'
	damaged subarch "(hardware_subarch)" $((0x23c)) '\004'
	damaged payload "(payload_offset)" $((0x248)) '\0\0'
	damaged payload_length "(payload_offset)" $((0x24f)) '\177'
	damaged setup_data "(setup_data)" $((0x250)) '\001'
	damaged pref_address "(pref_address)" $((0x258)) '\001'
	damaged init_size "(init_size)" $((0x262)) '\001\0'
	damaged handover "(handover_offset)" $((0x267)) '\177'
	damaged kernel_info "no Mint" $((0x268)) '\0\0\0'

	cp "$image" $tmp/damaged
	refuse checksum_right "$asked" $c $range $tmp/damaged
	patch $tmp/damaged 4000000 "\\$(printf %o $((~$(word "$image" 4000000 1) & 255)))"
	refuse checksum_wrong "CRC-32.*--mint-no-checksum" $c $range $tmp/damaged
	refuse checksum_ignored "$asked" $c $range --mint-no-checksum $tmp/damaged
	signed
	rm $tmp/damaged
	cut_while_mapped
	written_while_mapped
}

# A signature behind the image, of which two fields in the PE header tell
signed()
{
	pe=$(word "$image" $((0x3c)) 4)
	cp "$image" $tmp/damaged
	head -c 1024 "$image" >>$tmp/damaged
	patch $tmp/damaged $((pe + 24 + 64)) '\001\002\003\004'
	patch $tmp/damaged $((pe + 24 + 112 + 32)) '\001\002\003\004\0\004'
	refuse checksum_signed "$asked" $c $range $tmp/damaged
	patch $tmp/damaged $((pe + 24 + 65)) "\\$(printf %o \
		$((~$(word $tmp/damaged 5000 1) & 255)))"
	patch $tmp/damaged 5000 "\\$(printf %o $((~$(word "$image" 5000 1) & 255)))"
	refuse checksum_signed_wrong "CRC-32" $c $range $tmp/damaged
}

# while_mapped <name> <expression> <command>...: the list goes on when kexec has
# mapped the image and looked at its checksum, and the command was run by then
while_mapped()
{
	name=$1
	text=$2
	shift 2
	cp "$image" $tmp/mapped
	mkfifo $tmp/fifo
	"$kexec" --mint-list=- $tmp/mapped <$tmp/fifo >$tmp/out 2>&1 &
	pid=$!
	exec 3>$tmp/fifo
	# More than a pipe holds: all of it is written when kexec reads the list
	(trap '' PIPE; printf '#%200000s\n' x 2>/dev/null >&3)
	"$@"
	(trap '' PIPE; echo "$c $range" 2>/dev/null >&3)
	exec 3>&-
	wait $pid
	echo $? >$tmp/status
	refuse "$name" "$text" sh -c "cat $tmp/out; exit $(cat $tmp/status)"
	rm $tmp/mapped $tmp/fifo
}

cut_while_mapped()
{
	while_mapped cut_while_mapped "mapped: the file became shorter" \
		truncate -s 0 $tmp/mapped
}

# Its checksum was right when the list was waited for
written_while_mapped()
{
	while_mapped written_while_mapped "mapped: the file was written to" \
		patch $tmp/mapped 4000000 '\001\002\003\004'
}

# own_memory <name> <text>: what --mint-reboot takes for this node's memory
own_memory()
{
	printf '%s\n' "00001000-0009ffff : System RAM" \
		"00100000-00ffffff : System RAM" \
		"  00200000-007fffff : Kernel code" \
		"40000000-407fffff : System RAM" \
		"48000000-57ffffff : System RAM (mint)" >$tmp/iomem
	mount --bind $tmp/iomem /proc/iomem || return
	refuse "$1" "$2" --mint-reboot "$image"
	umount /proc/iomem
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
refuse no_page "0x100001-0x100ffe has no whole page" $c --mem-min=0x100001 \
	--mem-max=0x100ffe "$image"
refuse no_page_last "has no whole page" $c --mem-min=0xfffffffffffff001 \
	--mem-max=0xffffffffffffffff "$image"
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
refuse file_empty "^kexec: .*: the file is empty" $c $range /sys/kernel/mint/version
refuse file_directory "^kexec: /: Is a directory" $c $range /
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
# A fault in a list is found before any of its lines is acted on
printf '%s\n%s\n%s\n' "$c $range" "# none" "$c $range --mint-name=\"a" >$tmp/list
refuse list_quote "line 3: a quote is not closed.*nothing was launched" \
	--mint-list=$tmp/list $tmp/noise
yes x | head -n 70 | tr '\n' ' ' >$tmp/list
refuse list_long "line 1 has more than 64 words" --mint-list=$tmp/list $tmp/noise
echo "# nothing" >$tmp/list
refuse list_empty "no node in this list" --mint-list=$tmp/list $tmp/noise
refuse list_missing "No such file" --mint-list=$tmp/none $tmp/noise
refuse list_no_file "Is a directory" --mint-list=/ $tmp/noise
if [ "$image" != /dev/zero ]; then
	head -c 3000000 "$image" > $tmp/cut
	refuse image_cut "damaged or cut short" $c $range $tmp/cut
	refuse too_small "raise --mem-max" $c --mem-min=1G --mem-max=0x401fffff "$image"
	refuse line_long "do not fit" $c $range \
		"--command-line=$(printf '%2048s' x)" "$image"
	: > $tmp/empty
	refuse initrd_empty "^kexec: .*empty: the file is empty" $c $range --initrd=$tmp/empty "$image"
	refuse initrd_missing "No such file" $c $range --initrd=$tmp/x "$image"
	refuse initrd_directory "^kexec: /: Is a directory" $c $range --initrd=/ "$image"
	# The kernel reads no further than to "--", and takes a quote to its end
	composed line "quiet x=\"a -- b\"" "quiet x=\"a -- b\" mint.cpus=1-2"
	composed line_none "" " mint.cpus=1-2"
	composed line_init "quiet -- single" "quiet mint.cpus=1-2 -- single"
	composed line_init_alone "-- single" "mint.cpus=1-2 -- single"
	refuse line_quote "quote is not closed, --mint-cpus would be" $c $range \
		--mint-cpus=1-2 '--command-line=quiet x="a b' "$image"
	own_memory own_memory "memory 0x100000-0xffffff .15 MiB. is too small"
	image_tests
fi
echo "1..$count"
exit $failed
