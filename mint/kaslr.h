/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mint: mint.mem= in the decompressor.
 *
 * Owns what physical KASLR must know: that memory outside of mint.mem= is not
 * this kernel's, so that the image is never put where it could be lent.
 * Included by boot/compressed/kaslr.c, which offers no memory but this.
 */
#ifndef _ARCH_X86_MINT_KASLR_H
#define _ARCH_X86_MINT_KASLR_H

#ifdef CONFIG_MINT

#include <asm/msr.h>
#include <uapi/asm/mint.h>

#define MINT_KASLR_RANGES	16

static bool mint_stamped;

/* For mint/area/timing.c: boot_params are all that the kernel gets from here */
static void mint_kaslr_stamp(void)
{
	u64 *tsc = (u64 *)(boot_params_ptr->_pad9 + MINT_TIME_BOOT_PARAMS);

	if (!mint_stamped)
		*tsc = rdtsc();
	mint_stamped = true;
}

static struct mem_vector mint_kept[MINT_KASLR_RANGES];
static int mint_nr_kept;

/* mint.mem=<size>@<start>[,..]; what is malformed is reported later */
static bool mint_kaslr_mem(const char *param, char *val)
{
	u64 size, start;
	char *p = val;

	if (strcmp(param, "mint.mem"))
		return false;

	while (p && *p && mint_nr_kept < MINT_KASLR_RANGES) {
		size = memparse(p, &p);
		if (*p == '@') {
			start = memparse(p + 1, &p);
			if (start + size > start && (!*p || *p == ',')) {
				mint_kept[mint_nr_kept].start = start;
				mint_kept[mint_nr_kept++].size = size;
			}
		}
		while (*p && *p++ != ',')
			;
	}
	return true;
}

/*
 * The lowest part of @img that mint.mem= does not keep, if it begins below
 * *@earliest: something to avoid, like all that mem_avoid_overlap() knows.
 */
static bool mint_kaslr_avoid(struct mem_vector *img, struct mem_vector *overlap,
			     u64 *earliest)
{
	u64 pos = img->start, end = img->start + img->size;
	int i;

	mint_kaslr_stamp();
	if (!mint_nr_kept)
		return false;

	for (i = 0; i < mint_nr_kept; i++) {
		if (pos < mint_kept[i].start ||
		    pos - mint_kept[i].start >= mint_kept[i].size)
			continue;
		pos = mint_kept[i].start + mint_kept[i].size;
		i = -1;
	}
	if (pos >= end || pos >= *earliest)
		return false;

	for (i = 0; i < mint_nr_kept; i++)
		if (mint_kept[i].start > pos && mint_kept[i].start < end)
			end = mint_kept[i].start;
	overlap->start = pos;
	overlap->size = end - pos;
	*earliest = pos;
	return true;
}

#else

/* No functions: even an empty one changes what the compiler inlines here */
#define mint_kaslr_mem(...)	false
#define mint_kaslr_avoid(...)	false

#endif

#endif /* _ARCH_X86_MINT_KASLR_H */
