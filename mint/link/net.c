// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: a link, which is a network device.
 *
 * Owns mint<n>, the device whose frames go to node n: its two rings, and the
 * session with the device at the other end. Both ends are the same. A frame is
 * copied into a ring by who sends it and out of it by who receives it, before it
 * is looked at: what the other node does to the window later changes nothing, and
 * no device reaches it by DMA.
 *
 * A session is a pair of nonces. Who begins anew takes itself out (nonce 0),
 * empties its half of both rings, and says a new nonce; who sees another nonce
 * than before empties its half, and echoes it. The carrier is on while each end
 * has its own nonce echoed, and the heart of the other node beats. So no frame of
 * a session is taken for one of the next, whatever happens to a node between.
 *
 * All about a session and all that is received happens in the NAPI poll: the
 * bell and the heartbeat look whether there is anything to do, and schedule it.
 * What is sent is under the lock of the queue.
 */

#include <linux/etherdevice.h>
#include <linux/ethtool.h>
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/netdevice.h>
#include <linux/random.h>
#include <linux/rculist.h>
#include <linux/skbuff.h>
#include <linux/string.h>
#include <linux/virtio_net.h>

#include <asm/barrier.h>

#include "../area/area.h"
#include "../core/core.h"
#include "../own/own.h"
#include "link.h"

#define MTU_MAX		65500
#define LINEAR		256	/* bytes of a frame that are not in pages */
#define LOST_BEATS	10	/* without so many the other side is taken for dead */

/* In mint_end.wake: no bell is wanted */
#define WAKE_NEVER	U32_MAX

#define FEATURES	(NETIF_F_SG | NETIF_F_HW_CSUM | NETIF_F_TSO |	\
			 NETIF_F_TSO_ECN | NETIF_F_TSO6 |		\
			 NETIF_F_GSO_UDP_L4 | NETIF_F_HIGHDMA)

/**
 * struct mint_link - a link
 * @list:	of all of them, RCU
 * @dev:	its device
 * @napi:	see above
 * @peer:	number of the other node
 * @own:	what this node says
 * @other:	what the other one says; every word is read once and checked
 * @tx:		the ring that this node writes
 * @rx:		the ring that it reads
 * @heart:	heartbeat of the other node, as this one has watched it
 * @boots:	of the other node, when this one looked last
 * @alive:	the other node runs, and its heart beats
 * @broken:	the other node says what cannot be; until the next beat
 * @restart:	begin a new session
 * @up:		the carrier is on: rings may be used
 * @nonce:	of this side of the session
 * @peer_nonce:	of the other one, as it was echoed
 * @head:	of @tx; the word in @own repeats it
 * @told:	@head as the other side was told last
 * @seen:	tail of @tx, as it was last found
 * @tail:	of @rx; the word in @own repeats it
 * @told_tail:	@tail as the other side was told last
 *
 * @up and the offsets in @tx change under the lock of the queue.
 */
struct mint_link {
	struct list_head	list;
	struct net_device	*dev;
	struct napi_struct	napi;
	u32			peer;
	struct mint_end		*own;
	const struct mint_end	*other;
	struct mint_link_ring	tx;
	struct mint_link_ring	rx;
	struct mint_heart	heart;
	u32			boots;
	bool			alive;
	bool			broken;
	bool			restart;
	bool			up;
	u32			nonce;
	u32			peer_nonce;
	u32			head;
	u32			told;
	u32			seen;
	u32			tail;
	u32			told_tail;
};

/* Changed by adopt.c's work alone, read by the bell and the heartbeat */
static LIST_HEAD(links);

/* Room for the longest frame, or the queue waits */
static bool roomy(const struct mint_link *link, u32 tail)
{
	return mint_link_ring_room(&link->tx, tail, link->head) >=
	       mint_link_ring_need(MINT_LINK_FRAME);
}

