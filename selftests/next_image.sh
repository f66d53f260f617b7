#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A successor's own reboot into another image: kexec --mint-reboot.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # run_tests calls the tests by name
. "$(dirname "$0")/functions.sh"
need_mint

MINT_SIZE=320

# rebooted <node>: it runs, and not for the first time
rebooted() {
	[ "$(boots "$1")" -gt 1 ] && in_state "$1" running
}

# boot_twice <<script: a node whose first boot runs the script, beside which it
# finds what is needed to load another image; wait for its second boot
boot_twice() {
	cat >"$TMP/first"
	cat >"$TMP/each" <<-'END'
		self=$(cat /sys/kernel/mint/node)
		[ "$(cat /sys/kernel/mint/nodes/$self/boots)" = 1 ] || exit 0
		sh /test/first
	END
	cp "$MINT_KERNEL" "$TMP/image"
	cp "$MINT_INITRD" "$TMP/next"
	initrd_with "$TMP/first" "$TMP/each" "$TMP/image" "$TMP/next"
	resources 1
	cmdline="maxcpus=1 mint.test=/test/each" start
	loop_until 120 rebooted "$node" ||
		fail "node $node is $(state "$node"), boots $(boots "$node"): $(reason "$node")"
	alive "$node"
}

another_image() {
	need_cores 1
	boot_twice <<-'END'
		kexec --mint-reboot --initrd=/test/next \
			--command-line="maxcpus=1 mint.mark=second" \
			/test/image || exit
		reboot -f
	END
	loop_until 30 grep -q "mint.mark=second" "$MINT/nodes/$node/log" ||
		fail "it is not the second image that runs"
}

# What is refused leaves the image that is kept as it was: the node reboots
# into it.
refused_in_successor() {
	need_cores 1
	boot_twice <<-'END'
		head -c 100000 /test/image >/test/cut
		for options in "" "--mint-cpu=1 -l --mem-min=16M --mem-max=64M" \
			"--mint-reboot -e" "--mint-reboot --mint-cpus=1" \
			"--mint-reboot --command-line=mint.devices=com1" \
			"--mint-reboot --command-line=mint.links=none" \
			"--mint-reboot --mem-min=16M --mem-max=64M"; do
			if kexec $options /test/image; then
				echo "not refused: $options"
				exec poweroff -f
			fi
		done
		if kexec --mint-reboot /test/cut; then
			exec poweroff -f
		fi
		reboot -f
	END
}

refused_in_node_0() {
	refused "--mint-reboot" "successors" "node 0" \
		"$MINT_KEXEC" --mint-reboot --mem-min=64M --mem-max=512M \
		--initrd="$MINT_INITRD" "$MINT_KERNEL"
}

run_tests another_image refused_in_successor refused_in_node_0
