/* SPDX-License-Identifier: BSD-3-Clause */
#include "srtp_key.h"

#include <errno.h>
#include <intel-ipsec-mb.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <string.h>

#define SHA1_BLOCK 64
#define SESSION_KEY_LENGTH 16
#define SESSION_AUTH_LENGTH 20
#define SESSION_SALT_LENGTH 14
#define SCHEDULE_LENGTH sizeof(((struct srtp_key *)0)->schedule)

/* RFC 3711 4.3.2: a label is the sum of one of each. */
enum label_of_protocol { LABEL_RTP = 0, LABEL_RTCP = 3 };
enum label_of_key { LABEL_ENCRYPTION = 0, LABEL_AUTH = 1, LABEL_SALT = 2 };

/* Only for its key expansion and its SHA-1 of one block, which keep no state: so every thread may
 * use it. Written once under `once`; a thread that has a key got it after that. */
static IMB_MGR *manager;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
make_manager(void)
{
	IMB_MGR *made = alloc_mb_mgr(0);
	IMB_ARCH arch = IMB_ARCH_NONE;

	if (made == NULL)
		return;
	init_mb_mgr_auto(made, &arch);
	if (arch == IMB_ARCH_NONE || imb_get_errno(made) != 0) {
		free_mb_mgr(made);
		return;
	}
	manager = made;
}

int
srtp_key_init(void)
{
	if (pthread_once(&once, make_manager) != 0 || manager == NULL)
		return -ENOMEM;
	return 0;
}

/* The first `length` bytes of the keystream AES-CM(master key, (label << 48 XOR salt) << 16), with
 * key derivation rate 0: RFC 3711 4.3.1 and 4.3.3. */
static int
derive(EVP_CIPHER_CTX *ctx, const struct relay_crypto *master, unsigned label, uint8_t *out,
	int length)
{
	static const uint8_t zeros[32];
	uint8_t iv[16] = {0};
	int written, result = -EIO;

	memcpy(iv, master->salt, SESSION_SALT_LENGTH);
	iv[7] ^= (uint8_t)label;
	if (EVP_EncryptInit_ex2(ctx, EVP_aes_128_ctr(), master->key, iv, NULL) == 1 &&
		EVP_EncryptUpdate(ctx, out, &written, zeros, length) == 1 && written == length)
		result = 0;
	OPENSSL_cleanse(iv, sizeof(iv));
	return result;
}

static int
derive_set(EVP_CIPHER_CTX *ctx, const struct relay_crypto *master, enum label_of_protocol protocol,
	struct srtcp_key *out)
{
	int result;

	result = derive(
		ctx, master, protocol + LABEL_ENCRYPTION, out->encryption, SESSION_KEY_LENGTH);
	if (result == 0)
		result = derive(ctx, master, protocol + LABEL_AUTH, out->auth, SESSION_AUTH_LENGTH);
	if (result == 0)
		result = derive(ctx, master, protocol + LABEL_SALT, out->salt, SESSION_SALT_LENGTH);
	return result;
}

int
srtp_key_derive(const struct relay_crypto *master, struct srtp_key *rtp, struct srtcp_key *rtcp)
{
	const struct relay_suite_info *suite = relay_suite_info(master->suite);
	struct srtcp_key packed; /* the RTP keys in their short form */
	EVP_CIPHER_CTX *ctx = NULL;
	int result;

	memset(&packed, 0, sizeof(packed));
	memset(rtp, 0, sizeof(*rtp));
	memset(rtcp, 0, sizeof(*rtcp));
	if (suite == NULL || suite->key_length != SESSION_KEY_LENGTH ||
		suite->salt_length != SESSION_SALT_LENGTH)
		return -EINVAL;
	result = srtp_key_init();
	if (result < 0)
		return result;
	ctx = EVP_CIPHER_CTX_new();
	if (ctx == NULL)
		return -ENOMEM;

	result = derive_set(ctx, master, LABEL_RTP, &packed);
	if (result == 0)
		result = derive_set(ctx, master, LABEL_RTCP, rtcp);
	if (result < 0)
		goto out;
	packed.suite = rtcp->suite = master->suite;
	packed.tag_length = suite->rtp_tag_length;
	rtcp->tag_length = suite->rtcp_tag_length;
	srtcp_key_expand(&packed, rtp);
out:
	if (result < 0) {
		OPENSSL_cleanse(rtp, sizeof(*rtp));
		OPENSSL_cleanse(rtcp, sizeof(*rtcp));
	}
	OPENSSL_cleanse(&packed, sizeof(packed));
	EVP_CIPHER_CTX_free(ctx); /* wipes its key schedule */
	return result;
}

/* SHA-1's state after the one block of (key XOR pad): RFC 2104 section 4. */
static void
hmac_state(const uint8_t *key, uint8_t pad, uint8_t state[20])
{
	uint8_t block[SHA1_BLOCK];

	memset(block, pad, sizeof(block));
	for (size_t i = 0; i < SESSION_AUTH_LENGTH; i++)
		block[i] ^= key[i];
	IMB_SHA1_ONE_BLOCK(manager, block, state);
	OPENSSL_cleanse(block, sizeof(block));
}

void
srtcp_key_expand(const struct srtcp_key *key, struct srtp_key *out)
{
	uint8_t unused[SCHEDULE_LENGTH] __attribute__((aligned(16)));

	memset(out, 0, sizeof(*out));
	out->suite = key->suite;
	out->tag_length = key->tag_length;
	memcpy(out->salt, key->salt, sizeof(out->salt));
	hmac_state(key->auth, 0x36, out->hmac_inner);
	hmac_state(key->auth, 0x5c, out->hmac_outer);
	/* The function makes the schedule of decryption too, which counter mode has no use for. */
	IMB_AES_KEYEXP_128(manager, key->encryption, out->schedule, unused);
	OPENSSL_cleanse(unused, sizeof(unused));
}
