/* SPDX-License-Identifier: BSD-3-Clause */
/* A call's sessions at the relay: created with the offerer's leg, updated with the answerer's,
 * deleted at the end, whatever the end. */
#include "call.h"

#include "relay/log.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Several requests to the relay with one outcome. */
struct operation {
	struct call *call;
	call_media_cb *done; /* NULL: nobody asks */
	unsigned waiting;    /* replies that have to come */
	int status;          /* of the first that failed */
};

/* One of them. */
struct step {
	struct operation *operation;
	struct call_stream *stream;
	unsigned leg;
	struct call_leg before; /* UPDATE: what the relay knew, and goes on to know if it refuses */
};

/* How well a media address suits a phone: on its network, by a gateway, or at least of its
 * family. */
static unsigned
suits(const struct config_address *at, const struct relay_ip *peer)
{
	if (relay_ip_in_prefix(peer, &at->ip, at->prefix_length))
		return 3;
	if (at->ip.family != peer->family)
		return 0;
	return at->gateway != NULL ? 2 : 1;
}

/* The interface that suits best, the first of equals. */
static const struct config_interface *
choose_interface(const struct config_media *media, const struct relay_ip *peer)
{
	const struct config_interface *best = &media->interfaces[0];
	unsigned best_rank = 0;

	for (unsigned i = 0; i < media->interfaces_count; i++) {
		const struct config_interface *at = &media->interfaces[i];
		for (unsigned k = 0; k < at->addresses_count; k++) {
			unsigned rank = suits(&at->addresses[k], peer);
			if (rank <= best_rank)
				continue;
			best = at;
			best_rank = rank;
		}
	}
	return best;
}

/* Fills in what `next` says of a leg; ports alone while the side has said nothing. */
static void
fill_leg(const struct call *call, const struct call_stream *stream, unsigned index,
	struct relay_leg_spec *spec)
{
	const struct call_leg *leg = &stream->next[index];
	const struct config_media *media = &call->agent->config->media;

	if (media->interfaces_count > 0)
		snprintf(spec->interface, sizeof(spec->interface), "%s",
			choose_interface(media, &call->side[index].peer)->name);
	/* any address of the phone's family */
	spec->local_rtp.ip.family = call->side[index].peer.family;
	spec->flags = RELAY_LEG_LATCH | (leg->rtcp_mux ? RELAY_LEG_RTCP_MUX : 0);
	spec->transport = leg->transport;
	if (leg->transport == RELAY_TRANSPORT_NONE)
		return;
	spec->remote_rtp = leg->remote_rtp;
	spec->remote_rtcp = leg->remote_rtcp;
	spec->receive = leg->receive;
	spec->transmit = leg->transmit;
}

unsigned
call_media_place(const struct call *call, const struct relay_ip *peer)
{
	const struct config_media *media = &call->agent->config->media;
	unsigned index = 0;

	if (media->interfaces_count > 0)
		index = (unsigned)(choose_interface(media, peer) - media->interfaces);
	return index * 2 + (peer->family == 6);
}

/* A reply was the operation's last? Then its outcome is told. */
static void
finish(struct operation *operation)
{
	struct call *call = operation->call;
	call_media_cb *done = operation->done;
	int status = operation->status;

	if (--operation->waiting > 0)
		return;
	free(operation);
	call->waiting--;
	if (call->state == CALL_ENDED)
		call_done_waiting(call);
	else if (done != NULL)
		done(call, status);
}

static struct operation *
begin(struct call *call, call_media_cb *done)
{
	struct operation *operation = calloc(1, sizeof(*operation));

	if (operation == NULL)
		return NULL;
	operation->call = call;
	operation->done = done;
	operation->waiting = 1; /* ours, until all is sent */
	call->waiting++;
	return operation;
}

