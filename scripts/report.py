# SPDX-License-Identifier: GPL-2.0
"""What scripts/bench measured, for people: summary, tables, plots, one page.

This file owns the meaning of the raw numbers: from which stamp to which a time
is counted, what a ratio compares, what the goals are, and what the papers
measured. It measures nothing and leaves out what was not measured.
"""

import csv
import html
import os
import re
import statistics
import string
import subprocess

# Phases as they follow each other, and what lies before the next one.
PHASES = (
    ("begin", "kexec: start, read the files"),
    ("load", "check and claim"),
    ("copy", "copy the image"),
    ("loaded", "kexec ends, kexec -e begins"),
    ("start", "prepare the start"),
    ("ipi", "INIT, STARTUP"),
    ("gateway", "gateway"),
    ("purgatory", "copy into place, purgatory"),
    ("decompressor", "decompress"),
    ("start_kernel", "start_kernel()"),
    ("kernel_init", "initcalls"),
    ("initcalls", "initrd, free memory, exec init"),
    ("init", "init to last service"),
    ("services", ""),
)

# The parts that a bar of many nodes has room for.
PARTS = (("begin", "ipi", "kexec: load and copy"),
         ("ipi", "start_kernel", "IPI, gateway, decompressor"),
         ("start_kernel", "kernel_init", "start_kernel()"),
         ("kernel_init", "initcalls", "initcalls"),
         ("initcalls", "init", "initrd, exec init"),
         ("init", "services", "user space"))

VARIANTS = (("cold_bios", "cold boot: SeaBIOS, GRUB"),
            ("cold_uefi", "cold boot: OVMF, GRUB"),
            ("kexec_reboot", "stock kexec reboot"),
            ("kexec_unchecked", "the same without a digest (-i)"),
            ("kvm_microvm", "KVM microVM"),
            ("successor", "successor"),
            ("successor_vmlinux", "successor, vmlinux"))

# metric, unit, goal, what the papers or the task give as reference
METRICS = (
    ("launch_over_cold_boot", "ratio", "", "0.0144 (thesis: 0.309 s of 21.4 s)"),
    ("launch_over_cold_boot_uefi", "ratio", "", ""),
    ("launch_over_kexec_reboot", "ratio", "<= 0.157",
     "0.157 (thesis: 0.309 s of 1.97 s)"),
    ("launch_over_kexec_reboot_without_digest", "ratio", "", ""),
    ("launch_over_kexec_reboot_with_load", "ratio", "", ""),
    ("launch_over_kexec_reboot_by_instructions", "ratio", "<= 0.157",
     "0.157 (thesis: 0.309 s of 1.97 s)"),
    ("launch_over_kvm_microvm", "ratio", "< 1", ""),
    ("launch_to_services_over_kvm_microvm", "ratio", "", ""),
    ("parallel2_over_serial2", "ratio", "<= 0.52", "0.548 (thesis)"),
    ("parallel64_over_serial64", "ratio", "<= 0.55", ""),
    ("list2_over_serial2", "ratio", "<= 0.52", "0.548 (thesis)"),
    ("list64_over_serial64", "ratio", "<= 0.55", ""),
    ("nodes_up_of_64", "nodes", "64", "28 was the thesis' limit"),
    ("tries_with_64_up", "tries", "20", ""),
    ("tries_of_64", "tries", "20", ""),
    ("load_over_memcpy", "ratio", "<= 1.5", ""),
    ("load_over_memcpy_by_instructions", "ratio", "<= 1.5", ""),
    ("load_unchecked_over_memcpy", "ratio", "", ""),
    ("load_unchecked_over_memcpy_by_instructions", "ratio", "", ""),
    ("copy_over_memcpy", "ratio", "", ""),
    ("node_min_memory_mib", "MiB", "<= 32", ""),
    ("node_min_memory_with_own_reboot_mib", "MiB", "", ""),
    ("seam_lines_kernel", "lines", "< 304", "304 (thesis)"),
    ("seam_files_kernel", "files", "<= 22", "22 (thesis)"),
    ("seam_lines_kexec_tools", "lines", "< 130", "130 (thesis)"),
    ("ioapic_lock_max_hold_us", "us", "", ""),
    ("ioapic_lock_max_hold_us_by_instructions", "us", "", ""),
    ("core_move_p50_ms", "ms", "<= 20", ""),
    ("core_move_p99_ms", "ms", "<= 50", ""),
    ("core_move_over_stock_hotplug", "ratio", "<= 1.25", ""),
    ("core_move_over_stock_hotplug_by_instructions", "ratio", "<= 1.25", ""),
    ("core_move_party_stall_over_quiet", "ratio", "", ""),
    ("core_move_third_stall_over_quiet", "ratio", "", ""),
    ("core_move_party_stall_over_quiet_by_instructions", "ratio", "", ""),
    ("core_move_third_stall_over_quiet_by_instructions", "ratio", "<= 1", ""),
    ("nic_move_p50_ms", "ms", "", ""),
    ("nic_move_p50_ms_by_instructions", "ms", "", ""),
    ("memory_move_mb_s", "MB/s", "", ""),
    ("memory_move_over_stock_hotplug", "ratio", "<= 1.5", ""),
    ("memory_move_over_stock_hotplug_by_instructions", "ratio", "<= 1.5", ""),
    ("broker_makespan_over_static", "ratio", "<= 0.75", ""),
    ("broker_makespan_over_oracle", "ratio", "<= 1.1", ""),
    ("broker_makespan_over_one_kernel", "ratio", "", ""),
    ("broker_idle_moves", "moves", "0", ""),
    ("broker_longest_burst_over_static", "ratio", "", ""),
    ("broker_median_burst_over_static", "ratio", "", ""),
    ("broker_all_loops_over_one", "ratio", "", ""),
    ("broker_four_makespan_over_static", "ratio", "<= 0.75", ""),
    ("broker_four_makespan_over_oracle", "ratio", "<= 1.1", ""),
    ("broker_four_makespan_over_one_kernel", "ratio", "", ""),
    ("broker_four_idle_moves", "moves", "0", ""),
    ("broker_four_longest_burst_over_static", "ratio", "", ""),
    ("broker_four_median_burst_over_static", "ratio", "", ""),
    ("broker_four_all_loops_over_one", "ratio", "", ""),
    ("link_stream_over_veth", "ratio", "", ""),
    ("link_stream_over_veth_by_instructions", "ratio", "<= 1.3", ""),
    ("link_stream_over_virtio_net", "ratio", ">= 2", ""),
    ("link_rtt_over_virtio_net", "ratio", "", ""),
    ("link_rtt_over_veth", "ratio", "", ""),
    ("link_rtt_over_veth_by_instructions", "ratio", "<= 1.5", ""),
    ("bells_per_packet_loaded", "ratio", "<= 0.0625", ""),
    ("bells_per_packet_loaded_by_instructions", "ratio", "<= 0.0625", ""),
    ("bells_per_frame_loaded", "ratio", "", ""),
    ("bells_per_frame_loaded_by_instructions", "ratio", "", ""),
    ("link_idle_ipis", "interrupts", "0", ""),
    ("served_disk_iops_over_local", "ratio", "", ""),
    ("served_disk_iops_over_local_by_instructions", "ratio", "", ""),
    ("own_reboot_over_launch", "ratio", "", ""),
    ("stop_ask_over_launch", "ratio", "", ""),
    ("stop_park_over_launch", "ratio", "", ""),
    ("stop_force_over_launch", "ratio", "", ""),
    ("panic_to_relaunched_over_launch", "ratio", "", ""),
)

