/* SPDX-License-Identifier: BSD-3-Clause */
/* RFC 4568 a=crypto lines, good and bad. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "control/sdes.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* RFC 4568 6.1's example, and its bytes */
#define KEY "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
#define KEY_OTHER "PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR"
#define S80 "AES_CM_128_HMAC_SHA1_80"
#define S32 "AES_CM_128_HMAC_SHA1_32"

static const uint8_t key_bytes[30] = "YS__"
				     "_semctl () {\t220;}\n}\nunles";

/* In memory of exactly that size: ASan sees a byte too far. */
static enum sdes_verdict
parse(const char *text, size_t length, struct sdes_line *line)
{
	char *copy = malloc(length > 0 ? length : 1);

	assert_non_null(copy);
	memcpy(copy, text, length);
	enum sdes_verdict verdict = sdes_parse(copy, length, line);
	free(copy);
	return verdict;
}

static const struct {
	const char *text;
	uint32_t tag;
	enum relay_suite suite;
	uint64_t lifetime;
	unsigned mki_length;
	uint8_t mki_last; /* the MKI's last byte */
} good[] = {
	{"1 " S80 " inline:" KEY, 1, 1, 0, 0, 0},
	{"1 " S32 " inline:" KEY, 1, 2, 0, 0, 0},
	{"1 aes_cm_128_hmac_sha1_80 INLINE:" KEY, 1, 1, 0, 0, 0},
	{"0 " S80 " inline:" KEY, 0, 1, 0, 0, 0},
	{"999999999 " S80 " inline:" KEY, 999999999, 1, 0, 0, 0},
	{"007 " S80 " inline:" KEY, 7, 1, 0, 0, 0},
	{"1 " S80 " inline:" KEY "|2^20|1:4", 1, 1, 1u << 20, 4, 1}, /* RFC 4568 9.1 */
	{"1 " S80 " inline:" KEY "|1:4", 1, 1, 0, 4, 1},
	{"1 " S80 " inline:" KEY "|2^48", 1, 1, UINT64_C(1) << 48, 0, 0},
	{"1 " S80 " inline:" KEY "|2^0", 1, 1, 1, 0, 0},
	{"1 " S80 " inline:" KEY "|1", 1, 1, 1, 0, 0},
	{"1 " S80 " inline:" KEY "|1048576", 1, 1, 1048576, 0, 0},
	{"1 " S80 " inline:" KEY "|281474976710656", 1, 1, UINT64_C(1) << 48, 0, 0},
	{"1 " S80 " inline:" KEY "|2^31|255:1", 1, 1, UINT64_C(1) << 31, 1, 255},
	{"1 " S80 " inline:" KEY "|2^31|66051:128", 1, 1, UINT64_C(1) << 31, 128, 3},
	{"1 " S80 " inline:" KEY "|4294967295:4", 1, 1, 0, 4, 255},
	{"1 " S80 " inline:" KEY "|0001:002", 1, 1, 0, 2, 1},
	{"1 " S80 " inline:" KEY " WSH=64", 1, 1, 0, 0, 0},
	{"1 " S80 " inline:" KEY " WSH=1024 -FUTURE", 1, 1, 0, 0, 0},
	{"1 " S80 " inline:" KEY " KDR=0", 1, 1, 0, 0, 0},
	{"1 " S80 " inline:" KEY " FEC_ORDER=FEC_SRTP wsh=65", 1, 1, 0, 0, 0},
	{"1 " S80 " inline:" KEY " UNENCRYPTED_SRTCP", 1, 1, 0, 0, 0},
	{"1 " S80 " inline:" KEY " -x=y", 1, 1, 0, 0, 0},
	{"1\t" S80 "  \t inline:" KEY "  ", 1, 1, 0, 0, 0},
};

static void
test_good(void **state)
{
	for (unsigned i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct sdes_line line;
		enum sdes_verdict verdict = parse(good[i].text, strlen(good[i].text), &line);
		if (verdict != SDES_OK)
			fail_msg("\"%s\": %s", good[i].text, sdes_verdict_text(verdict));
		assert_int_equal(line.tag, good[i].tag);
		assert_int_equal(line.crypto.suite, good[i].suite);
		assert_int_equal(line.crypto.lifetime, good[i].lifetime);
		assert_int_equal(line.crypto.mki_length, good[i].mki_length);
		if (line.crypto.mki_length > 0)
			assert_int_equal(
				line.crypto.mki[line.crypto.mki_length - 1], good[i].mki_last);
		assert_memory_equal(line.crypto.key, key_bytes, 16);
		assert_memory_equal(line.crypto.salt, key_bytes + 16, 14);
	}
}

