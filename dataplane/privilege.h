/* SPDX-License-Identifier: BSD-3-Clause */
/* What the process may do, once its devices are open. Control thread. */
#ifndef DATAPLANE_PRIVILEGE_H
#define DATAPLANE_PRIVILEGE_H

#include <stddef.h>
#include <sys/types.h>

/* The ids of `user`, a name or a number; both stay as they are for NULL. A number that no user has
 * is its own group. 0, or -errno after a sentence. */
int privilege_user(const char *user, uid_t *uid, gid_t *gid, char *error, size_t error_size);

/* Takes from every thread of the process, those of DPDK too, what is not needed after start:
 *
 * - becomes `user` with its groups (NULL: stays who it is);
 * - no capability in any thread, in none of the sets, but CAP_NET_ADMIN in the calling one: it asks
 *   the kernel to resolve neighbours, and at the end takes the XDP program off the device and the
 *   routing rule away;
 * - no way back: an empty bounding set, and no_new_privs;
 * - memory is not dumpable and leaves no core file: session keys lie in it.
 *
 * Everything is read back from the kernel. 0; or -errno after a sentence, and then the process must
 * end. Threads made later inherit from the one that makes them. */
int privilege_drop(const char *user, char *error, size_t error_size);

#endif
