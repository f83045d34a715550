/* SPDX-License-Identifier: BSD-3-Clause */
/* A client of sallyport-sip's control socket (control/control_socket.h tells what can be asked):
 * blocking, for tools. */
#ifndef RELAY_CONTROL_CLIENT_H
#define RELAY_CONTROL_CLIENT_H

#include <jansson.h>
#include <stdbool.h>

/* Connects to the socket at `path`; an answer is waited for at most answer_ms. Returns the
 * descriptor, which the caller closes, or -errno (-ENOENT, -ECONNREFUSED: no sallyport-sip there;
 * -EACCES). */
int control_client_connect(const char *path, unsigned answer_ms);

/* One question, one answer: {"show": what, "from": from}, with "on" where `set` is "on" or "off",
 * not NULL. The answer is the caller's, who gives it back; NULL: there was none, in time or at
 * all, and the descriptor is good for nothing more. */
json_t *control_client_ask(int fd, const char *what, const char *set, json_int_t from);

/* Has it read its configuration anew (`apply`), or say whether it could: {"changes": [...]}, or
 * {"error": sentence}. NULL as above. */
json_t *control_client_reload(int fd, bool apply);

#endif
