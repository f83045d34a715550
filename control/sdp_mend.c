/* SPDX-License-Identifier: BSD-3-Clause */
#include "sdp_mend.h"

#include "sdp_text.h"

#include <errno.h>
#include <sofia-sip/sdp.h>
#include <string.h>

/* `value` is what stands behind "b=". */
static int
mend(su_home_t *home, sdp_bandwidth_t *bandwidth, const char *value, size_t length)
{
	size_t blank = 0;

	if (bandwidth->b_modifier != sdp_bw_as || bandwidth->b_modifier_name != NULL)
		return 0;
	while (blank < length && (value[blank] == ' ' || value[blank] == '\t'))
		blank++;
	size_t name = sdp_token_length(value + blank, length - blank);
	bandwidth->b_modifier = sdp_bw_x;
	bandwidth->b_modifier_name = su_strndup(home, value + blank, (isize_t)name);
	return bandwidth->b_modifier_name != NULL ? 0 : -ENOMEM;
}

int
sdp_mend_bandwidths(struct sdp_parser_s *parser, const char *body, size_t length)
{
	sdp_session_t *session = sdp_session(parser);
	sdp_media_t *media = session->sdp_media;
	sdp_bandwidth_t *bandwidth = session->sdp_bandwidths;
	int result = 0;

	for (size_t at = 0, end; at < length && result == 0; at = end + 1) {
		const char *newline = memchr(body + at, '\n', length - at);
		end = newline != NULL ? (size_t)(newline - body) : length;
		if (body[at] == 'm' && media != NULL) {
			bandwidth = media->m_bandwidths;
			media = media->m_next;
		} else if (body[at] == 'b' && bandwidth != NULL) {
			result = mend(sdp_parser_home(parser), bandwidth, body + at + 2,
				end > at + 2 ? end - at - 2 : 0);
			bandwidth = bandwidth->b_next;
		}
	}
	return result;
}
