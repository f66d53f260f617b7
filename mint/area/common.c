// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: the common area.
 *
 * Owns the area itself: its making in the predecessor, its mapping in a
 * successor, and the way to each of its records. What the records mean is the
 * business of the files that use them.
 *
 * A header that was read once is kept in private memory (mint_layout), and so
 * are the APIC IDs and the memory map: no offset, count, ID or range that a
 * broken peer may change later is ever used.
 */

#include <kunit/visibility.h>
#include <linux/bsearch.h>
#include <linux/build_bug.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/log2.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <asm/apic.h>
#include <asm/e820/api.h>
#include <asm/io_apic.h>
#include <asm/tsc.h>

#include "area.h"

#define MINT_ECAM_MAX		32
#define MINT_ROOTS_MAX		64
#define RING_SIZE_MAX		SZ_1M
#define RINGS_MAX		SZ_32M
#define MAP_MAX			4096

struct mint_common *mint_common __ro_after_init;
phys_addr_t mint_common_pa __ro_after_init;

/* The header, as it was read once */
struct mint_common mint_layout __ro_after_init;
static u64 mapped __ro_after_init;	/* bytes of it that are mapped */
static u32 *apic_ids __ro_after_init;	/* indexed as the records of cores */
static struct mint_map *memory_map __ro_after_init;
static u32 memory_map_count __ro_after_init;

/* Bytes of each ring of a node: its log, and both ways of its terminal */
static u32 ring_size[MINT_RING_COUNT] __initdata = { SZ_64K, SZ_16K, SZ_4K };

static struct resource common_resource = {
	.name	= "Mint common area",
	.flags	= IORESOURCE_MEM | IORESOURCE_BUSY | IORESOURCE_EXCLUSIVE,
};

static void __init check_layout(void)
{
	BUILD_BUG_ON(offsetof(struct mint_core, apic_id) != MINT_CORE_APIC_ID);
	BUILD_BUG_ON(offsetof(struct mint_core, state) != MINT_CORE_STATE);
	BUILD_BUG_ON(offsetof(struct mint_core, mode) != MINT_CORE_MODE);
	BUILD_BUG_ON(offsetof(struct mint_core, entry) != MINT_CORE_ENTRY);
	BUILD_BUG_ON(offsetof(struct mint_core, arg) != MINT_CORE_ARG);
	BUILD_BUG_ON(offsetof(struct mint_core, cr3) != MINT_CORE_CR3);
	BUILD_BUG_ON(offsetof(struct mint_core, cr4) != MINT_CORE_CR4);
	BUILD_BUG_ON(offsetof(struct mint_core, efer) != MINT_CORE_EFER);
	BUILD_BUG_ON(offsetof(struct mint_core, tsc_gateway) != MINT_CORE_TSC_GATEWAY);
	BUILD_BUG_ON(offsetof(struct mint_core, tsc_left) != MINT_CORE_TSC_LEFT);
	BUILD_BUG_ON(sizeof(struct mint_core) != MINT_CORE_SIZE);
	BUILD_BUG_ON(offsetof(struct mint_kept, entry) != MINT_KEPT_ENTRY);
	BUILD_BUG_ON(offsetof(struct mint_kept, count) != MINT_KEPT_COUNT);
	BUILD_BUG_ON(offsetof(struct mint_kept, segment) != MINT_KEPT_SEGMENTS);
	BUILD_BUG_ON(offsetof(struct mint_segment, to) != MINT_SEGMENT_TO);
	BUILD_BUG_ON(offsetof(struct mint_segment, from) != MINT_SEGMENT_FROM);
	BUILD_BUG_ON(offsetof(struct mint_segment, bytes) != MINT_SEGMENT_BYTES);
	BUILD_BUG_ON(offsetof(struct mint_segment, zero) != MINT_SEGMENT_ZERO);
	BUILD_BUG_ON(sizeof(struct mint_segment) != MINT_SEGMENT_SIZE);
	BUILD_BUG_ON(sizeof(struct mint_common) > PAGE_SIZE);
	BUILD_BUG_ON(offsetof(struct mint_handover, magic) != 16);
}

/* A record, or NULL where there is none or nothing is mapped yet */
static void *record(const struct mint_table *table, u32 index)
{
	u64 offset = table->offset + (u64)index * table->stride;

	if (index >= table->count || offset + table->stride > mapped)
		return NULL;
	return (void *)mint_common + offset;
}

/**
 * mint_common_mapped() - are all records within reach?
 *
 * Context: any.
 * Return: true from mint_common_create() or mint_common_map() on.
 */
bool mint_common_mapped(void)
{
	return mapped && mapped == mint_layout.size;
}

