/* SPDX-License-Identifier: BSD-3-Clause */
#include "config_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes: far more than any real one has; libyaml takes long over one that nests deeply. */
#define CONFIG_SIZE_MAX (64 * 1024)

int
config_complain(const struct config_text *text, unsigned line, const char *format, ...)
{
	va_list args;
	int used = snprintf(text->error, text->error_size, "%s:%u: ", text->path, line);

	if (used >= 0 && (size_t)used < text->error_size) {
		va_start(args, format);
		vsnprintf(text->error + used, text->error_size - (size_t)used, format, args);
		va_end(args);
	}
	/* what the file says is quoted: it must not forge a line or a colour */
	for (char *at = text->error; *at != '\0'; at++)
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			*at = '?';
	return -EINVAL;
}

/* The file can't be read, for a reason of the system's. */
static int
unreadable(const struct config_text *text, int error)
{
	snprintf(text->error, text->error_size, "%s: can't be read: %s", text->path,
		strerror(error));
	return -error;
}

/* Is this a file that can be meant? */
static int
check_file(const struct config_text *text, FILE *file)
{
	struct stat facts;

	if (fstat(fileno(file), &facts) != 0)
		return unreadable(text, errno);
	if (S_ISREG(facts.st_mode) && facts.st_size <= CONFIG_SIZE_MAX)
		return 0;
	snprintf(text->error, text->error_size, "%s: is no configuration file: %s", text->path,
		S_ISREG(facts.st_mode) ? "it is too large" : "it is not a regular file");
	return -EINVAL;
}

/* Reads the whole file once, so that its lines and its values can't disagree. */
static int
read_file(struct config_text *text)
{
	/* a FIFO that nobody writes to must not hold the start up */
	int fd = open(text->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;
	int result;

	if (file == NULL) {
		result = unreadable(text, errno);
		if (fd >= 0)
			close(fd);
		return result;
	}
	result = check_file(text, file);
	if (result == 0) {
		text->bytes = malloc(CONFIG_SIZE_MAX);
		if (text->bytes == NULL)
			result = unreadable(text, ENOMEM);
	}
	if (result == 0) {
		text->length = fread(text->bytes, 1, CONFIG_SIZE_MAX, file);
		if (ferror(file))
			result = unreadable(text, EIO);
	}
	fclose(file);
	return result;
}

static int
load(const struct config_text *text, struct config **out)
{
	struct config *config = NULL;
	struct config_lines *lines = NULL;
	int result = config_lines_read(text, &lines);

	if (result == 0)
		result = config_yaml_load(text, lines, &config);
	if (result != 0)
		goto done;
	config->lines = lines;
	config->path = strdup(text->path);
	if (config->path == NULL || config_set_defaults(config, lines) != 0)
		result = unreadable(text, ENOMEM);
	else
		result = config_check(config, text, lines);
	if (result != 0) {
		config_free(config);
		return result;
	}
	config->log_level = config->log.level;
	*out = config;
	return 0;

done:
	config_lines_free(lines);
	return result;
}

int
config_load(const char *path, struct config **out, char *error, size_t error_size)
{
	struct config_text text = {.path = path, .error = error, .error_size = error_size};
	int result = read_file(&text);

	if (result == 0)
		result = load(&text, out);
	free(text.bytes);
	return result;
}

void
config_free(struct config *config)
{
	if (config == NULL)
		return;
	free(config->path);
	config->path = NULL;
	config_lines_free(config->lines);
	config->lines = NULL;
	config_trunks_wipe(&config->sip);
	config_yaml_free(config);
}
