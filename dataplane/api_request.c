/* SPDX-License-Identifier: BSD-3-Clause */
#include "api_request.h"

#include "capture.h"
#include "reload.h"
#include "session.h"
#include "stats.h"

#include <stdio.h>
#include <string.h>

static void
reply_header(struct relay_header *reply, const struct relay_header *request, size_t length)
{
	*reply = (struct relay_header){
		.version = RELAY_API_VERSION,
		.op = request->op,
		.length = (uint32_t)length,
		.request_id = request->request_id,
		.code = RELAY_OK,
	};
}

size_t
api_request_refuse(
	const struct relay_header *request, enum relay_code code, const char *reason, void *reply)
{
	struct relay_reply_error *error = reply;

	memset(error, 0, sizeof(*error));
	reply_header(&error->header, request, sizeof(*error));
	error->header.code = code;
	snprintf(error->reason, sizeof(error->reason), "%s", reason);
	return sizeof(*error);
}

static size_t
reply_session(const struct relay_header *request, enum relay_code code,
	const struct session *session, const char *reason, void *reply)
{
	struct relay_session *out = reply;

	if (code != RELAY_OK)
		return api_request_refuse(request, code, reason, reply);
	memset(out, 0, sizeof(*out));
	reply_header(&out->header, request, sizeof(*out));
	session_describe(session, out);
	return sizeof(*out);
}

static size_t
handle_create(const struct relay_header *request, void *reply, struct api_client *client)
{
	char reason[RELAY_REASON_SIZE] = "";
	struct session *session = NULL;
	enum relay_code code =
		session_create((const struct relay_create *)request, &session, reason);

	return reply_session(request, code, session, reason, reply);
}

static size_t
handle_update(const struct relay_header *request, void *reply, struct api_client *client)
{
	char reason[RELAY_REASON_SIZE] = "";
	struct session *session = NULL;
	enum relay_code code =
		session_update((const struct relay_update *)request, &session, reason);

	return reply_session(request, code, session, reason, reply);
}

static size_t
handle_query(const struct relay_header *request, void *reply, struct api_client *client)
{
	char reason[RELAY_REASON_SIZE] = "";
	struct session *session = NULL;
	enum relay_code code =
		session_find(((const struct relay_by_id *)request)->id, &session, reason);

	return reply_session(request, code, session, reason, reply);
}

static size_t
handle_delete(const struct relay_header *request, void *reply, struct api_client *client)
{
	char reason[RELAY_REASON_SIZE] = "";
	struct relay_session *final = reply;

	memset(final, 0, sizeof(*final));
	reply_header(&final->header, request, sizeof(*final));
	enum relay_code code =
		session_delete(((const struct relay_by_id *)request)->id, final, reason);
	if (code != RELAY_OK)
		return api_request_refuse(request, code, reason, reply);
	return sizeof(*final);
}

static size_t
handle_list(const struct relay_header *request, void *reply, struct api_client *client)
{
	struct relay_list_reply *out = reply;
	uint64_t cursor = ((const struct relay_list *)request)->cursor;
	size_t room = (RELAY_DATAGRAM_MAX - sizeof(*out)) / sizeof(out->entry[0]);
	struct session *session = NULL;

	memset(out, 0, sizeof(*out));
	while (out->count < room && (session = session_next(&cursor)) != NULL)
		session_describe_short(session, &out->entry[out->count++]);
	out->cursor = session == NULL ? 0 : cursor;
	reply_header(&out->header, request, sizeof(*out) + out->count * sizeof(out->entry[0]));
	return out->header.length;
}

static size_t
handle_state(const struct relay_header *request, void *reply, struct api_client *client)
{
	struct relay_state_reply *out = reply;
	uint64_t cursor = ((const struct relay_list *)request)->cursor;
	size_t filled = sizeof(*out);
	struct session *session = NULL;

	memset(out, 0, sizeof(*out));
	while (filled + SESSION_STATE_MAX <= RELAY_DATAGRAM_MAX &&
		(session = session_next(&cursor)) != NULL) {
		filled += session_tell_state(
			session, (struct relay_state_entry *)((uint8_t *)reply + filled));
		out->count++;
	}
	out->cursor = session == NULL ? 0 : cursor;
	reply_header(&out->header, request, filled);
	return filled;
}

