/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Mint: what kernels of one machine, and their launcher, agree on.
 *
 * Two structures are an ABI:
 *
 *  - struct mint_handover, the request that kexec(8) hands to kexec_load()
 *    with KEXEC_MINT, and the setup_data node that the successor finds;
 *  - struct mint_common, the head of the common area, in which kernels of
 *    different versions, configurations and widths meet.
 *
 * All fields have a fixed width and the same offset on 32 and 64 bits, there
 * are no pointers, addresses are physical. Who reads a field that a peer
 * wrote checks it first. Fields are only ever added at the end of a
 * structure; anything else moves MINT_VERSION_MAJOR.
 */
#ifndef _UAPI_ASM_X86_MINT_H
#define _UAPI_ASM_X86_MINT_H

#define MINT_MAGIC		0x544e494d	/* "MINT" */
#define MINT_VERSION_MAJOR	1
#define MINT_VERSION_MINOR	7
#define MINT_VERSION		((MINT_VERSION_MAJOR << 16) | MINT_VERSION_MINOR)

/* boot_params.hdr.setup_data type of the hand-over */
#define SETUP_MINT		0x4d696e74

/*
 * What marks an image as one with Mint, struct mint_mark: in a bzImage the
 * first chunk of kernel_info's variable-length data, in a vmlinux an ELF note
 * of type 1 with the name "Mint". Both start with these sixteen bytes.
 */
#define MINT_MARKER		"Mint image mark\n"
#define MINT_MARKER_LEN		16
#define MINT_MARKER_64BIT	0x1
#define MINT_MARKER_5LEVEL	0x2

/* Offsets and sizes that assembly code uses, checked in mint/area/common.c */
#define MINT_CORE_APIC_ID	0
#define MINT_CORE_STATE		8
#define MINT_CORE_MODE		12
#define MINT_CORE_ENTRY		16
#define MINT_CORE_ARG		24
#define MINT_CORE_CR3		32
#define MINT_CORE_CR4		40
#define MINT_CORE_EFER		44
#define MINT_CORE_TSC_GATEWAY	48
#define MINT_CORE_TSC_LEFT	56
#define MINT_CORE_SIZE		512

#define MINT_KEPT_ENTRY		8
#define MINT_KEPT_COUNT		16
#define MINT_KEPT_SEGMENTS	32
#define MINT_SEGMENT_TO		0
#define MINT_SEGMENT_FROM	8
#define MINT_SEGMENT_BYTES	16
#define MINT_SEGMENT_ZERO	24
#define MINT_SEGMENT_SIZE	32

/* States of a core, as its record tells them */
#define MINT_CORE_UNUSED	0	/* never started through the gateway */
#define MINT_CORE_START		1	/* entry published, start-up sent */
#define MINT_CORE_PASSED	2	/* left the gateway for its entry */
#define MINT_CORE_PARKED	3	/* halted in the gateway page */

/* Modes in which a core leaves the gateway */
#define MINT_MODE_32		32	/* protected mode, flat, no paging */
#define MINT_MODE_64		64	/* long mode, identity map */

#ifndef __ASSEMBLY__

#include <linux/types.h>

#define MINT_NODE_FREE		0xffffffffU	/* owner: nobody */
#define MINT_NODE_FLIGHT	0xfffffffeU	/* owner: changing hands */
#define MINT_NODE_MAX		1024

#define MINT_NAME_LEN		32
#define MINT_CMDLINE_LEN	2048
#define MINT_REPORT_LEN		512
#define MINT_REASON_LEN		96
#define MINT_RANGES_MAX		16
#define MINT_DEVICES_MAX	32

/**
 * struct mint_mark - what marks an image as one with Mint
 * @text:	MINT_MARKER, without a NUL
 * @version:	MINT_VERSION of the kernel in it
 * @flags:	MINT_MARKER_*
 */
struct mint_mark {
	char	text[MINT_MARKER_LEN];
	__u32	version;
	__u32	flags;
};

/**
 * struct mint_range - a range of physical memory
 * @start:	first byte
 * @size:	bytes
 */
struct mint_range {
	__aligned_u64	start;
	__aligned_u64	size;
};

/* Kinds of devices */
#define MINT_DEV_PCI		1
#define MINT_DEV_LEGACY		2
#define MINT_DEV_BRIDGE		3	/* above an owned function, read-only */

