# SPDX-License-Identifier: GPL-2.0
config MINT
	bool "Mint: launch further kernels on spare cores"
	depends on X86_64 && SMP && X86_IO_APIC && KEXEC && HOTPLUG_CPU && RELOCATABLE
	depends on ACPI_HOTPLUG_CPU && MEMORY_HOTREMOVE && CONTIG_ALLOC
	depends on !MICROCODE_LATE_LOADING
	select STRICT_DEVMEM if DEVMEM
	help
	  Run several kernels on one machine at once, without a hypervisor, each
	  with cores, memory and devices of its own. One image serves as the
	  predecessor, which is booted with mint.mem=, and as successors, which
	  the predecessor launches with kexec --mint-cpu=<local APIC ID>.

	  Without a mint.* parameter and without a hand-over from another
	  kernel, this kernel runs as if the option were off.

	  Nothing in hardware keeps the kernels apart: each of them is trusted.

	  If unsure, say N.

config MINT_NET
	bool "Network between nodes"
	depends on MINT && NET
	default y
	help
	  A network device mint<n> for each node with which this one has a link:
	  frames go through memory that both share, and an interrupt tells
	  when there are any. Links are asked for at a launch, by mint.links=;
	  without that a node has one to node 0.

	  If unsure, say Y.

config MINT_SHARE
	bool "Memory shared by processes of several nodes"
	depends on MINT && UIO=y
	default y
	help
	  A UIO device for each piece of shared memory that mint.share= names at
	  a launch: processes of its nodes map it, and ring each other.

	  If unsure, say Y.

config MINT_PROVOKE
	bool "Break a successor on request, for tests"
	depends on MINT && DEBUG_FS
	help
	  Gives successors /sys/kernel/debug/mint/provoke, by which root makes
	  this kernel hang, oops, or scribble over what it shares with others.
	  The selftests use it to see that the other nodes live on.

	  Say N for anything but tests.

config MINT_KUNIT_TEST
	bool "KUnit tests of Mint" if !KUNIT_ALL_TESTS
	depends on MINT && KUNIT=y
	default KUNIT_ALL_TESTS
	help
	  Tests of the parts of Mint that need no second kernel: command line,
	  layouts, arithmetic with IDs, rings. They run at boot, in a kernel
	  that is not a successor, if kunit.enable=1 is on its command line.

	  If unsure, say N.
