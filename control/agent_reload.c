/* SPDX-License-Identifier: BSD-3-Clause */
/* Another configuration for a running agent. What can fail is done before anything changes. */
#include "admission.h"
#include "agent.h"
#include "auth.h"
#include "call_limits.h"
#include "listener.h"
#include "records.h"
#include "relay/log.h"
#include "tls_guard.h"
#include "tls_stack.h"
#include "trunk.h"
#include "users.h"

#include <errno.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/su_tag.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct agent_change {
	struct agent *agent;
	const struct config *config;
	struct users *users; /* NULL: the store is the same */
	struct trunks_change *trunks;
};

static bool
is_same_store(const struct config_sip *a, const struct config_sip *b)
{
	return strcmp(a->users, b->users) == 0 &&
	       a->users_store.wait_ms == b->users_store.wait_ms &&
	       a->users_store.cache_s == b->users_store.cache_s;
}

static int
open_users(const struct config_sip *sip, struct users **out, char *error, size_t error_size)
{
	int result = users_open(sip->users, USERS_READ, out, error, error_size);

	if (result == 0 && users_start(*out, &sip->users_store) != 0) {
		snprintf(error, error_size, "sip.users: no thread can be started for the server");
		result = -EAGAIN;
	}
	return result;
}

int
agent_prepare(struct agent *agent, const struct config *config, struct agent_change **out,
	char *error, size_t error_size)
{
	struct agent_change *change = calloc(1, sizeof(*change));
	int result = change != NULL ? 0 : -ENOMEM;

	*out = NULL;
	snprintf(error, error_size, "out of memory");
	if (change == NULL)
		return result;
	change->agent = agent;
	change->config = config;
	if (!is_same_store(&agent->config->sip, &config->sip))
		result = open_users(&config->sip, &change->users, error, error_size);
	if (result == 0)
		result = trunks_prepare(agent->trunks, &config->sip, &change->trunks);
	if (result != 0) {
		agent_drop(change);
		return result;
	}
	*out = change;
	return 0;
}

void
agent_switch(struct agent_change *change)
{
	struct agent *agent = change->agent;
	const struct config_sip *sip = &change->config->sip;

	agent->config = change->config;
	if (change->users != NULL) {
		users_close(agent->users);
		agent->users = change->users;
	}
	auth_configure(agent->auth, sip, agent->users);
	registrar_configure(agent->registrar, sip);
	call_limits_configure(agent->limits, sip);
	records_configure(agent->records, &sip->records);
	trunks_switch(change->trunks);
	admission_configure(&sip->limits);
	tls_guard_configure(&sip->limits);
	tls_stack_configure(&sip->limits);
	listener_configure(agent->nta, &sip->limits);
	nta_agent_set_params(agent->nta, NTATAG_MAXSIZE(2 * sip->limits.message_size), TAG_END());
	free(change);
}

void
agent_drop(struct agent_change *change)
{
	if (change == NULL)
		return;
	users_close(change->users);
	trunks_drop(change->trunks);
	free(change);
}
