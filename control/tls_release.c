/* SPDX-License-Identifier: BSD-3-Clause */
#include "tls_release.h"

#include "tls_connection.h"
#include "tls_gather.h"
#include "tls_stack.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

static SSL *abandoned; /* shut down by the stack, not freed; at most one, see SSL_shutdown() */
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

/* In front of OpenSSL's. */
int
SSL_shutdown(SSL *ssl)
{
	static int (*real)(SSL *);

	if (real == NULL)
		tls_stack_real("SSL_shutdown", &real, sizeof(real));
	struct tls_connection *connection = tls_connection_of(ssl);
	if (connection != NULL)
		tls_gather_flush(connection);
	int result = real(ssl);
	if (!tls_stack_contains(__builtin_return_address(0)))
		return result;
	ERR_clear_error();
	tls_release_flush();
	/* the stack will now free the context as if it were this connection's own */
	SSL_CTX_up_ref(SSL_get_SSL_CTX(ssl));
	abandoned = ssl;
	return result;
}

/* In front of the system's: the stack does so as soon as it has written the last answer. */
int
shutdown(int fd, int how)
{
	static int (*real)(int, int);

	if (real == NULL)
		tls_stack_real("shutdown", &real, sizeof(real));
	tls_gather_flush_socket(fd);
	return real(fd, how);
}

unsigned
tls_release_count(void)
{
	return count;
}

int
tls_release_install(void)
{
	return SSL_get_ex_new_index(0, NULL, on_new, NULL, on_free) >= 0 ? 0 : -ENOMEM;
}
