/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/rtp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

/* V=2 P X CC=2, M PT=8, sequence 0x1234, timestamp, SSRC, two CSRCs, an extension of one word, and
 * 3 bytes of payload */
static const uint8_t full[] = {0xb2, 0x88, 0x12, 0x34, 0x01, 0x02, 0x03, 0x04, 0xca, 0xfe, 0xba,
	0xbe, 0x11, 0x11, 0x11, 0x11, 0x22, 0x22, 0x22, 0x22, 0xbe, 0xde, 0x00, 0x01, 0x10, 0xaa,
	0x00, 0x00, 0x70, 0x71, 0x72};
#define FULL_HEADER 28

static const uint8_t plain[] = {0x80, 0x00, 0xff, 0xff, 0, 0, 0, 0xa0, 0x00, 0x00, 0x00, 0x01};

/* a receiver report without blocks, E and index 0x12345678 */
static const uint8_t report[] = {
	0x80, 201, 0x00, 0x01, 0xde, 0xad, 0xbe, 0xef, 0x92, 0x34, 0x56, 0x78};

static void
classifies_by_first_two_bytes(void **unused)
{
	uint8_t data[2];

	for (unsigned first = 0; first < 256; first++) {
		for (unsigned second = 0; second < 256; second++) {
			enum media_kind expected = MEDIA_OTHER;

			if (first >= 128 && first <= 191)
				expected = second >= 192 && second <= 223 ? MEDIA_RTCP : MEDIA_RTP;
			data[0] = (uint8_t)first;
			data[1] = (uint8_t)second;
			assert_int_equal(rtp_classify(data, 2), expected);
		}
	}
	data[0] = 0x80;
	assert_int_equal(rtp_classify(data, 1), MEDIA_OTHER);
	assert_int_equal(rtp_classify(data, 0), MEDIA_OTHER);
}

static void
reads_every_field_of_rtp(void **unused)
{
	struct rtp_header header;

	memset(&header, 0xff, sizeof(header));
	assert_int_equal(rtp_parse(full, sizeof(full), &header), RELAY_DROP_NONE);
	assert_int_equal(header.ssrc, 0xcafebabe);
	assert_int_equal(header.sequence, 0x1234);
	assert_int_equal(header.timestamp, 0x01020304);
	assert_int_equal(header.payload_type, 8);
	assert_int_equal(header.marker, 1);
	assert_int_equal(header.header_length, FULL_HEADER);

	assert_int_equal(rtp_parse(plain, sizeof(plain), &header), RELAY_DROP_NONE);
	assert_int_equal(header.ssrc, 1);
	assert_int_equal(header.sequence, 0xffff);
	assert_int_equal(header.timestamp, 0xa0);
	assert_int_equal(header.payload_type, 0);
	assert_int_equal(header.marker, 0);
	assert_int_equal(header.header_length, 12);
}

static void
drops_rtp_by_reason(void **unused)
{
	struct rtp_header header;
	uint8_t data[sizeof(full)];

	assert_int_equal(rtp_parse(plain, 0, &header), RELAY_DROP_RTP_TRUNCATED);
	assert_int_equal(rtp_parse(plain, 11, &header), RELAY_DROP_RTP_TRUNCATED);

	for (unsigned version = 0; version < 4; version++) {
		memcpy(data, full, sizeof(full));
		data[0] = (uint8_t)(version << 6 | (full[0] & 0x3f));
		assert_int_equal(rtp_parse(data, sizeof(full), &header),
			version == 2 ? RELAY_DROP_NONE : RELAY_DROP_RTP_BAD_VERSION);
	}

	memcpy(data, full, sizeof(full));
	data[0] = 0x80 | 5; /* five CSRCs are 32 bytes: one more than there is */
	assert_int_equal(rtp_parse(data, sizeof(full), &header), RELAY_DROP_RTP_BAD_CSRC);
	data[0] = 0x80 | 4;
	assert_int_equal(rtp_parse(data, sizeof(full), &header), RELAY_DROP_NONE);
	assert_int_equal(header.header_length, 28);

	memcpy(data, full, sizeof(full));
	data[23] = 2; /* a second word would end one byte past the packet */
	assert_int_equal(rtp_parse(data, sizeof(full), &header), RELAY_DROP_RTP_BAD_EXTENSION);
	data[22] = 0xff;
	data[23] = 0xff; /* 262,140 bytes: more than the header length can say */
	assert_int_equal(rtp_parse(data, sizeof(full), &header), RELAY_DROP_RTP_BAD_EXTENSION);
	assert_int_equal(rtp_parse(full, 23, &header), RELAY_DROP_RTP_BAD_EXTENSION);
	assert_int_equal(rtp_parse(full, 27, &header), RELAY_DROP_RTP_BAD_EXTENSION);
	assert_int_equal(rtp_parse(full, FULL_HEADER, &header), RELAY_DROP_NONE);
}

