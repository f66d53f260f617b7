# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# What a node does with the functions that move_pci.sh moves. It is read by a
# shell of that node, node 0 among them. Functions are named as in sysfs.

pci=/sys/bus/pci/devices
# wait_for <command>...: until it succeeds, for 20 seconds
wait_for() {
	i=0
	until "$@"; do
		i=$((i + 1))
		[ $i -lt 400 ] || return 1
		usleep 50000
	done
}
# found <class> <function>: the name of what is below it
found() {
	for e in "/sys/class/$1"/*; do
		case $(readlink -f "$e") in
		*/$2/*)
			echo "${e##*/}"
			return
			;;
		esac
	done
	return 1
}
# there <class> <function>: is there any?
there() { found "$@" >/dev/null; }
# card <function> <address>: give it one; it is up
card() {
	wait_for there net "$1" && c=$(found net "$1") &&
		ip addr flush dev "$c" && ip addr add "$2/24" dev "$c" &&
		ip link set "$c" up
}
# fetch <address>: what node 0 offers there, until the link is up
fetch() {
	wait_for ping -c 1 -W 1 "$1" >/dev/null 2>&1
	wget -q -T 20 -O - "http://$1/data" | md5sum
}
# traffic <address>: for ever, in the background
traffic() {
	wait_for ping -c 1 -W 1 "$1" >/dev/null || return 1
	(while :; do wget -q -T 5 -O /dev/null "http://$1/data"; done) \
		</dev/null >/dev/null 2>&1 &
}
# received <function>: bytes
received() { cat "/sys/class/net/$(found net "$1")/statistics/rx_bytes"; }
# node <function>: its disk
node() { wait_for there block "$1" && echo "/dev/$(found block "$1")"; }
# make <function>: a file system with a file on its disk; it stays mounted
make() {
	n=$(node "$1") && mke2fs "$n" >/dev/null && mkdir -p /tmp/m &&
		mount -t ext4 "$n" /tmp/m &&
		dd if=/dev/urandom of=/tmp/m/file bs=1M count="$2" 2>/dev/null &&
		sync && md5sum </tmp/m/file
}
# check <function>: what the file has; it stays mounted
check() {
	n=$(node "$1") && mkdir -p /tmp/m && mount -t ext4 "$n" /tmp/m &&
		md5sum </tmp/m/file
}
# release: unmount it
release() { umount /tmp/m; }
# driver <function>: the name of its driver
driver() { readlink "$pci/$1/driver" | sed 's/.*\///'; }
# has <function>: is it there, and who drives it
has() { [ -e "$pci/$1" ] && echo "there: $(driver "$1")" || echo "not there"; }
# vectors <name>: MSIs of interrupts with that name
vectors() { grep -c "PCI-MSI.*$1" /proc/interrupts; }
# strangers: interrupts of devices, and those that nobody expected; of a node that
# has no device
strangers() {
	awk '/PCI-MSI|IO-APIC/ { for (i = 2; $i ~ /^[0-9]+$/; i++) msi += $i }
		/^ *(ERR|MIS|SPU):/ { odd += $2 }
		END { print msi + 0, odd + 0 }' /proc/interrupts
}
