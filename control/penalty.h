/* SPDX-License-Identifier: BSD-3-Clause */
/* What guessing passwords costs. Each failed login counts against its source (IPv6: its /64) and
 * against the name that it claimed, whether there is such a user or not; one is forgotten every
 * forget_s. Beyond those that are free, nothing that comes from there, or claims that name, is
 * looked at for a while, twice as long each time. A user that has logged in from a source lately is
 * not hurt by others: there, its own failures count alone.
 *
 * Tables of fixed size: a full one forgets who is the least guilty. One thread. */
#ifndef CONTROL_PENALTY_H
#define CONTROL_PENALTY_H

#include "relay/addr.h"
#include "relay/config_auth.h"

#include <stdint.h>

struct penalties;

/* `config` outlives it. 0, -ENOMEM, or -EIO if there is no randomness. */
int penalties_create(const struct config_penalties *config, struct penalties **out);
/* Goes by this from now on, but for `entries`; it outlives it. What was counted stays counted. */
void penalties_configure(struct penalties *penalties, const struct config_penalties *config);
void penalties_destroy(struct penalties *penalties);

/* For how many ms from now no login of this user from there is looked at; 0: look. user: what the
 * login claims, any text. now_ms: any clock that only goes up. */
uint64_t penalties_check(struct penalties *penalties, const struct relay_ip *source,
	const char *user, uint64_t now_ms);

/* A wrong password, or no such user. */
void penalties_failed(struct penalties *penalties, const struct relay_ip *source, const char *user,
	uint64_t now_ms);

/* A right login. */
void penalties_succeeded(struct penalties *penalties, const struct relay_ip *source,
	const char *user, uint64_t now_ms);

#endif
