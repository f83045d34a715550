/* SPDX-License-Identifier: BSD-3-Clause */
/* Runs one batch through every engine that this CPU can run, and compares what they make of it. */
#ifndef TESTS_ENGINES_AGREE_H
#define TESTS_ENGINES_AGREE_H

#include "dataplane/engine.h"

#define AGREE_LENGTH_MAX 2000 /* bytes of a packet */
#define AGREE_HEADER 12       /* bytes in clear before what is encrypted */

/* A packet of the batch, as its sender has it in clear. */
struct agree_packet {
	unsigned from, to; /* suites; 0: in clear */
	unsigned length;   /* AGREE_HEADER to AGREE_LENGTH_MAX */
	bool rtcp;
	unsigned forged; /* 0: genuine; else this bit of its tag is wrong, counted from 1 */
	uint32_t ssrc;
	uint64_t rx_index, tx_index;
	const uint8_t *text; /* `length` bytes */
};

/* Makes keys, one of each suite and side, and the engines' states. 0 or -1. */
int agree_start(void);
void agree_stop(void);

/* The batch through each engine, each packet in memory that ends SRTP_TAG_MAX bytes behind. NULL:
 * all made the same of it; else a sentence that says which did not. */
const char *engines_agree(const struct agree_packet packets[], unsigned n);

#endif