/* Numbers of legacy devices; bits of a mask where many are meant */
#define MINT_LEGACY_COM1	0
#define MINT_LEGACY_COM2	1
#define MINT_LEGACY_COM3	2
#define MINT_LEGACY_COM4	3
#define MINT_LEGACY_I8042	4
#define MINT_LEGACY_VGA		5
#define MINT_LEGACY_RTC		6
#define MINT_LEGACY_COUNT	7

/* mint_device.irq_flags */
#define MINT_IRQ_VALID		0x1	/* gsi is the function's INTx */
#define MINT_IRQ_LEVEL		0x2
#define MINT_IRQ_ACTIVE_LOW	0x4
#define MINT_IRQ_SHARED		0x8	/* gsi is node 0's, which passes it on */
#define MINT_IRQ_ISA_SHIFT	8		/* ISA IRQ of a legacy device */

/**
 * struct mint_device - a device that a node owns
 * @kind:	MINT_DEV_*
 * @id:		PCI: segment << 16 | bus << 8 | devfn; legacy: MINT_LEGACY_*
 * @gsi:	global system interrupt of its line, if @irq_flags says so;
 *		a device with two lines has two records
 * @irq_flags:	MINT_IRQ_*
 */
struct mint_device {
	__u32	kind;
	__u32	id;
	__u32	gsi;
	__u32	irq_flags;
};

/* mint_handover.op: what a call of kexec_load() asks for */
#define MINT_OP_LOAD		0x1
#define MINT_OP_START		0x2
#define MINT_OP_UNLOAD		0x4
#define MINT_OP_REBOOT		0x8	/* in a successor: for its next reboot */

/**
 * struct mint_handover - launch request, then setup_data of the successor
 * @next:	setup_data: physical address of the next node, or 0
 * @type:	setup_data: SETUP_MINT
 * @len:	setup_data: bytes that follow this field
 * @magic:	MINT_MAGIC
 * @version:	MINT_VERSION of who filled it
 * @op:		MINT_OP_*; LOAD and START may be together, no others
 * @boot_apic_id: APIC ID of the core on which the successor starts
 * @entry:	physical address of the 64-bit entry (purgatory) within a segment
 * @boot_params: physical address of struct boot_params within a segment
 * @marker:	physical address of MINT_MARKER within a segment
 * @mem_min:	first byte of the successor's first memory range
 * @mem_max:	last byte of it
 * @common:	reply: physical address of the common area
 * @node:	reply: number of the node
 * @legacy:	reply: mask of 1 << MINT_LEGACY_* that the node owns
 * @cmdline:	reply: the command line that the successor gets
 * @report:	reply: why the request was refused, as one line of text
 * @tsc_khz:	reply: frequency of the TSC, kHz
 * @reserved:	0
 * @wall_ns:	reply: wall clock, ns since 1970, when the TSC was @wall_tsc
 * @wall_tsc:	reply: TSC at @wall_ns
 * @kept:	reply: physical address of the image kept for an own reboot, or 0
 * @kept_size:	reply: bytes there, whole pages
 *
 * kexec_load(@entry of the system call) is the address at which the segment
 * that holds this structure goes; START and UNLOAD alone take that segment
 * only. Cores, further memory and devices come from the command line:
 * mint.cpus= or maxcpus=, mint.mem=, mint.devices=, mint.name=.
 */
struct mint_handover {
	__aligned_u64	next;
	__u32		type;
	__u32		len;
	__u32		magic;
	__u32		version;
	__u32		op;
	__u32		boot_apic_id;
	__aligned_u64	entry;
	__aligned_u64	boot_params;
	__aligned_u64	marker;
	__aligned_u64	mem_min;
	__aligned_u64	mem_max;
	__aligned_u64	common;
	__u32		node;
	__u32		legacy;
	char		cmdline[MINT_CMDLINE_LEN];
	char		report[MINT_REPORT_LEN];
	__u32		tsc_khz;
	__u32		reserved;
	__aligned_u64	wall_ns;
	__aligned_u64	wall_tsc;
	__aligned_u64	kept;
	__aligned_u64	kept_size;
};

/**
 * struct mint_segment - a part of a kept image
 * @to:		physical address at which the kernel expects it, whole pages
 * @from:	physical address at which it is kept, whole pages
 * @bytes:	to be copied, a multiple of 8
 * @zero:	bytes of zeroes behind them, a multiple of 8
 */
struct mint_segment {
	__aligned_u64	to;
	__aligned_u64	from;
	__aligned_u64	bytes;
	__aligned_u64	zero;
};

#define MINT_SEGMENTS_MAX	16

