/* SPDX-License-Identifier: BSD-3-Clause */
/* Traces: each SIP message that was received or sent, blanked of secrets (trace_blank.h), goes to
 * Homer by HEP or into a pcap file. Event-loop thread alone. */
#ifndef CONTROL_TRACE_H
#define CONTROL_TRACE_H

#include "relay/config.h"

#include <sofia-sip/nta.h>

struct trace;

/* Opens where traces go, as the user that this process is now, and begins to trace. *out is NULL
 * where the configuration wants none. There is one at a time. 0, or -errno after a sentence. */
int trace_open(nta_agent_t *nta, const struct config_trace *config, struct trace **out, char *error,
	size_t error_size);

/* Stops and begins again; NULL is allowed. */
void trace_set(struct trace *trace, bool on);
bool trace_is_on(const struct trace *trace);

/* Messages that could not be written down. */
uint64_t trace_lost(const struct trace *trace);

void trace_close(struct trace *trace);

#endif
