/* SPDX-License-Identifier: BSD-3-Clause */
#include "agent.h"

#include "admission.h"
#include "auth.h"
#include "b2bua.h"
#include "bindings.h"
#include "call_limits.h"
#include "counters.h"
#include "listener.h"
#include "message.h"
#include "records.h"
#include "relay/log.h"
#include "tls_connection.h"
#include "tls_guard.h"
#include "tls_peer.h"
#include "trace.h"
#include "trunk.h"
#include "users.h"

#include <errno.h>
#include <netinet/in.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_tag.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NO_LISTENER_YET ((url_string_t *)-1) /* as nta_agent_create() has it */

static void
read_address(const su_sockaddr_t *from, struct relay_addr *out)
{
	memset(out, 0, sizeof(*out));
	if (from->su_family == AF_INET) {
		out->ip.family = 4;
		memcpy(out->ip.ip, &from->su_sin.sin_addr, 4);
	} else if (from->su_family == AF_INET6) {
		out->ip.family = 6;
		memcpy(out->ip.ip, &from->su_sin6.sin6_addr, 16);
	}
	out->port = ntohs(from->su_port);
}

void
source_of(struct agent *agent, nta_incoming_t *request, struct source *out)
{
	msg_t *message = nta_incoming_getrequest(request);

	memset(out, 0, sizeof(*out));
	read_address(msg_addr(message), &out->peer);
	relay_addr_format(&out->peer, out->text);
	out->connection = nta_incoming_transport(agent->nta, request, message);
	if (out->connection != NULL)
		tls_connection_bind(out->connection, &out->peer);
	msg_destroy(message);
}

void
source_release(struct source *source)
{
	tport_unref(source->connection);
	source->connection = NULL;
}

const char *
agent_contact(su_home_t *home, const tport_t *connection)
{
	const tp_name_t *name = tport_name(tport_parent(connection));
	bool v6 = strchr(name->tpn_host, ':') != NULL && name->tpn_host[0] != '[';

	return su_sprintf(home, "<sip:%s%s%s:%s;transport=tls>", v6 ? "[" : "", name->tpn_host,
		v6 ? "]" : "", name->tpn_port);
}

const char *
agent_contact_secure(su_home_t *home, const char *contact, bool sips)
{
	const char *host = contact + strlen("<sip:");

	return sips ? su_sprintf(home, "<sips:%.*s>", (int)strcspn(host, ";>"), host) : contact;
}

const char *
agent_contact_at(struct agent *agent, su_home_t *home, const char *ident)
{
	tport_t *first = tport_primaries(nta_agent_tports(agent->nta)), *at = first;

	while (at != NULL && ident != NULL &&
		(tport_name(at)->tpn_ident == NULL ||
			strcmp(tport_name(at)->tpn_ident, ident) != 0))
		at = tport_next(at);
	return agent_contact(home, at != NULL ? at : first);
}

int
agent_find_user(struct agent *agent, const char *name)
{
	struct user user;
	int result = users_find(agent->users, name, agent->config->sip.domain, &user);

	user_wipe(&user);
	return result;
}

void
agent_answer_other(nta_incoming_t *request, const sip_t *sip)
{
	switch (sip->sip_request->rq_method) {
	case sip_method_options:
		nta_incoming_treply(request, SIP_200_OK, SIPTAG_ALLOW_STR(AGENT_ALLOW),
			SIPTAG_SUPPORTED_STR(AGENT_SUPPORTED), SIPTAG_ACCEPT_STR("application/sdp"),
			TAG_END());
		break;
	case sip_method_ack:
		break;
	case sip_method_unknown:
		nta_incoming_treply(
			request, SIP_501_NOT_IMPLEMENTED, SIPTAG_ALLOW_STR(AGENT_ALLOW), TAG_END());
		break;
	default:
		nta_incoming_treply(request, SIP_405_METHOD_NOT_ALLOWED,
			SIPTAG_ALLOW_STR(AGENT_ALLOW), TAG_END());
		break;
	}
	nta_incoming_destroy(request);
}

