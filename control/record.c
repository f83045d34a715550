/* SPDX-License-Identifier: BSD-3-Clause */
#include "record.h"

#include "record_private.h"
#include "records.h"
#include "tls_connection.h"

#include <netinet/in.h>
#include <sofia-sip/su_string.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 512     /* bytes of a text that others wrote */
#define TRANSFERS_MAX 32 /* that one record tells of */

const char *
record_time(const struct timespec *at, char text[RECORD_TIME_SIZE])
{
	struct tm parts;

	gmtime_r(&at->tv_sec, &parts);
	size_t used = strftime(text, RECORD_TIME_SIZE, "%Y-%m-%dT%H:%M:%S", &parts);
	snprintf(text + used, RECORD_TIME_SIZE - used, ".%03ldZ", at->tv_nsec / 1000000);
	return text;
}

uint64_t
record_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Takes a text that others wrote: bounded, and as JSON wants it. */
void
record_set_text(char **field, const char *text)
{
	if (text == NULL)
		return;
	char *copy = strndup(text, TEXT_MAX);
	if (copy == NULL)
		return;
	json_t *whole = json_string(copy); /* NULL: not UTF-8 */
	for (char *at = copy; whole == NULL && *at != '\0'; at++)
		if ((unsigned char)*at >= 0x80)
			*at = '?';
	json_decref(whole);
	free(*field);
	*field = copy;
}

struct call_record *
record_begin(struct records *records, const char *id)
{
	struct call_record *record = records != NULL ? calloc(1, sizeof(*record)) : NULL;

	if (record == NULL)
		return NULL;
	record->records = records;
	snprintf(record->id, sizeof(record->id), "%s", id);
	clock_gettime(CLOCK_REALTIME, &record->start);
	record->start_ms = record_now_ms();
	return record;
}

void
record_party(struct call_record *record, unsigned side, const char *uri, const char *user,
	const char *trunk)
{
	if (record == NULL)
		return;
	record_set_text(&record->leg[side].uri, uri);
	record_set_text(&record->leg[side].user, user);
	record_set_text(&record->leg[side].trunk, trunk);
}

void
record_leg(struct call_record *record, unsigned side, const char *call_id, tport_t *connection)
{
	if (record == NULL)
		return;
	struct record_leg *leg = &record->leg[side];
	record_set_text(&leg->call_id, call_id);
	const su_addrinfo_t *far = connection != NULL ? tport_get_address(connection) : NULL;
	if (far == NULL || far->ai_addr == NULL)
		return;
	const su_sockaddr_t *from = (const su_sockaddr_t *)far->ai_addr;
	struct relay_addr peer = {.port = ntohs(from->su_port)};
	if (from->su_family == AF_INET) {
		peer.ip.family = 4;
		memcpy(peer.ip.ip, &from->su_sin.sin_addr, 4);
	} else if (from->su_family == AF_INET6) {
		peer.ip.family = 6;
		memcpy(peer.ip.ip, &from->su_sin6.sin6_addr, 16);
	}
	relay_addr_format(&peer, leg->peer);
	/* one that we opened is bound by the response in hand */
	const struct tls_connection *tls = tls_connection_bind(connection, &peer);
	if (tls == NULL)
		return;
	record_set_text(&leg->tls, SSL_get_version(tls->ssl));
	record_set_text(&leg->cipher, SSL_CIPHER_get_name(SSL_get_current_cipher(tls->ssl)));
}

static json_t *
text_or_null(const char *text)
{
	return text != NULL && text[0] != '\0' ? json_string(text) : json_null();
}

static json_t *
leg_json(const struct record_leg *leg)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "user", text_or_null(leg->user), "trunk",
		text_or_null(leg->trunk), "call_id", text_or_null(leg->call_id), "peer",
		text_or_null(leg->peer), "tls", text_or_null(leg->tls), "cipher",
		text_or_null(leg->cipher));
}

static json_t *
time_or_null(const struct timespec *at)
{
	char text[RECORD_TIME_SIZE];

	return at->tv_sec != 0 ? json_string(record_time(at, text)) : json_null();
}

/* Who ended it, as the record says it. */
static json_t *
end_json(const struct call_record *record)
{
	static const char *const names[] = {
		[RECORD_END_US] = "sallyport",
		[RECORD_END_CALLER] = "caller",
		[RECORD_END_CALLEE] = "callee",
	};

	return record->caused ? json_string(names[record->who]) : json_null();
}

/* The record as it stands; `ended`: for good. */
static json_t *
record_json(const struct call_record *record, bool ended)
{
	struct timespec end = {.tv_sec = 0};
	uint64_t now = record->caused ? record->end_ms : record_now_ms();
	json_t *duration = json_null(), *setup = json_null();

	if (ended && record->caused)
		end = record->end; /* it may have been a while until all had heard */
	else if (ended)
		clock_gettime(CLOCK_REALTIME, &end);
	if (record->answer_ms != 0)
		setup = json_real((double)(record->answer_ms - record->start_ms) / 1000);
	if (ended)
		duration = json_real(
			record->answer_ms != 0 ? (double)(now - record->answer_ms) / 1000 : 0.0);
	json_t *media = record->streams != NULL ? json_incref(record->streams) : json_array();
	json_t *transfers =
		record->transfers != NULL ? json_incref(record->transfers) : json_array();
	return json_pack(
		"{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:[o, o], s:o, s:o, s:o, s:o, s:o, s:o}",
		"id", record->id, "start", time_or_null(&record->start), "answer",
		time_or_null(&record->answer), "end", time_or_null(&end), "setup_s", setup,
		"duration_s", duration, "from", text_or_null(record->leg[0].uri), "to",
		text_or_null(record->leg[1].uri), "legs", leg_json(&record->leg[0]),
		leg_json(&record->leg[1]), "media", media, "ended_by", end_json(record), "cause",
		text_or_null(record->cause), "status",
		record->status != 0 ? json_integer(record->status) : json_null(), "reason",
		text_or_null(record->reason), "transfers", transfers);
}

