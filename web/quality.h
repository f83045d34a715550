/* SPDX-License-Identifier: BSD-3-Clause */
/* Histograms of how well legs are heard: each leg is looked at every QUALITY_EVERY_MS at most, so
 * that a histogram is of moments of legs, whoever asks, and its rate that of the time between two
 * scrapes. No label tells one call from another. */
#ifndef WEB_QUALITY_H
#define WEB_QUALITY_H

#include "snapshot.h"
#include "text.h"

#define QUALITY_EVERY_MS 10000
#define QUALITY_PACKETS 50 /* expected, at least, for a share of lost ones to say something */

/* Notes what a snapshot holds. `now_ms`: by snapshot_now_ms(). The snapshots' thread alone. */
void quality_observe(const struct media_view *media, uint64_t now_ms);

/* Their exposition. Any thread. */
void quality_expose(struct text *out);

#endif
