/* SPDX-License-Identifier: BSD-3-Clause */
/* What a process that needs no privilege gives up once its sockets are open: sallyport-sip,
 * sallyport-web. */
#ifndef RELAY_PRIVILEGE_H
#define RELAY_PRIVILEGE_H

#include <stdbool.h>

#include <stddef.h>

/* Becomes `user` (a name or a number; NULL: stays who it is) without any capability, with no way to
 * gain one again; memory is kept out of core files and away from debuggers. Single-threaded
 * process. `groups`: it keeps those that `user` is a member of. `field` of the configuration is
 * where `user` is from, for the sentence. 0, or -errno after it. */
int
privilege_leave(const char *user, bool groups, const char *field, char *error, size_t error_size);

#endif
