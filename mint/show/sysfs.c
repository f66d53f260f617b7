// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: /sys/kernel/mint/, what people see.
 *
 * Owns the files, none of the facts. What nodes own is printed by the kinds of
 * it (kind/kind.h).
 */

#include <linux/init.h>
#include <linux/kobject.h>
#include <linux/math64.h>
#include <linux/notifier.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/time64.h>

#include "../area/area.h"
#include "../core/core.h"
#include "../own/own.h"
#include "../kind/kind.h"
#include "../move/move.h"
#include "../talk/talk.h"
#include "../life/life.h"

static struct kobject *mint_kobj;
static struct kobject *nodes_kobj;
static struct kobject *node_kobjs[MINT_NODE_MAX];

/* Owners of cores that have left the gateway for their kernel, by their records */
static u32 core_runner(u32 index, u32 *id)
{
	struct mint_core *core = mint_core(index);

	*id = mint_apic_id(core);
	return READ_ONCE(core->state) == MINT_CORE_PASSED ?
	       mint_owner_of_core(core) : MINT_NODE_FREE;
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

/* A file of the kinds of things that nodes own has their name */
static ssize_t kinds_show(struct kobject *kobj, struct kobj_attribute *attr,
			  char *buf)
{
	return mint_kinds_show(attr->attr.name, buf);
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

static ssize_t move_store(struct kobject *kobj, struct kobj_attribute *attr,
			  const char *buf, size_t count)
{
	return (mint_role == MINT_PREDECESSOR ?
		mint_move_request(buf, mint_self, NULL, 0) :
		mint_move_wish(buf)) ?: count;
}

static struct kobj_attribute move_attr = __ATTR_WO(move);

static ssize_t moves_show(struct kobject *kobj, struct kobj_attribute *attr,
			  char *buf)
{
	return mint_history_show(buf);
}

static struct kobj_attribute moves_attr = __ATTR_RO(moves);

static void moves_changed(void)
{
	sysfs_notify(mint_kobj, NULL, "moves");
	mint_generation_count();
}

static ssize_t generation_show(struct kobject *kobj,
			       struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", mint_generation());
}

static struct kobj_attribute generation_attr = __ATTR_RO(generation);

static void generation_changed(void)
{
	sysfs_notify(mint_kobj, NULL, "generation");
}

static ssize_t want_show(struct kobject *kobj, struct kobj_attribute *attr,
			 char *buf)
{
	return mint_want_show(mint_self, buf);
}

static ssize_t want_store(struct kobject *kobj, struct kobj_attribute *attr,
			  const char *buf, size_t count)
{
	return mint_want_set(buf) ?: count;
}

static struct kobj_attribute want_attr = __ATTR_RW(want);

static struct kobj_attribute kind_attrs[MINT_KINDS_MAX];
static struct kobj_attribute node_kind_attrs[MINT_KINDS_MAX];

/* Those of fixed_attrs[] and kind_attrs[], and the end of the list */
static const struct attribute * const fixed_attrs[] = {
	&node_attr.attr,
	&clock_attr.attr,
	&move_attr.attr,
	&generation_attr.attr,
	&want_attr.attr,
};

static const struct attribute *machine_attrs[MINT_KINDS_MAX +
					     ARRAY_SIZE(fixed_attrs) + 1];

/* Number of the node whose directory this is */
static u32 kobj_node(struct kobject *kobj)
{
	u32 n;

	return kstrtou32(kobject_name(kobj), 10, &n) ? MINT_NODE_FREE : n;
}

/**
 * struct node_file - what a file of nodes/<n> says
 * @attr:	the file
 * @from:	where it stands; the file is empty if there is no such record.
 *		NULL: @show needs none
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
	char reason[MINT_REASON_LEN];

	mint_copy_line(reason, node->reason, sizeof(reason));
	return sysfs_emit(buf, "%s\n", reason);
}

static ssize_t show_since(u32 n, const struct mint_node *node, char *buf)
{
	u64 ms = div_u64(READ_ONCE(node->since_ns), NSEC_PER_MSEC);

	return sysfs_emit(buf, "%llu.%03llu\n", ms / MSEC_PER_SEC,
			  ms % MSEC_PER_SEC);
}

static ssize_t show_name(u32 n, const struct mint_node *node, char *buf)
{
	char name[MINT_NAME_LEN];

	mint_copy_line(name, node->name, sizeof(name));
	return sysfs_emit(buf, "%s\n", name);
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

static ssize_t show_cpus_up(u32 n, const struct mint_node *node, char *buf)
{
	return mint_show_list(buf, 0, core_runner, mint_layout.cores.count, n, "");
}

static ssize_t show_timing(u32 n, const struct mint_node *node, char *buf)
{
	return mint_timing_show(n, buf);
}

static ssize_t show_incarnation(u32 n, const struct mint_node *node, char *buf)
{
	u64 number = mint_life_number(n);

	return number ? sysfs_emit(buf, "%llu\n", number) : 0;
}

static ssize_t show_load(u32 n, const struct mint_node *node, char *buf)
{
	return mint_load_show(n, buf);
}

static ssize_t show_want(u32 n, const struct mint_node *node, char *buf)
{
	return mint_want_show(n, buf);
}

static ssize_t node_kinds_show(struct kobject *kobj,
			       struct kobj_attribute *attr, char *buf)
{
	return mint_kinds_show_node(attr->attr.name, kobj_node(kobj), buf);
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
	NODE_FILE(cpus_up, NULL),
	NODE_FILE(timing, NULL),
	NODE_FILE(incarnation, NULL),
	NODE_FILE(load, NULL),
	NODE_FILE(want, NULL),
};

static ssize_t stop_store(struct kobject *kobj, struct kobj_attribute *attr,
			  const char *buf, size_t count)
{
	static const char * const strengths[] = {
		[MINT_STOP_ASK]		= "ask",
		[MINT_STOP_PARK]	= "park",
		[MINT_STOP_FORCE]	= "force",
		[MINT_STOP_REBOOT]	= "reboot",
	};
	int i = sysfs_match_string(strengths, buf);

	if (i < 0)
		return i;
	return mint_stop(kobj_node(kobj), i) ?: count;
}

static struct kobj_attribute stop_attr = __ATTR_WO(stop);

/* Those of node_files[] and node_kind_attrs[], "stop", and the end of the list */
static struct attribute *node_attrs[ARRAY_SIZE(node_files) + MINT_KINDS_MAX + 2];

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

/* Kinds may share a file: add it to @count others unless it is there */
static u32 __init add_kind(struct kobj_attribute *attrs, u32 count,
			   const char *name,
			   ssize_t (*show)(struct kobject *kobj,
					   struct kobj_attribute *attr,
					   char *buf))
{
	u32 i;

	for (i = 0; i < count; i++)
		if (!strcmp(attrs[i].attr.name, name))
			return count;
	attrs[count].attr.name = name;
	attrs[count].attr.mode = 0444;
	attrs[count].show = show;
	return count + 1;
}

static void __init fill_attrs(void)
{
	u32 i, files = 0, node_kinds = 0, at = 0;
	const struct mint_kind *kind;

	for (i = 0; (kind = mint_kind(i)); i++) {
		files = add_kind(kind_attrs, files, kind->file, kinds_show);
		if (kind->node_file)
			node_kinds = add_kind(node_kind_attrs, node_kinds,
					      kind->node_file, node_kinds_show);
	}
	for (i = 0; i < ARRAY_SIZE(fixed_attrs); i++)
		machine_attrs[at++] = fixed_attrs[i];
	for (i = 0; i < files; i++)
		machine_attrs[at++] = &kind_attrs[i].attr;

	at = 0;
	for (i = 0; i < ARRAY_SIZE(node_files); i++)
		node_attrs[at++] = &node_files[i].attr.attr;
	for (i = 0; i < node_kinds; i++)
		node_attrs[at++] = &node_kind_attrs[i].attr;
	node_attrs[at] = &stop_attr.attr;
}

static int __init mint_sysfs_init(void)
{
	struct mint_node *node;
	u32 n;

	mint_kobj = kobject_create_and_add("mint", kernel_kobj);
	if (!mint_kobj || sysfs_create_file(mint_kobj, &version_attr.attr) ||
	    sysfs_create_file(mint_kobj, &timing_attr.attr))
		return -ENOMEM;
	if (!mint_own_node())
		return 0;

	mint_node_listen(&node_block);
	fill_attrs();
	nodes_kobj = kobject_create_and_add("nodes", mint_kobj);
	if (!nodes_kobj || sysfs_create_files(mint_kobj, machine_attrs))
		return -ENOMEM;
	mint_generation_listen(generation_changed);
	if (mint_role == MINT_PREDECESSOR) {
		if (sysfs_create_file(mint_kobj, &moves_attr.attr))
			return -ENOMEM;
		mint_history_listen(moves_changed);
	}
	/* A successor shows itself and node 0 always; the others come and go */
	for (n = 0; (node = mint_node(n)); n++)
		if (n == mint_self || (n == 0 && mint_successor()))
			add_node(n);
	return 0;
}
subsys_initcall(mint_sysfs_init);