# Added to the name of what was measured by a clock that counts instructions.
COUNTED = "_by_instructions"
MODES = ("serial", "parallel", "list")
# What the benchmark moves at once, millions of bytes.
BLOCK_MB = (128 << 20) / 1e6
# Bars that the others are compared with.
OURS = ("successor", "successor, vmlinux", "launch to last service", "mintd")


class Numbers:
    """The rows of one benchmark; none if it was not run."""

    def __init__(self, out, name):
        self.name = name
        self.rows = []
        self.path = os.path.join(out, name + ".csv")
        if os.path.exists(self.path):
            with open(self.path, encoding="ascii", newline="") as file:
                self.rows = list(csv.DictReader(file))
        for row in self.rows:
            row["value"] = float(row["value"])
        self.config = ""
        if os.path.exists(self.path[:-4] + ".config"):
            with open(self.path[:-4] + ".config", encoding="utf-8") as file:
                self.config = file.read()
        match = re.search(r"^TSC: (\d+) kHz", self.config, re.M)
        self.khz = float(match.group(1)) if match else None
        match = re.search(r"^host: .*, (\d+) cores", self.config, re.M)
        self.cores = int(match.group(1)) if match else 1

    def table(self, variant, count="1"):
        """{repeat: {(index, what): value}} of a variant."""
        found = {}
        for row in self.rows:
            if row["variant"] == variant and row["count"] == str(count):
                found.setdefault(row["repeat"], {})[
                    int(row["index"]), row["what"]] = row["value"]
        return found

    def spans(self, variant, first, last, count="1"):
        """Seconds between two stamps, one for each repeat that has both.

        The name "power-on" is when the TSC was 0.
        """
        found = []
        for values in self.table(variant, count).values():
            start = 0 if first == "power-on" else values.get((0, first))
            end = values.get((0, last))
            if start is not None and end is not None:
                found.append((end - start) / self.khz / 1000)
        return found

    def several(self, variant, count, first="begin"):
        """Seconds from the first begin to the last service of many nodes."""
        found = []
        for values in self.table(variant, count).values():
            begin = [v for (_, what), v in values.items() if what == first]
            up = [v for (_, what), v in values.items() if what == "services"]
            if len(up) == int(count):
                found.append((max(up) - min(begin)) / self.khz / 1000)
        return found

    def values(self, variant, what):
        """Plain values."""
        return [row["value"] for row in self.rows
                if row["variant"] == variant and row["what"] == what]


class Boots(Numbers):
    """The benchmark boot: one kernel, started in each way."""

    def to(self, variant, phase):
        """Seconds of one variant until a phase, from where it is counted."""
        first = {"cold_bios": "power-on", "cold_uefi": "power-on",
                 "kexec_reboot": "execute", "kexec_unchecked": "execute",
                 "successor": "execute", "successor_vmlinux": "execute",
                 "kvm_microvm": "begin"}[variant]
        return self.spans(variant, first, phase)

    def with_load(self, variant, phase):
        """The same, with loading where that is a step of its own."""
        if variant in ("kexec_reboot", "kexec_unchecked"):
            return plus(self.spans(variant, "begin", "returned"),
                        self.to(variant, phase))
        if variant.startswith("successor"):
            return self.spans(variant, "begin", phase)
        return self.to(variant, phase)

    def ratios(self, suffix=""):
        """{metric: value or None}."""
        launch = self.to("successor", "kernel_init")
        whole = self.with_load("successor", "kernel_init")
        reboot = self.to("kexec_reboot", "kernel_init")
        unchecked = self.to("kexec_unchecked", "kernel_init")
        vmlinux = self.to("successor_vmlinux", "kernel_init")
        pairs = {
            "launch_over_cold_boot":
                (whole, self.to("cold_bios", "kernel_init")),
            "launch_over_cold_boot_uefi":
                (whole, self.to("cold_uefi", "kernel_init")),
            "launch_over_kexec_reboot": (launch, reboot),
            "launch_over_kexec_reboot_without_digest": (launch, unchecked),
            "vmlinux_launch_over_kexec_reboot": (vmlinux, reboot),
            "vmlinux_launch_over_kexec_reboot_without_digest":
                (vmlinux, unchecked),
            "launch_over_kexec_reboot_with_load":
                (whole, self.with_load("kexec_reboot", "kernel_init")),
            "launch_over_kvm_microvm":
                (whole, self.to("kvm_microvm", "kernel_init")),
            "launch_to_services_over_kvm_microvm":
                (self.with_load("successor", "services"),
                 self.to("kvm_microvm", "services")),
        }
        return {name + suffix: ratio(*pair) for name, pair in pairs.items()}


def median(values):
    """Median, None of nothing."""
    return statistics.median(values) if values else None


def ratio(above, below):
    """Ratio of two medians, None if one is missing."""
    above, below = median(above), median(below)
    return above / below if above is not None and below else None


def plus(first, second):
    """Sums of two lists of the same repeats."""
    return [a + b for a, b in zip(first, second)]


def over_memcpy(load, suffix):
    """Loading, and the kernel's part of it, against memcpy() of as many bytes."""
    memcpy = [v / load.khz / 1000 for v in load.values("memcpy", "memcpy")]
    return {
        "load_over_memcpy" + suffix:
            ratio(load.spans("load", "begin", "execute"), memcpy),
        "load_unchecked_over_memcpy" + suffix:
            ratio(load.spans("load_unchecked", "begin", "execute"), memcpy),
        "copy_over_memcpy" + suffix:
            ratio(load.spans("load", "copy", "loaded"), memcpy)}


