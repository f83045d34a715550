/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether a request outside of any dialog is looked at: token buckets for each source, and how
 * much there is to do (RFC 7339's idea). Requests inside dialogs are never asked about. Event-loop
 * thread alone. */
#ifndef CONTROL_ADMISSION_H
#define CONTROL_ADMISSION_H

#include <sofia-sip/sip.h>

struct agent;
struct source;

enum admission {
	ADMISSION_ACCEPT,
	ADMISSION_BUSY, /* 503 with Retry-After */
	ADMISSION_DROP, /* no answer: the source is far beyond its share */
};

/* Counts each refusal by its name. For ADMISSION_BUSY, *retry_after_s is set. */
enum admission admission_check(struct agent *agent, const struct source *source,
	sip_method_t method, unsigned *retry_after_s);

#endif