/* Big-endian, with zeros in front: RFC 4568 6.1, RFC 3711 3.1. */
static void
test_mki_bytes(void **state)
{
	static const char text[] = "1 " S80 " inline:" KEY "|2^20|66051:5";
	struct sdes_line line;

	assert_int_equal(parse(text, strlen(text), &line), SDES_OK);
	assert_memory_equal(line.crypto.mki, "\0\0\1\2\3", 5);
}

static const struct {
	const char *text;
	enum sdes_verdict verdict;
} bad[] = {
	{"", SDES_BAD_TAG},
	{" ", SDES_BAD_TAG},
	{" 1 " S80 " inline:" KEY, SDES_BAD_TAG},
	{"x " S80 " inline:" KEY, SDES_BAD_TAG},
	{"-1 " S80 " inline:" KEY, SDES_BAD_TAG},
	{"+1 " S80 " inline:" KEY, SDES_BAD_TAG},
	{"1a " S80 " inline:" KEY, SDES_BAD_TAG},
	{"1234567890 " S80 " inline:" KEY, SDES_BAD_TAG},
	{"1", SDES_BAD_SYNTAX},
	{"1 " S80, SDES_BAD_SYNTAX},
	{"1 " S80 " ", SDES_BAD_SYNTAX},
	{"1 " S80 " inline", SDES_BAD_SYNTAX},
	{"1 " S80 " inline:" KEY "\x01", SDES_BAD_SYNTAX},
	{"1 " S80 " inline:" KEY "\r\na=x", SDES_BAD_SYNTAX},
	{"1 F8_128_HMAC_SHA1_80 inline:" KEY, SDES_UNKNOWN_SUITE},
	{"1 F8_128_HMAC_SHA1_80 inline:" KEY, SDES_UNKNOWN_SUITE},
	{"1 AES_256_CM_HMAC_SHA1_80 inline:" KEY, SDES_BAD_KEY},
	{"1 " S80 "x inline:" KEY, SDES_UNKNOWN_SUITE},
	{"1 AES_CM_128_HMAC_SHA1_8 inline:" KEY, SDES_UNKNOWN_SUITE},
	{"1 " S80 " prompt:" KEY, SDES_BAD_METHOD},
	{"1 " S80 " uri:https://keys.example/1", SDES_BAD_METHOD},
	{"1 " S80 " inline:" KEY ";inline:" KEY_OTHER, SDES_SEVERAL_KEYS},
	{"1 " S80 " inline:" KEY "|2^20|1:4;inline:" KEY_OTHER "|2^20|2:4", SDES_SEVERAL_KEYS},
	{"1 " S80 " inline:" KEY ";", SDES_SEVERAL_KEYS},
	{"1 " S80 " inline:", SDES_BAD_KEY},
	{"1 " S80 " inline:|2^20", SDES_BAD_KEY},
	{"1 " S80 " inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGV", SDES_BAD_KEY},
	{"1 " S80 " inline:" KEY "A", SDES_BAD_KEY},
	{"1 " S80 " inline:" KEY "AAAA", SDES_BAD_KEY},
	{"1 " S80 " inline:" KEY "=", SDES_BAD_KEY},
	{"1 " S80 " inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGU=", SDES_BAD_KEY},
	{"1 " S80 " inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubG==", SDES_BAD_KEY},
	{"1 " S80 " inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubG-z", SDES_BAD_KEY},
	{"1 " S80 " inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVub_Vz", SDES_BAD_KEY},
	{"1 " S80 " inline:WVNf=19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz", SDES_BAD_KEY},
	{"1 " S80 " inline:" KEY "|", SDES_BAD_LIFETIME},
	{"1 " S80 " inline:" KEY "|0", SDES_BAD_LIFETIME},
	{"1 " S80 " inline:" KEY "|2^", SDES_BAD_LIFETIME},
	{"1 " S80 " inline:" KEY "|2^49", SDES_BAD_LIFETIME},
	{"1 " S80 " inline:" KEY "|2^64", SDES_BAD_LIFETIME},
	{"1 " S80 " inline:" KEY "|2^18446744073709551616", SDES_BAD_LIFETIME},
	{"1 " S80 " inline:" KEY "|281474976710657", SDES_BAD_LIFETIME},
	{"1 " S80 " inline:" KEY "|18446744073709551617", SDES_BAD_LIFETIME},
	{"1 " S80 " inline:" KEY "|-1", SDES_BAD_LIFETIME},
	{"1 " S80 " inline:" KEY "|3^10", SDES_BAD_LIFETIME},
	{"1 " S80 " inline:" KEY "|1e6", SDES_BAD_LIFETIME},
	{"1 " S80 " inline:" KEY "|2^20|", SDES_BAD_MKI},
	{"1 " S80 " inline:" KEY "|2^20|1", SDES_BAD_MKI},
	{"1 " S80 " inline:" KEY "|2^20|1:", SDES_BAD_MKI},
	{"1 " S80 " inline:" KEY "|2^20|:4", SDES_BAD_MKI},
	{"1 " S80 " inline:" KEY "|2^20|1:0", SDES_BAD_MKI},
	{"1 " S80 " inline:" KEY "|2^20|0:0", SDES_BAD_MKI},
	{"1 " S80 " inline:" KEY "|2^20|1:129", SDES_BAD_MKI},
	{"1 " S80 " inline:" KEY "|2^20|1:0004", SDES_BAD_MKI},
	{"1 " S80 " inline:" KEY "|2^20|256:1", SDES_BAD_MKI},
	{"1 " S80 " inline:" KEY "|2^20|-1:4", SDES_BAD_MKI},
	{"1 " S80 " inline:" KEY "|2^20|x:4", SDES_BAD_MKI},
	{"1 " S80 " inline:" KEY "|2^20|1:4|1:4", SDES_BAD_MKI},
	{"1 " S80 " inline:" KEY "|1:4|2^20", SDES_BAD_MKI},
	{"1 " S80 " inline:" KEY " KDR=1", SDES_KDR},
	{"1 " S80 " inline:" KEY " kdr=24", SDES_KDR},
	{"1 " S80 " inline:" KEY " KDR=25", SDES_PARAMETER},
	{"1 " S80 " inline:" KEY " KDR=000", SDES_PARAMETER},
	{"1 " S80 " inline:" KEY " KDR=", SDES_PARAMETER},
	{"1 " S80 " inline:" KEY " KDR", SDES_PARAMETER},
	{"1 " S80 " inline:" KEY " KDR=-1", SDES_PARAMETER},
	{"1 " S80 " inline:" KEY " KDR=0 KDR=0", SDES_REPEATED},
	{"1 " S80 " inline:" KEY " UNENCRYPTED_SRTP", SDES_UNENCRYPTED},
	{"1 " S80 " inline:" KEY " UNENCRYPTED_SRTCP UNENCRYPTED_SRTP", SDES_UNENCRYPTED},
	{"1 " S80 " inline:" KEY " UNENCRYPTED_SRTCP UNENCRYPTED_SRTCP", SDES_REPEATED},
	{"1 " S80 " inline:" KEY " UNENCRYPTED_SRTCP=1", SDES_PARAMETER},
	{"1 " S80 " inline:" KEY " UNAUTHENTICATED_SRTP", SDES_UNAUTHENTICATED},
	{"1 " S80 " inline:" KEY " FEC_ORDER=SRTP_FEC", SDES_FEC},
	{"1 " S80 " inline:" KEY " FEC_ORDER=FEC", SDES_PARAMETER},
	{"1 " S80 " inline:" KEY " FEC_ORDER", SDES_PARAMETER},
	{"1 " S80 " inline:" KEY " FEC_ORDER=FEC_SRTP FEC_ORDER=FEC_SRTP", SDES_REPEATED},
	{"1 " S80 " inline:" KEY " FEC_KEY=inline:" KEY_OTHER, SDES_FEC},
	{"1 " S80 " inline:" KEY " WSH=64 KDR=1", SDES_KDR},
	{"1 " S80 " inline:" KEY " WSH=63", SDES_BAD_WINDOW},
	{"1 " S80 " inline:" KEY " WSH=", SDES_BAD_WINDOW},
	{"1 " S80 " inline:" KEY " WSH=1x0", SDES_BAD_WINDOW},
	{"1 " S80 " inline:" KEY " WSH=4294967296", SDES_BAD_WINDOW},
	{"1 " S80 " inline:" KEY " WSH=64 WSH=128", SDES_REPEATED},
	{"1 " S80 " inline:" KEY " WSH", SDES_PARAMETER},
	{"1 " S80 " inline:" KEY " FUTURE", SDES_PARAMETER},
	{"1 " S80 " inline:" KEY " -", SDES_PARAMETER},
	{"1 " S80 " inline:" KEY " " S80, SDES_PARAMETER},
};

