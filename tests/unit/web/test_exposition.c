/* SPDX-License-Identifier: BSD-3-Clause */
/* Prometheus's text format 0.0.4: escapes, numbers, histograms. */
#include "web/exposition.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void
help_escapes_backslash_and_line_feed(void **state)
{
	struct text text = {.bytes = NULL};

	exposition_family(&text, "a_total", "counter", "one \\ two\nthree \"four\"");
	assert_string_equal(text.bytes, "# HELP a_total one \\\\ two\\nthree \"four\"\n"
					"# TYPE a_total counter\n");
	text_free(&text);
}

static void
labels_escape_quotation_marks_too(void **state)
{
	struct text text = {.bytes = NULL};

	exposition_integer(&text, "a_total", 7, "who", "\"x\"} 1\nb_total{\\", NULL);
	assert_string_equal(text.bytes, "a_total{who=\"\\\"x\\\"} 1\\nb_total{\\\\\"} 7\n");
	text_free(&text);
}

static void
what_is_no_utf_8_becomes_a_question_mark(void **state)
{
	struct text text = {.bytes = NULL};

	exposition_integer(&text, "a", 1, "x", "gr\xc3\xbc\xc3\x9f", "y", "\xff\xfe!", NULL);
	assert_string_equal(text.bytes, "a{x=\"gr\xc3\xbc\xc3\x9f\",y=\"??"
					"!\"} 1\n");
	text_free(&text);
}

static void
numbers_of_every_kind(void **state)
{
	struct text text = {.bytes = NULL};

	exposition_integer(&text, "a", UINT64_MAX, NULL);
	exposition_number(&text, "a", 0.25, NULL);
	exposition_number(&text, "a", NAN, NULL);
	exposition_number(&text, "a", -INFINITY, NULL);
	exposition_number(&text, "a", 1795606879.3, NULL);
	assert_string_equal(
		text.bytes, "a 18446744073709551615\na 0.25\na NaN\na -Inf\na 1795606879.3\n");
	text_free(&text);
}

static void
a_histogram_is_cumulative(void **state)
{
	const double bounds[] = {0.5, 1};
	const uint64_t counts[] = {3, 0, 2};
	const char *labels[4] = {"leg", "a", NULL, NULL};
	struct text text = {.bytes = NULL};

	exposition_histogram(&text, "h", bounds, counts, 2, 4.5, labels);
	assert_string_equal(text.bytes, "h_bucket{leg=\"a\",le=\"0.5\"} 3\n"
					"h_bucket{leg=\"a\",le=\"1\"} 3\n"
					"h_bucket{leg=\"a\",le=\"+Inf\"} 5\n"
					"h_sum{leg=\"a\"} 4.5\n"
					"h_count{leg=\"a\"} 5\n");
	text_free(&text);
}

static void
a_text_grows(void **state)
{
	struct text text = {.bytes = NULL};

	for (unsigned i = 0; i < 10000; i++)
		text_add(&text, "%04u", i);
	assert_false(text_failed(&text));
	assert_int_equal(text.length, 40000);
	assert_memory_equal(text.bytes + 4 * 9998, "99989999", 9);
	text_free(&text);
	assert_null(text.bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(help_escapes_backslash_and_line_feed),
		cmocka_unit_test(labels_escape_quotation_marks_too),
		cmocka_unit_test(what_is_no_utf_8_becomes_a_question_mark),
		cmocka_unit_test(numbers_of_every_kind),
		cmocka_unit_test(a_histogram_is_cumulative),
		cmocka_unit_test(a_text_grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
