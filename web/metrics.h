/* SPDX-License-Identifier: BSD-3-Clause */
/* GET /metrics: a snapshot in Prometheus's text format. docs/metrics.md names each family. */
#ifndef WEB_METRICS_H
#define WEB_METRICS_H

#include "snapshot.h"
#include "text.h"

/* What the web process counts of itself. */
struct web_counters {
	uint64_t requests[6];        /* answered, by the first digit of their status */
	uint64_t logins_failed;      /* wrong user or password */
	uint64_t logins_locked;      /* not looked at, after too many */
	uint64_t hosts_refused;      /* asked for by a foreign host name */
	uint64_t cut;                /* connections cut off: no whole request in time */
	unsigned readers;            /* of /events, now */
	int64_t certificate_expires; /* of web.certificate, since 1970; 0: there is none */
	uint64_t started_ms;         /* since 1970 */
};

void
metrics_write(struct text *out, const struct snapshot *snapshot, const struct web_counters *web);

/* Its parts, by plane. */
void metrics_write_media(struct text *out, const struct media_view *media, const double *busy);
void metrics_write_sip(struct text *out, const struct sip_view *sip);

#endif
