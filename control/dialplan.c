/* SPDX-License-Identifier: BSD-3-Clause */
#include "dialplan.h"

#include "weight.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SEPARATORS "-.()" /* RFC 3966 3, visual-separator */

/* Adds the digits of `length` bytes of text. */
static int
add_digits(const char *text, size_t length, char number[NUMBER_SIZE])
{
	size_t used = strlen(number);

	for (size_t i = 0; i < length; i++) {
		if (strchr(SEPARATORS, text[i]) != NULL && text[i] != '\0')
			continue;
		if (strchr("0123456789*#", text[i]) == NULL || text[i] == '\0')
			return -EINVAL;
		if (used + 1 >= NUMBER_SIZE)
			return -EINVAL;
		number[used++] = text[i];
		number[used] = '\0';
	}
	return 0;
}

/* "+49-30-123", "030123;phone-context=+49": a telephone-subscriber of RFC 3966. */
static int
read_subscriber(const char *text, const char *context, const char *domain, char number[NUMBER_SIZE])
{
	size_t length = strcspn(text, ";");
	bool global = text[0] == '+';

	number[0] = '\0';
	if (global) {
		strcpy(number, "+");
		text++, length--;
	} else if (context != NULL && context[0] == '+') {
		strcpy(number, "+");
		if (add_digits(context + 1, strlen(context + 1), number) != 0)
			return -EINVAL;
	} else if (context != NULL && strcasecmp(context, domain) != 0) {
		return -EINVAL; /* a number of some other network */
	}
	size_t before = strlen(number);
	if (add_digits(text, length, number) != 0 || strlen(number) == before)
		return -EINVAL;
	return 0;
}

/* The value of a parameter among "a=b;c=d", into value: NULL if it is not there, and nothing that
 * anybody asks for if it is too long. */
static const char *
find_param(const char *params, const char *name, char *value, size_t size)
{
	size_t length = params != NULL ? (size_t)url_param(params, name, value, (isize_t)size) : 0;

	if (length > size)
		return "?";
	return length > 0 ? value : NULL;
}

int
number_of_url(const url_t *url, const char *domain, char number[NUMBER_SIZE])
{
	char text[2 * NUMBER_SIZE], context[CONFIG_HOST_MAX + 1], phone[8];
	const char *in = NULL;

	if (url->url_type != url_tel && url->url_type != url_sip && url->url_type != url_sips)
		return -ENOENT;
	const char *subscriber = url->url_type == url_tel ? url->url_host : url->url_user;
	if (subscriber == NULL)
		subscriber = url->url_user;
	if (subscriber == NULL || strlen(subscriber) >= sizeof(text))
		return -ENOENT;
	if (strstr(subscriber, "%00") != NULL)
		return -EINVAL;
	url_unescape(text, subscriber);
	bool is_phone = url->url_type == url_tel ||
	                (find_param(url->url_params, "user", phone, sizeof(phone)) != NULL &&
				strcasecmp(phone, "phone") == 0);
	/* of a tel: URI they are the URI's own; in a user part, the subscriber's */
	if (url->url_type == url_tel)
		in = find_param(url->url_params, "phone-context", context, sizeof(context));
	else if (strchr(text, ';') != NULL)
		in = find_param(strchr(text, ';') + 1, "phone-context", context, sizeof(context));
	int result = read_subscriber(text, in, domain, number);
	return result != 0 && !is_phone ? -ENOENT : result;
}

bool
dialplan_is_from(const struct config_route *route, const struct party *from)
{
	if (strcmp(route->from, CONFIG_ANYBODY) == 0)
		return true;
	if (from->kind == PARTY_USER)
		return strcmp(route->from, CONFIG_USERS) == 0;
	return strcmp(route->from, from->trunk->name) == 0 ||
	       (from->trunk->group != NULL && strcmp(route->from, from->trunk->group) == 0);
}

static const char *
prefix_of(const struct config_route *route)
{
	return route->prefix != NULL ? route->prefix : "";
}

unsigned
dialplan_find(const struct config_sip *config, const struct party *from, const char *number,
	const struct config_route **out, unsigned most)
{
	size_t longest = 0;
	unsigned count = 0;

	for (unsigned i = 0; i < config->routes_count; i++) {
		const struct config_route *route = &config->routes[i];
		size_t length = strlen(prefix_of(route));
		if (strncmp(number, prefix_of(route), length) != 0 || length < longest ||
			!dialplan_is_from(route, from))
			continue;
		if (length > longest)
			count = 0;
		longest = length;
		if (count == most)
			continue;
		/* insertion: equals stay in the order of the file */
		unsigned at = count++;
		for (; at > 0 && out[at - 1]->priority > route->priority; at--)
			out[at] = out[at - 1];
		out[at] = route;
	}
	return count;
}

int
dialplan_rewrite(const struct config_route *route, const char *number, char result[NUMBER_SIZE])
{
	const char *prepend = route->prepend != NULL ? route->prepend : "";

	if (route->strip > strlen(number))
		return -EINVAL;
	number += route->strip;
	if (number[0] == '\0' && prepend[0] == '\0')
		return -EINVAL;
	int length = snprintf(result, NUMBER_SIZE, "%s%s", prepend, number);
	return length < 0 || length >= NUMBER_SIZE ? -ENOSPC : 0;
}

unsigned
dialplan_trunks(const struct config_sip *config, const char *name, uint32_t (*random)(uint32_t),
	const struct config_trunk **out, unsigned most)
{
	struct weighted found[CONFIG_TRUNKS_MAX];
	unsigned count = 0;

	for (unsigned i = 0; i < config->trunks_count && count < CONFIG_TRUNKS_MAX; i++) {
		const struct config_trunk *trunk = &config->trunks[i];
		bool named = strcmp(trunk->name, name) == 0 ||
		             (trunk->group != NULL && strcmp(trunk->group, name) == 0);
		if (named && trunk->direction != CONFIG_DIRECTION_IN)
			found[count++] = (struct weighted){trunk->priority, trunk->weight, trunk};
	}
	weight_order(found, count, random);
	if (count > most)
		count = most;
	for (unsigned i = 0; i < count; i++)
		out[i] = found[i].what;
	return count;
}
