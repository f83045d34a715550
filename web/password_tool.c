/* SPDX-License-Identifier: BSD-3-Clause */
/* sallyctl-web-password: the hash of a password for web.login. Run by "sallyctl web-password". */
#include "password.h"

#include <getopt.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define LENGTH_MIN 8

static const char help[] =
	"Usage: sallyctl web-password\n"
	"\n"
	"Asks for a password, or reads it from standard input, and prints its hash: it stands in "
	"the\n"
	"configuration as web.login.hash, beside web.login.user. The hash is scrypt's, with a "
	"salt\n"
	"of its own each time.\n"
	"\n"
	"  -h, --help  this text\n"
	"\n"
	"Example:\n"
	"  openssl rand -base64 18 | tee password | sallyctl web-password\n"
	"\n"
	"Exit status: 0 done; 1 refused (one sentence says why); 2 wrong usage.\n";

static int
complain(int code, const char *what)
{
	fprintf(stderr, "sallyctl web-password: %s\n", what);
	return code;
}

/* One line, without an echo where a person types it. */
static bool
read_password(char *password, size_t size)
{
	struct termios before, quiet;
	bool person = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &before) == 0;

	if (person) {
		fputs("Password: ", stderr);
		quiet = before;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	}
	bool got = fgets(password, (int)size, stdin) != NULL;
	if (person) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
		fputc('\n', stderr);
	}
	return got;
}

int
main(int argc, char **argv)
{
	/* sallyctl hands its own options on; they mean nothing here */
	static const struct option known[] = {{"help", no_argument, NULL, 'h'},
		{"config", required_argument, NULL, 'c'}, {"json", no_argument, NULL, 'j'},
		{NULL, 0, NULL, 0}};
	char password[PASSWORD_MAX + 2], hash[PASSWORD_HASH_SIZE];
	int option;

	while ((option = getopt_long(argc, argv, "hc:j", known, NULL)) != -1) {
		if (option == 'h') {
			fputs(help, stdout);
			return 0;
		}
		if (option == '?') {
			fputs(help, stderr);
			return 2;
		}
	}
	if (optind < argc)
		return complain(2, "the password is read from standard input, not from the command "
				   "line, where others see it");
	if (!read_password(password, sizeof(password)))
		return complain(1, "there is no password on standard input");
	password[strcspn(password, "\r\n")] = '\0';
	int result = 0;
	if (strlen(password) < LENGTH_MIN)
		result = complain(1, "a password has at least 8 characters");
	else if (strlen(password) > PASSWORD_MAX)
		result = complain(1, "a password has at most 1024 bytes");
	else if (password_hash(password, hash) != 0)
		result = complain(1, "no memory, or no randomness, for a hash");
	else if (puts(hash) < 0 || fflush(stdout) != 0)
		result = complain(1, "the hash can't be written");
	OPENSSL_cleanse(password, sizeof(password));
	return result;
}
