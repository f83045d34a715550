/* SPDX-License-Identifier: BSD-3-Clause */
/* The TLS listeners: where phones connect and log in, and where trunks connect and show a
 * certificate. */
#ifndef CONTROL_LISTENER_H
#define CONTROL_LISTENER_H

#include "relay/config.h"

#include <sofia-sip/nta.h>
#include <stddef.h>

/* The name in the stack (TPTAG_IDENT) of the listener that trunks are connected to from, if there
 * is one for trunks. */
#define LISTENER_PEERING "peering"

/* Listens at sip.address and sip.peering.address; for 0.0.0.0 or "::", at each address that the
 * machine has now. After tls_context_start(). 0, or -errno after a sentence. */
int
listener_open(nta_agent_t *nta, const struct config_sip *config, char *error, size_t error_size);

/* New connections get these limits. */
void listener_configure(nta_agent_t *nta, const struct config_limits *limits);

#endif
