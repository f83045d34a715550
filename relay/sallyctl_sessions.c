/* SPDX-License-Identifier: BSD-3-Clause */
/* sallyctl sessions, sessions ID and end ID. */
#include "sallyctl.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *
suite_name(unsigned suite)
{
	const struct relay_suite_info *info = relay_suite_info(suite);

	return info != NULL ? info->name : "-";
}

static json_t *
entry_json(const struct relay_list_entry *entry)
{
	json_t *legs = json_array();

	for (unsigned i = 0; i < 2; i++) {
		char remote[RELAY_ADDR_TEXT];
		json_array_append_new(legs,
			json_pack("{s:s, s:I, s:s}", "receive_suite", suite_name(entry->suite[i]),
				"packets_in", (json_int_t)entry->packets_in[i], "remote_rtp",
				relay_addr_format(&entry->remote_rtp[i], remote)));
	}
	return json_pack("{s:s, s:I, s:o}", "id", entry->id, "age_ms", (json_int_t)entry->age_ms,
		"legs", legs);
}

/* Widths of the two address columns: as the page needs, so that IPv6 stays aligned. */
static void
measure(const struct relay_list_reply *page, int width[2])
{
	char text[RELAY_ADDR_TEXT];

	for (unsigned i = 0; i < page->count; i++)
		for (unsigned leg = 0; leg < 2; leg++) {
			const struct relay_addr *remote = &page->entry[i].remote_rtp[leg];
			int length = (int)strlen(relay_addr_format(remote, text));
			if (length > width[leg])
				width[leg] = length;
		}
}

/* The name comes last: it may be long. */
static void
print_page(const struct relay_list_reply *page, int width[2], bool first)
{
	char a[RELAY_ADDR_TEXT], b[RELAY_ADDR_TEXT];

	measure(page, width);
	if (first)
		printf("%8s  %-*s %10s  %-*s %10s  %s\n", "AGE s", width[0], "LEG A", "PACKETS",
			width[1], "LEG B", "PACKETS", "SESSION");
	for (unsigned i = 0; i < page->count; i++) {
		const struct relay_list_entry *entry = &page->entry[i];
		printf("%8" PRIu64 "  %-*s %10" PRIu64 "  %-*s %10" PRIu64 "  %s\n",
			entry->age_ms / 1000, width[0], relay_addr_format(&entry->remote_rtp[0], a),
			entry->packets_in[0], width[1], relay_addr_format(&entry->remote_rtp[1], b),
			entry->packets_in[1], entry->id);
	}
}

int
sallyctl_sessions(const struct sallyctl *ctl)
{
	struct relay_list request = {.header = {.op = RELAY_OP_LIST}};
	struct relay_list_reply *page = malloc(RELAY_DATAGRAM_MAX);
	json_t *list = json_array();
	int width[2] = {21, 21}; /* an IPv4 address and port */
	bool first = true;
	int result = SALLYCTL_REFUSED;

	if (page == NULL || list == NULL) {
		fputs("sallyctl: no memory for the list\n", stderr);
		goto done;
	}
	do {
		result = sallyctl_ask(ctl, &request, sizeof(request), page, RELAY_DATAGRAM_MAX);
		if (result != SALLYCTL_OK)
			goto done;
		for (unsigned i = 0; ctl->json && i < page->count; i++)
			json_array_append_new(list, entry_json(&page->entry[i]));
		if (!ctl->json)
			print_page(page, width, first);
		first = false;
		request.cursor = page->cursor;
	} while (request.cursor != 0);
	if (ctl->json) {
		result = sallyctl_print_json(list);
		list = NULL;
	}

done:
	json_decref(list);
	free(page);
	return result;
}

static const char *
transport_name(unsigned transport)
{
	static const char *const names[] = {"none", "srtp", "rtp", "udptl"};

	return transport < sizeof(names) / sizeof(names[0]) ? names[transport] : "unknown";
}

/* What the far end said of its direction: sendrecv, recvonly, sendonly, inactive (RFC 4566 6). */
static const char *
direction_name(uint32_t flags)
{
	bool send = (flags & RELAY_LEG_NO_SEND) == 0, receive = (flags & RELAY_LEG_NO_RECEIVE) == 0;

	return send ? receive ? "both ways" : "listens only" : receive ? "sends only" : "inactive";
}

static json_t *
leg_json(const struct sallyctl *ctl, const struct relay_leg_info *leg)
{
	char local[RELAY_ADDR_TEXT], local_rtcp[RELAY_ADDR_TEXT];
	char remote[RELAY_ADDR_TEXT], remote_rtcp[RELAY_ADDR_TEXT];
	json_t *drops = json_object();

	for (unsigned i = 1; i < RELAY_DROP_COUNT; i++)
		if (leg->drops[i] != 0 || ctl->all)
			json_object_set_new(
				drops, relay_drop_name(i), json_integer((json_int_t)leg->drops[i]));
	return json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:I, "
		"s:o, s:o, s:s, s:o}",
		"interface", leg->interface, "transport", transport_name(leg->transport),
		"local_rtp", relay_addr_format(&leg->local_rtp, local), "local_rtcp",
		relay_addr_format(&leg->local_rtcp, local_rtcp), "remote_rtp",
		relay_addr_format(&leg->remote_rtp, remote), "remote_rtcp",
		relay_addr_format(&leg->remote_rtcp, remote_rtcp), "receive_suite",
		suite_name(leg->receive_suite), "transmit_suite", suite_name(leg->transmit_suite),
		"rtcp_mux", (leg->flags & RELAY_LEG_RTCP_MUX) != 0, "latched", leg->latched != 0,
		"packets_in", (json_int_t)leg->packets_in, "bytes_in", (json_int_t)leg->bytes_in,
		"packets_out", (json_int_t)leg->packets_out, "bytes_out",
		(json_int_t)leg->bytes_out, "rtcp_in", (json_int_t)leg->rtcp_in, "rtcp_out",
		(json_int_t)leg->rtcp_out, "last_packet_ms",
		leg->last_packet_ms == UINT64_MAX ? json_null()
						  : json_integer((json_int_t)leg->last_packet_ms),
		"drops", drops, "direction", direction_name(leg->flags), "quality",
		sallyctl_quality_json(&leg->quality));
}

