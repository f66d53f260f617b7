# SPDX-License-Identifier: GPL-2.0
"""Machines whose nodes talk by links.

This file owns these machines and the tests which need more than node 0's shell;
scripts/check runs them with all others.
"""

import hashlib
import mmap
import os
import random
import struct
import threading

import machine as qemu
import serving
from check_ends import panic_node0
from nodes import SYSFS
from verdict import expect

# How often something is fetched before and after node 0's panic.
FETCHES = 5


def fetched(b, port):
    """Digests of what a node has fetched so far."""
    return b.m.sh("cat /tmp/sums", 30, port).split()


def outlives_node0(b):
    """Node 0 panics; traffic between two successors goes on."""
    one, _ = b.launch_on("com2", 1)
    two, _ = b.launch_on("com3", 1, append="mint.links=0,%d" % one)
    ends = (("com2", two, 1), ("com3", one, 2))
    for port, peer, host in ends:
        b.nodes.poll(lambda port=port, peer=peer: b.m.sh(
            "ls /sys/class/net", 30, port).split().count("mint%d" % peer), 30,
                     "mint%d on %s" % (peer, port))
        b.m.sh("ip addr add 10.%d.%d.%d/30 dev mint%d && ip link set mint%d up"
               % (one, two, host, peer, peer), 30, port)
    for port, peer, _ in ends:
        b.nodes.poll(lambda port=port, peer=peer: b.m.read(
            "/sys/class/net/mint%d/carrier" % peer, port).strip() == "1", 30,
                     "the carrier on %s" % port)
    digest = b.m.sh("mkdir -p /tmp/www && dd if=/dev/urandom of=/tmp/www/data "
                    "bs=64k count=16 2>/dev/null && md5sum </tmp/www/data && "
                    "httpd -h /tmp/www", 60, "com2").split()[0]
    b.m.sh(": >/tmp/sums; (while wget -q -T 20 -O /tmp/got "
           "http://10.%d.%d.1/data; do md5sum </tmp/got | cut -d' ' -f1 "
           ">>/tmp/sums; done; echo over >>/tmp/sums) >/dev/null 2>&1 &"
           % (one, two), 30, "com3")
    b.nodes.poll(lambda: len(fetched(b, "com3")) >= FETCHES, 60, "traffic")
    panic_node0(b)
    for port, _, _ in ends:
        b.nodes.poll(lambda port=port: b.m.read(
            SYSFS + "/nodes/0/state", port).strip() == "panicked", 30,
                     "news of node 0's panic on %s" % port)
    before = len(fetched(b, "com3"))
    b.nodes.poll(lambda: len(fetched(b, "com3")) >= before + FETCHES, 60,
                 "traffic after node 0's panic")
    wrong = set(fetched(b, "com3")) - {digest}
    expect(not wrong, "node %d got %s, sent was %s", two, wrong, digest)


class Stream:
    """What the host sends to whoever asks, until it is over."""

    def __init__(self):
        self.over = threading.Event()
        self.digests = []
        self.server = serving.outside(self.parts)

    def parts(self):
        """Some bytes now and then; what all of them were is known in the end."""
        digest = hashlib.md5()
        while not self.over.wait(0.05):
            part = os.urandom(4096)
            digest.update(part)
            yield part
        self.digests.append(digest.hexdigest())

    def close(self):
        """Nobody is sent anything more."""
        self.over.set()
        self.server.shutdown()


# Blocks are written, and read again from the disk; the first that is wrong ends it.
WORK = """
(n=0
while [ ! -e /tmp/halt ]; do
	block=$((%(first)d + n %% 16))
	dd if=/dev/urandom of=/tmp/block bs=128k count=1 &&
	dd if=/tmp/block of=/dev/nvme0n1 bs=128k seek=$block conv=notrunc,fsync &&
	blockdev --flushbufs /dev/nvme0n1 &&
	dd if=/dev/nvme0n1 of=/tmp/back bs=128k skip=$block count=1 &&
	cmp /tmp/block /tmp/back || { : >/tmp/wrong; break; }
	n=$((n + 1))
	echo $n >/tmp/rounds.new
	mv /tmp/rounds.new /tmp/rounds
done
echo over >/tmp/worked) >/dev/null 2>&1 &
"""

FETCH = """
(wget -q -O /tmp/stream http://%s:%d/; echo $? >/tmp/fetched) >/dev/null 2>&1 &
"""