/* Is it our domain, or an address of ours? */
static bool
is_our_host(const struct agent *agent, const tport_t *connection, const char *host)
{
	const tp_name_t *name = tport_name(tport_parent(connection));

	return host != NULL && (strcasecmp(host, agent->config->sip.domain) == 0 ||
				       strcasecmp(host, name->tpn_host) == 0 ||
				       strcasecmp(host, name->tpn_canon) == 0);
}

/* OPTIONS outside of a call: answered for our domain as a whole (RFC 3261 11), so that nobody
 * learns which users there are. */
static void
answer_options(struct agent *agent, nta_incoming_t *request, const sip_t *sip)
{
	struct source source;

	source_of(agent, request, &source);
	if (source.connection != NULL &&
		!is_our_host(agent, source.connection, sip->sip_request->rq_url->url_host)) {
		nta_incoming_treply(request, SIP_404_NOT_FOUND, TAG_END());
		nta_incoming_destroy(request);
	} else if (nta_check_required(request, sip, agent->invite_supported, TAG_END()) != 0) {
		nta_incoming_destroy(request); /* RFC 3261 8.2.2.3: 420 */
	} else {
		agent_answer_other(request, sip);
	}
	source_release(&source);
}

/* RFC 3261 8.2.2.1 */
static bool
is_known_scheme(const url_t *url)
{
	return url->url_type == url_sip || url->url_type == url_sips || url->url_type == url_tel;
}

/* May we take this on at all? If not, it has been answered. */
static bool
accept_request(struct agent *agent, nta_incoming_t *request, const sip_t *sip)
{
	sip_accept_t accept[1];

	if (agent->ending) {
		nta_incoming_treply(request, SIP_503_SERVICE_UNAVAILABLE,
			SIPTAG_RETRY_AFTER_STR("5"), TAG_END());
		return false;
	}
	/* RFC 3261 8.2.2.3 */
	sip_supported_t *supported = sip->sip_request->rq_method == sip_method_register
	                                     ? agent->register_supported
	                                     : agent->invite_supported;
	if (nta_check_required(request, sip, supported, TAG_END()) != 0)
		return false;
	if (sip->sip_request->rq_method != sip_method_invite)
		return true;
	sip_accept_init(accept);
	accept->ac_type = "application/sdp";
	accept->ac_subtype = "sdp";
	return nta_check_session_content(request, sip, accept, TAG_END()) == 0;
}

/* Who asks by the listener for trunks has shown a certificate that we trust: a trunk's? Nobody logs
 * in there, or registers. If not, it has been answered. */
static bool
prove_trunk(struct agent *agent, nta_incoming_t *request, const sip_t *sip,
	const struct source *source, struct party *from)
{
	const struct config_trunk *trunk =
		trunks_identify(agent->trunks, source->connection, &source->peer.ip);

	if (trunk != NULL && sip->sip_request->rq_method != sip_method_register) {
		party_set_trunk(from, trunk);
		return true;
	}
	if (trunk == NULL) {
		counters_add(COUNTER_TRUNK_STRANGER);
		log_stranger(LOG_LEVEL_INFO, LOG_ABOUT({LOG_PEER, source->text}),
			"%s from %s is refused: its certificate is of no trunk that may "
			"call",
			sip->sip_request->rq_method_name, source->text);
	}
	nta_incoming_treply(request, SIP_403_FORBIDDEN, TAG_END());
	return false;
}

/* Who is the request from? False: it has been answered. */
static bool
prove(struct agent *agent, nta_incoming_t *request, const sip_t *sip, const struct source *source,
	struct party *from)
{
	char user[USER_NAME_SIZE];

	if (source->connection == NULL)
		return false;
	if (tls_peer_is_peering(source->connection))
		return prove_trunk(agent, request, sip, source, from);
	if (!auth_request(agent->auth, request, sip, source, user))
		return false;
	party_set_user(from, user);
	return true;
}

