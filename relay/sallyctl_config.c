/* SPDX-License-Identifier: BSD-3-Clause */
/* sallyctl reload, config show, config check: the configuration of both daemons at once. */
#include "config.h"
#include "control_client.h"
#include "sallyctl.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANSWER_MS 5000

/* The daemons that the configuration is for, and that answer. */
struct daemons {
	const struct sallyctl *ctl;
	struct relay_client *media; /* NULL: none */
	int sip;                    /* -1: none */
};

static union {
	struct relay_header header;
	struct relay_config_reply config;
	char bytes[RELAY_DATAGRAM_MAX];
} reply;

static void
skip(const char *daemon, const char *path, int error)
{
	fprintf(stderr,
		"sallyctl: no %s answers at %s: %s. It reads the configuration when it starts\n",
		daemon, path, strerror(-error));
}

static int
connect_all(
	struct daemons *daemons, const struct sallyctl_config *where, const struct sallyctl *ctl)
{
	*daemons = (struct daemons){.ctl = ctl, .sip = -1};
	if (where->has_media) {
		int result = relay_client_connect(ctl->socket, &daemons->media);
		if (result != 0) {
			daemons->media = NULL;
			skip("sallyport-media", ctl->socket, result);
		}
	}
	if (where->has_sip) {
		daemons->sip = control_client_connect(where->sip_socket, ANSWER_MS);
		if (daemons->sip < 0)
			skip("sallyport-sip", where->sip_socket, daemons->sip);
	}
	return daemons->media != NULL || daemons->sip >= 0 ? SALLYCTL_OK : SALLYCTL_UNREACHABLE;
}

static void
disconnect_all(struct daemons *daemons)
{
	relay_client_close(daemons->media);
	if (daemons->sip >= 0)
		close(daemons->sip);
}

/* What the relay would change, or has changed. */
static int
reload_media(const struct daemons *daemons, bool apply, json_t *rows)
{
	struct relay_reload request = {
		.header = {.op = RELAY_OP_RELOAD, .length = sizeof(request)}, .apply = apply};
	struct sallyctl ctl = *daemons->ctl;

	ctl.client = daemons->media;
	int result = sallyctl_ask(&ctl, &request, sizeof(request), &reply, sizeof(reply));
	if (result != SALLYCTL_OK)
		return result;
	for (uint32_t i = 0; i < reply.config.count; i++) {
		const struct relay_config_row *row = &reply.config.row[i];
		json_array_append_new(rows, json_pack("{s:s,s:s,s:s}", "field", row->field,
						    "before", row->before, "after", row->value));
	}
	return SALLYCTL_OK;
}

static int
reload_sip(const struct daemons *daemons, bool apply, json_t *rows)
{
	json_t *answer = control_client_reload(daemons->sip, apply);
	const char *error = json_string_value(json_object_get(answer, "error"));
	int result = SALLYCTL_OK;

	if (answer == NULL) {
		fprintf(stderr, "sallyctl: sallyport-sip did not answer\n");
		result = SALLYCTL_UNREACHABLE;
	} else if (error != NULL) {
		fprintf(stderr, "sallyctl: %s\n", error);
		result = SALLYCTL_REFUSED;
	} else {
		json_array_extend(rows, json_object_get(answer, "changes"));
	}
	json_decref(answer);
	return result;
}

static int
reload_all(const struct daemons *daemons, bool apply, json_t *out)
{
	int result = SALLYCTL_OK;

	json_object_clear(out);
	if (daemons->media != NULL) {
		json_object_set_new(out, "sallyport-media", json_array());
		result = reload_media(daemons, apply, json_object_get(out, "sallyport-media"));
	}
	if (result == SALLYCTL_OK && daemons->sip >= 0) {
		json_object_set_new(out, "sallyport-sip", json_array());
		result = reload_sip(daemons, apply, json_object_get(out, "sallyport-sip"));
	}
	return result;
}

static void
print_changes(json_t *out)
{
	const char *daemon;
	json_t *rows, *row;
	size_t i;

	json_object_foreach (out, daemon, rows) {
		printf("%s: %zu setting(s) changed\n", daemon, json_array_size(rows));
		json_array_foreach (rows, i, row)
			printf("  %s: %s -> %s\n", json_string_value(json_object_get(row, "field")),
				json_string_value(json_object_get(row, "before")),
				json_string_value(json_object_get(row, "after")));
	}
}

