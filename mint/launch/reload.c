// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: another image for the next reboot of a successor.
 *
 * Owns kexec --mint-reboot: what such an image may change, and what stays as
 * node 0 has lent it. The image then takes the place of the kept one
 * (life/restart.c).
 */

#include <linux/kernel.h>
#include <linux/kexec.h>
#include <linux/pgtable.h>
#include <linux/string.h>

#include <asm/setup.h>

#include "../area/area.h"
#include "../own/own.h"
#include "../device/device.h"
#include "../life/life.h"
#include "launch.h"

/* The same memory map as at the launch: boot_params still has it */
static void copy_memory_map(struct boot_params *params)
{
	params->e820_entries = boot_params.e820_entries;
	memcpy(params->e820_table, boot_params.e820_table,
	       sizeof(params->e820_table));
}

/* Parameters of a launch, which a reboot would not heed */
static const char *param_of_launch(const char *cmdline)
{
	static const char * const names[] = {
		"mint.mem=", "mint.cpus=", "mint.devices=", "mint.name=",
		"mint.links=", "mint.share=", "mint.keep=",
	};
	struct mint_token value;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (mint_param_find(cmdline, names[i], &value))
			return names[i];
	return NULL;
}

/**
 * mint_restart_load() - take another image for the next reboot
 * @rq:	request, its hand-over read
 *
 * The image is read as a whole first: the old one stays until the new one is
 * known to be complete.
 *
 * Context: successor, process.
 * Return: 0; a negative error, mostly with the reason in the report.
 */
int mint_restart_load(struct mint_kexec *rq)
{
	struct mint_range seg, kept_range;
	const char *param;
	unsigned long i;
	int err;

	if (rq->handover.op != MINT_OP_REBOOT)
		return mint_refuse(rq, -EPERM,
				   "node %u is a successor: launch from node 0; for its own reboot it takes an image by --mint-reboot",
				   mint_self);
	if (!mint_kept_range(&kept_range))
		return mint_refuse(rq, -ENOSPC,
				   "node %u keeps no image: launch it without mint.keep=0",
				   mint_self);

	err = mint_image_check(rq);
	if (err)
		return err;
	if (rq->la57 != pgtable_l5_enabled())
		return mint_refuse(rq, -ENOEXEC,
				   "the image uses %u levels of page tables, node %u runs with %u: launch it from node 0",
				   rq->la57 ? 5 : 4, mint_self,
				   rq->la57 ? 4 : 5);
	param = param_of_launch(rq->cmdline);
	if (param)
		return mint_refuse(rq, -EINVAL,
				   "%s is for a launch: what node %u owns and is called stays as it was launched; leave it out",
				   param, mint_self);

	memcpy(rq->node.mem, mint_own_mem, sizeof(rq->node.mem));
	rq->node.nr_mem = mint_own_mem_count;
	rq->node.legacy = mint_own_legacy;
	rq->number = mint_self;
	rq->keep = kept_range;
	err = mint_image_check_memory(rq);
	if (err)
		return err;
	for (i = 0; i < rq->nr_segments; i++) {
		seg.start = rq->segments[i].mem;
		seg.size = rq->segments[i].memsz;
		if (mint_ranges_overlap(&seg, &kept_range))
			return mint_refuse(rq, -EADDRNOTAVAIL,
					   "segment %#llx-%#llx of the image lies where node %u keeps it: lower --mem-max",
					   seg.start, seg.start + seg.size - 1,
					   mint_self);
	}
	err = mint_image_layout(rq);
	if (err)
		return err;
	copy_memory_map(&rq->params);
	mint_image_finish(rq);

	err = mint_image_replace(rq, mint_kept_lock());
	mint_kept_unlock(err ? 0 : rq->address);
	if (!err)
		pr_info("image for the next reboot of node %u loaded\n", mint_self);
	return err;
}
