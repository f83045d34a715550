/* SPDX-License-Identifier: BSD-3-Clause */
/* Any JSON as what sallyport-sip says, and any bytes as what sallyport-media does: the page gets
 * whole JSON, each part of it by its own name, too; and Prometheus a text it can read. The input: a
 * text up to its NUL, then bytes of sessions, counters and the status. */
#include "fuzz.h"
#include "web/metrics.h"
#include "web/view.h"

#include <jansson.h>

#define SESSIONS 3
#define COUNTERS 6

/* Copies what there is, and leaves the rest as it is. */
static void
take_bytes(const uint8_t **data, size_t *size, void *out, size_t want)
{
	size_t got = *size < want ? *size : want;

	memcpy(out, *data, got);
	*data += got;
	*size -= got;
}

/* The client of the relay API ends each text in its field (fuzz_reply.c). */
static void
make_media(struct media_view *media, const uint8_t *data, size_t size)
{
	static const char *const names[COUNTERS] = {"packets.relayed", "drop.replay",
		"interface.a.drop.x", "worker.0.busy_cycles", "worker.0.cycles_100_12", ""};

	media->up = size > 0;
	media->sessions = calloc(SESSIONS, sizeof(*media->sessions));
	media->counters = calloc(COUNTERS, sizeof(*media->counters));
	demand(media->sessions != NULL && media->counters != NULL, "out of memory");
	for (unsigned i = 0; i < COUNTERS; i++, media->counters_count++) {
		struct relay_counter *counter = &media->counters[i];
		snprintf(counter->name, sizeof(counter->name), "%s", names[i]);
		take_bytes(&data, &size, &counter->value, sizeof(counter->value));
		if (names[i][0] == '\0')
			take_bytes(&data, &size, counter->name, sizeof(counter->name) - 1);
	}
	take_bytes(&data, &size, media->status.release, sizeof(media->status.release) - 1);
	take_bytes(&data, &size, media->status.engine, sizeof(media->status.engine) - 1);
	take_bytes(&data, &size, &media->status.workers, sizeof(media->status.workers));
	take_bytes(&data, &size, media->status.interface[0].name, RELAY_NAME_SIZE - 1);
	media->status.interfaces = 1;
	for (unsigned i = 0; i < SESSIONS && size > 0; i++, media->sessions_count++) {
		struct relay_session *session = &media->sessions[i];
		take_bytes(&data, &size, session->id, RELAY_ID_SIZE - 1);
		for (unsigned leg = 0; leg < 2; leg++)
			take_bytes(&data, &size, &session->leg[leg].transport,
				sizeof(session->leg[leg]) - RELAY_NAME_SIZE);
	}
}

static void
make_sip(struct sip_view *sip, const char *text)
{
	json_t *said = json_loads(text, JSON_DECODE_ANY, NULL);
	json_t **const lists[] = {
		&sip->calls, &sip->registrations, &sip->trunks, &sip->certificates, &sip->failures};
	static const char *const names[] = {
		"calls", "registrations", "trunks", "certificates", "failures"};

	sip->wanted = true;
	sip->stats = json_incref(json_object_get(said, "stats"));
	sip->up = sip->stats != NULL;
	for (unsigned i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		*lists[i] = json_array();
		json_array_extend(*lists[i], json_object_get(said, names[i]));
	}
	json_decref(said);
}

static void
check_json(json_t *json, const char *what)
{
	char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);

	demand(text != NULL, what);
	free(text);
	json_decref(json);
}

/* The name of a metric or label: [a-zA-Z_:][a-zA-Z0-9_:]* */
static size_t
name_length(const char *text)
{
	return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:");
}

/* Behind the metric's name: labels in braces, or none. NULL: they are not well formed. */
static const char *
pass_labels(const char *at)
{
	if (*at != '{')
		return at;
	do {
		size_t name = name_length(++at);
		if (name == 0 || at[name] != '=' || at[name + 1] != '"')
			return NULL;
		for (at += name + 2; *at != '"'; at++) {
			if (*at == '\0' || *at == '\n')
				return NULL;
			if (*at == '\\' && strchr("\\\"n", *++at) == NULL)
				return NULL;
		}
		at++;
	} while (*at == ',');
	return *at == '}' ? at + 1 : NULL;
}

static void
check_sample(const char *line)
{
	size_t name = name_length(line);
	const char *at = pass_labels(line + name);
	char *end;

	demand(name > 0 && at != NULL && *at == ' ', "a sample that is none");
	strtod(at + 1, &end);
	demand(end > at + 1 && *end == '\n', "a sample without its number");
}

static void
check_metrics(const struct snapshot *snapshot)
{
	struct web_counters counters = {.readers = 1};
	struct text text = {.bytes = NULL};

	metrics_write(&text, snapshot, &counters);
	demand(!text_failed(&text) && text.bytes != NULL && text.bytes[text.length - 1] == '\n',
		"no text, or one that is cut off");
	demand(strlen(text.bytes) == text.length, "a NUL in the text");
	json_t *whole = json_string(text.bytes);
	demand(whole != NULL, "it is not UTF-8");
	json_decref(whole);
	for (const char *line = text.bytes; *line != '\0'; line = strchr(line, '\n') + 1)
		if (strncmp(line, "# HELP ", 7) != 0 && strncmp(line, "# TYPE ", 7) != 0)
			check_sample(line);
	text_free(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct snapshot *snapshot = calloc(1, sizeof(*snapshot));
	const uint8_t *nul = size > 0 ? memchr(data, '\0', size) : NULL;
	size_t length = nul != NULL ? (size_t)(nul - data) : size;
	char *text = text_of(data, length);
	char id[RELAY_ID_SIZE];

	demand(snapshot != NULL, "out of memory");
	make_sip(&snapshot->sip, text);
	make_media(&snapshot->media, data + length + (nul != NULL), size - length - (nul != NULL));
	check_json(view_part(snapshot, ""), "the view is no JSON");
	snprintf(id, sizeof(id), "%.*s", (int)strcspn(snapshot->media.sessions[0].id, "/"),
		snapshot->media.sessions[0].id);
	if (snapshot->media.sessions_count > 0)
		check_json(view_call(snapshot, id), "a call that is there is not shown");
	json_t *other = view_call(snapshot, text);
	if (other != NULL)
		check_json(other, "a call is no JSON");
	check_metrics(snapshot);
	free(snapshot->media.sessions);
	free(snapshot->media.counters);
	json_decref(snapshot->sip.stats);
	json_decref(snapshot->sip.calls);
	json_decref(snapshot->sip.registrations);
	json_decref(snapshot->sip.trunks);
	json_decref(snapshot->sip.certificates);
	json_decref(snapshot->sip.failures);
	free(snapshot);
	free(text);
	return 0;
}
