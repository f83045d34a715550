/* SPDX-License-Identifier: BSD-3-Clause */
#include "resolve.h"

#include "relay/config_trunk.h"

#include <errno.h>
#include <netinet/in.h>
#include <sofia-resolv/sres.h>
#include <sofia-resolv/sres_record.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TLS_PORT 5061 /* RFC 3261 19.1.2 */
#define TTL_MAX_S 86400
#define SRV_MAX 16
#define QUESTIONS_MAX (2 * SRV_MAX)

enum stage {
	STAGE_NAPTR,
	STAGE_SRV,
	STAGE_ADDRESS,
};

/* One query that is on its way. */
struct question {
	struct resolve *resolve;
	sres_query_t *query; /* NULL: answered */
	uint16_t type;
	uint16_t port; /* what an address is for */
	uint16_t priority;
	uint16_t weight;
};

struct resolve {
	sres_resolver_t *resolver;
	resolve_done_cb *done;
	void *arg;
	enum stage stage;
	unsigned families;
	uint16_t port;
	char host[CONFIG_HOST_MAX + 1];
	char service[CONFIG_HOST_MAX + 16]; /* the domain of the SRV records */
	uint16_t order, preference;         /* of the NAPTR record that named it */
	bool refused;                       /* by an SRV record whose target is "." */
	struct {
		char target[CONFIG_HOST_MAX + 1];
		uint16_t port, priority, weight;
	} srv[SRV_MAX];
	unsigned srv_count;
	struct question questions[QUESTIONS_MAX];
	unsigned asked, pending;
	struct resolved list[RESOLVE_MAX];
	unsigned count;
	uint32_t ttl_s;
};

static void step(struct resolve *resolve);

static void
add(struct resolve *resolve, const struct question *question, const struct relay_ip *ip)
{
	if (resolve->count == RESOLVE_MAX)
		return;
	struct resolved *at = &resolve->list[resolve->count];
	*at = (struct resolved){
		.address = {.ip = *ip, .port = question->port},
		.priority = question->priority,
		.weight = question->weight,
	};
	for (unsigned i = 0; i < resolve->count; i++)
		if (relay_addr_equal(&resolve->list[i].address, &at->address))
			return;
	resolve->count++;
}

/* RFC 3263 4.1: the best of those that lead to SRV records for SIP over TLS. */
static void
take_naptr(struct resolve *resolve, const sres_naptr_record_t *record)
{
	bool better =
		resolve->service[0] == '\0' || record->na_order < resolve->order ||
		(record->na_order == resolve->order && record->na_prefer < resolve->preference);

	if (strcasecmp(record->na_services, "SIPS+D2T") != 0 ||
		strcasecmp(record->na_flags, "s") != 0 || !better ||
		strlen(record->na_replace) >= sizeof(resolve->service))
		return;
	strcpy(resolve->service, record->na_replace);
	resolve->order = record->na_order;
	resolve->preference = record->na_prefer;
}

static void
take_srv(struct resolve *resolve, const sres_srv_record_t *record)
{
	if (strcmp(record->srv_target, ".") == 0 || record->srv_target[0] == '\0') {
		resolve->refused = true; /* RFC 2782: the service is decidedly not there */
		return;
	}
	if (resolve->srv_count == SRV_MAX || strlen(record->srv_target) > CONFIG_HOST_MAX ||
		record->srv_port == 0)
		return;
	unsigned at = resolve->srv_count++;
	strcpy(resolve->srv[at].target, record->srv_target);
	resolve->srv[at].port = record->srv_port;
	resolve->srv[at].priority = record->srv_priority;
	resolve->srv[at].weight = record->srv_weight;
}

static void
take(struct resolve *resolve, const struct question *question, const sres_record_t *record)
{
	struct relay_ip ip = {.family = 0};

	switch (question->type) {
	case sres_type_naptr:
		take_naptr(resolve, record->sr_naptr);
		break;
	case sres_type_srv:
		take_srv(resolve, record->sr_srv);
		break;
	case sres_type_a:
		ip.family = 4;
		memcpy(ip.ip, &record->sr_a->a_addr, 4);
		add(resolve, question, &ip);
		break;
	default:
		ip.family = 6;
		memcpy(ip.ip, &record->sr_aaaa->aaaa_addr, 16);
		add(resolve, question, &ip);
		break;
	}
	if (record->sr_record->r_ttl < resolve->ttl_s)
		resolve->ttl_s = record->sr_record->r_ttl;
}

