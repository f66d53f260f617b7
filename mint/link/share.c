// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: shares, the windows that processes map.
 *
 * Owns a UIO device for each share of which this node is a member. A process maps
 * it, cached; write() rings the other members, read() and poll() wait for them.
 *
 * A share of a successor is there for as long as the successor. Node 0 leaves one
 * when the last successor has: its device goes, what processes have mapped is
 * unmapped, and a page that they touch then is SIGBUS, never one that somebody
 * else has by now.
 */

#include <linux/anon_inodes.h>
#include <linux/cleanup.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/irq_work.h>
#include <linux/kref.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/uio_driver.h>
#include <linux/workqueue.h>

#include <asm/sync_bitops.h>
#include <asm/x86_init.h>

#include "../area/area.h"
#include "../core/core.h"
#include "../kind/kind.h"
#include "../own/own.h"
#include "link.h"

/**
 * struct share_use - a share that this node has
 * @list:	of all of them, RCU
 * @refs:	the device, and each mapping
 * @index:	of its record
 * @share:	copy of that
 * @info:	its device
 * @name:	of the device
 * @file:	all mappings are this file's, by which they are found again: which
 *		device files a process has used for them does not matter
 * @lock:	for what follows
 * @gone:	no page of it may be mapped any more
 */
struct share_use {
	struct list_head	list;
	struct kref		refs;
	u32			index;
	struct mint_share	share;
	struct uio_info		info;
	char			name[MINT_NAME_LEN + 8];
	struct file		*file;
	struct mutex		lock;	/* gone */
	bool			gone;
};

/* Changed by the work alone, and by the initcall before it; read by irq_work */
static LIST_HEAD(uses);

static bool (*untracked)(u64 start, u64 end);
static struct device *parent;
static bool ready;	/* node 0: shares come and go */
static bool again;	/* node 0: a device could not be made */

/* Shares at which this node was rung, and whose processes do not know yet */
static unsigned long rung[BITS_TO_LONGS(MINT_SHARES)];

static void free_use(struct kref *refs)
{
	kfree(container_of(refs, struct share_use, refs));
}

static vm_fault_t share_fault(struct vm_fault *vmf)
{
	struct share_use *use = vmf->vma->vm_private_data;
	u64 offset = (u64)vmf->pgoff << PAGE_SHIFT;

	guard(mutex)(&use->lock);
	if (use->gone || offset >= use->share.size)
		return VM_FAULT_SIGBUS;
	return vmf_insert_pfn(vmf->vma, vmf->address,
			      PHYS_PFN(use->share.start + offset));
}

static void share_vma_open(struct vm_area_struct *vma)
{
	struct share_use *use = vma->vm_private_data;

	kref_get(&use->refs);
}

static void share_vma_close(struct vm_area_struct *vma)
{
	struct share_use *use = vma->vm_private_data;

	kref_put(&use->refs, free_use);
}

static const struct vm_operations_struct share_vm_ops = {
	.open	= share_vma_open,
	.close	= share_vma_close,
	.fault	= share_fault,
};

static int share_mmap(struct uio_info *info, struct vm_area_struct *vma)
{
	struct share_use *use = info->priv;

	/* A private copy of a page would be one that no other node sees */
	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	kref_get(&use->refs);
	vma_set_file(vma, use->file);
	vma->vm_private_data = use;
	vma->vm_ops = &share_vm_ops;
	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	return 0;
}

static void ring(u32 n, u32 index)
{
	u64 *rings = mint_share_rings(n);

	if (!rings || READ_ONCE(mint_node(n)->state) != MINT_STATE_RUNNING)
		return;
	/* Orders as mint_bell_set() */
	sync_set_bit(index, (unsigned long *)rings);
	if (n)
		mint_bell_try_ring_node(n, MINT_BELL_SHARE);
	else
		mint_bell_ring_node0(MINT_BELL_SHARE);
}

/* write(): whatever was written */
static int share_irqcontrol(struct uio_info *info, s32 on)
{
	struct share_use *use = info->priv;
	u32 n;

	for (n = 0; n < mint_layout.nodes.count; n++)
		if (n != mint_self && mint_share_member(use->index, n))
			ring(n, use->index);
	return 0;
}

/* Wakes processes, which under PREEMPT_RT no hard interrupt may */
static void wake_processes(struct irq_work *work)
{
	struct share_use *use;

	rcu_read_lock();
	list_for_each_entry_rcu(use, &uses, list)
		if (test_and_clear_bit(use->index, rung))
			uio_event_notify(&use->info);
	rcu_read_unlock();
}

static DEFINE_IRQ_WORK(wake_work, wake_processes);

/* Take what was rung, upon a bell or a heartbeat; who has rung does not matter */
static void shares_rung(u32 n)
{
	u64 *rings = mint_share_rings(mint_self);
	u64 taken;
	u32 i;

	if (!rings || !READ_ONCE(*rings))
		return;
	taken = xchg(rings, 0);
	for (i = 0; i < MINT_SHARES; i++)
		if (taken & BIT_ULL(i))
			set_bit(i, rung);
	irq_work_queue(&wake_work);
}

static struct share_use *find(u32 index)
{
	struct share_use *use;

	list_for_each_entry(use, &uses, list)
		if (use->index == index)
			return use;
	return NULL;
}

