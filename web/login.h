/* SPDX-License-Identifier: BSD-3-Clause */
/* Who may look: HTTP's Basic authentication (RFC 7617) against web.login.
 *
 * A right password costs its hash (scrypt) once, then it is remembered by a MAC. Wrong ones are
 * counted by source: after LOGIN_FREE of them none of that source is looked at for LOGIN_LOCK_S;
 * and of all sources together no more than LOGIN_HASHES a second. Main thread alone. */
#ifndef WEB_LOGIN_H
#define WEB_LOGIN_H

#include "relay/addr.h"
#include "relay/config.h"

#include <stdint.h>

#define LOGIN_FREE 5
#define LOGIN_LOCK_S 60
#define LOGIN_HASHES 4
#define LOGIN_SOURCES 256 /* that are remembered: the oldest gives way */

struct login;

enum login_result {
	LOGIN_RIGHT,
	LOGIN_WRONG,  /* 401 */
	LOGIN_LOCKED, /* not looked at: 429 */
	LOGIN_BUSY,   /* too many at once: 503 */
};

/* `config` outlives it. NULL: out of memory, or without randomness. */
struct login *login_create(const struct config_web_login *config);
void login_free(struct login *login);

/* `user` and `password` as the request has them, from `source`. */
enum login_result login_check(struct login *login, const struct relay_ip *source, const char *user,
	const char *password, uint64_t now_ms);

#endif
