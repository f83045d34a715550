/* SPDX-License-Identifier: BSD-3-Clause */
/* Any text as an a=crypto line: refused by name, or taken; and what is taken is written as it was
 * meant. */
#include "control/sdes.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool truth)
{
	if (!truth)
		abort();
}

/* Lines, one below the other, as one description. */
static void
add_all(const char *text, size_t size)
{
	static const enum relay_suite suites[] = {
		RELAY_SUITE_AEAD_AES_256_GCM, RELAY_SUITE_AES_CM_128_HMAC_SHA1_80};
	struct sdes_lines lines = {.unencrypted_srtcp = size % 2 == 0};
	struct sdes_line ours = {.tag = 1};
	unsigned accepted;

	for (size_t at = 0; at < size;) {
		const char *end = memchr(text + at, '\n', size - at);
		size_t length = end != NULL ? (size_t)(end - text) - at : size - at;
		sdes_add(&lines, text + at, length);
		at += length + 1;
	}
	require(lines.count <= lines.seen && lines.count <= SDES_LINES_MAX);
	const struct sdes_line *chosen = sdes_choose(&lines, suites, 2);
	if (chosen != NULL)
		require(sdes_generate_answer(&chosen->crypto, &ours.crypto) == 0);
	if (sdes_check_answer(&lines, &ours, 1, &accepted) == SDES_OK)
		require(accepted == 0 && lines.seen == 1);
	sdes_wipe_lines(&lines);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sdes_line line, back;
	char text[SDES_TEXT_MAX];
	enum sdes_verdict verdict = sdes_parse((const char *)data, size, &line);

	require(verdict < SDES_VERDICT_COUNT);
	if (verdict == SDES_OK) {
		int length = sdes_format(&line, text, sizeof(text));
		require(length > 0);
		require(sdes_parse(text, (size_t)length, &back) == SDES_OK);
		require(back.tag == line.tag && sdes_is_same_key(&back.crypto, &line.crypto));
		require(back.crypto.lifetime == line.crypto.lifetime);
	} else {
		static const struct relay_crypto none;
		require(memcmp(&line.crypto, &none, sizeof(none)) == 0);
	}
	add_all((const char *)data, size);
	return 0;
}
