/* SPDX-License-Identifier: BSD-3-Clause */
/* Keys lie in the memory of both daemons: none of it may get into a core file. */
#ifndef RELAY_CORE_FILE_H
#define RELAY_CORE_FILE_H

/* Leaves of a core file of this process, by the kernel or by gcore, the threads' registers and the
 * files that are mapped: no heap, no stack, no hugepage. Beside that no core file is made at all
 * once privileges are dropped; this holds where somebody lifts that, and for what crashes before.
 * At start, before other threads; inherited by child processes. 0 or -errno. */
int core_file_omit_memory(void);

#endif