def of_links(links, suffix):
    """What a link takes over veth, and a disk behind it does over a local one."""
    bells = links.values("link", "bells")
    return {
        "link_stream_over_veth" + suffix: ratio(links.values("link", "stream"),
                                                links.values("veth", "stream")),
        # Times, so the other way round
        "link_stream_over_virtio_net" + suffix: ratio(links.values("guest", "stream"),
                                                      links.values("link", "stream")),
        "link_rtt_over_virtio_net" + suffix: ratio(links.values("link", "trips"),
                                                   links.values("guest", "trips")),
        "link_rtt_over_veth" + suffix: ratio(links.values("link", "trips"),
                                             links.values("veth", "trips")),
        "bells_per_packet_loaded" + suffix: ratio(bells, links.values("link", "packets")),
        "bells_per_frame_loaded" + suffix: ratio(bells, links.values("link", "frames")),
        "served_disk_iops_over_local" + suffix: ratio(links.values("local", "read"),
                                                      links.values("served", "read")),
    }


def on_all_cores(numbers):
    """Seconds of the loops on all cores at once; those of four cores had a name of their own."""
    return numbers.values("caps", "all") or numbers.values("caps", "four")


def of_broker(numbers):
    """What cores that follow the load gain, over cores that stay."""
    makespan, burst = [{variant: numbers.values(variant, what) for variant in (
        "static", "oracle", "broker", "one")} for what in ("makespan", "burst")]
    longest = [[max(values)] if values else [] for values in (
        burst["broker"], burst["static"])]
    found = {
        "makespan_over_static": ratio(makespan["broker"], makespan["static"]),
        "makespan_over_oracle": ratio(makespan["broker"], makespan["oracle"]),
        "makespan_over_one_kernel": ratio(makespan["broker"], makespan["one"]),
        "idle_moves": max(numbers.values("idle", "moves"), default=None),
        "longest_burst_over_static": ratio(*longest),
        "median_burst_over_static": ratio(burst["broker"], burst["static"]),
        "all_loops_over_one": ratio(on_all_cores(numbers), numbers.values("caps", "one")),
    }
    return {"%s_%s" % (numbers.name, what): value for what, value in found.items()}


def percentile(values, percent):
    """The smallest value that so many of a hundred do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)] if ordered else None


def of_stalls(numbers, suffix):
    """How late timers are in one of ten windows, while a core moves and while none does."""
    def late(variant, names):
        return percentile([value for name in names
                           for value in numbers.values(variant, name)], 90)

    found = {}
    for who, names in (("party", ("one", "other")), ("third", ("third",))):
        moving, quiet = late("moving", names), late("quiet", names)
        found["core_move_%s_stall_over_quiet%s" % (who, suffix)] = (
            moving / quiet if moving is not None and quiet else None)
    return found


def stock_ms(numbers, what):
    """Milliseconds of CPU hotplug in a stock kernel."""
    return [value / numbers.khz for value in numbers.values("stock", what)]


class Data:
    """All benchmarks, and what is derived from them."""

    def __init__(self, out):
        for name in ("boot", "boot_counted"):
            setattr(self, name, Boots(out, name))
        for name in ("many", "tries", "debian", "load", "load_counted",
                     "formats_counted", "memory", "ends", "locks",
                     "locks_counted", "moves", "moves_counted", "broker", "broker_four",
                     "links", "links_counted", "seams",
                     "speed", "speed_counted"):
            setattr(self, name, Numbers(out, name))

    def of_launch(self, variant, first, last, launch_last="services"):
        """A way out, over a launch on the same machine."""
        return ratio(self.ends.spans(variant, first, last),
                     self.ends.spans("launch", "begin", launch_last))

    def seam(self, tree, concern, *what):
        """Lines or files of a concern."""
        found = [self.seams.values("%s: %s" % (tree, concern), w) for w in what]
        return sum(v[0] for v in found) if all(found) else None

    def metrics(self):
        """{metric: value or None}."""
        ups = [len([1 for (_, what) in values if what == "services"])
               for mode in MODES for values in self.many.table(mode, 64).values()]
        hold, counted = [numbers.values("ioapic_lock", "max_hold")
                         for numbers in (self.locks, self.locks_counted)]
        tries = self.tries.values("list", "ended")
        core, memory = [self.moves.values(kind, "total")
                        for kind in ("core", "memory")]
        return {
            **self.boot.ratios(),
            **self.boot_counted.ratios(COUNTED),
            "tries_with_64_up": sum(tries) if tries else None,
            "tries_of_64": len(tries) or None,
            "parallel2_over_serial2":
                ratio(self.many.several("parallel", 2),
                      self.many.several("serial", 2)),
            "parallel64_over_serial64":
                ratio(self.many.several("parallel", 64),
                      self.many.several("serial", 64)),
            "list2_over_serial2": ratio(self.many.several("list", 2),
                                        self.many.several("serial", 2)),
            "list64_over_serial64": ratio(self.many.several("list", 64),
                                          self.many.several("serial", 64)),
            "nodes_up_of_64": min(ups) if ups else None,
            **over_memcpy(self.load, ""),
            **over_memcpy(self.load_counted, COUNTED),
            "node_min_memory_mib":
                median(self.memory.values("smallest", "memory")),
            "node_min_memory_with_own_reboot_mib":
                median(self.memory.values("smallest, kept", "memory")),
            "seam_lines_kernel": self.seam("linux", "total", "added", "removed"),
            "seam_files_kernel": self.seam("linux", "total", "files"),
            "seam_lines_kexec_tools":
                self.seam("kexec-tools", "total", "added", "removed"),
            "ioapic_lock_max_hold_us": max(hold, default=None),
            "ioapic_lock_max_hold_us" + COUNTED: max(counted, default=None),
            "core_move_p50_ms": median(core),
            "core_move_p99_ms": percentile(core, 99),
            "core_move_over_stock_hotplug":
                ratio(core, stock_ms(self.moves, "pair")),
            "core_move_over_stock_hotplug" + COUNTED:
                ratio(self.moves_counted.values("core", "total"),
                      stock_ms(self.moves_counted, "pair")),
            **of_stalls(self.moves, ""),
            **of_stalls(self.moves_counted, COUNTED),
            "nic_move_p50_ms": percentile(self.moves.values("pci", "total"), 50),
            "nic_move_p50_ms" + COUNTED:
                percentile(self.moves_counted.values("pci", "total"), 50),
            "memory_move_mb_s":
                BLOCK_MB / (median(memory) / 1000) if memory else None,
            "memory_move_over_stock_hotplug":
                ratio(memory, stock_ms(self.moves, "memory_pair")),
            "memory_move_over_stock_hotplug" + COUNTED:
                ratio(self.moves_counted.values("memory", "total"),
                      stock_ms(self.moves_counted, "memory_pair")),
            **of_broker(self.broker),
            **of_broker(self.broker_four),
            **of_links(self.links, ""),
            **of_links(self.links_counted, COUNTED),
            "link_idle_ipis": max(self.links.values("idle", "bells")
                                  + self.links_counted.values("idle", "bells"),
                                  default=None),
            "own_reboot_over_launch":
                self.of_launch("own_reboot", "asked", "services"),
            "stop_ask_over_launch": self.of_launch("stop_ask", "asked", "over"),
            "stop_park_over_launch": self.of_launch("stop_park", "asked", "over"),
            "stop_force_over_launch":
                self.of_launch("stop_force", "asked", "over"),
            "panic_to_relaunched_over_launch":
                self.of_launch("panic", "asked", "services"),
        }


# ---- summary -----------------------------------------------------------------

def short(value):
    """A number with as many digits as it deserves."""
    if value is None:
        return ""
    if value == int(value):
        return "%d" % value
    return "%.3f" % value if value < 10 else "%.1f" % value


def summary(data):
    """(metric, value, unit, goal, reference) of all that was measured."""
    measured = data.metrics()
    for numbers, suffix in ((data.speed, ""), (data.speed_counted, COUNTED)):
        measured.update((name + suffix, median(values))
                        for name, values in speed_ratios(numbers))
    known = {name: (unit, goal, reference)
             for name, unit, goal, reference in METRICS}
    goals = {"stock": ">= 0.98", "one": "<= 1.005"}
    others = {name: ("ratio", goals.get(
        name.removesuffix(COUNTED).split("_over_")[-1], ""), "")
              for name in measured if name not in known}
    return [(name, short(measured[name])) + rest
            for name, rest in {**known, **others}.items()
            if measured.get(name) is not None]


def write_summary(out, rows):
    """summary.csv"""
    path = os.path.join(out, "summary.csv")
    with open(path + ".new", "w", encoding="ascii", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("metric", "value", "unit", "goal", "reference"))
        writer.writerows(rows)
    os.replace(path + ".new", path)


# ---- plots -------------------------------------------------------------------

STYLE = """set terminal svg noenhanced size %d,%d font 'sans-serif,14' background 'white'
set output '%s'
set border 3 lc rgb '#666666'
set tics nomirror out
set grid xtics ytics lc rgb '#dddddd'
"""
COLORS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377")


class Plots:
    """Plots of one report: data, gnuplot scripts and SVG in one directory."""

    def __init__(self, out):
        self.out = os.path.join(out, "plots")
        os.makedirs(self.out, exist_ok=True)
        self.made = []

    def plot(self, name, title, size, script, **data):
        """Make NAME.svg; data are tables, $name in the script."""
        lines = [STYLE % (size + (name + ".svg",)),
                 "set title '%s'" % title]
        for key, rows in data.items():
            lines += ["$%s << END" % key]
            lines += [" ".join(str(cell) for cell in row) for row in rows]
            lines += ["END"]
        path = os.path.join(self.out, name + ".gp")
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n" + script)
        subprocess.run(["gnuplot", name + ".gp"], cwd=self.out, check=True)
        self.made.append((name, title))

    def svg(self, name):
        """The picture as a part of a page."""
        with open(os.path.join(self.out, name + ".svg"), encoding="utf-8") as f:
            text = f.read()
        text = text[text.index("<svg"):]
        # Names of parts are unique in a file, not in a page of several.
        return re.sub(r"(id='|id=\"|url\(#|href='#|href=\"#)", r"\1%s-" % name,
                      text)


def quoted(text):
    """A string in a table of gnuplot."""
    return '"%s"' % text


def bars(plots, name, title, rows):
    """Horizontal bars: rows are (label, seconds)."""
    rows = [(label, values) for label, values in rows if values]
    if not rows:
        return
    count = len(rows)
    table = []
    for i, (label, values) in enumerate(rows):
        table.append((count - 1 - i, quoted(label), median(values), min(values),
                      max(values), "0x228833" if label in
                      OURS else "0x4477aa", quoted(
                          milliseconds(median(values)) if median(values) < 0.1
                          else "%.3g s" % median(values))))
    longest = max(row[4] for row in table)
    plots.plot(name, title, (900, 110 + 50 * count), """
