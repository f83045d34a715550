/* SPDX-License-Identifier: BSD-3-Clause */
/* What a running sallyport-sip takes over from its configuration when it is told to (SIGHUP): the
 * log's level, certificates, keys and authorities. Calls and connections go on. Event-loop thread
 * alone. */
#ifndef CONTROL_RELOAD_H
#define CONTROL_RELOAD_H

/* Reads the configuration at `path` anew. A fault anywhere leaves everything as it was, and is said
 * in the log. 0 or -errno. */
int reload(const char *path);

#endif
