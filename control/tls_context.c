/* SPDX-License-Identifier: BSD-3-Clause */
#include "tls_context.h"

#include "tls_peer.h"
#include "tls_ticket.h"

#include <errno.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CONTEXTS_MAX 256 /* a listener for each address of the machine */
#define VERIFY_DEPTH 4   /* authorities between a peer's certificate and its root */

static struct context {
	SSL_CTX *context;
	enum tls_role role;
} contexts[CONTEXTS_MAX];
static unsigned contexts_count;
static int ex_index = -1;
static SSL_CTX *newest; /* made a moment ago, not ours yet */

/* What a role's listeners have. The texts are copies: they outlive a configuration. */
static struct role {
	struct tls_files *files;
	struct tls_paths paths;
	char *texts[3];
} roles[TLS_ROLES];

/* Our certificates towards trunks that want one of their own, by the trunk's name in its own. */
static struct trunk_files {
	char *name;
	struct tls_files *files;
} * trunks;
static unsigned trunks_count;

static void
on_new(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int index, long argl, void *argp)
{
	newest = parent;
}

static void
on_free(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int index, long argl, void *argp)
{
	if (newest == parent)
		newest = NULL;
	for (unsigned i = 0; i < contexts_count; i++)
		if (contexts[i].context == parent)
			contexts[i--] = contexts[--contexts_count];
}

static void
forget(struct role *role)
{
	tls_files_free(role->files);
	for (size_t i = 0; i < sizeof(role->texts) / sizeof(role->texts[0]); i++)
		free(role->texts[i]);
	memset(role, 0, sizeof(*role));
}

static char *
copy(const char *text)
{
	return text != NULL ? strdup(text) : NULL;
}

static int
load(const struct tls_paths *paths, struct role *out, char *error, size_t error_size)
{
	memset(out, 0, sizeof(*out));
	int result = tls_files_load(paths, &out->files, error, error_size);
	if (result != 0)
		return result;
	out->texts[0] = copy(paths->certificate);
	out->texts[1] = copy(paths->private_key);
	out->texts[2] = copy(paths->ca);
	if (out->texts[0] == NULL || out->texts[1] == NULL ||
		(paths->ca != NULL && out->texts[2] == NULL)) {
		forget(out);
		snprintf(error, error_size, "out of memory");
		return -ENOMEM;
	}
	out->paths =
		(struct tls_paths){paths->section, out->texts[0], out->texts[1], out->texts[2]};
	return 0;
}

/* Both roles' files; those of peering also where no trunk connects, for we may connect to one. */
static int
load_all(const struct config_sip *config, struct role out[TLS_ROLES], char *error, size_t size)
{
	struct tls_paths access = tls_paths_of_access(config);
	struct tls_paths peering = tls_paths_of_peering(config);
	int result = load(&access, &out[TLS_ACCESS], error, size);

	if (result != 0)
		return result;
	result = load(&peering, &out[TLS_PEERING], error, size);
	if (result != 0)
		forget(&out[TLS_ACCESS]);
	return result;
}

static void
forget_trunks(struct trunk_files *list, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		tls_files_free(list[i].files);
		free(list[i].name);
	}
	free(list);
}

/* *out: NULL if no trunk has one. */
static int
load_trunks(const struct config_sip *config, struct trunk_files **out, unsigned *count, char *error,
	size_t error_size)
{
	struct trunk_files *list = calloc(config->trunks_count + 1, sizeof(*list));
	unsigned used = 0;
	char section[32];

	for (unsigned i = 0; list != NULL && i < config->trunks_count; i++) {
		const struct config_trunk *trunk = &config->trunks[i];
		struct tls_paths paths = {section, trunk->certificate, trunk->private_key, NULL};
		if (trunk->certificate == NULL)
			continue;
		snprintf(section, sizeof(section), "sip.trunks[%u]", i);
		int result = tls_files_load(&paths, &list[used].files, error, error_size);
		if (result != 0) {
			forget_trunks(list, used);
			return result;
		}
		list[used++].name = strdup(trunk->tls_name);
	}
	if (list == NULL || (used > 0 && list[used - 1].name == NULL)) {
		forget_trunks(list, used);
		snprintf(error, error_size, "out of memory");
		return -ENOMEM;
	}
	*out = list;
	*count = used;
	return 0;
}