/*
 * What is sent is under this lock, with a qdisc or without; there is one queue.
 * Context: soft interrupt.
 */
static void lock_queue(const struct mint_link *link)
	__acquires(&netdev_get_tx_queue(link->dev, 0)->_xmit_lock)
{
	__netif_tx_lock(netdev_get_tx_queue(link->dev, 0), smp_processor_id());
}

static void unlock_queue(const struct mint_link *link)
	__releases(&netdev_get_tx_queue(link->dev, 0)->_xmit_lock)
{
	__netif_tx_unlock(netdev_get_tx_queue(link->dev, 0));
}

/* ---- the session ---- */

static void ring_peer(const struct mint_link *link)
{
	if (!READ_ONCE(link->alive))
		return;
	if (link->peer)
		mint_bell_try_ring_node(link->peer, MINT_BELL_LINK);
	else
		mint_bell_ring_node0(MINT_BELL_LINK);
}

static bool peer_alive(struct mint_link *link)
{
	const struct mint_node *node = mint_node(link->peer);

	mint_heart_poll(&link->heart, READ_ONCE(node->heartbeat), jiffies,
			mint_layout.beat_ms);
	return READ_ONCE(node->state) == MINT_STATE_RUNNING &&
	       link->heart.still_ms < LOST_BEATS * mint_layout.beat_ms;
}

/* Is the session one of both sides? */
static bool agreed(const struct mint_link *link)
{
	return link->peer_nonce && !READ_ONCE(link->broken) &&
	       READ_ONCE(link->other->nonce) == link->peer_nonce &&
	       READ_ONCE(link->other->echo) == link->nonce &&
	       READ_ONCE(link->alive);
}

/* Does the window still have what this node has written there? */
static bool repeated(const struct mint_link *link)
{
	return READ_ONCE(link->own->nonce) == READ_ONCE(link->nonce) &&
	       READ_ONCE(link->own->echo) == READ_ONCE(link->peer_nonce);
}

/* Is there anything to do for the NAPI poll? */
static bool wants_poll(const struct mint_link *link)
{
	u32 tail;

	if (READ_ONCE(link->restart) || agreed(link) != READ_ONCE(link->up) ||
	    READ_ONCE(link->other->nonce) != READ_ONCE(link->peer_nonce))
		return true;
	if (!READ_ONCE(link->up))
		return false;
	if (READ_ONCE(link->other->head) != READ_ONCE(link->tail))
		return true;
	if (!netif_queue_stopped(link->dev))
		return false;
	tail = READ_ONCE(link->other->tail);
	/* What cannot be is for room() to find */
	return !mint_link_ring_valid(&link->tx, tail) || roomy(link, tail);
}

/* The own half of both rings is empty. Nobody uses it meanwhile. */
static void empty_rings(struct mint_link *link)
{
	WRITE_ONCE(link->head, 0);
	link->told = 0;
	link->seen = 0;
	WRITE_ONCE(link->tail, 0);
	link->told_tail = 0;
	WRITE_ONCE(link->own->head, 0);
	WRITE_ONCE(link->own->stalled, 0);
	WRITE_ONCE(link->own->tail, 0);
	WRITE_ONCE(link->own->wake, 0);
}

/* This node leaves the session, if there is one */
static void leave_session(struct mint_link *link)
{
	WRITE_ONCE(link->own->nonce, 0);
	/* Before the rings change: pairs with receive_one() of the other side */
	virt_wmb();
	WRITE_ONCE(link->own->echo, 0);
	WRITE_ONCE(link->peer_nonce, 0);
}

/* This node begins a session. Under the lock of the queue, polls kept away. */
static void begin_session(struct mint_link *link)
{
	u32 nonce;

	do {
		nonce = get_random_u32();
	} while (!nonce || nonce == link->nonce);
	leave_session(link);
	empty_rings(link);
	WRITE_ONCE(link->nonce, nonce);
	WRITE_ONCE(link->broken, false);
	WRITE_ONCE(link->restart, false);
	/* Pairs with follow_peer() of the other side */
	virt_store_release(&link->own->nonce, nonce);
}

