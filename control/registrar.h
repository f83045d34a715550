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

/* A binding, as a caller of registrar_find() sees it: valid until the event loop goes on. */
struct binding {
	const char *contact; /* the URI that the phone wants requests at */
	tport_t *connection;
	struct relay_ip peer; /* the phone's address on that connection */
};

struct registrar *registrar_create(su_root_t *root, const struct config_sip *config);
void registrar_destroy(struct registrar *registrar);

/* Answers a REGISTER whose sender has been authenticated as `user`, and who owns the address of
 * record that is registered. `peer` and `connection` are where it came from. */
void registrar_handle(struct registrar *registrar, nta_incoming_t *request, const sip_t *sip,
	const char *user, tport_t *connection, const struct relay_ip *peer);

/* The newest living binding of a user. 0, or -ENOENT: none. */
int registrar_find(struct registrar *registrar, const char *user, struct binding *out);

/* How many bindings there are. */
unsigned registrar_count(const struct registrar *registrar);

#endif
