/* SPDX-License-Identifier: BSD-3-Clause */
/* What we answer a trunk with that asks who we are (401, 407: RFC 3261 22.2, 22.3), for call_*.c
 * alone. What is made lies on the call's home. Event-loop thread alone. */
#ifndef CONTROL_CALL_DIGEST_H
#define CONTROL_CALL_DIGEST_H

#include "call.h"
#include "digest_client.h"

/* Takes the challenges of a 401 or 407 of `trunk` (NULL: of somebody who is none, and gets no
 * answer) into *digest, which is made where it is NULL. Can the request be sent anew? */
bool call_digest_take(
	struct digest_client **digest, const struct config_trunk *trunk, const sip_t *response);

/* The credentials of a request outside of a dialog. No challenge yet (NULL): none. 0, or -errno. */
int
call_digest_fill(struct digest_client *digest, const struct config_trunk *trunk, su_home_t *home,
	const char *method, const char *uri, const char *body, struct call_credentials *out);

/* The same inside of one; an INVITE's are kept for its ACK (RFC 3261 22.1). */
void call_digest_fill_in(struct call_dialog *dialog, const char *method, const char *body,
	struct call_credentials *out);

/* A response to a request of ours inside a dialog. True: it was a challenge, *request is the same
 * request anew, and the response need not concern anybody. */
bool call_digest_again(struct call_dialog *dialog, nta_outgoing_t **request, const sip_t *response,
	nta_response_f *on_response, nta_outgoing_magic_t *magic);

/* Sees to the end of a request inside a dialog whose response concerns nobody: takes it over. */
void call_digest_leave(struct call_dialog *dialog, nta_outgoing_t *request);
void call_digest_free_all(struct call *call);

#endif