/**
 * struct mint_kept - an image that waits for its node's own reboot
 * @magic:	MINT_MAGIC
 * @version:	MINT_VERSION of who wrote it
 * @entry:	physical address of the 64-bit entry
 * @count:	used entries of @segment
 * @levels:	levels of page tables with which the image is entered
 * @reserved:	0
 * @segment:	its parts, ready to run: what the launcher filled in is filled in
 *
 * It lies in the node's own memory, which the memory map of the node calls
 * reserved there, and is followed by the segments' bytes.
 */
struct mint_kept {
	__u32			magic;
	__u32			version;
	__aligned_u64		entry;
	__u32			count;
	__u32			levels;
	__aligned_u64		reserved;
	struct mint_segment	segment[MINT_SEGMENTS_MAX];
};

/**
 * struct mint_core - a core of the machine, named by its APIC ID
 * @apic_id:	32-bit local APIC ID
 * @owner:	node, MINT_NODE_FREE or MINT_NODE_FLIGHT
 * @state:	MINT_CORE_*
 * @mode:	MINT_MODE_* in which it leaves the gateway
 * @entry:	where it goes then; virtual under @cr3
 * @arg:	%rsi there
 * @cr3:	page tables to load last, 0: stay in the identity map
 * @cr4:	CR4 before paging is switched on (PAE, LA57)
 * @efer:	EFER bits beside LME
 * @tsc_gateway: TSC when it last entered the gateway
 * @tsc_left:	TSC when it last left it
 * @stack:	stack until the core has its own; while parked, for NMIs
 */
struct mint_core {
	__u32		apic_id;
	__u32		owner;
	__u32		state;
	__u32		mode;
	__aligned_u64	entry;
	__aligned_u64	arg;
	__aligned_u64	cr3;
	__u32		cr4;
	__u32		efer;
	__aligned_u64	tsc_gateway;
	__aligned_u64	tsc_left;
	__aligned_u64	stack[56];
};

/* States of a node */
#define MINT_STATE_NONE		0	/* record not in use */
#define MINT_STATE_LOADED	1	/* resources claimed, image in place */
#define MINT_STATE_STARTING	2	/* its kernel takes no NMI yet */
#define MINT_STATE_RUNNING	3	/* its kernel is up, init may not be yet */
#define MINT_STATE_ENDED	4	/* left by itself, or stopped by node 0 */
#define MINT_STATE_PANICKED	5
/* In no record: what others find out about a node */
#define MINT_STATE_SILENT	6	/* no heartbeat */
#define MINT_STATE_ENDING	7	/* over, and being taken back */
#define MINT_STATE_QUARANTINE	8	/* over, with cores not proven parked */

/* mint_node.request: what node 0 asks of a successor */
#define MINT_REQUEST_NONE	0
#define MINT_REQUEST_POWEROFF	1	/* orderly, by its user space */
#define MINT_REQUEST_PARK	2	/* at once, by its kernel */

/**
 * struct mint_node - a node
 * @state:	MINT_STATE_*
 * @boots:	kernels that this record has seen start
 * @boot_apic_id: APIC ID of its boot core
 * @request:	MINT_REQUEST_*, written by node 0, stands until the node ends
 * @heartbeat:	counts up while the node lives
 * @handover:	physical address of its hand-over, 0 for node 0
 * @legacy:	mask of 1 << MINT_LEGACY_*
 * @nr_mem:	used entries of @mem
 * @nr_devices:	used entries of @devices
 * @returns_ms:	with MINT_STATE_PANICKED: it starts again by itself within
 *		this time, ms; 0: it does not
 * @mem:	its memory
 * @devices:	its PCI functions and legacy devices
 * @name:	as given by mint.name=, terminated by a NUL
 * @since_ns:	wall clock when @state was written, ns since 1970
 * @reason:	why it is in @state, as a text of one line
 *
 * The node itself writes @state, @boots, @heartbeat, @since_ns and @reason
 * once it runs. Node 0 writes all of it and keeps what it has to rely on in
 * memory of its own.
 */
struct mint_node {
	__u32			state;
	__u32			boots;
	__u32			boot_apic_id;
	__u32			request;
	__aligned_u64		heartbeat;
	__aligned_u64		handover;
	__u32			legacy;
	__u32			nr_mem;
	__u32			nr_devices;
	__u32			returns_ms;
	struct mint_range	mem[MINT_RANGES_MAX];
	struct mint_device	devices[MINT_DEVICES_MAX];
	char			name[MINT_NAME_LEN];
	__aligned_u64		since_ns;
	char			reason[MINT_REASON_LEN];
};

