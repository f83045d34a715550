/* SPDX-License-Identifier: BSD-3-Clause */
/* Digest authentication, the client's side: answers what a trunk challenges with 401 or 407 (RFC
 * 7616, RFC 8760, RFC 3261 22.2, 22.3). One `struct digest_client` for each peer and purpose (a
 * registration, a call): it remembers the challenge of each realm, so that the requests that follow
 * carry credentials at once, with a count that rises. It keeps no password. One thread.
 *
 *     on 401 or 407:           digest_client_take(); if 0, send the request anew (CSeq + 1)
 *     for each request sent:   digest_client_add() puts the credentials into it
 *     on any other but 100:    digest_client_done() */
#ifndef CONTROL_DIGEST_CLIENT_H
#define CONTROL_DIGEST_CLIENT_H

#include <sofia-sip/sip.h>
#include <stddef.h>

#define DIGEST_CLIENT_REALMS 4 /* remembered: an UAS and some proxies on the way to it */

struct config_credentials; /* relay/config_trunk.h */
struct digest_client;

/* NULL: out of memory. */
struct digest_client *digest_client_create(void);
/* The same for one more owner, who destroys it, too: the dialogs that one INVITE makes go on
 * counting together. NULL stays NULL. */
struct digest_client *digest_client_share(struct digest_client *client);
void digest_client_destroy(struct digest_client *client);

/* Takes the challenges of a 401 or 407: of each realm the strongest that we can answer. 0: the
 * request can be sent anew. Else it is refused for good, and the reason is
 *   -EACCES   our credentials were refused: the realm was answered already, and its challenge is
 *             not stale=true, or is so for the second time
 *   -ENOENT   there are no credentials for a realm that is asked for
 *   -ENOTSUP  an algorithm or qop that we don't know in all challenges of a realm
 *   -EBADMSG  no challenge at all, or one that can't be read
 *   -ENOMEM, -E2BIG (more than DIGEST_CLIENT_REALMS realms) */
int digest_client_take(struct digest_client *client, const sip_t *response,
	const struct config_credentials *credentials, unsigned count);

/* A response other than 100, 401 and 407 has come: the next challenge is the first again. */
void digest_client_done(struct digest_client *client);

/* Writes Authorization and Proxy-Authorization for each challenge that was taken, on `home`; NULL
 * where there is none. Every call uses up one nonce count: make one for each request that is sent,
 * its retransmissions not counted. method: "INVITE"; uri: the request-URI as it is sent; body: for
 * auth-int, may be NULL when size is 0. An ACK takes its INVITE's credentials (RFC 3261 22.1), a
 * CANCEL none. 0, -ENOMEM, -EIO (OpenSSL). */
int digest_client_add(struct digest_client *client, su_home_t *home, const char *method,
	const char *uri, const void *body, size_t size,
	const struct config_credentials *credentials, unsigned count,
	sip_authorization_t **authorization, sip_proxy_authorization_t **proxy_authorization);

#endif
