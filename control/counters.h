/* SPDX-License-Identifier: BSD-3-Clause */
/* What sallyport-sip counts, by name, since its start: "sallyctl sip stats" shows them. New rows go
 * to the end of their group; names are for people and monitoring alike, so they stay. Event-loop
 * thread alone. */
#ifndef CONTROL_COUNTERS_H
#define CONTROL_COUNTERS_H

#include <stdint.h>

/* clang-format off */
#define COUNTERS(X) \
	/* connections */ \
	X(TLS_ACCEPTED, "tls.accepted", "TLS handshakes of others with us that succeeded") \
	X(TLS_CONNECTED, "tls.connected", "TLS handshakes of ours with a trunk that succeeded") \
	X(TLS_RESUMED, "tls.resumed", "of the handshakes: sessions resumed") \
	X(TLS_FAILED, "tls.failed", "TLS handshakes that failed") \
	X(TLS_PEER_REFUSED, "tls.peer_refused", \
		"a peer's certificate did not verify, or was none") \
	X(TLS_UNEXPECTED, "tls.unexpected", "connections of ours to where nobody is expected") \
	X(CONNECTIONS_FULL, "connections.full", "there are as many as there may be in all") \
	X(CONNECTIONS_SOURCE, "connections.source", "its source has as many as one may have") \
	X(CONNECTIONS_RATE, "connections.rate", "its source connects too often") \
	X(CONNECTIONS_DESCRIPTORS, "connections.descriptors", \
		"there is no descriptor left for it") \
	X(CUT_HANDSHAKE, "cut.handshake", "connections cut off: the handshake took too long") \
	X(CUT_LOGIN, "cut.login", "connections cut off: nobody logged in") \
	X(CUT_MESSAGE, "cut.message", "connections cut off: a message took too long to come") \
	X(CUT_WRITE, "cut.write", "connections cut off: the peer did not read") \
	X(CUT_BROKEN, "cut.broken", "connections cut off: what came was no SIP, or too large") \
	X(CUT_IDLE, "cut.idle", "connections cut off: nothing was heard") \
	X(CUT_KEEPALIVES, "cut.keepalives", "connections cut off: nothing but CRLF came") \
	X(CUT_REQUESTS, "cut.requests", "connections cut off: far too many requests") \
	X(KEEPALIVES, "keepalives", "CRLF CRLF answered (RFC 5626)") \
	/* messages */ \
	X(MESSAGE_SIZE, "message.size", "messages larger than they may be") \
	X(MESSAGE_HEADERS, "message.headers", "messages with more headers than they may have") \
	X(MESSAGE_BODY, "message.body", "messages with a larger body than they may have") \
	X(MESSAGE_BROKEN, "message.broken", "what could not be read as a message") \
	X(REQUESTS_RATE, "requests.rate", "its source sends too many") \
	X(REQUESTS_LOAD, "requests.load", "there is too much to do, and it is a stranger's") \
	X(REQUESTS_LOAD_KNOWN, "requests.load_known", "there is too much to do, for users, too") \
	/* routes and trunks */ \
	X(ROUTE_NOT_FOUND, "route.not_found", "requests to nobody that we know") \
	X(ROUTE_TRUNKS_OUT, "route.trunks_out", "requests for trunks that are all out") \
	X(TRUNK_PING_FAILED, "trunk.ping_failed", "OPTIONS to a trunk without a good answer") \
	X(TRUNK_OUT, "trunk.out", "addresses of trunks that were taken out") \
	X(TRUNK_IN, "trunk.in", "addresses of trunks that came in again") \
	X(TRUNK_STRANGER, "trunk.stranger", "requests at sip.peering from no trunk that may call") \
	X(DNS_UNSOUND, "dns.unsound", "answers of the DNS that are no whole message") \
	/* calls */ \
	X(CALLS_STRANGER, "calls.stranger", "requests in a call from who is not in it") \
	X(CALLS_BEGUN, "calls.begun", "INVITEs that began a call") \
	X(CALLS_ANSWERED, "calls.answered", "of those: answered") \
	X(CALLS_LOOP, "calls.loop", "our own INVITEs that came back: 482") \
	X(CALLS_HOPS, "calls.hops", "Max-Forwards was used up: 483") \
	X(CALLS_REDIRECTED, "calls.redirected", "3xx that were followed") \
	X(CALLS_STRAY, "calls.stray", "3xx that were not: to strangers, or too many") \
	X(CALLS_GLARE, "calls.glare", "offers in a call against another one: 491, 500") \
	X(CALLS_EXPIRED, "calls.expired", "ended: nobody refreshed the session timer") \
	X(CALLS_UNACKNOWLEDGED, "calls.unacknowledged", "ended: no ACK, or PRACK, came") \
	X(CALLS_TRANSFERRED, "calls.transferred", "REFERs that were done") \
	X(CALLS_NOT_TRANSFERRED, "calls.not_transferred", "REFERs refused, or that failed") \
	X(CALLS_KEPT, "calls.kept", "calls that went on after a restart of sallyport-sip") \
	X(CALLS_NOT_KEPT, "calls.not_kept", "ended by a restart: their media session was gone") \
	/* how they ended: each call counts once */ \
	X(RESULT_COMPLETED, "result.completed", "answered, and ended by one of the two") \
	X(RESULT_DROPPED, "result.dropped", "answered, and ended by us: no media, a fault") \
	X(RESULT_CANCELLED, "result.cancelled", "not answered: the caller gave up, 487") \
	X(RESULT_BUSY, "result.busy", "not answered: 486, 600") \
	X(RESULT_NO_ANSWER, "result.no_answer", "not answered: 408, 480") \
	X(RESULT_NOT_FOUND, "result.not_found", "not answered: 404, 410, 484, 604") \
	X(RESULT_REFUSED, "result.refused", "not answered: other 3xx, 4xx and 6xx") \
	X(RESULT_FAILED, "result.failed", "not answered: 5xx") \
	/* limits on calls */ \
	X(LIMIT_CALLS, "limit.calls", "calls refused: sip.calls.max are up") \
	X(LIMIT_RATE, "limit.rate", "calls refused: sip.calls.per_second began") \
	X(LIMIT_USER, "limit.user", "calls refused: the user has sip.calls.per_user") \
	X(LIMIT_TRUNK, "limit.trunk", "calls refused: the trunk has its calls_max") \
	X(LIMIT_TRUNK_RATE, "limit.trunk_rate", "calls refused: the trunk's calls_per_second") \
	/* logins: a challenge answered, or not */ \
	X(LOGINS_RIGHT, "logins.right", "requests of users who proved to be who they say") \
	X(LOGINS_CHALLENGED, "logins.challenged", "requests without credentials: 401") \
	X(LOGINS_WRONG, "logins.wrong", "wrong passwords, unknown users: 401") \
	X(LOGINS_LOCKED, "logins.locked", "not looked at after too many failures: 503") \
	X(LOGINS_STALE, "logins.stale", "right, but with an old nonce: 401, stale") \
	X(LOGINS_REPLAYED, "logins.replayed", "a nonce count that was used before: 401, stale") \
	X(LOGINS_BROKEN, "logins.broken", \
		"credentials of another algorithm, qop, URI or opaque: 401; or no such: 400") \
	X(LOGINS_SPOOFED, "logins.spoofed", "users who spoke for somebody else: 403") \
	X(LOGINS_AWAY, "logins.away", "the users' store was away: 503") \
	/* registrations */ \
	X(REGISTER_DONE, "register.done", "REGISTERs done: 200") \
	X(REGISTER_BAD, "register.bad", "contacts, Path or reg-id that can't be taken: 400") \
	X(REGISTER_OLD, "register.old", "older than what is known, by Call-ID and CSeq: 400") \
	X(REGISTER_BRIEF, "register.brief", "less than sip.expires_min_s: 423") \
	X(REGISTER_EXTENSION, "register.extension", \
		"Path or outbound that the phone or its proxy does not know: 420, 439") \
	X(REGISTER_CONTACTS, "register.contacts", "the user has sip.contacts_max: 403") \
	X(REGISTER_FULL, "register.full", "there are sip.bindings_max: 503") \
	X(REGISTER_MEMORY, "register.memory", "out of memory: 500") \
	X(BINDINGS_EXPIRED, "bindings.expired", "bindings that expired") \
	X(BINDINGS_CLOSED, "bindings.closed", "bindings whose connection closed") \
	X(BINDINGS_BACK, "bindings.back", "of those: the phone came back without a REGISTER") \
	X(BINDINGS_RENEWED, "bindings.renewed", "times that the store was told all anew") \
	/* session descriptions */ \
	X(SDP_BROKEN, "sdp.broken", "descriptions refused: they can't be read, or have no stream") \
	X(SDP_ADDRESS, "sdp.address", "descriptions refused: media may not be sent there") \
	X(SDP_POLICY, "sdp.policy", "descriptions refused: plain RTP for SRTP, or the reverse") \
	X(SDP_CRYPTO, "sdp.crypto", "descriptions refused: no a=crypto that may be used") \
	X(SDP_ANSWER, "sdp.answer", "answers refused: they do not fit their offer") \
	X(SDP_MEMORY, "sdp.memory", "descriptions refused: out of memory") \
	/* call records */ \
	X(RECORDS_WRITTEN, "records.written", "call records in their file") \
	X(RECORDS_RETRIED, "records.retried", "times that the file did not take a record") \
	X(RECORDS_LOST, "records.lost", "call records for which there was no room in memory") \
	X(TRACE_MESSAGES, "trace.messages", "SIP messages that were traced") \
	X(TRACE_LOST, "trace.lost", "of those that should have been: lost, the queue was full") \
	/* MESSAGE */ \
	X(MESSAGES_DELIVERED, "messages.delivered", "MESSAGEs that a phone or trunk has taken") \
	X(MESSAGES_REFUSED, "messages.refused", "MESSAGEs that were refused or found nobody") \
	/* the process */ \
	X(RELOADS, "reloads", "times that configuration and certificates were read anew") \
	X(RELOADS_FAILED, "reloads.failed", "times that one of them was bad, and nothing changed") \
	X(CERTIFICATE_WARNINGS, "certificates.warnings", \
		"times that a certificate came nearer to its end than 30, 7 or 1 day(s)") \
	X(LOG_HELD_BACK, "log.held_back", "lines too many of one kind for the log") \
	/* the end */
/* clang-format on */

enum counter {
#define COUNTER_ENUM(symbol, name, help) COUNTER_##symbol,
	COUNTERS(COUNTER_ENUM)
#undef COUNTER_ENUM
		COUNTER_COUNT
};

void counters_add(enum counter counter);
/* Takes over what is counted elsewhere. */
void counters_set(enum counter counter, uint64_t value);
uint64_t counters_get(enum counter counter);

/* The counter's name ("tls.accepted") and its sentence. */
const char *counters_name(enum counter counter);
const char *counters_help(enum counter counter);

#endif
