/* SPDX-License-Identifier: BSD-3-Clause */
#include "srtp_key.h"

#include "slab.h"

#include <errno.h>
#include <immintrin.h>
#include <intel-ipsec-mb.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <string.h>

#define AES_BLOCK 16
#define SHA1_BLOCK 64
#define AUTH_LENGTH 20
#define SALT_LENGTH 14
#define SCHEDULE_MAX (15 * AES_BLOCK)

_Static_assert(SRTP_KEY_GCM_OFFSET + sizeof(struct gcm_key_data) <= SRTP_KEY_SIZE_MAX,
	"a key of any suite has room");
_Static_assert(sizeof(struct srtp_key) <= SRTP_KEY_GCM_OFFSET, "GCM's state lies behind");

/* RFC 3711 4.3.2: a label is the sum of one of each. */
enum label_of_protocol { LABEL_RTP = 0, LABEL_RTCP = 3 };
enum label_of_key { LABEL_ENCRYPTION = 0, LABEL_AUTH = 1, LABEL_SALT = 2 };

/* Hot parts by size of their schedule, cold parts by what they hold. */
static struct slab hot_128 = {.name = "keys-128", .size = 256};
static struct slab hot_256 = {.name = "keys-256", .size = 320};
static struct slab hot_gcm = {.name = "keys-gcm",
	.size = (SRTP_KEY_GCM_OFFSET + sizeof(struct gcm_key_data) + 63) / 64 * 64};
static struct slab cold_short = {.name = "masters-128", .size = 32};
static struct slab cold_long = {.name = "masters-256", .size = 48};
static struct slab cold_mki = {.name = "masters-mki", .size = 176};

/* Only for its AES key expansion, its SHA-1 of one block and its GCM precomputation, which keep no
 * state: so every thread may use it. Written once under `once`; a thread that has a key got it
 * after that. */
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

static struct slab *
hot_slab(const struct relay_suite_info *suite)
{
	if (suite->aead)
		return &hot_gcm;
	return suite->key_length == 16 ? &hot_128 : &hot_256;
}

static struct slab *
cold_slab(unsigned key_length, unsigned mki_length)
{
	if (mki_length > 0)
		return &cold_mki;
	return key_length == 16 ? &cold_short : &cold_long;
}

/* The AES round keys of encryption. The library makes those of decryption too, for nothing. */
static void
expand_aes(const uint8_t *key, unsigned key_length, uint8_t schedule[SCHEDULE_MAX])
{
	uint8_t unused[SCHEDULE_MAX] __attribute__((aligned(16)));

	if (key_length == 16)
		IMB_AES_KEYEXP_128(manager, key, schedule, unused);
	else if (key_length == 24)
		IMB_AES_KEYEXP_192(manager, key, schedule, unused);
	else
		IMB_AES_KEYEXP_256(manager, key, schedule, unused);
	OPENSSL_cleanse(unused, sizeof(unused));
}

/* One block under AES (FIPS 197), by the CPU's own instructions, which ipsec-mb needs as well. Its
 * burst calls would need a manager for each thread, and OpenSSL's a lookup for each key. */
__attribute__((target("aes,sse2"))) static void
encrypt_block(const uint8_t *schedule, unsigned key_length, const uint8_t in[AES_BLOCK],
	uint8_t out[AES_BLOCK])
{
	const __m128i *round = (const __m128i *)(const void *)schedule;
	unsigned rounds = key_length / 4 + 6;
	__m128i block = _mm_xor_si128(_mm_loadu_si128((const __m128i *)(const void *)in), round[0]);

	for (unsigned i = 1; i < rounds; i++)
		block = _mm_aesenc_si128(block, round[i]);
	block = _mm_aesenclast_si128(block, round[rounds]);
	_mm_storeu_si128((__m128i *)(void *)out, block);
}

/* The pseudo-random function of RFC 3711 4.3.3, for longer keys RFC 6188 2: what is derived
 * from. */
struct prf {
	uint8_t schedule[SCHEDULE_MAX] __attribute__((aligned(16)));
	uint8_t salt[SALT_LENGTH]; /* RFC 7714 11: a shorter one ends with zeros */
	unsigned key_length;
	unsigned protocol; /* enum label_of_protocol */
};

