/* SPDX-License-Identifier: BSD-3-Clause */
/* What may happen in a call, and how long it lasts unasked: defaults and checks. */
#include "config_private.h"

#include <errno.h>

#define SESSION_EXPIRES_S 1800 /* RFC 4028 4 recommends it */
#define SESSION_MIN_S 90       /* RFC 4028 4: none is less */
#define REKEY_HOURS_MOST 720
#define RELAY_WAIT_S 30
#define RELAY_WAIT_S_MOST 600

void
config_dialogs_default(struct config_sip *sip, const struct config_lines *lines)
{
	struct config_dialogs *dialogs = &sip->dialogs;

	if (!config_lines_has(lines, "sip.session_expires_s"))
		dialogs->session_expires_s = SESSION_EXPIRES_S;
	if (!config_lines_has(lines, "sip.session_min_s"))
		dialogs->session_min_s = SESSION_MIN_S;
	if (!config_lines_has(lines, "sip.relay_wait_s"))
		dialogs->relay_wait_s = RELAY_WAIT_S;
}

int
config_dialogs_check(const struct config_complaint *to, struct config_sip *sip)
{
	struct config_dialogs *dialogs = &sip->dialogs;

	if (config_check_range(
		    to, "sip.session_min_s", dialogs->session_min_s, SESSION_MIN_S, 86400) != 0)
		return -EINVAL;
	if (dialogs->session_expires_s != 0 &&
		config_check_range(to, "sip.session_expires_s", dialogs->session_expires_s,
			dialogs->session_min_s, 86400) != 0)
		return -EINVAL;
	if (config_check_range(
		    to, "sip.relay_wait_s", dialogs->relay_wait_s, 0, RELAY_WAIT_S_MOST) != 0)
		return -EINVAL;
	return config_check_range(to, "sip.rekey_hours", dialogs->rekey_hours, 0, REKEY_HOURS_MOST);
}
