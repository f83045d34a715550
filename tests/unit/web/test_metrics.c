/* SPDX-License-Identifier: BSD-3-Clause */
/* A whole scrape of planes that say hostile things: every sample belongs to a family that was
 * announced once, counters and units are named by the conventions, and no plane that is away is
 * spoken for. */
#include "web/metrics.h"
#include "web/quality.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FAMILIES 200

static struct relay_counter counters[] = {
	{"sessions", 2},
	{"packets.received", 1000},
	{"packets.relayed", 990},
	{"drop.auth_failed", 7},
	{"drop.replayed", 3},
	{"worker.0.packets", 600},
	{"worker.1.packets", 400},
	{"worker.0.cycles_100_verify", 12345},
	{"interface.access.rx_packets", 1000},
	{"interface.access.drop.auth_failed", 7},
	{"interface.access.device_missed", 4},
};

static struct relay_session session = {
	.id = "call-1",
	.leg =
		{
			{.transport = RELAY_TRANSPORT_SRTP,
				.packets_in = 1000,
				.quality = {.expected = 1000,
					.lost = 30,
					.jitter_us = 4000,
					.round_trip_us = RELAY_UNKNOWN,
					.mos_100 = 395}},
			{.transport = RELAY_TRANSPORT_RTP,
				.packets_in = 1000,
				.quality = {.expected = 1000,
					.jitter_us = RELAY_UNKNOWN,
					.round_trip_us = 90000}},
		},
};

static json_t *made[3]; /* of the latest snapshot */

static int
forget(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
		json_decref(made[i]);
		made[i] = NULL;
	}
	return 0;
}

static void
fill(struct snapshot *snapshot)
{
	forget(NULL);
	memset(snapshot, 0, sizeof(*snapshot));
	snapshot->media.up = true;
	snapshot->media.counters = counters;
	snapshot->media.counters_count = sizeof(counters) / sizeof(counters[0]);
	snapshot->media.sessions = &session;
	snapshot->media.sessions_count = 1;
	snapshot->media.status.workers = 2;
	snapshot->media.status.interfaces = 1;
	strcpy(snapshot->media.status.interface[0].name, "access");
	strcpy(snapshot->media.status.engine, "avx512 (of many words)");
	snapshot->busy[0] = 0.5;
	snapshot->busy[1] = -1;
	snapshot->sip.up = true;
	snapshot->sip.wanted = true;
	snapshot->sip.stats = made[0] = json_pack(
		"{s:s,s:i,s:f,s:{s:{s:i,s:s},s:{s:i,s:s},s:{s:i,s:s},s:{s:i,s:s}}}", "release",
		"9.9", "calls", 5, "late_ms", 2.5, "counters", "result.busy", "value", 11, "help",
		"x", "result.completed", "value", 12, "help", "y", "logins.wrong", "value", 13,
		"help", "z", "invented.lately", "value", 14, "help", "w");
	snapshot->sip.trunks = made[1] = json_pack("[{s:s,s:s,s:i,s:i,s:i}]", "trunk", "a\"b\\c\nd",
		"state", "in", "calls", 3, "living", 1, "targets_count", 2);
	snapshot->sip.certificates = made[2] =
		json_pack("[{s:s,s:i}]", "section", "sip", "expires_at", 1800000000);
}

static char *
scrape(struct snapshot *snapshot)
{
	struct web_counters web = {.requests = {[2] = 6}, .started_ms = 1700000000000};
	struct text text = {.bytes = NULL};

	metrics_write(&text, snapshot, &web);
	assert_false(text_failed(&text));
	return text.bytes;
}

static bool
has(const char *text, const char *line)
{
	const char *at = strstr(text, line);

	return at != NULL && (at == text || at[-1] == '\n') && at[strlen(line)] == '\n';
}

static void
samples_say_what_the_planes_said(void **state)
{
	static const char *const lines[] = {
		"sallyport_up{plane=\"media\"} 1",
		"sallyport_build_info{plane=\"media\",version=\"\",engine=\"avx512\"} 1",
		"sallyport_build_info{plane=\"sip\",version=\"9.9\"} 1",
		"sallyport_packets_relayed_total 990",
		"sallyport_dropped_packets_total{reason=\"auth_failed\"} 7",
		("sallyport_interface_dropped_packets_total{interface=\"access\","
		 "reason=\"auth_failed\"} 7"),
		"sallyport_worker_packets_total{worker=\"1\"} 400",
		"sallyport_worker_busy_ratio{worker=\"0\"} 0.5",
		"sallyport_worker_stage_cycles{worker=\"0\",stage=\"verify\"} 123.45",
		"sallyport_interface_device_faults_total{interface=\"access\",kind=\"missed\"} 4",
		"sallyport_calls 5",
		"sallyport_sip_delay_seconds 0.0025",
		"sallyport_calls_ended_total{result=\"busy\"} 11",
		"sallyport_logins_total{result=\"wrong\"} 13",
		"sallyport_sip_events_total{event=\"invented.lately\"} 14",
		"sallyport_trunk_up{trunk=\"a\\\"b\\\\c\\nd\"} 1",
		"sallyport_certificate_expiry_timestamp_seconds{section=\"sip\"} 1800000000",
		"sallyport_web_requests_total{code=\"2xx\"} 6",
	};
	struct snapshot snapshot;
	char *text;

	fill(&snapshot);
	text = scrape(&snapshot);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (!has(text, lines[i]))
			fail_msg("not in the scrape: %s\n%s", lines[i], text);
	assert_null(strstr(text, "worker_busy_ratio{worker=\"1\"}")); /* it is not known */
	free(text);
}

