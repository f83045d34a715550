/* SPDX-License-Identifier: BSD-3-Clause */
/* The SIP agent: the TLS listener, and who gets which request. Event-loop thread alone. */
#ifndef CONTROL_AGENT_H
#define CONTROL_AGENT_H

#include "media.h"
#include "registrar.h"
#include "relay/config.h"

#include <sofia-sip/nta.h>
#include <sofia-sip/nta_tport.h>

#define AGENT_ALLOW                                                                   \
	"INVITE, ACK, CANCEL, BYE, REGISTER, OPTIONS, PRACK, UPDATE, INFO, MESSAGE, " \
	"REFER"
/* Extensions that others may require of us; and in requests of ours, which say 100rel where we mean
 * it. */
#define AGENT_SUPPORTED "100rel, timer, replaces"
#define AGENT_SUPPORTED_REQUEST "timer, replaces"
#define AGENT_USER_SIZE 128 /* bytes of a user's name, with its NUL */

struct auth;
struct b2bua;
struct call_limits;
struct messages;
struct records;
struct trunks;
struct trace;
struct users;

struct agent {
	const struct config *config;
	su_root_t *root;
	su_home_t *home;
	nta_agent_t *nta;
	nta_leg_t *default_leg;
	struct users *users;
	struct auth *auth;
	struct registrar *registrar;
	sip_supported_t *register_supported; /* what a REGISTER may require; on home */
	sip_supported_t *invite_supported;   /* and every other request */
	struct media *media;
	struct b2bua *b2bua;
	struct trunks *trunks;
	struct call_limits *limits;
	struct messages *messages;
	struct records *records; /* NULL: none are written */
	struct trace *trace;     /* NULL: there is none */
	uint64_t started_ms;     /* by a clock that never jumps */
	bool ending;             /* takes nothing new */
	bool draining;           /* takes no new calls, and ends after the last one */
};

/* Where a request came from. */
struct source {
	tport_t *connection; /* counted: source_release() */
	struct relay_addr peer;
	char text[RELAY_ADDR_TEXT]; /* the peer, for logs */
};

/* Opens the listener with the certificate and key of the configuration, and starts to serve.
 * `root` and `config` outlive it. 0, or -errno after a sentence. */
int agent_create(su_root_t *root, const struct config *config, struct users *users,
	struct agent **out, char *error, size_t error_size);

/* A configuration that agent_prepare() has made ready for. */
struct agent_change;

/* Makes ready for this configuration, whose fields that take a restart are as they were; nothing
 * changes yet. 0, or -errno after a sentence. */
int agent_prepare(struct agent *agent, const struct config *config, struct agent_change **out,
	char *error, size_t error_size);
/* Puts it in force, from this request on; it can't fail. Or drops it. Both free the change. */
void agent_switch(struct agent_change *change);
void agent_drop(struct agent_change *change);

/* Once the process has become the user that it is to be, and before it takes requests: takes up the
 * bindings of an earlier process. 0, or -errno after a sentence. */
int agent_start(struct agent *agent, char *error, size_t error_size);

/* No new calls from now on (503), and the event loop ends after the last one; or no longer so. */
void agent_drain(struct agent *agent, bool on);
/* The last call is gone. */
void agent_emptied(struct agent *agent);

/* Refuses new requests, and leaves the calls that are up to the next process, or ends all (BYE to
 * both sides) where that is not wanted or there is no sip.dialogs; agent_is_idle() says when all is
 * done, or the caller loses patience. */
void agent_shutdown(struct agent *agent, bool hand_over);
bool agent_is_idle(const struct agent *agent);
void agent_destroy(struct agent *agent);

/* Answers, and destroys, a request that asks nothing of a call or binding: OPTIONS; and all that we
 * don't do. */
void agent_answer_other(nta_incoming_t *request, const sip_t *sip);

/* Our Contact on a connection, "<sip:...>", at the address that it came in at. On `home`. */
const char *agent_contact(su_home_t *home, const tport_t *connection);

/* One of these as a sips: URI, if it has to be one (RFC 3261 8.1.1.8, 12.1.1; RFC 5630). On
 * `home`. */
const char *agent_contact_secure(su_home_t *home, const char *contact, bool sips);

/* The same, where no connection stands yet: of the listener with that ident (TPTAG_IDENT; NULL: the
 * first). */
const char *agent_contact_at(struct agent *agent, su_home_t *home, const char *ident);

/* Is there such a user in our domain? 0; -ENOENT: no; another -errno: the store can't tell. */
int agent_find_user(struct agent *agent, const char *name);

void source_of(struct agent *agent, nta_incoming_t *request, struct source *out);
void source_release(struct source *source);

#endif
