/* SPDX-License-Identifier: BSD-3-Clause */
/* Any URI as who is called: the number that it names is one that can be dialled and put into
 * another URI, and the dial plan takes it as it is. */
#include "control/dialplan.h"

#include <errno.h>
#include <sofia-sip/su_alloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *users[] = {"users"};
static struct config_route routes[] = {
	{.prefix = "+49", .from = "any", .to = users, .to_count = 1, .strip = 3, .prepend = "0"},
	{.from = "users", .to = users, .to_count = 1, .strip = 1},
};
static const struct config_sip config = {
	.domain = "example.com", .routes = routes, .routes_count = 2};

static void
demand(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

static bool
is_number(const char *text)
{
	const char *digits = text + (text[0] == '+');

	return digits[0] != '\0' && strspn(digits, "0123456789*#") == strlen(digits);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	su_home_t home[1] = {SU_HOME_INIT(home)};
	const struct config_route *found[2];
	char text[512], number[NUMBER_SIZE], rewritten[NUMBER_SIZE];
	struct party from;

	if (size >= sizeof(text) || memchr(data, '\0', size) != NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	su_home_init(home);
	const url_t *url = url_make(home, text);
	if (url == NULL || number_of_url(url, config.domain, number) != 0)
		goto done;
	demand(strlen(number) < NUMBER_SIZE && is_number(number), "that is no number");
	party_set_user(&from, "alice");
	unsigned count = dialplan_find(&config, &from, number, found, 2);
	demand(count == 1, "the dial plan has one entry for every number");
	if (dialplan_rewrite(found[0], number, rewritten) == 0)
		demand(strlen(rewritten) > 0 && strlen(rewritten) < NUMBER_SIZE,
			"what is dialled is nothing, or too long");
done:
	su_home_deinit(home);
	return 0;
}
