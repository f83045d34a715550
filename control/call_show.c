/* SPDX-License-Identifier: BSD-3-Clause */
#include "call_show.h"

#include <sofia-sip/sip_protos.h>
#include <string.h>

#define TEXT_SIZE 128 /* bytes of one text of a stranger's: a hundred rows fit into a datagram */

/* Text that a stranger chose: cut, and a byte that is neither text nor UTF-8 is a "?", so that it
 * can't take the row with it. */
static json_t *
text_of(const char *text)
{
	char clean[TEXT_SIZE] = "";
	size_t length = text != NULL ? strnlen(text, sizeof(clean) - 1) : 0;

	if (length > 0)
		memcpy(clean, text, length);
	/* not in the midst of a character */
	while (length == sizeof(clean) - 1 && length > 0 && (text[length] & 0xc0) == 0x80)
		length--;
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)clean[i] < 0x20 || clean[i] == 0x7f)
			clean[i] = '?';
	json_t *out = json_stringn(clean, length);
	if (out != NULL)
		return out;
	for (size_t i = 0; i < length; i++)
		if ((clean[i] & 0x80) != 0)
			clean[i] = '?';
	return json_stringn(clean, length);
}

/* A display name without its quotation marks and escapes (RFC 3261 25.1 quoted-string). */
static json_t *
display_of(const char *quoted)
{
	char plain[TEXT_SIZE];
	size_t length = 0;

	if (quoted == NULL || quoted[0] != '"')
		return text_of(quoted);
	for (const char *at = quoted + 1; *at != '\0' && *at != '"'; at++) {
		if (*at == '\\' && at[1] != '\0')
			at++;
		if (length < sizeof(plain) - 1)
			plain[length++] = *at;
	}
	plain[length] = '\0';
	return text_of(plain);
}

static json_t *
side_of(const struct call *call, unsigned index)
{
	const struct call_side *side = &call->side[index];
	const struct media_description *said = call->sdp.said[index];
	const sip_t *sip = side->said != NULL ? sip_object(side->said) : NULL;
	const sip_addr_t *named = NULL;
	char peer[RELAY_ADDR_TEXT], codecs[256] = "";

	if (sip != NULL && index == 0)
		named = sip->sip_from;
	else if (sip != NULL)
		named = sip->sip_to;
	if (said != NULL && said->streams > 0)
		media_description_codecs(said, 0, codecs, sizeof(codecs));
	return json_pack("{s:s,s:o,s:o,s:s,s:o,s:b}", "kind",
		side->party.kind == PARTY_TRUNK ? "trunk" : "user", "name",
		text_of(side->party.name), "display",
		display_of(named != NULL ? named->a_display : NULL), "peer",
		relay_ip_format(&side->peer, peer), "codecs", text_of(codecs), "early",
		side->dialog != NULL && !side->dialog->confirmed);
}

json_t *
call_show(const struct call *call)
{
	static const char *const states[] = {
		[CALL_ROUTING] = "starting",
		[CALL_RINGING] = "ringing",
		[CALL_ANSWERING] = "answered",
		[CALL_UP] = "up",
		[CALL_ENDED] = "ending",
	};
	uint64_t now = call_now_ms();

	return json_pack("{s:s,s:o,s:o,s:s,s:I,s:I,s:[o,o]}", "id", call->id, "caller",
		text_of(call->caller), "callee", text_of(call->callee), "state",
		states[call->state], "age_s", (json_int_t)(now - call->started_ms) / 1000, "talk_s",
		(json_int_t)(call->answered_ms == 0 ? 0 : (now - call->answered_ms) / 1000),
		"sides", side_of(call, 0), side_of(call, 1));
}

json_t *
call_show_failure(const struct call_failure *failure)
{
	return json_pack("{s:I,s:s,s:o,s:o,s:s,s:i,s:o}", "at", (json_int_t)failure->at, "id",
		failure->id, "caller", text_of(failure->caller), "callee", text_of(failure->callee),
		"result", counters_name(failure->result) + strlen("result."), "status",
		failure->status, "cause", text_of(failure->cause));
}
