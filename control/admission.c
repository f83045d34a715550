/* SPDX-License-Identifier: BSD-3-Clause */
#include "admission.h"

#include "agent.h"
#include "counters.h"
#include "event_wait.h"
#include "load.h"
#include "relay/log.h"
#include "sources.h"
#include "tls_connection.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/rand.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_tag.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define CONNECT_BURST 10 /* seconds' worth */
#define REQUEST_BURST 2  /* the same */
#define RETRY_LEAST_S 2  /* of Retry-After */
#define RETRY_SPREAD_S 8 /* so that not all come back at once */

static struct {
	const struct config_limits *limits;
	struct sources *sources;
	struct load load;
	su_timer_t *timer;
	uint32_t connections; /* at a time, in all: as configured, or as there are descriptors */
	uint64_t ticked_ms;
	/* accepted by the system, not yet a connection of the stack's */
	struct source_record *accepted;
	struct relay_addr accepted_peer;
	int spare; /* a descriptor for the moment when there is none */
} admission = {.spare = -1};

/* What else needs descriptors: files, databases, the relay. */
#define DESCRIPTORS_KEPT 64

static void
on_tick(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	uint64_t now = tls_connection_now_ms();
	uint64_t passed = now - admission.ticked_ms;

	admission.ticked_ms = now;
	load_tick(&admission.load, passed > LOAD_TICK_MS ? (double)(passed - LOAD_TICK_MS) : 0,
		admission.limits->load_ms);
}

/* Never so many that a database or the relay could not be reached for want of a descriptor. */
static uint32_t
most_connections(const struct config_limits *limits)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
		limit.rlim_cur >= (rlim_t)limits->connections + DESCRIPTORS_KEPT)
		return limits->connections;
	uint32_t most = limit.rlim_cur > 2 * DESCRIPTORS_KEPT
	                        ? (uint32_t)limit.rlim_cur - DESCRIPTORS_KEPT
	                        : DESCRIPTORS_KEPT;
	log_warning("sip.limits.connections: %u, but the system lets us have descriptors for %u: "
		    "raise LimitNOFILE",
		limits->connections, most);
	return most;
}

int
admission_start(su_root_t *root, const struct config_limits *limits)
{
	int result = sources_create(limits->sources, &admission.sources);

	if (result != 0)
		return result;
	admission.limits = limits;
	admission.connections = most_connections(limits);
	admission.load = (struct load){0};
	admission.spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	admission.ticked_ms = tls_connection_now_ms();
	admission.timer = su_timer_create(su_root_task(root), LOAD_TICK_MS);
	if (admission.timer == NULL || su_timer_set_for_ever(admission.timer, on_tick, NULL) != 0)
		return -ENOMEM;
	return 0;
}

void
admission_configure(const struct config_limits *limits)
{
	admission.limits = limits;
	admission.connections = most_connections(limits);
	sources_set_most(admission.sources, limits->sources);
}

void
admission_stop(void)
{
	su_timer_destroy(admission.timer);
	admission.timer = NULL;
	sources_destroy(admission.sources);
	admission.sources = NULL;
	if (admission.spare >= 0)
		close(admission.spare);
	admission.spare = -1;
}

void
admission_load(double *late_ms, double *refused)
{
	*late_ms = admission.load.late_ms;
	*refused = admission.load.refused;
}

uint32_t
admission_sources(void)
{
	return sources_count(admission.sources);
}

static bool
read_address(const struct sockaddr *from, struct relay_addr *out)
{
	memset(out, 0, sizeof(*out));
	if (from->sa_family == AF_INET) {
		const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)from;
		out->ip.family = 4;
		out->port = ntohs(v4->sin_port);
		memcpy(out->ip.ip, &v4->sin_addr, 4);
	} else if (from->sa_family == AF_INET6) {
		const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)from;
		out->ip.family = 6;
		out->port = ntohs(v6->sin6_port);
		memcpy(out->ip.ip, &v6->sin6_addr, 16);
	}
	return out->ip.family != 0;
}

static bool
refuse(const struct relay_addr *peer, enum counter counter)
{
	char text[RELAY_ADDR_TEXT];

	counters_add(counter);
	log_stranger(LOG_LEVEL_WARNING,
		LOG_ABOUT({LOG_PEER, relay_addr_format(peer, text)},
			{LOG_REASON, counters_name(counter)}),
		"connection from %s refused: %s", text, counters_help(counter));
	return false;
}

bool
admission_accept(const struct sockaddr *from)
{
	const struct config_limits *limits = admission.limits;
	struct relay_addr peer;

	admission.accepted = NULL;
	if (!read_address(from, &peer))
		return false;
	if (tls_connection_count() >= admission.connections)
		return refuse(&peer, COUNTER_CONNECTIONS_FULL);
	struct source_record *source = sources_get(admission.sources, &peer.ip);
	if (source == NULL)
		return false;
	if (source->connections >= limits->connections_per_source)
		return refuse(&peer, COUNTER_CONNECTIONS_SOURCE);
	if (!bucket_take(&source->connects, limits->connects_per_second,
		    limits->connects_per_second * CONNECT_BURST, tls_connection_now_ms()))
		return refuse(&peer, COUNTER_CONNECTIONS_RATE);
	admission.accepted = source;
	admission.accepted_peer = peer;
	return true;
}

