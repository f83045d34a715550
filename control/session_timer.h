/* SPDX-License-Identifier: BSD-3-Clause */
/* Session timers (RFC 4028): what two user agents agree on. Each leg of a call has its own. No
 * state, any thread. */
#ifndef CONTROL_SESSION_TIMER_H
#define CONTROL_SESSION_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#define SESSION_TIMER_LEAST 90 /* seconds, RFC 4028 4: no Min-SE is less */

enum session_refresher {
	REFRESHER_NONE, /* not said */
	REFRESHER_UAC,  /* who sent the request that this is about */
	REFRESHER_UAS,
};

/* What a request or a 2xx says. */
struct session_said {
	bool supported;     /* "timer" in Supported or Require */
	uint32_t expires_s; /* Session-Expires; 0: none */
	uint32_t min_s;     /* Min-SE; 0: none */
	enum session_refresher refresher;
};

/* What holds from now on. */
struct session_terms {
	uint32_t interval_s; /* 0: the session has no timer */
	enum session_refresher refresher;
};

/* We answer this request, and would have `wanted_s` (0: no timer of our own accord) but never less
 * than least_s (RFC 4028 9). 0; or 422, to be sent with Min-SE: least_s. */
int session_timer_answer(const struct session_said *request, uint32_t wanted_s, uint32_t least_s,
	struct session_terms *out);

/* We sent the request, and this is what its 2xx says (RFC 4028 7.2). */
void session_timer_agreed(const struct session_said *response, struct session_terms *out);

/* Seconds after the last refresh: when the refresher refreshes (7.2), and when the other one
 * gives the session up (10). */
uint32_t session_timer_refresh_s(uint32_t interval_s);
uint32_t session_timer_end_s(uint32_t interval_s);

#endif
