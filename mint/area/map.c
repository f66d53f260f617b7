// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: the way to memory that is not this node's.
 *
 * Owns the mappings that Mint makes for itself: of the common area, of images
 * and of what is scrubbed. Drivers are refused such memory (own/memory.c).
 */

#include <linux/io.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>

#include "area.h"

/**
 * mint_map_memory() - map memory that is not this node's
 * @start:	physical address, page-aligned
 * @size:	bytes
 *
 * The only way past mint_may_ioremap(). Cached, by large pages where the
 * alignment allows.
 *
 * Context: process, may sleep.
 * Return: the address, or NULL.
 */
void *mint_map_memory(phys_addr_t start, unsigned long size)
{
	struct vm_struct *area;
	unsigned long addr;

	size = PAGE_ALIGN(size);
	area = get_vm_area(size, VM_IOREMAP);
	if (!area)
		return NULL;
	area->phys_addr = start;
	addr = (unsigned long)area->addr;
	if (vmap_page_range(addr, addr + size, start, PAGE_KERNEL)) {
		free_vm_area(area);
		return NULL;
	}
	return area->addr;
}

/**
 * mint_unmap_memory() - undo mint_map_memory()
 * @addr:	what it returned
 *
 * Context: process, may sleep.
 */
void mint_unmap_memory(void *addr)
{
	vunmap(addr);
}
