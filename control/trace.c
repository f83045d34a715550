/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The stack has no hook for messages, but a log: where its transport logs (TPTAG_LOG), it calls a
 * function of its library, tport_log_msg(), with each message that was received whole or sent. Ours
 * stands in front of that, as in tls_release.c; so a trace shows what went over the wire, and what
 * the stack answered by itself, too.
 */
#include "trace.h"

#include "counters.h"
#include "relay/log.h"
#include "trace_blank.h"
#include "trace_writer.h"

#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/nta_tport.h>
#include <sofia-sip/tport.h>
#include <sofia-sip/tport_tag.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARTS_MAX 512 /* of one message: a header each */

struct trace {
	nta_agent_t *nta;
	struct trace_writer *writer;
	bool on;
};

static struct trace *current;

/* As in the stack's own header, which is not installed. */
void tport_log_msg(tport_t *self, msg_t *message, const char *what, const char *via, su_time_t now);

static void
read_far(const tport_t *transport, struct relay_addr *out)
{
	const su_addrinfo_t *info = tport_get_address(transport);
	const su_sockaddr_t *at = info != NULL ? (const su_sockaddr_t *)info->ai_addr : NULL;

	if (at != NULL && at->su_family == AF_INET) {
		out->ip.family = 4;
		memcpy(out->ip.ip, &at->su_sin.sin_addr, 4);
		out->port = ntohs(at->su_port);
	} else if (at != NULL && at->su_family == AF_INET6) {
		out->ip.family = 6;
		memcpy(out->ip.ip, &at->su_sin6.sin6_addr, 16);
		out->port = ntohs(at->su_port);
	}
}

/* The listener's address: the stack does not tell a connection's own. */
static void
read_near(const tport_t *transport, struct relay_addr *out)
{
	const tp_name_t *name = tport_name(tport_parent(transport));
	const char *host = name->tpn_host;
	size_t length = strlen(host);

	if (host[0] == '[' && length > 2) {
		host++;
		length -= 2;
	}
	relay_ip_parse(host, length, &out->ip);
	out->port = (uint16_t)strtoul(name->tpn_port, NULL, 10);
}

static struct trace_message *
copy(msg_t *message)
{
	msg_iovec_t part[PARTS_MAX];
	size_t parts = msg_iovec(message, part, PARTS_MAX), length = 0;

	if (parts > PARTS_MAX)
		parts = PARTS_MAX;
	for (size_t i = 0; i < parts; i++)
		length += part[i].mv_len;
	struct trace_message *made = malloc(sizeof(*made) + length);
	if (made == NULL)
		return NULL;
	memset(made, 0, sizeof(*made));
	for (size_t i = 0; i < parts; i++) {
		memcpy(made->text + made->length, part[i].mv_base, part[i].mv_len);
		made->length += part[i].mv_len;
	}
	return made;
}

void
tport_log_msg(tport_t *self, msg_t *message, const char *what, const char *via, su_time_t now)
{
	if (current == NULL || !current->on)
		return;
	struct trace_message *made = copy(message);
	if (made == NULL) {
		counters_add(COUNTER_TRACE_LOST);
		return;
	}
	trace_blank(made->text, made->length);
	clock_gettime(CLOCK_REALTIME, &made->at);
	bool sent = strcmp(what, "recv") != 0;
	read_far(self, sent ? &made->to : &made->from);
	read_near(self, sent ? &made->from : &made->to);
	counters_add(trace_writer_put(current->writer, made) ? COUNTER_TRACE_MESSAGES
							     : COUNTER_TRACE_LOST);
}

/* Is ours the one that the stack will find? */
static bool
is_in_front(void)
{
	void (*ours)(tport_t *, msg_t *, const char *, const char *, su_time_t) = tport_log_msg;
	void *found = dlsym(RTLD_DEFAULT, "tport_log_msg");

	return found != NULL && memcmp(&ours, &found, sizeof(found)) == 0;
}

int
trace_open(nta_agent_t *nta, const struct config_trace *config, struct trace **out, char *error,
	size_t error_size)
{
	*out = NULL;
	if (config->hep == NULL && config->pcap == NULL)
		return 0;
	if (!is_in_front()) {
		snprintf(error, error_size,
			"sip.trace: this build of Sofia-SIP does not let messages be seen");
		return -ENOTSUP;
	}
	struct trace *trace = calloc(1, sizeof(*trace));
	if (trace == NULL) {
		snprintf(error, error_size, "out of memory");
		return -ENOMEM;
	}
	int result = trace_writer_create(config, &trace->writer, error, error_size);
	if (result != 0) {
		free(trace);
		return result;
	}
	trace->nta = nta;
	current = trace;
	trace_set(trace, true);
	*out = trace;
	return 0;
}

void
trace_set(struct trace *trace, bool on)
{
	if (trace == NULL || trace->on == on)
		return;
	trace->on = on;
	tport_set_params(nta_agent_tports(trace->nta), TPTAG_LOG(on), TAG_END());
	log_info("sip.trace: %s", on ? "messages are traced, without their keys" : "off");
}

bool
trace_is_on(const struct trace *trace)
{
	return trace != NULL && trace->on;
}

uint64_t
trace_lost(const struct trace *trace)
{
	return trace != NULL ? trace_writer_lost(trace->writer) : 0;
}

void
trace_close(struct trace *trace)
{
	if (trace == NULL)
		return;
	current = NULL;
	trace_writer_destroy(trace->writer);
	free(trace);
}
