// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: what successors wish to move.
 *
 * Owns the records of wishes: a successor asks node 0 by one to move something,
 * and node 0 does so if mint.peers= allows it. What the successor writes is the
 * text that node 0's own users write, and is read in the same way; node 0 copies
 * it first.
 */

#include <linux/errno.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "../area/area.h"
#include "../own/own.h"
#include "move.h"

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "mint."

/* What successors may ask for */
enum peers {
	PEERS_NONE,	/* nothing */
	PEERS_GIVE,	/* that what is theirs goes to somebody else */
	PEERS_ALL,	/* that what is free comes to them, too */
};

static const char * const peers_names[] = {
	[PEERS_NONE]	= "none",
	[PEERS_GIVE]	= "give",
	[PEERS_ALL]	= "all",
};

static int peers = PEERS_GIVE;

static int peers_set(const char *val, const struct kernel_param *kp)
{
	int i = sysfs_match_string(peers_names, val);

	if (i < 0)
		return i;
	WRITE_ONCE(peers, i);
	return 0;
}

static int peers_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%s\n", peers_names[READ_ONCE(peers)]);
}

static const struct kernel_param_ops peers_ops = {
	.set	= peers_set,
	.get	= peers_get,
};

/* mint.peers=none|give|all: what node 0 does for its successors */
module_param_cb(peers, &peers_ops, NULL, 0644);

/**
 * mint_wish_check() - may a node ask for this?
 * @t:		transfer, as it was planned
 * @asker:	number of the node that asks
 *
 * Context: predecessor.
 * Return: 0, or what mint_transfer_refuse() returned.
 */
int mint_wish_check(struct mint_transfer *t, u32 asker)
{
	int allowed = READ_ONCE(peers);

	if (asker == mint_self ||
	    (allowed >= PEERS_GIVE && t->from == asker) ||
	    (allowed == PEERS_ALL && t->from == MINT_NODE_FREE &&
	     t->to == asker))
		return 0;
	return mint_transfer_refuse(t, -EPERM,
				    "node 0 does not do this for node %u: ask there, or set mint.peers= (it is %s)",
				    asker, peers_names[allowed]);
}

/* ---- node 0 ---- */

/**
 * struct wisher - a successor that may wish
 * @work:	deals with its wish
 * @n:		its number
 * @answered:	the last wish that was dealt with
 */
struct wisher {
	struct work_struct	work;
	u32			n;
	u32			answered;
};

static struct wisher *wishers __ro_after_init;

static void answer(struct work_struct *work)
{
	struct wisher *wisher = container_of(work, struct wisher, work);
	struct mint_wish *wish = mint_wish(wisher->n);
	char text[MINT_WISH_LEN], reason[MINT_MOVE_REASON] = "";
	u64 incarnation = mint_incarnation(wisher->n);
	/* Pairs with mint_move_wish() */
	u32 seq = smp_load_acquire(&wish->seq);
	int err;

	if (seq == wisher->answered || !mint_claim(wisher->n))
		return;
	wisher->answered = seq;
	mint_copy_line(text, wish->text, sizeof(text));
	err = mint_move_request(text, wisher->n, incarnation, reason, sizeof(reason));
	memcpy(wish->reason, reason, sizeof(wish->reason));
	WRITE_ONCE(wish->error, err);
	/* Pairs with is_answered() */
	smp_store_release(&wish->answered, seq);
	mint_bell_ring_node(wisher->n, MINT_BELL_MOVE);
}

/* ---- a successor ---- */

static DECLARE_WAIT_QUEUE_HEAD(wish_wait);
static DEFINE_MUTEX(wish_mutex);
static bool wished;		/* this kernel has asked before; under wish_mutex */

static bool is_answered(const struct mint_wish *wish, u32 seq)
{
	/* Pairs with answer() */
	return smp_load_acquire(&wish->answered) == seq;
}

/*
 * Wait for the answer of node 0. Giver, receiver and the proof in between may each take
 * mint.move_ms=.
 */
