/* SPDX-License-Identifier: BSD-3-Clause */
#include "reload.h"

#include "certificates.h"
#include "counters.h"
#include "relay/config.h"
#include "relay/log.h"
#include "tls_context.h"

#include <errno.h>
#include <stdio.h>

int
reload(const char *path)
{
	struct config *config = NULL;
	char error[512] = "";
	int result = config_load(path, &config, error, sizeof(error));

	if (result == 0 && config->sip.address == NULL) {
		snprintf(error, sizeof(error), "%s: there is no section \"sip\"", path);
		result = -EINVAL;
	}
	if (result == 0)
		result = tls_context_reload(&config->sip, error, sizeof(error));
	if (result == 0) {
		log_info("read anew: %s, certificates", path); /* before it may be too quiet */
		log_set_level(config->log_level);
		certificates_look();
		counters_add(COUNTER_RELOADS);
	} else {
		counters_add(COUNTER_RELOADS_FAILED);
		log_error("nothing is changed: %s", error);
	}
	config_free(config);
	return result;
}
