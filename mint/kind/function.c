// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: the kind of thing that a PCI function is.
 *
 * Owns which functions a launch asks for, and how the book changes when one goes
 * from one running node to another. Whether one may be lent, and how, is said in
 * device/pci.c; the steps of a move are in device/move.c.
 *
 * The devices of a node keep their places while it runs: the node knows them by
 * these, and so do the records of where they are (device/vf.c). One that has left
 * leaves an empty entry, which the next one that comes may get.
 */

#include <linux/bitmap.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/seq_file.h>

#include "../area/area.h"
#include "../own/own.h"
#include "../device/device.h"
#include "kind.h"
#include "request.h"

/* One PCI function, and the bridges above it */
static int check_function(struct mint_kexec *rq, u32 id, bool force)
{
	struct mint_device dev = { .kind = MINT_DEV_PCI, .id = id };
	struct mint_node *node = &rq->node;
	struct mint_reason why;
	char name[16];
	u32 i;
	int err;

	mint_device_name(&dev, name, sizeof(name));
	for (i = 0; i < node->nr_devices; i++)
		if (node->devices[i].kind == MINT_DEV_PCI &&
		    node->devices[i].id == id)
			return mint_refuse(rq, -EINVAL, "device %s is named twice", name);
	err = mint_pci_check(&dev, force, &why);
	if (err)
		return mint_refuse(rq, err, "device %s %s", name, why.text);
	err = mint_request_device(rq, &dev, name);
	if (err)
		return err;
	err = mint_pci_bridges(&dev, node->devices, node->nr_devices,
			       MINT_DEVICES_MAX);
	if (err < 0)
		return mint_refuse(rq, err, "more than %u devices with bridges",
				   MINT_DEVICES_MAX);
	node->nr_devices = err;
	return 0;
}

static int parse(struct mint_kexec *rq, const struct mint_token *word)
{
	u32 ids[MINT_DEVICES_MAX];
	struct mint_pci_match match;
	int i, count, err;

	err = mint_token_pci(word, &match);
	if (err == -ERANGE)
		return mint_refuse(rq, -EINVAL,
				   "device %.*s is in a domain that a driver of node 0 made (VMD), not the firmware: lend the function that the driver has, or switch that off in the firmware",
				   word->len, word->text);
	if (err)
		return MINT_WORD_FOREIGN;
	count = mint_pci_expand(&match, ids, ARRAY_SIZE(ids));
	if (!count)
		return mint_refuse(rq, -ENODEV,
				   "device %.*s has no function on this machine: see lspci",
				   word->len, word->text);
	if (count < 0)
		return mint_refuse(rq, count, "device %.*s is more than %u functions",
				   word->len, word->text, MINT_DEVICES_MAX);
	for (i = 0; i < count && !err; i++)
		err = check_function(rq, ids[i], match.force);
	return err;
}

/*
 * A move to a node without bounce buffers is refused (check_receiver()), and so is a launch
 * that can have them by another choice of ranges. A node that lies above 4 GiB as a whole
 * is what was asked for: many functions reach all memory, which their drivers alone know.
 */
static int check(struct mint_kexec *rq)
{
	char name[16];
	bool below;
	u32 i;

	for (i = 0; i < rq->node.nr_devices; i++)
		if (rq->node.devices[i].kind == MINT_DEV_PCI)
			break;
	if (i == rq->node.nr_devices || !mint_request_unreached(rq, &below))
		return 0;
	mint_device_name(&rq->node.devices[i], name, sizeof(name));
	if (below)
		return mint_refuse(rq, -EADDRNOTAVAIL,
				   "device %s: the node has memory above 4 GiB and boots without bounce buffers: name movable: ranges below alone, or one range below and one above that are not movable",
				   name);
	pr_warn("device %s, and others of its node that cannot address memory above 4 GiB, will not work there: launch it with memory below, too\n",
		name);
	return 0;
}

/* Drivers of node 0 may still come between the check and this */
static int lend(struct mint_kexec *rq, struct mint_claim *claim)
{
	char name[16];
	u32 i;
	int err;

	for (i = 0; i < claim->node.nr_devices; i++) {
		err = mint_pci_lend(&claim->node.devices[i]);
		if (err)
			return mint_refuse(rq, err, err == -ENODEV ?
					   "device %s was just removed from node 0: leave it out" :
					   err == -ENOMEM ?
					   "no memory is left in node 0 for device %s: try again" :
					   "a driver of node 0 just took device %s: unbind it",
					   mint_device_name(&claim->node.devices[i],
							    name, sizeof(name)));
		__set_bit(i, claim->lent);
	}
	return 0;
}

