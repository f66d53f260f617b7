#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What a successor does while move.sh moves its cores: it says in its log how
# many are online, whenever that changes. As its command line says:
#
#   cpus.reboot_at=<n>	in the first boot, reboot when there are so many,
#   cpus.after=<n>	after there were so many
#   cpus.grab=<n>	after there were so many, try to get one back that is gone
#   cpus.deadline=<cpu>	a task with a deadline, so that no core can go
#   cpus.wish=<text>	ask node 0 for that move once there were as many as cpus.after,
#			with + for a blank and "self" for its own number
#   cpus.provoke=<turn>:<way>	fail at that turn of a move
#   cpus.busy=1		keep all cores busy, whatever there are; by stress-ng, if the
#			initrd has it

MINT=/sys/kernel/mint
cpus=/sys/devices/system/cpu

reboot_at='' after=0 grab='' deadline='' provoke='' busy='' wish=''
read -r line </proc/cmdline
for word in $line; do
	case $word in
	cpus.*=*)
		name=${word%%=*}
		eval "${name#cpus.}=\${word#*=}"
		;;
	esac
done

say() {
	echo "<5>cpus.sh: $*" >/dev/kmsg
}

if [ -n "$busy" ] && command -v stress-ng >/dev/null; then
	sh /test/stress_node.sh &
elif [ -n "$busy" ]; then
	for _ in 1 2 3; do
		while :; do
			:
		done &
	done
fi
[ -z "$deadline" ] || {
	# SCHED_DEADLINE's bandwidth is what the cores left could not bear
	mkfifo /tmp/deadline
	/test/deadline >/tmp/deadline &
	read -r word </tmp/deadline && say "$word"
}
[ -z "$provoke" ] || {
	echo "move ${provoke%:*} ${provoke#*:}" >/sys/kernel/debug/mint/provoke &&
		say armed
}

# count_online: $count, of the list in $online. A CPU is in it before tasks may run there,
# so nproc would be behind.
count_online() {
	count=0
	for span in $(echo "$online" | tr , ' '); do
		count=$((count + ${span#*-} - ${span%-*} + 1))
	done
}

boots=$(cat "$MINT/nodes/$(cat "$MINT/node")/boots")
last=0 seen=0 was='' count=0
# A pipe into which nobody writes: "read -t" is a pause without a process, which would
# take time from what is measured.
mkfifo /tmp/never
exec 8<>/tmp/never
while :; do
	read -r online <"$cpus/online"
	if [ "$online" != "$was" ]; then
		was=$online
		count_online
	fi
	if [ "$count" != "$last" ]; then
		say "$count"
		last=$count
		[ "$count" != "$after" ] || seen=1
		[ "$after" != 0 ] || seen=1
		if [ "$seen$count$boots" = "1${reboot_at}1" ]; then
			/bin/busybox reboot -f
		fi
		if [ -n "$wish" ] && [ "$seen" = 1 ]; then
			wish=$(echo "$wish" | sed "s/+/ /g; s/self/$(cat "$MINT/node")/")
			if echo "$wish" 2>/dev/null >"$MINT/move"; then
				say "wish granted"
			else
				say "wish refused"
			fi
			wish=
		fi
		if [ -n "$grab" ]; then
			[ "$count" != "$grab" ] || grabbing=1
			if [ "${grabbing:-}" = 1 ] && [ "$count" -lt "$grab" ]; then
				echo 1 2>/dev/null >"$cpus/cpu$((grab - 1))/online" ||
					say "grab fails"
			fi
		fi
	fi
	# shellcheck disable=SC3045 # BusyBox has -t
	read -r -t 0.05 _ <&8
done
