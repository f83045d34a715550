/* SPDX-License-Identifier: BSD-3-Clause */
#include "dns_mend.h"

#include "counters.h"
#include "relay/log.h"

#include <arpa/nameser.h>
#include <dlfcn.h>
#include <resolv.h>
#include <sofia-resolv/sres.h>
#include <sofia-resolv/sres_async.h>
#include <string.h>
#include <sys/socket.h>

#define MESSAGE_MAX 65535
#define TYPE_A6 38 /* RFC 2874: the stack reads those, too */

/* A part of a message: from `at` up to, not including, `end`. */
struct part {
	const ns_msg *message;
	const uint8_t *at;
	const uint8_t *end;
};

/* A name, whose compression the C library follows: takes it off. */
static bool
take_name(struct part *part)
{
	char name[NS_MAXDNAME];
	int length = dn_expand(ns_msg_base(*part->message), ns_msg_end(*part->message), part->at,
		name, NS_MAXDNAME);

	if (length < 0 || length > part->end - part->at)
		return false;
	part->at += length;
	return true;
}

static bool
take_bytes(struct part *part, size_t count)
{
	if ((size_t)(part->end - part->at) < count)
		return false;
	part->at += count;
	return true;
}

/* RFC 1035 3.3: a byte that says how long it is, and that. */
static bool
take_string(struct part *part)
{
	return part->at < part->end && take_bytes(part, (size_t)*part->at + 1);
}

/* The names in a record of those kinds that the stack reads. */
static bool
is_sound_data(unsigned type, struct part data)
{
	switch (type) {
	case ns_t_cname:
	case ns_t_ptr:
		return take_name(&data);
	case ns_t_soa:
		return take_name(&data) && take_name(&data);
	case ns_t_srv: /* priority, weight, port */
		return take_bytes(&data, 6) && take_name(&data);
	case ns_t_naptr: /* order, preference; flags, services, regexp */
		return take_bytes(&data, 4) && take_string(&data) && take_string(&data) &&
		       take_string(&data) && take_name(&data);
	case TYPE_A6: {
		unsigned prefix = data.at < data.end ? *data.at : 255;
		return prefix <= 128 && take_bytes(&data, 1 + (128 + 7 - prefix) / 8) &&
		       (prefix == 0 || take_name(&data));
	}
	default:
		return true;
	}
}

static bool
is_sound_record(const ns_msg *message, const ns_rr *record)
{
	const uint8_t *data = ns_rr_rdata(*record);

	return is_sound_data(
		ns_rr_type(*record), (struct part){message, data, data + ns_rr_rdlen(*record)});
}

bool
dns_is_sound(const uint8_t *message, size_t length)
{
	ns_msg whole;
	ns_rr record;

	if (length > MESSAGE_MAX || ns_initparse(message, (int)length, &whole) != 0)
		return false;
	for (int section = ns_s_qd; section < ns_s_max; section++)
		for (int i = 0; i < ns_msg_count(whole, (ns_sect)section); i++) {
			if (ns_parserr(&whole, (ns_sect)section, i, &record) != 0)
				return false;
			if (section != ns_s_qd && !is_sound_record(&whole, &record))
				return false;
		}
	return true;
}

typedef int receive_function(sres_resolver_t *resolver, int socket);

/* In the place of the stack's, which takes what is sound. The query that a bad answer was for goes
 * on waiting for a good one. */
int
sres_resolver_receive(sres_resolver_t *resolver, int socket)
{
	static receive_function *stack;
	static uint8_t message[MESSAGE_MAX]; /* event-loop thread alone */
	ssize_t length = recv(socket, message, sizeof(message), MSG_PEEK | MSG_DONTWAIT);

	if (stack == NULL) {
		void *found = dlsym(RTLD_NEXT, "sres_resolver_receive");
		memcpy(&stack, &found, sizeof(stack));
	}
	if (stack != NULL && (length <= 0 || dns_is_sound(message, (size_t)length)))
		return stack(resolver, socket);
	recv(socket, message, 1, MSG_DONTWAIT);
	counters_add(COUNTER_DNS_UNSOUND);
	log_stranger(LOG_LEVEL_WARNING, LOG_ABOUT({LOG_REASON, counters_name(COUNTER_DNS_UNSOUND)}),
		"the DNS: an answer of %zd bytes is no whole message: it is passed over; look at "
		"the "
		"servers in /etc/resolv.conf",
		length);
	return 1;
}
