/* SPDX-License-Identifier: BSD-3-Clause */
/* Any text as a Refer-To with Replaces in its URI (RFC 3891): none, or one dialog's name on one
 * line. */
#include "control/call_transfer.h"
#include "fuzz.h"

#include <sofia-sip/sip_extra.h>
#include <sofia-sip/sip_header.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	su_home_t *home = su_home_new(sizeof(*home));
	char *text = text_of(data, size);
	const sip_refer_to_t *to = home != NULL ? sip_refer_to_make(home, text) : NULL;
	const sip_replaces_t *replaces =
		to != NULL ? call_transfer_read_replaces(home, to->r_url) : NULL;

	if (replaces != NULL) {
		demand(replaces->rp_call_id != NULL, "it names no dialog");
		demand(!has_control(replaces->rp_call_id), "a name of two lines");
		demand(replaces->rp_from_tag == NULL || !has_control(replaces->rp_from_tag),
			"a tag of two lines");
		demand(replaces->rp_to_tag == NULL || !has_control(replaces->rp_to_tag),
			"a tag of two lines");
	}
	su_home_unref(home);
	free(text);
	return 0;
}
