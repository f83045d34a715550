/* SPDX-License-Identifier: BSD-3-Clause */
#include "sdes.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define TAG_DIGITS 9     /* RFC 4568 9.1: 1*9DIGIT */
#define MKI_DIGITS 309   /* of 2^1024 */
#define SECRET_MAX 48    /* bytes of key and salt together, of any suite of 32 + 16 */
#define LIFETIME_BITS 63 /* 2^n beyond this is beyond any suite */

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
	[SDES_PARAMETER] = "a session parameter that is not supported",
	[SDES_TOO_MANY] = "too many lines",
	[SDES_NO_LINE] = "no usable a=crypto line",
	[SDES_SEVERAL_LINES] = "an answer with more than one a=crypto line",
	[SDES_NOT_OFFERED] = "an answer with a tag that was not offered",
	[SDES_OTHER_SUITE] = "an answer with another suite than its tag's",
};

/* A piece of the line. */
struct piece {
	const char *at;
	size_t length;
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

static bool
is_space(char c)
{
	return c == ' ' || c == '\t';
}

/* The next piece up to white space; *rest moves behind it. Empty at the end. */
static struct piece
next_word(struct piece *rest)
{
	struct piece word;

	while (rest->length > 0 && is_space(*rest->at)) {
		rest->at++;
		rest->length--;
	}
	word.at = rest->at;
	while (rest->length > 0 && !is_space(*rest->at)) {
		rest->at++;
		rest->length--;
	}
	word.length = (size_t)(rest->at - word.at);
	return word;
}

/* The next piece up to the delimiter, which is taken too. *more: was there a delimiter? */
static struct piece
next_field(struct piece *rest, char delimiter, bool *more)
{
	const char *end = memchr(rest->at, delimiter, rest->length);
	struct piece field = {rest->at, rest->length};

	*more = end != NULL;
	if (end != NULL)
		field.length = (size_t)(end - rest->at);
	rest->at += field.length + (*more ? 1 : 0);
	rest->length -= field.length + (*more ? 1 : 0);
	return field;
}

static bool
starts_with(struct piece piece, const char *prefix)
{
	size_t length = strlen(prefix);

	return piece.length >= length && strncasecmp(piece.at, prefix, length) == 0;
}

static bool
is_digits(struct piece piece)
{
	for (size_t i = 0; i < piece.length; i++)
		if (!isdigit((unsigned char)piece.at[i]))
			return false;
	return piece.length > 0;
}

/* A decimal number up to `most`. */
static bool
read_number(struct piece piece, uint64_t most, uint64_t *out)
{
	uint64_t value = 0;

	if (!is_digits(piece))
		return false;
	for (size_t i = 0; i < piece.length; i++) {
		unsigned digit = (unsigned)(piece.at[i] - '0');
		if (value > (most - digit) / 10 || digit > most)
			return false;
		value = value * 10 + digit;
	}
	*out = value;
	return true;
}

/* RFC 4648 4, and RFC 4568 6.1: padding may be there or be left out; nothing else is forgiven. */
static bool
decode_base64(struct piece text, uint8_t *out, size_t wanted)
{
	char padded[(SECRET_MAX + 2) / 3 * 4 + 1];
	uint8_t decoded[(SECRET_MAX + 2) / 3 * 3];
	size_t bare = (wanted * 8 + 5) / 6, whole = (wanted + 2) / 3 * 4;
	bool ok = false;

	if (wanted > SECRET_MAX || (text.length != bare && text.length != whole))
		return false;
	for (size_t i = 0; i < text.length; i++) {
		char c = text.at[i];
		if (i < bare ? !(isalnum((unsigned char)c) || c == '+' || c == '/') : c != '=')
			return false;
	}
	memset(padded, '=', sizeof(padded));
	memcpy(padded, text.at, bare);
	if (EVP_DecodeBlock(decoded, (const uint8_t *)padded, (int)whole) == (int)(whole / 4 * 3)) {
		ok = true;
		for (size_t i = wanted; i < whole / 4 * 3; i++) /* bits beyond the last byte */
			ok = ok && decoded[i] == 0;
		memcpy(out, decoded, wanted);
	}
	OPENSSL_cleanse(padded, sizeof(padded));
	OPENSSL_cleanse(decoded, sizeof(decoded));
	return ok;
}

/* RFC 4568 6.1: packets, in decimal or as 2^n; not zero, not beyond the suite. */
static bool
read_lifetime(struct piece text, const struct relay_suite_info *suite, uint64_t *out)
{
	if (starts_with(text, "2^")) {
		uint64_t exponent;
		if (!read_number(
			    (struct piece){text.at + 2, text.length - 2}, LIFETIME_BITS, &exponent))
			return false;
		*out = UINT64_C(1) << exponent;
	} else if (!read_number(text, suite->rtp_lifetime, out)) {
		return false;
	}
	return *out > 0 && *out <= suite->rtp_lifetime;
}

/* RFC 4568 6.1: value ":" length. The value, big-endian in so many bytes, stands in each packet. */
static bool
read_mki(struct piece text, struct relay_crypto *out)
{
	char digits[MKI_DIGITS + 1];
	bool more;
	uint64_t length;
	struct piece value = next_field(&text, ':', &more);
	BIGNUM *number = NULL;
	bool ok;

	if (!more || !is_digits(value) || value.length > MKI_DIGITS || text.length > 3 ||
		!read_number(text, RELAY_MKI_MAX, &length) || length == 0)
		return false;
	memcpy(digits, value.at, value.length);
	digits[value.length] = '\0';
	ok = BN_dec2bn(&number, digits) == (int)value.length &&
	     BN_bn2binpad(number, out->mki, (int)length) == (int)length;
	BN_free(number);
	if (ok)
		out->mki_length = (uint8_t)length;
	return ok;
}

/* "inline:" key-salt ["|" lifetime] ["|" MKI], and not a second one. */
static enum sdes_verdict
read_key(struct piece text, const struct relay_suite_info *suite, struct relay_crypto *out)
{
	uint8_t secret[SECRET_MAX];
	size_t wanted = (size_t)suite->key_length + suite->salt_length;
	bool more;
	struct piece field;

	if (!starts_with(text, "inline:"))
		return memchr(text.at, ':', text.length) != NULL ? SDES_BAD_METHOD
		                                                 : SDES_BAD_SYNTAX;
	if (memchr(text.at, ';', text.length) != NULL)
		return SDES_SEVERAL_KEYS;
	text.at += strlen("inline:");
	text.length -= strlen("inline:");
	field = next_field(&text, '|', &more);
	if (!decode_base64(field, secret, wanted))
		return SDES_BAD_KEY;
	memcpy(out->key, secret, suite->key_length);
	memcpy(out->salt, secret + suite->key_length, suite->salt_length);
	OPENSSL_cleanse(secret, sizeof(secret));
	if (!more)
		return SDES_OK;
	field = next_field(&text, '|', &more);
	if (memchr(field.at, ':', field.length) == NULL) {
		if (!read_lifetime(field, suite, &out->lifetime))
			return SDES_BAD_LIFETIME;
		if (!more)
			return SDES_OK;
		field = next_field(&text, '|', &more);
	}
	return !more && read_mki(field, out) ? SDES_OK : SDES_BAD_MKI;
}

/* RFC 4568 6.3. WSH asks for a replay window that ours is never smaller than; "-" marks what may be
 * passed over; all else changes the packets, and can't be done. */
static bool
is_harmless(struct piece parameter)
{
	uint64_t size;

	if (starts_with(parameter, "WSH=")) {
		parameter.at += 4;
		parameter.length -= 4;
		return parameter.length >= 2 && read_number(parameter, UINT32_MAX, &size) &&
		       size >= 64;
	}
	return parameter.length > 1 && parameter.at[0] == '-';
}

static enum sdes_verdict
parse(struct piece rest, struct sdes_line *out)
{
	struct piece tag, suite_name, key, parameter;
	const struct relay_suite_info *suite;
	uint64_t number;
	enum sdes_verdict verdict;

	for (size_t i = 0; i < rest.length; i++)
		if (!is_space(rest.at[i]) && !isgraph((unsigned char)rest.at[i]))
			return SDES_BAD_SYNTAX;
	if (rest.length > 0 && is_space(*rest.at))
		return SDES_BAD_TAG;
	tag = next_word(&rest);
	if (tag.length > TAG_DIGITS || !read_number(tag, UINT32_MAX, &number))
		return SDES_BAD_TAG;
	out->tag = (uint32_t)number;
	suite_name = next_word(&rest);
	key = next_word(&rest);
	if (suite_name.length == 0 || key.length == 0)
		return SDES_BAD_SYNTAX;
	out->crypto.suite = (uint8_t)relay_suite_by_name(suite_name.at, suite_name.length);
	suite = relay_suite_info(out->crypto.suite);
	if (suite == NULL)
		return SDES_UNKNOWN_SUITE;
	verdict = read_key(key, suite, &out->crypto);
	while (verdict == SDES_OK && (parameter = next_word(&rest)).length > 0)
		if (!is_harmless(parameter))
			verdict = SDES_PARAMETER;
	return verdict;
}

enum sdes_verdict
sdes_parse(const char *value, size_t length, struct sdes_line *out)
{
	enum sdes_verdict verdict;

	memset(out, 0, sizeof(*out));
	verdict = parse((struct piece){value, length}, out);
	if (verdict != SDES_OK) {
		uint32_t tag = out->tag;
		OPENSSL_cleanse(out, sizeof(*out));
		out->tag = tag; /* a line that is passed over has a tag, too */
	}
	return verdict;
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
	length = snprintf(text, size, "%u %s inline:%s%s", line->tag, suite->name, key, extras);
	OPENSSL_cleanse(secret, sizeof(secret));
	OPENSSL_cleanse(key, sizeof(key));
	if (length < 0 || (size_t)length >= size) {
		OPENSSL_cleanse(text, size);
		return -ENOSPC;
	}
	return length;
}
