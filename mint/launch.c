// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: from kexec_load() to a running node.
 *
 * Owns the launch: a request is read, checked, claimed, put in place and
 * started, in this order. Whatever is refused is refused before anything was
 * claimed, with one line that names the resource, who has it and what to do;
 * whatever fails later gives back all that was claimed.
 *
 *   mint_kexec_load()
 *     read_request()	the hand-over among the segments
 *     load()		check_image(), read_cmdline(), check_cores(),
 *			check_memory(), check_devices(); claim(), place()
 *     start()		send the boot core through the gateway
 *     unload()		give back what was loaded and not started
 */

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/kexec.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/suspend.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include <asm/apic.h>
#include <asm/bootparam.h>
#include <asm/e820/api.h>
#include <asm/e820/types.h>
#include <asm/setup.h>
#include <asm/tsc.h>

#include "mint.h"

#define HDRS_MAGIC		0x53726448	/* "HdrS" */
#define COPY_PIECE		((size_t)SZ_16M)
#define BOOT_MAX_E820		E820_MAX_ENTRIES_ZEROPAGE

/* Parameters that a successor needs and that only a command line can give */
#define FORCED_PARAMS		"dis_ucode_ldr mce=no_cmci mce=ignore_ce apic_extnmi=none "

/**
 * struct request - a call of kexec_load() with KEXEC_MINT
 * @segments:	as the caller gave them
 * @nr_segments: how many
 * @user:	the caller's hand-over, for the report
 * @address:	where the hand-over goes
 * @handover:	our copy of it
 * @params:	our copy of the successor's boot_params
 * @cmdline:	its command line
 * @node:	what the node's record will be
 * @cores:	its cores, boot core first
 * @nr_cores:	how many
 * @la57:	five levels of page tables at entry
 * @number:	of the node, once claimed
 */
struct request {
	struct kexec_segment	*segments;
	unsigned long		nr_segments;
	void __user		*user;
	u64			address;
	struct mint_handover	handover;
	struct boot_params	params;
	char			cmdline[MINT_CMDLINE_LEN];
	struct mint_node	node;
	struct mint_core	**cores;
	u32			nr_cores;
	bool			la57;
	u32			number;
};

static DEFINE_MUTEX(launch_mutex);

/*
 * What was given to each node. The records in the common area repeat it for
 * people and peers; what a peer writes there changes nothing here.
 */
struct claim {
	struct mint_node	node;
	u64			entry;
	u32			nr_lent;	/* devices that were brought to rest */
	bool			la57;
	bool			used;
};

/* Once made, a claim stays: who looks without the mutex sees old, not freed */

static struct claim *claims[MINT_NODE_MAX];

/**
 * mint_claim() - what a node owns
 * @n:	number of the node
 *
 * Context: any. In node 0 the answer about a successor comes from private
 *	    memory and stays valid under the launch mutex; elsewhere it is the
 *	    node's record, whose counts are to be checked.
 * Return: the record, or NULL if there is no such node.
 */
const struct mint_node *mint_claim(u32 n)
{
	const struct mint_node *node = mint_node(n);
	struct claim *claim;

	if (mint_role == MINT_PREDECESSOR && n != mint_self) {
		claim = node ? READ_ONCE(claims[n]) : NULL;
		/* Pairs with the releases in claim() and release() */
		return claim && smp_load_acquire(&claim->used) ?
		       &claim->node : NULL;
	}
	return node && READ_ONCE(node->state) != MINT_STATE_NONE ? node : NULL;
}

static __printf(3, 4) int refuse(struct request *rq, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vscnprintf(rq->handover.report, sizeof(rq->handover.report), fmt, args);
	va_end(args);
	pr_err("refused: %s\n", rq->handover.report);
	return err;
}

/* Where the caller has the bytes for a physical address, and how many */
static void __user *image_at(struct request *rq, u64 address, size_t *avail)
{
	struct kexec_segment *seg;
	unsigned long i;

	for (i = 0; i < rq->nr_segments; i++) {
		seg = &rq->segments[i];
		if (address >= seg->mem && address - seg->mem < seg->bufsz) {
			*avail = seg->bufsz - (address - seg->mem);
			return seg->buf + (address - seg->mem);
		}
	}
	return NULL;
}

