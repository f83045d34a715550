/* SPDX-License-Identifier: BSD-3-Clause */
/* Any batch of packets, through every engine: what one makes of it, all must make. Eight bytes say
 * what each packet is; all have the input's bytes for their text. */
#include "tests/unit/dataplane/engines_agree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECIPE 8 /* bytes */

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	if (agree_start() != 0)
		abort();
	return 0;
}

static struct agree_packet
read_recipe(const uint8_t *recipe, const uint8_t *text)
{
	uint16_t length;

	memcpy(&length, recipe, sizeof(length));
	return (struct agree_packet){
		.length = AGREE_HEADER + length % (AGREE_LENGTH_MAX - AGREE_HEADER),
		.from = (recipe[2] & 15) % RELAY_SUITE_COUNT,
		.to = (recipe[2] >> 4) % RELAY_SUITE_COUNT,
		.rtcp = recipe[3] & 1,
		.forged = recipe[4],
		.ssrc = recipe[5] * 0x01010101u,
		.rx_index = recipe[6] * UINT64_C(0x010101),
		.tx_index = recipe[7] * UINT64_C(0x010001),
		.text = text};
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t text[AGREE_LENGTH_MAX];
	struct agree_packet packets[ENGINE_BATCH_MAX];
	unsigned n = 0;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = size > 0 ? (uint8_t)(data[i % size] + i) : 0;
	for (; size >= RECIPE && n < ENGINE_BATCH_MAX; data += RECIPE, size -= RECIPE)
		packets[n++] = read_recipe(data, text);
	if (n == 0)
		return 0;
	const char *difference = engines_agree(packets, n);
	if (difference != NULL) {
		fprintf(stderr, "%s\n", difference);
		abort();
	}
	return 0;
}