/* Why a node is rung, bits of mint_bell.causes */
#define MINT_BELL_NODE		0	/* a state, or what is asked of a node */
#define MINT_BELL_TERMINAL	1	/* rings OUT or IN */
#define MINT_BELL_LINES		2	/* interrupt lines that are passed on */
#define MINT_BELL_MOVE		3	/* records of moves; since version 1.5 */
#define MINT_BELL_LINK		4	/* links; since version 1.5 */
#define MINT_BELL_SHARE		5	/* shares; since version 1.7 */
#define MINT_BELL_COUNT		6

/* In mint_common.bell_cores: the node does not say */
#define MINT_BELL_NOWHERE	0xffffffff

/**
 * struct mint_bell - what a core is called for
 * @causes:	1 << MINT_BELL_*, set by callers, all taken at once by the core
 * @reserved:	0; a cache line of its own
 */
struct mint_bell {
	__aligned_u64	causes;
	__aligned_u64	reserved[7];
};

/* Rings of a node, in the order of mint_rings.ring */
#define MINT_RING_LOG		0	/* kernel log, from node to node 0 */
#define MINT_RING_OUT		1	/* terminal, from node to node 0 */
#define MINT_RING_IN		2	/* terminal, from node 0 to node */
#define MINT_RING_COUNT		3

/* A writer advances the head at the latest after so many bytes */
#define MINT_RING_CHUNK		1024

/**
 * struct mint_ring - a stream of bytes with one writer
 * @head:	bytes ever written: the next goes to @head modulo the size
 * @tail:	bytes that the reader has taken, where it says so
 * @open:	not 0 while a reader wants a doorbell for new bytes
 * @reserved:	0
 *
 * The writer overwrites what is old, at most MINT_RING_CHUNK bytes before it
 * says so in @head. A reader copies, then reads @head again: what is further
 * behind it than the size less MINT_RING_CHUNK may have been overwritten
 * meanwhile. A writer for whom a reader shall miss nothing keeps to that, too.
 */
struct mint_ring {
	__aligned_u64	head;
	__aligned_u64	tail;
	__u32		open;
	__u32		reserved[11];
};

/**
 * struct mint_rings - the rings of a node
 * @ring:	one for each MINT_RING_*
 *
 * The bytes of the rings follow, one after the other, in the same order; their
 * sizes are those of mint_common.ring_size.
 */
struct mint_rings {
	struct mint_ring	ring[MINT_RING_COUNT];
};

/* Phases of a launch, in the order in which they are reached */
#define MINT_TIME_LOAD		0	/* kexec_load() was called */
#define MINT_TIME_COPY		1	/* all is checked and claimed */
#define MINT_TIME_LOADED	2	/* the image is in its place */
#define MINT_TIME_START		3	/* kexec_load() was called to start it */
#define MINT_TIME_IPI		4	/* INIT and STARTUP are about to be sent */
#define MINT_TIME_GATEWAY	5	/* first instruction of the core */
#define MINT_TIME_PURGATORY	6	/* the core leaves the gateway */
#define MINT_TIME_DECOMPRESSOR	7	/* before the kernel is decompressed */
#define MINT_TIME_START_KERNEL	8	/* early in setup_arch() */
#define MINT_TIME_KERNEL_INIT	9	/* first initcall of that thread */
#define MINT_TIME_INITCALLS	10	/* the last initcall */
#define MINT_TIME_INIT		11	/* user space says: first line of init */
#define MINT_TIME_SERVICES	12	/* user space says: last service */
#define MINT_TIME_MARK		13	/* user space says: now */
#define MINT_TIME_COUNT		14

/* Where in boot_params._pad9 the decompressor leaves its stamp */
#define MINT_TIME_BOOT_PARAMS	268

/**
 * struct mint_timing - when a node reached which phase
 * @tsc:	TSC by MINT_TIME_*, 0 where it did not or could not tell
 */
struct mint_timing {
	__aligned_u64	tsc[16];
};

/* mint_map.flags */
#define MINT_MAP_WITHHELD	0x1

/**
 * struct mint_map - an entry of the machine's memory map
 * @start:	first byte
 * @size:	bytes
 * @type:	E820 type
 * @flags:	MINT_MAP_*; WITHHELD: the firmware calls it usable, but node 0
 *		reserved it when it booted; since version 1.3, 0 before
 */
struct mint_map {
	__aligned_u64	start;
	__aligned_u64	size;
	__u32		type;
	__u32		flags;
};

