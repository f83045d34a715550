/* SPDX-License-Identifier: BSD-3-Clause */
#include "config_private.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CONFIG_SIZE_MAX (1 << 20) /* bytes: far more than any real one */

/* What libcyaml says while it reads: the first complaint, and the first line it names. */
struct yaml_log {
	char message[256];
	unsigned line;
};

static void
yaml_log(cyaml_log_t level, void *arg, const char *format, va_list args)
{
	struct yaml_log *log = arg;
	char text[256];

	if (level < CYAML_LOG_ERROR)
		return;
	vsnprintf(text, sizeof(text), format, args);
	text[strcspn(text, "\n")] = '\0';
	const char *line = strstr(text, "line: ");
	if (line != NULL && log->line == 0)
		log->line = (unsigned)strtoul(line + strlen("line: "), NULL, 10);
	if (log->message[0] == '\0' && strstr(text, "Backtrace") == NULL)
		snprintf(log->message, sizeof(log->message), "%s",
			strncmp(text, "Load: ", 6) == 0 ? text + 6 : text);
}

static const cyaml_config_t yaml_config = {
	.log_fn = yaml_log,
	.mem_fn = cyaml_mem,
	.log_level = CYAML_LOG_ERROR,
	/* an alias could make a small file a huge tree */
	.flags = CYAML_CFG_NO_ALIAS,
};

/* Is this a file that can be meant? */
static int
check_file(const char *path, char *error, size_t error_size)
{
	struct stat facts;

	if (stat(path, &facts) != 0) {
		int result = -errno;
		snprintf(error, error_size, "%s: can't be read: %s", path, strerror(errno));
		return result;
	}
	if (!S_ISREG(facts.st_mode) || facts.st_size > CONFIG_SIZE_MAX) {
		snprintf(error, error_size, "%s: is no configuration file: %s", path,
			S_ISREG(facts.st_mode) ? "it is too large" : "it is not a regular file");
		return -EINVAL;
	}
	if (facts.st_size == 0) {
		snprintf(error, error_size, "%s:1: the file is empty", path);
		return -EINVAL;
	}
	return 0;
}

static int
load_yaml(const char *path, struct config **out, char *error, size_t error_size)
{
	struct yaml_log log = {.line = 0};
	cyaml_config_t with_log = yaml_config;
	cyaml_data_t *data = NULL;

	with_log.log_ctx = &log;
	cyaml_err_t result = cyaml_load_file(path, &with_log, &config_schema, &data, NULL);
	if (result == CYAML_OK && data != NULL) {
		*out = data;
		return 0;
	}
	if (result == CYAML_ERR_FILE_OPEN)
		snprintf(error, error_size, "%s: can't be read: %s", path, strerror(errno));
	else
		snprintf(error, error_size, "%s:%u: %s", path, log.line != 0 ? log.line : 1,
			log.message[0] != '\0' ? log.message : cyaml_strerror(result));
	return -EINVAL;
}

int
config_load(const char *path, struct config **out, char *error, size_t error_size)
{
	struct config *config = NULL;
	struct config_lines *lines = NULL;
	int result = check_file(path, error, error_size);

	if (result != 0 || (result = load_yaml(path, &config, error, error_size)) != 0)
		return result;
	config->path = strdup(path);
	lines = config_lines_read(path);
	if (config->path == NULL || lines == NULL || config_set_defaults(config, lines) != 0) {
		snprintf(error, error_size, "%s: no memory to read it", path);
		result = -ENOMEM;
	} else {
		result = config_check(config, lines, error, error_size);
	}
	config_lines_free(lines);
	if (result != 0) {
		config_free(config);
		return result;
	}
	config->log_level = config->log.level;
	*out = config;
	return 0;
}

void
config_free(struct config *config)
{
	if (config == NULL)
		return;
	free(config->path);
	config->path = NULL;
	cyaml_free(&yaml_config, &config_schema, config, 0);
}
