/* SPDX-License-Identifier: BSD-3-Clause */
/* What we know of each TLS connection, beside what the SIP stack knows. OpenSSL tells when one is
 * made and freed; tls_stack.c what happens on it. Event-loop thread alone. */
#ifndef CONTROL_TLS_CONNECTION_H
#define CONTROL_TLS_CONNECTION_H

#include "counters.h"
#include "relay/addr.h"
#include "tls_context.h"

#include <sofia-sip/tport.h>
#include <stdbool.h>
#include <stdint.h>

struct source_record;

/* Times are milliseconds of CLOCK_MONOTONIC; 0: not so. */
struct tls_connection {
	struct tls_connection *next; /* of all */
	struct tls_connection **prev;
	struct tls_connection *next_bound; /* in its bucket, once it is bound */
	struct tls_connection **prev_bound;
	SSL *ssl;
	const tport_t *transport;     /* the stack's name for it, once bound: never followed */
	struct source_record *source; /* where it is counted; NULL: it is ours */
	struct relay_addr peer;       /* family 0: not known yet */
	enum tls_role role;           /* of its listener */
	bool finished;                /* the handshake */
	bool known;                   /* a user has logged in, or it is a trunk's */
	bool cut;                     /* shut down by us: the stack will notice */
	uint64_t since_ms;
	uint64_t heard_ms;                     /* the last byte */
	uint64_t message_ms;                   /* since when a message is incomplete */
	uint64_t broken_ms;                    /* since when the stack reads no more of it */
	bool blocked;                          /* the last write found no room */
	uint64_t blocked_ms;                   /* when a write last found no room */
	uint64_t behind_ms;                    /* since when the peer does not keep up */
	struct tls_connection *next_gathering; /* while something is gathered: tls_gather.c's */
	struct tls_connection **prev_gathering;
	uint8_t *gathered; /* written, and not sent yet; NULL: nothing */
	uint32_t gathered_size;
	unsigned keepalive;     /* bytes of CR and LF between messages */
	uint32_t message_bytes; /* of an incomplete message */
	/* of ours alone, for tls_session.c: */
	uint64_t place;       /* the serial of where it goes */
	bool offered;         /* a session */
	uint64_t verified_ms; /* when the peer showed its certificate, here or where it began */
	const void *session;  /* the last that was kept: never followed */
};

/* Once, before the first connection. 0, or -ENOMEM. */
int tls_connection_start(void);

uint64_t tls_connection_now_ms(void);

/* NULL: not one of the stack's. */
struct tls_connection *tls_connection_of(const SSL *ssl);

/* Joins the connection with its peer's address, as soon as it has one. */
void tls_connection_join(struct tls_connection *connection);

/* The one whose bytes are being read, and the request in hand came by. */
void tls_connection_set_current(struct tls_connection *connection);
struct tls_connection *tls_connection_current(void);

/* From now on tls_connection_find() knows it by the stack's name. For the connection that a request
 * in hand came by; `peer` is where the stack says that it is from. NULL: it can't be told. */
struct tls_connection *tls_connection_bind(const tport_t *transport, const struct relay_addr *peer);
struct tls_connection *tls_connection_find(const tport_t *transport);

/* Shuts it down, saying why, and counts it: the stack sees the end of the stream, and closes. */
void tls_connection_cut(struct tls_connection *connection, enum counter counter, const char *why);

/* Calls back for each. None may be made or freed by the callback; cut they may be. */
typedef void tls_connection_each_cb(struct tls_connection *connection, void *arg);
void tls_connection_each(tls_connection_each_cb *each, void *arg);

/* How many others have with us at the moment. */
unsigned tls_connection_count(void);

#endif
