/* SPDX-License-Identifier: BSD-3-Clause */
#include "transcryptor.h"

#include "dataplane/session_private.h"
#include "dataplane/srtp_context.h"
#include "dataplane/srtp_flow.h"
#include "dataplane/srtp_plain.h"
#include "dataplane/tick.h"
#include "tests/test_engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PORT 20000 /* RTCP is muxed, so that one port has both */

static void
set_key(struct transcryptor *transcryptor, unsigned place, const struct relay_crypto *crypto,
	const struct srtp_key **out)
{
	if (crypto->suite == RELAY_SUITE_NONE)
		return;
	if (srtp_key_create(crypto, &transcryptor->keys[place]) != 0) {
		fprintf(stderr, "transcryptor: a key can't be derived\n");
		exit(1);
	}
	*out = transcryptor->keys[place];
}

void
transcryptor_init(struct transcryptor *transcryptor, const struct relay_crypto receive[2],
	const struct relay_crypto transmit[2], struct rte_mempool *streams)
{
	struct bridge *bridge = &transcryptor->bridge;

	memset(transcryptor, 0, sizeof(*transcryptor));
	transcryptor->engine = test_engine();
	transcryptor->state = transcryptor->engine->create();
	if (transcryptor->state == NULL) {
		fprintf(stderr, "transcryptor: out of memory\n");
		exit(1);
	}
	transcryptor->streams = streams;
	bridge->state = transcryptor->flow;
	bridge->ready = 3;
	for (unsigned leg = 0; leg < 2; leg++) {
		flow_state_init(&transcryptor->flow[leg]);
		set_key(transcryptor, leg, &receive[leg], &bridge->rx[leg]);
		set_key(transcryptor, 2 + leg, &transmit[leg], &bridge->tx[leg]);
		bridge->follow[leg].rx_epoch = bridge->follow[leg].tx_epoch = 1;
		bridge->leg[leg].transport = receive[leg].suite != RELAY_SUITE_NONE
		                                     ? RELAY_TRANSPORT_SRTP
		                                     : RELAY_TRANSPORT_RTP;
		bridge->leg[leg].flags = RELAY_LEG_RTCP_MUX;
		bridge->leg[leg].port = PORT;
	}
	bridge_complete(bridge);
}

void
transcryptor_fini(struct transcryptor *transcryptor)
{
	for (unsigned i = 0; i < 4; i++)
		srtp_key_unref(transcryptor->keys[i]);
	for (unsigned leg = 0; leg < 2; leg++)
		srtp_context_release(&transcryptor->flow[leg], transcryptor->streams);
	transcryptor->engine->destroy(transcryptor->state);
}

struct work {
	struct packet packet;
	struct media *media;
	union srtp_key_room room;
};

static bool
open_one(struct transcryptor *transcryptor, struct work *work, struct media *media)
{
	struct packet *packet = &work->packet;
	struct flow_state *state = &transcryptor->flow[media->direction];

	/* what forgeries may cost is another test's matter */
	state->budget[0] = FLOW_BUDGET_STRANGERS;
	state->budget[1] = FLOW_BUDGET_SOURCE;
	memset(packet, 0, sizeof(*packet));
	packet->bridge = &transcryptor->bridge;
	packet->leg = (uint8_t)media->direction;
	packet->payload = media->data;
	packet->length = (uint16_t)media->length;
	packet->local_port = PORT;
	packet->room = &work->room;
	work->media = media;
	media->drop = RELAY_DROP_NONE;
	if (transcryptor->long_way || !srtp_plain_open(packet, tick_ms()))
		media->drop = srtp_flow_open(packet, tick_ms());
	transcryptor->short_ways += packet->plain;
	return media->drop == RELAY_DROP_NONE;
}

static void
run_engine(struct transcryptor *transcryptor, struct work *const works[], unsigned n, bool verify)
{
	struct crypto_op *ops[ENGINE_BATCH_MAX] = {NULL};

	for (unsigned i = 0; i < n; i++)
		ops[i] = &works[i]->packet.op;
	if (verify)
		transcryptor->engine->verify(transcryptor->state, ops, n);
	else
		transcryptor->engine->transcrypt(transcryptor->state, ops, n);
}

static bool
accept_one(struct transcryptor *transcryptor, struct work *work)
{
	struct packet *packet = &work->packet;

	while (!packet->op.genuine) {
		if (!srtp_flow_retry(packet, tick_ms())) {
			work->media->drop = RELAY_DROP_AUTH_FAILED;
			return false;
		}
		run_engine(transcryptor, &work, 1, true);
	}
	if (packet->plain && srtp_plain_accept(packet, tick_ms(), tick_now())) {
		work->media->drop = RELAY_DROP_NONE;
		return true;
	}
	work->media->drop = srtp_flow_accept(packet, transcryptor->streams, tick_now());
	if (work->media->drop != RELAY_DROP_NONE)
		return false;
	atomic_store_explicit(
		&transcryptor->flow[packet->leg].last_ms, tick_ms(), memory_order_relaxed);
	return true;
}

void
transcryptor_run(struct transcryptor *transcryptor, struct media *const media[], unsigned n)
{
	static struct work all[ENGINE_BATCH_MAX];
	struct work *works[ENGINE_BATCH_MAX], *rtcp[ENGINE_BATCH_MAX];
	unsigned opened = 0, kept = 0, turned = 0;

	for (unsigned i = 0; i < n; i++)
		if (open_one(transcryptor, &all[i], media[i]))
			works[opened++] = &all[i];
	if (opened == 0)
		return;
	run_engine(transcryptor, works, opened, true);
	for (unsigned i = 0; i < opened; i++)
		if (accept_one(transcryptor, works[i]))
			works[kept++] = works[i];
	if (kept == 0)
		return;
	run_engine(transcryptor, works, kept, false);
	for (unsigned i = 0; i < kept; i++)
		if (works[i]->packet.rtcp) {
			srtp_flow_turn_rtcp(&works[i]->packet, tick_now());
			rtcp[turned++] = works[i];
		}
	if (turned > 0)
		run_engine(transcryptor, rtcp, turned, false);
	for (unsigned i = 0; i < kept; i++) {
		srtp_flow_seal(&works[i]->packet);
		works[i]->media->length = works[i]->packet.length;
	}
}