/* The other node has begun a session, or left one: be ready for it, and say so */
static void follow_peer(struct mint_link *link, u32 nonce)
{
	/* What is read of it from here on is of that session: begin_session() */
	virt_rmb();
	empty_rings(link);
	WRITE_ONCE(link->peer_nonce, nonce);
	/* Pairs with agreed() of the other side, and the reads after that */
	virt_store_release(&link->own->echo, nonce);
}

/* Tell the other side what was written; a bell only if it asks for one */
static void publish(struct mint_link *link)
{
	u32 told = link->told;

	if (told == link->head || !link->up)
		return;
	/* Pairs with receive(): the frames are there before the head */
	virt_store_release(&link->own->head, link->head);
	link->told = link->head;
	/* Pairs with ask_for_bell(): it sees the head, or we its wish */
	virt_mb();
	if (mint_link_ring_passed(&link->tx, told, link->head,
				  READ_ONCE(link->other->wake)))
		ring_peer(link);
}

static void set_up(struct mint_link *link, bool up)
{
	if (up == link->up)
		return;
	WRITE_ONCE(link->up, up);
	if (up) {
		/* What was read of the session comes before what is in its rings */
		virt_rmb();
		netif_carrier_on(link->dev);
		netif_wake_queue(link->dev);
		publish(link);
	} else {
		netif_carrier_off(link->dev);
	}
}

static void look_at_session(struct mint_link *link)
{
	u32 nonce = READ_ONCE(link->other->nonce);
	bool changed = false;

	if (nonce == link->peer_nonce && !READ_ONCE(link->restart) &&
	    agreed(link) == link->up)
		return;
	lock_queue(link);
	if (READ_ONCE(link->restart)) {
		set_up(link, false);
		begin_session(link);
		changed = true;
	}
	if (nonce != link->peer_nonce) {
		set_up(link, false);
		follow_peer(link, nonce);
		changed = true;
	}
	set_up(link, agreed(link));
	unlock_queue(link);
	if (changed)
		ring_peer(link);
}

/* ---- sending ---- */

/* Bytes that may be written; 0 if the other side says what cannot be */
static u32 room(struct mint_link *link)
{
	u32 tail;

	/* Pairs with tell_tail(): what was read is written over after this look */
	tail = virt_load_acquire(&link->other->tail);
	/* It only ever follows the head */
	if (mint_link_ring_valid(&link->tx, tail) &&
	    mint_link_ring_used(&link->tx, tail, link->head) <=
	    mint_link_ring_used(&link->tx, link->seen, link->head)) {
		link->seen = tail;
		return mint_link_ring_room(&link->tx, tail, link->head);
	}
	/* Unless it has just begun a new session: pairs with leave_session() */
	virt_rmb();
	if (READ_ONCE(link->other->nonce) == link->peer_nonce)
		WRITE_ONCE(link->broken, true);
	napi_schedule(&link->napi);
	return 0;
}

/* The queue waits for room. Return: false if there is some after all. */
static bool stall(struct mint_link *link)
{
	netif_stop_queue(link->dev);
	WRITE_ONCE(link->own->stalled, 1);
	/* Pairs with tell_tail(): it sees that we wait, or we its tail */
	virt_mb();
	if (room(link) < mint_link_ring_need(MINT_LINK_FRAME))
		return true;
	WRITE_ONCE(link->own->stalled, 0);
	netif_start_queue(link->dev);
	return false;
}

