/* SPDX-License-Identifier: BSD-3-Clause */
#include "tls_peer.h"

#include "relay/log.h"
#include "tls_connection.h"
#include "tls_session.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define EXPECTED_MAX 4096
#define NAME_SIZE 256
#define HOST_FLAGS (X509_CHECK_FLAG_NO_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT)

static struct expected {
	struct relay_addr address;
	char name[NAME_SIZE];
	struct tls_session session;
} * expected;
static unsigned expected_count;
static struct expected *
find(const struct relay_addr *address)
{
	for (unsigned i = 0; i < expected_count; i++)
		if (relay_addr_equal(&expected[i].address, address))
			return &expected[i];
	return NULL;
}

int
tls_peer_expect(const struct relay_addr *address, const char *name)
{
	struct expected *at = find(address), *grown;

	if (at != NULL)
		return strcasecmp(at->name, name) == 0 ? 0 : -EEXIST;
	if (expected_count == EXPECTED_MAX || strlen(name) >= NAME_SIZE)
		return -ENOSPC;
	grown = realloc(expected, (expected_count + 1) * sizeof(*grown));
	if (grown == NULL)
		return -ENOMEM;
	expected = grown;
	at = &expected[expected_count++];
	*at = (struct expected){.address = *address};
	strcpy(at->name, name);
	tls_session_reset(&at->session);
	return 0;
}

void
tls_peer_forget(const struct relay_addr *address)
{
	struct expected *at = find(address);

	if (at == NULL)
		return;
	tls_session_reset(&at->session);
	*at = expected[--expected_count];
}

void
tls_peer_forget_sessions(void)
{
	for (unsigned i = 0; i < expected_count; i++)
		tls_session_reset(&expected[i].session);
}

static bool
is_ip(const char *name)
{
	struct relay_ip ip;

	return relay_ip_parse(name, strlen(name), &ip) == 0;
}

int
tls_peer_prepare(struct tls_connection *connection)
{
	struct expected *at = find(&connection->peer);
	X509_STORE *authorities = tls_context_trunk_authorities();
	SSL *ssl = connection->ssl;
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);

	if (at == NULL || authorities == NULL)
		return -EACCES;
	X509_VERIFY_PARAM_set_hostflags(param, HOST_FLAGS);
	if (is_ip(at->name)) {
		if (X509_VERIFY_PARAM_set1_ip_asc(param, at->name) != 1)
			return -EINVAL;
	} else if (X509_VERIFY_PARAM_set1_host(param, at->name, 0) != 1 ||
		   SSL_set_tlsext_host_name(ssl, at->name) != 1) {
		return -EINVAL;
	}
	const struct tls_files *own = tls_context_trunk_files(at->name);
	if (own != NULL && tls_files_apply_to(own, ssl) != 0)
		return -EINVAL;
	if (SSL_set1_verify_cert_store(ssl, authorities) != 1)
		return -EINVAL;
	/* a listener's context may think of peers that connect, and of any purpose */
	X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_SERVER);
	SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
	tls_session_offer(&at->session, connection);
	return 0;
}

void
tls_peer_note_session(struct tls_connection *connection)
{
	struct expected *at = connection->place != 0 ? find(&connection->peer) : NULL;

	if (at != NULL)
		tls_session_keep(&at->session, connection);
}

/* RFC 5922 7.1: a SIP domain may also stand in a certificate as a URI, without a user. */
static bool
has_uri(X509 *certificate, const char *name)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	size_t length = strlen(name);
	bool found = false;

	for (int i = 0; !found && i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *at = sk_GENERAL_NAME_value(names, i);
		if (at->type != GEN_URI)
			continue;
		const char *uri = (const char *)ASN1_STRING_get0_data(at->d.ia5);
		found = (size_t)ASN1_STRING_length(at->d.ia5) == length + 4 &&
		        strncasecmp(uri, "sip:", 4) == 0 && strncasecmp(uri + 4, name, length) == 0;
	}
	GENERAL_NAMES_free(names);
	return found;
}

int
tls_peer_verify(tport_t *transport, const char *name)
{
	struct tls_connection *connection = tls_connection_find(transport);
	int result = -EACCES;

	if (connection == NULL)
		return -ENOENT;
	X509 *certificate = SSL_get1_peer_certificate(connection->ssl);
	if (certificate != NULL && connection->finished && connection->role == TLS_PEERING &&
		SSL_get_verify_result(connection->ssl) == X509_V_OK &&
		(is_ip(name) ? X509_check_ip_asc(certificate, name, 0) == 1
			     : X509_check_host(certificate, name, 0, HOST_FLAGS, NULL) == 1 ||
					has_uri(certificate, name)))
		result = 0;
	X509_free(certificate);
	ERR_clear_error();
	return result;
}

bool
tls_peer_is_peering(tport_t *transport)
{
	struct tls_connection *connection = tls_connection_find(transport);

	return connection != NULL && connection->role == TLS_PEERING;
}

void
tls_peer_note_failure(struct tls_connection *connection)
{
	long verdict = SSL_get_verify_result(connection->ssl);
	unsigned long error = ERR_peek_error();
	bool missing = ERR_GET_REASON(error) == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE;
	char text[RELAY_ADDR_TEXT];
	const char *why = ERR_reason_error_string(error);
	struct expected *at = connection->place != 0 ? find(&connection->peer) : NULL;

	if (at != NULL)
		tls_session_failed(&at->session, connection);
	if (verdict != X509_V_OK || missing) {
		counters_add(COUNTER_TLS_PEER_REFUSED);
		if (verdict != X509_V_OK)
			why = X509_verify_cert_error_string(verdict);
	}
	log_stranger(LOG_LEVEL_INFO,
		LOG_ABOUT(
			{LOG_PEER, relay_addr_format(&connection->peer, text)}, {LOG_REASON, why}),
		"TLS handshake with %s failed: %s", relay_addr_format(&connection->peer, text),
		why != NULL ? why : "OpenSSL does not say why");
}
