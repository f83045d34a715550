/* SPDX-License-Identifier: BSD-3-Clause */
/* Mends a fault in Sofia-SIP 1.12.11: its resolver follows a name whose compression points back at
 * itself for ever, so that one datagram of a DNS server's, or of somebody who answers before it,
 * halts the process. dns_mend.c has a sres_resolver_receive() that is reached first, by the stack
 * itself, and lets it see no such answer. */
#ifndef CONTROL_DNS_MEND_H
#define CONTROL_DNS_MEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Is it a whole DNS message (RFC 1035 4.1), all of whose names come to an end? Any thread. */
bool dns_is_sound(const uint8_t *message, size_t length);

#endif