/* Copy a frame of @len bytes into the ring, where there is room for it */
static void put_frame(struct mint_link *link, struct sk_buff *skb,
		      const struct virtio_net_hdr *hdr)
{
	struct mint_frame frame = { .len = skb->len };
	struct skb_seq_state parts;
	u32 done = 0, len, pos;
	const u8 *from;

	BUILD_BUG_ON(sizeof(*hdr) != sizeof(frame.header));
	memcpy(frame.header, hdr, sizeof(frame.header));
	pos = mint_link_ring_put(&link->tx, link->head, &frame, sizeof(frame));
	skb_prepare_seq_read(skb, 0, skb->len, &parts);
	while ((len = skb_seq_read(done, &from, &parts))) {
		pos = mint_link_ring_put(&link->tx, pos, from, len);
		done += len;
	}
	WRITE_ONCE(link->head, mint_link_ring_next(&link->tx, link->head,
						   mint_link_ring_need(skb->len)));
}

static netdev_tx_t link_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct mint_link *link = netdev_priv(dev);
	netdev_tx_t ret = NETDEV_TX_OK;
	struct virtio_net_hdr hdr;
	u32 len = skb->len;

	if (!link->up || len < ETH_HLEN || len > MINT_LINK_FRAME ||
	    !skb_frags_readable(skb) ||
	    virtio_net_hdr_from_skb(skb, &hdr, true, false, 0)) {
		DEV_STATS_INC(dev, tx_dropped);
		dev_kfree_skb_any(skb);
	} else if (room(link) < mint_link_ring_need(len) && stall(link)) {
		ret = NETDEV_TX_BUSY;
	} else {
		put_frame(link, skb, &hdr);
		skb_tx_timestamp(skb);
		dev_sw_netstats_tx_add(dev, 1, len);
		dev_consume_skb_any(skb);
		if (!roomy(link, link->seen))
			stall(link);
	}
	if (!netdev_xmit_more() || netif_queue_stopped(dev))
		publish(link);
	return ret;
}

/* The other side has made room */
static void wake_queue(struct mint_link *link)
{
	if (!link->up || !netif_queue_stopped(link->dev))
		return;
	lock_queue(link);
	if (room(link) >= mint_link_ring_need(MINT_LINK_FRAME)) {
		WRITE_ONCE(link->own->stalled, 0);
		netif_wake_queue(link->dev);
	}
	unlock_queue(link);
}

/* ---- receiving ---- */

/* Say what was read, and ring if the other side waits for that */
static void tell_tail(struct mint_link *link)
{
	if (link->told_tail == link->tail)
		return;
	/* All of it was copied before */
	virt_store_release(&link->own->tail, link->tail);
	link->told_tail = link->tail;
	/* Pairs with stall() */
	virt_mb();
	if (READ_ONCE(link->other->stalled))
		ring_peer(link);
}

/* A frame of @len bytes that begins at the tail, in memory of this node */
static struct sk_buff *get_frame(struct mint_link *link, u32 len)
{
	u32 linear = min_t(u32, len, LINEAR), pos;
	struct sk_buff *skb;
	int err, i;

	skb = alloc_skb_with_frags(NET_SKB_PAD + NET_IP_ALIGN + linear,
				   len - linear, PAGE_ALLOC_COSTLY_ORDER, &err,
				   GFP_ATOMIC | __GFP_NOWARN);
	if (!skb)
		return NULL;
	skb_reserve(skb, NET_SKB_PAD + NET_IP_ALIGN);
	skb->dev = link->dev;
	pos = mint_link_ring_get(&link->rx, link->tail + sizeof(struct mint_frame),
				 skb_put(skb, linear), linear);
	for (i = 0; i < skb_shinfo(skb)->nr_frags; i++) {
		skb_frag_t *frag = &skb_shinfo(skb)->frags[i];

		/* GFP_ATOMIC: none of it is in high memory */
		pos = mint_link_ring_get(&link->rx, pos, skb_frag_address(frag),
					 skb_frag_size(frag));
	}
	skb->len = len;
	skb->data_len = len - linear;
	return skb;
}

