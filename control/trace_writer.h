/* SPDX-License-Identifier: BSD-3-Clause */
/* Takes messages of a trace to where they go, in a thread of its own: a full disk or a Homer that
 * is away holds up no call. Between them and the event loop is a queue with an end. */
#ifndef CONTROL_TRACE_WRITER_H
#define CONTROL_TRACE_WRITER_H

#include "relay/config.h"
#include "trace_message.h"

struct trace_writer;

/* Opens socket and file, and starts the thread. 0, or -errno after a sentence. */
int trace_writer_create(const struct config_trace *config, struct trace_writer **out, char *error,
	size_t error_size);

/* Writes what is in the queue, and ends. */
void trace_writer_destroy(struct trace_writer *writer);

/* Takes over the message, allocated by malloc(). False: the queue was full, it is freed and
 * counted. */
bool trace_writer_put(struct trace_writer *writer, struct trace_message *message);

/* Messages that the queue, the disk or the network did not take, since the start. */
uint64_t trace_writer_lost(struct trace_writer *writer);

#endif
