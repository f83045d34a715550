/* SPDX-License-Identifier: BSD-3-Clause */
/* The tests' own SRTP endpoint, since other tests believe it: against the RFCs' numbers, and
 * against libsrtp2. */
#include "random.h"
#include "tests/differential/oracle.h"
#include "tests/evp_srtp.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ROOM 1700
#define ROUNDS 60

static struct test_random dice;

/* Key derivation as the RFCs give it: what a packet of zeros must look like follows from it. */
struct derivation {
	enum relay_suite suite;
	const char *master_key, *master_salt;
	const char *cipher_key, *salt, *auth_key;
};

static const struct derivation derivations[] = {
	/* RFC 3711 B.3 */
	{RELAY_SUITE_AES_CM_128_HMAC_SHA1_80, "e1f97a0d3e018be0d64fa32c06de4139",
		"0ec675ad498afeebb6960b3aabe6", "c61e7a93744f39ee10734afe3ff7a087",
		"30cbbc08863d8c85d49db34a9ae1", "cebe321f6ff7716b6fd4ab49af256a156d38baa4"},
	/* RFC 6188 7.2 */
	{RELAY_SUITE_AES_256_CM_HMAC_SHA1_80,
		"f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6",
		"3b04803de51ee7c96423ab5b78d2",
		"5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4",
		"fa31791685ca444a9e07c6c64e93", "fd9c32d39ed5fbb5a9dc96b30818454d1313dc05"},
	/* RFC 6188 7.4 */
	{RELAY_SUITE_AES_192_CM_HMAC_SHA1_80, "73edc66c4fa15776fb57f9505c17136550ffda71f3e8e5f1",
		"c8522f3acd4ce86d5add78edbb11", "31874736a8f1143870c26e4857d8a5b2c4a354407faadabb",
		"2372b82d639b6d8503a47adc0a6c", "355b10973cd95b9eacf4061c7e1a7151e7cfbfcb"},
};

static unsigned
from_hex(const char *text, uint8_t *out)
{
	unsigned count = 0;

	for (; text[0] != '\0'; text += 2) {
		unsigned byte;
		assert_int_equal(sscanf(text, "%2x", &byte), 1);
		out[count++] = (uint8_t)byte;
	}
	return count;
}

/* RFC 3711 4.1.1 and 4.2 for SSRC 0, index 0 and a payload of 32 zeros. */
static void
expect(const struct derivation *from, const uint8_t header[12], uint8_t packet[54])
{
	uint8_t key[32], iv[16] = {0}, auth[20], signed_bytes[48] = {0}, tag[20];
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	unsigned length = from_hex(from->cipher_key, key), made = 20;
	int written;

	from_hex(from->salt, iv);
	from_hex(from->auth_key, auth);
	memset(packet, 0, 54);
	memcpy(packet, header, 12);
	assert_int_equal(EVP_EncryptInit_ex(ctx,
				 length == 16   ? EVP_aes_128_ctr()
				 : length == 24 ? EVP_aes_192_ctr()
						: EVP_aes_256_ctr(),
				 NULL, key, iv),
		1);
	assert_int_equal(EVP_EncryptUpdate(ctx, packet + 12, &written, packet + 12, 32), 1);
	EVP_CIPHER_CTX_free(ctx);
	memcpy(signed_bytes, packet, 44);
	assert_non_null(HMAC(EVP_sha1(), auth, 20, signed_bytes, 48, tag, &made));
	memcpy(packet + 44, tag, 10);
}

static void
derives_as_the_rfcs_say(void **state)
{
	for (unsigned i = 0; i < sizeof(derivations) / sizeof(derivations[0]); i++) {
		struct relay_crypto master = {.suite = (uint8_t)derivations[i].suite};
		uint8_t expected[54], data[12 + 32 + EVP_SRTP_GROWTH] = {0x80};
		unsigned length = 12 + 32;

		from_hex(derivations[i].master_key, master.key);
		from_hex(derivations[i].master_salt, master.salt);
		expect(&derivations[i], data, expected);
		struct evp_srtp *end = evp_srtp_create(&master);
		evp_srtp_protect(end, 0, data, &length);
		evp_srtp_destroy(end);
		assert_int_equal(length, sizeof(expected));
		assert_memory_equal(data, expected, length);
	}
}