/* A request of a user or trunk, once it has proved to be one. Returns whether it was taken over. */
static bool
serve(struct agent *agent, nta_incoming_t *request, const sip_t *sip)
{
	struct source source;
	struct party from;
	bool taken = false;

	source_of(agent, request, &source);
	if (!prove(agent, request, sip, &source, &from)) {
		source_release(&source);
		return false;
	}
	tls_guard_trust(source.connection);
	if (!accept_request(agent, request, sip)) {
		/* it has been answered */
	} else if (sip->sip_request->rq_method == sip_method_register) {
		registrar_handle(agent->registrar, request, sip, from.name, source.connection,
			&source.peer.ip);
	} else {
		if (from.kind == PARTY_USER)
			registrar_meet(agent->registrar, sip, from.name, source.connection,
				&source.peer.ip);
		if (sip->sip_request->rq_method == sip_method_message)
			message_handle(agent->messages, request, sip, &from);
		else
			b2bua_invite(agent->b2bua, request, sip, &from, &source);
		taken = true;
	}
	source_release(&source);
	return taken;
}

/* May this be looked at at all? If not, it has been answered and destroyed. */
static bool
admit(struct agent *agent, nta_incoming_t *request, const sip_t *sip)
{
	struct source source;

	source_of(agent, request, &source);
	bool admitted = admission_admit(agent, request, sip, &source);
	if (admitted)
		trunks_alias(agent->trunks, &source, sip->sip_via);
	source_release(&source);
	return admitted;
}

/* Every request that belongs to no dialog of ours. */
static int
on_request(nta_leg_magic_t *magic, nta_leg_t *leg, nta_incoming_t *request, const sip_t *sip)
{
	struct agent *agent = (struct agent *)magic;

	if (!admit(agent, request, sip))
		return 0;
	if (!is_known_scheme(sip->sip_request->rq_url)) {
		nta_incoming_treply(request, SIP_416_UNSUPPORTED_URI, TAG_END());
		nta_incoming_destroy(request);
		return 0;
	}
	switch (sip->sip_request->rq_method) {
	case sip_method_register:
	case sip_method_invite:
	case sip_method_message:
		/* with a To tag it is of a dialog that we do not know: RFC 3261 12.2.2 */
		if (sip->sip_to->a_tag != NULL)
			nta_incoming_treply(request, 481, NULL, TAG_END());
		else if (serve(agent, request, sip))
			return 0;
		break;
	case sip_method_bye:
	case sip_method_cancel:
		nta_incoming_treply(request, 481, NULL, TAG_END());
		break;
	case sip_method_options:
		answer_options(agent, request, sip);
		return 0;
	case sip_method_prack:
	case sip_method_update:
	case sip_method_info:
	case sip_method_refer:
		/* these are for calls: either of one that we don't know, or of none */
		nta_incoming_treply(
			request, sip->sip_to->a_tag != NULL ? 481 : 403, NULL, TAG_END());
		break;
	default:
		agent_answer_other(request, sip);
		return 0;
	}
	nta_incoming_destroy(request);
	return 0;
}

static int
open_listener(struct agent *agent, char *error, size_t error_size)
{
	/* tls_stack.c ends what is too large before the stack does, which counts in larger steps */
	agent->nta = nta_agent_create(agent->root, NO_LISTENER_YET, NULL, NULL,
		NTATAG_MAXSIZE(2 * agent->config->sip.limits.message_size), NTATAG_UA(1),
		NTATAG_TLS_RPORT(1), NTATAG_CANCEL_2543(0), NTATAG_CANCEL_487(0),
		NTATAG_USE_NAPTR(0), NTATAG_USE_SRV(0), TAG_END());
	if (agent->nta == NULL)
		return -ENOMEM;
	agent->default_leg = nta_leg_tcreate(
		agent->nta, on_request, (nta_leg_magic_t *)agent, NTATAG_NO_DIALOG(1), TAG_END());
	if (agent->default_leg == NULL)
		return -ENOMEM;
	return listener_open(agent->nta, &agent->config->sip, error, error_size);
}

static void
on_relay_lost(void *arg)
{
	struct agent *agent = arg;

	b2bua_relay_lost(agent->b2bua);
}