def begin_work(b, node, port, server):
    """A node uses the disk, if it is not at it already."""
    b.m.sh(serving.use(node, server) + WORK % {"first": 16 * node}, 120, port)


def goes_on(b, port, stream=True):
    """Wait until a node has done more on the disk, and got more from outside."""
    def done():
        words = b.m.sh("cat /tmp/rounds 2>/dev/null || echo 0; "
                       "stat -c %s /tmp/stream 2>/dev/null || echo 0; "
                       "cat /tmp/worked /tmp/fetched 2>/dev/null || :", 30, port).split()
        expect(len(words) == 2, "%s: disk or stream ended: %s", port, words)
        return int(words[0]), int(words[1])

    rounds, size = done()

    def more():
        now = done()
        return now[0] >= rounds + 2 and (now[1] > size or not stream)

    b.nodes.poll(more, 90, "progress of the disk and the stream on %s" % port)


def halt_work(b, port):
    """The work ends; nothing of it was wrong, and no kernel tells of an error.

    Reading ahead, flag 0x80000, fails at once where others wait: what is then read
    for good is asked for again, and waits.
    """
    b.m.sh(": >/tmp/halt", 30, port)
    b.nodes.poll(lambda: b.m.sh("cat /tmp/worked 2>/dev/null || :", 30, port), 60,
                 "end of the work on %s" % port)
    expect(b.m.run("[ ! -e /tmp/wrong ]", 30, port)[0] == 0,
           "%s: the disk failed, or has something else than was written", port)
    errors = b.m.sh("dmesg | grep 'I/O error' | grep -v 'flags 0x8[0-9a-f]* ' || :",
                    30, port)
    expect(not errors, "%s: %s", port, errors)
    b.m.sh(serving.LEAVE, 60, port)


def driver_node(b):
    """A node that has all devices reboots while others use them: they wait."""
    stream = Stream()
    try:
        server, _ = b.launch_on("com2", 1, devices="00:04.0,00:05.0")
        user, _ = b.launch_on("com3", 1, append="mint.links=%d" % server)
        users = ((0, None), (user, "com3"))
        linked = "[ -e /sys/class/net/mint0 ] && [ -e /sys/class/net/mint%d ]" % user
        b.nodes.poll(lambda: b.m.run(linked, 30, "com2")[0] == 0, 30, "both links")
        b.m.sh(serving.serve(server), 60, "com2")
        bridge, card = b.m.sh("cat /sys/class/net/br0/address "
                              "/sys/class/net/eth0/address", 30, "com2").split()
        expect(bridge == card, "the bridge has %s, its card %s", bridge, card)
        for node, port in users:
            begin_work(b, node, port, server)
            b.m.sh(FETCH % (serving.HOST, stream.server.server_port), 30, port)
        for _, port in users:
            goes_on(b, port)
        b.m.send("com2", " reboot\n")
        b.nodes.wait_up("com2", 120)
        b.nodes.poll(lambda: b.m.run(linked, 30, "com2")[0] == 0, 30, "both links")
        b.m.sh(serving.serve(server), 60, "com2")
        for _, port in users:
            goes_on(b, port)
        # Sent was at least what came before the reboot and after it, in one piece.
        stream.over.set()
        for _, port in users:
            b.nodes.poll(lambda port=port: b.m.sh(
                "cat /tmp/fetched 2>/dev/null || :", 30, port), 60, "end of the stream")
            got = b.m.sh("md5sum </tmp/stream; rm /tmp/stream /tmp/fetched", 30,
                         port).split()[0]
            expect(got in stream.digests, "%s got %s, sent were %s", port, got,
                   stream.digests)
        # Now one of the users; the other one does not notice.
        b.m.send("com3", " reboot\n")
        b.nodes.wait_up("com3", 120)
        goes_on(b, None, stream=False)
        begin_work(b, user, "com3", server)
        goes_on(b, "com3", stream=False)
        for _, port in users:
            halt_work(b, port)
    finally:
        stream.close()


STICK = "sda"
# Where the test writes: behind what the stick begins with, an image
WRITTEN = 4


def launch_and_attach(b):
    """A node with the stick serves it, and node 0 uses it; the node's number."""
    node, _ = b.launch_on("com2", 1, devices="00:04.0",
                          initrd=qemu.in_share(b.m.initrd))
    b.nodes.poll(lambda: b.m.run("[ -e /sys/block/%s ]" % STICK, 30, "com2")[0] == 0,
                 30, "the stick in node %d" % node)
    device = b.m.sh(serving.serve_usb(node), 60, "com2").split()[-1]
    # usbipd returns before it listens
    b.nodes.poll(lambda: ":0CA8 " in b.m.run(
        "grep -h ' 0A ' /proc/net/tcp /proc/net/tcp6", 30, "com2")[1], 30,
                 "usbipd on port 3240")
    # usbip notes what it uses in /var/run, which every distribution has
    b.m.sh("mkdir -p /var/run\n" + serving.use_usb(0, node, device), 120)
    return node


