/* SPDX-License-Identifier: BSD-3-Clause */
#include "tls_files.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tls_files {
	SSL_CTX *holder;             /* never makes a connection: it reads and holds */
	STACK_OF(X509_NAME) * names; /* of the authorities; NULL: none */
};

struct tls_paths
tls_paths_of_access(const struct config_sip *config)
{
	return (struct tls_paths){"sip", config->certificate, config->private_key, config->ca};
}

struct tls_paths
tls_paths_of_peering(const struct config_sip *config)
{
	const struct config_peering *peering = &config->peering;
	bool own = peering->certificate != NULL;

	return (struct tls_paths){own || peering->ca != NULL ? "sip.peering" : "sip",
		own ? peering->certificate : config->certificate,
		own ? peering->private_key : config->private_key,
		peering->ca != NULL ? peering->ca : config->ca};
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

static int
check_dates(const struct tls_paths *paths, const X509 *certificate, char *error, size_t error_size)
{
	if (X509_cmp_current_time(X509_get0_notBefore(certificate)) <= 0 &&
		X509_cmp_current_time(X509_get0_notAfter(certificate)) >= 0)
		return 0;
	snprintf(error, error_size, "%s.certificate: %s is expired, or not valid yet: renew it",
		paths->section, paths->certificate);
	return -EKEYEXPIRED;
}

/* The stack itself would only say that TLS failed. */
static int
read_all(struct tls_files *files, const struct tls_paths *paths, char *error, size_t error_size)
{
	SSL_CTX *holder = files->holder;

	ERR_clear_error();
	if (SSL_CTX_use_certificate_chain_file(holder, paths->certificate) != 1) {
		snprintf(error, error_size, "%s.certificate: %s can't be used: %s", paths->section,
			paths->certificate, reason());
		return -EINVAL;
	}
	if (SSL_CTX_use_PrivateKey_file(holder, paths->private_key, SSL_FILETYPE_PEM) != 1 ||
		SSL_CTX_check_private_key(holder) != 1) {
		snprintf(error, error_size,
			"%s.private_key: %s can't be used with the certificate: %s", paths->section,
			paths->private_key, reason());
		return -EINVAL;
	}
	if (paths->ca != NULL) {
		files->names = SSL_load_client_CA_file(paths->ca);
		if (files->names == NULL ||
			SSL_CTX_load_verify_locations(holder, paths->ca, NULL) != 1) {
			snprintf(error, error_size, "%s.ca: %s can't be used: %s", paths->section,
				paths->ca, reason());
			return -EINVAL;
		}
	}
	return check_dates(paths, SSL_CTX_get0_certificate(holder), error, error_size);
}

int
tls_files_load(
	const struct tls_paths *paths, struct tls_files **out, char *error, size_t error_size)
{
	struct tls_files *files = calloc(1, sizeof(*files));
	int result = -ENOMEM;

	snprintf(error, error_size, "out of memory");
	if (files != NULL)
		files->holder = SSL_CTX_new(TLS_method());
	if (files != NULL && files->holder != NULL)
		result = read_all(files, paths, error, error_size);
	ERR_clear_error();
	if (result != 0) {
		tls_files_free(files);
		return result;
	}
	*out = files;
	return 0;
}

void
tls_files_free(struct tls_files *files)
{
	if (files == NULL)
		return;
	sk_X509_NAME_pop_free(files->names, X509_NAME_free);
	SSL_CTX_free(files->holder);
	free(files);
}

int
tls_files_apply(const struct tls_files *files, SSL_CTX *context)
{
	STACK_OF(X509) *chain = NULL;
	STACK_OF(X509_NAME) *names = NULL;

	SSL_CTX_get0_chain_certs(files->holder, &chain);
	if (files->names != NULL) {
		names = SSL_dup_CA_list(files->names);
		if (names == NULL)
			return -EINVAL;
	}
	if (SSL_CTX_use_cert_and_key(context, SSL_CTX_get0_certificate(files->holder),
		    SSL_CTX_get0_privatekey(files->holder), chain, 1) != 1) {
		sk_X509_NAME_pop_free(names, X509_NAME_free);
		ERR_clear_error();
		return -EINVAL;
	}
	SSL_CTX_set_client_CA_list(context, names); /* takes it */
	SSL_CTX_set1_cert_store(context, SSL_CTX_get_cert_store(files->holder));
	return 0;
}

int
tls_files_apply_to(const struct tls_files *files, SSL *ssl)
{
	STACK_OF(X509) *chain = NULL;

	SSL_CTX_get0_chain_certs(files->holder, &chain);
	if (SSL_use_cert_and_key(ssl, SSL_CTX_get0_certificate(files->holder),
		    SSL_CTX_get0_privatekey(files->holder), chain, 1) == 1)
		return 0;
	ERR_clear_error();
	return -EINVAL;
}

const X509 *
tls_files_certificate(const struct tls_files *files)
{
	return SSL_CTX_get0_certificate(files->holder);
}

X509_STORE *
tls_files_authorities(const struct tls_files *files)
{
	return SSL_CTX_get_cert_store(files->holder);
}

int
tls_files_check(const struct config_sip *config, char *error, size_t error_size)
{
	struct tls_paths paths = tls_paths_of_access(config);
	struct tls_files *files = NULL;
	int result = tls_files_load(&paths, &files, error, error_size);
	char section[32];

	if (result == 0)
		tls_files_free(files);
	if (result == 0 && config->peering.address != NULL) {
		paths = tls_paths_of_peering(config);
		result = tls_files_load(&paths, &files, error, error_size);
		if (result == 0)
			tls_files_free(files);
	}
	for (unsigned i = 0; result == 0 && i < config->trunks_count; i++) {
		const struct config_trunk *trunk = &config->trunks[i];
		if (trunk->certificate == NULL)
			continue;
		snprintf(section, sizeof(section), "sip.trunks[%u]", i);
		paths = (struct tls_paths){section, trunk->certificate, trunk->private_key, NULL};
		result = tls_files_load(&paths, &files, error, error_size);
		if (result == 0)
			tls_files_free(files);
	}
	return result;
}
