/* SPDX-License-Identifier: BSD-3-Clause */
/* A call's sessions, installed again at a relay that was restarted: the same addresses, ports and
 * keys, and its packet indices as far as they are known. Where they are not, the leg gets a fresh
 * key: by a re-INVITE, at once. */
#include "call.h"
#include "call_past.h"

#include "relay/log.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>

struct step {
	struct call *call;
	unsigned stream;
	unsigned fresh; /* legs that need fresh keys, as bits */
};

static bool
is_there(const struct call_stream *stream, const struct relay_session *session)
{
	return relay_addr_equal(&stream->local[0], &session->leg[0].local_rtp) &&
	       relay_addr_equal(&stream->local[1], &session->leg[1].local_rtp);
}

static void
end(struct call *call, const char *why)
{
	log_warning("call %s: the relay can't take it up again: %s", call->id, why);
	call_end(call, "lost with the relay", NULL, 503, NULL);
}

/* The key that was held back stays in told[], so that nothing tells the relay of it again. */
static void
ask_for_keys(struct call *call, unsigned fresh)
{
	for (unsigned i = 0; i < 2; i++)
		if (fresh & 1u << i) {
			call_rekey_expiring(&call->side[i]);
			call_rekey_look(&call->side[i]);
		}
}

static void
on_restored(void *arg, const struct relay_header *reply)
{
	struct step step = *(struct step *)arg;
	struct call *call = step.call;
	struct call_stream *stream = &call->sdp.stream[step.stream];

	free(arg);
	call->waiting--;
	if (call->state == CALL_ENDED)
		call_done_waiting(call);
	else if (reply == NULL)
		; /* it went away again, and comes back again, or the deadline does */
	else if (reply->code != RELAY_OK)
		end(call, relay_reply_reason(reply));
	else if (!is_there(stream, (const struct relay_session *)reply))
		end(call, "it has other ports");
	else
		ask_for_keys(call, step.fresh);
}

static int
restore_stream(struct call *call, unsigned index)
{
	struct call_stream *stream = &call->sdp.stream[index];
	struct step *step = calloc(1, sizeof(*step));
	struct relay_restore request;

	if (step == NULL)
		return -ENOMEM;
	*step = (struct step){call, index, call_past_restore(stream, &request)};
	request.create.header.op = RELAY_OP_RESTORE;
	int result =
		media_request(call->agent->media, &request, sizeof(request), on_restored, step);
	OPENSSL_cleanse(&request, sizeof(request));
	if (result == 0)
		call->waiting++;
	else
		free(step);
	return result;
}

unsigned
call_restore(struct call *call)
{
	unsigned asked = 0;

	for (unsigned i = 0; i < call->sdp.streams && call->state != CALL_ENDED; i++) {
		if (!call->sdp.stream[i].in_relay)
			continue;
		int result = restore_stream(call, i);
		if (result == -ENOMEM)
			end(call, "out of memory");
		if (result != 0)
			return asked; /* it went away again */
		asked++;
	}
	return asked;
}
