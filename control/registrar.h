/* SPDX-License-Identifier: BSD-3-Clause */
/* The registrar (RFC 3261 10.3, with Path: RFC 3327, and outbound: RFC 5626): where each of our
 * users can be reached. A binding is tied to the connection that its REGISTER came by, which is the
 * way back to the phone. When that closes, nothing is sent to the phone any more, and answers to
 * REGISTER name the binding no more; but until it expires the phone may come back to it: by another
 * REGISTER, or by any request of its user that names the same instance or contact. Event-loop
 * thread alone. */
#ifndef CONTROL_REGISTRAR_H
#define CONTROL_REGISTRAR_H

#include "relay/addr.h"
#include "relay/config.h"

#include <sofia-sip/nta.h>
#include <sofia-sip/nta_tport.h>
#include <sofia-sip/su_wait.h>
#include <sofia-sip/tport.h>

/* Extensions of SIP that a REGISTER may require. */
#define REGISTRAR_SUPPORTED "path, outbound"

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
/* Goes by this from now on; it outlives it. Bindings that are over a new limit stay. */
void registrar_configure(struct registrar *registrar, const struct config_sip *config);
void registrar_destroy(struct registrar *registrar);

/* Opens the store of bindings (sip.bindings), as the user that the process is to be, before it
 * takes requests; what an earlier process has left there counts again. A store that can't be
 * opened is no error: see bindings.h. 0 or -ENOMEM. */
int registrar_open_store(struct registrar *registrar);

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

/* The binding of the phone that was reached by this connection, which closed, once it has come back
 * by another one; `peer` is where it was. A phone without an instance is known again where it is
 * the only such one from there. 0, or -ENOENT: it has not. The caller holds the connection. */
int registrar_find_again(struct registrar *registrar, const char *user, const tport_t *closed,
	const struct relay_ip *peer, struct binding *out);

/* The binding of this user's phone at the other end of a connection. 0, or -ENOENT: it is not
 * registered by that one. */
int registrar_find_by(struct registrar *registrar, const char *user, const tport_t *connection,
	struct binding *out);

/* The living binding of the phone that named this instance, or (NULL: none) registered this
 * contact; without either, the only one without an instance from `peer`. 0 or -ENOENT. */
int registrar_find_phone(struct registrar *registrar, const char *user, const char *instance,
	const char *contact, const struct relay_ip *peer, struct binding *out);

/* Calls back for every binding of every user, in no order. `connection` is NULL where it closed and
 * the phone has yet to come back. */
void registrar_each(struct registrar *registrar, binding_cb *cb, void *arg);

/* A request of this user came by this connection: if it is from a phone of his whose connection had
 * closed, then that is the way to the phone now. */
void registrar_meet(struct registrar *registrar, const sip_t *sip, const char *user,
	tport_t *connection, const struct relay_ip *peer);

/* How many bindings there are, with those whose phone has yet to come back. */
unsigned registrar_count(const struct registrar *registrar);

#endif