unset key
set grid noytics
set xrange [0:%g]
set yrange [-0.6:%g]
set xlabel 'median in s; the line is from least to most (emulated)'
set style fill solid 0.85 noborder
plot $d using (0):1:(0):3:($1-0.3):($1+0.3):6:ytic(2) with boxxyerror lc rgb var, \\
     $d using 3:1:4:5 with xerrorbars lc rgb '#222222' pt 0, \\
     $d using 5:1:7 with labels left offset 0.7,0
""" % (longest * 1.15, count - 0.4), d=table)


def milliseconds(value):
    """Seconds as ms, with as many digits as they deserve."""
    value *= 1000
    if value < 0.01:
        return "%.2g us" % (value * 1000)
    return "%.0f ms" % value if value >= 100 else "%.3g ms" % value


def timeline(plots, name, boot, clock):
    """Every phase of one launch."""
    present = [(phase, text) for phase, text in PHASES
               if boot.spans("successor", "begin", phase)]
    if len(present) < 5:
        return
    at = {phase: median(boot.spans("successor", "begin", phase))
          for phase, _ in present}
    order = sorted(at, key=at.get)
    texts = dict(present)
    rows = []
    for i, phase in enumerate(order[:-1]):
        first, last = at[phase], at[order[i + 1]]
        rows.append((len(order) - 2 - i, quoted(texts[phase]), first * 1000,
                     last * 1000, COLORS[i % 2].replace("#", "0x"),
                     quoted(milliseconds(last - first))))
    plots.plot(name, "One launch: where the time goes (%s, medians)" % clock,
               (900, 130 + 30 * len(rows)), """
unset key
set xrange [0:%g]
set yrange [-0.7:%g]
set xlabel 'ms since kexec was called'
set style fill solid 0.9 noborder
plot $d using 3:1:3:4:($1-0.35):($1+0.35):5:ytic(2) with boxxyerror lc rgb var, \\
     $d using 4:1:6 with labels left offset 0.5,0
