/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading one a=crypto line; sdes.c has the rest. */
#include "sdes.h"

#include <ctype.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define TAG_DIGITS 9     /* RFC 4568 9.1: 1*9DIGIT */
#define MKI_DIGITS 309   /* of 2^1024 */
#define SECRET_MAX 48    /* bytes of key and salt together, of any suite of 32 + 16 */
#define LIFETIME_BITS 63 /* 2^n beyond this is beyond any suite */

/* A piece of the line. */
struct piece {
	const char *at;
	size_t length;
};

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
equals(struct piece piece, const char *word)
{
	return piece.length == strlen(word) && strncasecmp(piece.at, word, piece.length) == 0;
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

/* RFC 4568 6.3.1: 2^n packets under one session key. None but "all of them" is done. */
static enum sdes_verdict
check_kdr(struct piece value)
{
	uint64_t rate;

	if (value.length > 2 || !read_number(value, 24, &rate))
		return SDES_PARAMETER;
	return rate == 0 ? SDES_OK : SDES_KDR;
}

/* RFC 4568 6.3.7: a replay window that ours is never smaller than, 64 at least. */
static enum sdes_verdict
check_window(struct piece value)
{
	uint64_t size;

	return value.length >= 2 && read_number(value, UINT32_MAX, &size) && size >= 64
	               ? SDES_OK
	               : SDES_BAD_WINDOW;
}

/* RFC 4568 6.3.5: FEC is part of what is encrypted, so it passes; FEC of what is encrypted already
 * does not survive another key. */
static enum sdes_verdict
check_fec_order(struct piece value)
{
	if (equals(value, "FEC_SRTP"))
		return SDES_OK;
	return equals(value, "SRTP_FEC") ? SDES_FEC : SDES_PARAMETER;
}

/* The parameters of RFC 4568 6.3, as bits of those that a line has had. */
enum {
	HAS_KDR = 1,
	HAS_UNENCRYPTED_SRTCP = 2,
	HAS_FEC_ORDER = 4,
	HAS_WSH = 8,
};

/* RFC 4568 6.3: what is done, what is harmless, and what is refused by name. "-" marks what may be
 * passed over (5.1.2); all else that nobody knows condemns the line. */
static enum sdes_verdict
read_parameter(struct piece parameter, struct relay_crypto *crypto, unsigned *had)
{
	bool has_value;
	struct piece value = parameter, name = next_field(&value, '=', &has_value);
	unsigned which = 0;
	enum sdes_verdict verdict = SDES_PARAMETER;

	if (parameter.at[0] == '-')
		return parameter.length > 1 ? SDES_OK : SDES_PARAMETER;
	if (equals(name, "FEC_KEY") && has_value)
		return SDES_FEC;
	if (equals(parameter, "UNENCRYPTED_SRTP"))
		return SDES_UNENCRYPTED;
	if (equals(parameter, "UNAUTHENTICATED_SRTP"))
		return SDES_UNAUTHENTICATED;
	if (equals(name, "KDR") && has_value) {
		which = HAS_KDR;
		verdict = check_kdr(value);
	} else if (equals(parameter, "UNENCRYPTED_SRTCP")) {
		which = HAS_UNENCRYPTED_SRTCP;
		crypto->flags |= RELAY_CRYPTO_UNENCRYPTED_SRTCP;
		verdict = SDES_OK;
	} else if (equals(name, "FEC_ORDER") && has_value) {
		which = HAS_FEC_ORDER;
		verdict = check_fec_order(value);
	} else if (equals(name, "WSH") && has_value) {
		which = HAS_WSH;
		verdict = check_window(value);
	}
	if (*had & which)
		return SDES_REPEATED;
	*had |= which;
	return verdict;
}

static enum sdes_verdict
parse(struct piece rest, struct sdes_line *out)
{
	struct piece tag, suite_name, key, parameter;
	const struct relay_suite_info *suite;
	uint64_t number;
	unsigned had = 0;
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
		verdict = read_parameter(parameter, &out->crypto, &had);
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
