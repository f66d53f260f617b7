// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: /sys/kernel/mint/, what people see.
 *
 * Owns the files, none of the facts. Lists are long on large machines, so
 * they are kept by owner, with ranges: one page holds any machine.
 */

#include <linux/bitmap.h>
#include <linux/init.h>
#include <linux/kobject.h>
#include <linux/math64.h>
#include <linux/notifier.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/time64.h>

#include <asm/apicdef.h>

#include "../area/area.h"
#include "../core/core.h"
#include "../own/own.h"
#include "../talk/talk.h"
#include "../life/life.h"

static struct kobject *mint_kobj;
static struct kobject *nodes_kobj;
static struct kobject *node_kobjs[MINT_NODE_MAX];

typedef u32 (*owner_fn)(u32 index, u32 *id);

static u32 core_owner(u32 index, u32 *id)
{
	struct mint_core *core = mint_core(index);

	*id = mint_apic_id(core);
	return mint_owner_of_core(core);
}

/* The same of cores that have left the gateway for their kernel, by their records */
static u32 core_runner(u32 index, u32 *id)
{
	u32 owner = core_owner(index, id);

	return READ_ONCE(mint_core(index)->state) == MINT_CORE_PASSED ?
	       owner : MINT_NODE_FREE;
}

static u32 pin_owner(u32 index, u32 *id)
{
	*id = index;
	return mint_owner_of_pin(index);
}

/* "1,4-7" of all that @owner has, behind @label; nothing if it has nothing */
static int emit_list(char *buf, int at, owner_fn fn, u32 count, u32 owner,
		     const char *label)
{
	const char *before = label;
	u32 i, id, first, last;
	int len = 0;

	for (i = 0; i < count; i++) {
		if (fn(i, &id) != owner)
			continue;
		first = id;
		do {
			last = id;
		} while (i + 1 < count && fn(i + 1, &id) == owner &&
			 id == last + 1 && ++i);

		len += sysfs_emit_at(buf, at + len, "%s%u", before, first);
		if (last > first)
			len += sysfs_emit_at(buf, at + len, "-%u", last);
		before = ",";
	}
	if (before != label)
		len += sysfs_emit_at(buf, at + len, "\n");
	return len;
}

static int emit_owners(char *buf, owner_fn fn, u32 count)
{
	char label[24];
	int len = 0;
	u32 n;

	for (n = 0; mint_node(n); n++) {
		snprintf(label, sizeof(label), "node %u: ", n);
		len += emit_list(buf, len, fn, count, n, label);
	}
	return len + emit_list(buf, len, fn, count, MINT_NODE_FREE, "free: ");
}

static ssize_t version_show(struct kobject *kobj, struct kobj_attribute *attr,
			    char *buf)
{
	return sysfs_emit(buf, "%u.%u\n", MINT_VERSION_MAJOR, MINT_VERSION_MINOR);
}

static ssize_t node_show(struct kobject *kobj, struct kobj_attribute *attr,
			 char *buf)
{
	return sysfs_emit(buf, "%u\n", mint_self);
}

static ssize_t cores_show(struct kobject *kobj, struct kobj_attribute *attr,
			  char *buf)
{
	int len = emit_owners(buf, core_owner, mint_layout.cores.count);

	return len + sysfs_emit_at(buf, len, "bsp: %u\n", mint_layout.bsp_apic_id);
}

static ssize_t pins_show(struct kobject *kobj, struct kobj_attribute *attr,
			 char *buf)
{
	return emit_owners(buf, pin_owner, mint_layout.pins.count);
}

static ssize_t memory_show(struct kobject *kobj, struct kobj_attribute *attr,
			   char *buf)
{
	phys_addr_t pos = 0, next;
	const char *what;
	int len = 0;
	u32 n;

	for (;; pos = next) {
		n = mint_owner_of_memory(pos, &next, &what);
		if (!next)
			return len;
		if (!what)
			continue;
		len += sysfs_emit_at(buf, len, "%#018llx-%#018llx ", (u64)pos,
				     (u64)next - 1);
		len += n == MINT_NODE_FREE ?
		       sysfs_emit_at(buf, len, "%s\n", what) :
		       sysfs_emit_at(buf, len, "%snode %u\n",
				     mint_quarantined(n) ? "quarantine of " : "", n);
	}
}

static int emit_devices(char *buf, int at, const struct mint_node *node,
			const char *suffix)
{
	struct mint_device dev;
	char name[16];
	int len = 0;
	u32 i;

	for (i = 0; i < MINT_LEGACY_COUNT; i++) {
		if (!(node->legacy & BIT(i)))
			continue;
		dev.kind = MINT_DEV_LEGACY;
		dev.id = i;
		len += sysfs_emit_at(buf, at + len, "%s%s\n",
				     mint_device_name(&dev, name, sizeof(name)),
				     suffix);
	}
	for (i = 0; i < min_t(u32, node->nr_devices, MINT_DEVICES_MAX); i++) {
		if (node->devices[i].kind == MINT_DEV_PCI)
			len += sysfs_emit_at(buf, at + len, "%s%s\n",
					     mint_device_name(&node->devices[i],
							      name, sizeof(name)),
					     suffix);
	}
	return len;
}