/* As it is on the wire: the last four bytes are E and the index. */
static enum relay_drop
parse_srtcp(const uint8_t *data, unsigned length, struct srtcp_header *header)
{
	const uint8_t *at = data + length - 4;

	if (length < 4)
		return srtcp_parse(data, 0, 0, header);
	return srtcp_parse(data, length - 4,
		(uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3],
		header);
}

static void
reads_every_field_of_srtcp(void **unused)
{
	struct srtcp_header header;
	uint8_t data[sizeof(report)];

	memset(&header, 0xff, sizeof(header));
	assert_int_equal(parse_srtcp(report, sizeof(report), &header), RELAY_DROP_NONE);
	assert_int_equal(header.ssrc, 0xdeadbeef);
	assert_int_equal(header.index, 0x12345678);
	assert_int_equal(header.encrypted, 1);

	memcpy(data, report, sizeof(report));
	memset(data + 8, 0x7f, 4);
	assert_int_equal(parse_srtcp(data, sizeof(data), &header), RELAY_DROP_NONE);
	assert_int_equal(header.index, 0x7f7f7f7f);
	assert_int_equal(header.encrypted, 0);
}

static void
drops_srtcp_by_reason(void **unused)
{
	struct srtcp_header header;
	uint8_t data[sizeof(report)];

	for (unsigned length = 0; length < sizeof(report); length++)
		assert_int_equal(parse_srtcp(report, length, &header), RELAY_DROP_RTCP_TRUNCATED);

	for (unsigned version = 0; version < 4; version++) {
		memcpy(data, report, sizeof(report));
		data[0] = (uint8_t)(version << 6);
		assert_int_equal(parse_srtcp(data, sizeof(data), &header),
			version == 2 ? RELAY_DROP_NONE : RELAY_DROP_RTCP_BAD_HEADER);
	}
	memcpy(data, report, sizeof(report));
	for (unsigned type = 0; type < 256; type++) {
		data[1] = (uint8_t)type;
		assert_int_equal(parse_srtcp(data, sizeof(data), &header),
			type >= 192 && type <= 223 ? RELAY_DROP_NONE : RELAY_DROP_RTCP_BAD_HEADER);
	}
	memcpy(data, report, sizeof(report));
	data[3] = 2; /* three words, where two lie before the index */
	assert_int_equal(parse_srtcp(data, sizeof(data), &header), RELAY_DROP_RTCP_BAD_HEADER);
	data[2] = 0xff;
	data[3] = 0xff;
	assert_int_equal(parse_srtcp(data, sizeof(data), &header), RELAY_DROP_RTCP_BAD_HEADER);
}

/* Every truncation of a packet, its last byte the last of a page that no readable one follows. */
static void
parse_truncations(uint8_t *page_end, const uint8_t *packet, unsigned whole)
{
	struct rtp_header rtp;
	struct srtcp_header srtcp;

	for (unsigned length = 0; length <= whole; length++) {
		uint8_t *data = page_end - length;

		memcpy(data, packet, length);
		rtp_classify(data, length);
		if (rtp_parse(data, length, &rtp) == RELAY_DROP_NONE)
			assert_in_range(rtp.header_length, 12, length);
		parse_srtcp(data, length, &srtcp);
	}
}

static void
never_reads_past_the_packet(void **unused)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *map, *end, lying[sizeof(full)];

	map = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(map, MAP_FAILED);
	end = map + page;
	assert_int_equal(mprotect(end, page, PROT_NONE), 0);

	parse_truncations(end, full, sizeof(full));
	parse_truncations(end, plain, sizeof(plain));
	parse_truncations(end, report, sizeof(report));
	/* and with every count that lies, in each of the first two bytes */
	for (unsigned first = 128; first < 192; first++) {
		memcpy(lying, full, sizeof(full));
		lying[0] = (uint8_t)first;
		parse_truncations(end, lying, sizeof(lying));
		lying[1] = 200;
		parse_truncations(end, lying, sizeof(lying));
	}
	munmap(map, 2 * page);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(classifies_by_first_two_bytes),
		cmocka_unit_test(reads_every_field_of_rtp),
		cmocka_unit_test(drops_rtp_by_reason),
		cmocka_unit_test(reads_every_field_of_srtcp),
		cmocka_unit_test(drops_srtcp_by_reason),
		cmocka_unit_test(never_reads_past_the_packet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
