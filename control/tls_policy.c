/* SPDX-License-Identifier: BSD-3-Clause */
#include "tls_policy.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdio.h>

/* For TLS 1.2; all suites of TLS 1.3 are AEAD with forward secrecy. */
#define SUITES "ECDHE+AESGCM:ECDHE+CHACHA20"

static void
on_new_connection(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int index, long argl, void *argp)
{
	SSL *ssl = parent;

	/* a failure leaves what OpenSSL chose; that it does not fail is proved at start */
	SSL_set_min_proto_version(ssl, TLS1_2_VERSION);
	SSL_set_cipher_list(ssl, SUITES);
	SSL_set_options(ssl,
		SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_COMPRESSION);
	/* a phone is silent nearly always: its 34 KiB of buffers are there while it speaks */
	SSL_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
}

static bool
follows_policy(SSL *ssl)
{
	const STACK_OF(SSL_CIPHER) *ciphers = SSL_get_ciphers(ssl);

	if (SSL_get_min_proto_version(ssl) != TLS1_2_VERSION || sk_SSL_CIPHER_num(ciphers) <= 0)
		return false;
	for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); i++)
		if (!SSL_CIPHER_is_aead(sk_SSL_CIPHER_value(ciphers, i)))
			return false;
	return (SSL_get_options(ssl) & SSL_OP_NO_RENEGOTIATION) != 0;
}

int
tls_policy_install(char *error, size_t error_size)
{
	SSL_CTX *context;
	SSL *ssl = NULL;
	bool good = false;

	if (SSL_get_ex_new_index(0, NULL, on_new_connection, NULL, NULL) >= 0) {
		context = SSL_CTX_new(TLS_method());
		/* as the SIP stack does: the policy must win over it */
		if (context != NULL && SSL_CTX_set_cipher_list(context, "ALL") == 1)
			ssl = SSL_new(context);
		good = ssl != NULL && follows_policy(ssl);
		SSL_free(ssl);
		SSL_CTX_free(context);
	}
	if (!good)
		snprintf(error, error_size,
			"TLS: OpenSSL does not keep to TLS 1.2, 1.3 and AEAD suites: is this "
			"OpenSSL 3?");
	return good ? 0 : -ENOTSUP;
}