static void take_back(struct mint_claim *claim)
{
	u32 i;

	for_each_set_bit(i, claim->lent, MINT_DEVICES_MAX) {
		mint_pci_take_back(&claim->node.devices[i]);
		mint_claim_inc_progress(claim);
	}
}

/* A function that no successor has is free in the book, whether node 0 uses it or not */
static u32 holder(u32 n)
{
	return n == mint_self ? MINT_NODE_FREE : n;
}

static const char *function_name(u64 id, char *name, size_t size)
{
	const struct mint_device dev = { .kind = MINT_DEV_PCI, .id = id };

	return mint_device_name(&dev, name, size);
}

/*
 * The devices of a successor once it has one more function, in @list, and the
 * bridges above that with it. Return: how many entries, or -ENOSPC.
 */
static int list_with(u32 n, u32 id, struct mint_device *list)
{
	const struct mint_device dev = { .kind = MINT_DEV_PCI, .id = id };
	const struct mint_node *node = mint_claim(n);
	u32 count = node->nr_devices;
	int slot;

	memcpy(list, node->devices, sizeof(node->devices));
	slot = mint_device_slot(list, count, MINT_DEVICES_MAX);
	if (slot < 0)
		return slot;
	list[slot] = dev;
	count = max_t(u32, count, slot + 1);
	return mint_pci_bridges(&dev, list, count, MINT_DEVICES_MAX);
}

static int refuse_unreached(struct mint_transfer *t, const char *name, u32 n)
{
	return mint_transfer_refuse(t, -EADDRNOTAVAIL,
				    "device %s: node %u has memory above 4 GiB and no bounce buffers: take from it what it got there, or launch it with memory below, too",
				    name, n);
}

static int check_receiver(struct mint_transfer *t, const char *name)
{
	struct mint_device list[MINT_DEVICES_MAX];
	struct mint_core *core = mint_pin_unreached_core(t->to);

	if (core)
		return mint_transfer_refuse(t, -ENXIO,
					    "device %s cannot interrupt APIC ID %u of node %u: take cores above %u from it first",
					    name, mint_apic_id(core), t->to,
					    MINT_DEVICE_APIC_ID_MAX);
	if (mint_memory_unreached(t->to))
		return refuse_unreached(t, name, t->to);
	if (list_with(t->to, t->start, list) < 0)
		return mint_transfer_refuse(t, -ENOSPC,
					    "device %s: node %u has no room for it, %u devices with bridges are the most: take others from it first",
					    name, t->to, MINT_DEVICES_MAX);
	return 0;
}

static int plan(struct mint_transfer *t, const struct mint_token *word)
{
	struct mint_pci_match match;
	struct mint_reason why;
	char name[16];
	int err = mint_token_pci(word, &match);

	if (err == -ERANGE)
		return mint_transfer_refuse(t, -EINVAL,
					    "device %.*s is in a domain that a driver of node 0 made (VMD): move the function that the driver has",
					    word->len, word->text);
	if (err || match.below || match.mask != ~0U)
		return mint_transfer_refuse(t, -EINVAL,
					    "'%.*s' is not [segment:]bus:dev.fn: one function at a time",
					    word->len, word->text);
	t->start = match.id;
	t->size = 1;
	function_name(t->start, name, sizeof(name));
	err = mint_pci_check_move(match.id, &t->from, match.force, &why);
	if (err)
		return mint_transfer_refuse(t, err, "device %s %s", name, why.text);
	/* The caller refuses what is there already */
	return mint_is_successor(t->to) && t->to != t->from ? check_receiver(t, name) : 0;
}

static int refuse_function(struct mint_transfer *t, int err,
			   const struct mint_reason *why)
{
	char name[16];

	return mint_transfer_refuse(t, err, "device %s %s",
				    function_name(t->start, name, sizeof(name)),
				    why->text);
}

static int give(struct mint_transfer *t)
{
	struct mint_reason why;
	int err = mint_pci_give(t->start, &why);

	return err ? refuse_function(t, err, &why) : 0;
}

static int take(struct mint_transfer *t)
{
	struct mint_reason why;
	char name[16];
	int err;

	/* Memory may have come since node 0 looked */
	if (mint_role == MINT_SUCCESSOR && mint_memory_unreached(mint_self))
		return refuse_unreached(t, function_name(t->start, name, sizeof(name)),
					mint_self);
	err = mint_pci_take(t->start, t->again, &why);
	return err ? refuse_function(t, err, &why) : 0;
}

/* The record of the giver has it still, or the book says so again */
static int keep(struct mint_transfer *t)
{
	struct mint_reason why;
	int err;

	/* Node 0 had no driver for it: nothing is to be offered */
	if (mint_role == MINT_PREDECESSOR && t->from == MINT_NODE_FREE)
		return 0;
	err = mint_pci_keep(t->start, &why);
	return err ? refuse_function(t, err, &why) : 0;
}

