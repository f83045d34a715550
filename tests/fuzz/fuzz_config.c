/* SPDX-License-Identifier: BSD-3-Clause */
/* Any text as the configuration: refused with a sentence, or taken. */
#include "relay/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	char path[64], error[512] = "";
	struct config *config;

	if (fd < 0)
		fd = memfd_create("config", 0);
	if (fd < 0 || ftruncate(fd, 0) != 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (config_load(path, &config, error, sizeof(error)) == 0)
		config_free(config);
	else if (error[0] == '\0' || strlen(error) >= sizeof(error))
		abort();
	return 0;
}