static int read_image(struct request *rq, u64 address, void *to, size_t size)
{
	size_t avail;
	void __user *from = image_at(rq, address, &avail);

	if (!from || avail < size)
		return -ENOENT;
	return copy_from_user(to, from, size) ? -EFAULT : 0;
}

static int read_request(struct request *rq)
{
	struct mint_handover *h = &rq->handover;
	size_t avail;
	int err;

	err = read_image(rq, rq->address, h, sizeof(*h));
	if (err)
		return err == -ENOENT ? -EINVAL : err;
	memset(h->report, 0, sizeof(h->report));
	rq->user = image_at(rq, rq->address, &avail);

	if (h->magic != MINT_MAGIC || h->version >> 16 != MINT_VERSION_MAJOR)
		return refuse(rq, -EINVAL,
			      "request of version %u.%u, this kernel knows %u.%u: use a kexec of the same release",
			      h->version >> 16, h->version & 0xffff,
			      MINT_VERSION_MAJOR, MINT_VERSION_MINOR);
	if (!h->op || h->op & ~(MINT_OP_LOAD | MINT_OP_START | MINT_OP_UNLOAD) ||
	    ((h->op & MINT_OP_UNLOAD) && h->op != MINT_OP_UNLOAD))
		return refuse(rq, -EINVAL, "operation %#x is none", h->op);
	return 0;
}

/* Is it a relocatable 64-bit kernel with Mint, and does it fit? */
static int check_image(struct request *rq)
{
	struct setup_header *hdr = &rq->params.hdr;
	struct {
		char	text[MINT_MARKER_LEN];
		u32	version;
		u32	flags;
	} mark;

	if (rq->handover.boot_params & 15 ||
	    read_image(rq, rq->handover.boot_params, &rq->params,
		       sizeof(rq->params)))
		return refuse(rq, -ENOEXEC,
			      "boot_params at %#llx are not in the image: the file is truncated or no Linux kernel",
			      rq->handover.boot_params);
	/* A vmlinux comes without a set-up header, its mark says 64 bits */
	if (hdr->header == HDRS_MAGIC && hdr->init_size &&
	    (!hdr->relocatable_kernel || !(hdr->xloadflags & XLF_KERNEL_64)))
		return refuse(rq, -ENOEXEC,
			      "the image is not a relocatable 64-bit kernel: build it with CONFIG_X86_64 and CONFIG_RELOCATABLE");
	if (read_image(rq, rq->handover.marker, &mark, sizeof(mark)) ||
	    memcmp(mark.text, MINT_MARKER, MINT_MARKER_LEN))
		return refuse(rq, -ENOEXEC,
			      "the image has no Mint: build it with CONFIG_MINT=y");
	if (mark.version >> 16 != MINT_VERSION_MAJOR ||
	    !(mark.flags & MINT_MARKER_64BIT))
		return refuse(rq, -ENOEXEC,
			      "the image has Mint %u.%u, this kernel %u.%u: launch an image of the same major version",
			      mark.version >> 16, mark.version & 0xffff,
			      MINT_VERSION_MAJOR, MINT_VERSION_MINOR);

	rq->la57 = mint_layout.pml5 && (mark.flags & MINT_MARKER_5LEVEL);
	return 0;
}

