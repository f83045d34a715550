/* SPDX-License-Identifier: BSD-3-Clause */
/* Any datagram as what the relay answers: what the client lets through can be read to its end by
 * who asked, in memory that ends with the message. With the first byte odd, headers are made right.
 */
#include "fuzz.h"
#include "relay/client_private.h"

static size_t sum; /* so that all reading is done */

#define READ_TEXT(field) (sum += strnlen((field), sizeof(field)), end_of((field), sizeof(field)))

static void
end_of(const char *text, size_t size)
{
	demand(memchr(text, '\0', size) != NULL, "a text without an end");
}

static void
read_state(const struct relay_state_reply *state)
{
	const uint8_t *at = state->entries;

	for (uint32_t i = 0; i < state->count; i++) {
		const struct relay_state_entry *entry = (const void *)at;
		uint32_t streams = entry->flow[0].streams + entry->flow[1].streams;
		READ_TEXT(entry->id);
		demand(entry->flow[0].streams <= RELAY_STREAMS_MAX &&
				entry->flow[1].streams <= RELAY_STREAMS_MAX,
			"more streams than a request to restore holds");
		for (uint32_t k = 0; k < streams; k++)
			sum += entry->stream[k].ssrc;
		at += entry->length;
	}
}

static void
read_config(const struct relay_config_reply *config)
{
	for (uint32_t i = 0; i < config->count; i++) {
		READ_TEXT(config->row[i].field);
		READ_TEXT(config->row[i].before);
		READ_TEXT(config->row[i].value);
	}
}

static void
read_status(const struct relay_status_reply *status)
{
	READ_TEXT(status->release);
	READ_TEXT(status->engine);
	READ_TEXT(status->engine_why);
	READ_TEXT(status->memory);
	for (uint32_t i = 0; i < status->interfaces; i++)
		READ_TEXT(status->interface[i].name);
}

static void
read_numbers(const struct relay_header *header)
{
	const struct relay_list_reply *list = (const void *)header;
	const struct relay_stats_reply *stats = (const void *)header;

	for (uint32_t i = 0; header->op == RELAY_OP_LIST && i < list->count; i++) {
		READ_TEXT(list->entry[i].id);
		sum += list->entry[i].age_ms;
	}
	for (uint32_t i = 0; header->op == RELAY_OP_STATS && i < stats->count; i++) {
		READ_TEXT(stats->counter[i].name);
		sum += stats->counter[i].value;
	}
}

static void
read_session(const struct relay_session *session)
{
	READ_TEXT(session->id);
	for (unsigned i = 0; i < 2; i++) {
		READ_TEXT(session->leg[i].interface);
		sum += session->leg[i].quality.ssrc;
	}
}

static void
read_export(const struct relay_create *session)
{
	READ_TEXT(session->id);
	for (unsigned i = 0; i < 2; i++) {
		READ_TEXT(session->leg[i].interface);
		demand(session->leg[i].receive.mki_length <= RELAY_MKI_MAX &&
				session->leg[i].transmit.mki_length <= RELAY_MKI_MAX,
			"an MKI longer than its field");
	}
}

/* As those who asked do: sallyctl, sallyport-web and sallyport-sip. */
static void
read_all(const struct relay_header *header)
{
	if (header->op == RELAY_OP_EVENT) {
		READ_TEXT(((const struct relay_event *)header)->id);
		return;
	}
	if (header->code != RELAY_OK) {
		READ_TEXT(((const struct relay_reply_error *)header)->reason);
		return;
	}
	switch (header->op) {
	case RELAY_OP_STATE:
		read_state((const void *)header);
		break;
	case RELAY_OP_RELOAD:
	case RELAY_OP_CONFIG:
		read_config((const void *)header);
		break;
	case RELAY_OP_STATUS:
		read_status((const void *)header);
		break;
	case RELAY_OP_EXPORT:
		read_export((const void *)header);
		break;
	case RELAY_OP_CREATE:
	case RELAY_OP_UPDATE:
	case RELAY_OP_DELETE:
	case RELAY_OP_QUERY:
	case RELAY_OP_RESTORE:
		read_session((const void *)header);
		break;
	default:
		read_numbers(header);
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool right = size > 0 && data[0] % 2 != 0;
	/* one of a session is large: the rest of it is zeros */
	size_t whole = size + (right ? sizeof(struct relay_session) : 0);
	uint8_t *datagram = calloc(1, whole > 0 ? whole : 1);

	demand(datagram != NULL, "out of memory");
	if (size > 1)
		memcpy(datagram, data + 1, size - 1);
	for (size_t offset = 0; offset < whole;) {
		struct relay_header *header = (struct relay_header *)(datagram + offset);
		if (right && whole - offset >= sizeof(*header)) {
			header->version = RELAY_API_VERSION;
			header->op = (uint16_t)(header->op % 18);
			header->code = header->code % 4 == 3 ? RELAY_E_KEY : RELAY_OK;
			if (header->length % 2 != 0)
				header->length = (uint32_t)(whole - offset) & ~7u;
		}
		if (!client_check_message(header, whole - offset))
			break;
		demand(header->length >= sizeof(*header) && header->length <= whole - offset,
			"a message that does not go on");
		/* in memory of its own */
		struct relay_header *message = malloc(header->length);
		demand(message != NULL, "out of memory");
		memcpy(message, header, header->length);
		offset += header->length;
		read_all(message);
		free(message);
	}
	free(datagram);
	return 0;
}
