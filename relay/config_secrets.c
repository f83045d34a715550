/* SPDX-License-Identifier: BSD-3-Clause */
/* Passwords towards trunks: each in a file of its own, so that the configuration may be shown. */
#include "config_private.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PASSWORD_MAX 255 /* bytes */

/* Is this a file that a password may lie in? NULL, or why not. */
static const char *
find_fault(int fd)
{
	struct stat facts;

	if (fstat(fd, &facts) != 0)
		return strerror(errno);
	if (!S_ISREG(facts.st_mode))
		return "it is not a regular file";
	if ((facts.st_mode & S_IRWXO) != 0)
		return "everybody may read or write it: chmod o= it";
	return NULL;
}

/* The first line, without its end. NULL, or what is wrong with it. */
static const char *
read_line(int fd, char line[PASSWORD_MAX + 2])
{
	ssize_t length = read(fd, line, PASSWORD_MAX + 1);

	if (length < 0)
		return strerror(errno);
	line[length] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	if (line[0] == '\0')
		return "its first line is empty: it must be the password";
	if (strlen(line) > PASSWORD_MAX)
		return "its first line has more than 255 bytes";
	return NULL;
}

static int
read_password(struct config_credentials *at, const char *trunk, char *error, size_t error_size)
{
	char line[PASSWORD_MAX + 2] = "";
	int fd = open(at->password_file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	const char *fault = fd >= 0 ? find_fault(fd) : strerror(errno);

	if (fault == NULL)
		fault = read_line(fd, line);
	if (fault == NULL) {
		at->password = strdup(line);
		if (at->password == NULL)
			fault = strerror(ENOMEM);
	}
	if (fd >= 0)
		close(fd);
	OPENSSL_cleanse(line, sizeof(line));
	if (fault == NULL)
		return 0;
	snprintf(error, error_size, "trunk %s: password_file %s can't be used: %s", trunk,
		at->password_file, fault);
	return -EINVAL;
}

int
config_read_secrets(struct config *config, char *error, size_t error_size)
{
	for (unsigned i = 0; i < config->sip.trunks_count; i++) {
		struct config_trunk *trunk = &config->sip.trunks[i];
		for (unsigned k = 0; k < trunk->credentials_count; k++) {
			int result = read_password(
				&trunk->credentials[k], trunk->name, error, error_size);
			if (result != 0)
				return result;
		}
	}
	return 0;
}

void
config_trunks_wipe(struct config_sip *sip)
{
	for (unsigned i = 0; i < sip->trunks_count; i++)
		for (unsigned k = 0; k < sip->trunks[i].credentials_count; k++) {
			char *password = sip->trunks[i].credentials[k].password;
			if (password == NULL)
				continue;
			OPENSSL_cleanse(password, strlen(password));
			free(password);
			sip->trunks[i].credentials[k].password = NULL;
		}
}