static int check_range(struct request *rq, const struct mint_range *range)
{
	u64 end = range->start + range->size;
	phys_addr_t pos = range->start, next;
	struct mint_node *node = &rq->node;
	const char *what;
	u32 n, i;

	if (end <= range->start)
		return refuse(rq, -EINVAL, "memory range at %#llx wraps or is empty",
			      range->start);
	for (i = 0; i < node->nr_mem; i++)
		if (mint_ranges_overlap(range, &node->mem[i]))
			return refuse(rq, -EINVAL,
				      "memory %#llx-%#llx is named twice: leave it out of mint.mem=",
				      range->start, end - 1);

	for (; pos < end; pos = next) {
		what = mint_memory_owner(pos, &next, &n);
		if (n != MINT_NODE_FREE)
			return refuse(rq, -EBUSY,
				      "memory %#llx-%#llx overlaps node %u at %#llx: %s",
				      range->start, end - 1, n, (u64)pos,
				      n ? "end that node first or use another range" :
					  "use a range outside of mint.mem= of node 0, see /sys/kernel/mint/memory");
		if (!what || strcmp(what, "free"))
			return refuse(rq, -EADDRNOTAVAIL,
				      "memory %#llx-%#llx overlaps what the machine calls %s at %#llx: use a range that /sys/kernel/mint/memory calls free",
				      range->start, end - 1,
				      what ?: "no memory", (u64)pos);
	}
	if (node->nr_mem == MINT_RANGES_MAX)
		return refuse(rq, -ENOSPC, "more than %u memory ranges",
			      MINT_RANGES_MAX);
	node->mem[node->nr_mem++] = *range;
	return 0;
}

static int check_memory(struct request *rq)
{
	struct mint_handover *h = &rq->handover;
	struct mint_range range = {
		.start	= h->mem_min,
		.size	= h->mem_max - h->mem_min + 1,
	};
	struct mint_token list, token;
	unsigned long i, k;
	int err;

	if (h->mem_max <= h->mem_min || h->mem_max >= PHYSICAL_PAGE_MASK ||
	    (range.start | range.size) & ~PAGE_MASK)
		return refuse(rq, -EINVAL,
			      "memory %#llx-%#llx is not a range of whole pages: give --mem-min and --mem-max (inclusive)",
			      h->mem_min, h->mem_max);
	err = check_range(rq, &range);
	if (err)
		return err;

	if (mint_param_find(rq->cmdline, "mint.mem=", &list)) {
		while (mint_token_next(&list.text, &token)) {
			if (mint_token_range(&token, &range))
				return refuse(rq, -EINVAL,
					      "mint.mem=: '%.*s' is not <size>@<start> in pages",
					      token.len, token.text);
			err = check_range(rq, &range);
			if (err)
				return err;
		}
	}

	range.start = h->entry;
	range.size = 1;
	if (!mint_range_inside(&range, rq->node.mem, rq->node.nr_mem))
		return refuse(rq, -EINVAL,
			      "entry %#llx is not within the node's memory", h->entry);

	for (i = 0; i < rq->nr_segments; i++) {
		struct mint_range seg = {
			.start	= rq->segments[i].mem,
			.size	= rq->segments[i].memsz,
		};

		if (!seg.size || rq->segments[i].bufsz > seg.size ||
		    (seg.start | seg.size) & ~PAGE_MASK ||
		    !mint_range_inside(&seg, rq->node.mem, rq->node.nr_mem))
			return refuse(rq, -EADDRNOTAVAIL,
				      "segment %#llx-%#llx of the image is not within the node's memory: raise --mem-max",
				      seg.start, seg.start + seg.size - 1);
		for (k = 0; k < i; k++) {
			struct mint_range other = {
				.start	= rq->segments[k].mem,
				.size	= rq->segments[k].memsz,
			};

			if (mint_ranges_overlap(&seg, &other))
				return refuse(rq, -EINVAL,
					      "segments %#llx and %#llx of the image overlap",
					      seg.start, other.start);
		}
	}
	return 0;
}

/* May this core go to a new node? */
static int check_core(struct request *rq, u32 apic_id, bool must)
{
	struct mint_core *core = mint_core_find(apic_id);
	u32 owner, i;
	int cpu;

	if (!core)
		return must ? refuse(rq, -ENODEV,
				     "APIC ID %u does not exist: see /sys/kernel/mint/cores",
				     apic_id) : -ENODEV;
	if (apic_id == mint_layout.bsp_apic_id)
		return must ? refuse(rq, -EPERM,
				     "APIC ID %u is the BSP, on which node 0 runs: choose one that /sys/kernel/mint/cores calls free",
				     apic_id) : -EPERM;
	owner = READ_ONCE(core->owner);
	cpu = mint_core_cpu(core);
	if (owner == mint_self)
		return must ? refuse(rq, -EBUSY,
				     "APIC ID %u is CPU %d of node 0, which is online: echo 0 > /sys/devices/system/cpu/cpu%d/online",
				     apic_id, cpu, cpu) : -EBUSY;
	if (owner != MINT_NODE_FREE)
		return must ? refuse(rq, -EBUSY,
				     "APIC ID %u is lent to node %u: end that node first or choose a free one",
				     apic_id, owner) : -EBUSY;
	for (i = 0; i < rq->nr_cores; i++)
		if (rq->cores[i] == core)
			return 0;
	rq->cores[rq->nr_cores++] = core;
	return 0;
}

