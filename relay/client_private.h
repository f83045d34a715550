/* SPDX-License-Identifier: BSD-3-Clause */
/* The parts of the relay API's client, for client*.c alone. */
#ifndef RELAY_CLIENT_PRIVATE_H
#define RELAY_CLIENT_PRIVATE_H

#include "api.h"

#include <stdbool.h>
#include <stddef.h>

/* Is what came (`left` bytes of a datagram, 8-aligned) a whole message that a relay may send? Its
 * counts fit its length; afterwards each text in it ends within its field. */
bool client_check_message(struct relay_header *header, size_t left);

#endif