/**
 * struct mint_ioapic - an I/O APIC of the machine
 * @id:		its ID register
 * @addr:	physical address of its registers
 * @gsi_base:	first global system interrupt
 * @nr_pins:	number of pins
 */
struct mint_ioapic {
	__u32	id;
	__u32	addr;
	__u32	gsi_base;
	__u32	nr_pins;
};

/**
 * struct mint_ecam - a window of PCI configuration space
 * @base:	physical address of bus 0 in the window
 * @segment:	PCI segment (domain)
 * @start_bus:	first bus
 * @end_bus:	last bus
 * @reserved:	0
 */
struct mint_ecam {
	__aligned_u64	base;
	__u16		segment;
	__u8		start_bus;
	__u8		end_bus;
	__u32		reserved;
};

/* mint_vf.flags */
#define MINT_VF_VALID		0x1		/* a virtual function */
#define MINT_VF_BARS		0x2		/* any other one; since 1.3 */

/* mint_vf.rom */
#define MINT_VF_ROM_ADDRESS	0xfffff800
#define MINT_VF_ROM_SIZE	0x1f		/* its logarithm to base 2 */

/**
 * struct mint_vf - where node 0 has put a function
 * @id:		that of the device to which this belongs
 * @flags:	MINT_VF_*, one of them, or 0: nothing is known
 * @vendor:	of a virtual function, which does not say so itself: vendor ID,
 *		which its physical function has
 * @device:	the same: device ID, from the capability of its physical function
 * @rom:	MINT_VF_ROM_*, 0 where there is none; since version 1.3
 * @bar:	its base address registers
 * @mask:	what they read after all ones were written, 0 where there is none
 */
struct mint_vf {
	__u32	id;
	__u32	flags;
	__u16	vendor;
	__u16	device;
	__u32	rom;
	__u32	bar[6];
	__u32	mask[6];
};

/* Kinds of things that move between running nodes: mint_move.kind */
#define MINT_MOVE_CORE		1	/* start: APIC ID, size: how many IDs */
#define MINT_MOVE_MEMORY	2	/* start, size: bytes */
#define MINT_MOVE_FUNCTION	3	/* start: as mint_device.id, size: 1 */

/* What a move has come to, low byte of mint_move.turn. The owner is .. */
#define MINT_TURN_NONE		0	/* no move */
#define MINT_TURN_OFFERED	1	/* from: asked by node 0 to give it up */
#define MINT_TURN_GIVING	2	/* from: on it */
#define MINT_TURN_GIVEN		3	/* in flight: from does not use it */
#define MINT_TURN_CLEARED	4	/* to: node 0 found it at rest */
#define MINT_TURN_TAKING	5	/* to: on it */
#define MINT_TURN_TAKEN		6	/* to: uses it */
#define MINT_TURN_REFUSED	7	/* from: keeps it, see error */
#define MINT_TURN_DECLINED	8	/* to: does not use it, see error; from: keeps a part */
#define MINT_TURN_REVOKED	9	/* as before: node 0 has called it off */

#define MINT_TURN_STATE(turn)	((turn) & 0xff)
#define MINT_TURN_SEQ(turn)	((turn) >> 8)
#define MINT_TURN(seq, state)	((seq) << 8 | (state))

#define MINT_MOVES		32
#define MINT_MOVE_REASON	160

/**
 * struct mint_move - a thing on its way from one running node to another
 * @turn:	sequence number << 8 | MINT_TURN_*; changed by compare-and-exchange
 *		only, by the party whose turn it is
 * @kind:	MINT_MOVE_*
 * @from:	the node that gives it, or MINT_NODE_FREE
 * @to:		the node that gets it, or MINT_NODE_FREE
 * @start:	what it is, as @kind says
 * @size:	how much of it, as @kind says
 * @reserved:	0
 * @error:	a negative error number, by who refuses or declines
 * @reason:	why, one line, by the same
 *
 * All but @turn, @error and @reason is node 0's to write, while the turn
 * is NONE. Node 0 goes by a copy of its own.
 */
struct mint_move {
	__u32		turn;
	__u32		kind;
	__u32		from;
	__u32		to;
	__aligned_u64	start;
	__aligned_u64	size;
	__u32		reserved;
	__s32		error;
	char		reason[MINT_MOVE_REASON];
};

#define MINT_WISH_LEN		64

