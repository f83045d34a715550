/* SPDX-License-Identifier: BSD-3-Clause */
#include "record_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Only whole lines count: what stands behind the last newline was never finished. */
static int
cut_half_line(struct record_file *file)
{
	char bytes[4096];
	uint64_t end = file->size;

	while (end > 0) {
		size_t count = end < sizeof(bytes) ? (size_t)end : sizeof(bytes);
		ssize_t got = pread(file->fd, bytes, count, (off_t)(end - count));
		if (got != (ssize_t)count)
			return got < 0 ? -errno : -EIO;
		const char *newline = memrchr(bytes, '\n', count);
		if (newline != NULL) {
			end = end - count + (uint64_t)(newline - bytes) + 1;
			break;
		}
		end -= count;
	}
	if (end != file->size && ftruncate(file->fd, (off_t)end) != 0)
		return -errno;
	file->size = end;
	return 0;
}

int
record_file_open(struct record_file *file)
{
	struct stat facts;
	int result = 0;

	file->fd = open(file->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (file->fd < 0)
		return -errno;
	if (fstat(file->fd, &facts) != 0)
		result = -errno;
	else if (!S_ISREG(facts.st_mode))
		result = -EINVAL;
	if (result == 0) {
		file->size = (uint64_t)facts.st_size;
		file->written_at = file->size > 0 ? facts.st_mtime : 0;
		result = cut_half_line(file);
	}
	if (result != 0)
		record_file_close(file);
	return result;
}

void
record_file_close(struct record_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}

/* PATH becomes PATH.1, and so on; what would be PATH.KEEP+1 is gone. */
static int
move_aside(struct record_file *file)
{
	char from[PATH_MAX], to[PATH_MAX];

	if (file->keep == 0)
		return unlink(file->path) == 0 || errno == ENOENT ? 0 : -errno;
	for (uint32_t i = file->keep; i >= 1; i--) {
		snprintf(to, sizeof(to), "%s.%u", file->path, i);
		if (i > 1)
			snprintf(from, sizeof(from), "%s.%u", file->path, i - 1);
		else
			snprintf(from, sizeof(from), "%s", file->path);
		if (rename(from, to) != 0 && errno != ENOENT)
			return -errno;
	}
	return 0;
}

static bool
is_span_over(const struct record_file *file, time_t now)
{
	return file->rotate_s != 0 && file->written_at != 0 &&
	       now / (time_t)file->rotate_s != file->written_at / (time_t)file->rotate_s;
}

static int
rotate(struct record_file *file)
{
	int result = move_aside(file);

	if (result != 0)
		return result;
	record_file_close(file);
	return record_file_open(file);
}

int
record_file_append(struct record_file *file, const char *line, size_t length, time_t now)
{
	int result = file->fd < 0 ? record_file_open(file) : 0;

	if (result != 0)
		return result;
	bool large = file->rotate_bytes != 0 && file->size > 0 &&
	             file->size + length > file->rotate_bytes;
	/* a file that can't be moved aside is better too large than left */
	if ((large || is_span_over(file, now)) && rotate(file) != 0 && file->fd < 0)
		return -EIO;
	ssize_t written = write(file->fd, line, length);
	if (written == (ssize_t)length) {
		file->size += length;
		file->written_at = now;
		return 0;
	}
	result = written < 0 ? -errno : -ENOSPC;
	if (written > 0 && ftruncate(file->fd, (off_t)file->size) != 0)
		record_file_close(file); /* the next one opens it anew, and cuts it */
	return result;
}

int
record_file_look(struct record_file *file, time_t now)
{
	struct stat ours, there;

	if (file->fd < 0)
		return record_file_open(file);
	if (fstat(file->fd, &ours) != 0)
		return -errno;
	if (stat(file->path, &there) != 0 || there.st_ino != ours.st_ino ||
		there.st_dev != ours.st_dev) {
		record_file_close(file);
		return record_file_open(file);
	}
	return is_span_over(file, now) ? rotate(file) : 0;
}

bool
record_file_ends_with(const struct record_file *file, const char *text)
{
	size_t count = file->size < RECORD_FILE_TAIL ? (size_t)file->size : RECORD_FILE_TAIL;
	char *bytes = file->fd >= 0 && count > 0 ? malloc(count) : NULL;
	bool found = false;

	if (bytes == NULL)
		return false;
	if (pread(file->fd, bytes, count, (off_t)(file->size - count)) == (ssize_t)count)
		found = memmem(bytes, count, text, strlen(text)) != NULL;
	free(bytes);
	return found;
}
