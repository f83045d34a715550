/* SPDX-License-Identifier: BSD-3-Clause */
/* The trunks as they are now: where each can be reached, and which of its addresses live.
 * Event-loop thread alone. */
#ifndef CONTROL_TRUNK_H
#define CONTROL_TRUNK_H

#include "agent.h"
#include "resolve.h"

struct trunks;

/* One address of a trunk, as the callbacks see it: valid until the loop goes on. */
struct trunk_target {
	struct resolved at;
	bool alive;
	unsigned failures;      /* pings in a row without an answer */
	uint64_t since_ms;      /* monotonic: alive or dead for that long */
	const char *last_fault; /* why the last ping or call failed; NULL: it did not */
};

struct trunk_state {
	const struct config_trunk *config;
	bool alive; /* at least one address is */
	const struct trunk_target *targets;
	unsigned count;
	const char *fault; /* why the last look-up found nothing; NULL: it did find */
};

/* Starts to look up and to ping all of sip.trunks. 0, or -ENOMEM. */
int trunks_create(struct agent *agent, struct trunks **out);
void trunks_destroy(struct trunks *trunks);

/* Another configuration's trunks, prepared: those that are where they were keep what is known of
 * them. 0 and *out, or -ENOMEM. */
struct trunks_change;
int
trunks_prepare(struct trunks *trunks, const struct config_sip *config, struct trunks_change **out);
/* Puts them in force, or drops them; both free the change. */
void trunks_switch(struct trunks_change *change);
void trunks_drop(struct trunks_change *change);

/* Calls back once all trunks have been looked up for the first time, or that has taken 5 s: at once
 * where that is so already. When the trunks are destroyed before, `drop` is called instead. 0, or
 * -ENOMEM. */
int trunks_when_ready(
	struct trunks *trunks, void (*ready)(void *arg), void (*drop)(void *arg), void *arg);

/* The living addresses of a trunk in the order to try them (RFC 2782), at most RESOLVE_MAX. */
unsigned trunks_targets(struct trunks *trunks, const struct config_trunk *trunk,
	struct relay_addr out[RESOLVE_MAX]);

/* A call to this address failed for a reason of the way there, which is static text. */
void trunks_report(struct trunks *trunks, const struct config_trunk *trunk,
	const struct relay_addr *address, const char *fault);

/* The trunk at the other end of a connection, by its verified certificate: the one whose tls_name
 * that carries and that may call us; of several, the one with an address like the peer's. NULL:
 * none. */
const struct config_trunk *
trunks_identify(struct trunks *trunks, tport_t *connection, const struct relay_ip *peer);

/* A request with this Via has come: is it a trunk's, by a connection of its own that is verified,
 * and may we use that for ours (RFC 5923)? Then it is kept in mind. */
void trunks_alias(struct trunks *trunks, const struct source *source, const sip_via_t *via);

/* One of those to that address, counted: the caller's to release. NULL: there is none. */
tport_t *trunks_connection(
	struct trunks *trunks, const struct config_trunk *trunk, const struct relay_addr *address);

/* A return other than 0 stops. */
typedef int trunk_cb(void *arg, const struct trunk_state *state);
void trunk_each(struct trunks *trunks, trunk_cb *cb, void *arg);

/* "sips:NAME:PORT;maddr=ADDRESS;transport=tls": the way to one address, so that the stack connects
 * there and expects the name in the certificate. */
#define TRUNK_HOP_SIZE (CONFIG_HOST_MAX + RELAY_ADDR_TEXT + 48)
const char *trunk_next_hop(const struct config_trunk *trunk, const struct relay_addr *address,
	char text[TRUNK_HOP_SIZE]);

#endif