""" % (at[order[-1]] * 1150, len(rows) - 0.3), d=rows)


def parallel_timeline(plots, data, count):
    """The parts of launches at once: the repeat of median length."""
    runs = [v for v in data.many.table("parallel", count).values()
            if sum(1 for (_, what) in v if what == "services") == count]
    if not runs:
        return
    runs.sort(key=lambda v: max(v[i, "services"] for i in range(count))
              - min(v[i, "begin"] for i in range(count)))
    run = runs[len(runs) // 2]
    zero = min(run[i, "begin"] for i in range(count))
    khz = data.many.khz * 1000
    tables = {}
    for part, (first, last, _) in enumerate(PARTS):
        tables["p%d" % part] = [
            (i + 1, (run[i, first] - zero) / khz, (run[i, last] - zero) / khz)
            for i in range(count) if (i, first) in run and (i, last) in run]
    end = max(row[2] for row in tables["p%d" % (len(PARTS) - 1)])
    plots.plot("parallel%d" % count,
               "%d launches at once (emulated: one core each, %d of the host)"
               % (count, data.many.cores),
               (900, 190 + 26 * count), "\n".join([
                   "set key outside bottom center horizontal",
                   "set grid noytics", "set xrange [0:%g]" % (end * 1.03),
                   "set yrange [%g:0.3]" % (count + 0.7),
                   "set ytics 1", "set ylabel 'successor'",
                   "set xlabel 's since the first kexec was called'"
                   " offset 0,0.5",
                   "set style fill solid 0.9 noborder", "plot " + ", ".join(
                       "$p%d using 2:1:2:3:($1-0.36):($1+0.36) with boxxyerror"
                       " lc rgb '%s' title '%s'" % (i, COLORS[i], part[2])
                       for i, part in enumerate(PARTS))]) + "\n", **tables)


def curve(plots, data):
    """Time over the number of nodes, and the ratio."""
    tables = {}
    for mode in MODES:
        rows = []
        for count in (1, 2, 4, 8, 16, 32, 64):
            values = data.many.several(mode, count)
            if values:
                rows.append((count, median(values), min(values), max(values)))
        tables[mode] = rows
    ratios = {mode: [(s[0], p[1] / s[1]) for s in tables["serial"]
                     for p in tables[mode] if s[0] == p[0] and s[0] > 1]
              for mode in MODES[1:]}
    if len(tables["serial"]) < 2 or len(tables["parallel"]) < 2:
        return
    most = max(row[0] for rows in tables.values() for row in rows)
    axis = "set logscale x 2\nset xrange [%s:%g]\n" \
        "set xlabel 'successors' offset 0,0.5\n"
    plots.plot("curve", "Until the last of N successors is up (emulated)",
               (900, 420), axis % ("0.85", most * 1.18) + """
set logscale y 2
set key top left
set ylabel 's, median; lines from least to most'
plot $serial using 1:2:3:4 with yerrorlines lw 2 pt 7 lc rgb '%s' title 'one after the other', \\
     $parallel using 1:2:3:4 with yerrorlines lw 2 pt 5 lc rgb '%s' title 'several calls of kexec at once', \\
     $list using 1:2:3:4 with yerrorlines lw 2 pt 9 lc rgb '%s' title 'one call with a list'
""" % COLORS[:3], **tables)
    if ratios["parallel"] and ratios["list"]:
        plots.plot("ratios", "All at once over one after the other (emulated)",
                   (900, 400), axis % ("1.7", most * 1.18) + """
set yrange [0:1.1<*]
set key outside bottom center horizontal
set ylabel 'ratio of medians'
plot $parallel using 1:2 with linespoints lw 2 pt 5 lc rgb '%s' title 'several calls of kexec', \\
     $parallel using 1:2:(sprintf('%%.2f', $2)) with labels offset 0,1 notitle, \\
     $list using 1:2 with linespoints lw 2 pt 9 lc rgb '%s' title 'one call with a list', \\
     %g with lines dt 2 lc rgb '#666666' title 'limit of %d host cores', \\
     0.548 with lines dt 4 lc rgb '%s' title 'thesis, N = 2'
""" % (COLORS[1], COLORS[2], 1 / data.many.cores, data.many.cores, COLORS[5]),
                   **ratios)


def moves_plots(plots, name, numbers, clock):
    """The steps of the move of median length, and how long all of them took."""
    total = numbers.values("core", "total")
    if not total:
        return
    middle = sorted(range(len(total)), key=total.__getitem__)[len(total) // 2]
    rows, at = [], 0
    for place, what in enumerate(("give", "clear", "take")):
        length = numbers.values("core", what)[middle]
        rows.append((place, at, at + length))
        at += length
    plots.plot(name + "_timeline", "One move of a core, of median length (%s)" % clock,
               (900, 220), """
set yrange [2.6:-0.6]
set ytics ('giver: offline' 0, 'node 0: proof' 1, 'receiver: online' 2)
set xrange [0:%g]
set xlabel 'ms since the request' offset 0,0.5
set style fill solid 0.9 noborder
unset key
plot $d using 2:1:2:3:($1-0.36):($1+0.36) with boxxyerror lc rgb '%s'
""" % (at * 1.05, COLORS[0]), d=rows)
    stock = stock_ms(numbers, "pair")
    width = max(total) / 40
    plots.plot(name, "%d moves of a core, and offline + online of a stock kernel (%s)"
               % (len(total), clock), (900, 380), """
width = %g
bin(x) = width * (floor(x / width) + 0.5)
set boxwidth 0.9 * width
set style fill solid 0.6 noborder
set xrange [0:*]
set yrange [0:*]
set xlabel 'ms' offset 0,0.5
set ylabel '%% of all'
plot $moves using (bin($1)):(100.0 / %d) smooth frequency with boxes lc rgb '%s' title 'move', \
     $stock using (bin($1)):(100.0 / %d) smooth frequency with boxes lc rgb '%s' title 'stock kernel'
""" % (width, len(total), COLORS[0], max(len(stock), 1), COLORS[1]),
               moves=[(value,) for value in total],
               stock=[(value,) for value in stock])


def broker_plot(plots, name, title, numbers, variant):
    """How many cores each node has, and beneath it what its load is."""
    tables = {}
    for row in numbers.rows:
        match = re.match(r"(cores|load) of node (\d)", row["what"])
        if match and row["variant"] == variant and row["repeat"] == "1":
            tables.setdefault("".join(match.groups()), []).append(
                (float(row["index"]) / 1000, row["value"]))
    nodes = len(tables) // 2
    if not nodes or sorted(tables) != sorted(
            "%s%d" % (what, node) for what in ("cores", "load") for node in range(nodes)):
        return
    pane = "plot " + ", ".join(
        "$%%s%d using 1:2 with %%s lw 2 lc rgb '%s' title 'node %d'" % (node, color, node)
        for node, color in enumerate(COLORS[:nodes])) + "\n"
    plots.plot(name, title, (900, 520), """