/**
 * mint_core() - record of a core
 * @index:	from 0, in ascending order of APIC IDs
 *
 * Context: any.
 * Return: the record, NULL behind the last one.
 */
struct mint_core *mint_core(u32 index)
{
	return record(&mint_layout.cores, index);
}

static int compare_ids(const void *a, const void *b)
{
	const u32 *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/**
 * mint_core_find() - record of the core with an APIC ID
 * @apic_id:	APIC ID
 *
 * Context: any.
 * Return: the record, or NULL if the machine has no such core.
 */
struct mint_core *mint_core_find(u32 apic_id)
{
	u32 *found;

	if (!mint_common_mapped())
		return NULL;
	found = bsearch(&apic_id, apic_ids, mint_layout.cores.count,
			sizeof(*apic_ids), compare_ids);
	return found ? mint_core(found - apic_ids) : NULL;
}

/**
 * mint_core_index() - number of a core's record
 * @core:	a record of mint_core()
 *
 * Context: any.
 * Return: the index that mint_core() takes.
 */
u32 mint_core_index(const struct mint_core *core)
{
	return ((void *)core - (void *)mint_common - mint_layout.cores.offset) /
	       mint_layout.cores.stride;
}

/**
 * mint_apic_id() - APIC ID of a core
 * @core:	a record of mint_core()
 *
 * Context: any.
 * Return: what the record said when this kernel first saw it.
 */
u32 mint_apic_id(const struct mint_core *core)
{
	return apic_ids[mint_core_index(core)];
}

/**
 * mint_core_pa() - physical address of a core's record
 * @core:	a record of mint_core()
 *
 * Context: any.
 * Return: the address.
 */
phys_addr_t mint_core_pa(const struct mint_core *core)
{
	return mint_common_pa + ((void *)core - (void *)mint_common);
}

/**
 * mint_node() - record of a node
 * @n:	number of the node
 *
 * Context: any.
 * Return: the record, NULL behind the last one.
 */
struct mint_node *mint_node(u32 n)
{
	return record(&mint_layout.nodes, n);
}

/**
 * mint_ring() - a ring of a node
 * @n:		number of the node
 * @which:	MINT_RING_*
 * @data:	out: its bytes
 * @size:	out: how many there are, a power of two
 *
 * Context: any.
 * Return: the ring, NULL if there is none.
 */
struct mint_ring *mint_ring(u32 n, u32 which, void **data, u32 *size)
{
	struct mint_rings *rings = record(&mint_layout.rings, n);
	u32 i;

	if (!rings)
		return NULL;
	*size = mint_layout.ring_size[which];
	*data = rings + 1;
	for (i = 0; i < which; i++)
		*data += mint_layout.ring_size[i];
	return &rings->ring[which];
}

/**
 * mint_ring_pa() - physical address of a node's rings, before mint_common_map()
 * @n:		number of the node
 *
 * Context: successor, boot.
 * Return: the address of its struct mint_rings.
 */
phys_addr_t __init mint_ring_pa(u32 n)
{
	return mint_common_pa + mint_layout.rings.offset +
	       (phys_addr_t)n * mint_layout.rings.stride;
}

/**
 * mint_firmware_map() - entry of the firmware's memory map
 * @index:	from 0, in ascending order of addresses
 *
 * Context: any; there is none before the common area is mapped.
 * Return: the entry, in private memory; NULL behind the last one.
 */
const struct mint_map *mint_firmware_map(u32 index)
{
	return index < memory_map_count ? &memory_map[index] : NULL;
}

/**
 * mint_ioapic_record() - an I/O APIC of the machine, as node 0 published it
 * @index:	in the order in which node 0 registered them
 *
 * Context: any.
 * Return: the record, NULL behind the last one. mint_ioapic() goes by a
 * private copy.
 */
struct mint_ioapic *mint_ioapic_record(u32 index)
{
	return record(&mint_layout.ioapics, index);
}

/**
 * mint_ecam() - a window of PCI configuration space
 * @index:	from 0; windows not in use have no buses: @base is 0
 *
 * Context: any.
 * Return: the record, NULL behind the last one.
 */
struct mint_ecam *mint_ecam(u32 index)
{
	return record(&mint_layout.ecam, index);
}

/**
 * mint_pin_record() - owner of an I/O APIC pin, as node 0 published it
 * @gsi:	global system interrupt of the pin
 *
 * Context: any.
 * Return: where the owner stands, or NULL behind the last one. It is repeated
 * to people, and no kernel goes by it: own/owner.c.
 */
u32 *mint_pin_record(u32 gsi)
{
	return record(&mint_layout.pins, gsi);
}

/**
 * mint_root_bus() - a PCI root bus of the machine
 * @index:	from 0
 *
 * Context: any.
 * Return: segment << 8 | bus, or NULL behind the last one.
 */
u32 *mint_root_bus(u32 index)
{
	return record(&mint_layout.roots, index);
}

/**
 * mint_line_waiting() - lines that a node is to look at
 * @n:		number of the node
 *
 * Context: any.
 * Return: a bit for each GSI, set by node 0 and cleared by the node; NULL if
 * there is no such node.
 */
unsigned long *mint_line_waiting(u32 n)
{
	return record(&mint_layout.lines, n);
}

/**
 * mint_bell() - what a core is called for
 * @index:	of the core's record
 *
 * Context: any.
 * Return: the record, NULL if there is none.
 */
struct mint_bell *mint_bell(u32 index)
{
	return record(&mint_layout.bells, index);
}

/**
 * mint_bell_place() - where a node says on which core it takes its bells
 * @n:	number of the node
 *
 * Context: any.
 * Return: where the core's APIC ID stands, NULL in an area without bells.
 */
u32 *mint_bell_place(u32 n)
{
	return record(&mint_layout.bell_cores, n);
}

/**
 * mint_bell_callers() - the nodes that have rung node 0
 * @cause:	MINT_BELL_*
 *
 * Context: any.
 * Return: a bit for each node, set by that and taken by node 0; NULL if there
 * is no such row.
 */
unsigned long *mint_bell_callers(u32 cause)
{
	return record(&mint_layout.callers, cause);
}

/**
 * mint_move() - a thing on its way from one running node to another
 * @i:	index of the record
 *
 * Context: any.
 * Return: the record, NULL behind the last one.
 */
struct mint_move *mint_move(u32 i)
{
	return record(&mint_layout.moves, i);
}

/*
 * How often a record of a move is read before it is used as it is. Each move changes
 * its turn a few times: only who scribbles the record changes it so often.
 */
#define MOVE_LOOKS	100

/*
 * Does a move keep from this node what its record calls its own? Node 0 changes
 * the record after the giver has let go of it, and before the receiver has begun
 * with it, or was told that it may not.
 */
static bool __init keeps_away(const struct mint_move *move, u32 kind, u64 start)
{
	u32 state = MINT_TURN_STATE(move->turn);

	if (move->kind != kind || start - move->start >= move->size)
		return false;
	if (move->from == mint_self)
		return state >= MINT_TURN_GIVEN && state <= MINT_TURN_TAKEN;
	/* GIVEN: its record may have it already. It is taken later, when it is CLEARED */
	return move->to == mint_self &&
	       (state == MINT_TURN_GIVEN || state == MINT_TURN_CLEARED ||
		state == MINT_TURN_TAKING || state == MINT_TURN_DECLINED ||
		state == MINT_TURN_REVOKED);
}

/**
 * mint_move_read() - copy what a record of a move says is on its way
 * @record:	in the common area; node 0 may enter another move meanwhile
 * @move:	out: turn, kind, parties, start and size; nothing else of it is set
 *
 * A record that changes its turn at each look is used as it was read last.
 *
 * Context: any.
 */
void mint_move_read(const struct mint_move *record, struct mint_move *move)
{
	u32 tries = MOVE_LOOKS;

	do {
		/* Pairs with set_turn() of node 0: all else was written before */
		move->turn = virt_load_acquire(&record->turn);
		move->kind = READ_ONCE(record->kind);
		move->from = READ_ONCE(record->from);
		move->to = READ_ONCE(record->to);
		move->start = READ_ONCE(record->start);
		move->size = READ_ONCE(record->size);
		/* If the turn is the same after that, all fields are of one move */
		virt_rmb();
	} while (READ_ONCE(record->turn) != move->turn && --tries);
}

/**
 * mint_moved_away() - is a thing in this node's record not its own as it boots?
 * @kind:	MINT_MOVE_*
 * @start:	which, as the kind says
 *
 * What is on its way here is taken later, when its turn comes.
 *
 * Context: successor, boot, after mint_common_map().
 * Return: true while a move keeps it from this node.
 */
bool __init mint_moved_away(u32 kind, u64 start)
{
	struct mint_move *record, move;
	u32 i;

	for (i = 0; (record = mint_move(i)); i++) {
		mint_move_read(record, &move);
		if (keeps_away(&move, kind, start))
			return true;
	}
	return false;
}

/**
 * mint_peer() - what a node says of itself to who moves things
 * @n:	number of the node
 *
 * Context: any.
 * Return: the record, NULL if there is none.
 */
struct mint_peer *mint_peer(u32 n)
{
	return record(&mint_layout.peers, n);
}

/**
 * mint_wish() - what a successor asks node 0 to move
 * @n:	number of the node
 *
 * Context: any.
 * Return: the record, NULL if there is none.
 */
struct mint_wish *mint_wish(u32 n)
{
	return record(&mint_layout.wishes, n);
}

/**
 * mint_spares() - the cores that a node has or could take
 * @n:	number of the node
 *
 * Context: any.
 * Return: a bit for each core, in the order of their records; NULL if there is
 * no such row.
 */
unsigned long *mint_spares(u32 n)
{
	return record(&mint_layout.spares, n);
}

/**
 * mint_window_record() - a window, as node 0 published it
 * @i:	index of the record
 *
 * Context: any.
 * Return: the record, NULL behind the last one. mint_window_read() checks it.
 */
struct mint_window *mint_window_record(u32 i)
{
	return record(&mint_layout.windows, i);
}

/**
 * mint_load() - what a node says of its load
 * @n:	number of the node
 *
 * Context: any.
 * Return: the record, NULL if there is none.
 */
struct mint_load *mint_load(u32 n)
{
	return record(&mint_layout.loads, n);
}

/**
 * mint_life() - how many nodes have had a number, and the reboots asked of this one
 * @n:	number of the node
 *
 * Context: any.
 * Return: the record, NULL if there is none.
 */
struct mint_life *mint_life(u32 n)
{
	return record(&mint_layout.lives, n);
}

/**
 * mint_stall() - for how long tasks of a node waited
 * @n:	number of the node
 *
 * Context: any.
 * Return: the record; NULL if there is no such node, or if node 0 is older than
 * version 1.7.
 */
struct mint_stall *mint_stall(u32 n)
{
	return record(&mint_layout.stalls, n);
}

/**
 * mint_share_record() - a share, as node 0 published it
 * @i:	index of the record
 *
 * Context: any.
 * Return: the record, NULL behind the last one. mint_share_read() checks it.
 */
struct mint_share *mint_share_record(u32 i)
{
	return record(&mint_layout.shares, i);
}

/**
 * mint_share_members() - the nodes that may map a share
 * @i:	index of its record
 *
 * Context: any.
 * Return: a bit for each node, written by node 0; NULL if there is no such row.
 */
unsigned long *mint_share_members(u32 i)
{
	return record(&mint_layout.share_members, i);
}

/**
 * mint_share_rings() - the shares at which a node was rung
 * @n:	number of the node
 *
 * Context: any.
 * Return: a bit for each share, set by who rings and taken by the node; NULL in
 * an area without shares.
 */
u64 *mint_share_rings(u32 n)
{
	return record(&mint_layout.share_rings, n);
}

/**
 * mint_vf() - where node 0 has put a PCI function of a node
 * @n:		number of the node
 * @i:		index of the function in the devices of the node
 *
 * Context: any.
 * Return: the record, NULL if there is none.
 */
struct mint_vf *mint_vf(u32 n, u32 i)
{
	return record(&mint_layout.vfs, n * MINT_DEVICES_MAX + i);
}

/* Bytes of a row of bits */
static u32 row_size(u32 bits)
{
	return ALIGN(DIV_ROUND_UP(bits, BITS_PER_BYTE), 8);
}

/**
 * mint_timing_record() - time stamps of a node
 * @n:	number of the node
 *
 * Context: any.
 * Return: the record, NULL behind the last one.
 */
struct mint_timing *mint_timing_record(u32 n)
{
	return record(&mint_layout.timing, n);
}

/* Give a table its place in the area, and return what lies behind it */
static u32 __init lay_out(struct mint_table *table, u32 offset, u32 stride,
			  u32 count)
{
	table->offset = ALIGN(offset, 64);
	table->stride = stride;
	table->count = count;
	return table->offset + stride * count;
}

/**
 * mint_common_publish() - write the header as node 0 knows it
 *
 * Context: predecessor, boot, before anything was launched.
 */
void __init mint_common_publish(void)
{
	*mint_common = mint_layout;
}

static void __init describe_cores(void)
{
	struct mint_core *core;
	u32 id, i = 0;

	for_each_set_bit(id, phys_cpu_present_map, MAX_LOCAL_APIC) {
		apic_ids[i] = id;
		core = mint_core(i++);
		core->apic_id = id;
		core->owner = id == mint_layout.bsp_apic_id ? 0 : MINT_NODE_FREE;
		core->state = id == mint_layout.bsp_apic_id ?
			      MINT_CORE_PASSED : MINT_CORE_UNUSED;
	}
}

static void __init describe_map(u32 (*describe)(struct mint_map *map, u32 max))
{
	struct mint_map *map;
	u32 i;

	memory_map_count = describe(memory_map, mint_layout.map.count);
	for (i = 0; (map = record(&mint_layout.map, i)); i++)
		*map = memory_map[i];
}

/* The area's map, read once and cut down so that no range wraps */
static void __init copy_map(void)
{
	struct mint_map *map;
	u32 i;

	for (i = 0; (map = record(&mint_layout.map, i)); i++) {
		memory_map[i] = *map;
		memory_map[i].size = min(memory_map[i].size,
					 U64_MAX - memory_map[i].start);
	}
	memory_map_count = i;
}

/*
 * Bytes of all rings of a node, whose sizes are chosen here. Where there are very
 * many nodes, each gets a shorter log.
 */
static u32 __init choose_rings(u32 nodes)
{
	u32 *sizes = mint_layout.ring_size, stride;

	memcpy(sizes, ring_size, sizeof(ring_size));
	do {
		stride = sizeof(struct mint_rings) + sizes[MINT_RING_LOG] +
			 sizes[MINT_RING_OUT] + sizes[MINT_RING_IN];
	} while ((u64)stride * nodes > RINGS_MAX &&
		 (sizes[MINT_RING_LOG] /= 2) > SZ_4K);
	return stride;
}

/* For rows with a writer each: no two of them are in one line of the cache */
#define LINES(type)	ALIGN(sizeof(type), SMP_CACHE_BYTES)

/* Each table gets its place behind the header; returns where the last one ends */
static u32 __init lay_out_tables(u32 cores, u32 map)
{
	struct mint_common *c = &mint_layout;
	u32 nodes = min_t(u32, cores, MINT_NODE_MAX);
	u32 pins = min_t(u32, gsi_top, MINT_GSI_MAX);
	u32 shares = c->shared.size ? MINT_SHARES : 0;
	const struct {
		struct mint_table	*table;
		u32			stride, count;
	} tables[] = {
		{ &c->ioapics, sizeof(struct mint_ioapic), nr_ioapics },
		{ &c->pins, sizeof(u32), pins },
		{ &c->ecam, sizeof(struct mint_ecam), MINT_ECAM_MAX },
		{ &c->roots, sizeof(u32), MINT_ROOTS_MAX },
		{ &c->map, sizeof(struct mint_map), min_t(u32, map, MAP_MAX) },
		{ &c->nodes, LINES(struct mint_node), nodes },
		{ &c->cores, sizeof(struct mint_core), cores },
		{ &c->timing, sizeof(struct mint_timing), nodes },
		{ &c->vfs, sizeof(struct mint_vf), nodes * MINT_DEVICES_MAX },
		{ &c->rings, choose_rings(nodes), nodes },
		{ &c->lines, row_size(pins), nodes },
		{ &c->bells, sizeof(struct mint_bell), cores },
		{ &c->bell_cores, sizeof(u32), nodes },
		{ &c->callers, row_size(nodes), MINT_BELL_COUNT },
		{ &c->moves, LINES(struct mint_move), MINT_MOVES },
		{ &c->peers, sizeof(struct mint_peer), nodes },
		{ &c->spares, row_size(cores), nodes },
		{ &c->wishes, LINES(struct mint_wish), nodes },
		{ &c->windows, sizeof(struct mint_window),
		  c->shared.size / MINT_LINK_SIZE },
		{ &c->loads, sizeof(struct mint_load), nodes },
		{ &c->lives, LINES(struct mint_life), nodes },
		{ &c->stalls, LINES(struct mint_stall), nodes },
		{ &c->shares, sizeof(struct mint_share), shares },
		{ &c->share_members, row_size(nodes), shares },
		{ &c->share_rings, sizeof(u64), shares ? nodes : 0 },
	};
	u32 i, size = sizeof(*c);

	for (i = 0; i < ARRAY_SIZE(tables); i++)
		size = lay_out(tables[i].table, size, tables[i].stride,
			       tables[i].count);
	return size;
}

/* mint.log=<size>: of each node's log, rounded up to a power of two */
static int __init mint_log_param(char *str)
{
	char buf[24];
	u64 size = 0;

	if (strscpy(buf, str ?: "", sizeof(buf)) < 0 ||
	    mint_param_size(buf, &size) || size < SZ_4K || size > RING_SIZE_MAX)
		pr_err("mint.log=: '%s' ignored, want 4K to 1M\n", str ?: "");
	else
		ring_size[MINT_RING_LOG] = roundup_pow_of_two(size);
	return 0;
}
early_param("mint.log", mint_log_param);

/**
 * mint_common_create() - make the common area of this machine
 * @describe:	writes the firmware's memory map to @map, @max entries at most,
 *		and returns how many it has written; with a @max of 0, how many
 *		there are
 * @identity_size: bytes that the identity map takes, whole pages
 *
 * Its size follows from the cores, the interrupt pins and the memory map
 * that the firmware named. It lies below 4 GiB, where 32-bit kernels and the
 * gateway reach it, and is taken out of node 0's memory.
 *
 * Context: predecessor, setup_arch() after the APICs are known and while
 *	    memblock allocates.
 * Return: 0, -ENOMEM.
 */
int __init mint_common_create(u32 (*describe)(struct mint_map *map, u32 max),
			      u32 identity_size)
{
	u32 cores = bitmap_weight(phys_cpu_present_map, MAX_LOCAL_APIC);
	u32 size, map = describe(NULL, 0);
	u64 pa;

	check_layout();

	mint_shared_create(cores);
	size = PAGE_ALIGN(lay_out_tables(cores, map)) + identity_size;

	memblock_set_current_limit(min_t(u64, SZ_4G, get_max_mapped()));
	pa = e820__memblock_alloc_reserved(size, PAGE_SIZE);
	memblock_set_current_limit(get_max_mapped());
	if (!pa) {
		pr_err("no %u KiB below 4 GiB for the common area\n", size >> 10);
		return -ENOMEM;
	}

	mint_common_pa = pa;
	mint_common = __va(pa);
	memset(mint_common, 0, size);
	mapped = size;

	apic_ids = memblock_alloc(cores * sizeof(*apic_ids), SMP_CACHE_BYTES);
	if (!apic_ids)
		panic("mint: no memory for %u APIC IDs", cores);
	memory_map = memblock_alloc(mint_layout.map.count * sizeof(*memory_map),
				    SMP_CACHE_BYTES);
	if (!memory_map)
		panic("mint: no memory for the memory map");

	mint_layout.magic = MINT_MAGIC;
	mint_layout.version = MINT_VERSION;
	mint_layout.size = size;
	mint_layout.bsp_apic_id = boot_cpu_physical_apicid;
	mint_layout.beat_ms = 100;
	mint_layout.lapic_addr = APIC_DEFAULT_PHYS_BASE;
	mint_common_publish();

	describe_cores();
	describe_map(describe);

	common_resource.start = pa;
	common_resource.end = pa + size - 1;
	insert_resource(&iomem_resource, &common_resource);

	pr_info("common area %u KiB at %#llx: %u cores, %u I/O APICs, %u GSIs\n",
		size >> 10, pa, cores, mint_layout.ioapics.count, mint_layout.pins.count);
	return 0;
}

/* Where the header of an area ends, by the minor version that made it */
static const u32 header_ends[] = {
	offsetof(struct mint_common, vfs),
	offsetof(struct mint_common, vfs),
	offsetof(struct mint_common, microcode),
	offsetof(struct mint_common, bells),
	offsetof(struct mint_common, moves),
	offsetof(struct mint_common, loads),
	offsetof(struct mint_common, stalls),
	sizeof(struct mint_common),
};

static u32 header_size(const struct mint_common *c)
{
	static_assert(ARRAY_SIZE(header_ends) == MINT_VERSION_MINOR + 1);
	return header_ends[min_t(u32, c->version & 0xffff, MINT_VERSION_MINOR)];
}

static bool table_valid(const struct mint_common *c, const struct mint_table *t,
			u32 record_size, u32 count_max)
{
	return t->stride >= record_size && t->stride <= 4 * RING_SIZE_MAX &&
	       t->count <= count_max && !(t->offset & 7) && !(t->stride & 3) &&
	       t->offset >= header_size(c) &&
	       t->offset + (u64)t->stride * t->count <= c->size;
}

static bool rings_valid(const struct mint_common *c)
{
	u32 i, bytes = sizeof(struct mint_rings);

	for (i = 0; i < MINT_RING_COUNT; i++) {
		/* The newest chunk of a ring cannot be read: talk/ring.c */
		if (!is_power_of_2(c->ring_size[i]) ||
		    c->ring_size[i] < 2 * MINT_RING_CHUNK ||
		    c->ring_size[i] > RING_SIZE_MAX)
			return false;
		bytes += c->ring_size[i];
	}
	return table_valid(c, &c->rings, bytes, MINT_NODE_MAX) &&
	       c->rings.count == c->nodes.count;
}

static bool vfs_valid(const struct mint_common *c)
{
	return !c->vfs.count || table_valid(c, &c->vfs, sizeof(struct mint_vf),
					    MINT_NODE_MAX * MINT_DEVICES_MAX);
}

static bool bells_valid(const struct mint_common *c)
{
	if (!c->bells.count)
		return !c->bell_cores.count && !c->callers.count;
	return table_valid(c, &c->bells, sizeof(struct mint_bell),
			   MAX_LOCAL_APIC) &&
	       c->bells.count == c->cores.count && !(c->bells.stride & 7) &&
	       table_valid(c, &c->bell_cores, sizeof(u32), MINT_NODE_MAX) &&
	       c->bell_cores.count == c->nodes.count &&
	       table_valid(c, &c->callers, row_size(c->nodes.count),
			   BITS_PER_LONG) && !(c->callers.stride & 7);
}

static bool moves_valid(const struct mint_common *c)
{
	if (!c->moves.count)
		return !c->peers.count && !c->spares.count && !c->wishes.count;
	return table_valid(c, &c->moves, sizeof(struct mint_move), 4096) &&
	       table_valid(c, &c->peers, sizeof(struct mint_peer),
			   MINT_NODE_MAX) &&
	       c->peers.count == c->nodes.count &&
	       table_valid(c, &c->spares, row_size(c->cores.count),
			   MINT_NODE_MAX) &&
	       c->spares.count == c->nodes.count && !(c->spares.stride & 7) &&
	       table_valid(c, &c->wishes, sizeof(struct mint_wish),
			   MINT_NODE_MAX) &&
	       c->wishes.count == c->nodes.count;
}

/* The shared memory is below 4 GiB, where every kernel reaches it */
static bool windows_valid(const struct mint_common *c)
{
	const struct mint_range *shared = &c->shared;

	if (!shared->size)
		return !c->windows.count;
	return !((shared->start | shared->size) & ~PAGE_MASK) &&
	       shared->start && shared->start < SZ_4G &&
	       shared->size <= SZ_4G - shared->start &&
	       table_valid(c, &c->windows, sizeof(struct mint_window),
			   SZ_4G / MINT_LINK_SIZE) &&
	       !(c->windows.stride & 7);
}

static bool loads_valid(const struct mint_common *c)
{
	if (!c->loads.count)
		return !c->lives.count;
	return table_valid(c, &c->loads, sizeof(struct mint_load),
			   MINT_NODE_MAX) &&
	       c->loads.count == c->nodes.count &&
	       table_valid(c, &c->lives, sizeof(struct mint_life),
			   MINT_NODE_MAX) &&
	       c->lives.count == c->nodes.count && !(c->lives.stride & 7);
}

static bool stalls_valid(const struct mint_common *c)
{
	return !c->stalls.count ||
	       (table_valid(c, &c->stalls, sizeof(struct mint_stall),
			    MINT_NODE_MAX) &&
		c->stalls.count == c->nodes.count);
}

static bool shares_valid(const struct mint_common *c)
{
	if (!c->shares.count)
		return !c->share_members.count && !c->share_rings.count;
	return c->shared.size &&
	       table_valid(c, &c->shares, sizeof(struct mint_share),
			   MINT_SHARES) && !(c->shares.stride & 7) &&
	       table_valid(c, &c->share_members, row_size(c->nodes.count),
			   MINT_SHARES) && !(c->share_members.stride & 7) &&
	       c->share_members.count == c->shares.count &&
	       table_valid(c, &c->share_rings, sizeof(u64), MINT_NODE_MAX) &&
	       c->share_rings.count == c->nodes.count &&
	       !(c->share_rings.stride & 7);
}

/**
 * mint_layout_valid() - is this the header of a common area?
 * @c:	private copy of it; what its version does not have becomes 0
 *
 * All that is computed from a header that passes lies within the area.
 *
 * Context: any.
 * Return: true if this kernel can go by it.
 */
VISIBLE_IF_KUNIT bool mint_layout_valid(struct mint_common *c)
{
	u32 end = header_size(c);

	memset((void *)c + end, 0, sizeof(*c) - end);
	return c->magic == MINT_MAGIC &&
	       c->version >> 16 == MINT_VERSION_MAJOR &&
	       c->size <= SZ_64M && !(c->size & ~PAGE_MASK) &&
	       table_valid(c, &c->cores, sizeof(struct mint_core), MAX_LOCAL_APIC) &&
	       table_valid(c, &c->nodes, sizeof(struct mint_node), MINT_NODE_MAX) &&
	       table_valid(c, &c->map, sizeof(struct mint_map), MAP_MAX) &&
	       table_valid(c, &c->ioapics, sizeof(struct mint_ioapic), MAX_IO_APICS) &&
	       table_valid(c, &c->pins, sizeof(u32), MINT_GSI_MAX) &&
	       table_valid(c, &c->ecam, sizeof(struct mint_ecam), 256) &&
	       table_valid(c, &c->roots, sizeof(u32), 4096) &&
	       table_valid(c, &c->lines, row_size(c->pins.count), MINT_NODE_MAX) &&
	       table_valid(c, &c->timing, sizeof(struct mint_timing),
			   MINT_NODE_MAX) &&
	       vfs_valid(c) && rings_valid(c) && bells_valid(c) && moves_valid(c) &&
	       windows_valid(c) && loads_valid(c) && stalls_valid(c) &&
	       shares_valid(c) &&
	       c->beat_ms && c->gateway && c->gateway < SZ_1M;
}

/**
 * mint_common_map_early() - look at the common area of a running machine
 * @pa:	its physical address, from the hand-over
 *
 * Checks the header and keeps the page with the header, and so with the
 * locks, mapped until mint_common_map(); records are out of reach until then.
 * Panics where the area is not one: no kernel without it can know what it
 * may touch.
 *
 * Context: successor, setup_arch().
 */
void __init mint_common_map_early(phys_addr_t pa)
{
	check_layout();
	mint_common_pa = pa;
	mint_common = early_memremap(pa, PAGE_SIZE);
	if (!mint_common)
		panic("mint: no mapping for the common area at %pa", &pa);
	mint_layout = *mint_common;
	mapped = PAGE_SIZE;
	if (!mint_layout_valid(&mint_layout))
		panic("mint: no common area of version %u at %pa (magic %#x, version %u.%u)",
		      MINT_VERSION_MAJOR, &pa, mint_layout.magic,
		      mint_layout.version >> 16, mint_layout.version & 0xffff);
}

/**
 * mint_common_map() - map all of the common area for good
 *
 * Context: successor, once vmalloc works, before the first interrupt.
 * Return: 0, -ENOMEM.
 */
int __init mint_common_map(void)
{
	struct mint_common *early = mint_common;
	void *addr = mint_map_memory(mint_common_pa, mint_layout.size);
	u32 i;

	if (!addr)
		return -ENOMEM;
	apic_ids = kcalloc(mint_layout.cores.count, sizeof(*apic_ids), GFP_KERNEL);
	memory_map = kcalloc(mint_layout.map.count, sizeof(*memory_map), GFP_KERNEL);
	if (!apic_ids || !memory_map)
		return -ENOMEM;
	mint_common = addr;
	mapped = mint_layout.size;
	early_memunmap(early, PAGE_SIZE);
	for (i = 0; i < mint_layout.cores.count; i++)
		apic_ids[i] = mint_core(i)->apic_id;
	copy_map();
	return 0;
}

/* Before mint_common_map(): a copy of a record */
static bool __init copy_early(const struct mint_table *table, u32 index,
			      void *to, size_t size)
{
	void *from = early_memremap(mint_common_pa + table->offset +
				    (size_t)index * table->stride, size);

	if (!from)
		return false;
	memcpy(to, from, size);
	early_memunmap(from, size);
	return true;
}

/* As mint_moved_away(), of a core, before mint_common_map() */
static bool __init core_moved_away(u32 apic_id)
{
	const struct mint_table *moves = &mint_layout.moves;
	struct mint_move *record, move;
	u32 i;

	for (i = 0; i < moves->count; i++) {
		record = early_memremap(mint_common_pa + moves->offset +
					(size_t)i * moves->stride, sizeof(*record));
		if (!record)
			continue;
		mint_move_read(record, &move);
		early_memunmap(record, sizeof(*record));
		if (keeps_away(&move, MINT_MOVE_CORE, apic_id))
			return true;
	}
	return false;
}

/**
 * mint_early_cores() - cores of the machine, before mint_common_map()
 * @own:	those of this node, else those of others
 * @ids:	out: APIC IDs in ascending order
 * @max:	room there
 *
 * Context: successor, setup_arch().
 * Return: how many there are; more than @max are left out.
 */
u32 __init mint_early_cores(bool own, u32 *ids, u32 max)
{
	struct mint_core core;
	u32 i, count = 0;
	bool mine;

	for (i = 0; i < mint_layout.cores.count && count < max; i++) {
		if (!copy_early(&mint_layout.cores, i, &core,
				offsetof(struct mint_core, stack)))
			break;
		/* A move that ends between these looks shows in the second one */
		mine = !core_moved_away(core.apic_id) &&
		       copy_early(&mint_layout.cores, i, &core,
				  offsetof(struct mint_core, stack)) &&
		       core.owner == mint_self && !core_moved_away(core.apic_id);
		if (mine == own)
			ids[count++] = core.apic_id;
	}
	return count;
}
