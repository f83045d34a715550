/* SPDX-License-Identifier: BSD-3-Clause */
/* Metrics in Prometheus's text format 0.0.4: a family's two comment lines, then its samples. */
#ifndef WEB_EXPOSITION_H
#define WEB_EXPOSITION_H

#include "text.h"

#include <stdint.h>

#define EXPOSITION_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Begins a family: `type` is "counter", "gauge" or "histogram". */
void exposition_family(struct text *out, const char *name, const char *type, const char *help);

/* A sample of it. Then label names and their values in turn, ended by a NULL. Values are escaped; a
 * byte in them that is no UTF-8 becomes a "?". */
void exposition_integer(struct text *out, const char *name, uint64_t value, ...)
	__attribute__((sentinel));
void
exposition_number(struct text *out, const char *name, double value, ...) __attribute__((sentinel));

/* The samples of one histogram, with the labels besides "le". `counts` has one more than `bounds`
 * (those above all bounds) and is not cumulative. */
void exposition_histogram(struct text *out, const char *name, const double *bounds,
	const uint64_t *counts, unsigned count, double sum, const char *labels[4]);

#endif