/* What the SIP side hears of the relay's refusal. */
static void
refuse(struct step *step, const struct relay_header *reply, int status)
{
	struct operation *operation = step->operation;

	log_warning("call %s: the relay refuses: %s", operation->call->id,
		reply != NULL ? relay_reply_reason(reply) : "it is gone");
	if (operation->status == 0)
		operation->status = reply != NULL ? status : 503;
}

static void
end_step(struct step *step)
{
	struct operation *operation = step->operation;

	OPENSSL_cleanse(step, sizeof(*step));
	free(step);
	finish(operation);
}

static void
on_created(void *arg, const struct relay_header *reply)
{
	struct step *step = arg;
	const struct relay_session *session = (const struct relay_session *)reply;

	if (reply == NULL || reply->code != RELAY_OK) {
		step->stream->in_relay = false;
		OPENSSL_cleanse(step->stream->told, sizeof(step->stream->told));
		refuse(step, reply, reply != NULL && reply->code == RELAY_E_ADDRESS ? 488 : 503);
	} else {
		step->stream->local[0] = session->leg[0].local_rtp;
		step->stream->local[1] = session->leg[1].local_rtp;
	}
	end_step(step);
}

static void
on_updated(void *arg, const struct relay_header *reply)
{
	struct step *step = arg;

	if (reply == NULL || reply->code != RELAY_OK) {
		step->stream->told[step->leg] = step->before;
		refuse(step, reply, 488);
	}
	end_step(step);
}

/* Sends one request of the operation, and wipes it. */
static int
send_step(struct operation *operation, struct call_stream *stream, unsigned leg, void *request,
	size_t length, relay_reply_cb *on_reply)
{
	struct step *step = calloc(1, sizeof(*step));
	int result = -ENOMEM;

	if (step != NULL) {
		*step = (struct step){operation, stream, leg, stream->told[leg]};
		result = media_request(
			operation->call->agent->media, request, length, on_reply, step);
	}
	OPENSSL_cleanse(request, length);
	if (result == 0) {
		operation->waiting++;
	} else if (step != NULL) {
		OPENSSL_cleanse(step, sizeof(*step));
		free(step);
	}
	return result;
}

static int
create_session(struct operation *operation, struct call_stream *stream)
{
	struct relay_create request = {.header = {.op = RELAY_OP_CREATE}};

	memcpy(request.id, stream->id, sizeof(request.id));
	for (unsigned i = 0; i < 2; i++)
		fill_leg(operation->call, stream, i, &request.leg[i]);
	int result = send_step(operation, stream, 0, &request, sizeof(request), on_created);
	if (result == 0) {
		stream->in_relay = true;
		memcpy(stream->told, stream->next, sizeof(stream->told));
	}
	return result;
}

/* The end of what sends an operation's requests: -errno where one could not be sent. */
static int
sent(struct operation *operation, int result)
{
	if (result != 0)
		operation->done = NULL;
	finish(operation);
	return result;
}

int
call_media_open(struct call *call, call_media_cb *done)
{
	struct operation *operation = begin(call, done);

	if (operation == NULL)
		return -ENOMEM;
	int result = 0;
	if (!call->sdp.stream.in_relay)
		result = create_session(operation, &call->sdp.stream);
	return sent(operation, result);
}

/* What of a leg the relay does not know yet, RELAY_UPDATE_*. */
static unsigned
difference(const struct call_leg *told, const struct call_leg *next)
{
	unsigned mask = 0;

	if (next->transport != told->transport)
		mask |= RELAY_UPDATE_TRANSPORT;
	if (!relay_addr_equal(&told->remote_rtp, &next->remote_rtp) ||
		!relay_addr_equal(&told->remote_rtcp, &next->remote_rtcp) ||
		told->rtcp_mux != next->rtcp_mux)
		mask |= RELAY_UPDATE_REMOTE;
	if (CRYPTO_memcmp(&told->receive, &next->receive, sizeof(told->receive)) != 0)
		mask |= RELAY_UPDATE_RECEIVE;
	if (CRYPTO_memcmp(&told->transmit, &next->transmit, sizeof(told->transmit)) != 0)
		mask |= RELAY_UPDATE_TRANSMIT;
	return mask;
}

