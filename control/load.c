/* SPDX-License-Identifier: BSD-3-Clause */
#include "load.h"

#define WEIGHT 0.25 /* of the newest measurement */
#define LATE_MOST 4 /* times the limit: one stop of the whole machine is no load */
#define RISE 0.1    /* a tick, when work is as late as it may be; more when it is later */
#define RISE_MOST 0.3
#define FALL 0.02

/* Times the limit. After the machine stood still for a moment, a loop with little to spare has no
 * pause for several times as long: no reason to refuse those who are known. */
static const double jam[] = {[LOAD_STRANGER] = 1, [LOAD_KNOWN] = 10, [LOAD_PROVING] = 30};

void
load_tick(struct load *load, double late_ms, double limit_ms)
{
	if (late_ms > LATE_MOST * limit_ms)
		late_ms = LATE_MOST * limit_ms;
	load->late_ms += (late_ms - load->late_ms) * WEIGHT;
	if (load->late_ms > limit_ms) {
		double step = RISE * load->late_ms / limit_ms;
		load->refused += step > RISE_MOST ? RISE_MOST : step;
	} else {
		load->refused -= FALL;
	}
	if (load->refused < 0)
		load->refused = 0;
	if (load->refused > 2)
		load->refused = 2;
}

bool
load_refuses(const struct load *load, bool known, double chance)
{
	return chance < (known ? load->refused - 1 : load->refused);
}

bool
load_jams(double busy_ms, double limit_ms, enum load_rank rank)
{
	return busy_ms > jam[rank] * limit_ms;
}
