/* SPDX-License-Identifier: BSD-3-Clause */
/* A leg's making: its interface, port, far address and keys, each checked before anything
 * changes. */
#include "session_private.h"

#include "port_table.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum relay_code
session_refuse(enum relay_code code, char *reason, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(reason, RELAY_REASON_SIZE, format, args);
	va_end(args);
	return code;
}

int
session_digest(const void *data, size_t length, uint8_t out[32])
{
	return EVP_Digest(data, length, out, NULL, EVP_sha256(), NULL) == 1 ? 0 : -ENOMEM;
}

static void
print_of(const struct relay_crypto *crypto, struct key_print *print)
{
	uint8_t both[sizeof(crypto->key) + sizeof(crypto->salt)];
	uint8_t hash[32] = {0};

	memset(print, 0, sizeof(*print));
	print->suite = crypto->suite;
	if (crypto->suite == RELAY_SUITE_NONE)
		return;
	memcpy(both, crypto->key, sizeof(crypto->key));
	memcpy(both + sizeof(crypto->key), crypto->salt, sizeof(crypto->salt));
	session_digest(both, sizeof(both), hash);
	memcpy(print->bytes, hash, KEY_PRINT_SIZE);
	OPENSSL_cleanse(both, sizeof(both));
}

static bool
same_key(const struct key_print *a, const struct key_print *b)
{
	return a->suite != RELAY_SUITE_NONE && b->suite != RELAY_SUITE_NONE &&
	       CRYPTO_memcmp(a->bytes, b->bytes, KEY_PRINT_SIZE) == 0;
}

/* A key that the relay transmits with is used nowhere else, or two packets could share a keystream
 * (RFC 3711 9.1). */
enum relay_code
legs_check_keys(const struct leg leg[2], char *reason)
{
	for (unsigned i = 0; i < 2; i++)
		if (same_key(&leg[i].transmit, &leg[0].receive) ||
			same_key(&leg[i].transmit, &leg[1].receive) ||
			same_key(&leg[i].transmit, &leg[1 - i].transmit))
			return session_refuse(RELAY_E_KEY, reason,
				"leg %u: the transmit key is also used elsewhere in the session: "
				"make a fresh one for each leg",
				i);
	return RELAY_OK;
}

/* Sets one key of a leg, if it is another than before. */
enum relay_code
leg_set_key(struct leg *leg, unsigned index, bool transmit, const struct relay_crypto *crypto,
	struct flow_pair *pair, char *reason)
{
	struct key_print *current = transmit ? &leg->transmit : &leg->receive;
	struct key_print print;

	if (crypto->suite == RELAY_SUITE_NONE)
		return RELAY_OK;
	if (relay_suite_info(crypto->suite) == NULL)
		return session_refuse(RELAY_E_KEY, reason, "leg %u: there is no crypto suite %u",
			index, crypto->suite);
	if (crypto->mki_length > RELAY_MKI_MAX)
		return session_refuse(RELAY_E_MALFORMED, reason,
			"leg %u: an MKI has at most %d bytes", index, RELAY_MKI_MAX);
	print_of(crypto, &print);
	if (same_key(current, &print) && current->suite == print.suite)
		return RELAY_OK;
	*current = print;
	return flow_pair_set_key(pair, index, transmit, crypto, reason);
}

static struct iface *
choose_iface(const struct relay_leg_spec *spec)
{
	for (unsigned i = 0; i < ifaces_count; i++) {
		if (spec->interface[0] != '\0') {
			if (strncmp(spec->interface, ifaces[i]->config->name, RELAY_NAME_SIZE) == 0)
				return ifaces[i];
		} else if (spec->local_rtp.ip.family == 0 ||
			   relay_ip_equal(&spec->local_rtp.ip, &ifaces[i]->ip)) {
			return ifaces[i];
		}
	}
	return NULL;
}

/* Interface, port, far address of a new leg. */
enum relay_code
leg_open(struct leg *leg, unsigned index, const struct relay_leg_spec *spec, char *reason)
{
	char text[RELAY_ADDR_TEXT];

	if (strnlen(spec->interface, RELAY_NAME_SIZE) == RELAY_NAME_SIZE ||
		spec->transport > RELAY_TRANSPORT_SRTP ||
		(spec->flags & ~(RELAY_LEG_RTCP_MUX | RELAY_LEG_LATCH)) != 0)
		return session_refuse(RELAY_E_MALFORMED, reason,
			"leg %u: interface, transport or flags are out of range", index);
	leg->iface = choose_iface(spec);
	if (leg->iface == NULL)
		return session_refuse(RELAY_E_NO_INTERFACE, reason,
			"leg %u: no media interface %s", index,
			spec->interface[0] != '\0' ? spec->interface
						   : relay_ip_format(&spec->local_rtp.ip, text));
	leg->transport = spec->transport;
	leg->flags = spec->flags;
	enum relay_code code = leg_set_remote(leg, &spec->remote_rtp, &spec->remote_rtcp, reason);
	if (code != RELAY_OK)
		return code;
	leg->port = port_table_reserve(leg->iface->table, spec->local_rtp.port);
	if (leg->port == 0)
		return session_refuse(RELAY_E_NO_PORTS, reason,
			spec->local_rtp.port != 0 ? "leg %u: media port %u of interface %s is "
						    "taken, odd or out of range"
						  : "leg %u: no media port is free (%u asked) on "
						    "interface %s: widen its "
						    "port range",
			index, spec->local_rtp.port, leg->iface->config->name);
	return RELAY_OK;
}

void
leg_close(struct leg *leg)
{
	leg_forget_remote(leg);
	if (leg->port != 0)
		port_table_release(leg->iface->table, leg->port);
	memset(leg, 0, sizeof(*leg));
}