/*
 * The papers' rule (Mint, fast boot, 3.3): the boot core and, with maxcpus=,
 * as many in all, free ones in ascending order of APIC IDs, none below the
 * boot core. mint.cpus= names them one by one instead.
 */
static int check_cores(struct request *rq)
{
	u32 boot = rq->handover.boot_apic_id, first, last, id, i;
	struct mint_token list, token;
	struct mint_core *core;
	unsigned int wanted;
	char buf[12];
	int err;

	rq->cores = kcalloc(mint_layout.cores.count, sizeof(*rq->cores),
			    GFP_KERNEL);
	if (!rq->cores)
		return -ENOMEM;

	err = check_core(rq, boot, true);
	if (err)
		return err;

	if (mint_param_find(rq->cmdline, "mint.cpus=", &list)) {
		while (mint_token_next(&list.text, &token)) {
			if (mint_token_cpus(&token, &first, &last) ||
			    last - first >= MAX_LOCAL_APIC)
				return refuse(rq, -EINVAL,
					      "mint.cpus=: '%.*s' is not <APIC ID>[-<APIC ID>]",
					      token.len, token.text);
			for (id = first; id <= last; id++) {
				err = check_core(rq, id, true);
				if (err)
					return err;
			}
		}
		return 0;
	}

	if (!mint_param_find(rq->cmdline, "maxcpus=", &list))
		return 0;
	snprintf(buf, sizeof(buf), "%.*s", list.len, list.text);
	if (kstrtouint(buf, 0, &wanted) || !wanted)
		return refuse(rq, -EINVAL,
			      "maxcpus=: '%.*s' is not a number of cores from 1 on",
			      list.len, list.text);
	for (i = 0; (core = mint_core(i)); i++)
		if (mint_apic_id(core) > boot && rq->nr_cores < wanted)
			check_core(rq, mint_apic_id(core), false);
	if (rq->nr_cores < wanted)
		return refuse(rq, -EBUSY,
			      "maxcpus=%u asks for %u cores from APIC ID %u on, %u are free: end a node, take CPUs of node 0 offline or lower maxcpus=",
			      wanted, wanted, boot, rq->nr_cores);
	return 0;
}

static int check_legacy(struct request *rq, const struct mint_device *dev,
			const char *name)
{
	const struct mint_node *other;
	u32 n;

	for (n = 0; mint_node(n); n++) {
		other = mint_claim(n);
		if (!other || !(other->legacy & BIT(dev->id)))
			continue;
		if (n)
			return refuse(rq, -EBUSY,
				      "device %s belongs to node %u: end that node first",
				      name, n);
		return refuse(rq, -EBUSY,
			      "device %s belongs to node 0: boot that with mint.devices=-%s",
			      name, name);
	}
	return 0;
}

static int add_device(struct request *rq, struct mint_device *dev,
		      const char *name)
{
	struct mint_node *node = &rq->node;
	u32 owner;

	if (dev->irq_flags & MINT_IRQ_VALID &&
	    mint_pins_check(dev, rq->number, &owner)) {
		pr_info("GSI %u of %s stays with node %d, which uses it\n",
			dev->gsi, name, (int)owner);
		dev->irq_flags = 0;
	}
	if (node->nr_devices == MINT_DEVICES_MAX)
		return refuse(rq, -ENOSPC, "more than %u devices",
			      MINT_DEVICES_MAX);
	node->devices[node->nr_devices++] = *dev;
	return 0;
}

