/* SPDX-License-Identifier: BSD-3-Clause */
/* From a trunk's name to its addresses, by RFC 3263 for TLS: NAPTR (SIPS+D2T), SRV (_sips._tcp), A
 * and AAAA; without waiting. Event-loop thread alone. */
#ifndef CONTROL_RESOLVE_H
#define CONTROL_RESOLVE_H

#include "relay/addr.h"

#include <sofia-sip/su_wait.h>

struct sres_resolver_s;

#define RESOLVE_MAX 16 /* addresses of one name; more are left out */

/* Which addresses are of use to us. */
#define RESOLVE_IPV4 1u
#define RESOLVE_IPV6 2u

struct resolved {
	struct relay_addr address;
	uint16_t priority; /* of its SRV record, RFC 2782; 0 without */
	uint16_t weight;
};

struct resolve;

/* The list is valid during the call; `count` 0: there is none, and `fault` says why. `ttl_s` is the
 * time for which the DNS lets us believe it. The resolve has been freed. */
typedef void resolve_done_cb(
	void *arg, const struct resolved *list, unsigned count, uint32_t ttl_s, const char *fault);

/* Looks `host` up: with a port, its addresses alone; with port 0 by NAPTR and SRV first, and at
 * port 5061 where there are none. A numeric host is called back for at once, before the return,
 * and *out is NULL. 0, or -ENOMEM. */
int resolve_start(struct sres_resolver_s *resolver, const char *host, uint16_t port,
	unsigned families, resolve_done_cb *done, void *arg, struct resolve **out);

/* Forgets it; nothing is called back. NULL is fine. */
void resolve_cancel(struct resolve *resolve);

#endif