/* First both say whether they could: so either both change, or neither. */
int
sallyctl_reload(const struct sallyctl *ctl, const struct sallyctl_config *where)
{
	struct daemons daemons;
	json_t *out = json_object();
	int result = connect_all(&daemons, where, ctl);

	if (result == SALLYCTL_OK)
		result = reload_all(&daemons, false, out);
	if (result == SALLYCTL_REFUSED)
		fprintf(stderr, "sallyctl: nothing is changed, in no daemon\n");
	if (result == SALLYCTL_OK)
		result = reload_all(&daemons, true, out);
	disconnect_all(&daemons);
	if (result == SALLYCTL_OK && ctl->json)
		return sallyctl_print_json(out);
	if (result == SALLYCTL_OK)
		print_changes(out);
	json_decref(out);
	return result;
}

static int
show_media(const struct daemons *daemons, json_t *rows)
{
	struct relay_list request = {.header = {.op = RELAY_OP_CONFIG, .length = sizeof(request)}};
	struct sallyctl ctl = *daemons->ctl;

	ctl.client = daemons->media;
	do {
		int result = sallyctl_ask(&ctl, &request, sizeof(request), &reply, sizeof(reply));
		if (result != SALLYCTL_OK)
			return result;
		for (uint32_t i = 0; i < reply.config.count; i++) {
			const struct relay_config_row *row = &reply.config.row[i];
			json_array_append_new(
				rows, json_pack("{s:s,s:s,s:b,s:b}", "field", row->field, "value",
					      row->value, "default",
					      (row->flags & RELAY_CONFIG_DEFAULT) != 0, "restart",
					      (row->flags & RELAY_CONFIG_RESTART) != 0));
		}
		request.cursor = reply.config.cursor;
	} while (request.cursor != 0);
	return SALLYCTL_OK;
}

static int
show_sip(const struct daemons *daemons, json_t *rows)
{
	json_int_t from = 0;

	do {
		json_t *answer = control_client_ask(daemons->sip, "config", NULL, from);
		if (answer == NULL) {
			fprintf(stderr, "sallyctl: sallyport-sip did not answer\n");
			return SALLYCTL_UNREACHABLE;
		}
		json_array_extend(rows, json_object_get(answer, "rows"));
		from = json_integer_value(json_object_get(answer, "next"));
		json_decref(answer);
	} while (from > 0);
	return SALLYCTL_OK;
}

static void
print_values(json_t *out)
{
	const char *daemon;
	json_t *rows, *row;
	size_t i;

	json_object_foreach (out, daemon, rows) {
		printf("%s\n", daemon);
		json_array_foreach (rows, i, row)
			printf("  %-44s %s%s%s\n", json_string_value(json_object_get(row, "field")),
				json_string_value(json_object_get(row, "value")),
				json_is_true(json_object_get(row, "default")) ? " (default)" : "",
				json_is_true(json_object_get(row, "restart")) ? " [restart]" : "");
	}
}

int
sallyctl_config_show(const struct sallyctl *ctl, const struct sallyctl_config *where)
{
	struct daemons daemons;
	json_t *out = json_object();
	int result = connect_all(&daemons, where, ctl);

	if (result == SALLYCTL_OK && daemons.media != NULL) {
		json_object_set_new(out, "sallyport-media", json_array());
		result = show_media(&daemons, json_object_get(out, "sallyport-media"));
	}
	if (result == SALLYCTL_OK && daemons.sip >= 0) {
		json_object_set_new(out, "sallyport-sip", json_array());
		result = show_sip(&daemons, json_object_get(out, "sallyport-sip"));
	}
	disconnect_all(&daemons);
	if (result == SALLYCTL_OK && ctl->json)
		return sallyctl_print_json(out);
	if (result == SALLYCTL_OK)
		print_values(out);
	json_decref(out);
	return result;
}

int
sallyctl_config_check(const char *file, bool json)
{
	struct config *config = NULL;
	char error[512] = "";
	bool good = config_load(file, &config, error, sizeof(error)) == 0;

	config_free(config);
	if (json)
		sallyctl_print_json(json_pack("{s:s,s:b,s:s?}", "file", file, "good", good, "error",
			good ? NULL : error));
	else if (good)
		printf("%s: good\n", file);
	if (!good)
		fprintf(stderr, "sallyctl: %s\n", error);
	return good ? SALLYCTL_OK : SALLYCTL_REFUSED;
}