struct source_record *
admission_take_accepted(struct relay_addr *peer)
{
	struct source_record *source = admission.accepted;

	if (source == NULL)
		return NULL;
	admission.accepted = NULL;
	*peer = admission.accepted_peer;
	source->connections++;
	return source;
}

void
admission_disconnected(struct source_record *source)
{
	source->connections--;
}

void
admission_out_of_descriptors(int listener)
{
	counters_add(COUNTER_CONNECTIONS_DESCRIPTORS);
	log_stranger(LOG_LEVEL_ERROR,
		LOG_ABOUT({LOG_REASON, counters_name(COUNTER_CONNECTIONS_DESCRIPTORS)}),
		"connection refused: %s: raise LimitNOFILE",
		counters_help(COUNTER_CONNECTIONS_DESCRIPTORS));
	if (admission.spare < 0)
		return;
	close(admission.spare);
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		close(fd);
	admission.spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static unsigned
random_below(unsigned bound)
{
	unsigned value = 0;

	/* without randomness all come back at once: no harm to secrets */
	(void)RAND_bytes((unsigned char *)&value, sizeof(value));
	return value % bound;
}

/* Said no, and how: politely while that is not too often. */
static enum admission
say_no(struct tls_connection *connection, const struct source *source, sip_method_t method,
	enum counter counter)
{
	counters_add(counter);
	log_stranger(LOG_LEVEL_WARNING,
		LOG_ABOUT({LOG_PEER, source->text}, {LOG_REASON, counters_name(counter)}),
		"request refused: %s from %s: %s", sip_method_name(method, "request"), source->text,
		counters_help(counter));
	if (connection == NULL || connection->source == NULL)
		return ADMISSION_BUSY;
	uint32_t rate = admission.limits->requests_per_second;
	if (bucket_take(&connection->source->refusals, rate, rate * REQUEST_BURST,
		    tls_connection_now_ms()))
		return ADMISSION_BUSY;
	if (connection->known)
		return ADMISSION_BUSY;
	tls_connection_cut(connection, COUNTER_CUT_REQUESTS, "it sends far too many requests");
	return ADMISSION_DROP;
}

enum admission
admission_check(struct agent *agent, const struct source *source, sip_method_t method, bool proving,
	unsigned *retry_after_s)
{
	const struct config_limits *limits = admission.limits;
	struct tls_connection *connection = tls_connection_find(source->connection);
	bool known = connection != NULL && connection->known;
	struct source_record *record = connection != NULL ? connection->source : NULL;
	uint32_t rate = known ? limits->known_requests_per_second : limits->requests_per_second;

	*retry_after_s = RETRY_LEAST_S + random_below(RETRY_SPREAD_S);
	if (record != NULL && !bucket_take(known ? &record->known : &record->requests, rate,
				      rate * REQUEST_BURST, tls_connection_now_ms()))
		return say_no(connection, source, method, COUNTER_REQUESTS_RATE);
	enum load_rank rank = !known ? LOAD_STRANGER : proving ? LOAD_PROVING : LOAD_KNOWN;
	if (load_jams((double)event_wait_busy_ms(), limits->load_ms, rank) ||
		(admission.load.refused > 0 &&
			load_refuses(&admission.load, known,
				random_below(1u << 20) / (double)(1u << 20))))
		return say_no(connection, source, method,
			known ? COUNTER_REQUESTS_LOAD_KNOWN : COUNTER_REQUESTS_LOAD);
	return ADMISSION_ACCEPT;
}

bool
admission_admit(
	struct agent *agent, nta_incoming_t *request, const sip_t *sip, const struct source *source)
{
	sip_method_t method = sip->sip_request->rq_method;
	unsigned retry_after_s;
	char text[16];

	/* neither has an answer that would help, nor costs anything */
	if (method == sip_method_ack || method == sip_method_cancel)
		return true;
	bool proving = sip->sip_authorization != NULL || sip->sip_proxy_authorization != NULL;
	switch (admission_check(agent, source, method, proving, &retry_after_s)) {
	case ADMISSION_ACCEPT:
		return true;
	case ADMISSION_BUSY:
		snprintf(text, sizeof(text), "%u", retry_after_s);
		nta_incoming_treply(request, SIP_503_SERVICE_UNAVAILABLE,
			SIPTAG_RETRY_AFTER_STR(text), TAG_END());
		break;
	case ADMISSION_DROP:
		break;
	}
	nta_incoming_destroy(request);
	return false;
}
