/* SPDX-License-Identifier: BSD-3-Clause */
/* The configuration of what is written down, traced and passed on of calls. Part of config.h. */
#ifndef RELAY_CONFIG_RECORDS_H
#define RELAY_CONFIG_RECORDS_H

#include "addr.h"

#include <stdint.h>

/* Call records. */
struct config_records {
	char *path;            /* NULL: none are written */
	uint32_t rotate_mb;    /* 0: not for its size */
	uint32_t rotate_hours; /* 0: not for its age */
	uint32_t keep;         /* files moved aside */
};

/* Traces of SIP messages. */
struct config_trace {
	char *hep;       /* "udp:ADDRESS:PORT" of a Homer; NULL: none */
	uint32_t hep_id; /* of this capture agent */
	char *pcap;      /* file; NULL: none */
	uint32_t pcap_mb;
	/* filled in by config_load() from hep */
	struct relay_addr hep_address;
};

/* Which headers pass from one leg to the other. */
struct config_headers {
	char **pass; /* names; set in any case */
	unsigned pass_count;
	char **strip; /* names: these never, whatever else may pass */
	unsigned strip_count;
};

#define CONFIG_HEADERS_MAX 64     /* names in a list */
#define CONFIG_HEADER_NAME_MAX 64 /* characters */

#endif