/**
 * struct mint_wish - what a successor asks node 0 to move
 * @seq:	counts its wishes, written by the node after @text
 * @reserved:	0
 * @text:	as written to its /sys/kernel/mint/move, with a NUL at the end
 * @answered:	the wish that node 0 has dealt with, written by node 0 after the
 *		rest
 * @error:	0, or a negative error number
 * @reason:	why, one line
 */
struct mint_wish {
	__u32		seq;
	__u32		reserved;
	char		text[MINT_WISH_LEN];
	__u32		answered;
	__s32		error;
	char		reason[MINT_MOVE_REASON];
};

/* mint_peer.flags */
#define MINT_PEER_TOLD		0x1	/* the other flags are valid */
#define MINT_PEER_BOUNCES	0x2	/* it has bounce buffers below 4 GiB */

/**
 * struct mint_peer - what a node says of itself to who moves things
 * @can:	1 << MINT_MOVE_*: its kernel gives and takes such things now
 * @flags:	MINT_PEER_*, written before @can; since version 1.7, 0 before
 * @phys_end:	no memory from there on can be added to it, bytes
 * @reserved2:	0; a cache line of its own
 */
struct mint_peer {
	__u32		can;
	__u32		flags;
	__aligned_u64	phys_end;
	__aligned_u64	reserved2[6];
};

/* mint_load.flags */
#define MINT_LOAD_REBOOT	0x1	/* it reboots when node 0 asks for that */
#define MINT_LOAD_KEPT		0x2	/* it has an image to reboot with */

#define MINT_WANT_LEN		96

/**
 * struct mint_load - what a node says of its load, and what it wants
 * @cpus:	CPUs that it has online; 0: its kernel says nothing here
 * @beats:	counts its heartbeats
 * @runnable_sum: tasks that were running or waited for a CPU at each beat, summed
 * @busy_ms:	time for which its CPUs were not idle, summed
 * @mem_mib:	memory that its kernel manages, MiB
 * @available_mib: as MemAvailable of /proc/meminfo, MiB
 * @flags:	MINT_LOAD_*
 * @want_seq:	odd while @want changes
 * @want:	one line of text for whom it may concern, with a NUL at the end
 *
 * The node writes it with each heartbeat. Counters wrap; nobody sets them back,
 * so that the difference of two looks is always right.
 */
struct mint_load {
	__u32	cpus;
	__u32	beats;
	__u32	runnable_sum;
	__u32	busy_ms;
	__u32	mem_mib;
	__u32	available_mib;
	__u32	flags;
	__u32	want_seq;
	char	want[MINT_WANT_LEN];
};

/**
 * struct mint_stall - for how long tasks of a node waited for what it lacks
 * @told:	1: its kernel counts the following; 0: it does not
 * @cpu_ms:	time in which at least one task waited for a CPU, summed
 * @memory_ms:	likewise for memory
 * @io_ms:	likewise for a device
 *
 * The node writes it with each heartbeat, as its "pressure stall information" has
 * it, which is some two seconds old at most. Counters wrap; nobody sets them back.
 */
struct mint_stall {
	__u32	told;
	__u32	cpu_ms;
	__u32	memory_ms;
	__u32	io_ms;
};

/**
 * struct mint_life - one of the nodes that a number may have had
 * @incarnation: counts the nodes that had this number
 * @reboots:	counts the reboots that node 0 has asked for
 * @reserved:	0
 */
struct mint_life {
	__aligned_u64	incarnation;
	__u32		reboots;
	__u32		reserved;
};

/* What a window is for: mint_window.kind */
#define MINT_WINDOW_LINK	1	/* a network device at either end */

/* mint_window.state */
#define MINT_WINDOW_FREE	0	/* no member uses it */
#define MINT_WINDOW_OPEN	1	/* its members may map it */
#define MINT_WINDOW_CLOSED	2	/* a member has ended: the other one leaves */

/* Each window has so many members; each has a page there, its end */
#define MINT_WINDOW_MEMBERS	2
#define MINT_END_SIZE		4096

/**
 * struct mint_window - a part of the shared memory, for some nodes
 * @state:	MINT_WINDOW_*
 * @kind:	MINT_WINDOW_LINK
 * @epoch:	counts the uses of this record, from 1 on
 * @gone:	bits, by index: members for which node 0 waits no more; since
 *		version 1.7
 * @member:	nodes that may map it, ascending
 * @start:	physical address of its first byte, whole pages
 * @size:	bytes, whole pages
 * @reserved2:	0; a cache line of its own
 *
 * Node 0 alone writes it, @state last. A member maps the window while it is
 * OPEN, and once it is not writes @epoch to mint_end.left, as its last access.
 */
