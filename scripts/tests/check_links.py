# SPDX-License-Identifier: GPL-2.0
"""Machines whose nodes talk by links.

This file owns these machines and the tests which need more than node 0's shell;
scripts/check runs them with all others.
"""

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


def machines(spec, node0, crash):
    """The rows of the table of machines; what a crash says is expected."""
    return [
        # Three windows are in use by the nodes, one is free.
        spec("links", ["links.sh"], smp="4", append=node0 + " mint.shared=4M"),
        # Node 0 does not come back.
        spec("links-panic", [outlives_node0], append=node0 + " panic=0",
             allow=crash),
    ]
