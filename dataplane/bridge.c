/* SPDX-License-Identifier: BSD-3-Clause */
/* The building of bridges. Each change of a session starts with a copy, so that a refusal changes
 * nothing and workers see either the old or the new, whole. */
#include "reclaim.h"
#include "session_private.h"
#include "slab.h"
#include "tick.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define KEY_OVERLAP_MS 3000 /* for packets under the key before: on their way, or not yet told */

static struct slab bridges = {.name = "bridges", .size = sizeof(struct bridge)};
static struct slab rares = {.name = "rares", .size = sizeof(struct bridge_rare)};

size_t
bridge_bytes(void)
{
	return sizeof(struct bridge);
}

void
bridges_fini(void)
{
	slab_free_all(&bridges);
	slab_free_all(&rares);
}

/* The keys of a bridge belong to the control thread: workers have them const. */
static struct srtp_key *
own(const struct srtp_key *key)
{
	return (struct srtp_key *)(uintptr_t)key;
}

static void
put_nexthops(struct bridge_leg *leg)
{
	for (unsigned i = 0; i < 2; i++) {
		if (leg->nexthop[i] != NULL)
			nexthop_put(leg->nexthop[i]);
		leg->nexthop[i] = NULL;
	}
}

/* Makes the rare part, a copy of `old`'s if that is not NULL. False: out of memory. */
static bool
make_rare(struct bridge *bridge, const struct bridge_rare *old)
{
	bridge->rare = slab_take(&rares);
	if (bridge->rare == NULL)
		return false;
	*bridge->rare = old != NULL ? *old : (struct bridge_rare){.roc = {0}};
	return true;
}

struct bridge *
bridge_begin(const struct bridge *old)
{
	struct bridge *bridge = slab_take(&bridges);

	if (bridge == NULL || old == NULL)
		return bridge;
	*bridge = *old;
	if (old->rare != NULL && !make_rare(bridge, old->rare)) {
		slab_give(&bridges, bridge);
		return NULL;
	}
	for (unsigned i = 0; i < 2; i++) {
		srtp_key_ref(own(bridge->rx[i]));
		srtp_key_ref(own(bridge->tx[i]));
		srtp_key_ref(own(bridge_previous(bridge, i)));
		for (unsigned k = 0; k < 2; k++)
			if (bridge->leg[i].nexthop[k] != NULL)
				nexthop_ref(bridge->leg[i].nexthop[k]);
	}
	return bridge;
}

void
bridge_free(void *object)
{
	struct bridge *bridge = object;

	for (unsigned i = 0; i < 2; i++) {
		srtp_key_unref(own(bridge->rx[i]));
		srtp_key_unref(own(bridge->tx[i]));
		srtp_key_unref(own(bridge_previous(bridge, i)));
		put_nexthops(&bridge->leg[i]);
	}
	if (bridge->rare != NULL)
		slab_give(&rares, bridge->rare);
	slab_give(&bridges, bridge);
}

static enum relay_code
refuse_key(int result, unsigned leg, const struct relay_crypto *crypto, char *reason)
{
	if (result == -ENOMEM)
		return session_refuse(RELAY_E_NO_MEMORY, reason,
			"leg %u: no memory for a key: raise media.memory_mb", leg);
	if (relay_suite_info(crypto->suite) == NULL)
		return session_refuse(RELAY_E_KEY, reason, "leg %u: there is no crypto suite %u",
			leg, crypto->suite);
	if (crypto->mki_length > RELAY_MKI_MAX)
		return session_refuse(RELAY_E_MALFORMED, reason,
			"leg %u: an MKI has at most %d bytes", leg, RELAY_MKI_MAX);
	return session_refuse(RELAY_E_KEY, reason, "leg %u: the key can't be derived: %s", leg,
		strerror(-result));
}