set multiplot layout 2,1
set lmargin 9
set key outside right top
set xrange [0:%g]
set yrange [0:%d]
set ytics 1
set ylabel 'cores'
%sunset title
set yrange [0:*]
set ytics autofreq
set ylabel 'tasks that run or wait'
set xlabel 's' offset 0,0.5
%sunset multiplot
""" % (max(row[0] for row in tables["load0"]), nodes + 2,
       pane % (("cores", "steps") * nodes), pane % (("load", "lines") * nodes)), **tables)


def broker_plots(plots, numbers, nodes):
    """Makespans of load in turns, and what mintd did."""
    bars(plots, numbers.name + "_makespan", "The same jobs, in %s nodes in turn "
         "(emulated)" % nodes, [row[::2] for row in broker_rows(numbers)])
    for variant, suffix, what in (("broker", "", "in turns"),
                                  ("broker, bursts", "_bursts", "in bursts")):
        broker_plot(plots, numbers.name + suffix,
                    "mintd: cores of each of %s nodes, and their load, %s (emulated)" % (
                        nodes, what), numbers, variant)


def draw(out, data):
    """All plots for which there are numbers."""
    plots = Plots(out)
    for boot, suffix, clock in (
            (data.boot, "", "emulated"),
            (data.boot_counted, COUNTED, "emulated, by instructions")):
        bars(plots, "kernel_init" + suffix, "To kernel_init, from power-on or "
             "from the call (%s)" % clock,
             [(text, boot.with_load(name, "kernel_init"))
              for name, text in VARIANTS])
        bars(plots, "services" + suffix, "To the last service (%s)" % clock,
             [(text, boot.with_load(name, "services"))
              for name, text in VARIANTS])
        timeline(plots, "timeline" + suffix, boot, clock)
    for count in (2, 8):
        parallel_timeline(plots, data, count)
    curve(plots, data)
    moves_plots(plots, "moves", data.moves, "emulated")
    moves_plots(plots, "moves" + COUNTED, data.moves_counted,
                "emulated, by instructions")
    broker_plots(plots, data.broker, "two")
    broker_plots(plots, data.broker_four, "four")
    for links, suffix, clock in (
            (data.links, "", "emulated"),
            (data.links_counted, COUNTED, "emulated, by instructions")):
        bars(plots, "links" + suffix, "A link, and what it is compared with (%s)" % clock,
             links_rows(links))
    bars(plots, "ends", "Ways out of a successor (emulated)", ends_rows(data))
    speed_plot(plots, "speed", data.speed, "emulated")
    speed_plot(plots, "speed" + COUNTED, data.speed_counted,
               "emulated, by instructions")
    return plots


def ends_rows(data):
    """(label, seconds) of the benchmark ends."""
    spans = data.ends.spans
    return [("launch to last service", spans("launch", "begin", "services")),
            ("own reboot to last service",
             spans("own_reboot", "asked", "services")),
            ("stop, asked", spans("stop_ask", "asked", "over")),
            ("stop, parked", spans("stop_park", "asked", "over")),
            ("stop, forced", spans("stop_force", "asked", "over")),
            ("panic to relaunched", spans("panic", "asked", "services"))]


def moves_table(numbers, clock):
    """How long each step of a move takes, and the same things in a stock kernel."""
    rows = []
    for kind, text in (("core", "core"), ("memory", "128 MiB of memory"),
                       ("pci", "network card")):
        for what, step in (("total", "all"), ("give", "giver: leaves it"),
                           ("clear", "node 0: proof, rest, zeroes"),
                           ("take", "receiver: begins to use it")):
            rows.append((text, step, numbers.values(kind, what)))
    for kind, text in (("", "core, stock kernel"),
                       ("memory_", "128 MiB of memory, stock kernel")):
        for what, step in (("pair", "both"), ("offline", "offline"),
                           ("online", "online")):
            rows.append((text, step, stock_ms(numbers, kind + what)))
    return Table("Moves" + clock, ("what", "step", "p50, ms", "p99, ms", "most, ms", "moves"), [
        (text, step, "%.2f" % percentile(values, 50), "%.2f" % percentile(values, 99),
         "%.2f" % max(values), str(len(values)))
        for text, step, values in rows if values])


def stalls_table(numbers, clock):
    """How late timers are while a core moves, and while none does."""
    rows = [(text, state, numbers.values(variant, name))
            for name, text in (("one", "giver and receiver in turns"),
                               ("other", "receiver and giver in turns"),
                               ("third", "a third node"))
            for variant, state in (("quiet", "nothing moves"), ("moving", "a core moves"))]
    return Table("Late timers" + clock, ("node", "", "p50, ms", "p90, ms", "worst, ms",
                                         "windows"), [
        (text, state, "%.3f" % percentile(values, 50), "%.3f" % percentile(values, 90),
         "%.3f" % max(values), str(len(values)))
        for text, state, values in rows if values])


def links_rows(links):
    """(label, seconds) of the benchmark links."""
    return [(text, [value * count / 1e9 for value in links.values(variant, what)])
            for text, variant, what, count in (
                ("64 MiB by TCP: link", "link", "stream", 64),
                ("64 MiB by TCP: veth", "veth", "stream", 64),
                ("64 MiB by TCP: virtio-net of a virtual machine", "guest", "stream", 64),
                ("1000 round trips: link", "link", "trips", 1000),
                ("1000 round trips: veth", "veth", "trips", 1000),
                ("1000 round trips: virtio-net of a virtual machine", "guest", "trips", 1000),
                ("1000 reads: disk of the other node", "served", "read", 1000),
                ("1000 reads: own disk", "local", "read", 1000))]


BROKER = (("static split", "static"), ("mintd", "broker"), ("oracle", "oracle"),
          ("one kernel with all cores", "one"))


def broker_rows(numbers):
    """(label, variant, seconds) of the alternating load."""
    return [(text, variant, numbers.values(variant, "makespan"))
            for text, variant in BROKER]


def broker_tables(numbers, nodes):
    """Makespans, and how long bursts took."""
    static = numbers.values("static", "makespan")
    return [
        Table("Load in turns, %s nodes" % nodes,
              ("cores", "makespan", "over static", "moves", "refused"), [
                  (text, "%.1f s" % median(values), short(ratio(values, static)))
                  + tuple(short(median(numbers.values(variant, what)))
                          for what in ("moves", "refused"))
                  for text, variant, values in broker_rows(numbers) if values]),
        Table("Bursts, %s nodes" % nodes, ("cores",) + SPREAD, spreads(
            [(text, numbers.values(variant, "burst")) for text, variant in BROKER])),
        Table("One loop, and one on each core at once, %s nodes" % nodes,
              ("loops",) + SPREAD, spreads(
                  [("one", numbers.values("caps", "one")),
                   ("on all cores", on_all_cores(numbers))]))]


def links_table(links, clock):
    """What a link does, and what it is compared with."""
    return Table("Links" + clock, ("what",) + SPREAD, spreads(links_rows(links)))


def speed_plot(plots, name, speed, clock):
    """Speed of a node over that of a kernel alone, with the control."""
    ratios = speed_ratios(speed)
    if not ratios:
        return
    rows = [(len(ratios) - 1 - i, quoted(what), median(values), min(values),
             max(values), "0xaaaaaa" if "control" in what else "0x4477aa",
             quoted("%.3f" % median(values)))
            for i, (what, values) in enumerate(ratios)]
    low = min([0.8] + [row[3] for row in rows])
    high = max([1.2] + [row[4] for row in rows])
    plots.plot(name, "Speed over that of a stock kernel alone (%s; grey: stock "
               "against stock)" % clock, (900, 120 + 32 * len(rows)), """