static int wait_answer(const struct mint_wish *wish, u32 seq)
{
	long left = wait_event_killable_timeout(wish_wait, is_answered(wish, seq),
						4 * mint_move_bound());

	if (left < 0)
		return -EINTR;
	if (!left) {
		pr_warn("node 0 does not answer: see nodes/0/state\n");
		return -ETIMEDOUT;
	}
	return 0;
}

/* What node 0 says, or who overwrites it: an error number and one line */
static int read_answer(const struct mint_wish *wish)
{
	int err = READ_ONCE(wish->error);
	char reason[MINT_MOVE_REASON];

	if (!err)
		return 0;
	mint_copy_line(reason, wish->reason, sizeof(reason));
	pr_warn("move refused: %s\n", reason);
	return err < 0 && err >= -MAX_ERRNO ? err : -EIO;
}

/**
 * mint_move_wish() - ask node 0 to move something
 * @text:	as for mint_move_request()
 *
 * Context: successor, process.
 * Return: 0 once it is done; why node 0 refuses, which it also says in the log;
 * -E2BIG if it is too long; -EOPNOTSUPP if node 0 is too old for that; -ETIMEDOUT if it
 * does not answer, -EINTR.
 */
int mint_move_wish(const char *text)
{
	struct mint_wish *wish = mint_wish(mint_self);
	size_t len = strcspn(text, "\n");
	int err;
	u32 seq;

	if (!wish)
		return -EOPNOTSUPP;
	if (len >= sizeof(wish->text))
		return -E2BIG;
	if (mutex_lock_killable(&wish_mutex))
		return -EINTR;
	/*
	 * A process that was killed, or waited in vain, has left its wish, and node 0 may
	 * be about to read the text. So wait for the answer to that one before another
	 * text is written. If none comes in time, node 0 does not work on it.
	 */
	err = wished ? wait_answer(wish, wish->seq) : 0;
	if (err != -EINTR) {
		wished = true;
		memcpy(wish->text, text, len);
		wish->text[len] = '\0';
		seq = wish->seq + 1;
		/* Pairs with answer() */
		smp_store_release(&wish->seq, seq);
		mint_bell_ring_node0(MINT_BELL_MOVE);
		err = wait_answer(wish, seq) ?: read_answer(wish);
	}
	mutex_unlock(&wish_mutex);
	return err;
}

/**
 * mint_wishes_rung() - look for a wish, in a successor for an answer
 * @n:	in node 0 the number of who has, or MINT_BELL_ANYONE
 *
 * Context: any but NMI.
 */
void mint_wishes_rung(u32 n)
{
	u32 i;

	if (mint_role == MINT_SUCCESSOR) {
		wake_up_all(&wish_wait);
		return;
	}
	for (i = 1; wishers && i < mint_layout.wishes.count; i++)
		if (n == i || n == MINT_BELL_ANYONE)
			queue_work(system_unbound_wq, &wishers[i].work);
}

/* What the node before it wished is not the new one's wish */
static int on_node(struct notifier_block *nb, unsigned long what, void *data)
{
	u32 n = *(u32 *)data;

	if (what == MINT_NODE_NEW && wishers && n < mint_layout.wishes.count)
		wishers[n].answered = READ_ONCE(mint_wish(n)->seq);
	return NOTIFY_DONE;
}

static struct notifier_block node_block = {
	.notifier_call	= on_node,
};

static int __init mint_wish_init(void)
{
	struct wisher *all;
	u32 i;

	if (mint_role != MINT_PREDECESSOR)
		return 0;
	all = kcalloc(mint_layout.wishes.count, sizeof(*all), GFP_KERNEL);
	if (!all)
		return -ENOMEM;
	for (i = 0; i < mint_layout.wishes.count; i++) {
		INIT_WORK(&all[i].work, answer);
		all[i].n = i;
	}
	wishers = all;
	return mint_node_listen(&node_block);
}
device_initcall(mint_wish_init);
