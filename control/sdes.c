/* SPDX-License-Identifier: BSD-3-Clause */
#include "sdes.h"

#include <errno.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#define MKI_DIGITS 309 /* of 2^1024 */
#define SECRET_MAX 48  /* bytes of key and salt together, of any suite of 32 + 16 */

static const char *const verdict_texts[SDES_VERDICT_COUNT] = {
	[SDES_OK] = "usable",
	[SDES_UNKNOWN_SUITE] = "a crypto suite that is not supported",
	[SDES_BAD_SYNTAX] = "not written as RFC 4568 9.1 has it",
	[SDES_BAD_TAG] = "the tag is not 1 to 9 digits",
	[SDES_DUPLICATE_TAG] = "two lines with one tag",
	[SDES_BAD_METHOD] = "a key method other than inline",
	[SDES_SEVERAL_KEYS] = "several keys in one line",
	[SDES_BAD_KEY] = "the key is not the suite's length in base64",
	[SDES_BAD_LIFETIME] = "the key's lifetime is zero or beyond the suite's",
	[SDES_BAD_MKI] = "the MKI is not value:length with a length that holds the value",
	[SDES_PARAMETER] = "a session parameter that is not known, or not written as it should be",
	[SDES_REPEATED] = "a session parameter that stands twice",
	[SDES_KDR] = "a key derivation rate that is not supported",
	[SDES_UNENCRYPTED] = "packets without encryption are not allowed",
	[SDES_UNAUTHENTICATED] = "packets without authentication are not allowed",
	[SDES_FEC] = "error correction outside of the encryption is not supported",
	[SDES_BAD_WINDOW] = "the replay window is not 64 or more",
	[SDES_TOO_MANY] = "too many lines",
	[SDES_NO_LINE] = "no usable a=crypto line",
	[SDES_SEVERAL_LINES] = "an answer with more than one a=crypto line",
	[SDES_NOT_OFFERED] = "an answer with a tag that was not offered",
	[SDES_OTHER_SUITE] = "an answer with another suite than its tag's",
	[SDES_OTHER_PARAMETERS] = "an answer with other session parameters than its tag's",
};

const char *
sdes_verdict_text(enum sdes_verdict verdict)
{
	return (unsigned)verdict < SDES_VERDICT_COUNT ? verdict_texts[verdict] : "none";
}

void
sdes_wipe(struct relay_crypto *crypto)
{
	OPENSSL_cleanse(crypto, sizeof(*crypto));
}

void
sdes_wipe_lines(struct sdes_lines *lines)
{
	OPENSSL_cleanse(lines, sizeof(*lines));
}

enum sdes_verdict
sdes_add(struct sdes_lines *lines, const char *value, size_t length)
{
	struct sdes_line line;
	enum sdes_verdict verdict = sdes_parse(value, length, &line);

	if (lines->seen >= SDES_LINES_MAX * 2)
		verdict = SDES_TOO_MANY;
	else if (verdict == SDES_BAD_TAG)
		lines->tag[lines->seen] = UINT32_MAX; /* no tag has 10 digits */
	else
		lines->tag[lines->seen] = line.tag;
	if (verdict != SDES_TOO_MANY && verdict != SDES_BAD_TAG)
		for (unsigned i = 0; i < lines->seen; i++)
			if (lines->tag[i] == line.tag)
				verdict = SDES_DUPLICATE_TAG;
	if (verdict != SDES_TOO_MANY)
		lines->seen++;
	if (verdict == SDES_OK && (line.crypto.flags & RELAY_CRYPTO_UNENCRYPTED_SRTCP) != 0 &&
		!lines->unencrypted_srtcp)
		verdict = SDES_UNENCRYPTED;
	if (verdict == SDES_OK && lines->count == SDES_LINES_MAX)
		verdict = SDES_TOO_MANY;
	if (verdict == SDES_OK)
		lines->line[lines->count++] = line;
	else
		lines->fault = verdict;
	OPENSSL_cleanse(&line, sizeof(line));
	return verdict;
}

const struct sdes_line *
sdes_choose(const struct sdes_lines *offer, const enum relay_suite *suites, unsigned suites_count)
{
	for (unsigned i = 0; i < suites_count; i++)
		for (unsigned j = 0; j < offer->count; j++)
			if (offer->line[j].crypto.suite == suites[i])
				return &offer->line[j];
	return NULL;
}