static void
on_answer(sres_context_t *context, sres_query_t *query, sres_record_t **answers)
{
	struct question *question = (struct question *)context;
	struct resolve *resolve = question->resolve;

	question->query = NULL;
	resolve->pending--;
	for (unsigned i = 0; answers != NULL && answers[i] != NULL; i++)
		if (answers[i]->sr_record->r_status == 0 &&
			answers[i]->sr_record->r_type == question->type &&
			answers[i]->sr_record->r_class == sres_class_in)
			take(resolve, question, answers[i]);
	sres_free_answers(resolve->resolver, answers);
	if (resolve->pending == 0)
		step(resolve);
}

/* What can't be asked is as if it were answered with nothing. */
static void
ask(struct resolve *resolve, uint16_t type, const char *domain, unsigned srv)
{
	if (resolve->asked == QUESTIONS_MAX)
		return;
	struct question *question = &resolve->questions[resolve->asked++];
	*question = (struct question){.resolve = resolve, .type = type, .port = resolve->port};
	if (srv < SRV_MAX && srv < resolve->srv_count) {
		question->port = resolve->srv[srv].port;
		question->priority = resolve->srv[srv].priority;
		question->weight = resolve->srv[srv].weight;
	}
	question->query =
		sres_query(resolve->resolver, on_answer, (sres_context_t *)question, type, domain);
	if (question->query != NULL)
		resolve->pending++;
}

static void
ask_addresses(struct resolve *resolve, const char *host, unsigned srv)
{
	if ((resolve->families & RESOLVE_IPV4) != 0)
		ask(resolve, sres_type_a, host, srv);
	if ((resolve->families & RESOLVE_IPV6) != 0)
		ask(resolve, sres_type_aaaa, host, srv);
}

static void
finish(struct resolve *resolve)
{
	const char *fault = resolve->count > 0 ? NULL
	                    : resolve->refused ? "its SRV record says that it has no such service"
	                                       : "the DNS has no address for it";

	resolve->done(resolve->arg, resolve->list, resolve->count, resolve->ttl_s, fault);
	free(resolve);
}

static void
enter(struct resolve *resolve, enum stage stage)
{
	resolve->stage = stage;
	resolve->asked = 0;
	switch (stage) {
	case STAGE_NAPTR:
		ask(resolve, sres_type_naptr, resolve->host, SRV_MAX);
		break;
	case STAGE_SRV:
		if (resolve->service[0] == '\0')
			snprintf(resolve->service, sizeof(resolve->service), "_sips._tcp.%s",
				resolve->host);
		ask(resolve, sres_type_srv, resolve->service, SRV_MAX);
		break;
	case STAGE_ADDRESS:
		for (unsigned i = 0; i < resolve->srv_count; i++)
			ask_addresses(resolve, resolve->srv[i].target, i);
		if (resolve->srv_count == 0 && !resolve->refused)
			ask_addresses(resolve, resolve->host, SRV_MAX);
		break;
	}
}

/* Goes on to the next stage that has a question to wait for. */
static void
step(struct resolve *resolve)
{
	while (resolve->pending == 0) {
		if (resolve->stage == STAGE_ADDRESS) {
			finish(resolve);
			return;
		}
		enter(resolve, resolve->stage + 1);
	}
}

int
resolve_start(sres_resolver_t *resolver, const char *host, uint16_t port, unsigned families,
	resolve_done_cb *done, void *arg, struct resolve **out)
{
	struct resolved numeric = {.address = {.port = port != 0 ? port : TLS_PORT}};
	struct resolve *resolve;

	*out = NULL;
	if (relay_ip_parse(host, strlen(host), &numeric.address.ip) == 0) {
		unsigned family = numeric.address.ip.family == 4 ? RESOLVE_IPV4 : RESOLVE_IPV6;
		bool useful = (families & family) != 0;
		done(arg, &numeric, useful, TTL_MAX_S,
			useful ? NULL : "we have no listener of its address's family");
		return 0;
	}
	resolve = calloc(1, sizeof(*resolve));
	if (resolve == NULL)
		return -ENOMEM;
	resolve->resolver = resolver;
	resolve->done = done;
	resolve->arg = arg;
	resolve->families = families;
	resolve->port = port != 0 ? port : TLS_PORT;
	resolve->ttl_s = TTL_MAX_S;
	snprintf(resolve->host, sizeof(resolve->host), "%s", host);
	*out = resolve;
	enter(resolve, port != 0 ? STAGE_ADDRESS : STAGE_NAPTR);
	if (resolve->pending == 0) {
		/* a resolver without servers answers nothing: so the caller need not know of it */
		*out = NULL;
		step(resolve);
	}
	return 0;
}

void
resolve_cancel(struct resolve *resolve)
{
	if (resolve == NULL)
		return;
	for (unsigned i = 0; i < resolve->asked; i++)
		if (resolve->questions[i].query != NULL)
			sres_query_bind(resolve->questions[i].query, NULL, NULL);
	free(resolve);
}
