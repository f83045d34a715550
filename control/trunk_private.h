/* SPDX-License-Identifier: BSD-3-Clause */
/* The inside of the trunks, for trunk.c and trunk_ping.c alone. */
#ifndef CONTROL_TRUNK_PRIVATE_H
#define CONTROL_TRUNK_PRIVATE_H

#include "trunk.h"

struct trunk;

/* What belongs to one address beside what others see of it; it stays where it is. */
struct trunk_ping {
	struct trunk *trunk;
	struct relay_addr address;
	nta_outgoing_t *request; /* the OPTIONS that waits for its answer; NULL: none */
	tport_t *alias; /* counted: a connection of the trunk's that we may use; NULL: none */
};

struct trunk {
	struct trunks *trunks;
	const struct config_trunk *config;
	struct trunk_target targets[RESOLVE_MAX];
	struct trunk_ping *pings[RESOLVE_MAX]; /* of the same index */
	unsigned count;
	struct resolve *resolving;
	const char *fault;
	su_timer_t *look_timer; /* when the addresses are looked up again */
	su_timer_t *ping_timer;
	bool looked_up; /* once, at least */
};

struct waiter {
	struct waiter *next;
	void (*ready)(void *arg);
	void (*drop)(void *arg);
	void *arg;
};

struct trunks {
	struct agent *agent;
	struct sres_resolver_s *resolver;
	unsigned families; /* RESOLVE_IPV* */
	su_timer_t *ready_timer;
	bool ready;
	struct waiter *waiters;
	unsigned count;
	struct trunk **list;
};

uint64_t trunk_now_ms(void);

/* What became of a ping or a call; a change is logged and counted. NULL: it was answered. */
void trunk_judge(struct trunk *trunk, unsigned index, const char *fault, unsigned failures_allowed);

/* The one of this name: a call may have the entry of an earlier configuration. NULL: it is gone. */
struct trunk *trunk_find(struct trunks *trunks, const struct config_trunk *config);

/* trunk_alias.c: the connection to use, if that is still open; else NULL. */
tport_t *trunk_alias_of(struct trunk_ping *ping);

/* One of no address yet. NULL: no memory. */
struct trunk *trunk_make(struct trunks *trunks, const struct config_trunk *config);
/* Looks its addresses up, and then pings them. 0 or -ENOMEM. */
int trunk_start(struct trunk *trunk);
/* Nothing of it comes back; calls that have its name go on. */
void trunk_free(struct trunk *trunk);

/* A timer for its pings. NULL: no memory. */
su_timer_t *trunk_ping_timer(const struct trunks *trunks, const struct config_trunk *config);

/* It is where it was, and otherwise as this says. Where its pings change, there is a new timer for
 * them, which it takes. */
void trunk_follow(struct trunk *trunk, const struct config_trunk *config, su_timer_t **ping_timer);

/* The resolver, once there is a trunk. 0 or -ENOMEM. */
int trunks_need_resolver(struct trunks *trunks);

/* trunk_ping.c: one round of OPTIONS to all addresses; those of the round before that still wait
 * have failed. */
void trunk_ping_all(struct trunk *trunk);
void trunk_ping_free(struct trunk_ping *ping);

#endif
