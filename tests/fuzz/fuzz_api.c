/* SPDX-License-Identifier: BSD-3-Clause */
/* The relay API: any datagram, as api_server.c takes it apart, carried out on real sessions. With
 * the first byte odd, headers are made right, so that what lies behind them is reached. */
#include "dataplane/api_request.h"
#include "tests/box/box.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t request[RELAY_DATAGRAM_MAX] __attribute__((aligned(8)));
static uint8_t reply[2 * RELAY_DATAGRAM_MAX] __attribute__((aligned(8)));

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return box_start(NULL);
}

static size_t
length_of(uint16_t op)
{
	switch (op) {
	case RELAY_OP_CREATE:
		return sizeof(struct relay_create);
	case RELAY_OP_UPDATE:
		return sizeof(struct relay_update);
	case RELAY_OP_DELETE:
	case RELAY_OP_QUERY:
	case RELAY_OP_EXPORT:
		return sizeof(struct relay_by_id);
	case RELAY_OP_LIST:
		return sizeof(struct relay_list);
	case RELAY_OP_CAPTURE:
		return sizeof(struct relay_capture);
	default:
		return sizeof(struct relay_header);
	}
}

static void
make_right(struct relay_header *header)
{
	header->version = RELAY_API_VERSION;
	header->op = (uint16_t)(1 + header->op % 11);
	header->length = (uint32_t)length_of(header->op);
}

static void
end_all(void)
{
	uint64_t cursor = 0;
	struct session *session;
	struct relay_list_entry entry;

	while ((session = session_next(&cursor)) != NULL) {
		session_describe_short(session, &entry);
		box_delete(entry.id);
	}
	box_run();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct api_client client = {.fd = -1, .trusted = true};
	size_t offset = 0;

	if (size < 1 || size > 16384)
		return 0;
	memset(request, 0, sizeof(request));
	memcpy(request, data + 1, size - 1);
	/* room for the message that the last bytes begin */
	size_t whole = (size - 1 + 7) / 8 * 8 + (data[0] % 2 ? sizeof(struct relay_create) : 0);
	while (offset + sizeof(struct relay_header) <= whole) {
		struct relay_header *header = (struct relay_header *)(request + offset);
		if (data[0] % 2)
			make_right(header);
		if (header->length < sizeof(*header) || header->length > whole - offset ||
			header->length % 8 != 0)
			break;
		size_t length = api_request_handle(header, header->length, reply, &client);
		if (length < sizeof(*header) || length > RELAY_DATAGRAM_MAX || length % 8 != 0)
			abort();
		offset += header->length;
	}
	end_all();
	if (sessions_count() != 0)
		abort();
	return 0;
}