static int check_devices(struct request *rq)
{
	struct mint_node *node = &rq->node;
	struct mint_token list, token;
	struct mint_device dev;
	char name[16], why[160];
	u32 i;
	int err;

	if (!mint_param_find(rq->cmdline, "mint.devices=", &list))
		return 0;

	while (mint_token_next(&list.text, &token)) {
		if (mint_token_device(&token, &dev))
			return refuse(rq, -EINVAL,
				      "mint.devices=: '%.*s' is not [segment:]bus:dev.fn, com1-com4, i8042, vga or rtc",
				      token.len, token.text);
		mint_device_name(&dev, name, sizeof(name));
		for (i = 0; i < node->nr_devices; i++)
			if (node->devices[i].kind == dev.kind &&
			    node->devices[i].id == dev.id)
				return refuse(rq, -EINVAL,
					      "device %s is named twice", name);

		if (dev.kind == MINT_DEV_LEGACY) {
			err = check_legacy(rq, &dev, name);
			if (err)
				return err;
			node->legacy |= BIT(dev.id);
			for (i = 0; mint_legacy_line(&dev, i) || !i; i++) {
				err = add_device(rq, &dev, name);
				if (err)
					return err;
			}
			continue;
		}

		err = mint_pci_check(&dev, why, sizeof(why));
		if (err)
			return refuse(rq, err, "device %s %s", name, why);
		err = add_device(rq, &dev, name);
		if (err)
			return err;
		err = mint_pci_bridges(&dev, node->devices, node->nr_devices,
				       MINT_DEVICES_MAX);
		if (err < 0)
			return refuse(rq, err, "more than %u devices with bridges",
				      MINT_DEVICES_MAX);
		node->nr_devices = err;
	}
	return 0;
}

static int read_cmdline(struct request *rq)
{
	u64 address = rq->params.hdr.cmd_line_ptr |
		      (u64)rq->params.ext_cmd_line_ptr << 32;
	size_t avail;
	void __user *from = image_at(rq, address, &avail);
	long len;

	if (!from)
		return refuse(rq, -EINVAL, "the command line is not in the image");
	avail = min(avail, sizeof(rq->cmdline) - sizeof(FORCED_PARAMS));
	len = strncpy_from_user(rq->cmdline, from, avail);
	if (len < 0)
		return len;
	if (len == avail)
		return refuse(rq, -E2BIG, "the command line is longer than %zu bytes",
			      sizeof(rq->cmdline) - sizeof(FORCED_PARAMS) - 1);
	if (strstr(rq->cmdline, "no5lvl"))
		rq->la57 = false;
	return 0;
}

static int find_free_node(struct request *rq)
{
	u32 n;

	for (n = 0; mint_node(n); n++)
		if (!mint_claim(n)) {
			rq->number = n;
			return 0;
		}
	return refuse(rq, -ENOSPC, "all %u nodes are in use: end one first",
		      mint_layout.nodes.count);
}

/* Node whose boot core is @apic_id and which is in @state, or 0 */
static u32 find_node(u32 apic_id, u32 state)
{
	const struct mint_node *claim;
	u32 n;

	for (n = 0; mint_node(n); n++) {
		claim = mint_claim(n);
		if (n != mint_self && claim && claim->boot_apic_id == apic_id &&
		    READ_ONCE(mint_node(n)->state) == state)
			return n;
	}
	return 0;
}

static void release(u32 n)
{
	struct mint_node *node = mint_node(n);
	struct claim *claim = claims[n];
	struct mint_core *core;
	u32 i;

	mint_sysfs_remove_node(n);
	mint_pins_return(n);
	for (i = 0; i < claim->nr_lent; i++)
		mint_pci_take_back(&claim->node.devices[i]);
	mint_memory_take_back(n);
	for (i = 0; (core = mint_core(i)); i++)
		cmpxchg(&core->owner, n, MINT_NODE_FREE);
	memset(node, 0, sizeof(*node));
	/* Pairs with mint_claim() */
	smp_store_release(&claim->used, false);
}

