// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: /sys/kernel/mint/, what people see.
 *
 * Owns the files, none of the facts. What nodes own is printed by the kinds of
 * it (kind/kind.h).
 *
 * sysfs cuts a text off at the end of a page. Files whose length depends on the machine
 * are made by kernfs instead, as those of cgroups and resctrl: seq_file makes room for
 * all of the text, and hands it out in whatever pieces the reader asks for.
 */

#include <linux/err.h>
#include <linux/init.h>
#include <linux/kernfs.h>
#include <linux/kobject.h>
#include <linux/math64.h>
#include <linux/notifier.h>
#include <linux/seq_file.h>
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
		mint_move_request(buf, mint_self, 0, NULL, 0) :
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

static const struct attribute * const machine_attrs[] = {
	&node_attr.attr,
	&clock_attr.attr,
	&move_attr.attr,
	&generation_attr.attr,
	&want_attr.attr,
	NULL,
};

/* Number of the node whose directory this is */
static u32 kobj_node(struct kobject *kobj)
{
	u32 n;

	return kstrtou32(kobject_name(kobj), 10, &n) ? MINT_NODE_FREE : n;
}

/**
 * struct long_file - a file that may be longer than a page
 * @name:	its name
 * @show:	print all of it for node @n, which means nothing in the machine's own
 *		directory; called again, with more room, if there was too little
 */
struct long_file {
	const char	*name;
	void		(*show)(struct seq_file *m, const struct long_file *file, u32 n);
};

/* One text for all reads from its beginning to its end */
static int long_file_show(struct seq_file *m, void *unused)
{
	const struct kernfs_open_file *of = m->private;
	const struct long_file *file = of->kn->priv;

	/* kernfs keeps the kobject of a directory there: sysfs_create_dir_ns() */
	file->show(m, file, kobj_node(of->kn->parent->priv));
	return 0;
}

static const struct kernfs_ops long_file_ops = {
	.seq_show	= long_file_show,
};

/* They show a size of 0: how long they are is not known before they are read */
static int add_long_files(struct kobject *kobj, const struct long_file *files)
{
	static struct lock_class_key key;
	struct kernfs_node *kn;

	for (; files->name; files++) {
		kn = __kernfs_create_file(kobj->sd, files->name, 0444,
					  GLOBAL_ROOT_UID, GLOBAL_ROOT_GID, 0,
					  &long_file_ops, (void *)files, NULL, &key);
		if (IS_ERR(kn))
			return PTR_ERR(kn);
	}
	return 0;
}

static void show_cpus_up(struct seq_file *m, const struct long_file *file, u32 n)
{
	mint_show_list(m, core_runner, mint_layout.cores.count, n, "");
}

static void show_kinds(struct seq_file *m, const struct long_file *file, u32 n)
{
	mint_kinds_show(m, file->name);
}

static void show_node_kinds(struct seq_file *m, const struct long_file *file, u32 n)
{
	mint_kinds_show_node(m, file->name, n);
}

#define LONG_FILE(_name)	{ .name = #_name, .show = show_##_name }

/* Files of the kinds of things that nodes own have their names: fill_files() */
static struct long_file machine_files[MINT_KINDS_MAX + 1];
static struct long_file long_node_files[MINT_KINDS_MAX + 2] = {
	LONG_FILE(cpus_up),
};

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

static ssize_t show_timing(u32 n, const struct mint_node *node, char *buf)
{
	return mint_timing_show(n, buf);
}

static ssize_t show_incarnation(u32 n, const struct mint_node *node, char *buf)
{
	u64 number = mint_incarnation_settled(n);

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
	err = sysfs_create_group(kobj, &node_group) ?:
	      add_long_files(kobj, long_node_files) ?: mint_log_add(n, kobj);
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

/* Kinds may share a file: add it behind the others unless it is there */
static void __init add_kind(struct long_file *files, const char *name,
			    void (*show)(struct seq_file *m,
					 const struct long_file *file, u32 n))
{
	for (; files->name; files++)
		if (!strcmp(files->name, name))
			return;
	files->name = name;
	files->show = show;
}

static void __init fill_files(void)
{
	const struct mint_kind *kind;
	u32 i;

	for (i = 0; (kind = mint_kind(i)); i++) {
		add_kind(machine_files, kind->file, show_kinds);
		if (kind->node_file)
			add_kind(long_node_files, kind->node_file, show_node_kinds);
	}
	for (i = 0; i < ARRAY_SIZE(node_files); i++)
		node_attrs[i] = &node_files[i].attr.attr;
	node_attrs[i] = &stop_attr.attr;
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
	fill_files();
	nodes_kobj = kobject_create_and_add("nodes", mint_kobj);
	if (!nodes_kobj || sysfs_create_files(mint_kobj, machine_attrs) ||
	    add_long_files(mint_kobj, machine_files))
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
