/* SPDX-License-Identifier: BSD-3-Clause */
/* What DPDK itself has to say: its lines become lines of our log, and while something is being
 * opened they are kept back instead, to be the cause in our own sentence. */
#ifndef DATAPLANE_EAL_LOG_H
#define DATAPLANE_EAL_LOG_H

/* Takes over DPDK's log, before rte_eal_init(). 0 or -errno. */
int eal_log_start(void);

/* Takes over what libbpf and libxdp say, which net_af_xdp uses and which would write to stderr.
 * After rte_eal_init(), which loads the drivers. */
void eal_log_adopt_libraries(void);

/* Gives it back to stderr; after rte_eal_cleanup(). */
void eal_log_stop(void);

/* From here on DPDK's errors are kept back (and logged at debug level only). */
void eal_log_hold(void);

/* Ends that. Returns the last error kept back, without "EAL: " and line end; "no cause was given"
 * when there was none. Static storage, until the next eal_log_hold(). */
const char *eal_log_release(void);

#endif
