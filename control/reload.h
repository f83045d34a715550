/* SPDX-License-Identifier: BSD-3-Clause */
/* A running sallyport-sip reads its configuration anew: whole, or not at all
 * (relay/config_reload.h tells what may change). Calls and connections go on. Event-loop thread
 * alone, and from no callback of the stack's. */
#ifndef CONTROL_RELOAD_H
#define CONTROL_RELOAD_H

#include "agent.h"
#include "relay/config_reload.h"

#define RELOAD_ERROR_SIZE 512

/* Reads the file that the configuration in force came from, with all certificates and passwords
 * that it names. `apply`: puts it in force; otherwise only says whether that could be done. 0 and
 * what differs (to be freed with config_changes_free()), or -errno after a sentence, and everything
 * is as it was. */
int reload(struct agent *agent, bool apply, struct config_changes *changes,
	char error[RELOAD_ERROR_SIZE]);

#endif
