/* SPDX-License-Identifier: BSD-3-Clause */
/* The TLS listener: where phones connect. */
#ifndef CONTROL_LISTENER_H
#define CONTROL_LISTENER_H

#include "relay/config.h"

#include <sofia-sip/nta.h>
#include <stddef.h>

/* Listens at sip.address, with its certificate and key; for 0.0.0.0 or "::", at each address that
 * the machine has now. 0, or -errno after a sentence. */
int
listener_open(nta_agent_t *nta, const struct config_sip *config, char *error, size_t error_size);

#endif
