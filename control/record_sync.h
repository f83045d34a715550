/* SPDX-License-Identifier: BSD-3-Clause */
/* fdatasync() in a thread of its own: a disk that takes seconds must not hold up a call. */
#ifndef CONTROL_RECORD_SYNC_H
#define CONTROL_RECORD_SYNC_H

#include <stdbool.h>

struct record_sync;

/* NULL: out of memory, or no thread. */
struct record_sync *record_sync_create(void);

/* Ends when the one that runs is done. */
void record_sync_destroy(struct record_sync *sync);

/* Has both files' data brought to the disk, soon; -1: none. While an earlier wish is being carried
 * out nothing happens. Returns whether the wish was taken. */
bool record_sync_ask(struct record_sync *sync, int first, int second);

#endif
