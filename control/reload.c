/* SPDX-License-Identifier: BSD-3-Clause */
#include "reload.h"

#include "certificates.h"
#include "counters.h"
#include "generation.h"
#include "relay/log.h"
#include "tls_context.h"
#include "tls_files.h"

#include <errno.h>
#include <stdio.h>

static int
load(struct agent *agent, struct config **out, struct config_changes *changes,
	char error[RELOAD_ERROR_SIZE])
{
	const char *path = agent->config->path;
	int result = config_load(path, out, error, RELOAD_ERROR_SIZE);

	if (result != 0)
		return result;
	if ((*out)->sip.address == NULL) {
		snprintf(error, RELOAD_ERROR_SIZE, "%s: there is no section \"sip\"", path);
		return -EINVAL;
	}
	result = config_diff(agent->config, *out, CONFIG_READER_SIP, changes);
	if (result != 0) {
		snprintf(error, RELOAD_ERROR_SIZE, "out of memory");
		return result;
	}
	if (changes->restarts > 0) {
		config_changes_refusal(changes, path, "sallyport-sip", error, RELOAD_ERROR_SIZE);
		return -EPERM;
	}
	return config_read_secrets(*out, error, RELOAD_ERROR_SIZE);
}

/* The new one, ready to be put in force. The certificates are the last that can fail. */
static int
apply_all(struct agent *agent, struct config *config, struct agent_change *change,
	const struct config_changes *changes, char error[RELOAD_ERROR_SIZE])
{
	struct generation *generation = generation_create(config);

	if (generation == NULL) {
		snprintf(error, RELOAD_ERROR_SIZE, "out of memory");
		agent_drop(change);
		config_free(config);
		return -ENOMEM;
	}
	int result = tls_context_reload(&config->sip, error, RELOAD_ERROR_SIZE);
	if (result != 0) {
		agent_drop(change);
		generation_drop(generation);
		return result;
	}
	config_changes_log(
		changes, config->path, ", certificates"); /* before it may be too quiet */
	agent_switch(change);
	generation_switch(generation); /* only now: nothing points into the one before but calls */
	log_set_level(config->log_level);
	certificates_look();
	return 0;
}

int
reload(struct agent *agent, bool apply, struct config_changes *changes,
	char error[RELOAD_ERROR_SIZE])
{
	struct config *config = NULL;
	struct agent_change *change = NULL;

	*changes = (struct config_changes){.at = NULL};
	error[0] = '\0';
	int result = load(agent, &config, changes, error);
	if (result == 0)
		result = agent_prepare(agent, config, &change, error, RELOAD_ERROR_SIZE);
	if (result == 0 && apply) {
		result = apply_all(agent, config, change, changes, error);
	} else {
		if (result == 0)
			result = tls_files_check(&config->sip, error, RELOAD_ERROR_SIZE);
		agent_drop(change);
		config_free(config);
	}
	if (result == 0) {
		if (apply)
			counters_add(COUNTER_RELOADS);
		return 0;
	}
	counters_add(COUNTER_RELOADS_FAILED);
	log_error("nothing is changed: %s", error);
	config_changes_free(changes);
	return result;
}