/**
 * mint_release() - take back all that a node had
 * @n:	number of a node whose cores are all parked
 *
 * Context: predecessor, process; may sleep.
 */
void mint_release(u32 n)
{
	mutex_lock(&launch_mutex);
	if (mint_claim(n) && READ_ONCE(mint_node(n)->state) >= MINT_STATE_ENDED)
		release(n);
	mutex_unlock(&launch_mutex);
}

/* Enter the node; nothing was changed until here, all of it is from here on */
static int claim(struct request *rq)
{
	u32 i, owner, n = rq->number;
	struct claim *claim = claims[n];
	char name[16];
	int err;

	if (!claim) {
		claim = kzalloc(sizeof(*claim), GFP_KERNEL);
		if (!claim)
			return -ENOMEM;
		WRITE_ONCE(claims[n], claim);
	}
	rq->node.state = MINT_STATE_LOADED;
	claim->node = rq->node;
	claim->entry = rq->handover.entry;
	claim->la57 = rq->la57;
	claim->nr_lent = 0;
	*mint_node(n) = rq->node;
	/* Pairs with mint_claim() */
	smp_store_release(&claim->used, true);

	for (i = 0; i < rq->nr_cores; i++) {
		owner = MINT_NODE_FREE;
		if (try_cmpxchg(&rq->cores[i]->owner, &owner, n)) {
			WRITE_ONCE(rq->cores[i]->state, MINT_CORE_UNUSED);
			continue;
		}
		err = refuse(rq, -EBUSY, "APIC ID %u was just taken by node %u",
			     mint_apic_id(rq->cores[i]), owner);
		goto undo;
	}
	for (i = 0; i < claim->node.nr_devices; i++, claim->nr_lent = i) {
		err = mint_pci_lend(&claim->node.devices[i]);
		if (err) {
			refuse(rq, err, "a driver of node 0 just took device %s",
			       mint_device_name(&claim->node.devices[i], name,
						sizeof(name)));
			goto undo;
		}
	}
	mint_pins_lend(n);
	err = mint_memory_lend(n) ?: mint_sysfs_add_node(n);
	if (err)
		goto undo;
	mint_sibling_warn(n);
	return 0;
undo:
	release(n);
	return err;
}

static int add_e820(struct boot_params *params, u64 start, u64 end, u32 type)
{
	struct boot_e820_entry *last = NULL;

	if (params->e820_entries)
		last = &params->e820_table[params->e820_entries - 1];
	if (last && last->type == type && last->addr + last->size == start) {
		last->size += end - start;
		return 0;
	}
	if (params->e820_entries == BOOT_MAX_E820)
		return -ENOSPC;
	last = &params->e820_table[params->e820_entries++];
	last->addr = start;
	last->size = end - start;
	last->type = type;
	return 0;
}

/*
 * The memory map of the new node alone: what it owns is RAM, everything else
 * that the firmware named is reserved, so that nothing is put there.
 */
static int fill_e820(struct request *rq)
{
	struct boot_params *params = &rq->params;
	phys_addr_t pos = 0, next;
	const char *what;
	u32 n;

	params->e820_entries = 0;
	for (;; pos = next) {
		what = mint_memory_owner(pos, &next, &n);
		if (!next)
			return 0;
		if (what && add_e820(params, pos, next,
				     n == rq->number ? E820_TYPE_RAM :
						       E820_TYPE_RESERVED))
			return refuse(rq, -ENOSPC,
				      "the memory map takes more than %u entries: use fewer ranges",
				      (u32)BOOT_MAX_E820);
	}
}

static int write_node(u64 address, const void *from, size_t size)
{
	u64 base = PAGE_ALIGN_DOWN(address);
	void *to = mint_map_memory(base, address + size - base);

	if (!to)
		return -ENOMEM;
	memcpy(to + (address - base), from, size);
	mint_unmap_memory(to);
	return 0;
}

