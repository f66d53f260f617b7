# SPDX-License-Identifier: GPL-2.0
"""How one node serves its devices by links, and how the others use them.

This file owns the commands, which docs/links.md explains: a bridge of the network
card with all links, a disk by NVMe/TCP, a directory by NFS, and a USB stick by usbip.
demo-talk and the tests run them. Who uses the bridge is in the network of QEMU's
gateway, beside the host.
"""

import functools
import http.server
import threading

# QEMU's gateway, by which the host's 127.0.0.1 is reached
HOST = "10.0.2.2"


def address(node):
    """Of a node, beside the host."""
    return "10.0.2.%d" % (20 + node)


class Page(http.server.BaseHTTPRequestHandler):
    """A page outside of the machine, the same for every path."""

    def __init__(self, parts, *args):
        self.parts = parts
        super().__init__(*args)

    def do_GET(self):  # pylint: disable=invalid-name
        """All parts, as they come; the end of the connection ends it."""
        self.send_response(200)
        self.end_headers()
        for part in self.parts():
            self.wfile.write(part)

    def log_message(self, *_args):  # pylint: disable=arguments-differ
        """Nobody reads it."""


def outside(parts):
    """Serve what parts() yields, on this host; the server."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                             functools.partial(Page, parts))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


# The bridge of the card with all links, which is the server's own device, too
BRIDGE = """
ip link add br0 type bridge
for dev in $(ls /sys/class/net); do
	case $dev in
	eth0 | mint*)
		ip link set $dev master br0
		ip link set $dev up
		;;
	esac
done
ip addr add %(address)s/24 dev br0
ip link set br0 up
"""

# Who uses it knows the disk by its UUID: by default each boot makes up another,
# and then it is another disk for those who waited for this one
UUID = "6d696e74-0000-4000-8000-000000000001"

TARGET = """
[ -d /sys/kernel/config/nvmet ] || mount -t configfs none /sys/kernel/config
cd /sys/kernel/config/nvmet
mkdir subsystems/disk
echo 1 >subsystems/disk/attr_allow_any_host
mkdir subsystems/disk/namespaces/1
echo -n %(disk)s >subsystems/disk/namespaces/1/device_path
echo %(uuid)s >subsystems/disk/namespaces/1/device_uuid
echo 1 >subsystems/disk/namespaces/1/enable
mkdir ports/1
echo tcp >ports/1/addr_trtype
echo ipv4 >ports/1/addr_adrfam
echo %(address)s >ports/1/addr_traddr
echo 4420 >ports/1/addr_trsvcid
ln -s /sys/kernel/config/nvmet/subsystems/disk ports/1/subsystems/disk
"""

# The opposite; who is connected is cut off
UNTARGET = """
cd /sys/kernel/config/nvmet
rm ports/1/subsystems/disk
rmdir ports/1
rmdir subsystems/disk/namespaces/1 subsystems/disk
"""

# The kernel's own server of NFS, version 4, told what exportfs and rpc.nfsd would have
# told it: this client may have this directory, as root, and by any port. Clients that
# were there before have ten seconds to come back.
EXPORT = r"""
mount -t nfsd nfsd /proc/fs/nfsd
cd /proc/fs/nfsd
echo -3 >versions
echo 10 >nfsv4leasetime
echo 10 >nfsv4gracetime
cd /proc/net/rpc
echo nfsd %(client)s 2147483647 all >auth.unix.ip/channel
echo all %(directory)s 2147483647 9218 65534 65534 0 >nfsd.export/channel
printf '%%s\n' 'all 1 \x00000000 2147483647 %(directory)s' >nfsd.fh/channel
echo 2 >/proc/fs/nfsd/threads
"""

UNEXPORT = """
echo 0 >/proc/fs/nfsd/threads
for cache in nfsd.fh nfsd.export auth.unix.ip; do
	date +%s >/proc/net/rpc/$cache/flush
done
umount /proc/fs/nfsd
"""

JOIN = """
ip addr add %(address)s/24 dev mint%(server)d
ip link set mint%(server)d up
i=0
until ping -c 1 -W 1 %(serving)s >/dev/null 2>&1; do
	i=$((i + 1))
	[ $i -lt 60 ]
done
"""

# Whoever serves may reboot: what is asked of the disk meanwhile waits for it
OPTIONS = ("transport=tcp,traddr=%(serving)s,trsvcid=4420,nqn=disk,keep_alive_tmo=5,"
           "reconnect_delay=1,ctrl_loss_tmo=-1")

# A disk has its name in /dev a moment before it can be opened
CONNECT = "echo " + OPTIONS + """ >/dev/nvme-fabrics
i=0
until (: </dev/nvme0n1) 2>/dev/null; do
	usleep 100000
	i=$((i + 1))
	[ $i -lt 300 ]
done
"""


def serve(node):
    """Commands of the node with the devices."""
    return "set -e" + BRIDGE % {"address": address(node)} + target(
        "/dev/vda", address(node))


def target(disk, serving):
    """Commands that serve a disk at an address of this node."""
    return "set -e" + TARGET % {"disk": disk, "address": serving, "uuid": UUID}


def export(directory, client):
    """Commands that serve a directory to the node of this address."""
    return "set -e" + EXPORT % {"directory": directory, "client": client}


def options(serving):
    """What /dev/nvme-fabrics is told, and mint.nvmf= of tools/initramfs."""
    return OPTIONS % {"serving": serving}


def use(node, server):
    """Commands of a node without: to have the network, and /dev/nvme0n1."""
    return ("set -e" + JOIN + "\n" + CONNECT) % {
        "address": address(node), "server": server, "serving": address(server)}


LEAVE = "echo 1 >/sys/class/nvme/nvme0/delete_controller\n"

# The node's one stick; says its bus ID
SERVE_USB = """
ip addr add %(address)s/24 dev mint0
ip link set mint0 up
cd /sys/bus/usb/drivers/usb-storage
device=$(echo *:1.0)
usbip bind -b ${device%%:*} >/dev/null
usbipd -D
echo ${device%%:*}
"""

USE_USB = JOIN + "usbip attach -r %(serving)s -b %(device)s\n"

LEAVE_USB = r"usbip detach -p $(usbip port | sed -n 's/^Port \([0-9]*\):.*/\1/p')"


def serve_usb(node):
    """Commands of a node that has a stick and a link with node 0."""
    return "set -e" + SERVE_USB % {"address": address(node)}


def use_usb(node, server, device):
    """Commands of a node that gets the server's device."""
    return "set -e" + USE_USB % {"address": address(node), "server": server,
                                 "serving": address(server), "device": device}