static bool
is_wiped(const struct relay_crypto *crypto)
{
	static const struct relay_crypto zero;

	return memcmp(crypto, &zero, sizeof(zero)) == 0;
}

static void
test_bad(void **state)
{
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct sdes_line line;
		enum sdes_verdict verdict = parse(bad[i].text, strlen(bad[i].text), &line);
		if (verdict != bad[i].verdict)
			fail_msg("\"%s\": %s, not %s", bad[i].text, sdes_verdict_text(verdict),
				sdes_verdict_text(bad[i].verdict));
		assert_true(is_wiped(&line.crypto));
	}
}

/* Cut anywhere, a line is refused or (cut within the lifetime or MKI) still whole; with a byte
 * turned into NUL it never passes. */
static void
test_every_cut(void **state)
{
	static const char text[] = "1 " S80 " inline:" KEY "|2^20|1:4";
	size_t whole = strlen("1 " S80 " inline:" KEY);
	char copy[sizeof(text)];
	struct sdes_line line;

	for (size_t i = 0; i < whole; i++)
		assert_int_not_equal(parse(text, i, &line), SDES_OK);
	for (size_t i = whole; i < sizeof(text); i++)
		parse(text, i, &line);
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		memcpy(copy, text, sizeof(text));
		copy[i] = '\0';
		assert_int_not_equal(parse(copy, sizeof(text) - 1, &line), SDES_OK);
	}
}

