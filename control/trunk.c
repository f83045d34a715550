/* SPDX-License-Identifier: BSD-3-Clause */
#include "trunk_private.h"

#include "counters.h"
#include "relay/log.h"
#include "tls_peer.h"
#include "weight.h"

#include <errno.h>
#include <sofia-resolv/sres.h>
#include <sofia-sip/sresolv.h>
#include <sofia-sip/su_tag.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define READY_MS 5000   /* for the first look-up of all */
#define TTL_MIN_S 10    /* however short the DNS lets us believe it */
#define LOOK_AGAIN_S 30 /* where it failed */
#define DEAD_MS 30000   /* without pings: then it is tried again */
#define CALL_FAILURES 1 /* a call that failed says enough */

uint64_t
trunk_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

const char *
trunk_next_hop(const struct config_trunk *trunk, const struct relay_addr *address,
	char text[TRUNK_HOP_SIZE])
{
	char ip[RELAY_ADDR_TEXT];
	bool v6 = address->ip.family == 6, name_is_v6 = strchr(trunk->tls_name, ':') != NULL;

	snprintf(text, TRUNK_HOP_SIZE, "sips:%s%s%s:%u;transport=tls;maddr=%s%s%s",
		name_is_v6 ? "[" : "", trunk->tls_name, name_is_v6 ? "]" : "", address->port,
		v6 ? "[" : "", relay_ip_format(&address->ip, ip), v6 ? "]" : "");
	return text;
}

void
trunk_judge(struct trunk *trunk, unsigned index, const char *fault, unsigned failures_allowed)
{
	struct trunk_target *target = &trunk->targets[index];
	char text[RELAY_ADDR_TEXT];

	target->last_fault = fault;
	target->failures = fault != NULL ? target->failures + 1 : 0;
	bool alive = fault == NULL || (target->alive && target->failures < failures_allowed);
	if (alive == target->alive)
		return;
	target->alive = alive;
	target->since_ms = trunk_now_ms();
	counters_add(alive ? COUNTER_TRUNK_IN : COUNTER_TRUNK_OUT);
	relay_addr_format(&target->at.address, text);
	if (alive)
		log_info("trunk %s: %s is in again", trunk->config->name, text);
	else
		log_warning("trunk %s: %s is out: %s", trunk->config->name, text, fault);
}

static void
become_ready(struct trunks *trunks)
{
	trunks->ready = true;
	while (trunks->waiters != NULL) {
		struct waiter *waiter = trunks->waiters;
		trunks->waiters = waiter->next;
		waiter->ready(waiter->arg);
		free(waiter);
	}
}

static void
on_ready_time(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	become_ready((struct trunks *)arg);
}

static void
check_ready(struct trunks *trunks)
{
	for (unsigned i = 0; i < trunks->count; i++)
		if (!trunks->list[i]->looked_up)
			return;
	if (!trunks->ready)
		su_timer_set_interval(
			trunks->ready_timer, on_ready_time, (su_timer_arg_t *)trunks, 0);
}

static int
find_address(const struct trunk *trunk, const struct relay_addr *address)
{
	for (unsigned i = 0; i < trunk->count; i++)
		if (relay_addr_equal(&trunk->targets[i].at.address, address))
			return (int)i;
	return -1;
}

/* Another trunk may have the same address. */
static bool
is_shared(const struct trunk *trunk, const struct relay_addr *address)
{
	for (unsigned i = 0; i < trunk->trunks->count; i++)
		if (trunk->trunks->list[i] != trunk &&
			find_address(trunk->trunks->list[i], address) >= 0)
			return true;
	return false;
}

static void
remove_target(struct trunk *trunk, unsigned index)
{
	if (!is_shared(trunk, &trunk->targets[index].at.address))
		tls_peer_forget(&trunk->targets[index].at.address);
	trunk_ping_free(trunk->pings[index]);
	trunk->count--;
	trunk->targets[index] = trunk->targets[trunk->count];
	trunk->pings[index] = trunk->pings[trunk->count];
}

static void
add_target(struct trunk *trunk, const struct resolved *at)
{
	char text[RELAY_ADDR_TEXT];
	struct trunk_ping *ping = calloc(1, sizeof(*ping));
	int result =
		ping != NULL ? tls_peer_expect(&at->address, trunk->config->tls_name) : -ENOMEM;

	if (result != 0) {
		log_error("trunk %s: %s is not used: %s", trunk->config->name,
			relay_addr_format(&at->address, text),
			result == -EEXIST ? "another trunk is there with another tls_name"
					  : strerror(-result));
		free(ping);
		return;
	}
	ping->trunk = trunk;
	ping->address = at->address;
	trunk->pings[trunk->count] = ping;
	trunk->targets[trunk->count] =
		(struct trunk_target){.at = *at, .alive = true, .since_ms = trunk_now_ms()};
	trunk->count++;
}

