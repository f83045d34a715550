/* SPDX-License-Identifier: BSD-3-Clause */
#include "tls_guard.h"

#include "tls_connection.h"
#include "tls_release.h"

#include <errno.h>

#define LOOK_MS 1000
#define BROKEN_MS 2000 /* in which the stack's last answer is taken */

static su_timer_t *timer;
static const struct config_limits *limits;
static uint64_t looked_ms;

/* Does the peer keep up with what we write? One that takes a little now and then does not. */
static void
look_at_writes(struct tls_connection *connection, uint64_t now)
{
	if (!connection->blocked && connection->blocked_ms < looked_ms)
		connection->behind_ms = 0;
	else if (connection->behind_ms == 0)
		connection->behind_ms = now;
}

static bool
is_over(uint64_t since_ms, uint32_t seconds, uint64_t now)
{
	return since_ms != 0 && now >= since_ms + (uint64_t)seconds * 1000;
}

static void
judge(struct tls_connection *connection, void *arg)
{
	uint64_t now = *(uint64_t *)arg;

	if (connection->cut)
		return;
	tls_connection_join(connection);
	look_at_writes(connection, now);
	if (!connection->finished) {
		if (is_over(connection->since_ms, limits->handshake_s, now))
			tls_connection_cut(connection, COUNTER_CUT_HANDSHAKE,
				"its TLS handshake took too long");
	} else if (!connection->known && is_over(connection->since_ms, limits->login_s, now)) {
		tls_connection_cut(connection, COUNTER_CUT_LOGIN, "no user proved to be there");
	} else if (is_over(connection->message_ms, limits->message_s, now)) {
		tls_connection_cut(
			connection, COUNTER_CUT_MESSAGE, "a message took too long to come");
	} else if (is_over(connection->behind_ms, limits->write_s, now)) {
		tls_connection_cut(connection, COUNTER_CUT_WRITE, "it does not read");
	} else if (connection->broken_ms != 0 && now >= connection->broken_ms + BROKEN_MS) {
		tls_connection_cut(connection, COUNTER_CUT_BROKEN,
			"what it sent could not be read as SIP, or was too large");
	} else if (connection->known && is_over(connection->heard_ms, limits->idle_s, now)) {
		tls_connection_cut(connection, COUNTER_CUT_IDLE, "nothing was heard of it");
	}
}

static void
look(su_root_magic_t *magic, su_timer_t *which, su_timer_arg_t *arg)
{
	uint64_t now = tls_connection_now_ms();

	/* one that was shut down may have a number that is another's socket now */
	tls_release_flush();
	tls_connection_each(judge, &now);
	looked_ms = now;
}

void
tls_guard_trust(const tport_t *transport)
{
	struct tls_connection *connection = tls_connection_find(transport);

	if (connection != NULL)
		connection->known = true;
}

int
tls_guard_start(su_root_t *root, const struct config_limits *config)
{
	limits = config;
	timer = su_timer_create(su_root_task(root), LOOK_MS);
	if (timer == NULL || su_timer_set_for_ever(timer, look, NULL) != 0)
		return -ENOMEM;
	return 0;
}

void
tls_guard_configure(const struct config_limits *config)
{
	limits = config;
}

void
tls_guard_stop(void)
{
	su_timer_destroy(timer);
	timer = NULL;
}
