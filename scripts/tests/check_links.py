# SPDX-License-Identifier: GPL-2.0
"""Machines whose nodes talk by links.

This file owns these machines and the tests which need more than node 0's shell;
scripts/check runs them with all others.
"""

import hashlib
import os
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
        # Node 0 does not come back.
        spec("links-panic", [outlives_node0], append=node0 + " panic=0",
             allow=crash),
    ]
