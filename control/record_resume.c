/* SPDX-License-Identifier: BSD-3-Clause */
/* The record of a call that outlived the process which began it: read back from the journal. */
#include "record_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What record_time() wrote; all zero for what it did not. */
static void
read_time(const json_t *json, struct timespec *out)
{
	const char *text = json_string_value(json), *rest;
	struct tm parts = {.tm_year = 0};

	*out = (struct timespec){.tv_sec = 0};
	rest = text != NULL ? strptime(text, "%Y-%m-%dT%H:%M:%S", &parts) : NULL;
	if (rest == NULL || *rest != '.')
		return;
	out->tv_sec = timegm(&parts);
	out->tv_nsec = strtol(rest + 1, NULL, 10) % 1000 * 1000000;
}

/* The same moment by the clock that durations are measured with. */
static uint64_t
monotonic_of(const struct timespec *at)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	int64_t age_ms =
		(int64_t)(now.tv_sec - at->tv_sec) * 1000 + (now.tv_nsec - at->tv_nsec) / 1000000;
	uint64_t now_ms = record_now_ms();
	return age_ms > 0 && (uint64_t)age_ms < now_ms ? now_ms - (uint64_t)age_ms : now_ms;
}

static void
read_leg(struct record_leg *leg, const json_t *json, const char *uri)
{
	static const char *const names[] = {"user", "trunk", "call_id", "tls", "cipher"};
	char **const fields[] = {&leg->user, &leg->trunk, &leg->call_id, &leg->tls, &leg->cipher};
	const char *peer = json_string_value(json_object_get(json, "peer"));

	record_set_text(&leg->uri, uri);
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		record_set_text(fields[i], json_string_value(json_object_get(json, names[i])));
	snprintf(leg->peer, sizeof(leg->peer), "%s", peer != NULL ? peer : "");
}

struct call_record *
record_resume(struct records *records, const char *id, const struct timespec *start)
{
	struct call_record *record = record_begin(records, id);
	json_t *json = NULL;

	if (record == NULL)
		return NULL;
	record->start = *start;
	record->entry = records_take(records, id, &json);
	if (record->entry != NULL) {
		const json_t *legs = json_object_get(json, "legs");
		read_time(json_object_get(json, "start"), &record->start);
		read_time(json_object_get(json, "answer"), &record->answer);
		read_leg(&record->leg[0], json_array_get(legs, 0),
			json_string_value(json_object_get(json, "from")));
		read_leg(&record->leg[1], json_array_get(legs, 1),
			json_string_value(json_object_get(json, "to")));
		json_t *media = json_object_get(json, "media");
		if (json_array_size(media) > 0)
			record->streams = json_incref(media);
		json_t *transfers = json_object_get(json, "transfers");
		if (json_array_size(transfers) > 0)
			record->transfers = json_incref(transfers);
		json_decref(json);
	}
	record->start_ms = monotonic_of(&record->start);
	if (record->answer.tv_sec != 0)
		record->answer_ms = monotonic_of(&record->answer);
	return record;
}
