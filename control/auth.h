/* SPDX-License-Identifier: BSD-3-Clause */
/* Who sends a request: digest challenges, their answers, and that the sender speaks for itself
 * alone. Event-loop thread alone. */
#ifndef CONTROL_AUTH_H
#define CONTROL_AUTH_H

#include "agent.h"
#include "users.h"

struct auth;

/* NULL: out of memory, or no randomness. */
struct auth *auth_create(const struct config_sip *config, struct users *users);

/* Goes by these from now on. */
void auth_configure(struct auth *auth, const struct config_sip *config, struct users *users);
void auth_destroy(struct auth *auth);

/* Returns true when the request is genuinely from the user written into `user` (USER_NAME_SIZE),
 * and its From is that user's address of record, or anonymous (RFC 3323 4.1.1.3); a REGISTER's From
 * and To are its own, for nobody registers for others. Else the request has been answered (401 or
 * 407 with a challenge for each algorithm, 400, 403, 500, 503), counted, and failures logged with
 * the source and reason; the caller only destroys it. */
bool auth_request(struct auth *auth, nta_incoming_t *request, const sip_t *sip,
	const struct source *source, char user[USER_NAME_SIZE]);

/* The same for a request in a dialog with the user `expected`, whose From says nothing new. */
bool auth_in_dialog(struct auth *auth, nta_incoming_t *request, const sip_t *sip,
	const struct source *source, const char *expected);

#endif
