/* SPDX-License-Identifier: BSD-3-Clause */
#include "evp_srtp.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MUST(condition)                                                      \
	do {                                                                 \
		if (!(condition)) {                                          \
			fprintf(stderr, "evp_srtp: %s fails\n", #condition); \
			abort();                                             \
		}                                                            \
	} while (0)

/* Session keys of RTP or of RTCP. */
struct session_keys {
	uint8_t encryption[32];
	uint8_t auth[20];
	uint8_t salt[14];
};

struct evp_srtp {
	const struct relay_suite_info *suite; /* NULL: in clear */
	struct relay_crypto master;
	struct session_keys rtp;
	struct session_keys rtcp;
};

static const EVP_CIPHER *
ctr_of(unsigned key_length)
{
	return key_length == 16   ? EVP_aes_128_ctr()
	       : key_length == 24 ? EVP_aes_192_ctr()
	                          : EVP_aes_256_ctr();
}

static void
counter_mode(const uint8_t *key, unsigned key_length, const uint8_t iv[16], uint8_t *data,
	unsigned length)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int done;

	MUST(ctx != NULL && EVP_EncryptInit_ex(ctx, ctr_of(key_length), NULL, key, iv) == 1);
	MUST(EVP_EncryptUpdate(ctx, data, &done, data, (int)length) == 1);
	EVP_CIPHER_CTX_free(ctx);
}

/* RFC 3711 4.3.1, with key derivation rate 0. */
static void
derive(const struct evp_srtp *end, uint8_t label, uint8_t *out, unsigned length)
{
	uint8_t iv[16] = {0};

	memcpy(iv, end->master.salt, end->suite->salt_length);
	iv[7] ^= label;
	memset(out, 0, length);
	counter_mode(end->master.key, end->suite->key_length, iv, out, length);
}

struct evp_srtp *
evp_srtp_create(const struct relay_crypto *master)
{
	struct evp_srtp *end = calloc(1, sizeof(*end));

	MUST(end != NULL);
	end->master = *master;
	end->suite = relay_suite_info(master->suite);
	if (end->suite == NULL)
		return end;
	derive(end, 0, end->rtp.encryption, end->suite->key_length);
	derive(end, 1, end->rtp.auth, 20);
	derive(end, 2, end->rtp.salt, end->suite->salt_length);
	derive(end, 3, end->rtcp.encryption, end->suite->key_length);
	derive(end, 4, end->rtcp.auth, 20);
	derive(end, 5, end->rtcp.salt, end->suite->salt_length);
	return end;
}

void
evp_srtp_destroy(struct evp_srtp *end)
{
	free(end);
}

static void
put_32(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 24);
	at[1] = (uint8_t)(value >> 16);
	at[2] = (uint8_t)(value >> 8);
	at[3] = (uint8_t)value;
}

static uint32_t
get_32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* RFC 3550 5.1: fixed header, CSRCs, extension. False where they are longer than the packet. */
static bool
read_header(const uint8_t *data, unsigned length, unsigned *header)
{
	if (length < 12)
		return false;
	*header = 12 + 4u * (data[0] & 15);
	if ((data[0] & 0x10) == 0)
		return *header <= length;
	if (*header + 4 > length)
		return false;
	*header += 4 + 4u * (unsigned)(data[*header + 2] << 8 | data[*header + 3]);
	return *header <= length;
}

/* RFC 3711 4.1.1: the IV of AES-CM for a 48-bit index. */
static void
cm(const struct evp_srtp *end, const struct session_keys *keys, uint32_t ssrc, uint64_t index,
	uint8_t *data, unsigned length)
{
	uint8_t iv[16] = {0}, at[8];

	memcpy(iv, keys->salt, 14);
	put_32(at, ssrc);
	for (unsigned i = 0; i < 4; i++)
		iv[4 + i] ^= at[i];
	put_32(at, (uint32_t)(index >> 16));
	for (unsigned i = 0; i < 4; i++)
		iv[8 + i] ^= at[i];
	iv[12] ^= (uint8_t)(index >> 8);
	iv[13] ^= (uint8_t)index;
	counter_mode(keys->encryption, end->suite->key_length, iv, data, length);
}

static void
hmac(const struct session_keys *keys, const uint8_t *data, unsigned length, uint32_t tail,
	uint8_t tag[20])
{
	uint8_t *input = malloc(length + 4);
	unsigned made = 20;

	MUST(input != NULL);
	memcpy(input, data, length);
	put_32(input + length, tail);
	MUST(HMAC(EVP_sha1(), keys->auth, 20, input, length + 4, tag, &made) != NULL);
	free(input);
}

/* RFC 7714 8 and 9. Encrypts or decrypts data[offset, length); the tag is made or checked. */
static bool
gcm(const struct evp_srtp *end, const struct session_keys *keys, bool encrypt, uint32_t ssrc,
	uint64_t index, const uint8_t *word, uint8_t *data, unsigned offset, unsigned length,
	uint8_t tag[16])
{
	const EVP_CIPHER *cipher =
		end->suite->key_length == 16 ? EVP_aes_128_gcm() : EVP_aes_256_gcm();
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t iv[12] = {0};
	int done;

	put_32(iv + 2, ssrc);
	put_32(iv + 6, (uint32_t)(index >> 16));
	iv[10] = (uint8_t)(index >> 8);
	iv[11] = (uint8_t)index;
	for (unsigned i = 0; i < 12; i++)
		iv[i] ^= keys->salt[i];
	MUST(ctx != NULL &&
		EVP_CipherInit_ex(ctx, cipher, NULL, keys->encryption, iv, encrypt) == 1);
	MUST(EVP_CipherUpdate(ctx, NULL, &done, data, (int)offset) == 1);
	if (word != NULL)
		MUST(EVP_CipherUpdate(ctx, NULL, &done, word, 4) == 1);
	if (length > offset)
		MUST(EVP_CipherUpdate(ctx, data + offset, &done, data + offset,
			     (int)(length - offset)) == 1);
	if (!encrypt)
		MUST(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, 16, tag) == 1);
	bool good = EVP_CipherFinal_ex(ctx, data + length, &done) == 1;
	if (encrypt)
		MUST(good && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16, tag) == 1);
	EVP_CIPHER_CTX_free(ctx);
	return good;
}

