/* SPDX-License-Identifier: BSD-3-Clause */
/* How well two legs hear and are heard, as a table's rows or as JSON. */
#include "sallyctl.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* Prints a value that may not be known, divided by `scale`, into text (16 bytes). */
static const char *
known(uint32_t value, double scale, char *text)
{
	if (value == RELAY_UNKNOWN)
		return "-";
	snprintf(text, 16, "%.2f", value / scale);
	return text;
}

static void
row(const char *name, uint32_t a, uint32_t b, double scale)
{
	char left[16], right[16];

	printf("%-19s %-26s %s\n", name, known(a, scale, left), known(b, scale, right));
}

/* Of what was expected, in hundredths of a percent. */
static uint32_t
loss(const struct relay_quality *quality)
{
	if (quality->expected == 0)
		return RELAY_UNKNOWN;
	return (uint32_t)(10000.0 * quality->lost / quality->expected + 0.5);
}

static uint32_t
remote_loss(const struct relay_quality *quality)
{
	return quality->remote_lost == RELAY_UNKNOWN ? RELAY_UNKNOWN
	                                             : quality->remote_lost_256 * 10000u / 256;
}

static uint32_t
mos(const struct relay_quality *quality)
{
	return quality->mos_100 == 0 ? RELAY_UNKNOWN : quality->mos_100;
}

void
sallyctl_print_quality(const struct relay_quality *a, const struct relay_quality *b)
{
	row("loss, %", loss(a), loss(b), 100);
	row("jitter, ms", a->jitter_us, b->jitter_us, 1000);
	row("round trip, ms", a->round_trip_us, b->round_trip_us, 1000);
	row("loss there, %", remote_loss(a), remote_loss(b), 100);
	row("jitter there, ms", a->remote_jitter_us, b->remote_jitter_us, 1000);
	row("MOS", mos(a), mos(b), 100);
	printf("%-19s 0x%08x                 0x%08x\n", "SSRC", a->ssrc, b->ssrc);
	printf("%-19s %-26u %u\n", "SSRCs", a->ssrcs, b->ssrcs);
	printf("%-19s %-26u %u\n", "ROC", a->roc, b->roc);
}

static json_t *
number(uint32_t value, double scale)
{
	return value == RELAY_UNKNOWN ? json_null() : json_real(value / scale);
}

json_t *
sallyctl_quality_json(const struct relay_quality *quality)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o}", "ssrc",
		(json_int_t)quality->ssrc, "roc", (json_int_t)quality->roc, "ssrcs",
		(json_int_t)quality->ssrcs, "expected", (json_int_t)quality->expected, "lost",
		(json_int_t)quality->lost, "jitter_ms", number(quality->jitter_us, 1000),
		"round_trip_ms", number(quality->round_trip_us, 1000), "remote_loss_percent",
		number(remote_loss(quality), 100), "remote_jitter_ms",
		number(quality->remote_jitter_us, 1000), "mos", number(mos(quality), 100));
}
