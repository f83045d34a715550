/* SPDX-License-Identifier: BSD-3-Clause */
/* SDES: the a=crypto attribute of SDP (RFC 4568), for SRTP. Text is read by length and strictly; a
 * line that can't be used has a named reason and is passed over, as 5.1.2 wants. Key material lies
 * in struct relay_crypto; whoever holds one wipes it. No state, any thread. */
#ifndef CONTROL_SDES_H
#define CONTROL_SDES_H

#include "relay/api.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SDES_LINES_MAX 16 /* usable lines of one media description; more are passed over */
#define SDES_TEXT_MAX 640 /* room for any line that sdes_format() writes, with its NUL */

enum sdes_verdict {
	SDES_OK,
	SDES_UNKNOWN_SUITE, /* a suite that we don't have: passed over */
	SDES_BAD_SYNTAX,    /* not tag, suite, key parameters, session parameters */
	SDES_BAD_TAG,       /* not 1 to 9 digits */
	SDES_DUPLICATE_TAG, /* the tag of an earlier line: the whole description is refused */
	SDES_BAD_METHOD,    /* a key method other than inline */
	SDES_SEVERAL_KEYS,  /* more than one key in the line */
	SDES_BAD_KEY,       /* not exactly the suite's key and salt in base64 */
	SDES_BAD_LIFETIME,  /* not 1 to the suite's most */
	SDES_BAD_MKI,       /* not value:length with 1 to 128 bytes that hold the value */
	/* session parameters, RFC 4568 6.3 */
	SDES_PARAMETER,        /* one that nobody knows, or with a value that it can't have */
	SDES_REPEATED,         /* one that stands twice */
	SDES_KDR,              /* a key derivation rate other than 0 */
	SDES_UNENCRYPTED,      /* UNENCRYPTED_SRTP; UNENCRYPTED_SRTCP where it is not allowed */
	SDES_UNAUTHENTICATED,  /* UNAUTHENTICATED_SRTP */
	SDES_FEC,              /* FEC_KEY, or FEC_ORDER=SRTP_FEC */
	SDES_BAD_WINDOW,       /* WSH below 64 */
	SDES_TOO_MANY,         /* no room: passed over */
	SDES_NO_LINE,          /* answer: no usable line at all */
	SDES_SEVERAL_LINES,    /* answer: more than one line, RFC 4568 5.1.2 */
	SDES_NOT_OFFERED,      /* answer: a tag that was not offered */
	SDES_OTHER_SUITE,      /* answer: another suite than the offered line's */
	SDES_OTHER_PARAMETERS, /* answer: other session parameters than the offered line's */
	SDES_VERDICT_COUNT
};

/* One a=crypto line that can be used. */
struct sdes_line {
	uint32_t tag;
	uint32_t reserved;
	struct relay_crypto crypto;
};

/* The a=crypto lines of one media description. */
struct sdes_lines {
	bool unencrypted_srtcp;                /* UNENCRYPTED_SRTCP is allowed; set it first */
	unsigned count;                        /* usable */
	unsigned seen;                         /* all */
	enum sdes_verdict fault;               /* of the last line that can't be used; OK: none */
	struct sdes_line line[SDES_LINES_MAX]; /* in the offered order */
	uint32_t tag[SDES_LINES_MAX * 2];      /* all tags seen, to find duplicates */
};

/* A sentence's part for logs: "the key is not the suite's length". Never holds key material. */
const char *sdes_verdict_text(enum sdes_verdict verdict);

/* Reads the value of one attribute, what follows "a=crypto:" (RFC 4568 9.1). OK and *out, or the
 * reason, and *out wiped but for the tag if that was read. */
enum sdes_verdict sdes_parse(const char *value, size_t length, struct sdes_line *out);

/* Reads one more line into lines (zeroed before the first, but for what is allowed). Only
 * SDES_DUPLICATE_TAG condemns the whole description (and SDES_TOO_MANY past 32 lines); else the
 * line is passed over. */
enum sdes_verdict sdes_add(struct sdes_lines *lines, const char *value, size_t length);

/* The offered line with the suite that comes first in our order, and of those the first offered;
 * NULL if there is none. */
const struct sdes_line *
sdes_choose(const struct sdes_lines *offer, const enum relay_suite *suites, unsigned suites_count);

/* Judges an answer's lines against what we offered (RFC 4568 5.1.2, 5.1.3): exactly one line, its
 * tag offered, its suite that line's. OK and *accepted: which of `offered`. */
enum sdes_verdict sdes_check_answer(const struct sdes_lines *answer,
	const struct sdes_line *offered, unsigned offered_count, unsigned *accepted);

/* A fresh master key and salt for the suite from the CSPRNG; no MKI, the suite's lifetime. 0,
 * -EINVAL for no suite of ours, -EIO without randomness, and *out wiped. */
int sdes_generate(enum relay_suite suite, struct relay_crypto *out);

/* The same for an answer to that line: with its MKI and its session parameters. */
int sdes_generate_answer(const struct relay_crypto *offered, struct relay_crypto *out);

/* Are they the same key, used the same way? In constant time. */
bool sdes_is_same_key(const struct relay_crypto *a, const struct relay_crypto *b);

/* Writes the attribute's value: "1 AES_CM_128_HMAC_SHA1_80 inline:...". Returns its length, -EINVAL
 * or -ENOSPC. The caller wipes text. */
int sdes_format(const struct sdes_line *line, char *text, size_t size);

void sdes_wipe(struct relay_crypto *crypto);
void sdes_wipe_lines(struct sdes_lines *lines);

#endif