static void
append(uint8_t *data, unsigned *length, const uint8_t *bytes, unsigned count)
{
	memcpy(data + *length, bytes, count);
	*length += count;
}

/* Takes `count` bytes off the end, into `out` if not NULL. */
static bool
chop(const uint8_t *data, unsigned *length, uint8_t *out, unsigned count)
{
	if (*length < count)
		return false;
	*length -= count;
	memcpy(out, data + *length, count);
	return true;
}

static bool
mki_is_right(const struct evp_srtp *end, const uint8_t *mki)
{
	return memcmp(mki, end->master.mki, end->master.mki_length) == 0;
}

void
evp_srtp_protect(struct evp_srtp *end, uint32_t roc, uint8_t *data, unsigned *length)
{
	unsigned offset;
	uint8_t tag[20];

	if (end->suite == NULL)
		return;
	MUST(read_header(data, *length, &offset));
	uint32_t ssrc = get_32(data + 8);
	uint64_t index = (uint64_t)roc << 16 | (uint64_t)(data[2] << 8 | data[3]);
	if (end->suite->aead) {
		gcm(end, &end->rtp, true, ssrc, index, NULL, data, offset, *length, tag);
		append(data, length, tag, 16);
		append(data, length, end->master.mki, end->master.mki_length);
		return;
	}
	cm(end, &end->rtp, ssrc, index, data + offset, *length - offset);
	hmac(&end->rtp, data, *length, roc, tag);
	append(data, length, end->master.mki, end->master.mki_length);
	append(data, length, tag, end->suite->rtp_tag_length);
}

bool
evp_srtp_unprotect(struct evp_srtp *end, uint32_t roc, uint8_t *data, unsigned *length)
{
	uint8_t tag[20], wanted[20], mki[RELAY_MKI_MAX];
	unsigned offset;

	if (end->suite == NULL)
		return true;
	bool aead = end->suite->aead;
	if (!aead && !chop(data, length, tag, end->suite->rtp_tag_length))
		return false;
	if (!chop(data, length, mki, end->master.mki_length) || !mki_is_right(end, mki))
		return false;
	if (aead && !chop(data, length, tag, 16))
		return false;
	if (!read_header(data, *length, &offset))
		return false;
	uint64_t index = (uint64_t)roc << 16 | (uint64_t)(data[2] << 8 | data[3]);
	if (aead)
		return gcm(end, &end->rtp, false, get_32(data + 8), index, NULL, data, offset,
			*length, tag);
	hmac(&end->rtp, data, *length, roc, wanted);
	if (memcmp(tag, wanted, end->suite->rtp_tag_length) != 0)
		return false;
	cm(end, &end->rtp, get_32(data + 8), index, data + offset, *length - offset);
	return true;
}

static bool
encrypts_rtcp(const struct evp_srtp *end)
{
	return (end->master.flags & RELAY_CRYPTO_UNENCRYPTED_SRTCP) == 0;
}

void
evp_srtp_protect_rtcp(struct evp_srtp *end, uint32_t index, uint8_t *data, unsigned *length)
{
	unsigned offset = encrypts_rtcp(end) ? 8 : *length;
	uint8_t tag[20], word[4];

	if (end->suite == NULL)
		return;
	put_32(word, (encrypts_rtcp(end) ? 0x80000000u : 0) | index);
	if (end->suite->aead) {
		gcm(end, &end->rtcp, true, get_32(data + 4), index, word, data, offset, *length,
			tag);
		append(data, length, tag, 16);
		append(data, length, word, 4);
		append(data, length, end->master.mki, end->master.mki_length);
		return;
	}
	cm(end, &end->rtcp, get_32(data + 4), index, data + offset, *length - offset);
	hmac(&end->rtcp, data, *length, get_32(word), tag);
	append(data, length, word, 4);
	append(data, length, end->master.mki, end->master.mki_length);
	append(data, length, tag, 10);
}

bool
evp_srtp_unprotect_rtcp(struct evp_srtp *end, uint8_t *data, unsigned *length, uint32_t *index)
{
	uint8_t tag[20], wanted[20], mki[RELAY_MKI_MAX], word[4];
	bool aead = end->suite != NULL && end->suite->aead;

	*index = 0;
	if (end->suite == NULL)
		return true;
	if (!aead && !chop(data, length, tag, 10))
		return false;
	if (!chop(data, length, mki, end->master.mki_length) || !chop(data, length, word, 4) ||
		(aead && !chop(data, length, tag, 16)) || *length < 8 || !mki_is_right(end, mki))
		return false;
	bool encrypted = (word[0] & 0x80) != 0;
	*index = get_32(word) & 0x7fffffff;
	if (encrypted != encrypts_rtcp(end))
		return false;
	unsigned offset = encrypted ? 8 : *length;
	if (aead)
		return gcm(end, &end->rtcp, false, get_32(data + 4), *index, word, data, offset,
			*length, tag);
	hmac(&end->rtcp, data, *length, get_32(word), wanted);
	if (memcmp(tag, wanted, 10) != 0)
		return false;
	cm(end, &end->rtcp, get_32(data + 4), *index, data + offset, *length - offset);
	return true;
}