unset key
set grid noytics
set xrange [%g:%g]
set yrange [-0.7:%g]
set xlabel 'ratio of each pair: median, least and most; above 1 is faster'
set arrow from 1,-0.7 to 1,%g nohead lc rgb '#222222'
set arrow from 0.98,-0.7 to 0.98,%g nohead dt 2 lc rgb '#ee6677'
plot $d using 3:1:4:5:6:ytic(2) with xerrorbars pt 7 ps 0.9 lw 2 lc rgb var, \\
     $d using 5:1:7 with labels left offset 0.7,0
""" % (low * 0.95, high * 1.1, len(rows) - 0.3, len(rows) - 0.3,
       len(rows) - 0.3), d=rows)


def speed_ratios(speed):
    """[(name, values)] of the benchmark speed."""
    found = {}
    for row in speed.rows:
        if row["variant"] == "ratio":
            found.setdefault(row["what"], []).append(row["value"])
    return list(found.items())


# ---- tables ------------------------------------------------------------------

class Table:
    """A table of text; without rows it is shown nowhere."""

    def __init__(self, title, head, rows):
        self.title = title
        self.head = head
        self.rows = [[str(cell) for cell in row] for row in rows]


SPREAD = ("mean", "median", "deviation", "least", "most", "repeats")


def spread(values):
    """mean, median, standard deviation, least, most, repeats."""
    deviation = statistics.stdev(values) if len(values) > 1 else 0
    return tuple("%.3f s" % v for v in (
        statistics.mean(values), median(values), deviation, min(values),
        max(values))) + (len(values),)


def spreads(rows):
    """(text.., values) as rows of a table, but for what was not measured."""
    return [tuple(texts) + spread(values) for *texts, values in rows if values]


def meets(value, goal):
    """Whether a value reaches its goal: yes, no, or nothing without a goal."""
    match = re.match(r"(<=|>=|<|>)? ?([\d.]+)$", goal)
    if not match:
        return ""
    number, limit = float(value), float(match.group(2))
    return "yes" if {"<=": number <= limit, ">=": number >= limit, "<": number < limit,
                     ">": number > limit, None: number == limit}[match.group(1)] else "no"


def boot_table(boot, clock):
    """The thesis' table 6.1 and ours."""
    thesis = {"cold_bios": "21.4 s", "kexec_reboot": "1.97 s",
              "successor": "0.309 s"}
    rows = [(text, thesis.get(name, ""), boot.to(name, "kernel_init"))
            for name, text in VARIANTS]
    rows += [("successor, with loading", "",
              boot.with_load("successor", "kernel_init")),
             ("stock kexec reboot, with loading", "",
              boot.with_load("kexec_reboot", "kernel_init"))]
    return Table("To kernel_init" + clock, ("start", "thesis, mean") + SPREAD,
                 spreads(rows))


def nodes_table(data):
    """The thesis' table 6.2 and ours."""
    rows = [(name, thesis, data.many.several(mode, count))
            for name, thesis, mode, count in (
                ("one successor", "19.7 s", "serial", 1),
                ("two, one after the other", "39.4 s", "serial", 2),
                ("two at once, two calls", "21.6 s", "parallel", 2),
                ("two at once, one call", "", "list", 2))]
    rows += [(name, "", data.debian.several(variant, count, "load"))
             for name, variant, count in (
                 ("a Debian 12 node", "debian12", 1),
                 ("a Debian 13 node", "debian13", 1),
                 ("both at once", "debian12 and debian13", 2))]
    return Table("To the last service", ("nodes", "thesis, mean") + SPREAD,
                 spreads(rows))


def many_table(data):
    """Times over N."""
    rows = []
    for count in (1, 2, 4, 8, 16, 32, 64):
        serial, *others = [data.many.several(mode, count) for mode in MODES]
        if serial or any(others):
            rows.append([count] + [
                "%.2f s" % median(values) if values else ""
                for values in (serial, *others)] + [
                short(ratio(values, serial)) for values in others] + [
                len(serial)])
    return Table("Over the number of successors", (
        "successors", "one after the other", "several calls", "a list",
        "ratio, calls", "ratio, list", "repeats"), rows)


def ends_table(data):
    """Ways out, over a launch."""
    launch = data.ends.spans("launch", "begin", "services")
    return Table("Ways out", ("way",) + SPREAD + ("over a launch",), [
        (name,) + spread(values) + (short(ratio(values, launch)),)
        for name, values in ends_rows(data) if values])


def formats_table(formats):
    """What each way to pack kernel and initrd costs: bytes and time."""
    rows = []
    for name in dict.fromkeys(row["variant"] for row in formats.rows):
        spans = [formats.spans(name, first, last) for first, last in (
            ("begin", "execute"), ("decompressor", "start_kernel"),
            ("initcalls", "init"), ("begin", "kernel_init"),
            ("begin", "services"))]
        rows.append([name] + [
            "%.1f" % (median(formats.values(name, what)) / 2**20)
            for what in ("kernel", "initrd")] + [
            "%.1f ms" % (1000 * median(values)) if values else ""
            for values in spans] + [len(spans[0])])
    return Table("How kernel and initrd are packed, by instructions", (
        "kernel, initrd", "kernel, MiB", "initrd, MiB", "load", "decompress",
        "initcalls to init", "to kernel_init", "to services", "repeats"), rows)


