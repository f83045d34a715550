/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether a connection is accepted, and whether a request outside of any dialog is looked at: caps
 * and token buckets for each source (sources.h), and how much there is to do (load.h). Requests
 * inside dialogs are never asked about. Event-loop thread alone. */
#ifndef CONTROL_ADMISSION_H
#define CONTROL_ADMISSION_H

#include "relay/config.h"

#include <sofia-sip/nta.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/su_wait.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct agent;
struct source;
struct source_record;

/* Once, before the first connection; stopped after the last. `limits` outlives it. 0, or -errno. */
int admission_start(su_root_t *root, const struct config_limits *limits);

/* Goes by these from now on, and for as long as they live. */
void admission_configure(const struct config_limits *limits);
void admission_stop(void);

enum admission {
	ADMISSION_ACCEPT,
	ADMISSION_BUSY, /* 503 with Retry-After */
	ADMISSION_DROP, /* no answer: the source is far beyond its share, its connection is cut */
};

/* `proving`: the request has credentials. Counts each refusal by its name. For ADMISSION_BUSY,
 * *retry_after_s is set. */
enum admission admission_check(struct agent *agent, const struct source *source,
	sip_method_t method, bool proving, unsigned *retry_after_s);

/* The same, and the request is answered and destroyed unless it is accepted: returns whether. */
bool admission_admit(struct agent *agent, nta_incoming_t *request, const sip_t *sip,
	const struct source *source);

/* How late our work is at the moment, smoothed, and the share that is refused, 0 to 2 (load.h). */
void admission_load(double *late_ms, double *refused);
uint32_t admission_sources(void);

/* For tls_stack.c and tls_connection.c alone: may this connection, which the system has accepted,
 * be ours? If so, its source is charged with it as soon as the stack has made it one. */
bool admission_accept(const struct sockaddr *from);
struct source_record *admission_take_accepted(struct relay_addr *peer);
void admission_disconnected(struct source_record *source);

/* There is no descriptor for the connection that waits at this listener: it is closed, so that the
 * system does not tell of it again and again. */
void admission_out_of_descriptors(int listener);

#endif
