/* SPDX-License-Identifier: BSD-3-Clause */
/* Which engine is the fastest here? The CPU's name doesn't tell: on some, the widest instructions
 * are no faster than the narrowest. So it's tried. */
#ifndef DATAPLANE_ENGINE_TRIAL_H
#define DATAPLANE_ENGINE_TRIAL_H

#include "engine.h"

#define ENGINE_TRIAL_MAX 8 /* engines */

/* Lets n usable engines (at most ENGINE_TRIAL_MAX) verify and transcrypt packets of 20 ms of G.711,
 * in turn, for some milliseconds together; ns[i] is what a packet cost the i-th, 0 if it could not
 * be made. Any thread. */
void engine_trial(const struct crypto_engine *const candidates[], unsigned n, double ns[]);

#endif
