/* SPDX-License-Identifier: BSD-3-Clause */
/* An agent without users, listeners and a relay, whose SIP stack has a port of loopback that nobody
 * knows. */
#ifndef TESTS_FUZZ_AGENT_STAGE_H
#define TESTS_FUZZ_AGENT_STAGE_H

#include "control/agent.h"

/* Made once, for the process's life. Its domain is home.example, its trunk "carrier", its control
 * socket `socket`. */
struct agent *agent_stage(const char *socket);

#endif
