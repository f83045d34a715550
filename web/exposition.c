/* SPDX-License-Identifier: BSD-3-Clause */
#include "exposition.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Help escapes backslash and line feed; a label's value the quotation mark, too. */
static void
add_escaped(struct text *out, const char *value, bool label)
{
	/* jansson knows UTF-8 */
	json_t *whole = json_string(value);

	for (const char *at = value; *at != '\0'; at++) {
		if (*at == '\\')
			text_add(out, "\\\\");
		else if (*at == '\n')
			text_add(out, "\\n");
		else if (*at == '"' && label)
			text_add(out, "\\\"");
		else if ((*at & 0x80) != 0 && whole == NULL)
			text_add(out, "?");
		else
			text_add_bytes(out, at, 1);
	}
	json_decref(whole);
}

void
exposition_family(struct text *out, const char *name, const char *type, const char *help)
{
	text_add(out, "# HELP %s ", name);
	add_escaped(out, help, false);
	text_add(out, "\n# TYPE %s %s\n", name, type);
}

static void
add_label(struct text *out, const char *name, const char *value, bool *any)
{
	text_add(out, "%c%s=\"", *any ? ',' : '{', name);
	add_escaped(out, value, true);
	text_add(out, "\"");
	*any = true;
}

static void
add_labels(struct text *out, va_list args)
{
	const char *name;
	bool any = false;

	while ((name = va_arg(args, const char *)) != NULL)
		add_label(out, name, va_arg(args, const char *), &any);
	if (any)
		text_add(out, "}");
}

static void
add_number(struct text *out, double value)
{
	if (isnan(value))
		text_add(out, " NaN\n");
	else if (isinf(value))
		text_add(out, value > 0 ? " +Inf\n" : " -Inf\n");
	else
		text_add(out, " %.12g\n", value);
}

void
exposition_integer(struct text *out, const char *name, uint64_t value, ...)
{
	va_list args;

	text_add(out, "%s", name);
	va_start(args, value);
	add_labels(out, args);
	va_end(args);
	text_add(out, " %" PRIu64 "\n", value);
}

void
exposition_number(struct text *out, const char *name, double value, ...)
{
	va_list args;

	text_add(out, "%s", name);
	va_start(args, value);
	add_labels(out, args);
	va_end(args);
	add_number(out, value);
}

/* The labels that all samples of a histogram have, and one more. */
static void
add_histogram_labels(struct text *out, const char *labels[4], const char *le)
{
	bool any = false;

	for (unsigned i = 0; i < 4 && labels[i] != NULL; i += 2)
		add_label(out, labels[i], labels[i + 1], &any);
	if (le != NULL)
		add_label(out, "le", le, &any);
	if (any)
		text_add(out, "}");
}

void
exposition_histogram(struct text *out, const char *name, const double *bounds,
	const uint64_t *counts, unsigned count, double sum, const char *labels[4])
{
	uint64_t so_far = 0;

	for (unsigned i = 0; i <= count; i++) {
		char le[32] = "+Inf";
		if (i < count)
			snprintf(le, sizeof(le), "%.12g", bounds[i]);
		so_far += counts[i];
		text_add(out, "%s_bucket", name);
		add_histogram_labels(out, labels, le);
		text_add(out, " %" PRIu64 "\n", so_far);
	}
	text_add(out, "%s_sum", name);
	add_histogram_labels(out, labels, NULL);
	add_number(out, sum);
	text_add(out, "%s_count", name);
	add_histogram_labels(out, labels, NULL);
	text_add(out, " %" PRIu64 "\n", so_far);
}
