#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# PCI functions: who may have them. Needs a function behind a port, which a
# successor gets; which it is does not matter.

# shellcheck source-path=SCRIPTDIR disable=SC2317,SC3043
. "$(dirname "$0")/functions.sh"
need_mint

pci=/sys/bus/pci/devices

# driver_of <function>: the name of its driver, nothing without one
driver_of() {
	readlink "$pci/$1/driver" | sed 's/.*\///'
}

# take_off <function>: unbind its driver, remember that for put_back
take_off() {
	local driver

	driver=$(driver_of "$1")
	[ -n "$driver" ] || return 0
	echo "$1 $driver" >>"$TMP/taken"
	echo "$1" >"$pci/$1/driver/unbind"
}

# put_back: the drivers that take_off unbound, last one first
put_back() {
	local function driver

	[ -e "$TMP/taken" ] || return 0
	sed '1!G;h;$!d' "$TMP/taken" | while read -r function driver; do
		echo >"$pci/$function/driver_override"
		[ -z "$(driver_of "$function")" ] ||
			echo "$function" >"$pci/$function/driver/unbind"
		echo "$function" >"/sys/bus/pci/drivers/$driver/bind"
	done
	rm "$TMP/taken"
}

# Find $function, which is behind the port $port.
find_function() {
	local path

	for path in "$pci"/*; do
		function=${path##*/}
		port=$(readlink -f "$path")
		port=${port%/*}
		port=${port##*/}
		case $port in
		*:*:*.*)
			case $(cat "$path/class") in
			0x06*)
				;;
			*)
				return 0
				;;
			esac
			;;
		esac
	done
	skip "no function behind a port"
}

# with_function <command>...: run it with $function free, then put it back
with_function() {
	local rc

	find_function
	(
		take_off "$function"
		"$@"
	)
	rc=$?
	end_since "$TMP/nodes.before" || rc=1
	put_back
	[ "$rc" = 0 ] || exit "$rc"
}

# A successor has it; node 0 cannot bind it, and nobody else gets it.
lent_function() {
	with_function lent_function_free
}

lent_function_free() {
	launch 1 --mint-devices="$function"
	other=$node
	[ "$(cat "$pci/$function/mint_node")" = "$node" ] ||
		fail "$function is not marked: $(cat "$pci/$function/mint_node")"
	echo "$function" >/sys/bus/pci/drivers_probe
	[ -z "$(driver_of "$function")" ] ||
		fail "$(driver_of "$function") of node 0 drives what is lent"
	refused_devices "$function" "${function#0000:}" "node $other" "end that"
	stop "$other"
	[ ! -e "$pci/$function/mint_node" ] || fail "it is still marked"
}

# The same, as all that is behind its port
below_port() {
	with_function below_port_free
}

below_port_free() {
	launch 1 --mint-devices="$port/*"
	grep -q "$function" "$MINT/nodes/$node/devices" ||
		fail "it has: $(cat "$MINT/nodes/$node/devices")"
	dmesg | tail -n 50 | grep -q "$function: lent to node $node, bus master off, reset: " ||
		fail "the log does not say how it was reset"
}

# A bridge above that a driver of node 0 has for itself
unshared_bridge() {
	with_function unshared_bridge_free
}

unshared_bridge_free() {
	[ -d /sys/bus/pci/drivers/pci-stub ] || skip "no pci-stub"
	take_off "$port"
	echo pci-stub >"$pci/$port/driver_override"
	echo "$port" >/sys/bus/pci/drivers_probe
	[ "$(driver_of "$port")" = pci-stub ] || fail "$port is not bound"
	refused_devices "$function" "${function#0000:}" "$port|pci-stub" "unbind"
}

named_twice() {
	with_function named_twice_free
}

named_twice_free() {
	refused_devices "$function,${function%.*}" "${function#0000:}" \
		"is named" "twice\$"
}

empty_slot() {
	refused_devices 7f:1e "7f:1e" "no function on this machine" "lspci"
	refused_devices "7f:1e.0/*" "7f:1e.0/\*" "no function on this machine" \
		"lspci"
}

run_tests lent_function below_port unshared_bridge named_twice empty_slot
