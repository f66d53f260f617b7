// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: who owns what.
 *
 * Owns the one answer for each kind of thing but cores (core/cpu.c), whoever
 * asks. Node 0 answers from its private memory: from its book (claim.c), and of
 * pins from the words here. What stands in the common area is derived from that,
 * for the others; what a peer writes there changes nothing. A successor repeats
 * what stands there, but for its own pins: of these it keeps what it was told
 * when it mapped the area. What it may touch beside them stands in private
 * memory, too (mint_own_mem, own[] of device/borrow.c).
 *
 * An owner is the number of a node or one of two words: MINT_NODE_FREE, no
 * node's, and MINT_NODE_FLIGHT, on the way from one to another. What a node in
 * quarantine has is still its own: mint_quarantined() tells.
 */

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/mm.h>

#include <asm/e820/types.h>

#include "../area/area.h"
#include "own.h"

/* Of node 0 the owners of all, of a successor those at its start. By GSI */
static u32 *pin_owners __ro_after_init;

/**
 * mint_owners_keep_pins() - private owners of all pins
 * @owners:	by GSI, as many as there are records; kept
 *
 * Context: boot, once; in node 0 it publishes them, too.
 */
void __init mint_owners_keep_pins(u32 *owners)
{
	u32 gsi;

	pin_owners = owners;
	if (mint_role != MINT_PREDECESSOR)
		return;
	for (gsi = 0; gsi < mint_layout.pins.count; gsi++)
		*mint_pin_record(gsi) = owners[gsi];
}

/**
 * mint_owner_of_pin() - whose is a pin?
 * @gsi:	global system interrupt of the pin
 *
 * Context: any. That a pin is a successor's own stands in its private memory:
 *	    no peer can say so.
 * Return: the owner; MINT_NODE_FREE if there is no such pin, too.
 */
u32 mint_owner_of_pin(u32 gsi)
{
	u32 owner, published;

	if (!pin_owners || gsi >= mint_layout.pins.count)
		return MINT_NODE_FREE;
	owner = READ_ONCE(pin_owners[gsi]);
	if (mint_role == MINT_PREDECESSOR || owner == mint_self)
		return owner;
	published = READ_ONCE(*mint_pin_record(gsi));
	return published == mint_self ? owner : published;
}

/**
 * mint_pin_hand() - a pin changes hands
 * @gsi:	global system interrupt of the pin
 * @from:	who has it
 * @to:		who gets it
 *
 * Context: predecessor, under mint_claims_lock(), which keeps the owner and
 *	    what the others are told the same.
 * Return: false if it is not @from's.
 */
bool mint_pin_hand(u32 gsi, u32 from, u32 to)
{
	if (mint_owner_of_pin(gsi) != from ||
	    !try_cmpxchg(&pin_owners[gsi], &from, to))
		return false;
	WRITE_ONCE(*mint_pin_record(gsi), to);
	return true;
}

/**
 * mint_pin_set_own() - a pin comes to this successor, or leaves it
 * @gsi:	global system interrupt of the pin
 * @own:	it comes, if node 0 says so; else it is node 0's again, and nobody
 *		here uses it
 *
 * Context: successor, process.
 */
void mint_pin_set_own(u32 gsi, bool own)
{
	if (!pin_owners || gsi >= mint_layout.pins.count)
		return;
	own = own && READ_ONCE(*mint_pin_record(gsi)) == mint_self;
	WRITE_ONCE(pin_owners[gsi], own ? mint_self : 0);
}

static const char *type_name(const struct mint_map *map)
{
	if (map->flags & MINT_MAP_WITHHELD)
		return "reserved by node 0";
	switch (map->type) {
	case E820_TYPE_RAM:	return "free";
	case E820_TYPE_ACPI:	return "ACPI tables";
	case E820_TYPE_NVS:	return "ACPI NVS";
	case E820_TYPE_PMEM:
	case E820_TYPE_PRAM:	return "persistent";
	default:		return "reserved";
	}
}

/* What all nodes use, within memory of node 0; NULL elsewhere */
static const char *shared_name(phys_addr_t addr, u64 *end)
{
	const struct mint_range common = { mint_common_pa, mint_layout.size };
	const struct mint_range gateway = { mint_layout.gateway, PAGE_SIZE };
	const char *name = NULL;

	if (mint_range_border(&common, addr, end))
		name = "common area";
	if (mint_layout.shared.size &&
	    mint_range_border(&mint_layout.shared, addr, end))
		name = "shared";
	if (mint_range_border(&gateway, addr, end))
		name = "gateway";
	return name;
}

