/* SPDX-License-Identifier: BSD-3-Clause */
/* A file of lines that grows by whole lines, and is moved aside when it is large or old. One thread
 * uses it. */
#ifndef CONTROL_RECORD_FILE_H
#define CONTROL_RECORD_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct record_file {
	char *path;
	uint64_t rotate_bytes; /* a file that would grow beyond it is moved aside; 0: never */
	uint32_t rotate_s; /* a new file for each such span of UTC, counted from 1970; 0: never */
	uint32_t keep;     /* PATH.1 (the newest) to PATH.KEEP */
	int fd;            /* -1: not open, which the next append mends */
	uint64_t size;
	time_t written_at; /* wall clock; 0: it is empty */
};

/* Opens the file or makes it (mode 0640), and cuts off the half line that a crash left. 0, or
 * -errno with file->fd == -1: record_file_append() tries again. */
int record_file_open(struct record_file *file);
void record_file_close(struct record_file *file);

/* Appends the line (which ends with a newline) whole, or not at all. Rotates before, if it is time.
 * 0, or -errno: the file is as it was. */
int record_file_append(struct record_file *file, const char *line, size_t length, time_t now);

/* Moves the file aside if its span of time is over, and goes on in a new one if somebody else moved
 * or removed it. 0, or -errno. */
int record_file_look(struct record_file *file, time_t now);

/* Does one of the last lines hold this text? Looks at RECORD_FILE_TAIL bytes. */
#define RECORD_FILE_TAIL (256 * 1024)
bool record_file_ends_with(const struct record_file *file, const char *text);

#endif
