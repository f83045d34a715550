/* SPDX-License-Identifier: BSD-3-Clause */
/* The order of RFC 2782: by priority, and at random among equals, by weight. A pure function. */
#ifndef CONTROL_WEIGHT_H
#define CONTROL_WEIGHT_H

#include <stddef.h>
#include <stdint.h>

struct weighted {
	uint32_t priority; /* lower comes first */
	uint32_t weight;   /* 0: now and then */
	const void *what;
};

/* Sorts the entries. `random` gives numbers from 0 to below its argument. */
void weight_order(struct weighted *entries, size_t count, uint32_t (*random)(uint32_t below));

/* Such a function, by OpenSSL's generator. */
uint32_t weight_random(uint32_t below);

#endif