/**
 * mint_owner_of_memory() - whose is the memory from an address on?
 * @addr:	physical address
 * @end:	out: where that ends, exclusive
 * @what:	out: what to call it, or NULL if @addr is in no entry of the
 *		firmware's map; @end is then the start of the next entry, or 0
 *
 * Context: any but NMI.
 * Return: the owner, which may be MINT_NODE_FLIGHT; MINT_NODE_FREE for what no
 * node can have, too.
 */
u32 mint_owner_of_memory(phys_addr_t addr, phys_addr_t *end, const char **what)
{
	u32 owner = MINT_NODE_FREE, i;
	const struct mint_map *map;
	struct mint_range range;
	u64 stop = U64_MAX;
	const char *shared;

	*what = NULL;
	for (i = 0; (map = mint_firmware_map(i)); i++) {
		range.start = map->start;
		range.size = map->size;
		if (mint_range_border(&range, addr, &stop)) {
			*what = type_name(map);
			break;
		}
	}
	if (!*what) {
		*end = stop == U64_MAX ? 0 : stop;
		return owner;
	}
	if (map->type == E820_TYPE_RAM) {
		owner = mint_claim_owner_of_memory(addr, &stop);
		if (owner == MINT_NODE_FLIGHT)
			*what = "in flight";
		else if (owner != MINT_NODE_FREE)
			*what = "node";
		shared = shared_name(addr, &stop);
		if (shared) {
			owner = MINT_NODE_FREE;
			*what = shared;
		}
	}
	*end = stop;
	return owner;
}

/* Functions that are nobody's, on the way from one node to another; 0: none */
static u64 in_flight[MINT_MOVES];

#define IN_FLIGHT(id)	(BIT_ULL(32) | (id))

static u64 *find_in_flight(u64 what)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(in_flight); i++)
		if (READ_ONCE(in_flight[i]) == what)
			return &in_flight[i];
	return NULL;
}

/**
 * mint_function_set_flight() - a PCI function is on its way to another node, or has arrived
 * @id:		segment << 16 | bus << 8 | devfn
 * @flight:	from now on it is MINT_NODE_FLIGHT's
 *
 * Context: predecessor, under mint_claims_lock().
 * Return: false if too many are on their way.
 */
bool mint_function_set_flight(u32 id, bool flight)
{
	u64 *entry = find_in_flight(IN_FLIGHT(id));

	mint_claims_assert_held();
	if (flight) {
		entry = entry ?: find_in_flight(0);
		if (!entry)
			return false;
	}
	if (entry)
		WRITE_ONCE(*entry, flight ? IN_FLIGHT(id) : 0);
	return true;
}

/**
 * mint_owner_of_function() - whose is a PCI function?
 * @id:		segment << 16 | bus << 8 | devfn
 * @index:	out: its index in the devices of that node; may be NULL
 *
 * Context: any.
 * Return: the owner; MINT_NODE_FREE for what is node 0's, to use or to lend. Of
 * MINT_NODE_FLIGHT node 0 alone knows.
 */
u32 mint_owner_of_function(u32 id, u32 *index)
{
	const struct mint_node *node;
	u32 n, i;

	for (n = 0; mint_node(n); n++) {
		node = mint_claim(n);
		if (!node)
			continue;
		for (i = 0; i < min_t(u32, node->nr_devices, MINT_DEVICES_MAX); i++) {
			if (node->devices[i].kind != MINT_DEV_PCI ||
			    node->devices[i].id != id)
				continue;
			if (index)
				*index = i;
			return n;
		}
	}
	return find_in_flight(IN_FLIGHT(id)) ? MINT_NODE_FLIGHT : MINT_NODE_FREE;
}

/**
 * mint_owner_of_legacy() - whose is a legacy device?
 * @id:	MINT_LEGACY_*
 *
 * Context: any.
 * Return: the owner.
 */
u32 mint_owner_of_legacy(u32 id)
{
	const struct mint_node *node;
	u32 n;

	for (n = 0; mint_node(n); n++) {
		node = mint_claim(n);
		if (node && node->legacy & BIT(id))
			return n;
	}
	return MINT_NODE_FREE;
}