/* "name{..." or "name " belongs to the family `name`; of a histogram with its endings. */
static bool
belongs(const char *line, const char *family, bool histogram)
{
	static const char *const endings[] = {"_bucket", "_sum", "_count"};
	size_t length = strlen(family);

	if (strncmp(line, family, length) != 0)
		return false;
	line += length;
	for (unsigned i = 0; histogram && i < 3; i++)
		if (strncmp(line, endings[i], strlen(endings[i])) == 0)
			line += strlen(endings[i]);
	return *line == '{' || *line == ' ';
}

static void
each_sample_follows_its_family(void **state)
{
	char families[FAMILIES][80], type[16] = "";
	unsigned count = 0;
	struct snapshot snapshot;
	char *text, *rest, *line;

	fill(&snapshot);
	text = scrape(&snapshot);
	for (line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
		if (strncmp(line, "# HELP ", 7) == 0) {
			assert_true(count < FAMILIES);
			assert_int_equal(1, sscanf(line, "# HELP %79s", families[count]));
			for (unsigned i = 0; i < count; i++)
				assert_string_not_equal(families[i], families[count]);
			assert_true(strlen(line) > strlen(families[count]) + 10);
			count++;
		} else if (strncmp(line, "# TYPE ", 7) == 0) {
			char name[80];
			assert_int_equal(2, sscanf(line, "# TYPE %79s %15s", name, type));
			assert_string_equal(name, families[count - 1]);
			bool total =
				strlen(name) > 6 && strcmp(name + strlen(name) - 6, "_total") == 0;
			assert_int_equal(total, strcmp(type, "counter") == 0);
			assert_int_equal(0, strncmp(name, "sallyport_", 10));
		} else {
			assert_true(
				belongs(line, families[count - 1], strcmp(type, "histogram") == 0));
		}
	}
	assert_true(count > 40);
	free(text);
}

static void
who_is_away_is_not_spoken_for(void **state)
{
	struct snapshot snapshot = {.sip = {.wanted = true}};
	char *text = scrape(&snapshot);

	assert_true(has(text, "sallyport_up{plane=\"media\"} 0"));
	assert_true(has(text, "sallyport_up{plane=\"sip\"} 0"));
	assert_null(strstr(text, "sallyport_sessions"));
	assert_null(strstr(text, "sallyport_calls"));
	assert_null(strstr(text, "sallyport_leg_mos"));
	assert_true(has(
		text, "sallyport_build_info{plane=\"web\",version=\"" SALLYPORT_VERSION "\"} 1"));
	free(text);
}

static void
a_leg_is_looked_at_once_in_ten_seconds(void **state)
{
	const char *lines[] = {
		"sallyport_leg_mos_count{transport=\"srtp\",leg=\"a\"} 2",
		"sallyport_leg_mos_count{transport=\"rtp\",leg=\"b\"} 0",
		"sallyport_leg_mos_bucket{transport=\"srtp\",leg=\"a\",le=\"3.8\"} 0",
		"sallyport_leg_mos_bucket{transport=\"srtp\",leg=\"a\",le=\"4\"} 2",
		"sallyport_leg_jitter_seconds_bucket{transport=\"srtp\",leg=\"a\",le=\"0.005\"} 2",
		"sallyport_leg_round_trip_seconds_bucket{transport=\"rtp\",leg=\"b\",le=\"0.1\"} 2",
		/* 3 % at first, then none of a thousand more */
		"sallyport_leg_loss_ratio_bucket{transport=\"srtp\",leg=\"a\",le=\"0\"} 1",
		"sallyport_leg_loss_ratio_bucket{transport=\"srtp\",leg=\"a\",le=\"0.05\"} 2",
		"sallyport_leg_loss_ratio_count{transport=\"srtp\",leg=\"a\"} 2",
	};
	struct snapshot snapshot;

	fill(&snapshot);
	quality_observe(&snapshot.media, 1000);
	quality_observe(&snapshot.media, 10999);
	session.leg[0].quality.expected = 2000;
	quality_observe(&snapshot.media, 11000);
	char *text = scrape(&snapshot);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (!has(text, lines[i]))
			fail_msg("not in the scrape: %s\n%s", lines[i], text);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(samples_say_what_the_planes_said),
		cmocka_unit_test(each_sample_follows_its_family),
		cmocka_unit_test(who_is_away_is_not_spoken_for),
		cmocka_unit_test(a_leg_is_looked_at_once_in_ten_seconds),
	};

	return cmocka_run_group_tests(tests, NULL, forget);
}