def stick(b):
    """Digest of the first megabytes of the stick, as node 0 reads it."""
    b.nodes.poll(lambda: b.m.run("[ \"$(cat /sys/block/%s/size)\" -gt 0 ] && "
                                 "(: </dev/%s)" % (STICK, STICK), 30)[0] == 0, 60,
                 "the stick in node 0")
    return b.m.sh("echo 3 >/proc/sys/vm/drop_caches; "
                  "dd if=/dev/%s bs=1M count=%d 2>/dev/null | md5sum" % (
                      STICK, WRITTEN + 1), 120).split()[0]


def usb_served(b):
    """Node 0 uses the USB stick of a node by usbip; that node ends, the others live on."""
    beside, _ = b.launch_on("com3", 1)
    expect(b.m.run("[ -e /sys/block/%s ]" % STICK)[0], "node 0 has a disk already")
    node = launch_and_attach(b)
    with open(os.path.join(qemu.OUT, "vmlinux"), "rb") as file:
        data = file.read((WRITTEN + 1) << 20)
    got = stick(b)
    expect(got == hashlib.md5(data).hexdigest(), "node 0 reads %s", got)
    b.m.sh("dd if=/dev/urandom of=/dev/%s bs=1M count=1 seek=%d conv=fsync "
           "2>/dev/null" % (STICK, WRITTEN), 120)
    written = stick(b)
    expect(written != got, "nothing was written: %s", written)
    # The node ends without a word. Its user lets go, and has the rest.
    b.m.sh("echo force >%s/nodes/%d/stop" % (SYSFS, node), 30)
    b.nodes.wait_over(node)
    b.launched.remove(node)
    b.m.sh(serving.LEAVE_USB, 60)
    b.nodes.poll(lambda: b.m.run("[ -e /sys/block/%s ]" % STICK)[0], 60,
                 "end of the stick in node 0")
    b.nodes.beats([0, beside])
    node = launch_and_attach(b)
    got = stick(b)
    expect(got == written, "written was %s, the stick has %s", written, got)
    b.m.sh(serving.LEAVE_USB, 60)
    b.nodes.beats([0, node, beside])


# Memory of the forged machine as a file: the host writes what a broken node could.
RAM = os.path.join(qemu.BUILD, "log", "links-forged.ram")

# struct mint_end and struct mint_frame, see mint/include/uapi/asm/mint.h
END_SIZE = 4096
HEAD, TAIL = 64, 128
ALIGN = 64
FRAME_MAX = 65536 + 64

# Frames that node 0 has looked at, at the least, and the seed of what they are
FORGED = 1500
SEED = int(os.environ.get("MINT_SEED", "1"))

NET6 = b"\xfd\0"
NODE0_MAC = bytes.fromhex("fe4d00000001")
TWO_MAC = bytes.fromhex("fe4d00020000")
CARD_MAC = bytes.fromhex("525400000077")


