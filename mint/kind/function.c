// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: the kind of thing that a PCI function is.
 *
 * Owns which functions a launch asks for. Whether one may be lent, and how, is
 * said in device/pci.c.
 */

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/sysfs.h>

#include "../area/area.h"
#include "../own/own.h"
#include "../device/device.h"
#include "kind.h"
#include "request.h"

/* One PCI function, and the bridges above it */
static int check_function(struct request *rq, u32 id, bool force)
{
	struct mint_device dev = { .kind = MINT_DEV_PCI, .id = id };
	struct mint_node *node = &rq->node;
	char name[16], why[200];
	u32 i;
	int err;

	mint_device_name(&dev, name, sizeof(name));
	for (i = 0; i < node->nr_devices; i++)
		if (node->devices[i].kind == MINT_DEV_PCI &&
		    node->devices[i].id == id)
			return mint_refuse(rq, -EINVAL, "device %s is named twice", name);
	err = mint_pci_check(&dev, force, why, sizeof(why));
	if (err)
		return mint_refuse(rq, err, "device %s %s", name, why);
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

static int parse(struct request *rq, const struct mint_token *word)
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

/* Drivers of node 0 may still come between the check and this */
static int lend(struct request *rq, struct mint_claim *claim)
{
	char name[16];
	u32 i;
	int err;

	for (i = 0; i < claim->node.nr_devices; i++, claim->nr_lent = i) {
		err = mint_pci_lend(&claim->node.devices[i]);
		if (err)
			return mint_refuse(rq, err,
					   "a driver of node 0 just took device %s: unbind it",
					   mint_device_name(&claim->node.devices[i],
							    name, sizeof(name)));
	}
	return 0;
}

static void take_back(struct mint_claim *claim)
{
	u32 i;

	for (i = 0; i < claim->nr_lent; i++) {
		mint_pci_take_back(&claim->node.devices[i]);
		mint_claim_progressed(claim);
	}
}

static int show_node(char *buf, int at, u32 n, const char *suffix)
{
	const struct mint_node *node = mint_claim(n);
	char name[16];
	int len = 0;
	u32 i;

	for (i = 0; node && i < min_t(u32, node->nr_devices, MINT_DEVICES_MAX); i++)
		if (node->devices[i].kind == MINT_DEV_PCI)
			len += sysfs_emit_at(buf, at + len, "%s%s\n",
					     mint_device_name(&node->devices[i],
							      name, sizeof(name)),
					     suffix);
	return len;
}

const struct mint_kind mint_kind_function = {
	.file		= "devices",
	.node_file	= "devices",
	.param		= "mint.devices=",
	.syntax		= "[segment:]bus:dev[.fn][/*]",
	.parse		= parse,
	.lend		= lend,
	.take_back	= take_back,
	.show_node	= show_node,
};