enum relay_code
bridge_set_key(struct bridge *bridge, unsigned leg, bool transmit,
	const struct relay_crypto *crypto, char *reason)
{
	const struct srtp_key **place = transmit ? &bridge->tx[leg] : &bridge->rx[leg];
	struct srtp_key *key;

	if (crypto->suite == RELAY_SUITE_NONE)
		return RELAY_OK;
	if (*place != NULL && srtp_key_is(*place, crypto))
		return RELAY_OK;
	bool rare = !transmit && (*place != NULL || crypto->roc != 0);
	if (rare && bridge->rare == NULL && !make_rare(bridge, NULL))
		return refuse_key(-ENOMEM, leg, crypto, reason);
	int result = srtp_key_create(crypto, &key);
	if (result != 0)
		return refuse_key(result, leg, crypto, reason);
	if (transmit) {
		srtp_key_unref(own(*place));
		bridge->follow[1 - leg].tx_epoch++;
		bridge->restored &= (uint8_t) ~(1u << (1 - leg));
	} else {
		if (bridge->rare != NULL) {
			srtp_key_unref(own(bridge->rare->previous[leg]));
			bridge->rare->previous[leg] = *place;
			bridge->rare->previous_until_ms = tick_ms() + KEY_OVERLAP_MS;
			bridge->rare->roc[leg] = crypto->roc;
		}
		bridge->follow[leg].rx_epoch++;
		bridge->follow[leg].change++;
	}
	*place = key;
	return RELAY_OK;
}

void
bridge_clear_keys(struct bridge *bridge, unsigned leg)
{
	if (bridge->rx[leg] != NULL)
		bridge->follow[leg].rx_epoch++;
	if (bridge->tx[leg] != NULL)
		bridge->follow[1 - leg].tx_epoch++;
	srtp_key_unref(own(bridge->rx[leg]));
	srtp_key_unref(own(bridge->tx[leg]));
	bridge->rx[leg] = bridge->tx[leg] = NULL;
	bridge_forget_key(bridge, leg);
}

void
bridge_forget_key(struct bridge *bridge, unsigned leg)
{
	if (bridge->rare == NULL)
		return;
	srtp_key_unref(own(bridge->rare->previous[leg]));
	bridge->rare->previous[leg] = NULL;
}

enum relay_code
bridge_check_keys(const struct bridge *bridge, char *reason)
{
	for (unsigned i = 0; i < 2; i++)
		if (srtp_key_same(bridge->tx[i], bridge->rx[0]) ||
			srtp_key_same(bridge->tx[i], bridge->rx[1]) ||
			srtp_key_same(bridge->tx[i], bridge->tx[1 - i]))
			return session_refuse(RELAY_E_KEY, reason,
				"leg %u: the transmit key is also used elsewhere in the session: "
				"make a fresh one for each leg",
				i);
	return RELAY_OK;
}

/* May media be sent there? Never to ourselves: two legs aimed at each other would make a loop. */
static enum relay_code
check_remote(const struct media_address *local, const struct relay_addr *remote, char *reason)
{
	char text[RELAY_ADDR_TEXT];
	const char *why = NULL;

	if (remote->ip.family != local->ip.family)
		why = "is not of the media address's family";
	else if (remote->port == 0 || !relay_ip_is_routable_unicast(&remote->ip))
		why = "is no unicast address and port that media may be sent to";
	for (unsigned i = 0; why == NULL && i < ifaces_count; i++)
		if (iface_address(ifaces[i], remote->ip.ip, remote->ip.family) != NULL)
			why = "is the relay's own: media would run in a loop";
	if (why == NULL)
		return RELAY_OK;
	return session_refuse(RELAY_E_ADDRESS, reason, "remote address %s %s",
		relay_addr_format(remote, text), why);
}

static void
set_endpoint(struct endpoint *endpoint, const struct relay_addr *address)
{
	memset(endpoint, 0, sizeof(*endpoint));
	memcpy(endpoint->ip, address->ip.ip, address->ip.family == 4 ? 4 : 16);
	endpoint->port = address->port;
	endpoint->family = address->ip.family;
}