static void deliver(struct mint_link *link, struct sk_buff *skb,
		    const struct mint_frame *frame)
{
	struct virtio_net_hdr hdr;

	memcpy(&hdr, frame->header, sizeof(hdr));
	if (virtio_net_hdr_to_skb(skb, &hdr, true)) {
		DEV_STATS_INC(link->dev, rx_frame_errors);
		DEV_STATS_INC(link->dev, rx_errors);
		kfree_skb(skb);
		return;
	}
	dev_sw_netstats_rx_add(link->dev, frame->len);
	skb->protocol = eth_type_trans(skb, link->dev);
	napi_gro_receive(&link->napi, skb);
}

/* Return: false if there is no more to be had in this session */
static bool receive_one(struct mint_link *link, u32 head)
{
	struct sk_buff *skb = NULL;
	struct mint_frame frame;
	bool valid;

	valid = mint_frame_read(&link->rx, link->tail, head, &frame);
	if (valid)
		skb = get_frame(link, frame.len);
	/* Pairs with leave_session(): none of it is from the next session */
	virt_rmb();
	if (READ_ONCE(link->other->nonce) != link->peer_nonce) {
		kfree_skb(skb);
		return false;
	}
	if (!valid) {
		WRITE_ONCE(link->broken, true);
		return false;
	}
	WRITE_ONCE(link->tail, mint_link_ring_next(&link->rx, link->tail,
						   mint_link_ring_need(frame.len)));
	if (skb)
		deliver(link, skb, &frame);
	else
		DEV_STATS_INC(link->dev, rx_dropped);
	if (mint_link_ring_used(&link->rx, link->told_tail, link->tail) >=
	    link->rx.size / 4)
		tell_tail(link);
	return true;
}

static int receive(struct mint_link *link, int budget)
{
	int work = 0;
	u32 head;

	while (work < budget) {
		/* Pairs with publish() */
		head = virt_load_acquire(&link->other->head);
		if (!mint_link_ring_valid(&link->rx, head)) {
			WRITE_ONCE(link->broken, true);
			break;
		}
		if (head == link->tail || !receive_one(link, head))
			break;
		work++;
	}
	tell_tail(link);
	return work;
}

/* A bell with the next frame; whoever asks looks once more after that */
static void ask_for_bell(struct mint_link *link)
{
	WRITE_ONCE(link->own->wake, link->tail);
	/* Pairs with publish() */
	virt_mb();
}

static int link_poll(struct napi_struct *napi, int budget)
{
	struct mint_link *link = container_of(napi, struct mint_link, napi);
	int work = 0;

	if (!budget)
		return 0;
	WRITE_ONCE(link->own->wake, WAKE_NEVER);
	look_at_session(link);
	wake_queue(link);
	if (link->up)
		work = receive(link, budget);
	if (work < budget) {
		/* While the poll is ours: the next may run elsewhere at once */
		ask_for_bell(link);
		if (napi_complete_done(napi, work) && wants_poll(link))
			napi_schedule(napi);
	}
	return work;
}

/* ---- the device ---- */

static void schedule_poll(struct mint_link *link)
{
	local_bh_disable();
	napi_schedule(&link->napi);
	local_bh_enable();
}

static int link_open(struct net_device *dev)
{
	struct mint_link *link = netdev_priv(dev);

	__netif_tx_lock_bh(netdev_get_tx_queue(dev, 0));
	begin_session(link);
	__netif_tx_unlock_bh(netdev_get_tx_queue(dev, 0));
	napi_enable(&link->napi);
	netif_start_queue(dev);
	schedule_poll(link);
	ring_peer(link);
	return 0;
}

static int link_stop(struct net_device *dev)
{
	struct mint_link *link = netdev_priv(dev);

	napi_disable(&link->napi);
	__netif_tx_lock_bh(netdev_get_tx_queue(dev, 0));
	netif_stop_queue(dev);
	set_up(link, false);
	leave_session(link);
	__netif_tx_unlock_bh(netdev_get_tx_queue(dev, 0));
	ring_peer(link);
	return 0;
}

