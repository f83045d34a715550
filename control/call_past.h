/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the relay has told of a stream's flows, so that a relay that was restarted goes on with
 * them: SSRCs, packet indices, addresses in force (relay/api.h, STATE and RESTORE). Whether that is
 * all there is to know is the point: an index that the earlier relay has used must not be used
 * again. A flow is in doubt from when a key or an address of its changes until the relay has told
 * twice, and the same, what came of it. What is sent on from a leg in clear is always in doubt.
 * Event-loop thread alone.
 */
#ifndef CONTROL_CALL_PAST_H
#define CONTROL_CALL_PAST_H

#include "call_sdp.h"

/* What the relay told. */
void call_past_take(struct call_stream *stream, const struct relay_state_entry *entry);

/* An UPDATE of a leg has been sent (mask: RELAY_UPDATE_*), and told[] is still as it was before. It
 * has been answered; untold_key: by a refusal, or not, and there was a transmit key in it. */
void call_past_changed(struct call_stream *stream, unsigned leg, unsigned mask);
void call_past_answered(struct call_stream *stream, unsigned leg, bool untold_key);

/* The relay found a leg's far end elsewhere. */
void call_past_latched(struct call_stream *stream, unsigned leg, const struct relay_addr *remote);

/* A new session: nothing has been sent. Without it, as for one that the relay held before, both
 * flows are in doubt. */
void call_past_begin(struct call_stream *stream);

/* The request that takes the stream up again, with all but its header; the caller wipes it. Legs
 * whose transmit key is in doubt have none in it, and are returned as bits: they need fresh
 * ones. */
unsigned call_past_restore(struct call_stream *stream, struct relay_restore *request);

/* The session is gone. */
void call_past_forget(struct call_stream *stream);

#endif
