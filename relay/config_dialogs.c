/* SPDX-License-Identifier: BSD-3-Clause */
/* What may happen in a call, and how long it lasts unasked: defaults and checks. */
#include "config_private.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STORE_NAME "dialogs.log"
#define STORE_FOLDER "/var/lib/sallyport-sip"
#define NO_STORE "none"
#define PATH_ROOM 32 /* characters, for what is put behind a path */

/* Beside the bindings, where those are in a file: so that each sallyport-sip has its own. */
static char *
default_store(const char *bindings)
{
	const char *slash = bindings != NULL && bindings[0] == '/' ? strrchr(bindings, '/') : NULL;
	char *path;

	if (slash == NULL)
		return strdup(STORE_FOLDER "/" STORE_NAME);
	return asprintf(&path, "%.*s/" STORE_NAME, (int)(slash - bindings), bindings) < 0 ? NULL
	                                                                                  : path;
}

int
config_dialogs_default(struct config_sip *sip)
{
	struct config_dialogs *dialogs = &sip->dialogs;

	if (dialogs->store != NULL && strcmp(dialogs->store, NO_STORE) == 0) {
		free(dialogs->store);
		dialogs->store = NULL;
	} else if (dialogs->store == NULL) {
		dialogs->store = default_store(sip->bindings);
		if (dialogs->store == NULL)
			return -ENOMEM;
	}
	return 0;
}

int
config_dialogs_check(const struct config_complaint *to, struct config_sip *sip)
{
	struct config_dialogs *dialogs = &sip->dialogs;

	if (dialogs->store != NULL &&
		(dialogs->store[0] != '/' || strlen(dialogs->store) >= PATH_MAX - PATH_ROOM))
		return config_complain_of(to, "sip.dialogs",
			"\"%s\" is no absolute path, nor \"" NO_STORE "\"", dialogs->store);
	if (dialogs->session_expires_s == 0)
		return 0;
	return config_check_range(to, "sip.session_expires_s", dialogs->session_expires_s,
		dialogs->session_min_s, config_table_most("sip.session_expires_s"));
}
