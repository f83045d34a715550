/* SPDX-License-Identifier: BSD-3-Clause */
#include "listener.h"

#include "tls_context.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sofia-sip/nta_tport.h>
#include <sofia-sip/tport.h>
#include <sofia-sip/tport_tag.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A connection without traffic, and with neither a binding nor a call nor a transaction: that of a
 * registered phone stays open as long as the binding. */
#define IDLE_MS 60000
#define TRUNK_IDLE_MS 600000
#define BACKLOG 900 /* connections that wait to be accepted; the stack's most is 999 */

/* Where the stack looks for files of its own; contexts get theirs from tls_context.c. */
#define NO_FILES "/nonexistent"

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

struct listener {
	enum tls_role role;
	const char *field; /* for messages */
	const char *address;
	uint16_t port;
	const struct config_limits *limits;
	nta_agent_t *nta;
	unsigned count; /* that are open */
};

static socklen_t
read_address(const struct listener *listener, union address *out)
{
	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, listener->address, &out->v4.sin_addr) == 1) {
		out->v4.sin_family = AF_INET;
		out->v4.sin_port = htons(listener->port);
		return sizeof(out->v4);
	}
	if (inet_pton(AF_INET6, listener->address, &out->v6.sin6_addr) == 1) {
		out->v6.sin6_family = AF_INET6;
		out->v6.sin6_port = htons(listener->port);
	}
	return sizeof(out->v6);
}

/* The stack only says that it can't bind; so we ask the kernel first, to say why. */
static int
check_bind(const struct listener *listener, const union address *address, socklen_t length,
	char *error, size_t error_size)
{
	int on = 1, result = 0;
	int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd < 0 || bind(fd, &address->any, length) != 0 || listen(fd, 1) != 0)
		result = -errno;
	if (fd >= 0)
		close(fd);
	if (result != 0)
		snprintf(error, error_size, "%s: %s port %u can't be listened on: %s%s",
			listener->field, listener->address, listener->port, strerror(-result),
			result == -EADDRINUSE      ? ": another program has it"
			: result == -EADDRNOTAVAIL ? ": no interface has this address; is "
						     "sallyport-media running, which brings it?"
						   : "");
	return result;
}

/* The listener that the stack made last. */
static tport_t *
last_of(nta_agent_t *nta)
{
	tport_t *last = NULL;

	for (tport_t *at = tport_primaries(nta_agent_tports(nta)); at != NULL; at = tport_next(at))
		last = at;
	return last;
}

/* `TPTAG_IDENT` is the listener's name in the stack: by it, CANCEL and ACK of a refusal find the
 * listener that the connection belongs to. */
static int
add(struct listener *listener, const char *host)
{
	char url[INET6_ADDRSTRLEN + 48], ident[INET6_ADDRSTRLEN + 16];
	bool v6 = strchr(host, ':') != NULL, trunks = listener->role == TLS_PEERING;

	snprintf(url, sizeof(url), "sips:%s%s%s:%u;transport=tls", v6 ? "[" : "", host,
		v6 ? "]" : "", listener->port);
	if (trunks && listener->count == 0)
		snprintf(ident, sizeof(ident), "%s", LISTENER_PEERING);
	else
		snprintf(ident, sizeof(ident), "%s%s", trunks ? LISTENER_PEERING "-" : "", host);
	if (nta_agent_add_tport(listener->nta, URL_STRING_MAKE(url), TPTAG_IDENT(ident),
		    TPTAG_CERTIFICATE(NO_FILES), TPTAG_TLS_VERIFY_POLICY(TPTLS_VERIFY_NONE),
		    TPTAG_IDLE(trunks ? TRUNK_IDLE_MS : IDLE_MS), TPTAG_QUEUESIZE(BACKLOG),
		    TAG_END()) != 0)
		return -EINVAL;
	listener->count++;
	/* the same number is how many connections wait here, and how many messages for a peer */
	tport_set_params(
		last_of(listener->nta), TPTAG_QUEUESIZE(listener->limits->queue), TAG_END());
	return tls_context_adopt(listener->role);
}

/* Each listener has to know its own address, for Via and Contact: so none listens on all. */
static int
add_all(struct listener *listener, int family)
{
	struct ifaddrs *list, *at;
	char host[INET6_ADDRSTRLEN];
	int result = -1;

	if (getifaddrs(&list) != 0)
		return -1;
	for (at = list; at != NULL; at = at->ifa_next) {
		const union address *address = (const union address *)at->ifa_addr;
		if (address == NULL || address->any.sa_family != family ||
			(at->ifa_flags & IFF_UP) == 0 ||
			(family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&address->v6.sin6_addr)))
			continue;
		if (family == AF_INET)
			inet_ntop(family, &address->v4.sin_addr, host, sizeof(host));
		else
			inet_ntop(family, &address->v6.sin6_addr, host, sizeof(host));
		result = add(listener, host);
		if (result != 0)
			break;
	}
	freeifaddrs(list);
	return result;
}

static int
open_one(struct listener *listener, char *error, size_t error_size)
{
	union address address;
	socklen_t length = read_address(listener, &address);
	int result = check_bind(listener, &address, length, error, error_size);

	if (result != 0)
		return result;
	bool all = address.any.sa_family == AF_INET
	                   ? address.v4.sin_addr.s_addr == htonl(INADDR_ANY)
	                   : IN6_IS_ADDR_UNSPECIFIED(&address.v6.sin6_addr);
	if (all)
		result = add_all(listener, address.any.sa_family);
	else
		result = add(listener, listener->address);
	if (result == 0)
		return 0;
	snprintf(error, error_size,
		"%s: the TLS listener on %s port %u can't be opened: is the certificate one that "
		"OpenSSL takes?",
		listener->field, listener->address, listener->port);
	return -EINVAL;
}

int
listener_open(nta_agent_t *nta, const struct config_sip *config, char *error, size_t error_size)
{
	struct listener access = {.role = TLS_ACCESS,
		.field = "sip.address",
		.address = config->address,
		.port = config->port,
		.limits = &config->limits,
		.nta = nta};
	struct listener peering = {.role = TLS_PEERING,
		.field = "sip.peering.address",
		.address = config->peering.address,
		.port = config->peering.port,
		.limits = &config->limits,
		.nta = nta};
	int result = open_one(&access, error, error_size);

	if (result == 0 && peering.address != NULL)
		result = open_one(&peering, error, error_size);
	return result;
}

void
listener_configure(nta_agent_t *nta, const struct config_limits *limits)
{
	for (tport_t *at = tport_primaries(nta_agent_tports(nta)); at != NULL; at = tport_next(at))
		tport_set_params(at, TPTAG_QUEUESIZE(limits->queue), TAG_END());
}