static ssize_t devices_show(struct kobject *kobj, struct kobj_attribute *attr,
			    char *buf)
{
	const struct mint_node *node;
	char suffix[24];
	int len = 0;
	u32 n;

	for (n = 0; mint_node(n); n++) {
		node = mint_claim(n);
		if (!node)
			continue;
		snprintf(suffix, sizeof(suffix), " node %u", n);
		len += emit_devices(buf, len, node, suffix);
	}
	return len;
}

static ssize_t timing_show(struct kobject *kobj, struct kobj_attribute *attr,
			   char *buf)
{
	return mint_timing_show(mint_self, buf);
}

static ssize_t timing_store(struct kobject *kobj, struct kobj_attribute *attr,
			    const char *buf, size_t count)
{
	return mint_timing_store(buf, count);
}

static ssize_t clock_show(struct kobject *kobj, struct kobj_attribute *attr,
			  char *buf)
{
	return mint_clock_show(buf);
}

static struct kobj_attribute version_attr = __ATTR_RO(version);
static struct kobj_attribute timing_attr = __ATTR_RW(timing);
static struct kobj_attribute node_attr = __ATTR_RO(node);
static struct kobj_attribute clock_attr = __ATTR_RO(clock);
static struct kobj_attribute cores_attr = __ATTR_RO(cores);
static struct kobj_attribute pins_attr = __ATTR_RO(pins);
static struct kobj_attribute memory_attr = __ATTR_RO(memory);
static struct kobj_attribute devices_attr = __ATTR_RO(devices);

static const struct attribute *machine_attrs[] = {
	&node_attr.attr,
	&clock_attr.attr,
	&cores_attr.attr,
	&pins_attr.attr,
	&memory_attr.attr,
	&devices_attr.attr,
	NULL,
};

/* Number of the node whose directory this is */
static u32 kobj_node(struct kobject *kobj)
{
	u32 n;

	return kstrtou32(kobject_name(kobj), 10, &n) ? MINT_NODE_FREE : n;
}

/**
 * struct node_file - what a file of nodes/<n> says
 * @attr:	the file
 * @from:	where it stands: mint_node_status() or mint_claim(); the file is
 *		empty if there is no such record. NULL: @show needs none
 * @show:	print it
 */
struct node_file {
	struct kobj_attribute	attr;
	const struct mint_node	*(*from)(u32 n);
	ssize_t			(*show)(u32 n, const struct mint_node *node,
					char *buf);
};

static ssize_t node_file_show(struct kobject *kobj, struct kobj_attribute *attr,
			      char *buf)
{
	const struct node_file *file = container_of(attr, struct node_file, attr);
	const struct mint_node *node = NULL;
	u32 n = kobj_node(kobj);

	if (file->from) {
		node = file->from(n);
		if (!node)
			return 0;
	}
	return file->show(n, node, buf);
}

static ssize_t show_state(u32 n, const struct mint_node *node, char *buf)
{
	return sysfs_emit(buf, "%s\n", mint_state_name(mint_state(n)));
}

static ssize_t show_reason(u32 n, const struct mint_node *node, char *buf)
{
	return sysfs_emit(buf, "%.*s\n", MINT_REASON_LEN, node->reason);
}

static ssize_t show_since(u32 n, const struct mint_node *node, char *buf)
{
	u64 ms = div_u64(READ_ONCE(node->since_ns), NSEC_PER_MSEC);

	return sysfs_emit(buf, "%llu.%03llu\n", ms / MSEC_PER_SEC,
			  ms % MSEC_PER_SEC);
}

static ssize_t show_name(u32 n, const struct mint_node *node, char *buf)
{
	return sysfs_emit(buf, "%.*s\n", MINT_NAME_LEN, node->name);
}

/* From the record itself, where the node counts */
static ssize_t show_heartbeat(u32 n, const struct mint_node *node, char *buf)
{
	return sysfs_emit(buf, "%llu\n", READ_ONCE(mint_node(n)->heartbeat));
}

static ssize_t show_boots(u32 n, const struct mint_node *node, char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(node->boots));
}

static ssize_t show_cpus(u32 n, const struct mint_node *node, char *buf)
{
	return emit_list(buf, 0, core_owner, mint_layout.cores.count, n, "");
}

static ssize_t show_cpus_up(u32 n, const struct mint_node *node, char *buf)
{
	return emit_list(buf, 0, core_runner, mint_layout.cores.count, n, "");
}

static ssize_t show_memory(u32 n, const struct mint_node *node, char *buf)
{
	int len = 0;
	u32 i;

	for (i = 0; i < min_t(u32, node->nr_mem, MINT_RANGES_MAX); i++)
		len += sysfs_emit_at(buf, len, "%#018llx-%#018llx\n",
				     node->mem[i].start,
				     node->mem[i].start + node->mem[i].size - 1);
	return len;
}

