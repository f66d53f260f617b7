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

#include <linux/cleanup.h>
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mm.h>
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
 * struct opened - an inode by which processes have opened a share
 * @list:	of all of them
 * @inode:	held
 */
struct opened {
	struct list_head	list;
	struct inode		*inode;
};

/**
 * struct share_use - a share that this node has
 * @list:	of all of them, RCU
 * @refs:	the device, and each mapping
 * @index:	of its record
 * @share:	copy of that
 * @info:	its device
 * @name:	of the device
 * @lock:	for what follows
 * @inodes:	struct opened, for as long as the device is there
 * @gone:	no page of it may be mapped any more
 */
struct share_use {
	struct list_head	list;
	struct kref		refs;
	u32			index;
	struct mint_share	share;
	struct uio_info		info;
	char			name[MINT_NAME_LEN + 8];
	struct mutex		lock;	/* inodes, gone */
	struct list_head	inodes;
	bool			gone;
};

/* Changed by the work alone, and by the initcall before it; read by the bell */
static LIST_HEAD(uses);

static bool (*untracked)(u64 start, u64 end);
static struct device *parent;
static bool ready;

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
	vma->vm_private_data = use;
	vma->vm_ops = &share_vm_ops;
	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	return 0;
}

/* Pages are found again by the inodes of /dev by which they were mapped */
static int share_open(struct uio_info *info, struct inode *inode)
{
	struct share_use *use = info->priv;
	struct opened *opened;

	guard(mutex)(&use->lock);
	list_for_each_entry(opened, &use->inodes, list)
		if (opened->inode == inode)
			return 0;
	opened = kmalloc(sizeof(*opened), GFP_KERNEL);
	if (!opened)
		return -ENOMEM;
	ihold(inode);
	opened->inode = inode;
	list_add(&opened->list, &use->inodes);
	return 0;
}

static void ring(u32 n, u32 index)
{
	u64 *rings = mint_share_rings(n);
	struct mint_core *core;

	if (!rings || READ_ONCE(mint_node(n)->state) != MINT_STATE_RUNNING)
		return;
	/* Orders as mint_bell_set() */
	sync_set_bit(index, (unsigned long *)rings);
	if (!n) {
		mint_ring_node0(MINT_BELL_SHARE);
		return;
	}
	core = mint_bell_core(n);
	/* What it says may be any core; its own one only is rung */
	if (core && mint_owner_of_core(core) == n)
		mint_bell_ring(core, MINT_BELL_SHARE);
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

/* Somebody rings at shares; who does not matter */
static void shares_rung(u32 n)
{
	u64 *rings = mint_share_rings(mint_self);
	struct share_use *use;
	u64 rung;

	if (!rings || !READ_ONCE(*rings))
		return;
	rung = xchg(rings, 0);
	rcu_read_lock();
	list_for_each_entry_rcu(use, &uses, list)
		if (rung & BIT_ULL(use->index))
			uio_event_notify(&use->info);
	rcu_read_unlock();
}

static struct share_use *find(u32 index)
{
	struct share_use *use;

	list_for_each_entry(use, &uses, list)
		if (use->index == index)
			return use;
	return NULL;
}

static int adopt(u32 index, const struct mint_share *share)
{
	struct share_use *use = kzalloc(sizeof(*use), GFP_KERNEL);
	int err;

	if (!use)
		return -ENOMEM;
	kref_init(&use->refs);
	mutex_init(&use->lock);
	INIT_LIST_HEAD(&use->inodes);
	use->index = index;
	use->share = *share;
	snprintf(use->name, sizeof(use->name), "mint:%s", share->name);
	use->info.name = use->name;
	use->info.version = "1";
	use->info.priv = use;
	use->info.irq = UIO_IRQ_CUSTOM;
	use->info.mem[0].name = use->share.name;
	use->info.mem[0].addr = share->start;
	use->info.mem[0].size = share->size;
	use->info.mem[0].memtype = UIO_MEM_PHYS;
	use->info.open = share_open;
	use->info.mmap = share_mmap;
	use->info.irqcontrol = share_irqcontrol;
	err = uio_register_device(parent, &use->info);
	if (err) {
		kref_put(&use->refs, free_use);
		return err;
	}
	list_add_tail_rcu(&use->list, &uses);
	return 0;
}

static void drop(struct share_use *use)
{
	struct opened *opened, *next;

	list_del_rcu(&use->list);
	synchronize_rcu();
	/* Nobody opens or maps it after that */
	uio_unregister_device(&use->info);
	mutex_lock(&use->lock);
	use->gone = true;
	mutex_unlock(&use->lock);
	list_for_each_entry_safe(opened, next, &use->inodes, list) {
		unmap_mapping_range(opened->inode->i_mapping, 0, 0, 1);
		iput(opened->inode);
		kfree(opened);
	}
	kref_put(&use->refs, free_use);
}

static void look(struct work_struct *work)
{
	struct mint_share share;
	struct share_use *use;
	u32 i;
	int err;

	for (i = 0; i < mint_layout.shares.count; i++) {
		if (!mint_share_read(i, &share) ||
		    !mint_share_member(i, mint_self))
			continue;
		use = find(i);
		if (share.state == MINT_WINDOW_CLOSED) {
			if (use)
				drop(use);
			mint_share_left(i);
		} else if (!use) {
			err = adopt(i, &share);
			if (err)
				pr_err("no device for share '%s': error %d\n",
				       share.name, err);
		}
	}
}

static DECLARE_WORK(look_work, look);

/**
 * mint_share_poll() - see to shares
 *
 * They come and go in node 0 only.
 *
 * Context: soft interrupt; called by the heartbeat.
 */
void mint_share_poll(void)
{
	if (READ_ONCE(ready) && mint_shares_changed())
		queue_work(system_unbound_wq, &look_work);
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
	mint_bell_listen(MINT_BELL_SHARE, shares_rung);
	look(NULL);
	WRITE_ONCE(ready, mint_role == MINT_PREDECESSOR);
	return 0;
}
late_initcall(mint_share_init);
