/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of sallyctl-user share. */
#ifndef CONTROL_SALLYCTL_USER_H
#define CONTROL_SALLYCTL_USER_H

#include "users.h"

enum exit_code { DONE = 0, REFUSED = 1, USAGE = 2, UNREACHABLE = 3 };

/* Says it on standard error, and returns the code. */
int complain(int code, const char *what);

/* Adds the users of a file of JSON lines ("-": of standard input) to the store. realm: of those who
 * name none; may be NULL. Who is refused is told of, with the line; the others are added. Returns
 * what to exit with. */
int import_users(const char *file, const char *realm, struct users *users);

#endif
