/* SPDX-License-Identifier: BSD-3-Clause */
/* Where call records go: the file, the journal beside it, and what waits for either. Event-loop
 * thread alone.
 *
 * What a line is worth: it is with the kernel when record_end() returns, so that neither the end of
 * this process nor a kill -9 loses it; it is on the disk within two seconds (fdatasync by a thread
 * of its own, which no call waits for), so that a machine without power loses that much. */
#ifndef CONTROL_RECORDS_H
#define CONTROL_RECORDS_H

#include "record.h"
#include "relay/config.h"

#include <sofia-sip/su_wait.h>

/* Opens file and journal, as the user that this process is now; then record_resume() for each call
 * of an earlier life that goes on, and records_settle(). *out is NULL where the configuration wants
 * no records. 0, or -errno after a sentence. A full disk is no reason not to start. */
int records_open(su_root_t *root, const struct config_records *config, struct records **out,
	char *error, size_t error_size);

/* When its file is moved aside from now on: `path` is as before. NULL: nothing to do. */
void records_configure(struct records *records, const struct config_records *config);

/* Writes the records of the calls that an earlier life left, and that don't go on. NULL: none. */
void records_settle(struct records *records);

/* Tries once more to write what waits. */
void records_close(struct records *records);

#endif
