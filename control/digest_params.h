/* SPDX-License-Identifier: BSD-3-Clause */
/* The parameters of a digest header, whichever of the four it is. The SIP stack's parser has split
 * the header; this takes names from values, and quotes from texts. No state, any thread. */
#ifndef CONTROL_DIGEST_PARAMS_H
#define CONTROL_DIGEST_PARAMS_H

#include <stdbool.h>
#include <stddef.h>

#include <sofia-sip/msg_types.h>
#include <sofia-sip/su_alloc.h>

/* Finds each of `names` at most once among the parameters ("name=value", values quoted or tokens:
 * RFC 7230 3.2.6) and writes its value, unquoted, into `text`; values[i] is where, or NULL if it is
 * not there. What has another name is passed over (RFC 7616 3.4: auth-param). False: a parameter
 * has no name or no value, or one of ours comes twice, is ill quoted, has a control character, or
 * all together are longer than `size`. */
bool digest_params_split(const msg_param_t *params, const char *const *names, unsigned count,
	const char **values, char *text, size_t size);

/* The text as a quoted string. NULL: out of memory. */
char *digest_params_quote(su_home_t *home, const char *text);

#endif