enum sdes_verdict
sdes_check_answer(const struct sdes_lines *answer, const struct sdes_line *offered,
	unsigned offered_count, unsigned *accepted)
{
	if (answer->seen > 1)
		return SDES_SEVERAL_LINES;
	if (answer->count == 0)
		return answer->fault != SDES_OK ? answer->fault : SDES_NO_LINE;
	for (unsigned i = 0; i < offered_count; i++) {
		if (offered[i].tag != answer->line[0].tag)
			continue;
		if (offered[i].crypto.suite != answer->line[0].crypto.suite)
			return SDES_OTHER_SUITE;
		if (offered[i].crypto.flags != answer->line[0].crypto.flags)
			return SDES_OTHER_PARAMETERS;
		*accepted = i;
		return SDES_OK;
	}
	return SDES_NOT_OFFERED;
}

int
sdes_generate(enum relay_suite suite, struct relay_crypto *out)
{
	const struct relay_suite_info *info = relay_suite_info(suite);

	OPENSSL_cleanse(out, sizeof(*out));
	if (info == NULL)
		return -EINVAL;
	if (RAND_priv_bytes(out->key, info->key_length) != 1 ||
		RAND_priv_bytes(out->salt, info->salt_length) != 1) {
		OPENSSL_cleanse(out, sizeof(*out));
		return -EIO;
	}
	out->suite = (uint8_t)suite;
	return 0;
}

int
sdes_generate_answer(const struct relay_crypto *offered, struct relay_crypto *out)
{
	int result = sdes_generate((enum relay_suite)offered->suite, out);

	if (result != 0)
		return result;
	out->flags = offered->flags;
	out->mki_length = offered->mki_length;
	memcpy(out->mki, offered->mki, sizeof(out->mki));
	return 0;
}

bool
sdes_is_same_key(const struct relay_crypto *a, const struct relay_crypto *b)
{
	return a->suite == b->suite && a->mki_length == b->mki_length && a->flags == b->flags &&
	       CRYPTO_memcmp(a->key, b->key, sizeof(a->key)) == 0 &&
	       CRYPTO_memcmp(a->salt, b->salt, sizeof(a->salt)) == 0 &&
	       CRYPTO_memcmp(a->mki, b->mki, sizeof(a->mki)) == 0;
}

/* "|2^31" or "|1000", and "|258:2", behind the key; nothing where there is nothing to say. */
static int
format_extras(const struct relay_crypto *crypto, char *text, size_t size)
{
	BIGNUM *number = NULL;
	char *digits = NULL;
	uint64_t life = crypto->lifetime;
	int length = 0, result = -ENOMEM;

	text[0] = '\0';
	if (life != 0 && (life & (life - 1)) == 0)
		length = snprintf(text, size, "|2^%d", __builtin_ctzll(life));
	else if (life != 0)
		length = snprintf(text, size, "|%llu", (unsigned long long)life);
	if (crypto->mki_length == 0)
		return length;
	if (crypto->mki_length > RELAY_MKI_MAX)
		return -EINVAL;
	number = BN_bin2bn(crypto->mki, crypto->mki_length, NULL);
	digits = number != NULL ? BN_bn2dec(number) : NULL;
	if (digits != NULL)
		result = length + snprintf(text + length, size - (size_t)length, "|%s:%u", digits,
					  crypto->mki_length);
	OPENSSL_free(digits);
	BN_free(number);
	return result;
}

int
sdes_format(const struct sdes_line *line, char *text, size_t size)
{
	const struct relay_suite_info *suite = relay_suite_info(line->crypto.suite);
	uint8_t secret[SECRET_MAX];
	char key[(SECRET_MAX + 2) / 3 * 4 + 1];
	char extras[24 + MKI_DIGITS + 8];
	int length;

	if (size > 0)
		text[0] = '\0';
	if (suite == NULL || line->tag > 999999999)
		return -EINVAL;
	length = format_extras(&line->crypto, extras, sizeof(extras));
	if (length < 0)
		return length;
	memcpy(secret, line->crypto.key, suite->key_length);
	memcpy(secret + suite->key_length, line->crypto.salt, suite->salt_length);
	EVP_EncodeBlock(
		(uint8_t *)key, secret, (int)(suite->key_length + (size_t)suite->salt_length));
	length = snprintf(text, size, "%u %s inline:%s%s%s", line->tag, suite->name, key, extras,
		(line->crypto.flags & RELAY_CRYPTO_UNENCRYPTED_SRTCP) != 0 ? " UNENCRYPTED_SRTCP"
									   : "");
	OPENSSL_cleanse(secret, sizeof(secret));
	OPENSSL_cleanse(key, sizeof(key));
	if (length < 0 || (size_t)length >= size) {
		OPENSSL_cleanse(text, size);
		return -ENOSPC;
	}
	return length;
}