static int
update_leg(struct operation *operation, struct call_stream *stream, unsigned leg)
{
	struct relay_update request = {.header = {.op = RELAY_OP_UPDATE}, .leg = leg};

	request.mask = difference(&stream->told[leg], &stream->next[leg]);
	if (request.mask == 0)
		return 0;
	memcpy(request.id, stream->id, sizeof(request.id));
	fill_leg(operation->call, stream, leg, &request.spec);
	int result = send_step(operation, stream, leg, &request, sizeof(request), on_updated);
	if (result == 0)
		stream->told[leg] = stream->next[leg];
	return result;
}

bool
call_media_is_told(const struct call *call)
{
	const struct call_stream *stream = &call->sdp.stream;

	return stream->in_relay && difference(&stream->told[0], &stream->next[0]) == 0 &&
	       difference(&stream->told[1], &stream->next[1]) == 0;
}

int
call_media_apply(struct call *call, call_media_cb *done)
{
	struct operation *operation = begin(call, done);
	int result = 0;

	if (operation == NULL)
		return -ENOMEM;
	for (unsigned i = 0; i < 2 && result == 0; i++)
		result = update_leg(operation, &call->sdp.stream, i);
	return sent(operation, result);
}

static const char *
suite_name(unsigned suite)
{
	const struct relay_suite_info *info = relay_suite_info(suite);

	return info != NULL ? info->name : "-";
}

/* The call record: one line, never a key. */
static void
log_record(const struct call *call, const struct relay_session *session)
{
	uint64_t now = call_now_ms();
	const struct relay_leg_info *a = &session->leg[0], *b = &session->leg[1];
	uint64_t drops[2] = {0, 0};

	for (unsigned i = 1; i < RELAY_DROP_COUNT; i++) {
		drops[0] += a->drops[i];
		drops[1] += b->drops[i];
	}
	log_info("call %s: %s to %s ended (%s) after %.1f s, of which %.1f s answered; "
		 "caller %s in %lu out %lu dropped %lu; callee %s in %lu out %lu dropped %lu",
		call->id, call->caller, call->callee, call->cause != NULL ? call->cause : "-",
		(double)(now - call->started_ms) / 1000,
		call->answered_ms != 0 ? (double)(now - call->answered_ms) / 1000 : 0.0,
		suite_name(a->receive_suite), (unsigned long)a->packets_in,
		(unsigned long)a->packets_out, (unsigned long)drops[0],
		suite_name(b->receive_suite), (unsigned long)b->packets_in,
		(unsigned long)b->packets_out, (unsigned long)drops[1]);
}

static void
on_deleted(void *arg, const struct relay_header *reply)
{
	struct call *call = arg;

	bool told = reply != NULL && reply->code == RELAY_OK;
	record_stream(call->record, "audio", (const char *const[2]){NULL, NULL},
		told ? (const struct relay_session *)reply : NULL);
	if (told)
		log_record(call, (const struct relay_session *)reply);
	else
		log_info("call %s: %s to %s ended (%s); the relay has no counters of it", call->id,
			call->caller, call->callee, call->cause != NULL ? call->cause : "-");
	call->waiting--;
	call_done_waiting(call);
}

void
call_media_delete(struct call *call)
{
	struct relay_by_id request = {.header = {.op = RELAY_OP_DELETE}};

	if (!call->sdp.stream.in_relay)
		return;
	call->sdp.stream.in_relay = false;
	memcpy(request.id, call->sdp.stream.id, sizeof(request.id));
	call->waiting++;
	if (media_request(call->agent->media, &request, sizeof(request), on_deleted, call) != 0)
		on_deleted(call, NULL);
}