void
record_started(struct call_record *record)
{
	if (record != NULL)
		records_note(
			record->records, &record->entry, record->id, record_json(record, false));
}

void
record_answered(struct call_record *record)
{
	if (record == NULL || record->answer_ms != 0)
		return;
	clock_gettime(CLOCK_REALTIME, &record->answer);
	record->answer_ms = record_now_ms();
	record_started(record);
}

static json_t *
party_json(const struct party *party)
{
	char *name = NULL;

	record_set_text(&name, party->name);
	json_t *json = json_pack("{s:o, s:o}", "user",
		text_or_null(party->kind == PARTY_USER ? name : NULL), "trunk",
		text_or_null(party->kind == PARTY_TRUNK ? name : NULL));
	free(name);
	return json;
}

void
record_transfer(struct call_record *record, const char *kind, unsigned side, const struct party *by,
	const struct party *to, const char *call_id)
{
	struct timespec now;
	char *id = NULL;

	if (record == NULL)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	record_set_text(&id, call_id);
	if (record->transfers == NULL)
		record->transfers = json_array();
	if (json_array_size(record->transfers) < TRANSFERS_MAX)
		json_array_append_new(record->transfers,
			json_pack("{s:o, s:s, s:s, s:o, s:o, s:o}", "time", time_or_null(&now),
				"kind", kind, "side", side == 0 ? "caller" : "callee", "by",
				party_json(by), "to", party_json(to), "call_id", text_or_null(id)));
	free(id);
	record_started(record);
}

static json_t *
drops_json(const struct relay_leg_info *leg)
{
	json_t *drops = json_object();

	for (unsigned i = 1; i < RELAY_DROP_COUNT; i++)
		if (leg->drops[i] != 0)
			json_object_set_new(
				drops, relay_drop_name(i), json_integer((json_int_t)leg->drops[i]));
	return drops;
}

static json_t *
suite_json(unsigned suite)
{
	const struct relay_suite_info *info = relay_suite_info(suite);

	return info != NULL ? json_string(info->name) : json_null();
}

/* A number that the relay may not know. */
static json_t *
known(uint32_t value, double unit)
{
	return value != RELAY_UNKNOWN ? json_real(value / unit) : json_null();
}

/* "In" is what came from this side's far end. */
static json_t *
stream_leg_json(const char *codecs, const struct relay_leg_info *leg)
{
	json_t *json = json_pack("{s:o}", "codecs", text_or_null(codecs));

	if (leg == NULL)
		return json;
	const struct relay_quality *quality = &leg->quality;
	json_t *rest = json_pack(
		"{s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o}", "suite_in",
		suite_json(leg->receive_suite), "suite_out", suite_json(leg->transmit_suite),
		"packets_in", (json_int_t)leg->packets_in, "packets_out",
		(json_int_t)leg->packets_out, "bytes_in", (json_int_t)leg->bytes_in, "bytes_out",
		(json_int_t)leg->bytes_out, "expected", (json_int_t)quality->expected, "lost",
		(json_int_t)quality->lost, "lost_there",
		quality->remote_lost != RELAY_UNKNOWN ? json_integer(quality->remote_lost)
						      : json_null(),
		"jitter_ms", known(quality->jitter_us, 1000), "round_trip_ms",
		known(quality->round_trip_us, 1000), "mos",
		quality->mos_100 != 0 ? json_real(quality->mos_100 / 100.0) : json_null(), "drops",
		drops_json(leg));
	json_object_update(json, rest);
	json_decref(rest);
	return json;
}

void
record_stream(struct call_record *record, const char *kind, const char *const codecs[2],
	const struct relay_session *session)
{
	char *safe[2] = {NULL, NULL};

	if (record == NULL)
		return;
	if (record->streams == NULL)
		record->streams = json_array();
	for (unsigned i = 0; i < 2; i++)
		record_set_text(&safe[i], codecs[i]);
	json_array_append_new(record->streams,
		json_pack("{s:s, s:[o, o]}", "kind", kind, "legs",
			stream_leg_json(safe[0], session != NULL ? &session->leg[0] : NULL),
			stream_leg_json(safe[1], session != NULL ? &session->leg[1] : NULL)));
	free(safe[0]);
	free(safe[1]);
}

void
record_cause(struct call_record *record, enum record_end who, const char *cause, int status,
	const char *reason)
{
	if (record == NULL || record->caused)
		return;
	record->caused = true;
	clock_gettime(CLOCK_REALTIME, &record->end);
	record->end_ms = record_now_ms();
	record->who = who;
	record->cause = cause;
	record->status = status;
	record_set_text(&record->reason, reason);
}

void
record_end(struct call_record *record)
{
	if (record == NULL)
		return;
	records_write(record->records, record->entry, record_json(record, true));
	record_leave(record);
}

void
record_leave(struct call_record *record)
{
	if (record == NULL)
		return;
	for (unsigned i = 0; i < 2; i++) {
		free(record->leg[i].uri);
		free(record->leg[i].user);
		free(record->leg[i].trunk);
		free(record->leg[i].call_id);
		free(record->leg[i].tls);
		free(record->leg[i].cipher);
	}
	json_decref(record->streams);
	json_decref(record->transfers);
	free(record->reason);
	free(record);
}
