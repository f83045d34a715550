/* SPDX-License-Identifier: BSD-3-Clause */
/* What sallyport-sip counts, by name, since its start: "sallyctl sip stats" shows them. New rows go
 * to the end of their group; names are for people and monitoring alike, so they stay. Event-loop
 * thread alone. */
#ifndef CONTROL_COUNTERS_H
#define CONTROL_COUNTERS_H

#include <stdint.h>

#define COUNTERS(X)                                                                             \
	/* connections */                                                                       \
	X(TLS_ACCEPTED, "tls.accepted", "TLS handshakes of others with us that succeeded")      \
	X(TLS_CONNECTED, "tls.connected", "TLS handshakes of ours with a trunk that succeeded") \
	X(TLS_RESUMED, "tls.resumed", "of the handshakes: sessions resumed")                    \
	X(TLS_FAILED, "tls.failed", "TLS handshakes that failed")                               \
	X(TLS_PEER_REFUSED, "tls.peer_refused",                                                 \
		"a peer's certificate did not verify, or was none")                             \
	/* call records */                                                                      \
	X(RECORDS_WRITTEN, "records.written", "call records in their file")                     \
	X(RECORDS_RETRIED, "records.retried", "times that the file did not take a record")      \
	X(RECORDS_LOST, "records.lost", "call records for which there was no room in memory")

enum counter {
#define COUNTER_ENUM(symbol, name, help) COUNTER_##symbol,
	COUNTERS(COUNTER_ENUM)
#undef COUNTER_ENUM
		COUNTER_COUNT
};

void counters_add(enum counter counter);
uint64_t counters_get(enum counter counter);

/* The counter's name ("tls.accepted") and its sentence. */
const char *counters_name(enum counter counter);
const char *counters_help(enum counter counter);

#endif