static size_t
handle_restore(const struct relay_header *request, void *reply, struct api_client *client)
{
	char reason[RELAY_REASON_SIZE] = "";
	struct session *session = NULL;
	enum relay_code code =
		session_restore((const struct relay_restore *)request, &session, reason);

	return reply_session(request, code, session, reason, reply);
}

static size_t
handle_drain(const struct relay_header *request, void *reply, struct api_client *client)
{
	uint32_t flags = ((const struct relay_drain *)request)->flags;

	if ((flags & ~(RELAY_DRAIN_ON | RELAY_DRAIN_END)) != 0 || flags == RELAY_DRAIN_END)
		return api_request_refuse(request, RELAY_E_MALFORMED,
			"drain: flags are ON, ON and END, or none", reply);
	sessions_drain(flags);
	reply_header(reply, request, sizeof(struct relay_header));
	return sizeof(struct relay_header);
}

static size_t
handle_stats(const struct relay_header *request, void *reply, struct api_client *client)
{
	struct relay_stats_reply *out = reply;
	size_t room = (RELAY_DATAGRAM_MAX - sizeof(*out)) / sizeof(out->counter[0]);

	memset(out, 0, sizeof(*out));
	out->count = stats_collect(out->counter, (unsigned)room);
	reply_header(&out->header, request, sizeof(*out) + out->count * sizeof(out->counter[0]));
	return out->header.length;
}

static size_t
handle_status(const struct relay_header *request, void *reply, struct api_client *client)
{
	struct relay_status_reply *out = reply;

	memset(out, 0, sizeof(*out));
	reply_header(&out->header, request, sizeof(*out));
	stats_status(out);
	return sizeof(*out);
}

static size_t
handle_subscribe(const struct relay_header *request, void *reply, struct api_client *client)
{
	client->subscribed = true;
	reply_header(reply, request, sizeof(struct relay_header));
	return sizeof(struct relay_header);
}

static size_t
handle_capture(const struct relay_header *request, void *reply, struct api_client *client)
{
	const struct relay_capture *capture = (const struct relay_capture *)request;
	char reason[RELAY_REASON_SIZE] = "";
	struct session *session = NULL;
	enum relay_code code = RELAY_OK;

	if (capture->id[0] != '\0')
		code = session_find(capture->id, &session, reason);
	if (code == RELAY_OK && client->fd < 0 && capture->seconds != 0)
		code = RELAY_E_MALFORMED;
	if (code != RELAY_OK)
		return api_request_refuse(request, code,
			reason[0] != '\0' ? reason : "a capture needs a file's descriptor", reply);
	int fd = client->fd;
	client->fd = -1;
	code = capture_start(capture, fd, session != NULL ? session_state(session) : NULL, reason);
	if (code != RELAY_OK)
		return api_request_refuse(request, code, reason, reply);
	reply_header(reply, request, sizeof(struct relay_header));
	return sizeof(struct relay_header);
}

static size_t
handle_export(const struct relay_header *request, void *reply, struct api_client *client)
{
	char reason[RELAY_REASON_SIZE] = "";
	struct session *session = NULL;
	struct relay_create *out = reply;

	if (!client->trusted)
		return api_request_refuse(request, RELAY_E_FORBIDDEN,
			"a session's keys are told to root, the relay's own user and sip.user "
			"alone: run the controller as one of them",
			reply);
	enum relay_code code =
		session_find(((const struct relay_by_id *)request)->id, &session, reason);
	if (code != RELAY_OK)
		return api_request_refuse(request, code, reason, reply);
	memset(out, 0, sizeof(*out));
	reply_header(&out->header, request, sizeof(*out));
	session_export(session, out);
	return sizeof(*out);
}

