/* SPDX-License-Identifier: BSD-3-Clause */
/* sallyctl-user: what "sallyctl user" runs. Adds, deletes and lists users in the store. */
#include "relay/config.h"
#include "users.h"

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_CONFIG "/etc/sallyport/sallyport.yaml"

enum { DONE = 0, REFUSED = 1, WRONG_USAGE = 2, UNREACHABLE = 3 };

static const char usage[] =
	"Usage: sallyctl user [OPTIONS] add NAME | del NAME | list\n"
	"\n"
	"The users who may register and call. Only hashes of passwords are stored.\n"
	"\n"
	"  add NAME   add a user: asks for the password at a terminal, else reads the first line "
        "of\n"
	"             standard input; never from the command line, where others could see it\n"
	"  del NAME   delete a user; a call in progress goes on\n"
	"  list       the users\n"
	"\n"
	"Options:\n"
	"  -p, --password-file FILE  read the password from the file's first line\n"
	"  -r, --realm DOMAIN        the realm (default: sip.domain of the configuration)\n"
	"  -u, --users FILE          the store (default: sip.users of the configuration)\n"
	"  -c, --config FILE         the configuration (default " DEFAULT_CONFIG ")\n"
	"  -j, --json                list as JSON\n"
	"  -h, --help                this text\n"
	"\n"
	"Examples:\n"
	"  sallyctl user add alice\n"
	"  pwgen 20 1 | tee /root/bob.txt | sallyctl user add bob\n"
	"\n"
	"Exit status: 0 done; 1 refused (one sentence says why); 2 wrong usage; 3 the store can't "
        "be\n"
	"reached.\n";

struct options {
	const char *config;
	const char *users;
	const char *realm;
	const char *password_file;
	bool json;
};

static int
wrong(const char *what)
{
	fprintf(stderr, "sallyctl user: %s\nTry: sallyctl user --help\n", what);
	return WRONG_USAGE;
}

static int
parse(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {
		{"config", required_argument, NULL, 'c'},
		{"users", required_argument, NULL, 'u'},
		{"realm", required_argument, NULL, 'r'},
		{"password-file", required_argument, NULL, 'p'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "c:u:r:p:jh", known, NULL)) != -1) {
		switch (option) {
		case 'c':
			options->config = optarg;
			break;
		case 'u':
			options->users = optarg;
			break;
		case 'r':
			options->realm = optarg;
			break;
		case 'p':
			options->password_file = optarg;
			break;
		case 'j':
			options->json = true;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(DONE);
		default:
			return WRONG_USAGE;
		}
	}
	return 0;
}

/* Reads one line without its end. 0, or -EINVAL: too long, empty, or with a NUL. */
static int
read_line(FILE *from, char *line, size_t size)
{
	size_t length = 0;
	int next;

	while ((next = getc(from)) != EOF && next != '\n') {
		if (next == '\0' || length + 1 >= size)
			return -EINVAL;
		line[length++] = (char)next;
	}
	if (length > 0 && line[length - 1] == '\r')
		length--;
	line[length] = '\0';
	return length > 0 ? 0 : -EINVAL;
}

static int
ask_twice(char *password, size_t size)
{
	struct termios before, quiet;
	char again[USER_PASSWORD_SIZE] = "";
	int result;

	tcgetattr(STDIN_FILENO, &before);
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	fputs("Password: ", stderr);
	result = read_line(stdin, password, size);
	fputs("\nOnce more: ", stderr);
	if (result == 0)
		result = read_line(stdin, again, sizeof(again));
	fputs("\n", stderr);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	if (result == 0 && strcmp(password, again) != 0) {
		fputs("sallyctl user: the two passwords differ\n", stderr);
		result = -EAGAIN;
	}
	OPENSSL_cleanse(again, sizeof(again));
	return result;
}

static int
get_password(const struct options *options, char *password, size_t size)
{
	FILE *from = stdin;
	int result;

	if (options->password_file != NULL) {
		from = fopen(options->password_file, "re");
		if (from == NULL) {
			fprintf(stderr, "sallyctl user: %s can't be read: %s\n",
				options->password_file, strerror(errno));
			return REFUSED;
		}
	} else if (isatty(STDIN_FILENO)) {
		result = ask_twice(password, size);
		if (result == -EAGAIN)
			return REFUSED;
		goto judge;
	}
	/* no buffer of ours keeps a copy */
	setvbuf(from, NULL, _IONBF, 0);
	result = read_line(from, password, size);
	if (from != stdin)
		fclose(from);
judge:
	if (result == 0)
		return DONE;
	fputs("sallyctl user: the password is missing, or has more than 256 bytes: give it as the "
	      "first line of standard input\n",
		stderr);
	return REFUSED;
}