static int node_name(char *buf, size_t size, u32 n)
{
	return snprintf(buf, size, "node %u", mint_is_successor(n) ? n : 0);
}

static int clear(struct mint_transfer *t)
{
	char from[16], to[16], where[48];
	struct mint_reason why;
	int err;

	node_name(from, sizeof(from), t->from);
	node_name(to, sizeof(to), t->to);
	snprintf(where, sizeof(where), "from %s to %s", from, to);
	err = mint_pci_clear(t->start, where, &why);
	return err ? refuse_function(t, err, &why) : 0;
}

/* A successor has it from now on */
static bool enter(u32 n, u32 id)
{
	struct mint_device list[MINT_DEVICES_MAX];
	const struct mint_node *node = mint_claim(n);
	int i, function = -1, count;

	if (!node)
		return false;
	count = list_with(n, id, list);
	for (i = 0; i < count; i++)
		if (list[i].kind == MINT_DEV_PCI && list[i].id == id)
			function = i;
	if (function < 0 || !mint_vf_publish(id, n, function))
		return false;
	/* Bridges first: a node that finds the function finds the way to it, too */
	for (i = 0; i < count; i++)
		if (list[i].kind == MINT_DEV_BRIDGE && !node->devices[i].kind)
			mint_claim_set_device(n, i, &list[i]);
	mint_claim_set_device(n, function, &list[function]);
	return true;
}

/* Is a bridge in the list of a successor above any of its functions? */
static bool bridge_needed(const struct mint_node *node, u32 bridge)
{
	u32 i;

	for (i = 0; i < node->nr_devices; i++)
		if (node->devices[i].kind == MINT_DEV_PCI &&
		    mint_pci_below(node->devices[i].id, bridge))
			return true;
	return false;
}

/* A successor does not have it any more, nor what it had for it alone */
static void leave(u32 n, u32 index)
{
	const struct mint_node *node = mint_claim(n);
	const struct mint_device gone = node->devices[index], none = {};
	u32 i;

	mint_claim_set_device(n, index, &none);
	mint_vf_withdraw(n, index);
	mint_pin_leave(n, &gone);
	for (i = 0; i < node->nr_devices; i++)
		if (node->devices[i].kind == MINT_DEV_BRIDGE &&
		    !bridge_needed(node, node->devices[i].id))
			mint_claim_set_device(n, i, &none);
}

/* At no instant it is nobody's: the next owner comes before the last one goes */
static bool hand(struct mint_transfer *t, u32 from, u32 to)
{
	u32 id = t->start, index = 0;

	if (mint_owner_of_function(id, &index) != holder(from))
		return false;
	/* A core that no device can interrupt may have come to the receiver since plan() */
	if (to == t->to && mint_is_successor(to) && mint_pin_unreached_core(to))
		return false;
	if (to == MINT_NODE_FLIGHT && !mint_function_set_flight(id, true))
		return false;
	if (mint_is_successor(to) && !enter(to, id))
		return false;
	if (mint_is_successor(from))
		leave(from, index);
	if (from == MINT_NODE_FLIGHT)
		mint_function_set_flight(id, false);
	return true;
}

/* Until then no driver of node 0 gets it, and no launch */
static void handed(struct mint_transfer *t, u32 to)
{
	if (holder(to) == MINT_NODE_FREE)
		mint_pci_release(t->start);
}

static void show_node(struct seq_file *m, u32 n, const char *suffix)
{
	const struct mint_node *node = mint_claim(n);
	char name[16];
	u32 i;

	for (i = 0; node && i < min_t(u32, node->nr_devices, MINT_DEVICES_MAX); i++)
		if (node->devices[i].kind == MINT_DEV_PCI)
			seq_printf(m, "%s%s\n",
				   mint_device_name(&node->devices[i], name,
						    sizeof(name)), suffix);
}

const struct mint_kind mint_kind_function = {
	.file		= "devices",
	.node_file	= "devices",
	.param		= "mint.devices=",
	.syntax		= "[segment:]bus:dev[.fn][/*]",
	.parse		= parse,
	.check		= check,
	.lend		= lend,
	.take_back	= take_back,
	.quiet		= mint_pci_quiet,
	.show_node	= show_node,
	.move		= MINT_MOVE_FUNCTION,
	.crowded	= true,
	.word		= "pci",
	.plan		= plan,
	.give		= give,
	.keep		= keep,
	.clear		= clear,
	.hand		= hand,
	.handed		= handed,
	.take		= take,
};