/* 309 digits fit 2^1024 - 1; a number of thousands of digits is refused without much work. */
static void
test_huge_mki(void **state)
{
	static char text[20000];
	struct sdes_line line;
	size_t length;

	strcpy(text, "1 " S80 " inline:" KEY "|");
	length = strlen(text);
	memset(text + length, '9', 308);
	strcpy(text + length + 308, ":128");
	assert_int_equal(parse(text, strlen(text), &line), SDES_OK);
	memset(text + length, '9', 309); /* above 2^1024 */
	strcpy(text + length + 309, ":128");
	assert_int_equal(parse(text, strlen(text), &line), SDES_BAD_MKI);
	memset(text + length, '9', 19000);
	strcpy(text + length + 19000, ":128");
	assert_int_equal(parse(text, strlen(text), &line), SDES_BAD_MKI);
}

static enum sdes_verdict
add(struct sdes_lines *lines, const char *text)
{
	return sdes_add(lines, text, strlen(text));
}

static void
test_lines_and_choice(void **state)
{
	static const enum relay_suite order_80[] = {1, 2}, order_32[] = {2, 1};
	struct sdes_lines lines = {.count = 0};

	assert_null(sdes_choose(&lines, order_80, 2));
	assert_int_equal(add(&lines, "1 F8_128_HMAC_SHA1_80 inline:" KEY), SDES_UNKNOWN_SUITE);
	assert_int_equal(lines.fault, SDES_UNKNOWN_SUITE);
	assert_int_equal(add(&lines, "2 " S32 " inline:" KEY), SDES_OK);
	assert_int_equal(add(&lines, "3 " S80 " inline:" KEY " KDR=1"), SDES_KDR);
	assert_int_equal(add(&lines, "4 " S80 " inline:" KEY), SDES_OK);
	assert_int_equal(add(&lines, "5 " S80 " inline:" KEY_OTHER), SDES_OK);
	assert_int_equal(lines.count, 3);
	assert_int_equal(lines.seen, 5);
	assert_int_equal(sdes_choose(&lines, order_80, 2)->tag, 4);
	assert_int_equal(sdes_choose(&lines, order_32, 2)->tag, 2);
	assert_int_equal(sdes_choose(&lines, order_80, 1)->tag, 4);
	assert_null(sdes_choose(&lines, order_80, 0));
	/* the tag of a line that was used, and of one that was passed over */
	assert_int_equal(add(&lines, "04 " S80 " inline:" KEY), SDES_DUPLICATE_TAG);
	assert_int_equal(add(&lines, "1 " S80 " inline:" KEY), SDES_DUPLICATE_TAG);
	assert_int_equal(lines.count, 3);
	sdes_wipe_lines(&lines);
	assert_int_equal(lines.count, 0);
	assert_true(is_wiped(&lines.line[0].crypto));
}