class Forger:
    """Node 1, as node 0 sees it in the window of their link: the host writes its ring.

    The node itself is idle. What it sends nevertheless ends the session now and then,
    since its head is another one.
    """

    def __init__(self, ram, start, size):
        self.ram = ram
        self.size = (size - 2 * END_SIZE) // 2 // ALIGN * ALIGN
        self.ring = start + 2 * END_SIZE + self.size
        self.head = start + END_SIZE + HEAD
        self.tail = start + TAIL

    def word(self, at):
        """What stands in the window."""
        return struct.unpack("<I", self.ram[at:at + 4])[0]

    def empty(self):
        """Node 0 has read all."""
        return self.word(self.head) == self.word(self.tail)

    def send(self, frames):
        """Put (frame, header) into the ring, as many as there is room for; how many."""
        head, room = self.word(self.head), self.size - ALIGN
        sent = 0
        if head >= self.size or head % ALIGN:
            return 0
        for frame, header in frames:
            data = struct.pack("<I", len(frame)) + header + bytes(2) + frame
            need = -(-len(data) // ALIGN) * ALIGN
            if need > room:
                break
            room -= need
            piece = min(len(data), self.size - head)
            at = self.ring + head
            self.ram[at:at + piece] = data[:piece]
            self.ram[self.ring:self.ring + len(data) - piece] = data[piece:]
            head = (head + need) % self.size
            sent += 1
        self.ram[self.head:self.head + 4] = struct.pack("<I", head)
        return sent


def ones_sum(data):
    """The checksum of an IPv4 header."""
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def forged(rnd):
    """A frame and its struct virtio_net_hdr: half of the headers are sound."""
    # For node 0, by it to node 2, by its bridge to node 2, by its bridge to the card
    mac, ip = rnd.choice(((NODE0_MAC, 1), (NODE0_MAC, 12), (TWO_MAC, 12),
                          (CARD_MAC, 3), (b"\xff" * 6, 12)))
    udp, six = rnd.random() < 0.3, rnd.random() < 0.2
    tag = rnd.choice((b"", b"", b"\x81\0\0\5", b"\x88\xa8\0\5\x81\0\0\6"))
    rest = bytes(rnd.choice((0, 1, 60, 1448, 9000, 40000, 65400, rnd.randrange(65400))))
    if udp:
        rest = struct.pack(">HHHH", 1, 9, len(rest) + 8, rnd.getrandbits(16)) + rest
    else:
        rest = struct.pack(">HHIIHHI", 1, 9, 0, 0, rnd.choice((
            0x5010, 0x5002, 0xf010, 0x0010)), 1000, 0) + rest
    if six:
        tag += b"\x86\xdd"
        net = struct.pack(">IHBB", 6 << 28, len(rest) & 0xffff, rnd.choice(
            (17 if udp else 6, 0, 44)), 64)
        net += b"".join(NET6 + bytes(13) + bytes((host,)) for host in (9, ip))
    else:
        tag += b"\x08\0"
        net = struct.pack(">BBHHHBBH4B4B", 0x45, 0, rnd.choice((
            20 + len(rest) & 0xffff, 19)), 0, rnd.choice((0, 0, 0x2000)), 64,
                          17 if udp else 6, 0, 10, 0, 0, 9, 10, 0, 0, ip)
        net = net[:10] + struct.pack(">H", ones_sum(net)) + net[12:]
    frame = (mac + b"\xfe\x4d\0\1\0\0" + tag + net + rest)[:FRAME_MAX]
    start, offset = 12 + len(tag) + len(net), 6 if udp else 16
    kind = rnd.choice((0, 5 if udp else 4 if six else 1))
    flags, size = 1, 1448
    if rnd.random() < 0.5:
        start = rnd.choice((0, 13, 14, len(frame) - 1, rnd.getrandbits(16))) & 0xffff
        offset = rnd.choice((offset, 0, 65535))
    if rnd.random() < 0.5:
        kind = rnd.choice((0, 1, 2, 3, 4, 5, 0x80, 0x81, 0x84, 0x85, 255))
        flags = rnd.choice((0, 1, 2, 3, 255))
        size = rnd.choice((0, 1, 8, 500, 1448, 65534, 65535))
    return frame, struct.pack("<BBHHHH", flags, kind, 54, size, start, offset)


FORWARD = """
ip link add br0 type bridge
for dev in mint1 mint2 eth0; do
	ip link set $dev master br0
	ip link set $dev up
done
ip addr add 10.0.0.1/24 dev br0
ip addr add fd00::1/64 dev br0
ip link set br0 up
echo 1 >/proc/sys/net/ipv4/ip_forward
echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
"""


# What node 0 has looked at of node 1's frames, and forwarded by IPv4 and by IPv6
LOOKED_AT = "cd /sys/class/net/mint1/statistics; cat rx_packets rx_errors rx_dropped"
FORWARDED = """sed -n '/^Ip: [0-9]/p' /proc/net/snmp | cut -d' ' -f7
sed -n 's/^Ip6OutForwDatagrams *//p' /proc/net/snmp6"""


def forged_frames(b):
    """Headers of segments and checksums that lie: node 0 goes on, by links and a card."""
    one, _ = b.launch_on("com2", 1)
    two, _ = b.launch_on("com3", 1)
    expect((one, two) == (1, 2), "the nodes are %d and %d", one, two)
    b.nodes.poll(lambda: b.m.run("[ -e /sys/class/net/mint1 ] && "
                                 "[ -e /sys/class/net/mint2 ]")[0] == 0, 30, "both links")
    b.m.sh("set -e" + FORWARD, 60)
    for node, port in ((one, "com2"), (two, "com3")):
        b.m.sh("ip addr add 10.0.0.%d/24 dev mint0 && ip addr add fd00::%x/64 dev mint0 && "
               "ip link set mint0 up" % (10 + node, 10 + node), 30, port)

    def answers(node):
        return b.m.run("ping -c 1 -W 2 10.0.0.%d" % (10 + node), 30)[0] == 0

    for node in (one, two):
        b.nodes.poll(lambda node=node: answers(node), 30, "answer of node %d" % node)
    def numbers(command):
        return [int(word) for word in b.m.sh(command, 30).split()]

    before, errors, forwarded = sum(numbers(LOOKED_AT)), numbers(LOOKED_AT)[1], numbers(FORWARDED)
    line = b.m.sh("grep ' link 0,1 ' %s/windows" % SYSFS).split()
    first, last = [int(word, 16) for word in line[3].split("-")]
    rnd = random.Random(SEED)
    with open(RAM, "r+b") as file, mmap.mmap(file.fileno(), 0) as ram:
        forger = Forger(ram, first, last + 1 - first)
        # A session that ends takes what is in the ring with it: node 0 counts
        for _ in range(10 * FORGED // 40):
            forger.send([forged(rnd) for _ in range(40)])
            # Nobody rings for them: it looks with its next beat
            b.nodes.poll(forger.empty, 30, "end of what node 0 reads, seed %d" % SEED)
            if sum(numbers(LOOKED_AT)) - before >= FORGED:
                break
    looked = sum(numbers(LOOKED_AT)) - before
    expect(looked >= FORGED, "seed %d: node 0 has looked at %d frames", SEED, looked)
    expect(numbers(LOOKED_AT)[1] - errors > FORGED // 20,
           "seed %d: node 0 has found %d headers that lie", SEED, numbers(LOOKED_AT)[1] - errors)
    expect(all(now > then for now, then in zip(numbers(FORWARDED), forwarded)),
           "seed %d: forwarded were %s, now %s", SEED, forwarded, numbers(FORWARDED))
    for node in (one, two):
        b.nodes.poll(lambda node=node: answers(node), 60, "answer of node %d" % node)


def soak(spec, node0, rounds):
    """The rows of `make soak`: at 500 rounds, the second one talks for an hour."""
    return [spec("soak-links", ["links.sh forced_under_load"], append=node0,
                 env="MINT_FORCED=%d" % (rounds // 5), limit=300 + 10 * rounds),
            spec("soak-talk", ["links.sh all_to_all"], smp="8", memory="3G",
                 append=node0 + " mint.shared=28M",
                 env="MINT_TALK=%d" % (7 * rounds), limit=900 + 8 * rounds)]


def machines(spec, node0, crash):
    """The rows of the table of machines; what a crash says is expected."""
    return [
        # Three windows are in use by the nodes, one is free.
        spec("links", ["links.sh", "shares.sh"], smp="4", append=node0 + " mint.shared=4M"),
        # Eight nodes, 28 links.
        spec("links-eight", ["links.sh all_to_all"], smp="8", memory="3G",
             append=node0 + " mint.shared=28M"),
        # The disk is forgotten at the end.
        spec("links-driver", [driver_node], append=node0 + ",-00:04.0,-00:05.0",
             devices=["e1000e,addr=04.0,netdev=net",
                      "virtio-blk-pci,addr=05.0,drive=disk"],
             extra=["-netdev", "user,id=net",
                    "-drive", "if=none,id=disk,format=raw,snapshot=on,file="
                    + os.path.join(qemu.OUT, "vmlinux")]),
        # What the stick gets is forgotten at the end, too.
        spec("links-usb", [usb_served], append=node0 + ",-00:04.0",
             programs=("check", "usbip", "usbipd"),
             devices=["qemu-xhci,addr=04.0,id=usb", "usb-storage,bus=usb.0,drive=stick"],
             extra=["-drive", "if=none,id=stick,format=raw,snapshot=on,file="
                    + os.path.join(qemu.OUT, "vmlinux")]),
        # What the host writes, QEMU maps.
        spec("links-forged", [forged_frames], smp="3", memory="1G", size=160,
             append=node0,
             devices=["e1000e,addr=04.0,netdev=net"],
             extra=["-netdev", "hubport,id=net,hubid=0"] + qemu.ram_in_file(RAM, "1G")),
        # Node 0 does not come back.
        spec("links-panic", [outlives_node0], append=node0 + " panic=0",
             allow=crash),
    ]