struct mint_window {
	__u32		state;
	__u32		kind;
	__u32		epoch;
	__u32		gone;
	__u32		member[MINT_WINDOW_MEMBERS];
	__aligned_u64	start;
	__aligned_u64	size;
	__aligned_u64	reserved2[3];
};

/**
 * struct mint_end - what one member of a window says there
 * @left:	epoch of the window when this member left it; node 0 writes 0 before it
 *		closes the window
 * @nonce:	differs each time this member begins anew; 0: not there
 * @echo:	nonce of the other member, for which this one is ready
 * @reserved:	0
 * @head:	the next byte of its ring that this member writes
 * @stalled:	not 0 while it waits for room there, and wants a bell
 * @reserved2:	0
 * @tail:	the next byte of the other ring that this member reads
 * @wake:	it wants a bell once that ring's head passes this byte; 0xffffffff,
 *		or any offset that cannot be: none
 * @reserved3:	0
 *
 * The page i * MINT_END_SIZE of a window is that of member i, which alone
 * writes there, but for @left. Half of what follows both is the ring that
 * member 0 writes, the other half that of member 1. Offsets into rings are
 * multiples of MINT_LINK_ALIGN below the size; head and tail are the same when
 * it is empty. They count from 0 for each pair of nonces, and neither side
 * reads or writes a ring before both are echoed.
 */
struct mint_end {
	__u32	left;
	__u32	nonce;
	__u32	echo;
	__u32	reserved[13];
	__u32	head;
	__u32	stalled;
	__u32	reserved2[14];
	__u32	tail;
	__u32	wake;
	__u32	reserved3[14];
};

/* A link's window, and where frames begin in its rings */
#define MINT_LINK_SIZE		0x100000
#define MINT_LINK_ALIGN		64

/* The longest frame, and so a segment of TCP that is cut at the other end */
#define MINT_LINK_FRAME		(65536 + 64)

/**
 * struct mint_frame - what precedes an Ethernet frame in a ring
 * @len:	bytes of the frame, which follow without a gap
 * @header:	struct virtio_net_hdr of version 1, little-endian
 * @reserved:	0
 */
struct mint_frame {
	__u32	len;
	__u8	header[10];
	__u16	reserved;
};

/* So many windows may have a name, bits of mint_common.share_rings */
#define MINT_SHARES		16

/**
 * struct mint_share - a window with a name, for processes
 * @state:	MINT_WINDOW_*; CLOSED: no member but node 0 is left
 * @reserved:	0
 * @start:	physical address of its first byte, whole pages
 * @size:	bytes, whole pages
 * @name:	what members call it, ends with a NUL
 * @reserved2:	0; a cache line of its own
 *
 * Node 0 alone writes it, @state last. A successor that is a member is one until
 * it has ended, with its cores proven parked.
 */
struct mint_share {
	__u32		state;
	__u32		reserved;
	__aligned_u64	start;
	__aligned_u64	size;
	char		name[MINT_NAME_LEN];
	__aligned_u64	reserved2;
};

/* mint_common.clock_flags */
#define MINT_CLOCK_DOUBTED	0x1	/* node 0 finds the TSC unstable */
#define MINT_CLOCK_ADJUST	0x2	/* tsc_adjust is valid */

/**
 * struct mint_lock - a lock that every kernel of the machine takes
 * @word:	low half: 0, or APIC ID + 1 of the core that holds it; high half:
 *		counts the holders. Both change together, by one
 *		compare-and-exchange.
 */
struct mint_lock {
	__aligned_u64	word;
};

/**
 * struct mint_table - where a table of records lies
 * @offset:	bytes from the start of the common area
 * @stride:	bytes from one record to the next
 * @count:	records
 */
struct mint_table {
	__u32	offset;
	__u32	stride;
	__u32	count;
};