static void
take_addresses(struct trunk *trunk, const struct resolved *list, unsigned count)
{
	for (unsigned i = trunk->count; i-- > 0;) {
		unsigned k = 0;
		while (k < count &&
			!relay_addr_equal(&list[k].address, &trunk->targets[i].at.address))
			k++;
		if (k == count)
			remove_target(trunk, i);
		else
			trunk->targets[i].at = list[k];
	}
	for (unsigned i = 0; i < count; i++)
		if (trunk->count < RESOLVE_MAX && find_address(trunk, &list[i].address) < 0)
			add_target(trunk, &list[i]);
}

static void look_up(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg);

static void
on_ping_time(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	trunk_ping_all((struct trunk *)arg);
}

static void
begin_pings(struct trunk *trunk)
{
	if (trunk->config->ping_s == 0 || trunk->config->direction == CONFIG_DIRECTION_IN)
		return;
	trunk_ping_all(trunk);
	su_timer_set_for_ever(trunk->ping_timer, on_ping_time, (su_timer_arg_t *)trunk);
}

static void
on_resolved(
	void *arg, const struct resolved *list, unsigned count, uint32_t ttl_s, const char *fault)
{
	struct trunk *trunk = arg;
	bool first = !trunk->looked_up;

	trunk->resolving = NULL;
	if (fault != NULL && trunk->fault == NULL)
		log_warning("trunk %s: %s can't be looked up: %s%s", trunk->config->name,
			trunk->config->address, fault,
			trunk->count > 0 ? "; its addresses of before are used" : "");
	if (fault == NULL && trunk->fault != NULL)
		log_info("trunk %s: %s has an address again", trunk->config->name,
			trunk->config->address);
	trunk->fault = fault;
	trunk->looked_up = true;
	if (count > 0)
		take_addresses(trunk, list, count);
	if (count == 0 || ttl_s < TTL_MIN_S)
		ttl_s = count == 0 ? LOOK_AGAIN_S : TTL_MIN_S;
	su_timer_set_interval(
		trunk->look_timer, look_up, (su_timer_arg_t *)trunk, (su_duration_t)ttl_s * 1000);
	if (first)
		begin_pings(trunk);
	check_ready(trunk->trunks);
}

static void
look_up(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	struct trunk *trunk = (struct trunk *)arg;

	if (trunk->resolving != NULL)
		return;
	if (resolve_start(trunk->trunks->resolver, trunk->config->host, trunk->config->port,
		    trunk->trunks->families, on_resolved, trunk, &trunk->resolving) != 0)
		on_resolved(trunk, NULL, 0, 0, "out of memory");
}

su_timer_t *
trunk_ping_timer(const struct trunks *trunks, const struct config_trunk *config)
{
	uint32_t ping_s = config->ping_s != 0 ? config->ping_s : 1;

	return su_timer_create(su_root_task(trunks->agent->root), (su_duration_t)ping_s * 1000);
}

struct trunk *
trunk_make(struct trunks *trunks, const struct config_trunk *config)
{
	struct trunk *trunk = calloc(1, sizeof(*trunk));

	if (trunk == NULL)
		return NULL;
	trunk->trunks = trunks;
	trunk->config = config;
	trunk->look_timer = su_timer_create(su_root_task(trunks->agent->root), LOOK_AGAIN_S * 1000);
	trunk->ping_timer = trunk_ping_timer(trunks, config);
	if (trunk->look_timer != NULL && trunk->ping_timer != NULL)
		return trunk;
	trunk_free(trunk);
	return NULL;
}

int
trunk_start(struct trunk *trunk)
{
	return su_timer_set_interval(trunk->look_timer, look_up, (su_timer_arg_t *)trunk, 0);
}

void
trunk_free(struct trunk *trunk)
{
	resolve_cancel(trunk->resolving);
	su_timer_destroy(trunk->look_timer);
	su_timer_destroy(trunk->ping_timer);
	while (trunk->count > 0)
		remove_target(trunk, trunk->count - 1);
	free(trunk);
}

void
trunk_follow(struct trunk *trunk, const struct config_trunk *config, su_timer_t **ping_timer)
{
	trunk->config = config;
	if (*ping_timer == NULL)
		return;
	su_timer_destroy(trunk->ping_timer);
	trunk->ping_timer = *ping_timer;
	*ping_timer = NULL;
	if (trunk->looked_up)
		begin_pings(trunk);
}

int
trunks_need_resolver(struct trunks *trunks)
{
	if (trunks->resolver == NULL)
		trunks->resolver = sres_resolver_create(trunks->agent->root, NULL, TAG_END());
	return trunks->resolver != NULL ? 0 : -ENOMEM;
}

