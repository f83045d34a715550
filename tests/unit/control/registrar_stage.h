/* SPDX-License-Identifier: BSD-3-Clause */
/* A registrar behind a real SIP stack, on loopback by TCP: what a REGISTER says is what the network
 * brings. The user is who the To header names; nobody asks for a password here. */
#ifndef TESTS_REGISTRAR_STAGE_H
#define TESTS_REGISTRAR_STAGE_H

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "control/registrar.h"

#include <stdbool.h>

struct stage {
	su_root_t *root;
	nta_agent_t *nta;
	nta_leg_t *leg;
	struct registrar *registrar;
	struct config_sip config;
	char folder[64];
	char file[96]; /* of the bindings */
	uint16_t port;
	bool met; /* by a request that is no REGISTER */
};

/* One connection. */
struct line {
	int fd;
	unsigned cseq;
	char call_id[16];
	char answer[8192]; /* the last response */
};

int stage_setup(void **state);
int stage_teardown(void **state);

/* Ends the registrar as kill -9 would not (its store is written), and begins another. */
void stage_restart(struct stage *stage);

struct line line_open(struct stage *stage);
/* Closes it, and waits until the registrar has seen that. */
void line_close(struct stage *stage, struct line *line);

/* Sends a REGISTER of `user` with these header lines (each with its CRLF): the status of
 * the response; line->answer has all of it. */
int line_register(struct stage *stage, struct line *line, const char *user, const char *headers);
/* The same with another method, which the registrar only meets. */
void line_meet(struct stage *stage, struct line *line, const char *user, const char *headers);

/* The user part of the contacts in find_all's order, joined: "a b c". In a static buffer. */
const char *stage_order(struct stage *stage, const char *user);

#endif
