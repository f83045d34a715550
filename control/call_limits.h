/* SPDX-License-Identifier: BSD-3-Clause */
/* How many calls there may be: of a user, of a trunk, in all; and how many may begin in a second
 * (sip.calls, and calls_max and calls_per_second of each trunk). Event-loop thread alone. */
#ifndef CONTROL_CALL_LIMITS_H
#define CONTROL_CALL_LIMITS_H

#include "party.h"

struct call_limits;

enum call_limit {
	CALL_LIMIT_NONE,       /* go ahead */
	CALL_LIMIT_CALLS,      /* sip.calls.max */
	CALL_LIMIT_RATE,       /* sip.calls.per_second */
	CALL_LIMIT_USER,       /* sip.calls.per_user */
	CALL_LIMIT_TRUNK,      /* the trunk's calls_max */
	CALL_LIMIT_TRUNK_RATE, /* the trunk's calls_per_second */
	CALL_LIMIT_NO_MEMORY,
};

/* What one call holds of the limits. All zeroes at first; it does not move while it holds. */
struct call_limits_hold {
	struct call_limits *limits; /* NULL: nothing is held */
	struct party from, to;
	bool to_held;
};

/* What somebody holds who may yet come into a call: whom it is transferred to. All zeroes at first.
 */
struct call_limits_guest {
	struct call_limits *limits; /* NULL: nothing is held */
	struct party party;
};

/* `config` outlives it, or call_limits_configure() names another. NULL without memory. */
struct call_limits *call_limits_create(const struct config_sip *config);

/* Goes by this configuration from now on; calls that are held count on. */
void call_limits_configure(struct call_limits *limits, const struct config_sip *config);
void call_limits_destroy(struct call_limits *limits);

/* A call of this party begins. Where that is too many, it is counted by the limit's name, and
 * nothing is held. `now_ms` is monotonic. */
enum call_limit call_limits_take(struct call_limits *limits, struct call_limits_hold *hold,
	const struct party *from, uint64_t now_ms);

/* It goes to this party: in place of the one before, if there was one. Only for a call that holds
 * already. For CALL_LIMIT_NONE alone anything is held of it. */
enum call_limit
call_limits_take_to(struct call_limits_hold *hold, const struct party *to, uint64_t now_ms);

/* May this party come into a call that is up? It holds then, in place of who held before. */
enum call_limit call_limits_take_guest(struct call_limits *limits, struct call_limits_guest *guest,
	const struct party *party, uint64_t now_ms);
void call_limits_give_guest(struct call_limits_guest *guest);

/* This party is on a side of the call from now on (0 the caller's, 1 the callee's), in place of who
 * was: asks no limit, for it was asked before, or comes from another call of ours. */
void call_limits_replace(struct call_limits_hold *hold, unsigned side, const struct party *party);

/* The same for a call of these parties that is up already: whatever the limits say. */
void call_limits_resume(struct call_limits *limits, struct call_limits_hold *hold,
	const struct party *from, const struct party *to);

/* The call is over, or was refused: gives back what it holds, once, however often it is called. */
void call_limits_give(struct call_limits_hold *hold);

/* What the caller hears: 486 where the called user has too many, else 503; *phrase is static;
 * *retry_after_s is 0 for no such header. `is_callee`: said by call_limits_take_to(). */
int call_limits_status(
	enum call_limit limit, bool is_callee, const char **phrase, unsigned *retry_after_s);

/* Calls at a time: in all; of a party. */
unsigned call_limits_count(const struct call_limits *limits);
unsigned call_limits_count_of(const struct call_limits *limits, const struct party *party);

#endif