static void
prf_start(struct prf *prf, const struct relay_suite_info *suite, const uint8_t *key,
	const uint8_t *salt, enum label_of_protocol protocol)
{
	memset(prf->salt, 0, sizeof(prf->salt));
	memcpy(prf->salt, salt, suite->salt_length);
	prf->key_length = suite->key_length;
	prf->protocol = protocol;
	expand_aes(key, suite->key_length, prf->schedule);
}

/* The first `length` bytes of the keystream for x = (label << 48) XOR salt, with key derivation
 * rate 0: RFC 3711 4.3.1. At most two blocks. */
static void
prf_take(const struct prf *prf, enum label_of_key label, uint8_t *out, unsigned length)
{
	uint8_t block[2][AES_BLOCK], iv[AES_BLOCK] = {0};

	memcpy(iv, prf->salt, SALT_LENGTH);
	iv[7] ^= (uint8_t)(prf->protocol + label);
	encrypt_block(prf->schedule, prf->key_length, iv, block[0]);
	iv[15] = 1;
	if (length > AES_BLOCK)
		encrypt_block(prf->schedule, prf->key_length, iv, block[1]);
	memcpy(out, block, length);
	OPENSSL_cleanse(block, sizeof(block));
	OPENSSL_cleanse(iv, sizeof(iv));
}

/* SHA-1's state after the one block of (key XOR pad): RFC 2104 section 4. */
static void
hmac_state(const uint8_t *key, uint8_t pad, uint8_t state[20])
{
	uint8_t block[SHA1_BLOCK];

	memset(block, pad, sizeof(block));
	for (size_t i = 0; i < AUTH_LENGTH; i++)
		block[i] ^= key[i];
	IMB_SHA1_ONE_BLOCK(manager, block, state);
	OPENSSL_cleanse(block, sizeof(block));
}

/* The session keys of one protocol, into a zeroed key. */
static void
derive(struct srtp_key *key, const struct relay_suite_info *suite, const uint8_t *master,
	const uint8_t *salt, enum label_of_protocol protocol)
{
	struct prf prf;
	uint8_t session[32], auth[AUTH_LENGTH];

	prf_start(&prf, suite, master, salt, protocol);
	prf_take(&prf, LABEL_ENCRYPTION, session, suite->key_length);
	prf_take(&prf, LABEL_SALT, key->salt, suite->salt_length);
	if (suite->aead) {
		struct gcm_key_data *gcm = (struct gcm_key_data *)(uintptr_t)srtp_key_gcm(key);
		if (suite->key_length == 16)
			IMB_AES128_GCM_PRE(manager, session, gcm);
		else
			IMB_AES256_GCM_PRE(manager, session, gcm);
	} else {
		prf_take(&prf, LABEL_AUTH, auth, AUTH_LENGTH);
		hmac_state(auth, 0x36, key->hmac_inner);
		hmac_state(auth, 0x5c, key->hmac_outer);
		expand_aes(session, suite->key_length, key->schedule);
		OPENSSL_cleanse(auth, sizeof(auth));
	}
	OPENSSL_cleanse(session, sizeof(session));
	OPENSSL_cleanse(&prf, sizeof(prf));
}

static struct srtp_cold *
keep_master(const struct relay_suite_info *suite, const struct relay_crypto *master)
{
	struct srtp_cold *cold = slab_take(cold_slab(suite->key_length, master->mki_length));

	if (cold == NULL)
		return NULL;
	memcpy(cold->salt, master->salt, suite->salt_length);
	memcpy(cold->key, master->key, suite->key_length);
	memcpy(cold->key + suite->key_length, master->mki, master->mki_length);
	return cold;
}

