/* SPDX-License-Identifier: BSD-3-Clause */
#include "oracle_evp.h"

#include "tests/evp_srtp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RTP_LEAST 12  /* bytes: RFC 3550 5.1 */
#define RTCP_LEAST 12 /* bytes: RFC 3711 3.4, the header in clear and the index */
#define HISTORIES 32

/* What was sent, or heard and genuine, of one SSRC's RTP or RTCP. */
struct history {
	uint32_t ssrc;
	bool rtcp;
	uint64_t highest;             /* index */
	uint64_t seen[ORACLE_WINDOW]; /* at index % ORACLE_WINDOW: the index, and one */
};

struct oracle_evp {
	struct evp_srtp *end;
	bool clear;
	unsigned rtcp_tail; /* bytes behind the word with the SRTCP index */
	struct history history[HISTORIES];
	unsigned histories;
};

struct oracle_evp *
oracle_evp_create(const struct relay_crypto *master)
{
	const struct relay_suite_info *info = relay_suite_info(master->suite);
	struct oracle_evp *oracle = calloc(1, sizeof(*oracle));

	if (oracle == NULL)
		exit(1);
	oracle->end = evp_srtp_create(master);
	oracle->clear = info == NULL;
	if (info != NULL)
		oracle->rtcp_tail = master->mki_length + (info->aead ? 0u : info->rtcp_tag_length);
	return oracle;
}

void
oracle_evp_destroy(struct oracle_evp *oracle)
{
	evp_srtp_destroy(oracle->end);
	free(oracle);
}

static uint32_t
read_be(const uint8_t *at, unsigned bytes)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < bytes; i++)
		value = value << 8 | at[i];
	return value;
}

static struct history *
find(struct oracle_evp *oracle, bool rtcp, uint32_t ssrc)
{
	for (unsigned i = 0; i < oracle->histories; i++)
		if (oracle->history[i].ssrc == ssrc && oracle->history[i].rtcp == rtcp)
			return &oracle->history[i];
	return NULL;
}

static void
note(struct oracle_evp *oracle, bool rtcp, uint32_t ssrc, uint64_t index)
{
	struct history *history = find(oracle, rtcp, ssrc);

	if (history == NULL) {
		if (oracle->histories == HISTORIES) {
			fprintf(stderr, "oracle: too many SSRCs: make HISTORIES larger\n");
			exit(1);
		}
		history = &oracle->history[oracle->histories++];
		history->ssrc = ssrc;
		history->rtcp = rtcp;
	}
	if (index > history->highest)
		history->highest = index;
	history->seen[index % ORACLE_WINDOW] = index + 1;
}

static uint64_t
distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* Of the indices that the sequence number may mean, the nearest: RFC 3711 3.3.1. */
static uint64_t
nearest(const struct history *history, uint16_t sequence)
{
	uint64_t roc = history->highest >> 16, best = roc << 16 | sequence;
	uint64_t next = best + 0x10000, last = best - 0x10000;

	if (distance(next, history->highest) < distance(best, history->highest))
		return next;
	if (roc > 0 && distance(last, history->highest) < distance(best, history->highest))
		return last;
	return best;
}

static enum oracle_verdict
judge(const struct history *history, uint64_t index)
{
	if (history == NULL || index > history->highest)
		return ORACLE_OK;
	if (history->highest - index >= ORACLE_WINDOW)
		return ORACLE_TOO_OLD;
	return history->seen[index % ORACLE_WINDOW] == index + 1 ? ORACLE_REPLAYED : ORACLE_OK;
}

void
oracle_evp_protect(struct oracle_evp *oracle, bool rtcp, uint8_t *data, unsigned *length)
{
	uint32_t ssrc = read_be(data + (rtcp ? 4 : 8), 4);
	const struct history *history = find(oracle, rtcp, ssrc);
	uint64_t index;

	if (rtcp) {
		index = history != NULL ? history->highest + 1 : 1;
		evp_srtp_protect_rtcp(oracle->end, (uint32_t)index, data, length);
	} else {
		index = read_be(data + 2, 2);
		if (history != NULL)
			index |= history->highest >> 16 << 16;
		if (history != NULL && index < history->highest)
			index += 0x10000;
		evp_srtp_protect(oracle->end, (uint32_t)(index >> 16), data, length);
	}
	note(oracle, rtcp, ssrc, index);
}

static enum oracle_verdict
unprotect_rtp(struct oracle_evp *oracle, uint8_t *data, unsigned *length)
{
	if (*length < RTP_LEAST)
		return ORACLE_MALFORMED;
	uint32_t ssrc = read_be(data + 8, 4);
	const struct history *history = find(oracle, false, ssrc);
	uint64_t index = read_be(data + 2, 2);
	if (history != NULL)
		index = nearest(history, (uint16_t)index);
	enum oracle_verdict verdict = judge(history, index);
	if (verdict != ORACLE_OK)
		return verdict;
	if (!evp_srtp_unprotect(oracle->end, (uint32_t)(index >> 16), data, length))
		return ORACLE_AUTH_FAILED;
	note(oracle, false, ssrc, index);
	return ORACLE_OK;
}

static enum oracle_verdict
unprotect_rtcp(struct oracle_evp *oracle, uint8_t *data, unsigned *length)
{
	if (oracle->clear)
		return ORACLE_OK; /* there is no index */
	if (*length < RTCP_LEAST + oracle->rtcp_tail)
		return ORACLE_MALFORMED;
	uint32_t ssrc = read_be(data + 4, 4);
	uint32_t index = read_be(data + *length - oracle->rtcp_tail - 4, 4) & 0x7fffffff;
	enum oracle_verdict verdict = judge(find(oracle, true, ssrc), index);
	if (verdict != ORACLE_OK)
		return verdict;
	if (!evp_srtp_unprotect_rtcp(oracle->end, data, length, &index))
		return ORACLE_AUTH_FAILED;
	note(oracle, true, ssrc, index);
	return ORACLE_OK;
}

enum oracle_verdict
oracle_evp_unprotect(struct oracle_evp *oracle, bool rtcp, uint8_t *data, unsigned *length)
{
	return rtcp ? unprotect_rtcp(oracle, data, length) : unprotect_rtp(oracle, data, length);
}