/* Without it there are no multicast addresses by hand. All frames come anyway. */
static void link_set_rx_mode(struct net_device *dev)
{
}

static const struct net_device_ops link_ops = {
	.ndo_open		= link_open,
	.ndo_stop		= link_stop,
	.ndo_start_xmit		= link_xmit,
	.ndo_set_rx_mode	= link_set_rx_mode,
	.ndo_validate_addr	= eth_validate_addr,
	.ndo_set_mac_address	= eth_mac_addr,
	/* The default has segments with two VLAN tags cut by software before they come here */
	.ndo_features_check	= passthru_features_check,
};

static void link_drvinfo(struct net_device *dev, struct ethtool_drvinfo *info)
{
	strscpy(info->driver, "mint", sizeof(info->driver));
}

/* Bonds and spanning trees want a speed; what it is depends on the cores */
static int link_get_ksettings(struct net_device *dev,
			      struct ethtool_link_ksettings *settings)
{
	settings->base.speed = SPEED_10000;
	settings->base.duplex = DUPLEX_FULL;
	settings->base.port = PORT_OTHER;
	return 0;
}

static const struct ethtool_ops link_ethtool_ops = {
	.get_drvinfo		= link_drvinfo,
	.get_link		= ethtool_op_get_link,
	.get_link_ksettings	= link_get_ksettings,
	.get_ts_info		= ethtool_op_get_ts_info,
};

/* The name of the other node, as far as a terminal can show it */
static void set_alias(struct mint_link *link)
{
	char name[MINT_NAME_LEN];
	size_t len;

	len = mint_copy_line(name, mint_node(link->peer)->name, sizeof(name));
	dev_set_alias(link->dev, name, len);
}

/*
 * A bridge takes the lowest address of its ports: that of a card comes before this
 * one, so that it does not change when a link comes or goes.
 */
static void set_address(struct mint_link *link)
{
	u8 addr[ETH_ALEN] = {
		0xfe, 0x4d, mint_self >> 8, mint_self, link->peer >> 8, link->peer,
	};

	eth_hw_addr_set(link->dev, addr);
}

/**
 * mint_link_add() - make the device of a window
 * @use:	the window, mapped
 *
 * Context: process, may sleep; one caller at a time.
 * Return: 0, or a negative error.
 */
int mint_link_add(struct mint_window_use *use)
{
	u32 member = mint_window_index(&use->window, mint_self);
	struct mint_link_ring rings[MINT_WINDOW_MEMBERS];
	struct net_device *dev;
	struct mint_link *link;
	int err;

	mint_link_ring_place(&use->window, use->addr, rings);
	/* With less the queue would wait for room for ever */
	if (rings[0].size < 2 * mint_link_ring_need(MINT_LINK_FRAME))
		return -EINVAL;
	dev = alloc_etherdev(sizeof(*link));
	if (!dev)
		return -ENOMEM;
	link = netdev_priv(dev);
	link->dev = dev;
	link->peer = use->window.member[!member];
	link->own = use->addr + member * MINT_END_SIZE;
	link->other = use->addr + !member * MINT_END_SIZE;
	link->tx = rings[member];
	link->rx = rings[!member];
	mint_heart_reset(&link->heart, READ_ONCE(mint_node(link->peer)->heartbeat),
			 jiffies);
	link->alive = peer_alive(link);
	link->boots = READ_ONCE(mint_node(link->peer)->boots);
	/* After an own reboot the last kernel's session stands there */
	leave_session(link);

	snprintf(dev->name, sizeof(dev->name), "mint%u", link->peer);
	dev->netdev_ops = &link_ops;
	dev->ethtool_ops = &link_ethtool_ops;
	/* Nothing filters by the address: it may change while the device is up */
	dev->priv_flags |= IFF_LIVE_ADDR_CHANGE;
	dev->pcpu_stat_type = NETDEV_PCPU_STAT_TSTATS;
	dev->min_mtu = ETH_MIN_MTU;
	dev->max_mtu = MTU_MAX;
	dev->hw_features = FEATURES;
	/* A frame whose checksum is still to be made is delivered as a good one */
	dev->features = FEATURES | NETIF_F_RXCSUM;
	dev->vlan_features = FEATURES;
	set_address(link);
	netif_napi_add(dev, &link->napi, link_poll);
	netif_carrier_off(dev);
	err = register_netdev(dev);
	if (err) {
		free_netdev(dev);
		return err;
	}
	set_alias(link);
	use->dev = dev;
	list_add_tail_rcu(&link->list, &links);
	return 0;
}

