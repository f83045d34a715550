/* SPDX-License-Identifier: BSD-3-Clause */
/* What the fuzzers share. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void
demand(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

/* A line that is shown or sent on must not hold one of these. */
static inline bool
has_control(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	return false;
}

/* The input as a text of its own, so that AddressSanitizer sees who reads past its end. */
static inline char *
text_of(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	demand(text != NULL, "out of memory");
	memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

/* Up to the next NUL: takes it off the input. */
static inline const char *
take_text(char **rest, const char *end)
{
	char *text = *rest < end ? *rest : (char *)(uintptr_t)end;

	*rest = text + strlen(text) + 1;
	return text;
}

/* A folder in memory for the process's life. Its end removes what fuzz_path() named. */
#define FUZZ_PATHS 8
#define FUZZ_PATH_SIZE 96
static struct {
	char folder[32];
	char path[FUZZ_PATHS][FUZZ_PATH_SIZE];
	unsigned paths;
} fuzz_files __attribute__((unused));

static inline void
fuzz_remove_files(void)
{
	for (unsigned i = 0; i < fuzz_files.paths; i++)
		unlink(fuzz_files.path[i]);
	rmdir(fuzz_files.folder);
}

static inline const char *
fuzz_path(const char *name)
{
	if (fuzz_files.folder[0] == '\0') {
		strcpy(fuzz_files.folder, "/dev/shm/sallyport-fuzz-XXXXXX");
		demand(mkdtemp(fuzz_files.folder) != NULL, "no folder in /dev/shm");
		atexit(fuzz_remove_files);
	}
	demand(fuzz_files.paths < FUZZ_PATHS, "too many files");
	char *path = fuzz_files.path[fuzz_files.paths++];
	snprintf(path, FUZZ_PATH_SIZE, "%s/%s", fuzz_files.folder, name);
	return path;
}

static inline void
fuzz_write(const char *path, const void *bytes, size_t size)
{
	FILE *file = fopen(path, "we");

	demand(file != NULL && fwrite(bytes, 1, size, file) == size, "the file can't be written");
	fclose(file);
}

#endif