static void
on_relay_found(void *arg)
{
	struct agent *agent = arg;

	if (agent->media != NULL) /* else it is there from the start, and there is no call yet */
		b2bua_relay_found(agent->b2bua);
}

static void
on_relay_event(void *arg, const struct relay_event *event)
{
	struct agent *agent = arg;

	b2bua_relay_event(agent->b2bua, event);
}

int
agent_create(su_root_t *root, const struct config *config, struct users *users, struct agent **out,
	char *error, size_t error_size)
{
	struct agent *agent = calloc(1, sizeof(*agent));
	struct media_callbacks callbacks = {on_relay_lost, on_relay_found, on_relay_event, agent};
	int result = -ENOMEM;

	snprintf(error, error_size, "out of memory");
	if (agent == NULL)
		return result;
	agent->config = config;
	agent->root = root;
	agent->users = users;
	agent->home = su_home_new(sizeof(su_home_t));
	if (agent->home != NULL) {
		agent->register_supported = sip_supported_make(agent->home, REGISTRAR_SUPPORTED);
		agent->invite_supported = sip_supported_make(agent->home, AGENT_SUPPORTED);
	}
	agent->auth = auth_create(&config->sip, users);
	agent->registrar = registrar_create(root, &config->sip);
	if (config->sip.dialogs.store != NULL)
		bindings_make_folder(config->sip.dialogs.store, config->sip.user);
	agent->b2bua = b2bua_create(agent);
	agent->limits = call_limits_create(&config->sip);
	agent->messages = messages_create(agent);
	if (agent->messages == NULL || agent->limits == NULL || agent->register_supported == NULL ||
		agent->invite_supported == NULL || agent->auth == NULL ||
		agent->registrar == NULL || agent->b2bua == NULL)
		goto fail;
	result = open_listener(agent, error, error_size);
	if (result != 0)
		goto fail;
	result = -ENOMEM;
	agent->media = media_create(root, config->media.socket, &callbacks);
	if (agent->media == NULL || trunks_create(agent, &agent->trunks) != 0)
		goto fail;
	*out = agent;
	return 0;

fail:
	agent_destroy(agent);
	return result;
}

int
agent_start(struct agent *agent, char *error, size_t error_size)
{
	snprintf(error, error_size, "out of memory");
	int result = registrar_open_store(agent->registrar);
	if (result == 0)
		result = b2bua_restore(agent->b2bua);
	records_settle(agent->records);
	return result;
}

void
agent_drain(struct agent *agent, bool on)
{
	if (on != agent->draining)
		log_info(on ? "draining: no new calls, %u go on"
			    : "no longer draining: new calls are taken, beside %u",
			b2bua_count(agent->b2bua));
	agent->draining = on;
	if (b2bua_count(agent->b2bua) == 0)
		agent_emptied(agent);
}

void
agent_emptied(struct agent *agent)
{
	if (!agent->draining || agent->ending)
		return;
	log_info("drained: the last call has ended");
	su_root_break(agent->root);
}

void
agent_shutdown(struct agent *agent, bool hand_over)
{
	agent->ending = true;
	if (hand_over)
		b2bua_hand_over(agent->b2bua, "sallyport-sip is ending");
	else
		b2bua_end_all(agent->b2bua, "sallyport-sip is ending");
}

bool
agent_is_idle(const struct agent *agent)
{
	return b2bua_is_idle(agent->b2bua);
}

void
agent_destroy(struct agent *agent)
{
	if (agent == NULL)
		return;
	b2bua_leave(agent->b2bua);
	media_destroy(agent->media);
	trunks_destroy(agent->trunks);
	messages_destroy(agent->messages);
	b2bua_destroy(agent->b2bua);
	call_limits_destroy(agent->limits);
	records_close(agent->records);
	registrar_destroy(agent->registrar);
	if (agent->default_leg != NULL)
		nta_leg_destroy(agent->default_leg);
	nta_agent_destroy(agent->nta);
	trace_close(agent->trace);
	auth_destroy(agent->auth);
	su_home_unref(agent->home);
	free(agent);
}
