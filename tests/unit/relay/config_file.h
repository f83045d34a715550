/* SPDX-License-Identifier: BSD-3-Clause */
/* A configuration file in a folder of its own, for one load. */
#ifndef TEST_CONFIG_FILE_H
#define TEST_CONFIG_FILE_H

#include "relay/config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct config_file {
	char folder[64];
	char path[96];
	char error[512];
	struct config *config;
	int result;
};

/* Writes `length` bytes to a file, loads it, and removes it. On failure there is no config. */
static inline void
config_file_load(struct config_file *file, const void *bytes, size_t length)
{
	memset(file, 0, sizeof(*file));
	strcpy(file->folder, "/tmp/sallyport-config-XXXXXX");
	assert_non_null(mkdtemp(file->folder));
	snprintf(file->path, sizeof(file->path), "%s/s.yaml", file->folder);
	FILE *out = fopen(file->path, "w");
	assert_non_null(out);
	assert_int_equal(length, fwrite(bytes, 1, length, out));
	assert_int_equal(0, fclose(out));
	file->result = config_load(file->path, &file->config, file->error, sizeof(file->error));
	unlink(file->path);
	rmdir(file->folder);
	if (file->result != 0) {
		assert_null(file->config);
		assert_true(file->error[0] != '\0');
		assert_null(strchr(file->error, '\n'));
	}
}

#endif