enum relay_code
bridge_set_remote(struct bridge *bridge, unsigned index, const struct relay_addr *rtp,
	const struct relay_addr *rtcp, char *reason)
{
	struct bridge_leg *leg = &bridge->leg[index];
	const struct media_address *local = leg_address(bridge, index);
	struct relay_addr remote[2] = {*rtp, *rtp};
	struct nexthop *nexthop[2] = {NULL, NULL};
	char text[RELAY_ADDR_TEXT];

	if (rtp->ip.family == 0) {
		put_nexthops(leg);
		memset(leg->remote, 0, sizeof(leg->remote));
		return RELAY_OK;
	}
	if ((leg->flags & RELAY_LEG_RTCP_MUX) == 0) {
		if (rtcp->ip.family != 0)
			remote[1] = *rtcp;
		else
			remote[1].port = (uint16_t)(rtp->port + 1);
	}
	for (unsigned i = 0; i < 2; i++) {
		enum relay_code code = check_remote(local, &remote[i], reason);
		if (code == RELAY_OK && (nexthop[i] = nexthop_get(local, &remote[i].ip)) == NULL)
			code = session_refuse(RELAY_E_ADDRESS, reason,
				"interface %s has no way to %s: it is not on its network, and no "
				"gateway is set for its address",
				local->iface->config->name, relay_addr_format(&remote[i], text));
		if (code != RELAY_OK) {
			if (nexthop[0] != NULL)
				nexthop_put(nexthop[0]);
			return code;
		}
	}
	put_nexthops(leg);
	for (unsigned i = 0; i < 2; i++) {
		set_endpoint(&leg->remote[i], &remote[i]);
		leg->nexthop[i] = nexthop[i];
	}
	return RELAY_OK;
}

enum relay_code
bridge_set_leg(struct bridge *bridge, unsigned index, const struct relay_leg_spec *spec,
	uint32_t mask, char *reason)
{
	struct bridge_leg *leg = &bridge->leg[index];

	if (spec->transport > RELAY_TRANSPORT_UDPTL || (spec->flags & ~RELAY_LEG_FLAGS) != 0 ||
		spec->dscp > 63 || spec->clock_rate % BRIDGE_CLOCK_UNIT != 0 ||
		spec->clock_rate / BRIDGE_CLOCK_UNIT > UINT16_MAX)
		return session_refuse(RELAY_E_MALFORMED, reason,
			"leg %u: transport, flags, DSCP or clock rate are out of range", index);
	if (mask & RELAY_UPDATE_REMOTE) {
		leg->flags = (uint8_t)spec->flags;
		leg->dscp = spec->dscp & 63;
		leg->clock = (uint16_t)(spec->clock_rate / BRIDGE_CLOCK_UNIT);
	}
	if (mask & RELAY_UPDATE_TRANSPORT)
		leg->transport = spec->transport & 3;
	if (leg->transport == RELAY_TRANSPORT_RTP || leg->transport == RELAY_TRANSPORT_UDPTL) {
		bridge_clear_keys(bridge, index);
		if ((mask & RELAY_UPDATE_RECEIVE && spec->receive.suite != RELAY_SUITE_NONE) ||
			(mask & RELAY_UPDATE_TRANSMIT && spec->transmit.suite != RELAY_SUITE_NONE))
			return session_refuse(
				RELAY_E_KEY, reason, "leg %u: a leg in clear has no keys", index);
	}
	return RELAY_OK;
}

static bool
is_plain_key(const struct srtp_key *key)
{
	return key != NULL && !srtp_key_is_aead(key) && key->mki_length == 0 &&
	       key->lifetime > BRIDGE_PLAIN_PACKETS;
}

/* See union bridge_follow. */
static bool
is_special(const struct bridge *bridge, unsigned in)
{
	const struct bridge_leg *from = &bridge->leg[in], *to = &bridge->leg[1 - in];

	return (bridge->ready >> in & 1) == 0 || from->transport != RELAY_TRANSPORT_SRTP ||
	       !is_plain_key(bridge->rx[in]) || !is_plain_key(bridge->tx[1 - in]) ||
	       bridge_previous(bridge, in) != NULL || (to->flags & RELAY_LEG_NO_SEND) != 0;
}

void
bridge_complete(struct bridge *bridge)
{
	const struct bridge_leg *leg = bridge->leg;
	bool transports = leg[0].transport != RELAY_TRANSPORT_NONE &&
	                  leg[1].transport != RELAY_TRANSPORT_NONE &&
	                  (leg[0].transport == RELAY_TRANSPORT_UDPTL) ==
	                          (leg[1].transport == RELAY_TRANSPORT_UDPTL);

	bridge->ready = 0;
	for (unsigned in = 0; transports && in < 2; in++) {
		unsigned out = 1 - in;
		if ((leg[in].transport != RELAY_TRANSPORT_SRTP || bridge->rx[in] != NULL) &&
			(leg[out].transport != RELAY_TRANSPORT_SRTP || bridge->tx[out] != NULL))
			bridge->ready |= (uint8_t)(1u << in);
	}
	for (unsigned in = 0; in < 2; in++)
		bridge->follow[in].special = is_special(bridge, in) ? BRIDGE_SPECIAL : 0;
}