static struct relay_crypto
random_master(enum relay_suite suite, unsigned mki_length, uint8_t flags)
{
	struct relay_crypto master;

	memset(&master, 0, sizeof(master));
	master.suite = (uint8_t)suite;
	master.mki_length = (uint8_t)mki_length;
	master.flags = flags;
	random_fill(&dice, master.key, sizeof(master.key));
	random_fill(&dice, master.salt, sizeof(master.salt));
	random_fill(&dice, master.mki, mki_length);
	return master;
}

/* RTP of SSRC 5, with CSRCs and an extension now and then, or RTCP. */
static unsigned
random_packet(bool rtcp, uint16_t sequence, uint8_t *data)
{
	unsigned csrcs = random_below(&dice, 4), words = random_below(&dice, 4), length;
	bool extension = random_percent(&dice, 50);

	random_fill(&dice, data, ROOM);
	memset(data + (rtcp ? 4 : 8), 0, 4);
	data[rtcp ? 7 : 11] = 5;
	if (rtcp) {
		data[0] = 0x80;
		data[1] = 200;
		return 8 + 4 * random_below(&dice, 60);
	}
	data[0] = (uint8_t)(0x80 | (extension ? 0x10 : 0) | csrcs);
	data[1] &= 0x3f;
	data[2] = (uint8_t)(sequence >> 8);
	data[3] = (uint8_t)sequence;
	length = 12 + 4 * csrcs;
	if (extension) {
		data[length + 2] = 0;
		data[length + 3] = (uint8_t)words;
		length += 4 + 4 * words;
	}
	return length + random_below(&dice, 1200);
}

/* One end protects, the other must get the same back, and not if a bit is another. */
struct ends {
	struct evp_srtp *evp;
	struct oracle *sender, *receiver;
	uint32_t rtcp_index;
};

static void
to_libsrtp(struct ends *ends, bool rtcp, uint64_t index)
{
	uint8_t clear[ROOM + EVP_SRTP_GROWTH], data[ROOM + EVP_SRTP_GROWTH];
	unsigned clear_length = random_packet(rtcp, (uint16_t)index, clear), length = clear_length;

	memcpy(data, clear, clear_length);
	if (rtcp)
		evp_srtp_protect_rtcp(ends->evp, ++ends->rtcp_index, data, &length);
	else
		evp_srtp_protect(ends->evp, (uint32_t)(index >> 16), data, &length);
	assert_int_equal(oracle_unprotect(ends->receiver, rtcp, data, &length), ORACLE_OK);
	assert_int_equal(length, clear_length);
	assert_memory_equal(data, clear, length);
}

static bool
unprotect(struct ends *ends, bool rtcp, uint32_t roc, uint8_t *data, unsigned *length)
{
	uint32_t rtcp_index;

	return rtcp ? evp_srtp_unprotect_rtcp(ends->evp, data, length, &rtcp_index)
	            : evp_srtp_unprotect(ends->evp, roc, data, length);
}

static void
from_libsrtp(struct ends *ends, bool rtcp, uint64_t index)
{
	uint8_t clear[ROOM + EVP_SRTP_GROWTH], data[ROOM + EVP_SRTP_GROWTH], forged[sizeof(data)];
	unsigned clear_length = random_packet(rtcp, (uint16_t)index, clear), length = clear_length;
	uint32_t roc = (uint32_t)(index >> 16);

	memcpy(data, clear, clear_length);
	oracle_protect(ends->sender, rtcp, data, &length);
	unsigned bit = random_below(&dice, 8 * length), forged_length = length;
	memcpy(forged, data, length);
	forged[bit / 8] ^= (uint8_t)(1u << bit % 8);
	assert_false(unprotect(ends, rtcp, roc, forged, &forged_length));
	if (!rtcp) {
		forged_length = length;
		memcpy(forged, data, length);
		assert_false(unprotect(ends, rtcp, roc + 1, forged, &forged_length));
	}
	assert_true(unprotect(ends, rtcp, roc, data, &length));
	assert_int_equal(length, clear_length);
	assert_memory_equal(data, clear, length);
}

