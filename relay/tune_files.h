/* SPDX-License-Identifier: BSD-3-Clause */
/* Files below a root folder: the system's own, or a fixture's. No name and no symbolic link in it
 * leads out of it. All paths are printf formats, absolute as seen from that root. What is read is
 * printable ASCII, blanks and line ends: whatever else was there shows as "?". */
#ifndef RELAY_TUNE_FILES_H
#define RELAY_TUNE_FILES_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>

struct tune_root {
	int fd;
	bool real; /* it is /, where ioctls and modules are */
};

/* 0 or -errno. */
int tune_root_open(struct tune_root *root, const char *path);
void tune_root_close(struct tune_root *root);

/* The file's text, or as much of it as fits, without the line end at its end. Its length, or
 * -errno; text is "" then. */
__attribute__((format(printf, 4, 5))) long
tune_read(const struct tune_root *root, char *text, size_t size, const char *path, ...);

/* The number that the file begins with, at most 10^15 either way. False: there is none. */
__attribute__((format(printf, 3, 4))) bool
tune_read_number(const struct tune_root *root, long *number, const char *path, ...);

/* Where a symbolic link points to. False: it is none; text is "" then. */
__attribute__((format(printf, 4, 5))) bool
tune_read_link(const struct tune_root *root, char *text, size_t size, const char *path, ...);

__attribute__((format(printf, 2, 3))) bool
tune_exists(const struct tune_root *root, const char *path, ...);

/* NULL: there is none. closedir() it. */
__attribute__((format(printf, 2, 3))) DIR *
tune_folder(const struct tune_root *root, const char *path, ...);

/* The next name in it that is no "." or "..", of at most 63 characters; NULL at its end, or after
 * more names than any system has. `count` begins at 0. */
const char *tune_next(DIR *folder, unsigned *count);

/* Writes text to a file that exists. 0 or -errno. */
__attribute__((format(printf, 3, 4))) int
tune_write(const struct tune_root *root, const char *text, const char *path, ...);

#endif