int
trunks_create(struct agent *agent, struct trunks **out)
{
	const struct config_sip *config = &agent->config->sip;
	struct trunks *trunks = calloc(1, sizeof(*trunks));
	struct relay_ip ip = {.family = 0};

	if (trunks == NULL)
		return -ENOMEM;
	trunks->agent = agent;
	if (config->peering.address != NULL)
		relay_ip_parse(config->peering.address, strlen(config->peering.address), &ip);
	trunks->families = ip.family == 6 ? RESOLVE_IPV6 : RESOLVE_IPV4;
	trunks->ready_timer = su_timer_create(su_root_task(agent->root), READY_MS);
	trunks->list = calloc(config->trunks_count + 1, sizeof(trunks->list[0]));
	if (trunks->ready_timer == NULL || trunks->list == NULL ||
		(config->trunks_count > 0 && trunks_need_resolver(trunks) != 0) ||
		su_timer_set(trunks->ready_timer, on_ready_time, (su_timer_arg_t *)trunks) != 0)
		goto fail;
	for (unsigned i = 0; i < config->trunks_count; i++) {
		struct trunk *trunk = trunk_make(trunks, &config->trunks[i]);
		if (trunk == NULL)
			goto fail;
		trunks->list[trunks->count++] = trunk;
		if (trunk_start(trunk) != 0)
			goto fail;
	}
	check_ready(trunks);
	*out = trunks;
	return 0;

fail:
	trunks_destroy(trunks);
	return -ENOMEM;
}

void
trunks_destroy(struct trunks *trunks)
{
	if (trunks == NULL)
		return;
	while (trunks->count > 0)
		trunk_free(trunks->list[--trunks->count]);
	free(trunks->list);
	while (trunks->waiters != NULL) {
		struct waiter *waiter = trunks->waiters;
		trunks->waiters = waiter->next;
		waiter->drop(waiter->arg);
		free(waiter);
	}
	su_timer_destroy(trunks->ready_timer);
	if (trunks->resolver != NULL)
		sres_resolver_destroy(trunks->resolver);
	free(trunks);
}

int
trunks_when_ready(
	struct trunks *trunks, void (*ready)(void *arg), void (*drop)(void *arg), void *arg)
{
	if (trunks->ready) {
		ready(arg);
		return 0;
	}
	struct waiter *waiter = calloc(1, sizeof(*waiter));
	if (waiter == NULL)
		return -ENOMEM;
	*waiter = (struct waiter){trunks->waiters, ready, drop, arg};
	trunks->waiters = waiter;
	return 0;
}

struct trunk *
trunk_find(struct trunks *trunks, const struct config_trunk *config)
{
	for (unsigned i = 0; i < trunks->count; i++)
		if (strcmp(trunks->list[i]->config->name, config->name) == 0)
			return trunks->list[i];
	return NULL;
}

unsigned
trunks_targets(struct trunks *trunks, const struct config_trunk *config,
	struct relay_addr out[RESOLVE_MAX])
{
	const struct trunk *trunk = trunk_find(trunks, config);
	struct weighted living[RESOLVE_MAX];
	unsigned count = 0;

	for (unsigned i = 0; trunk != NULL && i < trunk->count; i++) {
		const struct trunk_target *target = &trunk->targets[i];
		bool try_again =
			config->ping_s == 0 && trunk_now_ms() >= target->since_ms + DEAD_MS;
		if (target->alive || try_again)
			living[count++] =
				(struct weighted){target->at.priority, target->at.weight, target};
	}
	weight_order(living, count, weight_random);
	for (unsigned i = 0; i < count; i++)
		out[i] = ((const struct trunk_target *)living[i].what)->at.address;
	return count;
}

void
trunks_report(struct trunks *trunks, const struct config_trunk *config,
	const struct relay_addr *address, const char *fault)
{
	struct trunk *trunk = trunk_find(trunks, config);
	int index = trunk != NULL ? find_address(trunk, address) : -1;

	if (index >= 0)
		trunk_judge(trunk, (unsigned)index, fault, CALL_FAILURES);
}

const struct config_trunk *
trunks_identify(struct trunks *trunks, tport_t *connection, const struct relay_ip *peer)
{
	const struct config_trunk *found = NULL;

	for (unsigned i = 0; i < trunks->count; i++) {
		const struct trunk *trunk = trunks->list[i];
		if (trunk->config->direction == CONFIG_DIRECTION_OUT ||
			tls_peer_verify(connection, trunk->config->tls_name) != 0)
			continue;
		if (found == NULL)
			found = trunk->config;
		for (unsigned k = 0; k < trunk->count; k++)
			if (relay_ip_equal(&trunk->targets[k].at.address.ip, peer))
				return trunk->config;
	}
	return found;
}

void
trunk_each(struct trunks *trunks, trunk_cb *cb, void *arg)
{
	for (unsigned i = 0; i < trunks->count; i++) {
		const struct trunk *trunk = trunks->list[i];
		struct trunk_state state = {.config = trunk->config,
			.targets = trunk->targets,
			.count = trunk->count,
			.fault = trunk->fault};
		for (unsigned k = 0; k < trunk->count; k++)
			state.alive = state.alive || trunk->targets[k].alive;
		if (cb(arg, &state) != 0)
			return;
	}
}
