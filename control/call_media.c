/* SPDX-License-Identifier: BSD-3-Clause */
/* A call's sessions at the relay: created with the offerer's legs, updated with the answerer's,
 * deleted when their stream is switched off, or at the end, whatever the end. */
#include "call.h"
#include "call_past.h"
#include "call_stream.h"

#include "relay/log.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

/* Several requests to the relay with one outcome. */
struct operation {
	struct call *call;
	call_media_cb *done; /* NULL: nobody asks */
	/* told once all of these are done, before `done`; NULL: nothing */
	void (*then)(struct operation *operation);
	unsigned waiting; /* replies that have to come */
	int status;       /* of the first that failed */
	uint16_t created; /* bit i: stream i has a session by this operation */
	struct call_totals totals;
};

/* One of them. */
struct step {
	struct operation *operation;
	unsigned stream;
	unsigned leg;
	struct call_leg before; /* UPDATE: what the relay knew, and goes on to know if it refuses */
};

static struct call_stream *
stream_of(const struct step *step)
{
	return &step->operation->call->sdp.stream[step->stream];
}

/* A reply was the operation's last? Then its outcome is told. */
static void
finish(struct operation *operation)
{
	struct call *call = operation->call;

	if (--operation->waiting > 0)
		return;
	if (operation->then != NULL) {
		void (*then)(struct operation *) = operation->then;
		operation->then = NULL;
		operation->waiting = 1;
		then(operation);
		return;
	}
	call_media_cb *done = operation->done;
	int status = operation->status;
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

/* The end of what sends an operation's requests: -errno where one could not be sent. */
static int
sent(struct operation *operation, int result)
{
	if (result != 0) {
		operation->done = NULL;
		operation->then = NULL;
	}
	finish(operation);
	return result;
}

/* What the SIP side hears of the relay's refusal. */
static void
refuse(struct step *step, const struct relay_header *reply, int status)
{
	struct operation *operation = step->operation;
	const char *reason = reply != NULL ? relay_reply_reason(reply) : "it is gone";

	log_event(LOG_LEVEL_WARNING,
		LOG_ABOUT({LOG_CALL, operation->call->id}, {LOG_REASON, reason}),
		"call %s: the relay refuses: %s", operation->call->id, reason);
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

/* Sends one request of the operation, and wipes it. */
static int
send_step(struct operation *operation, unsigned stream, unsigned leg, void *request, size_t length,
	relay_reply_cb *on_reply)
{
	struct call *call = operation->call;
	struct step *step = calloc(1, sizeof(*step));
	int result = -ENOMEM;

	if (step != NULL) {
		*step = (struct step){operation, stream, leg, call->sdp.stream[stream].told[leg]};
		result = media_request(call->agent->media, request, length, on_reply, step);
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

/* The counters of a stream that has ended. */
static void
on_deleted(void *arg, const struct relay_header *reply)
{
	struct step *step = arg;
	struct operation *operation = step->operation;
	const struct relay_session *session = NULL;

	if (reply != NULL && reply->code == RELAY_OK)
		session = (const struct relay_session *)reply;
	call_record_stream(operation->call, step->stream, session, &operation->totals);
	end_step(step);
}

/* Ends a session. One that can't be told of it ends by itself, for want of media. */
static void
delete_session(struct operation *operation, unsigned index, relay_reply_cb *on_reply)
{
	struct call_stream *stream = &operation->call->sdp.stream[index];
	struct relay_by_id request = {.header = {.op = RELAY_OP_DELETE}};

	if (!stream->in_relay)
		return;
	stream->in_relay = false;
	OPENSSL_cleanse(stream->told, sizeof(stream->told));
	call_past_forget(stream);
	memcpy(request.id, stream->id, sizeof(request.id));
	if (send_step(operation, index, 0, &request, sizeof(request), on_reply) != 0)
		call_record_stream(operation->call, index, NULL, &operation->totals);
}

static void
on_created(void *arg, const struct relay_header *reply)
{
	struct step *step = arg;
	struct call_stream *stream = stream_of(step);
	const struct relay_session *session = (const struct relay_session *)reply;

	if (reply == NULL || reply->code != RELAY_OK) {
		stream->in_relay = false;
		OPENSSL_cleanse(stream->told, sizeof(stream->told));
		step->operation->created &= (uint16_t) ~(1u << step->stream);
		refuse(step, reply, reply != NULL && reply->code == RELAY_E_ADDRESS ? 488 : 503);
	} else {
		stream->local[0] = session->leg[0].local_rtp;
		stream->local[1] = session->leg[1].local_rtp;
	}
	end_step(step);
}

static void
on_dropped(void *arg, const struct relay_header *reply)
{
	end_step(arg);
}

/* All or nothing: where one session was refused, those made with it go. */
static void
drop_if_failed(struct operation *operation)
{
	for (unsigned i = 0; operation->status != 0 && i < operation->call->sdp.streams; i++)
		if (operation->created & 1u << i)
			delete_session(operation, i, on_dropped);
	finish(operation);
}

static int
create_session(struct operation *operation, unsigned index)
{
	struct call_stream *stream = &operation->call->sdp.stream[index];
	struct relay_create request = {.header = {.op = RELAY_OP_CREATE}};

	memcpy(request.id, stream->id, sizeof(request.id));
	for (unsigned i = 0; i < 2; i++)
		call_media_fill_leg(operation->call, stream, i, &request.leg[i]);
	int result = send_step(operation, index, 0, &request, sizeof(request), on_created);
	if (result == 0) {
		stream->in_relay = true;
		operation->created |= (uint16_t)(1u << index);
		memcpy(stream->told, stream->next, sizeof(stream->told));
		memset(stream->latched, 0, sizeof(stream->latched));
		call_past_begin(stream);
	}
	return result;
}

/* A session for each stream of the open offer that has none. */
static int
create_all(struct operation *operation)
{
	const struct call_sdp *sdp = &operation->call->sdp;
	int result = 0;

	operation->then = drop_if_failed;
	for (unsigned i = 0; i < sdp->streams && result == 0; i++)
		if (!sdp->stream[i].in_relay &&
			sdp->stream[i].next[sdp->offerer].transport != RELAY_TRANSPORT_NONE)
			result = create_session(operation, i);
	return result;
}

int
call_media_open(struct call *call, call_media_cb *done)
{
	struct operation *operation = begin(call, done);

	if (operation == NULL)
		return -ENOMEM;
	return sent(operation, create_all(operation));
}

/* The old ones are gone. */
static void
create_again(struct operation *operation)
{
	if (operation->call->state != CALL_ENDED && create_all(operation) != 0)
		operation->status = 503;
	finish(operation);
}

int
call_media_move(struct call *call, call_media_cb *done)
{
	struct operation *operation;

	if (!media_is_connected(call->agent->media))
		return -ENOTCONN;
	operation = begin(call, done);
	if (operation == NULL)
		return -ENOMEM;
	operation->then = create_again;
	for (unsigned i = 0; i < call->sdp.streams; i++)
		delete_session(operation, i, on_dropped);
	return sent(operation, 0);
}

/* What of a leg the relay does not know yet, RELAY_UPDATE_*. A leg that leaves SRTP loses its keys
 * by that alone. */
static unsigned
difference(const struct call_leg *told, const struct call_leg *next)
{
	unsigned mask = 0;

	if (next->transport != told->transport)
		mask |= RELAY_UPDATE_TRANSPORT;
	if (!relay_addr_equal(&told->remote_rtp, &next->remote_rtp) ||
		!relay_addr_equal(&told->remote_rtcp, &next->remote_rtcp) ||
		told->rtcp_mux != next->rtcp_mux || told->flags != next->flags ||
		told->clock_rate != next->clock_rate)
		mask |= RELAY_UPDATE_REMOTE;
	if (next->transport != RELAY_TRANSPORT_SRTP)
		return mask;
	if (!sdes_is_same_key(&told->receive, &next->receive))
		mask |= RELAY_UPDATE_RECEIVE;
	if (!sdes_is_same_key(&told->transmit, &next->transmit))
		mask |= RELAY_UPDATE_TRANSMIT;
	return mask;
}

static bool
is_told(const struct call_stream *stream)
{
	return !call_stream_is_used(stream->next) ||
	       (stream->in_relay && difference(&stream->told[0], &stream->next[0]) == 0 &&
		       difference(&stream->told[1], &stream->next[1]) == 0);
}

bool
call_media_is_told(const struct call *call)
{
	for (unsigned i = 0; i < call->sdp.streams; i++)
		if (!is_told(&call->sdp.stream[i]))
			return false;
	return true;
}

static void
on_updated(void *arg, const struct relay_header *reply)
{
	struct step *step = arg;

	struct call_leg *told = &stream_of(step)->told[step->leg];
	bool failed = reply == NULL || reply->code != RELAY_OK;

	call_past_answered(stream_of(step), step->leg,
		failed && !sdes_is_same_key(&step->before.transmit, &told->transmit));
	if (failed) {
		*told = step->before;
		refuse(step, reply, 488);
	}
	end_step(step);
}

/* Tells of a leg what `which` (RELAY_UPDATE_*) has of what is new. */
static int
update_leg(struct operation *operation, unsigned index, unsigned leg, unsigned which)
{
	struct call_stream *stream = &operation->call->sdp.stream[index];
	struct call_leg *told = &stream->told[leg], *next = &stream->next[leg];
	struct relay_update request = {.header = {.op = RELAY_OP_UPDATE}, .leg = leg};

	request.mask = difference(told, next) & which;
	if (request.mask == 0)
		return 0;
	memcpy(request.id, stream->id, sizeof(request.id));
	call_media_fill_leg(operation->call, stream, leg, &request.spec);
	unsigned mask = request.mask;
	int result = send_step(operation, index, leg, &request, sizeof(request), on_updated);
	if (result != 0)
		return result;
	call_past_changed(stream, leg, mask);
	struct call_leg keys = *told;
	*told = *next;
	if ((mask & ~RELAY_UPDATE_REMOTE) == 0) { /* only where it is was told */
		told->transport = keys.transport;
		told->receive = keys.receive;
		told->transmit = keys.transmit;
	}
	OPENSSL_cleanse(&keys, sizeof(keys));
	return 0;
}

static int
update_all(struct operation *operation, unsigned which)
{
	struct call_sdp *sdp = &operation->call->sdp;
	int result = 0;

	for (unsigned i = 0; i < sdp->streams; i++)
		for (unsigned leg = 0; leg < 2 && result == 0; leg++)
			if (sdp->stream[i].in_relay && call_stream_is_used(sdp->stream[i].next))
				result = update_leg(operation, i, leg, which);
	return result;
}

/* The addresses were taken: now the keys and what else there is. */
static void
tell_keys(struct operation *operation)
{
	if (operation->status == 0 && operation->call->state != CALL_ENDED &&
		update_all(operation, UINT32_MAX) != 0)
		operation->status = 503;
	finish(operation);
}

int
call_media_apply(struct call *call, call_media_cb *done)
{
	struct operation *operation = begin(call, done);

	if (operation == NULL)
		return -ENOMEM;
	/* In a call that is up, an address that the relay refuses must be found before any key is
	 * told: addresses can be taken back, keys can't. */
	bool up = call->sdp.said[0] != NULL && call->sdp.said[1] != NULL;
	if (up)
		operation->then = tell_keys;
	return sent(operation, update_all(operation, up ? RELAY_UPDATE_REMOTE : UINT32_MAX));
}

void
call_media_drop_unused(struct call *call)
{
	struct operation *operation = begin(call, NULL);

	if (operation == NULL)
		return;
	for (unsigned i = 0; i < call->sdp.streams; i++)
		if (!call_stream_is_used(call->sdp.stream[i].agreed))
			delete_session(operation, i, on_deleted);
	finish(operation);
}

static void
log_end(struct operation *operation)
{
	call_record_log(operation->call, &operation->totals);
	finish(operation);
}

void
call_media_delete(struct call *call)
{
	struct operation *operation = begin(call, NULL);

	if (operation == NULL)
		return;
	for (unsigned i = 0; i < call->sdp.streams; i++)
		delete_session(operation, i, on_deleted);
	if (operation->waiting > 1 || operation->totals.streams > 0)
		operation->then = log_end;
	finish(operation);
}

unsigned
call_media_lost(struct call *call, const char *id)
{
	struct call_sdp *sdp = &call->sdp;
	struct call_totals totals = {.streams = 0};
	struct call_stream *lost = NULL;
	unsigned left = 0;

	for (unsigned i = 0; i < sdp->streams; i++) {
		struct call_stream *stream = &sdp->stream[i];
		if (stream->in_relay && strncmp(stream->id, id, sizeof(stream->id)) == 0)
			lost = stream;
		else
			left += stream->in_relay;
	}
	if (lost == NULL || left == 0)
		return left; /* the last one's end is the call's */
	lost->in_relay = false;
	OPENSSL_cleanse(lost->told, sizeof(lost->told));
	call_past_forget(lost);
	call_record_stream(call, (unsigned)(lost - sdp->stream), NULL, &totals);
	return left;
}

void
call_media_latched(struct call *call, const struct relay_event *event)
{
	struct call_sdp *sdp = &call->sdp;

	for (unsigned i = 0; i < sdp->streams; i++)
		if (strncmp(sdp->stream[i].id, event->id, sizeof(event->id)) == 0) {
			sdp->stream[i].latched[event->leg] = event->remote;
			call_past_latched(&sdp->stream[i], event->leg, &event->remote);
		}
}
