/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two netlink sockets: `asking` sends requests and takes the kernel's word on them at once, so it
 * is blocking; `hearing` is subscribed to changes of the neighbour table and belongs to the event
 * loop.
 *
 * Resolution is started by RTM_NEWNEIGH with NTF_USE, which asks the kernel to treat the entry as
 * just used: it makes one if there is none, probes one that is stale, and needs no packet of ours.
 * It needs CAP_NET_ADMIN, which privilege.c keeps for it.
 */
#include "nexthop.h"

#include "iface.h"
#include "relay/log.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BUCKETS 1024 /* most relays have few next hops; a LAN of phones some hundreds */
#define BUFFER 16384 /* one read from a netlink socket */

/* States in which the kernel itself would send to the link address. */
#define USABLE (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT | NUD_NOARP)

struct entry {
	struct nexthop public; /* first: a nexthop is its entry */
	struct entry *next;    /* in the bucket */
	struct relay_ip ip;
	int ifindex;
	unsigned references;
	uint16_t state; /* NUD_*, as the kernel last said */
};

static struct entry *buckets[BUCKETS];
static struct mnl_socket *asking, *hearing;
static uint32_t sequence;

static struct entry **
bucket(int ifindex, const struct relay_ip *ip)
{
	uint32_t hash = 2166136261u ^ (uint32_t)ifindex; /* FNV-1a */

	for (unsigned i = 0; i < sizeof(ip->ip); i++)
		hash = (hash ^ ip->ip[i]) * 16777619u;
	return &buckets[(hash ^ hash >> 16) % BUCKETS];
}

static struct entry *
find(int ifindex, const struct relay_ip *ip)
{
	struct entry *entry = *bucket(ifindex, ip);

	while (entry != NULL && (entry->ifindex != ifindex || !relay_ip_equal(&entry->ip, ip)))
		entry = entry->next;
	return entry;
}

static void
set_link(struct entry *entry, uint16_t state, const uint8_t *mac)
{
	uint64_t link = 0;

	if (mac != NULL && (state & USABLE) != 0)
		memcpy(&link, mac, 6);
	entry->state = state;
	atomic_store_explicit(&entry->public.link, link, memory_order_relaxed);
}

/* One attribute of a neighbour: its address (NDA_DST) or its link address (NDA_LLADDR). */
static int
note_attribute(const struct nlattr *attribute, void *data)
{
	const struct nlattr **known = data;
	uint16_t type = mnl_attr_get_type(attribute);

	if (type <= NDA_LLADDR)
		known[type] = attribute;
	return MNL_CB_OK;
}

/* One RTM_NEWNEIGH or RTM_DELNEIGH: of one of ours? */
static int
note_neighbour(const struct nlmsghdr *message, void *data)
{
	const struct ndmsg *body = mnl_nlmsg_get_payload(message);
	const struct nlattr *known[NDA_LLADDR + 1] = {0};
	struct relay_ip ip = {.family = body->ndm_family == AF_INET ? 4 : 6};
	size_t length = ip.family == 4 ? 4 : 16;

	(void)data;
	if (message->nlmsg_type != RTM_NEWNEIGH && message->nlmsg_type != RTM_DELNEIGH)
		return MNL_CB_OK;
	if (body->ndm_family != AF_INET && body->ndm_family != AF_INET6)
		return MNL_CB_OK;
	mnl_attr_parse(message, sizeof(*body), note_attribute, known);
	if (known[NDA_DST] == NULL || mnl_attr_get_payload_len(known[NDA_DST]) != length)
		return MNL_CB_OK;
	memcpy(ip.ip, mnl_attr_get_payload(known[NDA_DST]), length);

	struct entry *entry = find(body->ndm_ifindex, &ip);
	if (entry == NULL)
		return MNL_CB_OK;
	const uint8_t *mac = NULL;
	if (message->nlmsg_type == RTM_NEWNEIGH && known[NDA_LLADDR] != NULL &&
		mnl_attr_get_payload_len(known[NDA_LLADDR]) == 6)
		mac = mnl_attr_get_payload(known[NDA_LLADDR]);
	set_link(entry, message->nlmsg_type == RTM_NEWNEIGH ? body->ndm_state : NUD_NONE, mac);
	return MNL_CB_OK;
}

/* Sends one request about an entry and handles the answer. 0 or -errno of the kernel. */
static int
ask(const struct entry *entry, uint16_t type, uint16_t flags, uint8_t ntf)
{
	char buffer[BUFFER];
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	uint32_t number = ++sequence;
	ssize_t length;
	int more;

	header->nlmsg_type = type;
	header->nlmsg_flags = NLM_F_REQUEST | flags;
	header->nlmsg_seq = number;
	struct ndmsg *body = mnl_nlmsg_put_extra_header(header, sizeof(*body));
	body->ndm_family = entry->ip.family == 4 ? AF_INET : AF_INET6;
	body->ndm_ifindex = entry->ifindex;
	body->ndm_flags = ntf;
	mnl_attr_put(header, NDA_DST, entry->ip.family == 4 ? 4 : 16, entry->ip.ip);
	if (mnl_socket_sendto(asking, header, header->nlmsg_len) < 0)
		return -errno;
	do {
		length = mnl_socket_recvfrom(asking, buffer, sizeof(buffer));
		if (length < 0)
			return -errno;
		more = mnl_cb_run(buffer, (size_t)length, number, mnl_socket_get_portid(asking),
			note_neighbour, NULL);
		/* an answer to RTM_GETNEIGH for one entry is that entry, and no more; what libmnl
		 * takes for a breach of protocol is the late answer to an earlier request */
	} while ((more > 0 && (flags & NLM_F_ACK) != 0) || (more < 0 && errno == EPROTO));
	return more < 0 ? -errno : 0;
}

