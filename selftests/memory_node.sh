#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What a successor does whose memory moves; move_memory.sh puts it into the
# initrd as /test/memory_node.sh. It says in its kernel's log how much memory it
# has, each time that changes.
#
#   memory.fill=<MiB>	once it has more than it booted with, put a text into so
#			many MiB of files, and say again and again whether it is
#			still there
#   memory.pin=<MiB>	once it has more, hold pages of so many MiB
#   memory.stress	run stress-ng, if the initrd has it
#   memory.reboot	once it has more, reboot, but in the first boot only

export PATH=/sbin:/bin:/usr/sbin:/usr/bin
MINT=/sys/kernel/mint

fill=0
pin=0
reboot=
read -r line </proc/cmdline
for word in $line; do
	case $word in
	memory.fill=*)
		fill=${word#*=}
		;;
	memory.pin=*)
		pin=${word#*=}
		;;
	memory.stress)
		command -v stress-ng >/dev/null && sh /test/stress_node.sh &
		;;
	memory.reboot)
		reboot=1
		;;
	esac
done

tell() {
	echo "<5>memory_node: $*" >/dev/kmsg
}

# total: put MemTotal into $now, KiB. It is the first line; sed would need a process.
total() {
	read -r _ now _ </proc/meminfo
}

# once_more: what is asked for when there is more memory than at the start
once_more() {
	if [ -n "$reboot" ] &&
		[ "$(cat "$MINT/nodes/$(cat "$MINT/node")/boots")" = 1 ]; then
		/bin/busybox reboot -f
	fi
	if [ "$fill" != 0 ]; then
		yes "memory of a node" | head -c "$((fill * 1048576))" >/tmp/text
		sum=$(cksum </tmp/text)
		tell "filled"
	fi
	if [ "$pin" != 0 ]; then
		mkfifo /tmp/pinned
		/test/pin_pages "$pin" >/tmp/pinned &
		read -r word </tmp/pinned
		tell "$word"
	fi
}

total
first=$now
last=0
more=
looks=0
# A pause without a process: "read -t" of a pipe into which nobody writes
mkfifo /tmp/never
exec 8<>/tmp/never
while :; do
	total
	if [ "$now" != "$last" ]; then
		tell "total $now"
		last=$now
	fi
	if [ -z "$more" ] && [ "$now" -gt "$first" ]; then
		more=1
		once_more
	fi
	if [ -e /tmp/text ]; then
		looks=$((looks + 1))
		if [ "$(cksum </tmp/text)" = "$sum" ]; then
			tell "intact $looks"
		else
			tell "damaged"
		fi
	fi
	# shellcheck disable=SC3045 # BusyBox has -t
	read -r -t 0.1 _ <&8
done
