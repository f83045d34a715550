/* SPDX-License-Identifier: BSD-3-Clause */
#include "certificate.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FILE_MAX (256 * 1024)

/* The whole file, with a NUL behind. 0 or -errno. */
static int
read_file(const char *path, char **out)
{
	FILE *file = fopen(path, "re");
	char *bytes = malloc(FILE_MAX);
	int result = 0;

	if (file == NULL || bytes == NULL) {
		result = file == NULL ? -errno : -ENOMEM;
	} else {
		size_t length = fread(bytes, 1, FILE_MAX - 1, file);
		bytes[length] = '\0';
		if (ferror(file))
			result = -EIO;
		else if (!feof(file))
			result = -EFBIG;
	}
	if (file != NULL)
		fclose(file);
	if (result != 0)
		free(bytes);
	else
		*out = bytes;
	return result;
}

static int
check_pair(const struct config_web *config, struct certificate *at, char *error, size_t error_size)
{
	BIO *chain = BIO_new_mem_buf(at->chain, -1), *key = BIO_new_mem_buf(at->key, -1);
	X509 *x509 = PEM_read_bio_X509(chain, NULL, NULL, NULL);
	/* a passphrase can't be asked for */
	EVP_PKEY *pkey = PEM_read_bio_PrivateKey(key, NULL, NULL, (void *)(uintptr_t) "");
	struct tm parts;
	int result = -EINVAL;

	if (x509 == NULL)
		snprintf(error, error_size, "web.certificate: %s holds no PEM certificate",
			config->certificate);
	else if (pkey == NULL)
		snprintf(error, error_size,
			"web.private_key: %s holds no PEM key without a passphrase",
			config->private_key);
	else if (X509_check_private_key(x509, pkey) != 1)
		snprintf(error, error_size, "web.private_key: %s is not the key of %s",
			config->private_key, config->certificate);
	else if (ASN1_TIME_to_tm(X509_get0_notAfter(x509), &parts) != 1 ||
		 (at->expires = timegm(&parts)) <= time(NULL))
		snprintf(error, error_size, "web.certificate: %s has expired: renew it",
			config->certificate);
	else
		result = 0;
	X509_free(x509);
	EVP_PKEY_free(pkey);
	BIO_free(chain);
	BIO_free(key);
	return result;
}

int
certificate_read(
	const struct config_web *config, struct certificate *out, char *error, size_t error_size)
{
	int result;

	*out = (struct certificate){.chain = NULL};
	if (config->certificate == NULL)
		return 0;
	result = read_file(config->certificate, &out->chain);
	if (result != 0) {
		snprintf(error, error_size, "web.certificate: %s can't be read: %s",
			config->certificate, strerror(-result));
		return result;
	}
	result = read_file(config->private_key, &out->key);
	if (result != 0)
		snprintf(error, error_size, "web.private_key: %s can't be read: %s",
			config->private_key, strerror(-result));
	else
		result = check_pair(config, out, error, error_size);
	if (result != 0)
		certificate_wipe(out);
	return result;
}

void
certificate_wipe(struct certificate *certificate)
{
	if (certificate->key != NULL)
		OPENSSL_cleanse(certificate->key, strlen(certificate->key));
	free(certificate->key);
	free(certificate->chain);
	*certificate = (struct certificate){.chain = NULL};
}