static void
test_too_many_lines(void **state)
{
	struct sdes_lines lines = {.count = 0};
	char text[] = "10 " S80 " inline:" KEY;

	for (unsigned i = 0; i < 60; i++) {
		text[0] = (char)('1' + i / 10);
		text[1] = (char)('0' + i % 10);
		assert_int_equal(add(&lines, text), i < SDES_LINES_MAX ? SDES_OK : SDES_TOO_MANY);
	}
	assert_int_equal(lines.count, SDES_LINES_MAX);
	assert_int_equal(lines.seen, 2 * SDES_LINES_MAX);
}

static void
test_answer(void **state)
{
	struct sdes_line offered[2] = {{.tag = 1}, {.tag = 2}};
	struct sdes_lines none = {.count = 0}, one = none, two = none, unusable = none;
	struct sdes_lines other_tag = none, other_suite = none;
	unsigned accepted = 9;

	assert_int_equal(sdes_generate(1, &offered[0].crypto), 0);
	assert_int_equal(sdes_generate(2, &offered[1].crypto), 0);
	add(&one, "2 " S32 " inline:" KEY);
	assert_int_equal(sdes_check_answer(&one, offered, 2, &accepted), SDES_OK);
	assert_int_equal(accepted, 1);
	assert_int_equal(sdes_check_answer(&none, offered, 2, &accepted), SDES_NO_LINE);
	add(&two, "1 " S80 " inline:" KEY);
	add(&two, "2 " S32 " inline:" KEY);
	assert_int_equal(sdes_check_answer(&two, offered, 2, &accepted), SDES_SEVERAL_LINES);
	add(&unusable, "1 " S80 " inline:" KEY " UNENCRYPTED_SRTP");
	assert_int_equal(sdes_check_answer(&unusable, offered, 2, &accepted), SDES_UNENCRYPTED);
	add(&other_tag, "3 " S80 " inline:" KEY);
	assert_int_equal(sdes_check_answer(&other_tag, offered, 2, &accepted), SDES_NOT_OFFERED);
	add(&other_suite, "2 " S80 " inline:" KEY);
	assert_int_equal(sdes_check_answer(&other_suite, offered, 2, &accepted), SDES_OTHER_SUITE);
	assert_int_equal(accepted, 1);
}

/* What we make is never the same twice, and what we write we read again. */
static void
test_generate_and_format(void **state)
{
	struct sdes_line line = {.tag = 7}, other = {.tag = 7}, back;
	char text[SDES_TEXT_MAX];

	for (unsigned suite = 1; suite < RELAY_SUITE_COUNT; suite++) {
		assert_int_equal(sdes_generate((enum relay_suite)suite, &line.crypto), 0);
		assert_int_equal(sdes_generate((enum relay_suite)suite, &other.crypto), 0);
		assert_memory_not_equal(line.crypto.key, other.crypto.key, 16);
		assert_memory_not_equal(line.crypto.salt, other.crypto.salt, 14);
		int length = sdes_format(&line, text, sizeof(text));
		assert_int_equal(length, strlen(text));
		assert_int_equal(sdes_parse(text, (size_t)length, &back), SDES_OK);
		assert_memory_equal(&back, &line, sizeof(line));
		for (size_t size = 0; size <= (size_t)length; size++)
			assert_int_equal(sdes_format(&line, text, size), -ENOSPC);
	}
	assert_int_equal(sdes_generate(RELAY_SUITE_NONE, &line.crypto), -EINVAL);
	assert_true(is_wiped(&line.crypto));
	assert_int_equal(sdes_format(&line, text, sizeof(text)), -EINVAL);
}