/* In pieces: a segment may be gigabytes long, and a caller may be killed */
static int copy_segment(const struct kexec_segment *seg)
{
	void *to = mint_map_memory(seg->mem, seg->memsz);
	size_t done, len;
	int err = 0;

	if (!to)
		return -ENOMEM;
	for (done = 0; done < seg->memsz && !err; done += len) {
		len = min((done < seg->bufsz ? seg->bufsz : seg->memsz) - done,
			  COPY_PIECE);
		if (fatal_signal_pending(current))
			err = -EINTR;
		else if (done >= seg->bufsz)
			memset(to + done, 0, len);
		else if (copy_from_user(to + done, seg->buf + done, len))
			err = -EFAULT;
		cond_resched();
	}
	mint_unmap_memory(to);
	return err;
}

/* Straight to its place, once; then what only this kernel knows */
static int place(struct request *rq)
{
	struct mint_handover *h = &rq->handover;
	u64 cmdline = rq->address + offsetof(struct mint_handover, cmdline);
	unsigned long i;
	int err;

	for (i = 0; i < rq->nr_segments; i++) {
		err = copy_segment(&rq->segments[i]);
		if (err)
			return err;
	}

	err = fill_e820(rq);
	if (err)
		return err;

	scnprintf(h->cmdline, sizeof(h->cmdline), FORCED_PARAMS "%s", rq->cmdline);
	h->next = 0;
	h->type = SETUP_MINT;
	h->len = sizeof(*h) - offsetof(struct mint_handover, magic);
	h->common = mint_common_pa;
	h->node = rq->number;
	h->legacy = rq->node.legacy;
	/* What a successor cannot measure for itself */
	h->tsc_khz = tsc_khz;
	h->wall_tsc = rdtsc_ordered();
	h->wall_ns = ktime_get_real_ns();

	rq->params.hdr.setup_data = rq->address;
	rq->params.hdr.cmd_line_ptr = cmdline;
	rq->params.ext_cmd_line_ptr = cmdline >> 32;
	memset(&rq->params.efi_info, 0, sizeof(rq->params.efi_info));
	rq->params.acpi_rsdp_addr = 0;
	if (rq->node.legacy & BIT(MINT_LEGACY_VGA))
		rq->params.screen_info = boot_params.screen_info;
	else
		memset(&rq->params.screen_info, 0, sizeof(rq->params.screen_info));

	err = write_node(h->boot_params, &rq->params, sizeof(rq->params));
	if (!err)
		err = write_node(rq->address, h, sizeof(*h));
	return err;
}

static int load(struct request *rq)
{
	struct mint_token name;
	u32 n;
	int err;

	n = find_node(rq->handover.boot_apic_id, MINT_STATE_LOADED);
	if (n)
		return refuse(rq, -EBUSY,
			      "node %u is loaded for APIC ID %u: start it (-e) or unload it (-u)",
			      n, rq->handover.boot_apic_id);

	err = check_image(rq) ?: read_cmdline(rq) ?: find_free_node(rq) ?:
	      check_cores(rq) ?: check_memory(rq) ?: check_devices(rq);
	if (err)
		return err;

	rq->node.boot_apic_id = rq->handover.boot_apic_id;
	rq->node.handover = rq->address;
	if (mint_param_find(rq->cmdline, "mint.name=", &name))
		scnprintf(rq->node.name, sizeof(rq->node.name), "%.*s",
			  name.len, name.text);

	err = claim(rq);
	if (err)
		return err;
	err = place(rq);
	if (err) {
		release(rq->number);
		return err;
	}
	pr_info("node %u loaded for APIC ID %u: %u cores\n", rq->number,
		rq->handover.boot_apic_id, rq->nr_cores);
	return 0;
}

/* Nothing to start or to unload: say what there is instead */
static int refuse_not_loaded(struct request *rq)
{
	u32 apic_id = rq->handover.boot_apic_id, n;
	const struct mint_node *claim;

	for (n = 0; mint_node(n); n++) {
		claim = mint_claim(n);
		if (n != mint_self && claim && claim->boot_apic_id == apic_id)
			return refuse(rq, -EBUSY,
				      "APIC ID %u is node %u's, which is running: end that node first (echo poweroff > /sys/kernel/mint/nodes/%u/stop)",
				      apic_id, n, n);
	}
	return refuse(rq, -ENOENT,
		      "nothing is loaded for APIC ID %u: load an image first (-l)",
		      apic_id);
}

