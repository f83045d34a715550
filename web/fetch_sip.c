/* SPDX-License-Identifier: BSD-3-Clause */
#include "fetch.h"

#include "relay/control_client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Appends the rows of one list, at most SNAPSHOT_ROWS. 0 or -errno. */
static int
fetch_list(int fd, const char *what, json_t *rows)
{
	json_int_t from = 0, next = 0;

	do {
		from = next;
		json_t *reply = control_client_ask(fd, what, NULL, from);
		if (reply == NULL)
			return -ETIMEDOUT;
		/* an older sallyport-sip does not know all lists: that one stays empty */
		json_array_extend(rows, json_object_get(reply, "rows"));
		next = json_integer_value(json_object_get(reply, "next"));
		json_decref(reply);
	} while (next > from && json_array_size(rows) < SNAPSHOT_ROWS);
	return 0;
}

static int
fetch_stats(int fd, struct sip_view *out)
{
	json_t *reply = control_client_ask(fd, "stats", NULL, 0);

	json_decref(out->stats);
	out->stats = json_incref(json_array_get(json_object_get(reply, "rows"), 0));
	json_decref(reply);
	return out->stats != NULL ? 0 : -ETIMEDOUT;
}

static int
fetch_all(int fd, struct sip_view *out)
{
	const struct {
		const char *what;
		json_t *rows;
	} lists[] = {
		{"calls", out->calls},
		{"registrations", out->registrations},
		{"trunks", out->trunks},
		{"certificates", out->certificates},
		{"failures", out->failures},
	};
	int result = fetch_stats(fd, out);

	for (unsigned i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		json_array_clear(lists[i].rows); /* of a first try */
	for (unsigned i = 0; result == 0 && i < sizeof(lists) / sizeof(lists[0]); i++)
		result = fetch_list(fd, lists[i].what, lists[i].rows);
	return result;
}

static void
explain(const char *path, int result, struct sip_view *out)
{
	const char *cure = "is it running, and is sip.control_socket its socket?";

	if (result == -EACCES)
		cure = "sallyport-web's user may not write to the socket";
	else if (result == -ETIMEDOUT)
		cure = "it does not answer";
	snprintf(out->error, sizeof(out->error), "sallyport-sip at %.80s: %s: %s", path,
		strerror(-result), cure);
}

void
sip_fetch(const struct config *config, int *fd, struct sip_view *out)
{
	const char *path = config->sip.control_socket;
	uint64_t start = snapshot_now_ms();
	double start_s = snapshot_now_s();
	bool kept = *fd >= 0;
	int result = 0;

	out->calls = json_array();
	out->registrations = json_array();
	out->trunks = json_array();
	out->certificates = json_array();
	out->failures = json_array();
	out->wanted = config->sip.address != NULL;
	if (!out->wanted)
		return;
	if (!kept)
		*fd = control_client_connect(path, FETCH_MS);
	result = *fd < 0 ? *fd : fetch_all(*fd, out);
	if (result != 0 && kept && snapshot_now_ms() - start < FETCH_MS) {
		/* it has been started anew since, or gave our place to somebody else */
		close(*fd);
		*fd = control_client_connect(path, FETCH_MS);
		result = *fd < 0 ? *fd : fetch_all(*fd, out);
	}
	out->up = result == 0;
	if (result != 0) {
		explain(path, result, out);
		if (*fd >= 0)
			close(*fd);
		*fd = -1;
	}
	out->took_s = snapshot_now_s() - start_s;
}

void
sip_view_free(struct sip_view *view)
{
	json_decref(view->stats);
	json_decref(view->calls);
	json_decref(view->registrations);
	json_decref(view->trunks);
	json_decref(view->certificates);
	json_decref(view->failures);
}
