/* SPDX-License-Identifier: BSD-3-Clause */
#include "core_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* core(5): bit 4 alone, the first page of each mapped program, which says what it was built from */
static const char filter[] = "0x10";

int
core_file_omit_memory(void)
{
	int file = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC);
	int result = 0;

	if (file < 0)
		return -errno;
	if (write(file, filter, sizeof(filter) - 1) < 0)
		result = -errno;
	close(file);
	return result;
}