const struct tls_files *
tls_context_trunk_files(const char *name)
{
	for (unsigned i = 0; i < trunks_count; i++)
		if (strcasecmp(trunks[i].name, name) == 0)
			return trunks[i].files;
	return NULL;
}

int
tls_context_start(const struct config_sip *config, char *error, size_t error_size)
{
	if (ex_index < 0)
		ex_index = SSL_CTX_get_ex_new_index(0, NULL, on_new, NULL, on_free);
	if (ex_index < 0) {
		snprintf(error, error_size, "out of memory");
		return -ENOMEM;
	}
	int result = load_trunks(config, &trunks, &trunks_count, error, error_size);
	return result == 0 ? load_all(config, roles, error, error_size) : result;
}

void
tls_context_stop(void)
{
	for (unsigned i = 0; i < TLS_ROLES; i++)
		forget(&roles[i]);
	forget_trunks(trunks, trunks_count);
	trunks = NULL;
	trunks_count = 0;
	tls_ticket_wipe();
	tls_peer_forget_sessions();
}

int
tls_context_adopt(enum tls_role role)
{
	SSL_CTX *context = newest;

	if (context == NULL || contexts_count == CONTEXTS_MAX)
		return -ENOSPC;
	newest = NULL;
	if (tls_files_apply(roles[role].files, context) != 0)
		return -EINVAL;
	if (role == TLS_PEERING) {
		/* the stack's callback lets errors pass; OpenSSL's own decides here */
		SSL_CTX_set_verify(
			context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
		/* carriers' certificates are often for servers alone; the name is what counts */
		SSL_CTX_set_purpose(context, X509_PURPOSE_ANY);
	} else {
		SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
	}
	SSL_CTX_set_verify_depth(context, VERIFY_DEPTH);
	int result = tls_ticket_install(context);
	if (result == 0)
		contexts[contexts_count++] = (struct context){context, role};
	return result;
}

int
tls_context_reload(const struct config_sip *config, char *error, size_t error_size)
{
	struct role fresh[TLS_ROLES];
	struct trunk_files *fresh_trunks;
	unsigned fresh_count;
	int result = load_trunks(config, &fresh_trunks, &fresh_count, error, error_size);

	if (result != 0)
		return result;
	result = load_all(config, fresh, error, error_size);
	if (result != 0) {
		forget_trunks(fresh_trunks, fresh_count);
		return result;
	}
	forget_trunks(trunks, trunks_count);
	trunks = fresh_trunks;
	trunks_count = fresh_count;
	for (unsigned i = 0; i < contexts_count; i++)
		if (tls_files_apply(fresh[contexts[i].role].files, contexts[i].context) != 0)
			result = -EINVAL;
	for (unsigned i = 0; i < TLS_ROLES; i++) {
		forget(&roles[i]);
		roles[i] = fresh[i];
	}
	/* a session that is resumed is not verified again: not across a change of authorities */
	tls_ticket_wipe();
	tls_peer_forget_sessions();
	for (unsigned i = 0; i < contexts_count; i++)
		SSL_CTX_flush_sessions(contexts[i].context, 0);
	if (result != 0)
		snprintf(error, error_size, "TLS: OpenSSL does not take the new certificate");
	return result;
}

enum tls_role
tls_context_role(const SSL *ssl)
{
	const SSL_CTX *context = SSL_get_SSL_CTX(ssl);

	for (unsigned i = 0; i < contexts_count; i++)
		if (contexts[i].context == context)
			return contexts[i].role;
	return TLS_ROLES;
}

X509_STORE *
tls_context_trunk_authorities(void)
{
	const struct role *role = &roles[TLS_PEERING];

	return role->paths.ca != NULL ? tls_files_authorities(role->files) : NULL;
}

void
tls_context_each(tls_context_each_cb *each, void *arg)
{
	for (unsigned i = 0; i < TLS_ROLES; i++)
		if (roles[i].files != NULL &&
			(i == 0 || strcmp(roles[i].texts[0], roles[0].texts[0]) != 0))
			each(arg, &roles[i].paths, tls_files_certificate(roles[i].files));
}
