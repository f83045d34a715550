/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The kernels of the fused engines (engine_fused.c): HMAC-SHA1 of several packets side by side, one
 * to a lane, and AES-CM with both legs' keystreams in one pass.
 *
 * Each file fused_*.c is compiled for instructions that not every CPU has, alone with its flags;
 * nothing in it is called before its usable() was true. Nothing here reads beyond a packet's
 * `length` by more than SRTP_TAG_MAX bytes, and none keeps state. Any thread.
 */
#ifndef DATAPLANE_FUSED_H
#define DATAPLANE_FUSED_H

#include "engine.h"

#define FUSED_DIGEST 16    /* bytes kept of HMAC-SHA1's 20: no suite's tag is longer than 10 */
#define FUSED_LANES_MAX 16 /* of a group */

/* HMAC-SHA1 of ops[0] to ops[n - 1], with the index word after each packet, under the rx key, or
 * under the tx key if `transmit` (RFC 3711 4.2, RFC 2104). n is 1 to the kernel's lanes, or groups
 * of lanes; a group costs the same for any n, and takes as many blocks as the longest packet. Into
 * digest[0..n - 1]. */
typedef void fused_hmac(
	struct crypto_op *const ops[], unsigned n, bool transmit, uint8_t digest[][FUSED_DIGEST]);

/* XORs into each packet's ciphertext the keystream of rx and that of tx, in place; a key that is
 * NULL has none (RFC 3711 4.1.1). Keys are AES-CM's. */
typedef void fused_ctr(struct crypto_op *const ops[], unsigned n);

bool fused_avx512_usable(void); /* AVX-512 F, BW, VL, VBMI2 and VAES: Ice Lake, Zen 4 and later */
fused_hmac fused_hmac_avx512;   /* two groups of 16 lanes */
fused_ctr fused_ctr_avx512;

bool fused_avx2_usable(void); /* AVX2 and AES-NI: Haswell, Zen and later */
fused_hmac fused_hmac_avx2;   /* 8 lanes */
fused_ctr fused_ctr_avx2;

bool fused_sha_usable(void); /* the SHA extensions: Ice Lake, Zen and later */
fused_hmac fused_hmac_sha;   /* 2 lanes: for the few packets that fill no wide kernel */

#endif
