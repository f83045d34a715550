/* SPDX-License-Identifier: BSD-3-Clause */
#include "tls_folder.h"

#include "relay/log.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define EXPIRY_WARNING_DAYS 30

/* Appends the file's PEM text to `to`. */
static int
append(FILE *to, const char *name, const char *path, char *error, size_t error_size)
{
	char buffer[4096];
	FILE *from = fopen(path, "re");
	size_t length;

	if (from == NULL) {
		int result = -errno;
		snprintf(error, error_size, "%s: %s can't be read: %s", name, path,
			strerror(-result));
		return result;
	}
	while ((length = fread(buffer, 1, sizeof(buffer), from)) > 0)
		fwrite(buffer, 1, length, to);
	OPENSSL_cleanse(buffer, sizeof(buffer));
	fclose(from);
	fputc('\n', to);
	return ferror(to) ? -EIO : 0;
}

static int
check_dates(const X509 *certificate, const char *path, char *error, size_t error_size)
{
	int days = 0, seconds = 0;

	if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0 ||
		X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0) {
		snprintf(error, error_size,
			"sip.certificate: %s is expired, or not valid yet: renew it", path);
		return -EKEYEXPIRED;
	}
	ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(certificate));
	if (days < EXPIRY_WARNING_DAYS)
		log_warning("sip.certificate: %s expires in %d day(s)", path, days);
	return 0;
}

/* Why OpenSSL's last call failed: NULL is no word for "no such file". */
static const char *
reason(void)
{
	unsigned long code = ERR_get_error();
	const char *text = ERR_SYSTEM_ERROR(code) ? strerror(ERR_GET_REASON(code))
	                                          : ERR_reason_error_string(code);

	return text != NULL ? text : "OpenSSL does not say why";
}

/* Sofia itself would only say that TLS failed. */
int
tls_folder_check(const struct config_sip *config, char *error, size_t error_size)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	int result = -EINVAL;

	ERR_clear_error();
	if (context == NULL)
		return -ENOMEM;
	if (SSL_CTX_use_certificate_chain_file(context, config->certificate) != 1)
		snprintf(error, error_size, "sip.certificate: %s can't be used: %s",
			config->certificate, reason());
	else if (SSL_CTX_use_PrivateKey_file(context, config->private_key, SSL_FILETYPE_PEM) != 1 ||
		 SSL_CTX_check_private_key(context) != 1)
		snprintf(error, error_size,
			"sip.private_key: %s can't be used with the certificate: %s",
			config->private_key, reason());
	else if (config->ca != NULL &&
		 SSL_CTX_load_verify_locations(context, config->ca, NULL) != 1)
		snprintf(error, error_size, "sip.ca: %s can't be used: %s", config->ca, reason());
	else
		result = check_dates(
			SSL_CTX_get0_certificate(context), config->certificate, error, error_size);
	SSL_CTX_free(context);
	return result;
}

static FILE *
create(const char *folder, const char *name)
{
	char path[TLS_FOLDER_SIZE + 16];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return fd < 0 ? NULL : fdopen(fd, "w");
}

static int
fill(const struct config_sip *config, const char *folder, char *error, size_t error_size)
{
	FILE *agent = create(folder, "agent.pem");
	FILE *authorities = create(folder, "cafile.pem");
	int result = -EIO;

	if (agent == NULL || authorities == NULL) {
		snprintf(error, error_size, "%s can't be written to: %s", folder, strerror(errno));
		goto out;
	}
	result = append(agent, "sip.certificate", config->certificate, error, error_size);
	if (result == 0)
		result = append(agent, "sip.private_key", config->private_key, error, error_size);
	/* the stack reads only the first certificate from agent.pem; OpenSSL completes the chain
	 * that peers are sent from here */
	if (result == 0)
		result = append(
			authorities, "sip.certificate", config->certificate, error, error_size);
	if (result == 0 && config->ca != NULL)
		result = append(authorities, "sip.ca", config->ca, error, error_size);
out:
	if (agent != NULL && fclose(agent) != 0 && result == 0)
		result = -EIO;
	if (authorities != NULL)
		fclose(authorities);
	return result;
}

int
tls_folder_make(const struct config_sip *config, char folder[TLS_FOLDER_SIZE], char *error,
	size_t error_size)
{
	/* in memory where there is such a place: the key is not to reach a disk once more */
	const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	int result = tls_folder_check(config, error, error_size);

	if (result != 0)
		return result;
	snprintf(folder, TLS_FOLDER_SIZE, "%s/sallyport-tls-XXXXXX", base);
	if (mkdtemp(folder) == NULL) {
		result = -errno;
		snprintf(error, error_size, "%s can't be made: %s", folder, strerror(-result));
		return result;
	}
	result = fill(config, folder, error, error_size);
	if (result != 0)
		tls_folder_remove(folder);
	return result;
}

static void
overwrite_and_remove(const char *path)
{
	static const char zeros[4096];
	struct stat facts;
	int fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0) {
		if (fstat(fd, &facts) == 0)
			for (off_t left = facts.st_size; left > 0; left -= (off_t)sizeof(zeros))
				if (write(fd, zeros, sizeof(zeros)) < 0)
					break;
		close(fd);
	}
	unlink(path);
}

void
tls_folder_remove(const char *folder)
{
	char path[TLS_FOLDER_SIZE + 16];

	snprintf(path, sizeof(path), "%s/agent.pem", folder);
	overwrite_and_remove(path);
	snprintf(path, sizeof(path), "%s/cafile.pem", folder);
	overwrite_and_remove(path);
	rmdir(folder);
}