static ssize_t show_devices(u32 n, const struct mint_node *node, char *buf)
{
	return emit_devices(buf, 0, node, "");
}

static ssize_t show_timing(u32 n, const struct mint_node *node, char *buf)
{
	return mint_timing_show(n, buf);
}

#define NODE_FILE(_name, _from) {					\
	.attr	= __ATTR(_name, 0444, node_file_show, NULL),		\
	.from	= (_from),						\
	.show	= show_##_name,						\
}

static struct node_file node_files[] = {
	NODE_FILE(state, NULL),
	NODE_FILE(reason, mint_node_status),
	NODE_FILE(since, mint_node_status),
	NODE_FILE(name, mint_node_status),
	NODE_FILE(heartbeat, NULL),
	NODE_FILE(boots, mint_node_status),
	NODE_FILE(cpus, NULL),
	NODE_FILE(cpus_up, NULL),
	NODE_FILE(memory, mint_claim),
	NODE_FILE(devices, mint_claim),
	NODE_FILE(timing, NULL),
};

static ssize_t stop_store(struct kobject *kobj, struct kobj_attribute *attr,
			  const char *buf, size_t count)
{
	static const char * const strengths[] = {
		[MINT_STOP_ASK]		= "ask",
		[MINT_STOP_PARK]	= "park",
		[MINT_STOP_FORCE]	= "force",
	};
	int i = sysfs_match_string(strengths, buf);

	if (i < 0)
		return i;
	return mint_stop(kobj_node(kobj), i) ?: count;
}

static struct kobj_attribute stop_attr = __ATTR_WO(stop);

/* Those of node_files[], "stop", and the end of the list */
static struct attribute *node_attrs[ARRAY_SIZE(node_files) + 2];

static umode_t node_visible(struct kobject *kobj, struct attribute *attr, int i)
{
	if (attr == &stop_attr.attr && (mint_role != MINT_PREDECESSOR ||
					kobj_node(kobj) == mint_self))
		return 0;
	return attr->mode;
}

static const struct attribute_group node_group = {
	.attrs		= node_attrs,
	.is_visible	= node_visible,
};

/* Make nodes/<n>, unless it is there already */
static int add_node(u32 n)
{
	struct kobject *kobj;
	char name[12];
	int err;

	if (node_kobjs[n])
		return 0;

	if (!nodes_kobj)
		return -ENOENT;
	snprintf(name, sizeof(name), "%u", n);
	kobj = kobject_create_and_add(name, nodes_kobj);
	if (!kobj)
		return -ENOMEM;
	err = sysfs_create_group(kobj, &node_group) ?: mint_log_add(n, kobj);
	if (err) {
		kobject_put(kobj);
		return err;
	}
	node_kobjs[n] = kobj;
	return 0;
}

/* Take nodes/<n> away; waits for readers */
static void remove_node(u32 n)
{
	struct kobject *kobj = node_kobjs[n];

	if (!kobj)
		return;
	node_kobjs[n] = NULL;
	mint_log_remove(n);
	sysfs_remove_group(kobj, &node_group);
	kobject_put(kobj);
}

static int on_node(struct notifier_block *nb, unsigned long what, void *data)
{
	u32 n = *(u32 *)data;

	switch (what) {
	case MINT_NODE_ADDED:
		return notifier_from_errno(add_node(n));
	case MINT_NODE_STATE:
		if (node_kobjs[n])
			sysfs_notify(node_kobjs[n], NULL, "state");
		break;
	case MINT_NODE_GONE:
		remove_node(n);
		break;
	}
	return NOTIFY_DONE;
}

static struct notifier_block node_block = {
	.notifier_call	= on_node,
};

static int __init mint_sysfs_init(void)
{
	struct mint_node *node;
	u32 i, n;

	mint_kobj = kobject_create_and_add("mint", kernel_kobj);
	if (!mint_kobj || sysfs_create_file(mint_kobj, &version_attr.attr) ||
	    sysfs_create_file(mint_kobj, &timing_attr.attr))
		return -ENOMEM;
	if (!mint_own_node())
		return 0;

	mint_node_listen(&node_block);
	for (i = 0; i < ARRAY_SIZE(node_files); i++)
		node_attrs[i] = &node_files[i].attr.attr;
	node_attrs[i] = &stop_attr.attr;
	nodes_kobj = kobject_create_and_add("nodes", mint_kobj);
	if (!nodes_kobj || sysfs_create_files(mint_kobj, machine_attrs))
		return -ENOMEM;
	/* A successor shows itself and node 0; the others come and go */
	for (n = 0; (node = mint_node(n)); n++)
		if (n == mint_self || (n == 0 && mint_successor()))
			add_node(n);
	return 0;
}
subsys_initcall(mint_sysfs_init);
