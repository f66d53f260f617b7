#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What a successor does while things of it move, if its initrd has stress-ng:
# move.sh and move_memory.sh put it into the initrd as /test/stress_node.sh, and
# `make soak` has stress-ng there. Its workers compute and fill memory, and look
# whether what they find is what they wrote. It says in the kernel's log that they
# run, and that they have ended, which they do only for a failure: the node ends then,
# too, and nobody else's lines push that one out of its log.

export PATH=/sbin:/bin:/usr/sbin:/usr/bin

tell() {
	echo "<5>stress_node: $*" >/dev/kmsg
}

tell "runs"
stress-ng --cpu 3 --vm 1 --vm-bytes 24M --vm-keep --verify --timeout 0 \
	>/tmp/stress.out 2>&1
tell "ended, status $?: $(grep -E 'fail|error' /tmp/stress.out | head -n 3 | tr '\n' ' ')"
exec /bin/busybox poweroff -f