/* Makes the kernel find, or verify, the link address. */
static void
resolve(const struct entry *entry)
{
	char text[RELAY_ADDR_TEXT];
	int result = ask(entry, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_ACK, NTF_USE);

	if (result != 0)
		log_debug("next hop %s can't be asked for: %s", relay_ip_format(&entry->ip, text),
			strerror(-result));
}

static struct mnl_socket *
open_socket(int flags, unsigned groups)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | flags);

	if (socket != NULL && mnl_socket_bind(socket, groups, MNL_SOCKET_AUTOPID) != 0) {
		int saved = errno;
		mnl_socket_close(socket);
		errno = saved;
		return NULL;
	}
	return socket;
}

int
nexthop_init(void)
{
	const struct timeval limit = {.tv_sec = 1};

	asking = open_socket(0, 0);
	if (asking == NULL)
		return -errno;
	/* the kernel answers before sendto() returns; should it ever not, go on */
	setsockopt(mnl_socket_get_fd(asking), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	hearing = open_socket(SOCK_NONBLOCK, 1u << (RTNLGRP_NEIGH - 1));
	if (hearing == NULL) {
		int result = -errno;
		mnl_socket_close(asking);
		asking = NULL;
		return result;
	}
	return 0;
}

void
nexthop_fini(void)
{
	for (unsigned i = 0; i < BUCKETS; i++) {
		while (buckets[i] != NULL) {
			struct entry *entry = buckets[i];
			buckets[i] = entry->next;
			free(entry);
		}
	}
	if (hearing != NULL)
		mnl_socket_close(hearing);
	if (asking != NULL)
		mnl_socket_close(asking);
	hearing = asking = NULL;
}

static bool
on_link(const struct media_address *local, const struct relay_ip *ip)
{
	unsigned bytes = local->prefix_length / 8, bits = local->prefix_length % 8;
	uint8_t mask = (uint8_t)(0xff00 >> bits);

	return memcmp(local->ip.ip, ip->ip, bytes) == 0 &&
	       (bits == 0 || ((local->ip.ip[bytes] ^ ip->ip[bytes]) & mask) == 0);
}

struct nexthop *
nexthop_get(const struct media_address *local, const struct relay_ip *destination)
{
	int ifindex = local->iface->tap_ifindex;
	struct relay_ip ip = {.family = destination->family};
	const struct relay_ip *via = destination;

	if (destination->family != local->ip.family)
		return NULL;
	if (!on_link(local, destination)) {
		if (local->gateway.family == 0)
			return NULL;
		via = &local->gateway;
	}
	memcpy(ip.ip, via->ip, ip.family == 4 ? 4 : 16);

	struct entry *entry = find(ifindex, &ip);
	if (entry == NULL) {
		entry = calloc(1, sizeof(*entry));
		if (entry == NULL)
			return NULL;
		entry->ip = ip;
		entry->ifindex = ifindex;
		struct entry **head = bucket(entry->ifindex, &ip);
		entry->next = *head;
		*head = entry;
		ask(entry, RTM_GETNEIGH, 0, 0);
		if (entry->state != NUD_PERMANENT)
			resolve(entry);
	}
	entry->references++;
	return &entry->public;
}

void
nexthop_ref(struct nexthop *nexthop)
{
	((struct entry *)nexthop)->references++;
}

void
nexthop_put(struct nexthop *nexthop)
{
	struct entry *entry = (struct entry *)nexthop;
	struct entry **at;

	if (entry == NULL || --entry->references > 0)
		return;
	at = bucket(entry->ifindex, &entry->ip);
	while (*at != entry)
		at = &(*at)->next;
	*at = entry->next;
	free(entry);
}

int
nexthop_fd(void)
{
	return mnl_socket_get_fd(hearing);
}

/* Reads every entry anew, after messages were lost. */
static void
read_all(void)
{
	for (unsigned i = 0; i < BUCKETS; i++)
		for (struct entry *entry = buckets[i]; entry != NULL; entry = entry->next)
			if (ask(entry, RTM_GETNEIGH, 0, 0) == -ENOENT)
				set_link(entry, NUD_NONE, NULL);
}

void
nexthop_process(void)
{
	char buffer[BUFFER];

	for (;;) {
		ssize_t length = mnl_socket_recvfrom(hearing, buffer, sizeof(buffer));
		if (length < 0 && errno == ENOBUFS) {
			read_all();
			continue;
		}
		if (length < 0)
			return;
		mnl_cb_run(buffer, (size_t)length, 0, 0, note_neighbour, NULL);
	}
}

void
nexthop_tick(void)
{
	for (unsigned i = 0; i < BUCKETS; i++)
		for (struct entry *entry = buckets[i]; entry != NULL; entry = entry->next)
			/* the kernel sees none of our traffic, so it would let a neighbour that we
			 * use all the time go stale for ever, and forget it */
			if ((entry->state & (NUD_REACHABLE | NUD_PERMANENT | NUD_NOARP | NUD_DELAY |
						    NUD_PROBE | NUD_INCOMPLETE)) == 0)
				resolve(entry);
}
