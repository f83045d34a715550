/* SPDX-License-Identifier: BSD-3-Clause */
#include "metrics.h"

#include "exposition.h"
#include "quality.h"

#include <stdio.h>
#include <string.h>

static void
write_build(struct text *out, const struct snapshot *snapshot)
{
	const char *name = "sallyport_build_info";
	const char *sip = json_string_value(json_object_get(snapshot->sip.stats, "release"));
	char engine[sizeof(snapshot->media.status.engine)];

	exposition_family(out, name, "gauge", "A constant 1, with the release of each process.");
	/* the engine's name, without what it says of itself */
	snprintf(engine, sizeof(engine), "%.*s", (int)strcspn(snapshot->media.status.engine, " "),
		snapshot->media.status.engine);
	if (snapshot->media.up)
		exposition_integer(out, name, 1, "plane", "media", "version",
			snapshot->media.status.release, "engine", engine, NULL);
	if (sip != NULL)
		exposition_integer(out, name, 1, "plane", "sip", "version", sip, NULL);
	exposition_integer(out, name, 1, "plane", "web", "version", SALLYPORT_VERSION, NULL);
}

static void
write_planes(struct text *out, const struct snapshot *snapshot)
{
	exposition_family(out, "sallyport_up", "gauge",
		"1 if the process of that plane answers, 0 if it is away.");
	exposition_integer(out, "sallyport_up", snapshot->media.up, "plane", "media", NULL);
	if (snapshot->sip.wanted)
		exposition_integer(out, "sallyport_up", snapshot->sip.up, "plane", "sip", NULL);
	exposition_family(out, "sallyport_collect_duration_seconds", "gauge",
		"How long the process of that plane took to tell what this scrape says of it.");
	exposition_number(out, "sallyport_collect_duration_seconds", snapshot->media.took_s,
		"plane", "media", NULL);
	if (snapshot->sip.wanted)
		exposition_number(out, "sallyport_collect_duration_seconds", snapshot->sip.took_s,
			"plane", "sip", NULL);
	exposition_family(out, "sallyport_snapshot_timestamp_seconds", "gauge",
		"When the processes were asked: scrapes of the same second share the answer.");
	exposition_number(
		out, "sallyport_snapshot_timestamp_seconds", (double)snapshot->at_ms / 1000, NULL);
}

static void
write_web(struct text *out, const struct web_counters *web)
{
	const char *name = "sallyport_web_requests_total";

	exposition_family(
		out, name, "counter", "HTTP requests answered, by the first digit of the status.");
	for (unsigned i = 2; i < 6; i++) {
		char code[4];
		snprintf(code, sizeof(code), "%uxx", i);
		exposition_integer(out, name, web->requests[i], "code", code, NULL);
	}
	exposition_family(out, "sallyport_web_logins_failed_total", "counter",
		"Logins at the page refused: wrong, or not looked at after too many.");
	exposition_integer(out, "sallyport_web_logins_failed_total", web->logins_failed, "reason",
		"wrong", NULL);
	exposition_integer(out, "sallyport_web_logins_failed_total", web->logins_locked, "reason",
		"locked", NULL);
	exposition_family(out, "sallyport_web_hosts_refused_total", "counter",
		"Requests refused for the host name that they asked for.");
	exposition_integer(out, "sallyport_web_hosts_refused_total", web->hosts_refused, NULL);
	exposition_family(out, "sallyport_web_connections_cut_total", "counter",
		"HTTP connections cut off: no whole request came in time.");
	exposition_integer(out, "sallyport_web_connections_cut_total", web->cut, NULL);
	exposition_family(
		out, "sallyport_web_readers", "gauge", "Pages that are open, and get each change.");
	exposition_integer(out, "sallyport_web_readers", web->readers, NULL);
	exposition_family(out, "sallyport_web_start_time_seconds", "gauge",
		"When sallyport-web was started, since 1970.");
	exposition_number(
		out, "sallyport_web_start_time_seconds", (double)web->started_ms / 1000, NULL);
}

static void
write_certificates(struct text *out, const struct sip_view *sip, const struct web_counters *web)
{
	const char *name = "sallyport_certificate_expiry_timestamp_seconds";
	const json_t *row;
	size_t i;

	exposition_family(out, name, "gauge",
		"When the certificate of that section of the configuration expires, since 1970.");
	json_array_foreach (sip->certificates, i, row) {
		const char *section = json_string_value(json_object_get(row, "section"));
		const json_t *at = json_object_get(row, "expires_at");
		if (section != NULL && json_is_integer(at))
			exposition_integer(out, name, (uint64_t)json_integer_value(at), "section",
				section, NULL);
	}
	if (web->certificate_expires != 0)
		exposition_integer(
			out, name, (uint64_t)web->certificate_expires, "section", "web", NULL);
}

void
metrics_write(struct text *out, const struct snapshot *snapshot, const struct web_counters *web)
{
	write_build(out, snapshot);
	write_planes(out, snapshot);
	if (snapshot->media.up) {
		metrics_write_media(out, &snapshot->media, snapshot->busy);
		quality_expose(out);
	}
	if (snapshot->sip.up)
		metrics_write_sip(out, &snapshot->sip);
	write_certificates(out, &snapshot->sip, web);
	write_web(out, web);
}
