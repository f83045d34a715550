/* SPDX-License-Identifier: BSD-3-Clause */
/* What sallyport-sip lets strangers and peers cost it, where trunks connect, and the control
 * socket: defaults and checks. */
#include "config_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#define IDLE_MARGIN_S 300 /* beyond the longest registration */

void
config_limits_default(struct config_sip *sip, const struct config_lines *lines)
{
	if (!config_lines_has(lines, "sip.limits.idle_s"))
		sip->limits.idle_s = sip->expires_max_s + IDLE_MARGIN_S;
}

static int
check_peering(const struct config_complaint *to, const struct config_sip *sip)
{
	const struct config_peering *peering = &sip->peering;
	struct relay_ip ip, access;

	if (!config_lines_has(to->lines, "sip.peering"))
		return 0;
	if (peering->address == NULL)
		return config_complain_of(to, "sip.peering.address", "is missing");
	if (relay_ip_parse(peering->address, strlen(peering->address), &ip) != 0)
		return config_complain_of(to, "sip.peering.address",
			"\"%s\" is no numeric IP address", peering->address);
	if (relay_ip_parse(sip->address, strlen(sip->address), &access) == 0 &&
		relay_ip_equal(&ip, &access) && peering->port == sip->port)
		return config_complain_of(to, "sip.peering.port",
			"%u is where phones connect: trunks need a port, or an address, of their "
			"own",
			peering->port);
	if ((peering->certificate == NULL) != (peering->private_key == NULL))
		return config_complain_of(to,
			peering->certificate == NULL ? "sip.peering.certificate"
						     : "sip.peering.private_key",
			"is missing: certificate and private_key belong together");
	if (peering->ca == NULL && sip->ca == NULL)
		return config_complain_of(to, "sip.peering.ca",
			"is missing: without authorities no trunk can be verified");
	return 0;
}

int
config_limits_check(const struct config_complaint *to, struct config_sip *sip)
{
	if (sip->limits.body_size > sip->limits.message_size)
		return config_complain_of(to, "sip.limits.body_size",
			"%u is more than a message may have in all (message_size, %u)",
			sip->limits.body_size, sip->limits.message_size);
	if (strlen(sip->control_socket) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return config_complain_of(to, "sip.control_socket",
			"the path has more than %zu characters",
			sizeof(((struct sockaddr_un *)0)->sun_path) - 1);
	return check_peering(to, sip);
}