static const struct file_operations share_fops = {
	.owner	= THIS_MODULE,
};

/* No process reaches it from now on. Its device is gone */
static void leave(struct share_use *use)
{
	mutex_lock(&use->lock);
	use->gone = true;
	mutex_unlock(&use->lock);
	unmap_mapping_range(use->file->f_mapping, 0, 0, 1);
	fput(use->file);
	kref_put(&use->refs, free_use);
}

static int adopt(u32 index, const struct mint_share *share)
{
	struct share_use *use = kzalloc(sizeof(*use), GFP_KERNEL);
	int err;

	if (!use)
		return -ENOMEM;
	kref_init(&use->refs);
	mutex_init(&use->lock);
	use->index = index;
	use->share = *share;
	use->file = anon_inode_create_getfile("[mint-share]", &share_fops, NULL,
					      O_RDWR, NULL);
	if (IS_ERR(use->file)) {
		err = PTR_ERR(use->file);
		kref_put(&use->refs, free_use);
		return err;
	}
	snprintf(use->name, sizeof(use->name), "mint:%s", share->name);
	use->info.name = use->name;
	use->info.version = "1";
	use->info.priv = use;
	use->info.irq = UIO_IRQ_CUSTOM;
	use->info.mem[0].name = use->share.name;
	use->info.mem[0].addr = share->start;
	use->info.mem[0].size = share->size;
	use->info.mem[0].memtype = UIO_MEM_PHYS;
	use->info.mmap = share_mmap;
	use->info.irqcontrol = share_irqcontrol;
	/* Rings that were for the share that had this record before */
	clear_bit(index, rung);
	err = uio_register_device(parent, &use->info);
	if (err) {
		leave(use);
		return err;
	}
	list_add_tail_rcu(&use->list, &uses);
	/* Who rang since then found nobody in the list */
	irq_work_queue(&wake_work);
	return 0;
}

static void drop(struct share_use *use)
{
	struct uio_device *device = use->info.uio_dev;

	list_del_rcu(&use->list);
	/* wake_processes() has no pointer to it any more */
	synchronize_rcu();
	get_device(&device->dev);
	/* Nobody opens or maps it after that */
	uio_unregister_device(&use->info);
	/*
	 * A reader that had checked that the device is there, and slept only after
	 * that, has missed the wake-up of uio_unregister_device(): one more event.
	 */
	atomic_inc(&device->event);
	wake_up_interruptible(&device->wait);
	put_device(&device->dev);
	leave(use);
}

static void look(struct work_struct *work)
{
	struct mint_share share;
	struct share_use *use;
	bool failed = false;
	int err;
	u32 i;

	for (i = 0; i < mint_layout.shares.count; i++) {
		if (!mint_share_get(i, &share))
			continue;
		use = find(i);
		if (share.state == MINT_WINDOW_CLOSED) {
			if (use)
				drop(use);
			mint_share_free(i);
		} else if (!use) {
			err = adopt(i, &share);
			if (err && !READ_ONCE(again))
				pr_err("no device for share '%s': error %d\n",
				       share.name, err);
			failed |= err;
		}
	}
	WRITE_ONCE(again, failed);
}

static DECLARE_WORK(look_work, look);

/**
 * mint_share_poll() - see to shares
 *
 * Shares come and go in node 0 only. Rings are looked for in each node: a caller may be
 * delayed between its bit and the bell, or call a core that this node had before. Then
 * the ring is heard a beat later.
 *
 * Context: soft interrupt; called by the heartbeat.
 */
void mint_share_poll(void)
{
	shares_rung(MINT_BELL_ANYONE);
	if (READ_ONCE(ready) && (mint_shares_changed() || READ_ONCE(again)))
		queue_work(system_unbound_wq, &look_work);
}

/**
 * mint_share_poll_sync() - leave the shares that have no other member any more
 *
 * Their memory and their names are free when this returns, as all else of a node
 * that has ended.
 *
 * Context: predecessor, process, may sleep; mint_claims_lock() is not held.
 */
void mint_share_poll_sync(void)
{
	if (!READ_ONCE(ready))
		return;
	queue_work(system_unbound_wq, &look_work);
	flush_work(&look_work);
}

/*
 * All nodes map a share cached. To a successor it is no RAM, which a process would
 * get uncached: its kernel looks for the type of such memory in MTRRs, and has none.
 */
static bool share_untracked(u64 start, u64 end)
{
	const struct mint_range *shared = &mint_layout.shared;

	return (start >= shared->start && end <= shared->start + shared->size) ||
	       untracked(start, end);
}

/* UIO is there since its device_initcall */
static int __init mint_share_init(void)
{
	if (!mint_own_node() || !mint_layout.shares.count)
		return 0;
	parent = root_device_register("mint-share");
	if (IS_ERR(parent))
		return PTR_ERR(parent);
	untracked = x86_platform.is_untracked_pat_range;
	x86_platform.is_untracked_pat_range = share_untracked;
	/* Rings from before the reboot: nobody waits for them */
	xchg(mint_share_rings(mint_self), 0);
	mint_bell_listen(MINT_BELL_SHARE, shares_rung);
	look(NULL);
	if (mint_role == MINT_PREDECESSOR) {
		mint_shares_set_mapped();
		WRITE_ONCE(ready, true);
	}
	return 0;
}
late_initcall(mint_share_init);
