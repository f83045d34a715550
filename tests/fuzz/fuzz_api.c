/* SPDX-License-Identifier: BSD-3-Clause */
/* The relay API: any datagram, as api_server.c takes it apart, carried out on real sessions. With
 * the first byte odd, headers are made right, so that what lies behind them is reached. In the end
 * each session is exported, and restored from that as it was. */
#include "dataplane/api_request.h"
#include "dataplane/reload.h"
#include "fuzz.h"
#include "relay/log.h"
#include "tests/box/box.h"

#include <fcntl.h>

#define OPS 16

static uint8_t request[RELAY_DATAGRAM_MAX] __attribute__((aligned(8)));
static uint8_t reply[2 * RELAY_DATAGRAM_MAX] __attribute__((aligned(8)));
static struct config *config;

/* Of each op, in order. */
static const size_t lengths[OPS + 1] = {[RELAY_OP_CREATE] = sizeof(struct relay_create),
	[RELAY_OP_UPDATE] = sizeof(struct relay_update),
	[RELAY_OP_DELETE] = sizeof(struct relay_by_id),
	[RELAY_OP_QUERY] = sizeof(struct relay_by_id),
	[RELAY_OP_LIST] = sizeof(struct relay_list),
	[RELAY_OP_STATS] = sizeof(struct relay_header),
	[RELAY_OP_STATUS] = sizeof(struct relay_header),
	[RELAY_OP_SUBSCRIBE] = sizeof(struct relay_header),
	[RELAY_OP_EVENT] = sizeof(struct relay_header),
	[RELAY_OP_CAPTURE] = sizeof(struct relay_capture),
	[RELAY_OP_EXPORT] = sizeof(struct relay_by_id),
	[RELAY_OP_STATE] = sizeof(struct relay_list),
	[RELAY_OP_RESTORE] = sizeof(struct relay_restore),
	[RELAY_OP_DRAIN] = sizeof(struct relay_drain),
	[RELAY_OP_RELOAD] = sizeof(struct relay_reload),
	[RELAY_OP_CONFIG] = sizeof(struct relay_list)};

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char text[] = "media:\n  interfaces:\n    - name: other\n      device: net_x\n"
				   "      address: 192.0.2.129/25\n";
	const char *path = fuzz_path("media.yaml");
	char error[512];

	fuzz_write(path, text, strlen(text));
	demand(config_load(path, &config, error, sizeof(error)) == 0, error);
	reload_init(&config, false);
	log_set_level(LOG_LEVEL_ERROR);
	return box_start(NULL);
}

static void
make_right(struct relay_header *header)
{
	header->version = RELAY_API_VERSION;
	header->op = (uint16_t)(1 + header->op % OPS);
	header->length = (uint32_t)lengths[header->op];
}

/* Carries it out, and looks at the reply's form. */
static const struct relay_header *
ask(const struct relay_header *header, struct api_client *client)
{
	size_t length = api_request_handle(header, header->length, reply, client);
	const struct relay_header *out = (const struct relay_header *)reply;

	demand(length >= sizeof(*out) && length <= RELAY_DATAGRAM_MAX && length % 8 == 0,
		"a reply that is no message");
	demand(out->length == length && out->op == header->op &&
			out->request_id == header->request_id,
		"a reply to something else");
	demand(out->code == RELAY_OK || header->op == RELAY_OP_EVENT ||
			((const struct relay_reply_error *)out)->reason[0] != '\0',
		"a refusal without a reason");
	demand(header->op != RELAY_OP_EXPORT || out->code != RELAY_OK || client->trusted,
		"keys are told to a stranger");
	return out;
}

static const struct relay_header *
ask_by_id(uint16_t op, const char *id)
{
	struct api_client client = {.fd = -1, .trusted = true};
	struct relay_by_id by_id = {.header = {RELAY_API_VERSION, op, sizeof(by_id), 1, 0, 0}};

	memcpy(by_id.id, id, sizeof(by_id.id));
	return ask(&by_id.header, &client);
}

/* The same session comes of what it was exported as. */
static void
check_export(const char *id)
{
	static struct relay_restore restore;
	static struct relay_create again;
	struct api_client client = {.fd = -1};

	memset(&restore, 0, sizeof(restore));
	const struct relay_header *out = ask_by_id(RELAY_OP_EXPORT, id);
	demand(out->code == RELAY_OK, "a session is not exported");
	memcpy(&restore.create, out, sizeof(restore.create));
	demand(ask_by_id(RELAY_OP_DELETE, id)->code == RELAY_OK, "a session does not end");
	box_run();
	restore.create.header = (struct relay_header){
		RELAY_API_VERSION, RELAY_OP_RESTORE, sizeof(restore), 2, 0, 0};
	out = ask(&restore.create.header, &client);
	if (out->code != RELAY_OK)
		fprintf(stderr, "%s\n", ((const struct relay_reply_error *)out)->reason);
	demand(out->code == RELAY_OK, "a session is not restored");
	out = ask_by_id(RELAY_OP_EXPORT, id);
	memcpy(&again, out, sizeof(again));
	again.header = restore.create.header;
	demand(memcmp(&again, &restore.create, sizeof(again)) == 0, "another session was restored");
}

static void
end_all(void)
{
	uint64_t cursor = 0;
	struct session *session;
	struct relay_list_entry entry;

	sessions_drain(0);
	while ((session = session_next(&cursor)) != NULL) {
		session_describe_short(session, &entry);
		check_export(entry.id);
		box_delete(entry.id);
		cursor = 0;
	}
	box_run();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t offset = 0;

	if (size < 1 || size > 16384)
		return 0;
	struct api_client client = {.fd = -1, .trusted = data[0] % 4 < 2};
	memset(request, 0, sizeof(request));
	memcpy(request, data + 1, size - 1);
	/* room for the message that the last bytes begin */
	size_t whole = (size - 1 + 7) / 8 * 8 + (data[0] % 2 ? sizeof(struct relay_restore) : 0);
	while (offset + sizeof(struct relay_header) <= whole) {
		struct relay_header *header = (struct relay_header *)(request + offset);
		if (data[0] % 2)
			make_right(header);
		if (header->length < sizeof(*header) || header->length > whole - offset ||
			header->length % 8 != 0)
			break;
		ask(header, &client);
		offset += header->length;
	}
	end_all();
	demand(sessions_count() == 0, "a session is left");
	return 0;
}
