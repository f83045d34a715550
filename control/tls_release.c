/* SPDX-License-Identifier: BSD-3-Clause */
#include "tls_release.h"

#include <dlfcn.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <string.h>

static SSL *abandoned;   /* shut down by the stack, not freed; at most one, see SSL_shutdown() */
static void *stack_base; /* where Sofia-SIP's library lies */
static unsigned count;

static void
on_new(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int index, long argl, void *argp)
{
	count++;
}

static void
on_free(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int index, long argl, void *argp)
{
	count--;
	if (parent != NULL && parent == abandoned) {
		/* the stack does it itself: then it does not give away the context either */
		abandoned = NULL;
		SSL_CTX_free(SSL_get_SSL_CTX(parent));
	}
}

void
tls_release_flush(void)
{
	SSL *ssl = abandoned;

	abandoned = NULL;
	if (ssl == NULL)
		return;
	/* the stack has freed this BIO once, and the SSL will do it twice, for reading and writing;
	 * it was counted twice */
	if (SSL_get_rbio(ssl) != NULL)
		BIO_up_ref(SSL_get_rbio(ssl));
	SSL_free(ssl);
}

static bool
is_in_stack(const void *address)
{
	Dl_info info;

	return stack_base != NULL && dladdr(address, &info) != 0 && info.dli_fbase == stack_base;
}

/* In front of OpenSSL's. */
int
SSL_shutdown(SSL *ssl)
{
	static int (*real)(SSL *);

	if (real == NULL) {
		/* C has no cast from data to function; POSIX says that the bits are the same */
		void *symbol = dlsym(RTLD_NEXT, "SSL_shutdown");
		memcpy(&real, &symbol, sizeof(real));
	}
	int result = real(ssl);
	if (!is_in_stack(__builtin_return_address(0)))
		return result;
	ERR_clear_error();
	tls_release_flush();
	/* the stack will now free the context as if it were this connection's own */
	SSL_CTX_up_ref(SSL_get_SSL_CTX(ssl));
	abandoned = ssl;
	return result;
}

unsigned
tls_release_count(void)
{
	return count;
}

int
tls_release_install(void)
{
	void *function = dlsym(RTLD_DEFAULT, "nta_agent_create");
	Dl_info info;

	if (function != NULL && dladdr(function, &info) != 0)
		stack_base = info.dli_fbase;
	return SSL_get_ex_new_index(0, NULL, on_new, NULL, on_free) >= 0 ? 0 : -ENOMEM;
}