/**
 * mint_link_remove() - undo mint_link_add()
 * @use:	the window, which nobody uses afterwards
 *
 * Context: process, may sleep; as mint_link_add().
 */
void mint_link_remove(struct mint_window_use *use)
{
	struct mint_link *link = netdev_priv(use->dev);

	list_del_rcu(&link->list);
	synchronize_rcu();
	unregister_netdev(use->dev);
	free_netdev(use->dev);
}

/* A session ends with the other kernel, even if the next one there leaves its words alone */
static void look_at_peer(struct mint_link *link)
{
	bool alive = peer_alive(link);
	/* After the state: a kernel that runs has counted its boot */
	u32 boots = READ_ONCE(mint_node(link->peer)->boots);

	if (boots != link->boots || (link->alive && !alive))
		WRITE_ONCE(link->restart, true);
	link->boots = boots;
	WRITE_ONCE(link->alive, alive);
}

/**
 * mint_links_poll() - look after all links, once a beat
 *
 * A bell that was lost costs a beat; a node that does not live has no carrier.
 *
 * Context: soft interrupt; called by the heartbeat.
 */
void mint_links_poll(void)
{
	struct mint_link *link;

	rcu_read_lock();
	list_for_each_entry_rcu(link, &links, list) {
		look_at_peer(link);
		if (!netif_running(link->dev))
			continue;
		/* A broken session begins anew once a beat at the most */
		if (READ_ONCE(link->broken) || !repeated(link))
			WRITE_ONCE(link->restart, true);
		if (wants_poll(link))
			napi_schedule(&link->napi);
	}
	rcu_read_unlock();
}

/* Node 0 hears who rang; the others look at all, of which they have few */
static void links_rung(u32 n)
{
	bool all = mint_role == MINT_SUCCESSOR || n == MINT_BELL_ANYONE;
	struct mint_link *link;

	rcu_read_lock();
	list_for_each_entry_rcu(link, &links, list)
		if ((all || link->peer == n) && netif_running(link->dev) &&
		    wants_poll(link))
			napi_schedule(&link->napi);
	rcu_read_unlock();
}

#ifdef CONFIG_MINT_PROVOKE
/**
 * mint_link_part() - what this node may write in windows
 * @i:		from 0: of each link its end, then its ring
 * @addr:	out: where it is; only as long as the link is there
 * @size:	out: bytes
 *
 * Context: process.
 * Return: false behind the last one.
 */
bool mint_link_part(u32 i, void **addr, u32 *size)
{
	struct mint_link *link;
	u32 at = 0;

	guard(rcu)();
	list_for_each_entry_rcu(link, &links, list) {
		if (at++ != i / 2)
			continue;
		*addr = i % 2 ? link->tx.data : link->own;
		*size = i % 2 ? link->tx.size : sizeof(*link->own);
		return true;
	}
	return false;
}
#endif

/**
 * mint_links_setup() - begin to hear of links
 *
 * Context: initcall.
 */
void __init mint_links_setup(void)
{
	mint_bell_listen(MINT_BELL_LINK, links_rung);
}
