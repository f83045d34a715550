/* SPDX-License-Identifier: BSD-3-Clause */
#include "tls_session.h"

#include "tls_connection.h"

#define LIFE_MS (3600 * 1000)

static uint64_t serials;

static void
forget(struct tls_session *kept)
{
	SSL_SESSION_free(kept->session); /* the last reference wipes its secrets */
	kept->session = NULL;
}

void
tls_session_reset(struct tls_session *kept)
{
	forget(kept);
	*kept = (struct tls_session){.serial = ++serials};
}

/* Would the peer's certificate still do? */
static bool
is_good(const struct tls_session *kept)
{
	const X509 *certificate = SSL_SESSION_get0_peer(kept->session);

	return SSL_SESSION_is_resumable(kept->session) && certificate != NULL &&
	       tls_connection_now_ms() - kept->verified_ms < LIFE_MS &&
	       X509_cmp_current_time(X509_get0_notAfter(certificate)) > 0;
}

void
tls_session_offer(struct tls_session *kept, struct tls_connection *connection)
{
	connection->place = kept->serial;
	if (kept->session != NULL && !kept->spurned && is_good(kept) &&
		SSL_set_session(connection->ssl, kept->session) == 1) {
		connection->offered = true;
		connection->verified_ms = kept->verified_ms;
	}
	forget(kept);
}

void
tls_session_failed(struct tls_session *kept, const struct tls_connection *connection)
{
	if (connection->place == kept->serial && connection->offered && !connection->finished)
		kept->spurned = true;
}

void
tls_session_keep(struct tls_session *kept, struct tls_connection *connection)
{
	SSL_SESSION *session = SSL_get_session(connection->ssl);

	if (connection->place != kept->serial || kept->spurned || !connection->finished ||
		session == NULL || session == connection->session ||
		!SSL_SESSION_is_resumable(session))
		return;
	forget(kept);
	connection->session = session;
	kept->session = SSL_get1_session(connection->ssl);
	kept->verified_ms = connection->verified_ms;
}
