/* SPDX-License-Identifier: BSD-3-Clause */
/* RFC 5923: a trunk that has connected to us, and says "alias" in its Via, lets us use that
 * connection for requests to the address that it has in mind there: its own, and the port of the
 * Via. We do, where that is an address of this very trunk, whose certificate has been verified:
 * so it can be called where we can't connect to it. */
#include "tls_peer.h"
#include "trunk_private.h"

#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/tport.h>
#include <stdlib.h>

#define SIPS_PORT 5061 /* RFC 3261 18.2.2: of a Via without one */

static void
take(struct trunk_ping *ping, tport_t *connection)
{
	if (ping->alias == connection)
		return;
	tport_unref(ping->alias);
	ping->alias = tport_ref(connection);
}

void
trunks_alias(struct trunks *trunks, const struct source *source, const sip_via_t *via)
{
	struct relay_addr address = {.ip = source->peer.ip};

	if (source->connection == NULL || via == NULL || !tls_peer_is_peering(source->connection) ||
		msg_header_find_param(via->v_common, "alias") == NULL)
		return;
	const struct config_trunk *config =
		trunks_identify(trunks, source->connection, &source->peer.ip);
	struct trunk *trunk = config != NULL ? trunk_find(trunks, config) : NULL;
	if (trunk == NULL)
		return;
	address.port = via->v_port != NULL ? (uint16_t)atoi(via->v_port) : SIPS_PORT;
	for (unsigned i = 0; i < trunk->count; i++)
		if (relay_addr_equal(&trunk->targets[i].at.address, &address))
			take(trunk->pings[i], source->connection);
}

tport_t *
trunk_alias_of(struct trunk_ping *ping)
{
	if (ping->alias != NULL && (tport_is_closed(ping->alias) || tport_is_shutdown(ping->alias)))
		take(ping, NULL);
	return ping->alias;
}

tport_t *
trunks_connection(
	struct trunks *trunks, const struct config_trunk *config, const struct relay_addr *address)
{
	struct trunk *trunk = trunk_find(trunks, config);

	for (unsigned i = 0; trunk != NULL && i < trunk->count; i++)
		if (relay_addr_equal(&trunk->targets[i].at.address, address))
			return tport_ref(trunk_alias_of(trunk->pings[i]));
	return NULL;
}
