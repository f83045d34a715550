/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTS_BOX_PRIVATE_H
#define TESTS_BOX_PRIVATE_H

#include <stdbool.h>

#define BOX_MAC                        \
	{                              \
		0x02, 0, 0, 0, 0, 0x99 \
	}

extern bool box_resolved; /* false: no next hop has a link address */
unsigned box_nexthop_references(void);

#endif
