/* SPDX-License-Identifier: BSD-3-Clause */
/* What sallyport-sip gives up once its sockets are open. */
#ifndef CONTROL_PRIVILEGE_H
#define CONTROL_PRIVILEGE_H

#include <stddef.h>

/* Becomes `user` (a name or a number; NULL: stays who it is) without any capability, with no way to
 * gain one again; memory is kept out of core files and away from debuggers. Single-threaded
 * process. 0, or -errno after a sentence. */
int privilege_leave(const char *user, char *error, size_t error_size);

#endif