static int start(struct request *rq)
{
	u32 apic_id = rq->handover.boot_apic_id;
	struct mint_core *core = mint_core_find(apic_id);
	struct mint_start start = { .mode = MINT_MODE_64 };
	struct mint_node *node;
	u32 n;
	int err;

	n = find_node(apic_id, MINT_STATE_LOADED);
	if (!n || !core)
		return refuse_not_loaded(rq);
	rq->number = n;
	node = mint_node(n);
	start.entry = claims[n]->entry;
	start.cr4 = X86_CR4_PAE | (claims[n]->la57 ? X86_CR4_LA57 : 0);

	WRITE_ONCE(node->state, MINT_STATE_STARTING);
	WRITE_ONCE(node->boots, node->boots + 1);
	err = mint_core_start(core, &start);
	if (err) {
		release(n);
		return refuse(rq, err,
			      "APIC ID %u did not pass the gateway (%d): all is given back",
			      apic_id, err);
	}
	mint_sysfs_notify(n);
	pr_info("node %u started on APIC ID %u\n", n, apic_id);
	return 0;
}

static int unload(struct request *rq)
{
	u32 n = find_node(rq->handover.boot_apic_id, MINT_STATE_LOADED);

	if (!n)
		return refuse_not_loaded(rq);
	rq->number = n;
	release(n);
	pr_info("node %u unloaded\n", n);
	return 0;
}

/* This kernel has nothing to launch with */
static int refuse_here(struct request *rq)
{
	if (mint_role == MINT_SUCCESSOR)
		return refuse(rq, -EPERM, "node %u is a successor: launch from node 0",
			      mint_self);
	return refuse(rq, -ENODEV,
		      "nothing can be lent: boot this kernel with mint.mem=<size>@<start>, the memory that it keeps");
}

/**
 * mint_kexec_load() - kexec_load() with KEXEC_MINT
 * @entry:	address at which the hand-over goes
 * @nr_segments: how many segments
 * @segments:	the segments, copied from user space
 * @flags:	of the system call; none but KEXEC_MINT and the architecture
 *
 * The permissions, the lockdown and the limits of kexec_load() were checked.
 *
 * Context: process.
 * Return: the number of the node; or a negative error, with a line of text in
 * the caller's hand-over where there is one.
 */
long mint_kexec_load(unsigned long entry, unsigned long nr_segments,
		     struct kexec_segment *segments, unsigned long flags)
{
	unsigned int sleep_flags;
	struct request *rq;
	long ret;

	if (flags & ~KEXEC_ARCH_MASK & ~KEXEC_MINT)
		return -EINVAL;
	rq = kvzalloc(sizeof(*rq), GFP_KERNEL);
	if (!rq)
		return -ENOMEM;
	rq->segments = segments;
	rq->nr_segments = nr_segments;
	rq->address = entry;

	ret = read_request(rq);
	if (ret)
		goto out;
	if (mint_role != MINT_PREDECESSOR || !mint_common) {
		ret = refuse_here(rq);
		goto out;
	}

	/* No suspend begins while a launch, which it would stop, is under way */
	sleep_flags = lock_system_sleep();
	mutex_lock(&launch_mutex);
	if (rq->handover.op & MINT_OP_UNLOAD)
		ret = unload(rq);
	else if (rq->handover.op & MINT_OP_LOAD)
		ret = load(rq);
	if (!ret && rq->handover.op & MINT_OP_START)
		ret = start(rq);
	mutex_unlock(&launch_mutex);
	unlock_system_sleep(sleep_flags);
	if (!ret)
		ret = rq->number;
out:
	if (ret < 0 && rq->user &&
	    copy_to_user(rq->user + offsetof(struct mint_handover, report),
			 rq->handover.report, sizeof(rq->handover.report)))
		ret = -EFAULT;
	kfree(rq->cores);
	kvfree(rq);
	return ret;
}