static int
print_session_json(const struct sallyctl *ctl, const struct relay_session *session)
{
	json_t *json = json_pack("{s:s, s:I, s:I, s:I, s:[o, o]}", "id", session->id, "age_ms",
		(json_int_t)session->age_ms, "timeout_ms", (json_int_t)session->timeout_ms,
		"worker", (json_int_t)session->worker, "legs", leg_json(ctl, &session->leg[0]),
		leg_json(ctl, &session->leg[1]));

	return sallyctl_print_json(json);
}

static void
row_text(const char *name, const char *a, const char *b)
{
	printf("%-19s %-26s %s\n", name, a, b);
}

static void
row_number(const char *name, uint64_t a, uint64_t b)
{
	printf("%-19s %-26" PRIu64 " %" PRIu64 "\n", name, a, b);
}

static void
print_drops(const struct sallyctl *ctl, const uint64_t *a, const uint64_t *b)
{
	bool any = false;

	puts("\ndropped, of what came in:");
	for (unsigned i = 1; i < RELAY_DROP_COUNT; i++) {
		if (a[i] == 0 && b[i] == 0 && !ctl->all)
			continue;
		any = true;
		printf("%-19s %-26" PRIu64 " %-26" PRIu64 " %s\n", relay_drop_name(i), a[i], b[i],
			relay_drop_help(i));
	}
	if (!any)
		puts("nothing");
}

static void
print_session(const struct sallyctl *ctl, const struct relay_session *session)
{
	const struct relay_leg_info *a = &session->leg[0], *b = &session->leg[1];
	char left[RELAY_ADDR_TEXT], right[RELAY_ADDR_TEXT];

	printf("session %s, %" PRIu64 " s old, worker %u\n\n", session->id, session->age_ms / 1000,
		session->worker);
	row_text("", "LEG A", "LEG B");
	row_text("interface", a->interface, b->interface);
	row_text("transport", transport_name(a->transport), transport_name(b->transport));
	row_text("local RTP", relay_addr_format(&a->local_rtp, left),
		relay_addr_format(&b->local_rtp, right));
	row_text("local RTCP", relay_addr_format(&a->local_rtcp, left),
		relay_addr_format(&b->local_rtcp, right));
	row_text("remote RTP", relay_addr_format(&a->remote_rtp, left),
		relay_addr_format(&b->remote_rtp, right));
	row_text("remote RTCP", relay_addr_format(&a->remote_rtcp, left),
		relay_addr_format(&b->remote_rtcp, right));
	row_text("receives", suite_name(a->receive_suite), suite_name(b->receive_suite));
	row_text("transmits", suite_name(a->transmit_suite), suite_name(b->transmit_suite));
	row_text("direction", direction_name(a->flags), direction_name(b->flags));
	row_text("latched", a->latched ? "yes" : "no", b->latched ? "yes" : "no");
	row_number("packets in", a->packets_in, b->packets_in);
	row_number("packets out", a->packets_out, b->packets_out);
	row_number("bytes in", a->bytes_in, b->bytes_in);
	row_number("bytes out", a->bytes_out, b->bytes_out);
	row_number("RTCP in", a->rtcp_in, b->rtcp_in);
	row_number("RTCP out", a->rtcp_out, b->rtcp_out);
	sallyctl_print_quality(&a->quality, &b->quality);
	print_drops(ctl, a->drops, b->drops);
}

static int
ask_by_id(const struct sallyctl *ctl, uint16_t op, const char *id, struct relay_session *session)
{
	struct relay_by_id request = {.header = {.op = op}};

	if (strlen(id) >= sizeof(request.id)) {
		fprintf(stderr, "sallyctl: a session's name has at most %zu characters\n",
			sizeof(request.id) - 1);
		return SALLYCTL_REFUSED;
	}
	strcpy(request.id, id);
	/* room for an error, which is shorter */
	return sallyctl_ask(ctl, &request, sizeof(request), session, sizeof(*session));
}

static int
show(const struct sallyctl *ctl, uint16_t op, const char *id)
{
	struct relay_session session;
	int result = ask_by_id(ctl, op, id, &session);

	if (result != SALLYCTL_OK)
		return result;
	if (ctl->json)
		return print_session_json(ctl, &session);
	print_session(ctl, &session);
	return SALLYCTL_OK;
}

int
sallyctl_session(const struct sallyctl *ctl, const char *id)
{
	return show(ctl, RELAY_OP_QUERY, id);
}

int
sallyctl_end(const struct sallyctl *ctl, const char *id)
{
	return show(ctl, RELAY_OP_DELETE, id);
}
