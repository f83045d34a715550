/* SPDX-License-Identifier: BSD-3-Clause */
#include "tune_files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NAMES_MAX 100000 /* of a folder: /proc with every process of a big box */
#define NUMBER_MAX 1000000000000000L

int
tune_root_open(struct tune_root *root, const char *path)
{
	struct stat here, top;

	root->fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root->fd < 0)
		return -errno;
	root->real = fstat(root->fd, &here) == 0 && stat("/", &top) == 0 &&
	             here.st_dev == top.st_dev && here.st_ino == top.st_ino;
	return 0;
}

void
tune_root_close(struct tune_root *root)
{
	close(root->fd);
	root->fd = -1;
}

static int __attribute__((format(printf, 3, 0)))
open_below(const struct tune_root *root, int flags, const char *format, va_list args)
{
	struct open_how how = {.flags = (unsigned)flags | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};
	char path[PATH_MAX];
	int length = vsnprintf(path, sizeof(path), format, args);

	if (length < 0 || (size_t)length >= sizeof(path))
		return -ENAMETOOLONG;
	long fd = syscall(SYS_openat2, root->fd, path, &how, sizeof(how));
	if (fd < 0 && root->real && (errno == ENOSYS || errno == EPERM))
		fd = open(path, flags | O_CLOEXEC); /* nothing lies outside of / */
	return fd < 0 ? -errno : (int)fd;
}

static void
make_printable(char *text)
{
	for (; *text != '\0'; text++)
		if ((*text < ' ' || *text > '~') && *text != '\n')
			*text = *text == '\t' ? ' ' : '?';
}

/* Only a regular file is read: a pipe or a device could keep us waiting, or never end. */
static long
read_all(int fd, char *text, size_t size)
{
	struct stat about;
	size_t length = 0;

	if (fstat(fd, &about) != 0)
		return -errno;
	if (!S_ISREG(about.st_mode))
		return -EINVAL;
	while (length < size - 1) {
		ssize_t got = read(fd, text + length, size - 1 - length);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		length += (size_t)got;
	}
	for (size_t i = 0; i < length; i++)
		if (text[i] == '\0')
			text[i] = '?';
	while (length > 0 && text[length - 1] == '\n')
		length--;
	text[length] = '\0';
	make_printable(text);
	return (long)length;
}

static long __attribute__((format(printf, 4, 0)))
read_below(const struct tune_root *root, char *text, size_t size, const char *format, va_list args)
{
	int fd = open_below(root, O_RDONLY | O_NONBLOCK | O_NOCTTY, format, args);
	long length;

	text[0] = '\0';
	if (fd < 0)
		return fd;
	length = read_all(fd, text, size);
	if (length < 0)
		text[0] = '\0';
	close(fd);
	return length;
}

long
tune_read(const struct tune_root *root, char *text, size_t size, const char *path, ...)
{
	va_list args;

	va_start(args, path);
	long length = read_below(root, text, size, path, args);
	va_end(args);
	return length;
}

bool
tune_read_number(const struct tune_root *root, long *number, const char *path, ...)
{
	char text[32], *end;
	va_list args;

	va_start(args, path);
	long length = read_below(root, text, sizeof(text), path, args);
	va_end(args);
	if (length <= 0)
		return false;
	errno = 0;
	*number = strtol(text, &end, 0);
	return end != text && (*end == '\0' || *end == '\n' || *end == ' ') && errno == 0 &&
	       *number <= NUMBER_MAX && *number >= -NUMBER_MAX;
}

bool
tune_read_link(const struct tune_root *root, char *text, size_t size, const char *path, ...)
{
	va_list args;

	text[0] = '\0';
	va_start(args, path);
	int fd = open_below(root, O_PATH | O_NOFOLLOW, path, args);
	va_end(args);
	if (fd < 0)
		return false;
	ssize_t length = readlinkat(fd, "", text, size - 1);
	close(fd);
	text[length < 0 ? 0 : length] = '\0';
	make_printable(text);
	return length > 0;
}

bool
tune_exists(const struct tune_root *root, const char *path, ...)
{
	va_list args;

	va_start(args, path);
	int fd = open_below(root, O_PATH, path, args);
	va_end(args);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

DIR *
tune_folder(const struct tune_root *root, const char *path, ...)
{
	va_list args;
	DIR *folder;

	va_start(args, path);
	int fd = open_below(root, O_RDONLY | O_DIRECTORY, path, args);
	va_end(args);
	if (fd < 0)
		return NULL;
	folder = fdopendir(fd);
	if (folder == NULL)
		close(fd);
	return folder;
}

const char *
tune_next(DIR *folder, unsigned *count)
{
	struct dirent *entry;

	while ((*count)++ < NAMES_MAX && (entry = readdir(folder)) != NULL) {
		make_printable(entry->d_name);
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
			strlen(entry->d_name) < 64)
			return entry->d_name;
	}
	return NULL;
}

int
tune_write(const struct tune_root *root, const char *text, const char *path, ...)
{
	size_t length = strlen(text);
	struct stat about;
	va_list args;
	int result = 0;

	va_start(args, path);
	int fd = open_below(root, O_WRONLY | O_TRUNC | O_NONBLOCK | O_NOCTTY, path, args);
	va_end(args);
	if (fd < 0)
		return fd;
	if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) {
		close(fd);
		return -EINVAL;
	}
	ssize_t done = write(fd, text, length);
	if (done < 0)
		result = -errno;
	else if ((size_t)done != length)
		result = -EIO;
	close(fd);
	return result;
}
