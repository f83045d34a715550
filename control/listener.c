/* SPDX-License-Identifier: BSD-3-Clause */
#include "listener.h"

#include "tls_folder.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sofia-sip/nta_tport.h>
#include <sofia-sip/tport_tag.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A connection without traffic, and with neither a binding nor a call nor a transaction: that of a
 * registered phone stays open as long as the binding. */
#define IDLE_MS 60000
#define BACKLOG 512 /* connections that wait to be accepted */

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t
read_address(const struct config_sip *config, union address *out)
{
	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, config->address, &out->v4.sin_addr) == 1) {
		out->v4.sin_family = AF_INET;
		out->v4.sin_port = htons(config->port);
		return sizeof(out->v4);
	}
	if (inet_pton(AF_INET6, config->address, &out->v6.sin6_addr) == 1) {
		out->v6.sin6_family = AF_INET6;
		out->v6.sin6_port = htons(config->port);
	}
	return sizeof(out->v6);
}

/* The stack only says that it can't bind; so we ask the kernel first, to say why. */
static int
check_bind(const struct config_sip *config, const union address *address, socklen_t length,
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
		snprintf(error, error_size, "sip.address: %s port %u can't be listened on: %s%s",
			config->address, config->port, strerror(-result),
			result == -EADDRINUSE      ? ": another program has it"
			: result == -EADDRNOTAVAIL ? ": no interface has this address; is "
						     "sallyport-media running, which brings it?"
						   : "");
	return result;
}

/* `ident` is the listener's name in the stack: by it, CANCEL and ACK of a refusal find the listener
 * that the connection belongs to. */
static int
add(nta_agent_t *nta, const struct config_sip *config, const char *host, const char *ident,
	const char *folder)
{
	char url[INET6_ADDRSTRLEN + 48];
	bool v6 = strchr(host, ':') != NULL;

	snprintf(url, sizeof(url), "sips:%s%s%s:%u;transport=tls", v6 ? "[" : "", host,
		v6 ? "]" : "", config->port);
	return nta_agent_add_tport(nta, URL_STRING_MAKE(url), TPTAG_IDENT(ident),
		TPTAG_CERTIFICATE(folder), TPTAG_TLS_VERIFY_POLICY(TPTLS_VERIFY_NONE),
		TPTAG_IDLE(IDLE_MS), TPTAG_QUEUESIZE(BACKLOG), TAG_END());
}

/* Each listener has to know its own address, for Via and Contact: so none listens on all. */
static int
add_all(nta_agent_t *nta, const struct config_sip *config, int family, const char *folder)
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
		result = add(nta, config, host, host, folder);
		if (result != 0)
			break;
	}
	freeifaddrs(list);
	return result;
}

int
listener_open(nta_agent_t *nta, const struct config_sip *config, char *error, size_t error_size)
{
	char folder[TLS_FOLDER_SIZE];
	union address address;
	socklen_t length = read_address(config, &address);
	int result = check_bind(config, &address, length, error, error_size);

	if (result == 0)
		result = tls_folder_make(config, folder, error, error_size);
	if (result != 0)
		return result;
	bool all = address.any.sa_family == AF_INET
	                   ? address.v4.sin_addr.s_addr == htonl(INADDR_ANY)
	                   : IN6_IS_ADDR_UNSPECIFIED(&address.v6.sin6_addr);
	if (all)
		result = add_all(nta, config, address.any.sa_family, folder);
	else
		result = add(nta, config, config->address, config->address, folder);
	tls_folder_remove(folder);
	if (result == 0)
		return 0;
	snprintf(error, error_size,
		"sip: the TLS listener on %s port %u can't be opened: is the certificate one that "
		"OpenSSL takes?",
		config->address, config->port);
	return -EINVAL;
}
