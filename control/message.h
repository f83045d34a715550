/* SPDX-License-Identifier: BSD-3-Clause */
/* MESSAGE outside of dialogs (RFC 3428): from one of our users or a trunk to all phones of a user
 * at once, or to a trunk by the dial plan. Nothing is stored: who is away gets no message, and its
 * sender hears so. Event-loop thread alone. */
#ifndef CONTROL_MESSAGE_H
#define CONTROL_MESSAGE_H

#include "agent.h"
#include "party.h"

struct messages;

/* NULL: out of memory. */
struct messages *messages_create(struct agent *agent);
void messages_destroy(struct messages *messages);

/* Takes over a MESSAGE outside of any dialog, whose sender is known to be `from`. */
void message_handle(struct messages *messages, nta_incoming_t *request, const sip_t *sip,
	const struct party *from);

#endif