int
srtp_key_create(const struct relay_crypto *master, struct srtp_key **out)
{
	const struct relay_suite_info *suite = relay_suite_info(master->suite);
	struct srtp_cold *cold;
	struct srtp_key *key;
	int result;

	if (suite == NULL || master->mki_length > RELAY_MKI_MAX)
		return -EINVAL;
	if ((result = srtp_key_init()) != 0)
		return result;
	key = slab_take(hot_slab(suite));
	if (key == NULL)
		return -ENOMEM;
	cold = keep_master(suite, master);
	if (cold == NULL) {
		slab_give(hot_slab(suite), key);
		return -ENOMEM;
	}
	derive(key, suite, master->key, master->salt, LABEL_RTP);
	key->suite = master->suite;
	key->tag_length = suite->rtp_tag_length;
	key->cold = cold;
	key->lifetime = master->lifetime != 0 ? master->lifetime : suite->rtp_lifetime;
	key->references = 1;
	key->flags = master->flags;
	key->mki_length = master->mki_length;
	*out = key;
	return 0;
}

struct srtp_key *
srtp_key_ref(struct srtp_key *key)
{
	if (key != NULL)
		key->references++;
	return key;
}

void
srtp_key_unref(struct srtp_key *key)
{
	if (key == NULL || --key->references > 0)
		return;
	const struct relay_suite_info *suite = relay_suite_info(key->suite);
	slab_give(cold_slab(suite->key_length, key->mki_length),
		(struct srtp_cold *)(uintptr_t)key->cold);
	slab_give(hot_slab(suite), key);
}

void
srtp_keys_fini(void)
{
	struct slab *slabs[] = {&hot_128, &hot_256, &hot_gcm, &cold_short, &cold_long, &cold_mki};

	for (size_t i = 0; i < sizeof(slabs) / sizeof(slabs[0]); i++)
		slab_free_all(slabs[i]);
}

void
srtp_key_master(const struct srtp_key *key, struct relay_crypto *out)
{
	const struct relay_suite_info *suite = relay_suite_info(key->suite);

	*out = (struct relay_crypto){
		.suite = key->suite,
		.mki_length = key->mki_length,
		.flags = key->flags,
		.lifetime = key->lifetime != suite->rtp_lifetime ? key->lifetime : 0,
	};
	memcpy(out->key, key->cold->key, suite->key_length);
	memcpy(out->salt, key->cold->salt, suite->salt_length);
	memcpy(out->mki, srtp_key_mki(key), key->mki_length);
}

bool
srtp_key_is(const struct srtp_key *key, const struct relay_crypto *master)
{
	const struct relay_suite_info *suite = relay_suite_info(key->suite);

	/* what is compared in clear is no secret */
	if (key->suite != master->suite || key->flags != master->flags ||
		key->mki_length != master->mki_length ||
		memcmp(srtp_key_mki(key), master->mki, key->mki_length) != 0)
		return false;
	int differs = CRYPTO_memcmp(key->cold->key, master->key, suite->key_length);
	differs |= CRYPTO_memcmp(key->cold->salt, master->salt, suite->salt_length);
	return differs == 0;
}

bool
srtp_key_same(const struct srtp_key *a, const struct srtp_key *b)
{
	if (a == NULL || b == NULL)
		return false;
	const struct relay_suite_info *x = relay_suite_info(a->suite);
	const struct relay_suite_info *y = relay_suite_info(b->suite);
	if (x->key_length != y->key_length || x->salt_length != y->salt_length)
		return false;
	int differs = CRYPTO_memcmp(a->cold->key, b->cold->key, x->key_length);
	differs |= CRYPTO_memcmp(a->cold->salt, b->cold->salt, x->salt_length);
	return differs == 0;
}

void
srtp_key_derive_rtcp(const struct srtp_key *key, union srtp_key_room *out)
{
	const struct relay_suite_info *suite = relay_suite_info(key->suite);
	struct srtp_key *rtcp = &out->key;

	memset(rtcp, 0, SRTP_KEY_GCM_OFFSET);
	derive(rtcp, suite, key->cold->key, key->cold->salt, LABEL_RTCP);
	rtcp->suite = key->suite;
	rtcp->tag_length = suite->rtcp_tag_length;
	rtcp->flags = key->flags;
}

const uint8_t *
srtp_key_mki(const struct srtp_key *key)
{
	return key->cold->key + relay_suite_info(key->suite)->key_length;
}

size_t
srtp_key_bytes(enum relay_suite suite)
{
	const struct relay_suite_info *info = relay_suite_info(suite);

	return info == NULL ? 0 : hot_slab(info)->size + cold_slab(info->key_length, 0)->size;
}
