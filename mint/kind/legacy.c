// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: the kind of thing that a legacy device is.
 *
 * Owns which of them a launch asks for and may have. Nothing is to be brought to
 * rest: only what node 0 never touched is lent (device/legacy.c).
 */

#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/seq_file.h>

#include "../area/area.h"
#include "../own/own.h"
#include "../device/device.h"
#include "kind.h"
#include "request.h"

static int check_owner(struct mint_kexec *rq, const struct mint_device *dev,
		       const char *name)
{
	u32 owner = mint_owner_of_legacy(dev->id);

	if (owner == MINT_NODE_FREE)
		return 0;
	if (owner != mint_self)
		return mint_refuse(rq, -EBUSY,
				   "device %s belongs to node %u: end that node first",
				   name, owner);
	return mint_refuse(rq, -EBUSY,
			   "device %s belongs to node 0: boot that with mint.devices=-%s",
			   name, name);
}

static int parse(struct mint_kexec *rq, const struct mint_token *word)
{
	struct mint_device dev;
	char name[16];
	int err;
	u32 i;

	if (mint_token_device(word, &dev))
		return MINT_WORD_FOREIGN;
	mint_device_name(&dev, name, sizeof(name));
	if (rq->node.legacy & BIT(dev.id))
		return mint_refuse(rq, -EINVAL, "device %s is named twice", name);
	err = check_owner(rq, &dev, name);
	if (err)
		return err;
	rq->node.legacy |= BIT(dev.id);
	for (i = 0; mint_legacy_line(&dev, i) || !i; i++) {
		err = mint_request_device(rq, &dev, name);
		if (err)
			return err;
	}
	return 0;
}

static void show_node(struct seq_file *m, u32 n, const char *suffix)
{
	const struct mint_node *node = mint_claim(n);
	struct mint_device dev = { .kind = MINT_DEV_LEGACY };
	char name[16];

	for (dev.id = 0; node && dev.id < MINT_LEGACY_COUNT; dev.id++)
		if (node->legacy & BIT(dev.id))
			seq_printf(m, "%s%s\n",
				   mint_device_name(&dev, name, sizeof(name)), suffix);
}

const struct mint_kind mint_kind_legacy = {
	.file		= "devices",
	.node_file	= "devices",
	.param		= "mint.devices=",
	.syntax		= "com1-com4, i8042, vga or rtc",
	.parse		= parse,
	.show_node	= show_node,
};
