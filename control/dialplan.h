/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbers, and what the dial plan (sip.routes) says of them. Pure functions. */
#ifndef CONTROL_DIALPLAN_H
#define CONTROL_DIALPLAN_H

#include "party.h"

#include <sofia-sip/url.h>

#define NUMBER_SIZE 64 /* bytes of a number, with its NUL */

/* The number that a URI names, without visual separators (RFC 3966 5.1.1): of tel:, with a global
 * phone-context put before it; of sip: and sips:, where the user part is digits or says user=phone
 * (RFC 3261 19.1.6). `domain` is ours: a phone-context that may be forgotten. 0; -ENOENT: it names
 * none; -EINVAL: it is no number that can be dialled. */
int number_of_url(const url_t *url, const char *domain, char number[NUMBER_SIZE]);

/* Does the entry apply to calls from this party? */
bool dialplan_is_from(const struct config_route *route, const struct party *from);

/* The entries for a number: of those that apply to the caller and have the longest prefix, by
 * priority. Writes at most `most` into out; returns how many. */
unsigned dialplan_find(const struct config_sip *config, const struct party *from,
	const char *number, const struct config_route **out, unsigned most);

/* Takes `strip` characters away and puts `prepend` before. 0; -EINVAL: nothing is left; -ENOSPC. */
int
dialplan_rewrite(const struct config_route *route, const char *number, char result[NUMBER_SIZE]);

/* The trunks that one name of a route's `to` means, to be called one after the other: by priority;
 * among equals at random, each as often first as its weight says (RFC 2782's way). Trunks that only
 * call us are left out. Returns how many. `random` gives numbers from 0 to below its argument. */
unsigned dialplan_trunks(const struct config_sip *config, const char *name,
	uint32_t (*random)(uint32_t below), const struct config_trunk **out, unsigned most);

#endif