static int
add(struct users *users, const struct options *options, const char *name)
{
	char password[USER_PASSWORD_SIZE];
	int result = get_password(options, password, sizeof(password));

	if (result == DONE && users_add(users, name, options->realm, password) != 0) {
		fprintf(stderr, "sallyctl user: %s\n", users_error(users));
		result = REFUSED;
	}
	OPENSSL_cleanse(password, sizeof(password));
	if (result == DONE)
		printf("added %s@%s\n", name, options->realm);
	return result;
}

static int
del(struct users *users, const struct options *options, const char *name)
{
	if (users_del(users, name, options->realm) != 0) {
		fprintf(stderr, "sallyctl user: %s\n", users_error(users));
		return REFUSED;
	}
	printf("deleted %s@%s\n", name, options->realm);
	return DONE;
}

static const char *
format_time(int64_t seconds, char *text, size_t size)
{
	time_t when = (time_t)seconds;
	struct tm parts;

	gmtime_r(&when, &parts);
	strftime(text, size, "%Y-%m-%dT%H:%M:%SZ", &parts);
	return text;
}

static int
list_row(void *arg, const struct user *user)
{
	char when[32];

	format_time(user->created, when, sizeof(when));
	if (arg != NULL)
		json_array_append_new(arg, json_pack("{s:s, s:s, s:s}", "name", user->name, "realm",
						   user->realm, "created", when));
	else
		printf("%-32s %-32s %s\n", user->name, user->realm, when);
	return 0;
}

static int
list(struct users *users, const struct options *options)
{
	json_t *json = options->json ? json_array() : NULL;

	if (json == NULL)
		printf("%-32s %-32s %s\n", "NAME", "REALM", "CREATED");
	int result = users_list(users, list_row, json);
	if (result != 0)
		fprintf(stderr, "sallyctl user: %s\n", users_error(users));
	else if (json != NULL) {
		json_dumpf(json, stdout, JSON_INDENT(2));
		putchar('\n');
	}
	json_decref(json);
	return result == 0 ? DONE : UNREACHABLE;
}

/* What the command line does not say, the configuration does. */
static int
complete(struct options *options, struct config **config)
{
	char error[512];

	if (options->users != NULL && options->realm != NULL)
		return DONE;
	if (config_load(options->config, config, error, sizeof(error)) != 0) {
		fprintf(stderr, "sallyctl user: %s\n", error);
		return UNREACHABLE;
	}
	if (options->users == NULL)
		options->users = (*config)->sip.users;
	if (options->realm == NULL)
		options->realm = (*config)->sip.domain;
	if (options->realm == NULL)
		return wrong("the configuration has no sip.domain: name the --realm");
	return DONE;
}

int
main(int argc, char **argv)
{
	struct options options = {.config = DEFAULT_CONFIG};
	struct config *config = NULL;
	struct users *users = NULL;
	char error[USERS_ERROR_SIZE];

	if (parse(argc, argv, &options) != 0)
		return wrong("that is no command line");
	const char *command = optind < argc ? argv[optind] : "";
	const char *name = optind + 1 < argc ? argv[optind + 1] : NULL;
	bool is_add = strcmp(command, "add") == 0, is_del = strcmp(command, "del") == 0;
	bool is_list = strcmp(command, "list") == 0;
	if (!is_add && !is_del && !is_list)
		return wrong("say add NAME, del NAME or list");
	if (is_list ? name != NULL : name == NULL || optind + 2 < argc)
		return wrong(is_list ? "list takes no name" : "name one user");
	int result = complete(&options, &config);
	if (result != DONE)
		goto out;
	result = UNREACHABLE;
	if (users_open(options.users,
		    is_add   ? USERS_CREATE
		    : is_del ? USERS_WRITE
			     : USERS_READ,
		    &users, error, sizeof(error)) != 0)
		fprintf(stderr, "sallyctl user: %s\n", error);
	else if (is_add)
		result = add(users, &options, name);
	else if (is_del)
		result = del(users, &options, name);
	else
		result = list(users, &options);
out:
	users_close(users);
	config_free(config);
	return result;
}