static size_t
handle_reload(const struct relay_header *request, void *reply, struct api_client *client)
{
	struct relay_config_reply *out = reply;
	size_t room = (RELAY_DATAGRAM_MAX - sizeof(*out)) / sizeof(out->row[0]);
	char reason[RELAY_REASON_SIZE] = "";

	memset(out, 0, sizeof(*out));
	if (reload(((const struct relay_reload *)request)->apply != 0, out, (unsigned)room, reason,
		    sizeof(reason)) != 0)
		return api_request_refuse(request, RELAY_E_CONFIG, reason, reply);
	reply_header(&out->header, request, sizeof(*out) + out->count * sizeof(out->row[0]));
	return out->header.length;
}

static size_t
handle_config(const struct relay_header *request, void *reply, struct api_client *client)
{
	struct relay_config_reply *out = reply;
	size_t room = (RELAY_DATAGRAM_MAX - sizeof(*out)) / sizeof(out->row[0]);

	memset(out, 0, sizeof(*out));
	if (reload_show(((const struct relay_list *)request)->cursor, out, (unsigned)room) != 0)
		return api_request_refuse(request, RELAY_E_NO_MEMORY, "out of memory", reply);
	reply_header(&out->header, request, sizeof(*out) + out->count * sizeof(out->row[0]));
	return out->header.length;
}

/* Each op, the one length that its request has, and who carries it out. */
static const struct {
	size_t length;
	size_t (*handle)(
		const struct relay_header *request, void *reply, struct api_client *client);
} ops[] = {
	[RELAY_OP_CREATE] = {sizeof(struct relay_create), handle_create},
	[RELAY_OP_UPDATE] = {sizeof(struct relay_update), handle_update},
	[RELAY_OP_DELETE] = {sizeof(struct relay_by_id), handle_delete},
	[RELAY_OP_QUERY] = {sizeof(struct relay_by_id), handle_query},
	[RELAY_OP_LIST] = {sizeof(struct relay_list), handle_list},
	[RELAY_OP_STATS] = {sizeof(struct relay_header), handle_stats},
	[RELAY_OP_STATUS] = {sizeof(struct relay_header), handle_status},
	[RELAY_OP_SUBSCRIBE] = {sizeof(struct relay_header), handle_subscribe},
	[RELAY_OP_CAPTURE] = {sizeof(struct relay_capture), handle_capture},
	[RELAY_OP_EXPORT] = {sizeof(struct relay_by_id), handle_export},
	[RELAY_OP_STATE] = {sizeof(struct relay_list), handle_state},
	[RELAY_OP_RESTORE] = {sizeof(struct relay_restore), handle_restore},
	[RELAY_OP_DRAIN] = {sizeof(struct relay_drain), handle_drain},
	[RELAY_OP_RELOAD] = {sizeof(struct relay_reload), handle_reload},
	[RELAY_OP_CONFIG] = {sizeof(struct relay_list), handle_config},
};

size_t
api_request_handle(
	const struct relay_header *request, size_t length, void *reply, struct api_client *client)
{
	char reason[RELAY_REASON_SIZE];

	if (request->version != RELAY_API_VERSION) {
		snprintf(reason, sizeof(reason),
			"this relay speaks version %d of the relay API, not %u: use the client of "
			"its own release",
			RELAY_API_VERSION, request->version);
		return api_request_refuse(request, RELAY_E_VERSION, reason, reply);
	}
	if (request->op >= sizeof(ops) / sizeof(ops[0]) || ops[request->op].handle == NULL) {
		snprintf(reason, sizeof(reason), "there is no request %u", request->op);
		return api_request_refuse(request, RELAY_E_MALFORMED, reason, reply);
	}
	if (length != ops[request->op].length) {
		snprintf(reason, sizeof(reason), "request %u has %zu bytes, not %zu", request->op,
			ops[request->op].length, length);
		return api_request_refuse(request, RELAY_E_MALFORMED, reason, reply);
	}
	return ops[request->op].handle(request, reply, client);
}
