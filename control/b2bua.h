/* SPDX-License-Identifier: BSD-3-Clause */
/* The back-to-back user agent: calls between our users, their media anchored at the relay.
 * Event-loop thread alone. */
#ifndef CONTROL_B2BUA_H
#define CONTROL_B2BUA_H

#include "agent.h"
#include "party.h"

struct b2bua;

struct b2bua *b2bua_create(struct agent *agent);
void b2bua_destroy(struct b2bua *b2bua); /* after b2bua_end_all() and its replies, or without */

/* Takes over an INVITE outside of any dialog, whose sender has proved to be `from`. */
void b2bua_invite(struct b2bua *b2bua, nta_incoming_t *request, const sip_t *sip,
	const struct party *from, const struct source *source);

/* call_keep.c: the relay went away, and all its sessions with it: calls wait for it, for a while.
 * It is there again, and takes up those that wait. */
void b2bua_relay_lost(struct b2bua *b2bua);
void b2bua_relay_found(struct b2bua *b2bua);

/* A session of the relay's changed by itself. */
void b2bua_relay_event(struct b2bua *b2bua, const struct relay_event *event);

/* Ends every call, saying `why` in the log. */
void b2bua_end_all(struct b2bua *b2bua, const char *why);

/* call_resume.c: takes up the calls that an earlier life of this process left (sip.dialogs), and
 * keeps those of this one for the next. Once, as the user that the process is to be, before it
 * takes requests. 0 or -ENOMEM. */
int b2bua_restore(struct b2bua *b2bua);

/* This process ends, and its calls don't: those that are not up yet are ended, as all are where
 * there is no sip.dialogs. Then, once b2bua_is_idle() or patience is over: b2bua_leave(), and the
 * rest is the next one's. */
void b2bua_hand_over(struct b2bua *b2bua, const char *why);
bool b2bua_is_idle(const struct b2bua *b2bua);
void b2bua_leave(struct b2bua *b2bua);

/* Calls that are up, being set up, or being taken down. */
unsigned b2bua_count(const struct b2bua *b2bua);

#endif
