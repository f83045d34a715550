/* SPDX-License-Identifier: BSD-3-Clause */
/* A call without SIP, whose relay is a list: what call_media.c asks of the relay is kept, and
 * answered when the test says so. */
#ifndef TESTS_CALL_STAGE_H
#define TESTS_CALL_STAGE_H

#include "control/call.h"

#define STAGE_REQUESTS 64

struct stage_request {
	union {
		struct relay_header header;
		struct relay_create create;
		struct relay_update update;
		struct relay_by_id by_id;
	};
	relay_reply_cb *cb;
	void *arg;
	bool answered;
};

struct stage {
	struct config config;
	struct config_interface interface[2];
	struct config_address address[2];
	enum relay_suite suites[RELAY_SUITE_COUNT];
	struct agent agent;
	struct call call;
	struct stage_request request[STAGE_REQUESTS];
	unsigned requests;
	unsigned answered;
	enum relay_code refuse_next; /* of what `refuse_op` asks; then OK again */
	unsigned refuse_op;
	uint16_t port; /* of the next session's first leg */
	int status;    /* what the last callback was told; -1: none since */
	unsigned streams_recorded;
};

extern struct stage stage;

/* A call between a phone at 192.0.2.7 and one at 198.51.100.4; SRTP required, two suites. */
void stage_open(void);
void stage_close(void);

/* The relay answers all that it was asked. */
void stage_answer_relay(void);

void stage_done(struct call *call, int status);

/* The last request of that op, number `back` from the end; fails if there is none. */
const struct stage_request *stage_last(unsigned op, unsigned back);

/* How many of that op, from request `from` on. */
unsigned stage_count(unsigned op, unsigned from);

/* Take an offer of side, open, offer to the other, its answer, apply, answer, commit: all must go
 * well. Returns what the offerer is answered. */
const char *stage_exchange(unsigned side, const char *offer, const char *answer);

/* Reads what we said, by a policy that takes everything. To be freed. */
struct media_description *stage_read(const char *body);

#endif