def speed_tables(speed, clock):
    """Medians of the benchmark speed, and the ratios."""
    found = {}
    for row in speed.rows:
        if row["variant"] != "ratio":
            found.setdefault((row["what"], row["unit"]), {}).setdefault(
                row["variant"], []).append(row["value"])
    variants = list(dict.fromkeys(v for table in found.values() for v in table))
    return [
        Table("Figures" + clock, ["figure", "unit"] + variants, [
            [what, unit] + [short(median(table[v])) if v in table else ""
                            for v in variants]
            for (what, unit), table in found.items()]),
        Table("Ratios" + clock, ("ratio", "median", "least", "most", "pairs"), [
            (name, "%.3f" % median(values), "%.3f" % min(values),
             "%.3f" % max(values), len(values))
            for name, values in speed_ratios(speed)])]


def seams_table(data, tree, thesis):
    """Tables 6.3 and 6.4: lines and files, by concern."""
    names = dict.fromkeys(row["variant"] for row in data.seams.rows
                          if row["variant"].startswith(tree + ": "))
    rows = [("here: " + concern,) + tuple(
        "%d" % data.seam(tree, concern, what)
        for what in ("files", "added", "removed"))
            for concern in (name.split(": ", 1)[1] for name in names)]
    if rows:
        rows = [("thesis: " + name, files, lines, "")
                for name, lines, files in thesis] + rows
    return Table(tree, ("concern", "files", "lines added or changed",
                        "lines removed"), rows)


# ---- questions ---------------------------------------------------------------

COUNTING = ", by a clock that counts instructions"


class Question:
    """What one section answers: pictures, metrics by their names, tables."""

    def __init__(self, name, title, pictures, metrics, tables):
        self.name = name
        self.title = title
        self.pictures = pictures
        self.metrics = re.compile(metrics)
        self.tables = tables

    def answer(self, data, rows):
        """The tables that have rows; `rows` are those of the summary."""
        mine = Table("Metrics", ("metric", "value", "unit", "goal", "reference",
                                 "reached"), [
            row + (meets(row[1], row[3]),) for row in rows
            if self.metrics.match(row[0])])
        return [table for table in [mine] + self.tables(data) if table.rows]


QUESTIONS = (
    Question("launch", "How long does a launch take?",
             ("kernel_init", "services", "timeline", "kernel_init" + COUNTED,
              "services" + COUNTED, "timeline" + COUNTED),
             r"(vmlinux_)?launch_",
             lambda data: [boot_table(data.boot, ""),
                           boot_table(data.boot_counted, COUNTING)]),
    Question("load", "What does loading cost?", (), r"(load|load_unchecked|copy)_over_",
             lambda data: [formats_table(data.formats_counted)]),
    Question("many", "How many nodes, and how long do they take?",
             ("curve", "ratios", "parallel2", "parallel8"),
             r"(parallel|list)\d|nodes_up|tries_",
             lambda data: [nodes_table(data), many_table(data)]),
    Question("ends", "How long does an end take?", ("ends",),
             r"own_reboot|stop_|panic_", lambda data: [ends_table(data)]),
    Question("cost", "What does a node cost the others?", (),
             r"node_min|ioapic_lock", lambda data: []),
    Question("moves", "How long does it take to move a thing between running nodes?",
             ("moves_timeline", "moves", "moves" + COUNTED + "_timeline",
              "moves" + COUNTED), r"(core|memory|nic)_move_", lambda data: [
                  moves_table(data.moves, ""),
                  moves_table(data.moves_counted, COUNTING),
                  stalls_table(data.moves, ""),
                  stalls_table(data.moves_counted, COUNTING)]),
    Question("broker", "Does it pay that cores follow the load?",
             ("broker_makespan", "broker", "broker_bursts", "broker_four_makespan",
              "broker_four", "broker_four_bursts"), r"broker_",
             lambda data: broker_tables(data.broker, "two")
             + broker_tables(data.broker_four, "four")),
    Question("links", "How fast do nodes talk?", ("links", "links" + COUNTED),
             r"link_|bells_|served_", lambda data: [
                 links_table(data.links, ""),
                 links_table(data.links_counted, COUNTING)]),
    Question("speed", "How fast does a node run?", ("speed", "speed" + COUNTED),
             r"(?!(core|memory|nic)_move_|broker_).*_over_(stock|one)|.*control",
             lambda data: speed_tables(data.speed, "")
             + speed_tables(data.speed_counted, COUNTING)),
    Question("seams", "How much of other people's code is changed?", (),
             r"seam_", lambda data: [
                 seams_table(data, "linux", (
                     ("all of Mint", "304", "22"),
                     ("launch of a successor", "55", "6"),
                     ("parallel boot", "18", "1"), ("64 bits", "43", "5"))),
                 seams_table(data, "kexec-tools", (
                     ("launch (of 10,047 lines)", "130", "9"),
                     ("parallel boot", "4", "3"), ("64 bits", "8", "5")))]),
)


# ---- the page ----------------------------------------------------------------

TEMPLATES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "report")


def filled(name, /, **fields):
    """A template with its fields, which are HTML."""
    with open(os.path.join(TEMPLATES, name + ".html"), encoding="utf-8") as file:
        return string.Template(file.read()).substitute(fields)


def cells(row, kind="td"):
    """The cells of a row; numbers to the right."""
    text = ""
    for cell in row:
        numeric = kind == "td" and re.fullmatch(r"[-\d.]+( (s|ms|%))?", cell)
        text += "<%s%s>%s</%s>" % (kind, ' class="n"' if numeric else "",
                                   html.escape(cell), kind)
    return text


def html_table(table):
    """A table as a part of the page."""
    return filled("table", title=html.escape(table.title),
                  head=cells(table.head, "th"),
                  rows="\n".join("<tr>%s</tr>" % cells(row)
                                 for row in table.rows))


def page(data, rows, plots):
    """The report as one page of HTML: what was measured, by question."""
    made = {name for name, _ in plots.made}
    sections = []
    for question in QUESTIONS:
        pictures = [plots.svg(name) for name in question.pictures if name in made]
        tables = question.answer(data, rows)
        if pictures or tables:
            sections.append(filled(
                "question", title=html.escape(question.title),
                pictures="\n".join("<p>%s</p>" % text for text in pictures),
                tables="\n".join(html_table(table) for table in tables)))
    return filled("page", questions="\n".join(sections), configurations="\n".join(
        filled("configuration", name=numbers.name, text=html.escape(numbers.config))
        for numbers in vars(data).values() if numbers.config))


def write(out):
    """Summary, plots and page from whatever was measured so far."""
    data = Data(out)
    rows = summary(data)
    write_summary(out, rows)
    plots = draw(out, data)
    path = os.path.join(out, "report.html")
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(page(data, rows, plots))
    os.replace(path + ".new", path)