static void
test_format_as_read(void **state)
{
	static const char *const texts[] = {
		"1 " S80 " inline:" KEY,
		"2 " S32 " inline:" KEY "|2^31",
		"3 " S32 " inline:" KEY "|1000000|66051:4",
		"4 " S80 " inline:" KEY "|1:128",
	};
	char text[SDES_TEXT_MAX];
	struct sdes_line line;

	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(parse(texts[i], strlen(texts[i]), &line), SDES_OK);
		assert_int_equal(sdes_format(&line, text, sizeof(text)), strlen(texts[i]));
		assert_string_equal(text, texts[i]);
	}
	memset(line.crypto.mki, 0xff, sizeof(line.crypto.mki));
	line.crypto.lifetime = (UINT64_C(1) << 48) - 1;
	assert_true(sdes_format(&line, text, sizeof(text)) > 0);
}

/* SRTCP in clear: only where it is allowed, and only if both say so. */
static void
test_unencrypted_srtcp(void **state)
{
	static const char text[] = "1 " S80 " inline:" KEY " UNENCRYPTED_SRTCP";
	struct sdes_lines lines = {.unencrypted_srtcp = false};
	struct sdes_line ours = {.tag = 1};
	unsigned accepted;
	char written[SDES_TEXT_MAX];

	assert_int_equal(sdes_add(&lines, text, strlen(text)), SDES_UNENCRYPTED);
	assert_int_equal(lines.count, 0);
	assert_int_equal(lines.fault, SDES_UNENCRYPTED);
	lines = (struct sdes_lines){.unencrypted_srtcp = true};
	assert_int_equal(sdes_add(&lines, text, strlen(text)), SDES_OK);
	assert_int_equal(lines.line[0].crypto.flags, RELAY_CRYPTO_UNENCRYPTED_SRTCP);
	assert_int_equal(sdes_generate_answer(&lines.line[0].crypto, &ours.crypto), 0);
	assert_true(sdes_format(&ours, written, sizeof(written)) > 0);
	assert_non_null(strstr(written, " UNENCRYPTED_SRTCP"));
	/* an answer that asks for it unoffered */
	assert_int_equal(sdes_generate(RELAY_SUITE_AES_CM_128_HMAC_SHA1_80, &ours.crypto), 0);
	assert_int_equal(sdes_check_answer(&lines, &ours, 1, &accepted), SDES_OTHER_PARAMETERS);
	sdes_wipe_lines(&lines);
}

/* RFC 4568 6.1: our key goes by the MKI that was offered. */
static void
test_answer_has_the_mki(void **state)
{
	struct sdes_line line, ours = {.tag = 1}, back;
	static const char text[] = "1 " S32 " inline:" KEY "|2^20|258:2";
	char written[SDES_TEXT_MAX];

	assert_int_equal(parse(text, strlen(text), &line), SDES_OK);
	assert_int_equal(sdes_generate_answer(&line.crypto, &ours.crypto), 0);
	int length = sdes_format(&ours, written, sizeof(written));
	assert_true(length > 0);
	assert_int_equal(parse(written, (size_t)length, &back), SDES_OK);
	assert_int_equal(back.crypto.suite, RELAY_SUITE_AES_CM_128_HMAC_SHA1_32);
	assert_int_equal(back.crypto.mki_length, 2);
	assert_memory_equal(back.crypto.mki, line.crypto.mki, sizeof(line.crypto.mki));
	assert_memory_not_equal(back.crypto.key, line.crypto.key, 16);
	assert_false(sdes_is_same_key(&back.crypto, &line.crypto));
	assert_true(sdes_is_same_key(&back.crypto, &ours.crypto));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_mki_bytes),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_every_cut),
		cmocka_unit_test(test_huge_mki),
		cmocka_unit_test(test_lines_and_choice),
		cmocka_unit_test(test_too_many_lines),
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_generate_and_format),
		cmocka_unit_test(test_format_as_read),
		cmocka_unit_test(test_unencrypted_srtcp),
		cmocka_unit_test(test_answer_has_the_mki),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
