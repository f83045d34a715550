/* SPDX-License-Identifier: BSD-3-Clause */
#include "view.h"

#include <stdio.h>
#include <string.h>

/* A number that is not known is null. */
static json_t *
number(double value)
{
	return value < 0 ? json_null() : json_real(value);
}

static json_t *
view_status(const struct snapshot *snapshot)
{
	const struct relay_status_reply *status = &snapshot->media.status;
	const struct sip_view *sip = &snapshot->sip;
	json_t *media = json_pack("{s:b,s:o,s:f}", "up", snapshot->media.up, "error",
		view_text(snapshot->media.error), "took_s", snapshot->media.took_s);
	json_t *other = json_pack("{s:b,s:b,s:o,s:f}", "wanted", sip->wanted, "up", sip->up,
		"error", view_text(sip->error), "took_s", sip->took_s);

	if (snapshot->media.up) {
		json_t *more = json_pack("{s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:I}", "release",
			status->release, "engine", status->engine, "memory", status->memory,
			"uptime_s", (json_int_t)status->uptime_ms / 1000, "sessions",
			(json_int_t)status->sessions, "sessions_max",
			(json_int_t)status->sessions_max, "buffers", (json_int_t)status->mbufs,
			"buffers_used", (json_int_t)status->mbufs_in_use);
		json_object_update(media, more);
		json_decref(more);
	}
	if (sip->up) {
		json_object_update(other, sip->stats);
		json_object_del(other, "counters"); /* of the copy: they are a part of their own */
	}
	return json_pack(
		"{s:s,s:o,s:o}", "release", SALLYPORT_VERSION, "media", media, "sip", other);
}

static json_t *
view_trend(const struct snapshot *snapshot)
{
	json_t *out = json_array();

	for (unsigned i = 0; i < snapshot->trend_count; i++) {
		const struct trend *at = &snapshot->trend[i];
		json_array_append_new(out,
			json_pack("{s:I,s:o,s:o,s:o,s:o,s:o,s:o}", "at_ms", (json_int_t)at->at_ms,
				"packets_s", number(at->packets_s), "bits_s", number(at->bits_s),
				"drops_s", number(at->drops_s), "sessions", number(at->sessions),
				"calls", number(at->calls), "busy", number(at->busy)));
	}
	return out;
}

static json_t *
view_workers(const struct snapshot *snapshot)
{
	static const char *const keys[] = {"packets", "relayed", "bursts", "handed_over"};
	json_t *out = json_array();

	for (unsigned i = 0; i < snapshot->media.status.workers && i < SNAPSHOT_WORKERS; i++) {
		json_t *row =
			json_pack("{s:i,s:o}", "worker", (int)i, "busy", number(snapshot->busy[i]));
		for (unsigned k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
			uint64_t value = 0;
			media_counter(&snapshot->media, &value, "worker.%u.%s", i, keys[k]);
			json_object_set_new(row, keys[k], json_integer((json_int_t)value));
		}
		json_array_append_new(out, row);
	}
	return out;
}

static json_t *
view_interfaces(const struct snapshot *snapshot)
{
	static const char *const keys[] = {
		"rx_packets", "rx_bytes", "media_tx_packets", "media_tx_bytes"};
	const struct relay_status_reply *status = &snapshot->media.status;
	json_t *out = json_array();

	for (unsigned i = 0; i < status->interfaces && i < RELAY_STATUS_INTERFACES; i++) {
		const struct relay_status_interface *at = &status->interface[i];
		char address[RELAY_ADDR_TEXT];
		json_t *row = json_pack("{s:o,s:s,s:i,s:b,s:I,s:I}", "name", view_text(at->name),
			"address", relay_ip_format(&at->address, address), "addresses",
			(int)at->addresses, "up", at->link_up != 0, "ports", (json_int_t)at->ports,
			"ports_used", (json_int_t)at->ports_used);
		for (unsigned k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
			uint64_t value = 0;
			media_counter(
				&snapshot->media, &value, "interface.%s.%s", at->name, keys[k]);
			json_object_set_new(row, keys[k], json_integer((json_int_t)value));
		}
		json_array_append_new(out, row);
	}
	return out;
}

static json_t *
view_drops(const struct snapshot *snapshot)
{
	json_t *out = json_array();

	for (unsigned i = 1; i < RELAY_DROP_COUNT; i++) {
		uint64_t value = 0;
		media_counter(&snapshot->media, &value, "drop.%s", relay_drop_name(i));
		if (value != 0)
			json_array_append_new(out,
				json_pack("{s:s,s:I,s:s}", "reason", relay_drop_name(i), "count",
					(json_int_t)value, "help", relay_drop_help(i)));
	}
	return out;
}

/* What sallyport-sip has counted, but for zeros. */
static json_t *
view_counters(const struct snapshot *snapshot)
{
	json_t *out = json_array(), *counters = json_object_get(snapshot->sip.stats, "counters");
	const char *name;
	json_t *at;

	json_object_foreach (counters, name, at) {
		if (json_integer_value(json_object_get(at, "value")) != 0)
			json_array_append_new(out, json_pack("{s:s,s:O,s:O}", "name", name, "count",
							   json_object_get(at, "value"), "help",
							   json_object_get(at, "help")));
	}
	return out;
}

static json_t *
view_registrations(const struct snapshot *snapshot)
{
	return json_incref(snapshot->sip.registrations);
}

static json_t *
view_trunks(const struct snapshot *snapshot)
{
	return json_incref(snapshot->sip.trunks);
}

static json_t *
view_certificates(const struct snapshot *snapshot)
{
	return json_incref(snapshot->sip.certificates);
}

static json_t *
view_failures(const struct snapshot *snapshot)
{
	return json_incref(snapshot->sip.failures);
}

static json_t *
view_at(const struct snapshot *snapshot)
{
	return json_integer((json_int_t)snapshot->at_ms);
}

static const struct {
	const char *name;
	json_t *(*make)(const struct snapshot *snapshot);
} parts[] = {
	{"at_ms", view_at},
	{"status", view_status},
	{"trend", view_trend},
	{"workers", view_workers},
	{"interfaces", view_interfaces},
	{"drops", view_drops},
	{"counters", view_counters},
	{"calls", view_calls},
	{"registrations", view_registrations},
	{"trunks", view_trunks},
	{"certificates", view_certificates},
	{"failures", view_failures},
};

json_t *
view_part(const struct snapshot *snapshot, const char *name)
{
	json_t *all = name[0] == '\0' ? json_object() : NULL;

	for (unsigned i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (all != NULL)
			json_object_set_new(all, parts[i].name, parts[i].make(snapshot));
		else if (strcmp(parts[i].name, name) == 0)
			return parts[i].make(snapshot);
	}
	return all;
}