/**
 * struct mint_common - head of the common area
 * @magic:	MINT_MAGIC
 * @version:	MINT_VERSION of the kernel that made it
 * @size:	bytes of the whole area
 * @cores:	struct mint_core, ascending APIC ID
 * @nodes:	struct mint_node, indexed by node number
 * @map:	struct mint_map, firmware memory map, ascending, less what node 0
 *		reserved at its boot
 * @ioapics:	struct mint_ioapic
 * @pins:	u32 owner (node), indexed by GSI
 * @ecam:	struct mint_ecam
 * @roots:	u32 root buses, segment << 8 | bus
 * @bsp_apic_id: APIC ID of the core that INIT must never reach
 * @lapic_khz:	frequency of the local APIC timer, kHz
 * @lapic_addr:	physical address of the local APICs
 * @beat_ms:	period of the heartbeat, ms
 * @reserved:	0
 * @gateway:	physical address of the gateway page, below 1 MiB
 * @park:	entry of the park loop in the gateway page
 * @pml4:	identity map, four levels, below 4 GiB
 * @pml5:	identity map, five levels, below 4 GiB; 0 without LA57
 * @ioapic_lock: around index and data register of every I/O APIC
 * @pci_lock:	around index and data port CF8/CFC
 * @rings:	struct mint_rings, indexed by node number
 * @ring_size:	bytes of each ring's data, a power of two
 * @restart:	entry of the restart loop in the gateway page, from a kernel
 * @restart_entry: the same for a core that comes out of the gateway
 * @lines:	bits, a row for each node: GSIs that node 0 passes on to it and
 *		that it has not looked at yet
 * @timing:	struct mint_timing, indexed by node number
 * @vfs:	struct mint_vf, MINT_DEVICES_MAX for each node, in the order of
 *		mint_node.devices; since version 1.2
 * @microcode:	revision of the microcode of node 0's cores; this and all that
 *		follows: since version 1.3
 * @clock_flags: MINT_CLOCK_*
 * @reserved2:	0
 * @tsc_adjust:	TSC_ADJUST of node 0's cores, signed
 * @bells:	struct mint_bell, in the order of @cores; this and all that
 *		follows: since version 1.4
 * @bell_cores:	u32 APIC ID of the core on which a node takes its bells, indexed
 *		by node number; MINT_BELL_NOWHERE
 * @callers:	bits, a row for each MINT_BELL_*: the nodes that rang node 0
 * @moves:	struct mint_move; this and all that follows: since version 1.5
 * @peers:	struct mint_peer, indexed by node number
 * @spares:	bits, a row for each node: the cores, in the order of @cores, that
 *		it has or could take; written by the node
 * @wishes:	struct mint_wish, indexed by node number
 * @windows:	struct mint_window
 * @shared:	memory that windows are parts of, outside of this area
 * @window_changes: counts the changes of @windows
 * @loads:	struct mint_load, indexed by node number; this and all that
 *		follows: since version 1.6
 * @lives:	struct mint_life, indexed by node number
 * @generation:	counts what happens to nodes: they come, go, change their state
 *		or what they own
 * @stalls:	struct mint_stall, indexed by node number; this and all that
 *		follows: since version 1.7
 * @shares:	struct mint_share
 * @share_members: bits, a row for each share: the nodes that may map it
 * @share_rings: u64 bits, indexed by node number: the shares at which it was rung,
 *		set by callers, all taken at once by the node
 */
struct mint_common {
	__u32			magic;
	__u32			version;
	__aligned_u64		size;
	struct mint_table	cores;
	struct mint_table	nodes;
	struct mint_table	map;
	struct mint_table	ioapics;
	struct mint_table	pins;
	struct mint_table	ecam;
	struct mint_table	roots;
	__u32			bsp_apic_id;
	__u32			lapic_khz;
	__u32			lapic_addr;
	__u32			beat_ms;
	__u32			reserved;
	__aligned_u64		gateway;
	__aligned_u64		park;
	__aligned_u64		pml4;
	__aligned_u64		pml5;
	struct mint_lock	ioapic_lock __attribute__((aligned(64)));
	struct mint_lock	pci_lock __attribute__((aligned(64)));
	struct mint_table	rings __attribute__((aligned(64)));
	__u32			ring_size[MINT_RING_COUNT];
	__aligned_u64		restart;
	__aligned_u64		restart_entry;
	struct mint_table	lines;
	struct mint_table	timing;
	struct mint_table	vfs;
	__u32			microcode;
	__u32			clock_flags;
	__u32			reserved2;
	__aligned_u64		tsc_adjust;
	struct mint_table	bells;
	struct mint_table	bell_cores;
	struct mint_table	callers;
	struct mint_table	moves;
	struct mint_table	peers;
	struct mint_table	spares;
	struct mint_table	wishes;
	struct mint_table	windows;
	struct mint_range	shared;
	__u32			window_changes;
	struct mint_table	loads;
	struct mint_table	lives;
	__u32			generation;
	struct mint_table	stalls;
	struct mint_table	shares;
	struct mint_table	share_members;
	struct mint_table	share_rings;
};

#endif /* !__ASSEMBLY__ */

#endif /* _UAPI_ASM_X86_MINT_H */
