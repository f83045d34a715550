/* SPDX-License-Identifier: BSD-3-Clause */
/* What sallyport-sip lets strangers and peers cost it, where trunks connect, and the control
 * socket: defaults and checks. */
#include "config_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#define CONTROL_SOCKET "/run/sallyport-sip/sip.sock"
#define PEERING_PORT 5062
#define IDLE_MARGIN_S 300 /* beyond the longest registration */

static const struct config_number limits[] = {
#define LIMIT(name, value, least, most)                                                       \
	{                                                                                     \
		"sip.limits." #name, offsetof(struct config_limits, name), value, least, most \
	}
	LIMIT(connections, 50000, 1, 1000000),
	LIMIT(connections_per_source, 500, 1, 1000000),
	LIMIT(connects_per_second, 20, 1, 100000),
	LIMIT(requests_per_second, 50, 1, 1000000),
	LIMIT(known_requests_per_second, 1000, 1, 1000000),
	LIMIT(sources, 16384, 16, 1000000),
	LIMIT(handshake_s, 10, 1, 300),
	LIMIT(login_s, 60, 1, 3600),
	LIMIT(message_s, 10, 1, 300),
	LIMIT(write_s, 20, 1, 300),
	LIMIT(idle_s, 0, 1, 1000000), /* by the longest registration */
	LIMIT(queue, 128, 8, 999),
	LIMIT(message_size, 65536, 8192, 1048576),
	LIMIT(body_size, 32768, 512, 1048576),
	LIMIT(headers, 200, 16, 10000),
	LIMIT(load_ms, 100, 10, 10000),
#undef LIMIT
};

int
config_limits_default(struct config_sip *sip, const struct config_lines *lines)
{
	config_numbers_default(&sip->limits, limits, sizeof(limits) / sizeof(limits[0]), lines);
	if (!config_lines_has(lines, "sip.limits.idle_s"))
		sip->limits.idle_s = sip->expires_max_s + IDLE_MARGIN_S;
	if (!config_lines_has(lines, "sip.peering.port"))
		sip->peering.port = PEERING_PORT;
	if (sip->control_socket == NULL)
		sip->control_socket = strdup(CONTROL_SOCKET);
	return sip->control_socket == NULL ? -ENOMEM : 0;
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
	if (config_check_range(to, "sip.peering.port", peering->port, 1, 65535) != 0)
		return -EINVAL;
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
	if (config_numbers_check(to, &sip->limits, limits, sizeof(limits) / sizeof(limits[0])) != 0)
		return -EINVAL;
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