static void
agree(enum relay_suite suite, unsigned mki_length, uint8_t flags)
{
	const struct relay_crypto master = random_master(suite, mki_length, flags);
	struct ends ends = {.evp = evp_srtp_create(&master),
		.sender = oracle_create(&master, false),
		.receiver = oracle_create(&master, true)};
	uint64_t index = 65500; /* so that the ROC becomes 1 */

	for (unsigned i = 0; i < ROUNDS; i++, index++) {
		to_libsrtp(&ends, false, index);
		from_libsrtp(&ends, false, index);
		to_libsrtp(&ends, true, 0);
		from_libsrtp(&ends, true, 0);
	}
	evp_srtp_destroy(ends.evp);
	oracle_destroy(ends.sender);
	oracle_destroy(ends.receiver);
}

static void
agrees_with_libsrtp(void **state)
{
	for (enum relay_suite suite = 1; suite < RELAY_SUITE_COUNT; suite++) {
		if (!oracle_can(suite)) {
			print_message("libsrtp2 can't do %s\n", relay_suite_info(suite)->name);
			continue;
		}
		agree(suite, 0, 0);
		agree(suite, 4, 0);
		agree(suite, RELAY_MKI_MAX, 0);
	}
	assert_true(oracle_can(RELAY_SUITE_AES_CM_128_HMAC_SHA1_80));
}

static void
agrees_on_unencrypted_srtcp(void **state)
{
	for (enum relay_suite suite = 1; suite < RELAY_SUITE_COUNT; suite++)
		if (oracle_can(suite))
			agree(suite, 0, RELAY_CRYPTO_UNENCRYPTED_SRTCP);
}

/* Packets that lie about their length, or have none: refused, and nothing is read beyond (ASan). */
static void
refuses_the_malformed(void **state)
{
	for (enum relay_suite suite = 1; suite < RELAY_SUITE_COUNT; suite++) {
		const struct relay_crypto master = random_master(suite, 4, 0);
		struct evp_srtp *end = evp_srtp_create(&master);
		for (unsigned length = 0; length < 60; length++) {
			uint8_t *data = malloc(length + 1);
			unsigned now = length;
			uint32_t index;

			assert_non_null(data);
			memset(data, 0xff, length + 1);
			assert_false(evp_srtp_unprotect(end, 0, data, &now));
			now = length;
			assert_false(evp_srtp_unprotect_rtcp(end, data, &now, &index));
			free(data);
		}
		evp_srtp_destroy(end);
	}
}

static void
passes_in_clear(void **state)
{
	const struct relay_crypto none = {.suite = RELAY_SUITE_NONE};
	struct evp_srtp *end = evp_srtp_create(&none);
	uint8_t data[20] = {0x80, 1, 2, 3}, same[20];
	unsigned length = sizeof(data);
	uint32_t index;

	memcpy(same, data, sizeof(data));
	evp_srtp_protect(end, 0, data, &length);
	assert_true(evp_srtp_unprotect(end, 0, data, &length));
	evp_srtp_protect_rtcp(end, 7, data, &length);
	assert_true(evp_srtp_unprotect_rtcp(end, data, &length, &index));
	assert_int_equal(length, sizeof(data));
	assert_memory_equal(data, same, sizeof(data));
	evp_srtp_destroy(end);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(derives_as_the_rfcs_say),
		cmocka_unit_test(agrees_with_libsrtp),
		cmocka_unit_test(agrees_on_unencrypted_srtcp),
		cmocka_unit_test(refuses_the_malformed),
		cmocka_unit_test(passes_in_clear),
	};

	dice = random_seeded("evp_srtp");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
