#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What a successor does to itself, as its command line says; ends.sh and others
# put it into the initrd as /test/way.sh. It serves as mint.test= and as init.
#
#   way=<word>		see below
#   way.load=<cores>	first make all of so many cores busy, and a device
#   way.boots=<n>	do it in the first n boots, by default in the first

export PATH=/sbin:/bin:/usr/sbin:/usr/bin
MINT=/sys/kernel/mint
DEBUG=/sys/kernel/debug

# Nothing is mounted if this is init.
if [ ! -e /proc/cmdline ]; then
	mount -t proc none /proc
	mount -t sysfs none /sys
	mount -t devtmpfs none /dev
	mount -t tmpfs none /tmp
	mount -t debugfs none "$DEBUG"
fi

way=
load=0
boots=1
read -r line </proc/cmdline
for word in $line; do
	case $word in
	way=*)
		way=${word#*=}
		;;
	way.load=*)
		load=${word#*=}
		;;
	way.boots=*)
		boots=${word#*=}
		;;
	esac
done
if [ "$(cat "$MINT/nodes/$(cat "$MINT/node")/boots")" -gt "$boots" ]; then
	echo "way.sh: the year is $(date +%Y)" >/dev/kmsg
	exit 0
fi

# keep_busy <core>: never idle, and as often in the kernel as not
keep_busy() {
	while :; do
		dd if=/dev/urandom of="/tmp/load.$1" bs=4k count=16 2>/dev/null
	done
}

# Interrupts of a device: one for every few bytes that leave by COM2. Tells the
# reader of fd 3 when it is under way.
keep_sending() {
	count=0
	while :; do
		echo "load $count"
		count=$((count + 1))
		[ $count != 5 ] || echo >&3
	done >/dev/ttyS1
	# There is no such device.
	echo >&3
}

if [ "$load" != 0 ]; then
	core=0
	while [ $core -lt "$load" ]; do
		keep_busy $core &
		taskset -pc $core $! >/dev/null
		core=$((core + 1))
	done
	[ "$load" = 1 ] || /test/tlb_storm 3600000 >/dev/null &
	mkfifo /tmp/loaded
	exec 3<>/tmp/loaded
	keep_sending &
	# shellcheck disable=SC3045 # BusyBox has -t
	read -r -t 30 _ <&3
	exec 3<&-
fi

# The last core of this node
last=$(($(nproc) - 1))

case $way in
poweroff | halt | reboot)
	"$way"
	;;
poweroff_f | halt_f | reboot_f)
	/bin/busybox "${way%_f}" -f
	;;
new_year)
	# This kernel's clock is set, and the next one has it
	date -s "2041-06-01 12:00:00" >/dev/null
	/bin/busybox reboot -f
	;;
sysrq_*)
	echo "${way#sysrq_}" >/proc/sysrq-trigger
	;;
exit)
	exit 0
	;;
oops)
	# Who writes this dies, nobody else: only then power off.
	(echo oops >"$DEBUG/mint/provoke")
	dmesg | grep -q 'Oops: ' && /bin/busybox poweroff -f
	/bin/busybox halt -f
	;;
kexec_e)
	kexec -l --reuse-cmdline /test/bzImage && kexec -e
	;;
hang_one)
	echo "hang $last" >"$DEBUG/mint/provoke"
	;;
hang_all)
	echo "hang 0-$last" >"$DEBUG/mint/provoke"
	;;
deaf)
	echo "nmi $last" >"$DEBUG/mint/provoke"
	;;
deaf_panic)
	# On another core than the one that does not park
	taskset -pc 0 $$ >/dev/null
	echo "nmi $last" >"$DEBUG/mint/provoke"
	echo c >/proc/sysrq-trigger
	;;
erase)
	echo erase >"$DEBUG/mint/provoke"
	echo "way.sh: erased" >/dev/kmsg
	;;
scribble:* | hold:* | die:*)
	echo "<5>way: $way" >/dev/kmsg
	echo "$way" | tr ':' ' ' >"$DEBUG/mint/provoke"
	grep ': taken' "$DEBUG/mint/locks" | sed 's/^/<5>way: /' >/dev/kmsg
	;;
esac
