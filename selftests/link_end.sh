#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The links of a node, set up as docs/links.md has it. links.sh runs it in node 0
# as "link_end.sh once" and puts it into the initrd of successors, where it is
# mint.test=: there it goes on to look for new links, and serves
#
#	port 7	a shell: commands come in, what they print goes out
#	port 8	md5sum of what comes in

export PATH=/sbin:/bin:/usr/sbin:/usr/bin

read -r self </sys/kernel/mint/node

# shellcheck disable=SC3043 # BusyBox ash has "local"
# set_up: all links that are there and down. Many nodes look again and again, so
# nothing is forked for a look.
set_up() {
	local dev peer flags

	for dev in /sys/class/net/mint*; do
		[ -e "$dev" ] || continue
		peer=${dev##*/mint}
		read -r flags <"$dev/flags" || continue
		# IFF_UP
		[ $((flags & 1)) = 0 ] || continue
		# The lower number has .1, the higher one .2.
		if [ "$self" -lt "$peer" ]; then
			ip addr add "10.$self.$peer.1/30" dev "mint$peer"
		else
			ip addr add "10.$peer.$self.2/30" dev "mint$peer"
		fi
		ip link set "mint$peer" up
	done
} 2>/dev/null

ip link set lo up
if [ "$1" = once ]; then
	set_up
	exit 0
fi
nc -ll -p 7 -e /bin/sh &
nc -ll -p 8 -e md5sum &
# A pause without a process: "read -t" of a pipe into which nobody writes
mkfifo /tmp/never
exec 8<>/tmp/never
while :; do
	set_up
	# shellcheck disable=SC3045 # BusyBox has -t
	read -r -t 0.1 _ <&8
done
