/* SPDX-License-Identifier: BSD-3-Clause */
/* OPTIONS to every address of a trunk (RFC 3261 11): whatever it answers, it lives; but for 503 and
 * for what the stack says itself when nothing came or the connection was lost. */
#include "counters.h"
#include "listener.h"
#include "trunk_private.h"

#include <openssl/rand.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_protos.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_tag.h>
#include <sofia-sip/tport_tag.h>
#include <stdlib.h>
#include <string.h>

static unsigned
index_of(const struct trunk_ping *ping)
{
	unsigned i = 0;

	while (ping->trunk->pings[i] != ping)
		i++;
	return i;
}

static void
failed(struct trunk_ping *ping, const char *fault)
{
	counters_add(COUNTER_TRUNK_PING_FAILED);
	trunk_judge(ping->trunk, index_of(ping), fault, ping->trunk->config->ping_failures);
}

static int
on_response(nta_outgoing_magic_t *magic, nta_outgoing_t *request, const sip_t *sip)
{
	struct trunk_ping *ping = (struct trunk_ping *)magic;
	int status = sip != NULL ? sip->sip_status->st_status : nta_outgoing_status(request);

	if (status < 200)
		return 0;
	nta_outgoing_destroy(ping->request);
	ping->request = NULL;
	if (sip == NULL || status == 408)
		failed(ping, "it could not be reached, or did not answer");
	else if (status == 503)
		failed(ping, "it says 503 to OPTIONS, or could not be reached");
	else
		trunk_judge(ping->trunk, index_of(ping), NULL, 0);
	return 0;
}

static bool
random_text(char text[33])
{
	unsigned char bytes[16];

	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		return false;
	for (unsigned i = 0; i < sizeof(bytes); i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	return true;
}

static void
send_ping(struct trunk_ping *ping)
{
	const struct agent *agent = ping->trunk->trunks->agent;
	const struct config_trunk *config = ping->trunk->config;
	char hop[TRUNK_HOP_SIZE], tag[33], id[33];
	su_home_t home[1] = {SU_HOME_INIT(home)};
	bool v6 = strchr(config->host, ':') != NULL;

	if (!random_text(tag) || !random_text(id))
		return;
	trunk_next_hop(config, &ping->address, hop);
	const char *uri =
		su_sprintf(home, "sip:%s%s%s", v6 ? "[" : "", config->host, v6 ? "]" : "");
	ping->request = nta_outgoing_tcreate(agent->default_leg, on_response,
		(nta_outgoing_magic_t *)ping, (const url_string_t *)hop, SIP_METHOD_OPTIONS,
		(const url_string_t *)uri, NTATAG_TPORT(trunk_alias_of(ping)),
		TPTAG_IDENT(LISTENER_PEERING),
		SIPTAG_FROM_STR(su_sprintf(home, "<sip:%s>;tag=%s", config->from_domain, tag)),
		SIPTAG_TO_STR(su_sprintf(home, "<%s>", uri)), SIPTAG_CALL_ID_STR(id),
		SIPTAG_CSEQ_STR("1 OPTIONS"), SIPTAG_MAX_FORWARDS_STR("70"),
		SIPTAG_ACCEPT_STR("application/sdp"), TAG_END());
	su_home_deinit(home);
	if (ping->request == NULL)
		failed(ping, "no OPTIONS could be sent to it");
}

void
trunk_ping_all(struct trunk *trunk)
{
	for (unsigned i = 0; i < trunk->count; i++) {
		struct trunk_ping *ping = trunk->pings[i];
		if (ping->request != NULL) {
			nta_outgoing_destroy(ping->request);
			ping->request = NULL;
			failed(ping, "it did not answer OPTIONS in time");
		}
		send_ping(ping);
	}
}

void
trunk_ping_free(struct trunk_ping *ping)
{
	nta_outgoing_destroy(ping->request);
	tport_unref(ping->alias);
	free(ping);
}
