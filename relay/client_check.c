/* SPDX-License-Identifier: BSD-3-Clause */
/* What the client believes of a message from the relay: nothing that would make its reader look
 * past the message's end. */
#include "client_private.h"

/* The smallest message of each op that a relay sends. */
static size_t
least_length(const struct relay_header *header)
{
	if (header->op == RELAY_OP_EVENT)
		return sizeof(struct relay_event);
	if (header->code != RELAY_OK)
		return sizeof(struct relay_reply_error);
	switch (header->op) {
	case RELAY_OP_CREATE:
	case RELAY_OP_UPDATE:
	case RELAY_OP_DELETE:
	case RELAY_OP_QUERY:
	case RELAY_OP_RESTORE:
		return sizeof(struct relay_session);
	case RELAY_OP_EXPORT:
		return sizeof(struct relay_create);
	case RELAY_OP_STATE:
		return sizeof(struct relay_state_reply);
	case RELAY_OP_LIST:
		return sizeof(struct relay_list_reply);
	case RELAY_OP_RELOAD:
	case RELAY_OP_CONFIG:
		return sizeof(struct relay_config_reply);
	case RELAY_OP_STATS:
		return sizeof(struct relay_stats_reply);
	case RELAY_OP_STATUS:
		return sizeof(struct relay_status_reply);
	default:
		return sizeof(struct relay_header);
	}
}

/* Ends a text within its field, whatever the relay wrote there. */
#define END_TEXT(field) ((field)[sizeof(field) - 1] = '\0')

static bool
check_list(struct relay_list_reply *list)
{
	if (list->count > (list->header.length - sizeof(*list)) / sizeof(list->entry[0]))
		return false;
	for (uint32_t i = 0; i < list->count; i++)
		END_TEXT(list->entry[i].id);
	return true;
}

/* Each entry ends where it says, and holds the streams that it counts. */
static bool
check_state(struct relay_state_reply *state)
{
	size_t left = state->header.length - sizeof(*state);
	uint8_t *at = state->entries;

	for (uint32_t i = 0; i < state->count; i++) {
		struct relay_state_entry *entry = (struct relay_state_entry *)at;
		if (left < sizeof(*entry) || entry->length > left || entry->length % 8 != 0 ||
			entry->flow[0].streams > RELAY_STREAMS_MAX ||
			entry->flow[1].streams > RELAY_STREAMS_MAX ||
			entry->length !=
				sizeof(*entry) + (entry->flow[0].streams + entry->flow[1].streams) *
							 sizeof(entry->stream[0]))
			return false;
		END_TEXT(entry->id);
		at += entry->length;
		left -= entry->length;
	}
	return true;
}

static bool
check_config(struct relay_config_reply *config)
{
	if (config->count > (config->header.length - sizeof(*config)) / sizeof(config->row[0]))
		return false;
	for (uint32_t i = 0; i < config->count; i++) {
		END_TEXT(config->row[i].field);
		END_TEXT(config->row[i].before);
		END_TEXT(config->row[i].value);
	}
	return true;
}

static bool
check_stats(struct relay_stats_reply *stats)
{
	if (stats->count > (stats->header.length - sizeof(*stats)) / sizeof(stats->counter[0]))
		return false;
	for (uint32_t i = 0; i < stats->count; i++)
		END_TEXT(stats->counter[i].name);
	return true;
}

static bool
check_status(struct relay_status_reply *status)
{
	if (status->interfaces > RELAY_STATUS_INTERFACES)
		return false;
	END_TEXT(status->release);
	END_TEXT(status->engine);
	END_TEXT(status->engine_why);
	END_TEXT(status->memory);
	for (uint32_t i = 0; i < status->interfaces; i++) {
		END_TEXT(status->interface[i].name);
		END_TEXT(status->interface[i].device);
	}
	return true;
}

static bool
check_session(struct relay_session *session)
{
	END_TEXT(session->id);
	END_TEXT(session->leg[0].interface);
	END_TEXT(session->leg[1].interface);
	return true;
}

/* Text and lengths; the rest is numbers. */
static bool
check_export(struct relay_create *session)
{
	END_TEXT(session->id);
	for (unsigned i = 0; i < 2; i++) {
		struct relay_leg_spec *leg = &session->leg[i];
		END_TEXT(leg->interface);
		if (leg->receive.mki_length > RELAY_MKI_MAX ||
			leg->transmit.mki_length > RELAY_MKI_MAX)
			return false;
	}
	return true;
}

bool
client_check_message(struct relay_header *header, size_t left)
{
	if (left < sizeof(*header) || header->version != RELAY_API_VERSION ||
		header->length > left || header->length % 8 != 0 ||
		header->length < least_length(header))
		return false;
	if (header->op == RELAY_OP_EVENT) {
		END_TEXT(((struct relay_event *)header)->id);
		return true;
	}
	if (header->code != RELAY_OK) {
		END_TEXT(((struct relay_reply_error *)header)->reason);
		return true;
	}
	switch (header->op) {
	case RELAY_OP_LIST:
		return check_list((struct relay_list_reply *)header);
	case RELAY_OP_STATE:
		return check_state((struct relay_state_reply *)header);
	case RELAY_OP_RELOAD:
	case RELAY_OP_CONFIG:
		return check_config((struct relay_config_reply *)header);
	case RELAY_OP_STATS:
		return check_stats((struct relay_stats_reply *)header);
	case RELAY_OP_STATUS:
		return check_status((struct relay_status_reply *)header);
	case RELAY_OP_CREATE:
	case RELAY_OP_UPDATE:
	case RELAY_OP_DELETE:
	case RELAY_OP_QUERY:
	case RELAY_OP_RESTORE:
		return check_session((struct relay_session *)header);
	case RELAY_OP_EXPORT:
		return check_export((struct relay_create *)header);
	default:
		return true;
	}
}
