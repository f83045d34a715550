/* SPDX-License-Identifier: BSD-3-Clause */
/* Lists of CPUs and the kernel's command line, as sallyctl tune reads them. */
#include "relay/tune_list.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void
test_cpus(void **state)
{
	static const struct {
		const char *text, *is;
		unsigned count;
	} cases[] = {
		{"", "none", 0},
		{" \n", "none", 0},
		{"0", "0", 1},
		{"0-3,8\n", "0-3,8", 5},
		{"8,0-3,2", "0-3,8", 5},
		{"0,1,2", "0-2", 3},
		{"63-64", "63-64", 2},
		{"4095", "4095", 1},
		{"0-4095", "0-4095", 4096},
	};
	char text[64];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tune_cpus cpus;
		assert_int_equal(0, tune_cpus_parse(cases[i].text, &cpus));
		assert_int_equal(cases[i].count, tune_cpus_count(&cpus));
		assert_string_equal(cases[i].is, tune_cpus_format(&cpus, text, sizeof(text)));
	}
}

static void
test_no_cpus(void **state)
{
	static const struct {
		const char *text;
		int result;
	} cases[] = {
		{"a", -EINVAL},
		{"-", -EINVAL},
		{"-1", -EINVAL},
		{"3-", -EINVAL},
		{"3-1", -EINVAL},
		{"1,", -EINVAL},
		{"1,,2", -EINVAL},
		{",1", -EINVAL},
		{"1 2", -EINVAL},
		{"(null)", -EINVAL},
		{"0-4096", -ERANGE},
		{"4096", -ERANGE},
		{"0-4294967295", -ERANGE},
		{"99999999999999999999", -ERANGE},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tune_cpus cpus;
		assert_int_equal(cases[i].result, tune_cpus_parse(cases[i].text, &cpus));
		assert_int_equal(0, tune_cpus_count(&cpus));
	}
}

static void
test_cpus_cut(void **state)
{
	struct tune_cpus cpus;
	char text[12];

	assert_int_equal(0, tune_cpus_parse("0,2,4,6,8,10,12,14", &cpus));
	assert_string_equal("0,2,4,6...", tune_cpus_format(&cpus, text, sizeof(text)));
}

static void
test_cpus_minus(void **state)
{
	struct tune_cpus a, b, left;
	char text[32];

	tune_cpus_parse("1-70", &a);
	tune_cpus_parse("2-68,80", &b);
	left = tune_cpus_minus(&a, &b);
	assert_string_equal("1,69-70", tune_cpus_format(&left, text, sizeof(text)));
	assert_int_equal(69, tune_cpus_next(&left, 2));
	assert_int_equal(-1, tune_cpus_next(&left, 71));
	assert_false(tune_cpus_has(&left, TUNE_CPUS_MAX));
	tune_cpus_add(&left, TUNE_CPUS_MAX); /* no such CPU: nothing happens */
	assert_int_equal(3, tune_cpus_count(&left));
}

static void
test_cmdline(void **state)
{
	static const char line[] = "ro  iommu=pt quiet hugepages=1 hugepages=2 rcu-nocbs=3 "
				   "x=\"a b iommu=off\" iommufd=1 empty= -- mitigations=off\n";
	static const struct {
		const char *name, *value;
	} cases[] = {
		{"iommu", "pt"},
		{"quiet", ""},
		{"empty", ""},
		{"hugepages", "2"},
		{"rcu_nocbs", "3"},
		{"x", "a b iommu=off"},
	};
	char value[32];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(tune_cmdline_get(line, cases[i].name, value, sizeof(value)));
		assert_string_equal(cases[i].value, value);
	}
	assert_false(tune_cmdline_get(line, "iomm", value, sizeof(value)));
	assert_false(tune_cmdline_get(line, "b", value, sizeof(value)));
	assert_false(tune_cmdline_get(line, "mitigations", value, sizeof(value)));
	/* every blank that isspace() knows ends a word, and none holds it up */
	assert_true(tune_cmdline_get("a\rb=1\v\fc\r", "b", value, sizeof(value)));
	assert_false(tune_cmdline_get("", "x", value, sizeof(value)));
	assert_false(tune_cmdline_get("x=0123456789", "x", value, 10));
	assert_string_equal("", value);
	assert_false(tune_cmdline_get("x=\"never closed", "y", value, sizeof(value)));
}

static void
test_cmdline_cpus(void **state)
{
	static const char *const lines[] = {"isolcpus=2-5", "isolcpus=domain,2-5",
		"isolcpus=managed_irq,domain,2-5", "isolcpus=7 isolcpus=nohz,2-5"};
	struct tune_cpus cpus;
	char text[32];

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_true(tune_cmdline_cpus(lines[i], "isolcpus", &cpus));
		assert_string_equal("2-5", tune_cpus_format(&cpus, text, sizeof(text)));
	}
	assert_false(tune_cmdline_cpus("quiet", "isolcpus", &cpus));
	assert_false(tune_cmdline_cpus("isolcpus=5-2", "isolcpus", &cpus));
	assert_true(tune_cmdline_cpus("isolcpus=domain", "isolcpus", &cpus));
	assert_int_equal(0, tune_cpus_count(&cpus));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cpus),
		cmocka_unit_test(test_no_cpus),
		cmocka_unit_test(test_cpus_cut),
		cmocka_unit_test(test_cpus_minus),
		cmocka_unit_test(test_cmdline),
		cmocka_unit_test(test_cmdline_cpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
