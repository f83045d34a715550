/* SPDX-License-Identifier: BSD-3-Clause */
/* The registrar (RFC 3261 10.3): where each of our users can be reached. A binding is tied to the
 * connection that its REGISTER came by, which is the way back to the phone (the idea of RFC 5626):
 * when the connection closes, the binding is gone. Event-loop thread alone. */
#ifndef CONTROL_REGISTRAR_H
#define CONTROL_REGISTRAR_H

#include "relay/addr.h"
#include "relay/config.h"

#include <sofia-sip/nta.h>
#include <sofia-sip/nta_tport.h>
#include <sofia-sip/su_wait.h>
#include <sofia-sip/tport.h>

struct registrar;

/* A living binding, as its callbacks and registrar_find() see it: valid until the loop goes on. */
struct binding {
	const char *user;
	const char *contact;  /* the URI that the phone wants requests at */
	tport_t *connection;  /* the way there (RFC 5626 calls it a flow) */
	struct relay_ip peer; /* the phone's address on that connection */
	const char *path;     /* the Route of a request to it, RFC 3327; NULL: none */
	const char *instance; /* the phone's +sip.instance, without quotes; NULL: it named none */
	uint32_t reg_id;      /* RFC 5626; 0: none */
	unsigned q;           /* in thousandths, 0 to 1000; 1000 where it named none */
	uint32_t expires_s;   /* what is left of its life */
};

/* A return other than 0 stops. The registrar must not be changed in it. */
typedef int binding_cb(void *arg, const struct binding *binding);

struct registrar *registrar_create(su_root_t *root, const struct config_sip *config);
void registrar_destroy(struct registrar *registrar);

/* Answers a REGISTER whose sender has been authenticated as `user`, and who owns the address of
 * record that is registered. `peer` and `connection` are where it came from. */
void registrar_handle(struct registrar *registrar, nta_incoming_t *request, const sip_t *sip,
	const char *user, tport_t *connection, const struct relay_ip *peer);

/* Calls back for where a request to this user goes: every phone once, the highest q first, among
 * equals the newest. Of several flows of one phone (RFC 5626: the same instance) it is the newest
 * alone. Returns how often it called back. */
unsigned
registrar_find_all(struct registrar *registrar, const char *user, binding_cb *cb, void *arg);

/* The first of those. 0, or -ENOENT: none. */
int registrar_find(struct registrar *registrar, const char *user, struct binding *out);

/* Calls back for every living binding of every user, in no order. */
void registrar_each(struct registrar *registrar, binding_cb *cb, void *arg);

/* How many bindings there are. */
unsigned registrar_count(const struct registrar *registrar);

#endif
